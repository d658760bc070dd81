/* gpus.h - the GPUs of this host for as long as somebody looks at them: NVML, else nvidia-smi. Any
 * thread may read; one does at a time.
 */
#ifndef XL_GPU_GPUS_H
#define XL_GPU_GPUS_H

#include "gpu/source.h"

struct xl_gpus; /* opaque */

/* listens: errors that the driver reports from here on (Xids) are heard; nvidia-smi tells none.
 * Errors: XL_EDEVICE there is no driver, or it does not answer; XL_ENOMEM */
enum xl_status xl_gpus_open(bool listens, struct xl_gpus **out, struct xl_err *err) XL_CHECKED;
void xl_gpus_close(struct xl_gpus *gpus);

/* Errors: XL_EDEVICE the driver does not answer any more; XL_ENOMEM */
enum xl_status xl_gpus_read(struct xl_gpus *gpus, struct xl_gpu_list *out,
                            struct xl_err *err) XL_CHECKED;

/* The same of one GPU: list has it, or, from a source that knows no better, all. */
enum xl_status xl_gpus_read_one(struct xl_gpus *gpus, const char *uuid, struct xl_gpu_list *out,
                                struct xl_err *err) XL_CHECKED;

/* Whether a reading is the work of another program, which takes its time. */
bool xl_gpus_is_slow(const struct xl_gpus *gpus);

/* "NVML 550.54.15", "nvidia-smi": where readings come from. Borrowed. */
const char *xl_gpus_source(const struct xl_gpus *gpus);

#endif
