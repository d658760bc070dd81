/* yaml.h - reading files that people write: YAML (and so JSON) into a jansson tree, with limits.
 *
 * Scalars follow YAML 1.2's core schema: null and ~, true and false, whole numbers, numbers; "yes",
 * dates and everything quoted are strings. A number that JSON cannot hold (.inf, integers beyond 63
 * bits) stays a string of its characters. Comments, anchors and aliases work; an alias shares the
 * node that it names. Refused, each with a sentence that begins "FILE:LINE:": duplicate keys, keys
 * that are no scalars, tags other than the core schema's, NUL in strings, several documents,
 * nesting deeper than 64 levels and trees of more than XL_YAML_MAX_NODES nodes (an alias counts as
 * all that it names, so that no walk over the tree is longer than that). A text that is no YAML but
 * is JSON (with "\ud83d\ude00" in it) is read as JSON.
 */
#ifndef XL_BASE_YAML_H
#define XL_BASE_YAML_H

#include "base/arena.h"

#include <jansson.h>

enum { XL_YAML_MAX_BYTES = 4 << 20, XL_YAML_MAX_NODES = 200000, XL_YAML_MAX_DEPTH = 64 };

/* The line of each node, for sentences about values that have the wrong type. Zero-initialise; good
 * as long as the tree. */
struct xl_yaml_lines {
    struct xl_arena arena;
    struct xl_yaml_line *newest;
};
void xl_yaml_lines_deinit(struct xl_yaml_lines *lines);

/* The line (1, 2, ...) on which the value of `key` in an object, or the value `index` of an array
 * (key NULL), begins; 0 when that is not known. */
int xl_yaml_line(const struct xl_yaml_lines *lines, const json_t *container, const char *key,
                 size_t index);

/* Parse n bytes; `name` (a path) opens every sentence. Nothing but comments is null. lines: may be
 * NULL. Caller: json_decref(*root).
 * Errors: XL_EINPUT, XL_ENOMEM */
enum xl_status xl_yaml_parse(const char *name, const char *text, size_t n,
                             struct xl_yaml_lines *lines, json_t **root,
                             struct xl_err *err) XL_CHECKED;

/* Read and parse a file. Errors: XL_EINPUT (also missing or too large), XL_ENOMEM */
enum xl_status xl_yaml_load(const char *path, json_t **root, struct xl_err *err) XL_CHECKED;
enum xl_status xl_yaml_load_lines(const char *path, struct xl_yaml_lines *lines, json_t **root,
                                  struct xl_err *err) XL_CHECKED;

#endif
