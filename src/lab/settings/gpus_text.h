/* gpus_text.h - which GPUs somebody wants: "auto", "3", "all", "none", or UUIDs with commas
 * between.
 */
#ifndef XL_LAB_GPUS_TEXT_H
#define XL_LAB_GPUS_TEXT_H

#include "base/status.h"

enum { XL_GPUS_SAID_MAX = 64, XL_GPUS_SAID_TEXT = 96 };

struct xl_gpus_said {
    int most; /* so many at once; 0: none, nothing is to be locked */
    bool is_all;
    int n_uuids; /* only these, or those that begin so; 0: any */
    char uuids[XL_GPUS_SAID_MAX][XL_GPUS_SAID_TEXT];
};

/* Errors: XL_EINVAL */
enum xl_status xl_gpus_text_read(const char *text, struct xl_gpus_said *out,
                                 struct xl_err *err) XL_CHECKED;

#endif
