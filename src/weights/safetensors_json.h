/* safetensors_json.h - the lexical half of the header parser: the JSON tokens that a safetensors
 * header is made of, read from a file in pieces. Internal to this folder.
 */
#ifndef XL_WEIGHTS_SAFETENSORS_JSON_H
#define XL_WEIGHTS_SAFETENSORS_JSON_H

#include "base/status.h"

enum { XL_ST_CHUNK = 64 * 1024 };

/* Bytes [offset, end) of the file, of which `chunk` holds the part around the next one. */
struct xl_st_lexer {
    const char *path;
    int fd;
    int64_t offset, end; /* of the next byte to load into the chunk; of the header */
    size_t at, n;        /* next byte in the chunk; bytes in it */
    int read_errno;      /* why the file could not be read, or 0 */
    uint8_t chunk[XL_ST_CHUNK];
};

/* The next byte without taking it, or -1 at the end of the header or when the file cannot be read.
 */
int xl_st_peek(struct xl_st_lexer *lexer);

/* Take white space and give the byte after it, as xl_st_peek. */
int xl_st_peek_token(struct xl_st_lexer *lexer);

/* Take white space and then exactly this byte. what: "a colon". */
enum xl_status xl_st_take(struct xl_st_lexer *lexer, char byte, const char *what,
                          struct xl_err *err) XL_CHECKED;

/* Take a string of at most max bytes into text[max + 1]; a name, so control characters are refused.
 * what: "a tensor's name". */
enum xl_status xl_st_take_name(struct xl_st_lexer *lexer, char *text, size_t max, const char *what,
                               struct xl_err *err) XL_CHECKED;

/* Take a string of any length, keeping nothing of it. */
enum xl_status xl_st_skip_string(struct xl_st_lexer *lexer, const char *what,
                                 struct xl_err *err) XL_CHECKED;

/* Take an integer of 0 to 2^63 - 1 in plain digits. */
enum xl_status xl_st_take_int(struct xl_st_lexer *lexer, const char *what, int64_t *value,
                              struct xl_err *err) XL_CHECKED;

/* XL_EFORMAT: "PATH: damaged safetensors header at byte N: ..." */
enum xl_status xl_st_fail(const struct xl_st_lexer *lexer, struct xl_err *err, const char *format,
                          ...) XL_PRINTF(3, 4);

#endif
