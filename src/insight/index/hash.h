/* hash.h - a fast hash of bytes in 64 bits, the same on every machine: for tables in memory, keys
 * of the index and the check of its pages. Not for secrets, nor against somebody who seeks
 * collisions: whoever looks a text up by it compares the text as well.
 */
#ifndef XL_INSIGHT_HASH_H
#define XL_INSIGHT_HASH_H

#include <stdint.h>
#include <string.h>

static inline uint64_t xl_hash_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of n bytes; another seed gives another hash. */
static inline uint64_t xl_hash64(const void *data, size_t n, uint64_t seed) {
    static const uint64_t odd[] = {UINT64_C(0x9E3779B97F4A7C15), UINT64_C(0xD1B54A32D192ED03)};
    const char *at = data;
    uint64_t hash = seed ^ xl_hash_fold(n ^ odd[0], odd[1]), word[2];
    for (; n >= sizeof word; n -= sizeof word, at += sizeof word) {
        memcpy(word, at, sizeof word);
        hash = xl_hash_fold(word[0] ^ odd[0] ^ hash, word[1] ^ odd[1]) + odd[1] * hash;
    }
    word[0] = word[1] = 0;
    if (n) memcpy(word, at, n);
    return xl_hash_fold(word[0] ^ odd[0] ^ hash, word[1] ^ odd[1] ^ (hash << 32 | hash >> 32));
}

#endif
