/* text_file.c - which texts are read, and what their lines are. No state: any thread. */
#include "base/text_file.h"
#include "base/file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* What the first bytes of a file say that it is; NULL: nothing. */
static const char *encoding_of(const char *text, size_t n) {
    static const struct {
        const char *bytes;
        size_t n;
        const char *name;
    } marks[] = {
        {"\xFF\xFE\0\0", 4, "UTF-32"},
        {"\0\0\xFE\xFF", 4, "UTF-32"},
        {"\xFF\xFE", 2, "UTF-16"},
        {"\xFE\xFF", 2, "UTF-16"},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (n >= marks[i].n && !memcmp(text, marks[i].bytes, marks[i].n)) return marks[i].name;
    return NULL;
}

/* Lines and columns (in characters) of a place in a text. */
static void find_place(const char *text, const char *at, int *line, int *column) {
    *line = *column = 1;
    for (const char *c = text; c < at; c++) {
        if (*c == '\n' || (*c == '\r' && c[1] != '\n'))
            ++*line, *column = 1;
        else
            *column += ((unsigned char)*c & 0xC0) != 0x80;
    }
}

enum xl_status xl_text_check(const char *name, const char **text, size_t *n, struct xl_err *err) {
    static const char mark[] = "\xEF\xBB\xBF";
    const char *encoding = encoding_of(*text, *n), *begin = *text, *end = begin + *n;
    int line, column, length;
    if (encoding)
        return xl_fail(err, XL_EINPUT,
                       "%s:1:1: the file is %s (it begins with the mark of that encoding); save it "
                       "as UTF-8",
                       name, encoding);
    if (*n >= 3 && !memcmp(begin, mark, 3)) begin += 3;
    for (const char *c = begin; c < end; c += length) {
        length = xl_utf8_len(c, (size_t)(end - c));
        if (length && *c) continue;
        find_place(begin, c, &line, &column);
        if (length)
            return xl_fail(err, XL_EINPUT,
                           "%s:%d:%d: a NUL byte: the file is no text, or in UTF-16; save it as "
                           "UTF-8",
                           name, line, column);
        return xl_fail(err, XL_EINPUT,
                       "%s:%d:%d: the byte 0x%02X is not UTF-8 here (the file may be in Latin-1 or "
                       "Windows-1252); save it as UTF-8",
                       name, line, column, (unsigned char)*c);
    }
    *text = begin;
    *n = (size_t)(end - begin);
    return XL_OK;
}

enum xl_status xl_text_file_read(const char *path, size_t max_bytes, char **text, size_t *n,
                                 struct xl_err *err) {
    const struct xl_read_rule rule = {max_bytes, XL_EINPUT, XL_EINPUT};
    char *buffer = NULL;
    size_t size = 0;
    enum xl_status status = xl_file_read(path, rule, &buffer, &size, err);
    if (status) return status;
    const char *begin = buffer;
    status = xl_text_check(path, &begin, &size, err);
    if (status) {
        free(buffer);
        return status;
    }
    memmove(buffer, begin, size);
    buffer[size] = 0;
    *text = buffer;
    *n = size;
    return XL_OK;
}

bool xl_text_line_next(struct xl_text_line *line) {
    if (!*line->next) return false;
    line->at = line->next;
    line->n = strcspn(line->at, "\r\n");
    line->number++;
    line->next += line->n;
    if (line->next[0] == '\r' && line->next[1] == '\n') line->next++;
    if (*line->next) line->next++;
    return true;
}
