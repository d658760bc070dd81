/* verify.h - drawing a picture again from its record, and comparing the pixels. */
#ifndef XL_LAB_VERIFY_H
#define XL_LAB_VERIFY_H

#include "lab/settings/settings.h"

/* What is found of a picture. */
enum xl_finding {
    XL_SAME,      /* in every pixel */
    XL_NEAR,      /* nothing that was asked for differs, only what computes it (program, instruction
                     set, ...), and the pictures differ as roundings do */
    XL_SHEET,     /* a contact sheet of ours: there is nothing to draw again */
    XL_DIFFERENT, /* other pixels */
    XL_DAMAGED,   /* the file or its record */
    XL_NOT_DRAWN, /* drawing failed: memory */
    XL_NO_MODEL,  /* it is not here, or cannot be read */
    XL_NO_INIT,   /* the picture that it started from is not here, or is another one now */
    XL_MISSING,   /* no such file, or a run's picture that is not there */
    XL_NOT_OURS,  /* no record of this program in it */
    XL_N_FINDINGS,
};

struct xl_finding_row {
    const char *name;      /* in JSON: "not_ours" */
    const char *word;      /* in lists: "not ours" */
    enum xl_status status; /* that it ends the command with */
};
const struct xl_finding_row *xl_finding_row(enum xl_finding finding);

struct xl_verdict {
    enum xl_finding finding;
    double psnr;       /* of SAME, NEAR, DIFFERENT: dB; infinity when they are the same, below 0 for
                          another size */
    char *notice;      /* of these: malloc'd: what differs from then, or NULL */
    struct xl_err why; /* of the others: the sentence */
};

struct xl_verifier; /* opaque: keeps a model open from picture to picture */

/* settings: threads; the rest comes from the records. Errors: XL_ENOMEM */
enum xl_status xl_verifier_new(const struct xl_settings *settings, xl_progress_fn *progress,
                               void *user, struct xl_verifier **out, struct xl_err *err) XL_CHECKED;
void xl_verifier_free(struct xl_verifier *verifier);

/* Draw the picture of a file again. Whatever is wrong with the picture is a finding; verdict:
 * caller frees the notice. Errors: XL_ECANCELLED; XL_ENOMEM of this function's own */
enum xl_status xl_verify(struct xl_verifier *verifier, const char *path, struct xl_verdict *out,
                         struct xl_err *err) XL_CHECKED;

#endif
