/* read_ahead.c - reading ahead by populating a mapping. Advice (madvise with MADV_WILLNEED,
 * posix_fadvise, readahead) is not enough: Linux reads no more of it than one request of the device
 * holds, some hundred kilobytes. Plain reads into a buffer work, but cost the copy: 0.15 to 0.4 s
 * of a core a gigabyte, against 0.03 s. */
#include "base/read_ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

enum { PAGE = 4096, SLICE = 4 << 20, AHEAD = 256 << 20 };

struct xl_reader {
    const struct xl_reading *readings;
    int n;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    size_t read;  /* bytes of the readings before the present one; the thread's own */
    size_t done;  /* bytes that the packers are done with; guarded */
    bool is_over; /* guarded */
};

/* Wait until byte `at` of the present reading is near enough. False: it is over. */
static bool may_read(void *user, size_t at) {
    struct xl_reader *reader = user;
    pthread_mutex_lock(&reader->mutex);
    while (!reader->is_over && reader->read + at > reader->done + AHEAD)
        pthread_cond_wait(&reader->moved, &reader->mutex);
    bool may = !reader->is_over;
    pthread_mutex_unlock(&reader->mutex);
    return may;
}

/* Older systems: a byte of each page. */
static void touch(const unsigned char *data, size_t bytes) {
    for (size_t i = 0; i < bytes; i += PAGE) (void)*(const volatile unsigned char *)(data + i);
}

static void populate(const unsigned char *data, size_t bytes) {
    size_t before = (uintptr_t)data % PAGE;
    void *page;
    const void *start = data - before;
    __builtin_memcpy(&page, &start, sizeof page); /* madvise lacks const; nothing is written */
    if (madvise(page, bytes + before, MADV_POPULATE_READ) && errno == EINVAL) touch(data, bytes);
}

bool xl_read_ahead(struct xl_reading reading, bool (*go_on)(void *user, size_t done), void *user) {
    for (size_t from = 0; from < reading.bytes; from += SLICE) {
        size_t left = reading.bytes - from;
        if (!go_on(user, from)) return false;
        populate((const unsigned char *)reading.data + from, left < SLICE ? left : SLICE);
    }
    return true;
}

static void *read_all(void *user) {
    struct xl_reader *reader = user;
    for (int i = 0; i < reader->n && xl_read_ahead(reader->readings[i], may_read, reader); i++)
        reader->read += reader->readings[i].bytes;
    return NULL;
}

struct xl_reader *xl_reader_start(const struct xl_reading *readings, int n) {
    struct xl_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return NULL;
    reader->readings = readings;
    reader->n = n;
    pthread_mutex_init(&reader->mutex, NULL);
    pthread_cond_init(&reader->moved, NULL);
    if (!pthread_create(&reader->thread, NULL, read_all, reader)) return reader;
    pthread_cond_destroy(&reader->moved);
    pthread_mutex_destroy(&reader->mutex);
    free(reader);
    return NULL;
}

void xl_reader_advance(struct xl_reader *reader, size_t bytes) {
    if (!reader) return;
    pthread_mutex_lock(&reader->mutex);
    reader->done += bytes;
    pthread_cond_signal(&reader->moved);
    pthread_mutex_unlock(&reader->mutex);
}

void xl_reader_stop(struct xl_reader *reader) {
    if (!reader) return;
    pthread_mutex_lock(&reader->mutex);
    reader->is_over = true;
    pthread_cond_signal(&reader->moved);
    pthread_mutex_unlock(&reader->mutex);
    pthread_join(reader->thread, NULL);
    pthread_cond_destroy(&reader->moved);
    pthread_mutex_destroy(&reader->mutex);
    free(reader);
}
