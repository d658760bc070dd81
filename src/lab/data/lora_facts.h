/* lora_facts.h - what can be told of a LoRA without drawing: of what rank it is, which parts of a
 * model it changes, whether it fits SDXL. The file is read whole: its numbers are looked at.
 */
#ifndef XL_LAB_LORA_FACTS_H
#define XL_LAB_LORA_FACTS_H

#include "hub/file_class.h"
#include "model/lora_names.h"

/* Over the modules of a file; most 0: there are none. */
struct xl_lora_span {
    double least, most;
};

struct xl_lora_facts {
    struct xl_file_class is;
    int n_modules;
    struct xl_lora_span rank, alpha; /* of those that are products. alpha: the rank where no other
                                        is said; with PEFT's rslora what does the same */
    const char *fits;    /* whose modules it changes: "SDXL", "Lab Tiny XL"; NULL: neither's */
    const char *why_not; /* a sentence; NULL: it fits */
    /* Of the model that it fits. */
    int n_in_part[XL_LORA_N_PARTS]; /* modules */
    const char **unmatched;         /* [n_unmatched]: modules that the model has not */
    int n_unmatched;
};

/* In the arena. Errors: XL_EMODEL missing; XL_EFORMAT damaged, or no LoRA (says what it is);
 * XL_ENOMEM */
enum xl_status xl_lora_facts_read(const char *path, struct xl_arena *arena,
                                  struct xl_lora_facts *out, struct xl_err *err) XL_CHECKED;

#endif
