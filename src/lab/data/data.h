/* data.h - the lab's data files: maps of entries by name, built in and from the user, and tables
 * that say which fields an entry has. Profiles, models and presets are read with it.
 *
 *   # profiles.yaml
 *   Watercolor:          an entry; a null instead of fields removes it
 *     prompt: ...        its fields
 *
 * Files are read in this order, later entries replacing earlier ones of their name as a whole: the
 * built-in text, CONFIG/KIND.yaml, CONFIG/KIND.d/ *.yaml, and files that were asked for. CONFIG is
 * ${XDG_CONFIG_HOME:-~/.config}/sdxl-lab. Every sentence is "FILE:LINE:COLUMN: ...",
 * XL_EINPUT.
 */
#ifndef XL_LAB_DATA_H
#define XL_LAB_DATA_H

#include "base/yaml.h"
#include "lab/data/names.h"

/* data/KIND.yaml */
extern const char xl_data_profiles[], xl_data_models[], xl_data_presets[];
extern const size_t xl_data_profiles_size, xl_data_models_size, xl_data_presets_size;

#define XL_DATA_BUILT_IN "built-in"

struct xl_data_file; /* a parsed file */

struct xl_data_entry {
    const char *name;
    const json_t *fields; /* an object */
    const char *origin;   /* the file, or XL_DATA_BUILT_IN */
    const struct xl_data_file *file;
};

struct xl_data {
    struct xl_arena arena;
    struct xl_data_file *files;
    struct xl_data_entry *entries;
    int n, capacity;
};

struct xl_data_source {
    const char *kind; /* "profiles" */
    const char *text; /* built in */
    size_t size;
    const char *const *extra;
    int n_extra;
};

/* Read every file. On success the caller owns *out: xl_data_deinit. */
enum xl_status xl_data_load(const struct xl_data_source *source, struct xl_data *out,
                            struct xl_err *err) XL_CHECKED;
void xl_data_deinit(struct xl_data *data);

enum xl_data_type {
    XL_DATA_TEXT,   /* const char *: a line; newlines become blanks */
    XL_DATA_NAMES,  /* const char *const *, then the int n_...: a list of names, or one name */
    XL_DATA_INT,    /* int, min..max */
    XL_DATA_REAL,   /* double, min..max */
    XL_DATA_BOOL,   /* bool */
    XL_DATA_CHOICE, /* int: the index into choices */
    XL_DATA_CHOSEN, /* const char *: one of choices */
};

struct xl_data_field {
    const char *name;
    enum xl_data_type type;
    size_t offset; /* in the struct that is filled in */
    double min, max;
    const char *const *choices; /* NULL-terminated */
};

/* Fill in the fields of an entry that its file has; the others stay as they are. Texts are kept in
 * the arena. fields: ends with one that has no name.
 * Errors: XL_EINPUT unknown field (the nearest is named), wrong type, out of range, control
 * characters */
enum xl_status xl_data_read(const struct xl_data_entry *entry, const struct xl_data_field *fields,
                            struct xl_arena *arena, void *out, struct xl_err *err) XL_CHECKED;

/* The file of an entry as sentences name it, and where things are in it. */
const char *xl_data_file_name(const struct xl_data_entry *entry);
const struct xl_yaml_places *xl_data_places(const struct xl_data_entry *entry);
/* Of the value of a field; NULL, or a field that is not there: of the entry's name. */
struct xl_yaml_place xl_data_place(const struct xl_data_entry *entry, const char *field);

/* The sentence of a failure about the value of a field (NULL: the entry itself). */
enum xl_status xl_data_fail(const struct xl_data_entry *entry, const char *field,
                            struct xl_err *err, const char *format, ...) XL_PRINTF(4, 5);
/* The same about something at another place. */
enum xl_status xl_data_fail_at(const struct xl_data_entry *entry, struct xl_yaml_place place,
                               const char *field, struct xl_err *err, const char *format, ...)
    XL_PRINTF(5, 6);

/* What must not be in a name or a text that is shown: the first control character (C0, DEL, C1) or
 * character that turns the writing direction; 0 when there is none, U+FFFD when it is not UTF-8.
 * Newlines and tabs count when is_name. */
int32_t xl_data_bad_character(const char *text, bool is_name);

/* ${XDG_CONFIG_HOME:-~/.config}/sdxl-lab in the arena; NULL when there is no home, or out of
 * memory.
 */
const char *xl_config_dir(struct xl_arena *arena);

/* A folder or file that ships with the program ("models/lab-tiny-xl"): below SDXL_LAB_SHARE, beside
 * the program (../share/sdxl-lab, or the source tree that it was built in), or where it is
 * installed. NULL when it is nowhere. In the arena. */
const char *xl_share_find(const char *name, struct xl_arena *arena);

/* The names that --scheduler takes, NULL-terminated. In the arena; NULL when out of memory. */
const char *const *xl_data_schedulers(struct xl_arena *arena);

#endif
