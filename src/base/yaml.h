/* yaml.h - reading files that people write: YAML (and so JSON) into a jansson tree, with limits.
 *
 * Scalars follow YAML 1.2's core schema: null and ~, true and false, whole numbers, numbers; "yes",
 * dates and everything quoted are strings. A number that JSON cannot hold (.inf, integers beyond 63
 * bits) stays a string of its characters. Comments, anchors and aliases work; an alias shares the
 * node that it names. Refused, each with a sentence that begins "FILE:LINE:COLUMN:": duplicate
 * keys, keys that are no scalars, tags other than the core schema's, NUL in strings, several
 * documents, nesting deeper than 64 levels and trees of more than XL_YAML_MAX_NODES nodes (an alias
 * counts as all that it names, so that no walk over the tree is longer than that). A text that is
 * no YAML but is JSON (with "\ud83d\ude00" in it) is read as JSON.
 */
#ifndef XL_BASE_YAML_H
#define XL_BASE_YAML_H

#include "base/arena.h"

#include <jansson.h>

enum { XL_YAML_MAX_BYTES = 4 << 20, XL_YAML_MAX_NODES = 200000, XL_YAML_MAX_DEPTH = 64 };

/* Where something begins. Lines and columns count from 1, columns in characters; 0: not known. */
struct xl_yaml_place {
    int line, column;
};

/* The place of each node, for sentences about values that are wrong. Zero-initialise; good as long
 * as the tree. */
struct xl_yaml_places {
    struct xl_arena arena;
    const struct xl_yaml_entry *newest;
};
void xl_yaml_places_deinit(struct xl_yaml_places *places);

/* Of the value of `key` in an object, of the value `index` of an array (key NULL), or of the root
 * (container NULL). */
struct xl_yaml_place xl_yaml_value_place(const struct xl_yaml_places *places,
                                         const json_t *container, const char *key, size_t index);
struct xl_yaml_place xl_yaml_key_place(const struct xl_yaml_places *places, const json_t *object,
                                       const char *key);

/* Parse n bytes; `name` (a path) opens every sentence. Nothing but comments is null. places: may
 * be NULL. Caller: json_decref(*root).
 * Errors: XL_EINPUT, XL_ENOMEM */
enum xl_status xl_yaml_parse(const char *name, const char *text, size_t n,
                             struct xl_yaml_places *places, json_t **root,
                             struct xl_err *err) XL_CHECKED;

/* Read and parse a file, as xl_text_file_read reads. Errors: XL_EINPUT (also missing, too large or
 * not UTF-8), XL_ENOMEM */
enum xl_status xl_yaml_load(const char *path, struct xl_yaml_places *places, json_t **root,
                            struct xl_err *err) XL_CHECKED;

#endif
