/* weight_names.c - names of weight files taken to pieces. Keeps nothing; any thread. */
#include "hub/weight_names.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* A piece of a name. */
struct span {
    const char *begin;
    size_t n;
};

static struct span span_between(const char *begin, const char *end) {
    return (struct span){begin, (size_t)(end - begin)};
}

/* "" or ".fp16". */
static bool is_variant(struct span s) {
    return !s.n || (s.n > 1 && s.begin[0] == '.' && !memchr(s.begin + 1, '.', s.n - 1));
}

/* "-00001-of-00002" somewhere in s: *before and *after are what is around it. */
static bool find_shard_number(struct span s, struct span *before, struct span *after,
                              struct xl_weight_name *out) {
    static const char digits[] = "0123456789";
    const char *end = s.begin + s.n;
    for (const char *dash = s.begin; dash < end; dash++) {
        if (*dash != '-') continue;
        const char *at = dash + 1;
        size_t n = strspn(at, digits);
        out->shard = (int)strtol(at, NULL, 10);
        at += n;
        if (!n || strncmp(at, "-of-", 4)) continue;
        at += 4;
        n = strspn(at, digits);
        if (!n || at + n > end) continue;
        out->n_shards = (int)strtol(at, NULL, 10);
        *before = span_between(s.begin, dash);
        *after = span_between(at + n, end);
        return true;
    }
    return false;
}

void xl_hub_read_weight_name(const char *stem, const char *name, struct xl_weight_name *out) {
    static const char index_mark[] = ".safetensors.index";
    *out = (struct xl_weight_name){.kind = XL_NAME_OTHER, .variant = ""};
    if (strncmp(name, stem, strlen(stem))) return;
    const char *rest = name + strlen(stem), *end = name + strlen(name);
    const char *mark = strstr(rest, index_mark);
    struct span before, after = {end, 0};
    enum xl_name_kind kind;
    if (mark && xl_ends_with(rest, ".json")) {
        kind = XL_NAME_INDEX;
        before = span_between(rest, mark);
        const char *after_mark = mark + sizeof index_mark - 1;
        if (end - (sizeof ".json" - 1) < after_mark) return;
        after = span_between(after_mark, end - (sizeof ".json" - 1));
    } else if (xl_ends_with(rest, ".safetensors")) {
        struct span middle = span_between(rest, end - (sizeof ".safetensors" - 1));
        before = middle;
        kind = find_shard_number(middle, &before, &after, out) ? XL_NAME_SHARD : XL_NAME_SINGLE;
    } else {
        return;
    }
    if (!is_variant(before) || !is_variant(after) || (before.n && after.n)) return;
    out->kind = kind;
    struct span variant = before.n ? before : after;
    if (variant.n) {
        out->variant = variant.begin + 1;
        out->n_variant = (int)variant.n - 1;
    }
}
