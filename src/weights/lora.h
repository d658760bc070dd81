/* lora.h - the content of one LoRA file: which module of a model it changes, and by what tensors.
 *
 * A file holds a few tensors for each module that it changes, "MODULE.lora_down.weight" and so on;
 * trainers disagree on both halves of the name. Here the ends are known, and which tensors make a
 * change together; what the modules are called is known to model/lora_names.h. docs/LORA.md has the
 * list and the formulas.
 *
 * Everything is checked when a file is opened, its numbers too: they are finite. Read-only then;
 * may be used by several threads.
 */
#ifndef XL_WEIGHTS_LORA_H
#define XL_WEIGHTS_LORA_H

#include "base/arena.h"
#include "weights/weights.h"

/* What a tensor is to its module. */
#define XL_LORA_SLOT_LIST(X)                                                                       \
    X(DOWN)    /* [r, c, taps...] */                                                               \
    X(UP)      /* [o, r], or [o, r, 1, 1] */                                                       \
    X(MID)     /* [r, r, taps...]: Tucker's core, between up and down */                           \
    X(UP_BIAS) /* [o] */                                                                           \
    X(ALPHA)                                                                                       \
    X(SCALAR)

enum xl_lora_slot {
#define X(name) XL_LORA_##name,
    XL_LORA_SLOT_LIST(X)
#undef X
        XL_LORA_N_SLOTS
};

struct xl_lora_module {
    const char *name; /* without the tensors' endings; a leading "base_model.model." is dropped */
    const struct xl_tensor *slot[XL_LORA_N_SLOTS]; /* NULL: the file has none */
    const char *first; /* one of its tensors as the file calls it, for messages */
    double scale;      /* of the product: alpha / rank */
};

struct xl_lora_file; /* opaque */

/* Map and check a file.
 * Errors: XL_EMODEL missing; XL_EFORMAT not safetensors (a pickle is never read), truncated, no
 * LoRA at all, a tensor of a kind that is not supported (said by name), one without its partner,
 * ranks that differ, NaN or infinity */
enum xl_status xl_lora_file_open(const char *path, struct xl_lora_file **out,
                                 struct xl_err *err) XL_CHECKED;
void xl_lora_file_close(struct xl_lora_file *file); /* NULL is fine */

const char *xl_lora_file_path(const struct xl_lora_file *file);
int xl_lora_file_count(const struct xl_lora_file *file);
/* By name order. */
const struct xl_lora_module *xl_lora_file_at(const struct xl_lora_file *file, int i);

/* As xl_weights_verify. */
enum xl_status xl_lora_file_verify(const struct xl_lora_file *file, struct xl_err *err) XL_CHECKED;

#endif
