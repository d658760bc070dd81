/* lora_map.h - what LoRAs add to the weights of a model: the modules of its parts under all names
 * that LoRA files have for them, and the deltas of each weight.
 *
 *     xl_lora_map_new(configs, &map, err)
 *     for each file: xl_lora_map_apply(map, &lora, &count, err)
 *     xl_source_with_loras(...) whenever a plan is built
 *
 * Modules are found by their whole name, never by rewriting one.
 */
#ifndef XL_MODEL_LORA_MAP_H
#define XL_MODEL_LORA_MAP_H

#include "model/clip.h"
#include "model/lora_names.h"
#include "weights/lora.h"

struct xl_lora_map; /* opaque */

struct xl_lora_configs {
    const struct xl_unet_config *unet;
    const struct xl_clip_config *text, *text_2;
};

/* The modules of a model. Errors: XL_ENOMEM, those of building */
enum xl_status xl_lora_map_new(struct xl_lora_configs configs, struct xl_lora_map **out,
                               struct xl_err *err) XL_CHECKED;
void xl_lora_map_free(struct xl_lora_map *map); /* NULL is fine */

/* One LoRA of a model. The file must outlive the map. */
struct xl_lora_use {
    const struct xl_lora_file *file;
    struct xl_weight_id id; /* tells the file from all others */
    double text_scale, unet_scale;
};

/* Of the file's modules: how many the model has, and the first that it has not (NULL: none; the
 * file's). */
struct xl_lora_count {
    int n_applied, n_unmatched;
    const char *first_unmatched;
};

/* Add a LoRA's deltas. What the model does not have is counted. No plan may be built meanwhile.
 * Errors: XL_EFORMAT a delta that has not its weight's shape (names file and tensors); XL_ENOMEM */
enum xl_status xl_lora_map_apply(struct xl_lora_map *map, const struct xl_lora_use *use,
                                 struct xl_lora_count *count, struct xl_err *err) XL_CHECKED;

/* Which part a module of a file belongs to. False: the model has no such module. */
bool xl_lora_map_find(const struct xl_lora_map *map, const char *name, enum xl_lora_part *part);

/* The tensors of a part with what the map adds to them. */
struct xl_lora_tensors {
    struct xl_tensors base;
    const struct xl_lora_map *map;
    enum xl_lora_part part;
};
/* tensors must live as long as the source. */
struct xl_source xl_source_with_loras(const struct xl_lora_tensors *tensors);

#endif
