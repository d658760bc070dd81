/* verify.h - drawing a picture again from its record, and comparing the pixels. */
#ifndef XL_LAB_VERIFY_H
#define XL_LAB_VERIFY_H

#include "lab/settings/settings.h"

/* near: not the same, but nothing that was asked for differs, only what computes it (program,
 * instruction set, ...), and the pictures differ as roundings do. */
enum xl_likeness { XL_SAME, XL_NEAR, XL_DIFFERENT };
const char *xl_likeness_name(enum xl_likeness likeness); /* "same", "near", "different" */

struct xl_verdict {
    enum xl_likeness likeness; /* XL_SAME: in every pixel */
    double psnr;               /* dB; infinity when they are the same, below 0 for another size */
    char *notice;              /* malloc'd: what differs from then, or NULL */
};

struct xl_verifier; /* opaque: keeps a model open from picture to picture */

/* settings: threads and device; the rest comes from the records. Errors: XL_ENOMEM */
enum xl_status xl_verifier_new(const struct xl_settings *settings, xl_progress_fn *progress,
                               void *user, struct xl_verifier **out, struct xl_err *err) XL_CHECKED;
void xl_verifier_free(struct xl_verifier *verifier);

/* Draw the picture of a PNG again. verdict: caller frees the notice.
 * Errors: XL_EINPUT no record, or its init image is not there or another; XL_EMODEL the model is
 * not there; what drawing fails with */
enum xl_status xl_verify(struct xl_verifier *verifier, const char *path, struct xl_verdict *out,
                         struct xl_err *err) XL_CHECKED;

#endif
