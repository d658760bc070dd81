/* verify_list.h - which pictures are meant: files as they were named, folders with all that is in
 * them, and of runs the pictures that should be there and are not.
 */
#ifndef XL_LAB_VERIFY_LIST_H
#define XL_LAB_VERIFY_LIST_H

#include "base/arena.h"

struct xl_verify_item {
    const char *path;  /* of a picture; where it is missing from a run, of run.json */
    const char *lacks; /* the cell of the run that no picture shows; NULL: it is a picture */
    bool is_found;     /* in a folder that was named, and not named itself */
};

/* Zero-initialise; everything lives in the arena. */
struct xl_verify_list {
    struct xl_arena arena;
    struct xl_verify_item *items;
    int n, capacity;
    bool takes_all; /* set by the caller: JPEG and WebP files, too, and nothing of what runs lack */
};

/* Add a file as it is, or the PNG files in and below a folder, by name, links to folders left out;
 * then the cells of run.json that none of the pictures beside it names. Errors: XL_EINPUT a folder
 * or run.json that cannot be read; XL_ENOMEM */
enum xl_status xl_verify_list_add(struct xl_verify_list *list, const char *path,
                                  struct xl_err *err) XL_CHECKED;
void xl_verify_list_deinit(struct xl_verify_list *list);

#endif
