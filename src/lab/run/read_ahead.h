/* read_ahead.h - reading the next model's files into memory while this one draws. */
#ifndef XL_LAB_READ_AHEAD_H
#define XL_LAB_READ_AHEAD_H

#include "lab/run/sweep.h"

struct xl_read_ahead; /* opaque: a thread */

/* Start reading; the model must live until the end. NULL: no thread could be had, which costs only
 * time. */
struct xl_read_ahead *xl_read_ahead_begin(const struct xl_sweep_model *model);

/* Stop reading and wait for the thread. NULL is fine. */
void xl_read_ahead_end(struct xl_read_ahead *reading);

#endif
