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

/* What a tensor is to its module, its shape, and the ends of its name. */
#define XL_LORA_SLOT_LIST(X)                                                                       \
    X(DOWN)      /* [r, c, taps...]; [q, c, 1, 1] before a MID */                                  \
    X(UP)        /* [o, r], or [o, r, 1, 1] */                                                     \
    X(MID)       /* [r, q, taps...]: Tucker's core */                                              \
    X(HADA_W1_A) /* [o, r]; as all that follows, with a core the file has it turned: [r, o] */     \
    X(HADA_W1_B) /* [r, c, taps...] flattened, or [q, c] before a core */                          \
    X(HADA_T1)   /* [r, q, taps...] */                                                             \
    X(HADA_W2_A)                                                                                   \
    X(HADA_W2_B)                                                                                   \
    X(HADA_T2)                                                                                     \
    X(LOKR_W1)    /* [m, n], or */                                                                 \
    X(LOKR_W1_A)  /* [m, r] and */                                                                 \
    X(LOKR_W1_B)  /* [r, n] */                                                                     \
    X(LOKR_W2)    /* [o / m, c / n, taps...], or */                                                \
    X(LOKR_W2_A)  /* [o / m, r] and */                                                             \
    X(LOKR_W2_B)  /* [r, c / n, taps...] flattened, or [q, c / n] before */                        \
    X(LOKR_T2)    /* [r, q, taps...] */                                                            \
    X(DIFF)       /* of the weight's shape */                                                      \
    X(DIFF_B)     /* of the bias's */                                                              \
    X(UP_BIAS)    /* of the bias's; goes with the product's scale */                               \
    X(DORA_SCALE) /* [o, 1...], or [1, c, 1...] */                                                 \
    X(MAGNITUDE)  /* [o], PEFT's */                                                                \
    X(ALPHA)                                                                                       \
    X(SCALAR)

enum xl_lora_slot {
#define X(name) XL_LORA_##name,
    XL_LORA_SLOT_LIST(X)
#undef X
        XL_LORA_N_SLOTS
};

/* How the change of a weight is written. */
enum xl_lora_form {
    XL_LORA_NO_WEIGHT,  /* the module's bias changes alone */
    XL_LORA_PRODUCT,    /* UP @ DOWN */
    XL_LORA_HADAMARD,   /* LoHa */
    XL_LORA_KRONECKER,  /* LoKr */
    XL_LORA_DIFFERENCE, /* DIFF */
};

struct xl_lora_module {
    const char *name;  /* without the tensors' endings; a leading "base_model.model." is dropped */
    const char *first; /* one of its tensors as the file calls it, for messages */
    enum xl_lora_form form;
    const struct xl_tensor *slot[XL_LORA_N_SLOTS]; /* NULL: the file has none. None is turned */
    int64_t rank;                                  /* of what the form says; 0: it is no product */
    double scale; /* of what the form says: alpha / rank; 1 of a difference */
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
