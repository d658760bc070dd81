/* test_read_ahead.c - the thread that reads ahead: it starts, keeps its distance, and stops
 * wherever it is. What it reads shows in the residency of a mapping. */
#include "base/read_ahead.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, BYTES = 24 << 20, N = 6 };

static unsigned char *mapping;
static struct xl_reading readings[N];

/* Anonymous memory stands for a file: reading maps its pages as well. */
static void open_mapping(void) {
    mapping = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(mapping, MAP_FAILED);
    /* Pieces that begin and end within pages; one is empty. */
    static const size_t cuts[N + 1] = {0, 5000, 5000, 5 << 20, 9 << 20, (17 << 20) + 1, BYTES};
    for (int i = 0; i < N; i++)
        readings[i] = (struct xl_reading){mapping + cuts[i], cuts[i + 1] - cuts[i]};
}

static void close_mapping(void) {
    munmap(mapping, BYTES);
}

TestSuite(reader, .init = open_mapping, .fini = close_mapping, .timeout = 60);

Test(reader, stops_anywhere) {
    for (int i = 0; i < 200; i++) {
        struct xl_reader *reader = xl_reader_start(readings, i % (N + 1));
        cr_assert_not_null(reader);
        for (int k = 0; k < i % 5; k++) xl_reader_advance(reader, 1 << 20);
        xl_reader_stop(reader);
    }
    xl_reader_advance(NULL, 1);
    xl_reader_stop(NULL);
}

static size_t n_resident(void) {
    static unsigned char resident[BYTES / PAGE];
    size_t n = 0;
    cr_assert_eq(mincore(mapping, BYTES, resident), 0);
    for (size_t i = 0; i < BYTES / PAGE; i++) n += resident[i] & 1;
    return n;
}

Test(reader, reads_all_of_it) {
    cr_assert_eq(n_resident(), 0);
    struct xl_reader *reader = xl_reader_start(readings, N);
    cr_assert_not_null(reader);
    struct timespec pause = {0, 5000000};
    while (n_resident() < BYTES / PAGE) nanosleep(&pause, NULL); /* or the suite's timeout */
    xl_reader_stop(reader);
}

static bool stop_at(void *user, size_t done) {
    size_t *limit = user;
    return done < *limit;
}

Test(reader, reads_here_until_told_to_stop) {
    size_t limit = 1;
    cr_expect_not(xl_read_ahead((struct xl_reading){mapping, BYTES}, stop_at, &limit));
    size_t n = n_resident();
    cr_expect(n > 0 && n < BYTES / PAGE / 2, "%zu", n);
    limit = BYTES;
    cr_expect(xl_read_ahead((struct xl_reading){mapping, BYTES}, stop_at, &limit));
    cr_expect_eq(n_resident(), BYTES / PAGE);
}

/* A file that was cut after it was mapped: its pages are nobody's, and nothing happens. */
Test(reader, what_cannot_be_read_is_left_alone) {
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    cr_assert_eq(ftruncate(fileno(file), BYTES), 0);
    void *data = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, fileno(file), 0);
    cr_assert_neq(data, MAP_FAILED);
    cr_assert_eq(ftruncate(fileno(file), 0), 0);
    size_t limit = BYTES;
    cr_expect(xl_read_ahead((struct xl_reading){data, BYTES}, stop_at, &limit));
    munmap(data, BYTES);
    fclose(file);
}

/* More than it may read ahead, as the same pieces over and over: it waits to be told, and the end
 * comes only after that. */
Test(reader, goes_on_when_told) {
    enum { MANY = 80 };
    struct xl_reading many[MANY];
    for (int i = 0; i < MANY; i++) many[i] = (struct xl_reading){mapping, BYTES};
    struct xl_reader *reader = xl_reader_start(many, MANY);
    cr_assert_not_null(reader);
    for (int i = 0; i < MANY; i++) xl_reader_advance(reader, BYTES);
    xl_reader_stop(reader);
}
