/* json.h - reading configuration files in JSON: jansson with limits, and getters whose errors name
 * the file, the key, what was found and what was expected.
 */
#ifndef XL_BASE_JSON_H
#define XL_BASE_JSON_H

#include "base/status.h"

#include <jansson.h>

/* jansson drops members, or pieces of the text that it writes, when memory is out, and takes a text
 * that it cannot store for a wrong one. So: xl_json_watch, then any calls of jansson on this
 * thread, then xl_json_ran_out tells whether it lacked memory in them. */
void xl_json_watch(void);
bool xl_json_ran_out(void);

/* Parse text of n bytes; `name` (a path) opens every sentence. The root must be an object.
 * Duplicate keys and nesting deeper than XL_JSON_MAX_DEPTH are refused; words for "no limit"
 * (Python's Infinity, integers beyond 64 bits) are read as null. Caller: json_decref. Errors:
 * XL_EFORMAT; XL_ENOMEM */
enum xl_status xl_json_parse(const char *name, const char *text, size_t n, json_t **root,
                             struct xl_err *err) XL_CHECKED;

/* Whether all whole numbers of a text of JSON, which was parsed, fit into 64 bits. key: of the
 * member that has the first one that does not, cut off where it is long. */
enum { XL_JSON_KEY = 64 };
bool xl_json_fits(const char *text, size_t n, char key[XL_JSON_KEY]);

/* Read and parse a file of at most 64 MiB. Errors: XL_EMODEL missing, XL_EFORMAT */
enum xl_status xl_json_load(const char *path, json_t **root, struct xl_err *err) XL_CHECKED;

/* An object with the name that its errors use. */
struct xl_json {
    const json_t *object;
    const char *name; /* path of the file */
};

/* Getters: an absent or null key leaves *value as it is (set the default before).
 * Errors: XL_EFORMAT another type, or outside min..max */
enum xl_status xl_json_int(struct xl_json json, const char *key, int64_t min, int64_t max,
                           int *value, struct xl_err *err) XL_CHECKED;
enum xl_status xl_json_double(struct xl_json json, const char *key, double min, double max,
                              double *value, struct xl_err *err) XL_CHECKED;
/* null is false, as None is in Python: it is not an absent key there. */
enum xl_status xl_json_bool(struct xl_json json, const char *key, bool *value,
                            struct xl_err *err) XL_CHECKED;
/* *value is borrowed from the object. */
enum xl_status xl_json_string(struct xl_json json, const char *key, const char **value,
                              struct xl_err *err) XL_CHECKED;
/* An array of 1..max_n integers in min..max; one bare integer counts as an array of one. *n is set
 * to 0 when absent. */
enum xl_status xl_json_int_array(struct xl_json json, const char *key, int64_t min, int64_t max,
                                 int *values, int max_n, int *n, struct xl_err *err) XL_CHECKED;

/* A JSON string of text that may not be UTF-8 (a prompt from the command line, a path): what
 * is not becomes U+FFFD, as it does for the tokenizer. text NULL: JSON null. NULL: out of
 * memory */
json_t *xl_json_text(const char *text);

/* A seed as it is written everywhere: a text of digits, as JSON readers lose digits of numbers
 * above 2^53. NULL: out of memory. Read, a number is a seed, too; false: it is none (null, -1) */
json_t *xl_json_seed(uint64_t seed);
bool xl_json_read_seed(const json_t *value, uint64_t *seed);

/* Building: set a member (value's reference is taken over). *ok becomes false when memory is out;
 * at the end xl_json_finish gives the object, or NULL after freeing it. */
void xl_json_put(json_t *object, const char *key, json_t *value, bool *ok);
json_t *xl_json_finish(json_t *object, bool ok);
/* The text of a value, malloc'd: as json_dumps, but real numbers are the shortest texts that read
 * back the same, unless the flags say how many digits they have. NULL: out of memory */
char *xl_json_dump(const json_t *value, size_t flags);
/* The text of what was built since xl_json_watch, which is released; as xl_json_dump.
 * NULL: memory was out at some time since then, so the text would lack something */
char *xl_json_take_text(json_t *object, bool ok, size_t flags);

#endif
