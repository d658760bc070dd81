/* ahead.h - what a run draws with next, made ready while this one is drawn: one thread that opens
 * the next model and brings it to the device, where that can do both at once; or that only reads
 * its files into memory.
 */
#ifndef XL_LAB_AHEAD_H
#define XL_LAB_AHEAD_H

#include "lab/run/painter.h"

struct xl_ahead; /* opaque: a thread */

/* Begin with what a group is drawn with. now: the model at hand, of which it may share files. What
 * the group and both models point to must live until the end; device: stay open until then. NULL:
 * no thread could be had, which costs only time. */
struct xl_ahead *xl_ahead_begin(struct xl_device *device, const struct xl_group *group,
                                const struct xl_sweep_model *now);

/* The model, where it is this one and could be opened; waits while it is being opened. The
 * caller's: xl_model_close, once this has ended. NULL: the caller is to open it, and hears what is
 * wrong with it. */
struct xl_model *xl_ahead_take(struct xl_ahead *ahead, const struct xl_sweep_model *model);

/* Stop, and wait for the thread. NULL is fine. */
void xl_ahead_end(struct xl_ahead *ahead);

#endif
