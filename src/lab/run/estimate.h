/* estimate.h - what a sweep will take, before it runs: pictures, order, time, disk, memory. */
#ifndef XL_LAB_ESTIMATE_H
#define XL_LAB_ESTIMATE_H

#include "lab/run/sweep.h"

struct xl_estimate {
    double tflop; /* of all pictures */
    double
        tflop_per_s; /* at which this machine drew before, or assumed; of several dtypes the mean */
    bool is_measured;     /* all of it from the job logs of the output directory */
    double seconds;       /* drawing; loading comes on top */
    int64_t weight_bytes; /* read from disk, all models */
    int64_t memory_bytes; /* the most that is held at once */
    int64_t memory_free, disk_bytes, disk_free;
};

/* Work it out from the plans of every distinct shape. Opens the models one after the other.
 * Errors: XL_EMODEL, XL_EFORMAT a model; XL_EINVAL a cell that cannot be drawn; XL_ENOMEM */
enum xl_status xl_estimate(const struct xl_settings *settings, const struct xl_sweep *sweep,
                           struct xl_estimate *out, struct xl_err *err) XL_CHECKED;

#endif
