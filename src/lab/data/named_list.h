/* named_list.h - all LoRAs, or all textual inversions, that have a name here, and what each is.
 */
#ifndef XL_LAB_NAMED_LIST_H
#define XL_LAB_NAMED_LIST_H

#include "hub/file_class.h"
#include "lab/data/loras.h"

#include <jansson.h>

struct xl_named_entry {
    const struct xl_named_file *file;
    struct xl_file_class is;
    const char *why; /* it cannot be read, or is something else; NULL: is holds */
};

/* Zero-initialise. Everything lives as long as it does. */
struct xl_named_list {
    struct xl_arena arena;
    struct xl_loras *names;
    struct xl_named_files files; /* and the folders that were looked in */
    struct xl_named_entry *entries;
    int n;
};

/* kind: XL_NAMED_LORAS or XL_NAMED_EMBEDDINGS. Headers of files are read. Errors: XL_EINPUT
 * folders.yaml; XL_ENOMEM */
enum xl_status xl_named_list_read(enum xl_named_kind kind, struct xl_named_list *list,
                                  struct xl_err *err) XL_CHECKED;
void xl_named_list_deinit(struct xl_named_list *list);

/* The list as an array. NULL: out of memory. Caller: json_decref */
json_t *xl_named_list_array(struct xl_named_list *list);

#endif
