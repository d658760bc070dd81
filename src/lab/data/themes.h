/* themes.h - grammars by name: those of the program (data/themes/NAME.yaml, built in) and a
 * person's own in CONFIG/themes, which come before them. CONFIG is
 * ${XDG_CONFIG_HOME:-~/.config}/sdxl-lab.
 */
#ifndef XL_LAB_THEMES_H
#define XL_LAB_THEMES_H

#include "lab/data/names.h"
#include "prompts/grammar.h"

/* data/themes, in the order of their names: made by CMake. */
struct xl_theme_text {
    const char *name, *text;
    const size_t *size;
};
extern const struct xl_theme_text xl_theme_texts[];
extern const int xl_n_theme_texts;

struct xl_theme {
    const char *name;
    const char *path; /* NULL: built in */
};

/* Every theme by its name; *out: [*n], in the arena. Errors: XL_ENOMEM */
enum xl_status xl_themes_list(struct xl_arena *arena, const struct xl_theme **out, int *n,
                              struct xl_err *err) XL_CHECKED;

/* Read a theme, or a file: what has a slash, or ends like a file (.yaml, .yml, .json), is one.
 * Caller: xl_grammar_free. Errors: XL_EINPUT no such theme (the nearest is named), or a file that
 * is wrong ("FILE:LINE:COLUMN: ...") */
enum xl_status xl_theme_load(const char *name, const struct xl_learned *learned,
                             struct xl_grammar **out, struct xl_err *err) XL_CHECKED;

#endif
