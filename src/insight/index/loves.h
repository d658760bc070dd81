/* loves.h - what holds of the pictures that somebody judged. */
#ifndef XL_INSIGHT_LOVES_H
#define XL_INSIGHT_LOVES_H

#include "insight/index/index.h"

#include <stddef.h>

struct xl_love {
    int64_t picture;
    int rating; /* 0: none */
    bool is_loved, is_rejected;
};
struct xl_love_list {
    struct xl_love *at; /* [n], by the ids of pictures */
    size_t n;
};

/* All of them, also of pictures whose marks were all taken away. Caller: free(out->at). Errors:
 * XL_ENOMEM; as of the index */
enum xl_status xl_loves_read(struct xl_index *index, struct xl_love_list *out,
                             struct xl_err *err) XL_CHECKED;

#endif
