/* reader.h - a thread that has the file's pages in memory before the packers come to them: the disk
 * works while weights are converted, in the order in which they are wanted. */
#ifndef XL_BACKEND_CPU_READER_H
#define XL_BACKEND_CPU_READER_H

#include <stdbool.h>
#include <stddef.h>

struct xl_reader; /* opaque */

/* Mapped memory that will be read. */
struct xl_reading {
    const void *data;
    size_t bytes;
};

/* Begin; the array must live until the reader is stopped. NULL when there is no memory or no thread
 * for it, which costs nothing but time. */
struct xl_reader *xl_reader_start(const struct xl_reading *readings, int n);

/* So many bytes of the readings are done with: the reader stays a bounded way ahead of them. NULL
 * is fine, here and below. */
void xl_reader_advance(struct xl_reader *reader, size_t bytes);
void xl_reader_stop(struct xl_reader *reader);

#endif
