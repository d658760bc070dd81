/* presets.h - sizes of pictures by name: "1024x1024", "16:9", "768-portrait". data/presets.yaml has
 * those of the program; users' files add to them or override them.
 */
#ifndef XL_LAB_PRESETS_H
#define XL_LAB_PRESETS_H

#include "base/arena.h"

struct xl_preset {
    const char *name;
    const char *const *aliases;
    int n_aliases;
    int width, height; /* multiples of 8 */
    const char *group; /* "SDXL", "Aspect", "768" */
    const char *about;
    const char *origin;
};

struct xl_presets; /* opaque */

/* The built-in presets, then ${XDG_CONFIG_HOME:-~/.config}/sdxl-lab/presets.yaml and presets.d/
 * *.yaml. Caller: xl_presets_free. Errors: XL_EINPUT, XL_ENOMEM */
enum xl_status xl_presets_load(struct xl_presets **out, struct xl_err *err) XL_CHECKED;
void xl_presets_free(struct xl_presets *presets);

int xl_presets_count(const struct xl_presets *presets);
const struct xl_preset *xl_presets_at(const struct xl_presets *presets, int i);

/* The size of a preset by name or alias, or of "WIDTHxHEIGHT" (also with '*' or the multiplication
 * sign), which need not be a preset. Errors: XL_EINVAL unknown (the nearest are named), or sides
 * that are not multiples of 8 from 64 to 16384 */
enum xl_status xl_presets_find(const struct xl_presets *presets, const char *name, int *width,
                               int *height, struct xl_err *err) XL_CHECKED;

#endif
