/* attempts.c - a table of buckets that leak. */
#include "http/attempts.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 512, COLUMNS = 8, KEY = 16 };

struct entry {
    unsigned char key[KEY];
    double level; /* attempts that count, at `at_s` */
    double at_s;
};

struct xl_attempts {
    pthread_mutex_t mutex;
    struct entry entries[ROWS][COLUMNS];
};

/* IPv4 as IPv6 has it. */
static void read_key(const char *address, unsigned char key[KEY]) {
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    memset(key, 0, KEY);
    if (inet_pton(AF_INET, address, key + 12) == 1)
        memcpy(key, mapped, sizeof mapped);
    else if (inet_pton(AF_INET6, address, key) == 1 && memcmp(key, mapped, sizeof mapped) != 0)
        memset(key + 8, 0, 8);
}

static double level_of(const struct entry *entry, double now_s) {
    return fmax(0, entry->level - (now_s - entry->at_s) / XL_ATTEMPT_S);
}

/* The entry of an address, or the one that makes room for it. With the mutex. */
static struct entry *find(struct xl_attempts *attempts, const char *address, double now_s) {
    unsigned char key[KEY];
    unsigned hash = 2166136261u;
    read_key(address, key);
    for (int i = 0; i < KEY; i++) hash = (hash ^ key[i]) * 16777619u;
    struct entry *row = attempts->entries[(hash >> 7) % ROWS], *least = row;
    for (int i = 0; i < COLUMNS; i++) {
        if (!memcmp(row[i].key, key, KEY)) return &row[i];
        if (level_of(&row[i], now_s) < level_of(least, now_s)) least = &row[i];
    }
    *least = (struct entry){.at_s = now_s};
    memcpy(least->key, key, KEY);
    return least;
}

int xl_attempts_wait(struct xl_attempts *attempts, const char *address) {
    double now_s = xl_now_s();
    pthread_mutex_lock(&attempts->mutex);
    double over = level_of(find(attempts, address, now_s), now_s) - (XL_ATTEMPTS - 1);
    pthread_mutex_unlock(&attempts->mutex);
    return over > 0 ? (int)ceil(over * XL_ATTEMPT_S) : 0;
}

void xl_attempts_note(struct xl_attempts *attempts, const char *address) {
    double now_s = xl_now_s();
    pthread_mutex_lock(&attempts->mutex);
    struct entry *entry = find(attempts, address, now_s);
    entry->level = level_of(entry, now_s) + 1;
    entry->at_s = now_s;
    pthread_mutex_unlock(&attempts->mutex);
}

enum xl_status xl_attempts_new(struct xl_attempts **out, struct xl_err *err) {
    struct xl_attempts *attempts = calloc(1, sizeof *attempts);
    if (!attempts) return xl_fail_nomem(err, "attempts to log in", sizeof *attempts);
    pthread_mutex_init(&attempts->mutex, NULL);
    *out = attempts;
    return XL_OK;
}

void xl_attempts_free(struct xl_attempts *attempts) {
    if (!attempts) return;
    pthread_mutex_destroy(&attempts->mutex);
    free(attempts);
}
