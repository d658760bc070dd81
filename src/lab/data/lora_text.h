/* lora_text.h - LoRAs as people write them: "glass:0.8" of --lora and of axes, "<lora:glass:0.8>"
 * in prompts. Only text: what a name means is found by loras.h.
 *
 *   NAME           a name, a file, a repository ("org/name", "org/name:FILE.safetensors")
 *   NAME:X         times X; 1 where nothing is said
 *   NAME:X:Y       the text encoders times X, the UNet times Y
 *   A:0.5 + B      both
 *   none           no LoRA
 *
 * A scale is what reads as a number at the end.
 */
#ifndef XL_LAB_LORA_TEXT_H
#define XL_LAB_LORA_TEXT_H

#include "base/arena.h"

enum { XL_LORAS_MAX = 32 }; /* of one picture */

struct xl_lora_said {
    const char *name;
    double text_scale, unet_scale;
};

struct xl_lora_list {
    struct xl_lora_said item[XL_LORAS_MAX];
    int n;
};

/* Add what a text says; names are kept in the arena. "none" and "" add nothing.
 * Errors: XL_EINVAL a scale that is none or beyond +-1000, no name, too many; XL_ENOMEM */
enum xl_status xl_lora_text_read(const char *text, struct xl_arena *arena, struct xl_lora_list *out,
                                 struct xl_err *err) XL_CHECKED;

/* The same text with each name run through `change`: *to NULL or the name itself: as it is. */
typedef enum xl_status xl_lora_name_fn(void *user, const char *name, const char **to,
                                       struct xl_err *err);
enum xl_status xl_lora_text_rename(const char *text, xl_lora_name_fn *change, void *user,
                                   struct xl_arena *arena, const char **out,
                                   struct xl_err *err) XL_CHECKED;

/* Take the tags out of a prompt: <lora:NAME>, <lora:NAME:X>, <lora:NAME:X:Y>,
 * <lora:NAME:te=X:unet=Y>; lyco is lora. *without: the prompt where it has none, else a copy in the
 * arena; one of two blanks around a tag goes with it. list: grows by what the tags say; NULL: they
 * are only taken out. Errors: as above, and a tag that is not closed or says something else */
enum xl_status xl_lora_tags_take(const char *prompt, struct xl_arena *arena, const char **without,
                                 struct xl_lora_list *list, struct xl_err *err) XL_CHECKED;

/* Behind the tag that begins at a place of a text; NULL: none does. */
const char *xl_lora_tag_end(const char *at);

/* Whether a text has such a tag. */
bool xl_lora_tags_are_in(const char *prompt);

/* ":0.8" or ":0.8:0.6" behind a name; "" for 1. Returns out. */
enum { XL_LORA_SCALES_MAX = 72 };
const char *xl_lora_scales_write(double text_scale, double unet_scale,
                                 char out[XL_LORA_SCALES_MAX]);

#endif
