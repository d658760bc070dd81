/* read_ahead.h - having mapped files in memory before somebody needs them: by the thread that asks,
 * or by one of its own that stays a bounded way ahead of whoever uses the bytes, so that the disk
 * works while weights are converted. Knows memory and nothing of what lies in it.
 */
#ifndef XL_BASE_READ_AHEAD_H
#define XL_BASE_READ_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

/* Mapped memory that will be read. */
struct xl_reading {
    const void *data;
    size_t bytes;
};

/* Read it here and now, some MiB at a time. go_on is asked before each piece, with the bytes that
 * are done. False: it said no. What cannot be read is left to whoever uses it. */
bool xl_read_ahead(struct xl_reading reading, bool (*go_on)(void *user, size_t done), void *user);

/* A thread that reads all of an array, which must live until the reader is stopped. NULL when there
 * is no memory or no thread for it, which costs nothing but time. */
struct xl_reader; /* opaque */
struct xl_reader *xl_reader_start(const struct xl_reading *readings, int n);

/* So many bytes of the readings are done with: the reader stays a bounded way ahead of them. NULL
 * is fine, here and below. */
void xl_reader_advance(struct xl_reader *reader, size_t bytes);
void xl_reader_stop(struct xl_reader *reader);

#endif
