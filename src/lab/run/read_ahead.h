/* read_ahead.h - reading what the next model draws with into memory while this one draws. */
#ifndef XL_LAB_READ_AHEAD_H
#define XL_LAB_READ_AHEAD_H

#include "lab/run/sweep.h"

struct xl_read_ahead; /* opaque: a thread */

/* Start reading what model `next` of a sweep draws its first picture with and model `now` has not
 * read: variants of one model differ in a VAE and LoRAs. The sweep must live until the end. NULL:
 * no thread could be had, which costs only time. */
struct xl_read_ahead *xl_read_ahead_begin(const struct xl_sweep *sweep, int now, int next);

/* Stop reading and wait for the thread. NULL is fine. */
void xl_read_ahead_end(struct xl_read_ahead *reading);

#endif
