/* text_file.h - text files that people write: prompts, jobs, profiles, styles. One reader, so that
 * what Windows and spreadsheets make of a text is read or refused the same everywhere.
 *
 * A file is UTF-8, with or without a byte order mark. UTF-16, UTF-32, other encodings and NUL are
 * refused with their line and column: as text they would be drawn as something else. A line ends
 * with LF, CR LF or CR; the last one needs no end. Keeps nothing; any thread.
 */
#ifndef XL_BASE_TEXT_FILE_H
#define XL_BASE_TEXT_FILE_H

#include "base/status.h"

/* Read a file of at most max_bytes. *text: without the mark, NUL-terminated, free with free.
 * Errors: XL_EINPUT missing, unreadable, too large, not UTF-8 */
enum xl_status xl_text_file_read(const char *path, size_t max_bytes, char **text, size_t *n,
                                 struct xl_err *err) XL_CHECKED;

/* The same of n bytes that are in memory: moves *text behind the mark. name opens the sentence. */
enum xl_status xl_text_check(const char *name, const char **text, size_t *n,
                             struct xl_err *err) XL_CHECKED;

/* The lines of a text, without their ends. Set `next` to the text and the rest to 0; false after
 * the last line. */
struct xl_text_line {
    const char *next; /* what is not read yet; NUL-terminated */
    const char *at;
    size_t n;
    int number; /* 1, 2, ... */
};
bool xl_text_line_next(struct xl_text_line *line);

#endif
