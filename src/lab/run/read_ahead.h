/* read_ahead.h - reading the next model's files into memory while this one draws. */
#ifndef XL_LAB_READ_AHEAD_H
#define XL_LAB_READ_AHEAD_H

struct xl_read_ahead; /* opaque: a thread */

/* Start reading; strings must live until the end. NULL: no thread could be had, which costs only
 * time. */
struct xl_read_ahead *xl_read_ahead_begin(const char *model, const char *revision);

/* Stop reading and wait for the thread. NULL is fine. */
void xl_read_ahead_end(struct xl_read_ahead *reading);

#endif
