/* marks.h - what its owner said of pictures: favourites, ratings, choices between two, and folders
 * of other programs' pictures that count, too.
 *
 * Marks are lines of JSON in marks_<instance>.jsonl beside the job logs, appended as those are: one
 * write a line. A picture is named by what is in its file (SHA-256), by its cell, and by its path,
 * so that it is found again when it was copied, renamed or moved. Nothing is ever changed: a later
 * line counts, whichever file it is in.
 */
#ifndef XL_INSIGHT_MARKS_H
#define XL_INSIGHT_MARKS_H

#include "base/sha256.h"
#include "base/status.h"

#include <stdint.h>

enum { XL_RATING_MAX = 5 };

/* The folder of an output directory where pictures in the trash lie, under the paths that they had.
 */
#define XL_TRASH_DIR ".trash"

/* A picture as a mark names it. Texts are borrowed. */
struct xl_marked {
    const char *path; /* from the root, without links */
    const char *sha256;
    const char *cell; /* NULL: it has no record of this program */
    int64_t bytes;
};

/* --- Writing --- */

struct xl_marks; /* opaque; one thread */

/* Open the marks of this instance for appending, alone: another process that writes them is waited
 * for. On success *out is the caller's. Errors: XL_EDISK */
enum xl_status xl_marks_open(const char *dir, const char *instance, struct xl_marks **out,
                             struct xl_err *err) XL_CHECKED;

/* Put what was appended on the disk, and close. Errors: XL_EDISK */
enum xl_status xl_marks_close(struct xl_marks *marks, struct xl_err *err) XL_CHECKED;

const char *xl_marks_path(const struct xl_marks *marks);

/* loved: 1, 0, or -1 to leave it; rating: 1 .. XL_RATING_MAX, 0 to take it away, -1 to leave it.
 * Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_marks_put(struct xl_marks *marks, const struct xl_marked *picture, int loved,
                            int rating, struct xl_err *err) XL_CHECKED;
/* What is said of a picture; -1 leaves it. A rejected one was seen and is not wanted; one in the
 * trash was moved there, and path says where it was before. at: when it was said, in seconds since
 * 1970 (0: now); what was said before something that is there already does not count. */
struct xl_mark_change {
    int loved, rating, rejected, trashed;
    int64_t at;
};
enum xl_status xl_marks_put_change(struct xl_marks *marks, const struct xl_marked *picture,
                                   const struct xl_mark_change *change,
                                   struct xl_err *err) XL_CHECKED;
enum xl_status xl_marks_put_duel(struct xl_marks *marks, const struct xl_marked *winner,
                                 const struct xl_marked *loser, struct xl_err *err) XL_CHECKED;
/* Take the newest choice between these two, with this outcome, back. */
enum xl_status xl_marks_undo_duel(struct xl_marks *marks, const struct xl_marked *winner,
                                  const struct xl_marked *loser, struct xl_err *err) XL_CHECKED;
/* A folder whose pictures count, or do not any more. */
enum xl_status xl_marks_put_folder(struct xl_marks *marks, const char *path, bool counts,
                                   struct xl_err *err) XL_CHECKED;

/* --- Reading --- */

/* All marks of a folder, what was said last of each. Texts live as long as it does. */
struct xl_mark {
    struct xl_marked picture;
    bool is_loved, is_rejected, is_trashed;
    int rating;        /* 0: none */
    int64_t marked_at; /* when it was judged last; 0: never */
};
struct xl_mark_duel {
    int winner, loser; /* indices of marks */
    int64_t marked_at;
};
struct xl_mark_list;
struct xl_mark_view {
    const struct xl_mark *marks;
    int n_marks;
    const struct xl_mark_duel *duels; /* oldest first */
    int n_duels;
    const char *const *folders;
    int n_folders;
    int64_t n_damaged; /* lines that say nothing that is understood */
    int n_files;
};

/* Errors: XL_EINPUT unreadable; XL_ENOMEM */
enum xl_status xl_marks_read(const char *dir, struct xl_mark_list **out,
                             struct xl_err *err) XL_CHECKED;
void xl_marks_free(struct xl_mark_list *list); /* NULL is fine */
struct xl_mark_view xl_marks_view(const struct xl_mark_list *list);

/* A number that changes when a file of marks does. */
int64_t xl_marks_fingerprint(const char *dir);

/* --- A picture's file --- */

/* What a file is named by in marks: read once. path may be a link. Texts are in out. Errors:
 * XL_EINPUT missing, unreadable or no picture (PNG, JPEG, WebP); XL_ENOMEM */
struct xl_mark_file {
    struct xl_marked is;
    char path[4096], sha256[XL_SHA256_HEX], cell[40];
};
enum xl_status xl_mark_file_read(const char *path, struct xl_mark_file *out,
                                 struct xl_err *err) XL_CHECKED;

#endif
