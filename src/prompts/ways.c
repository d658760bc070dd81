/* ways.c - counting by sets of marks, and finding a way by its number. */
#include "prompts/ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 number;

enum { MAX_SETS = 1 << 18 };
#define TOO_MANY ((number)1 << 127)

/* Ways by the marks that they bear together, in the order of the marks. */
struct sets {
    struct set {
        uint64_t marks;
        number n;
    } * at;
    int n;
};

/* An entry: what its items from i on make. */
struct entry_ways {
    struct sets *items; /* [n_items] of each item that takes from a list */
    struct sets *rest;  /* [n_items + 1]: without the entry's own marks; the last is one way */
    struct sets all;    /* rest[0] with the entry's marks */
};

struct list_ways {
    struct entry_ways *entries;
    struct sets one; /* one entry of it */
    /* several[e * (most + 1) + j]: j of the entries from e on; NULL until an item takes several */
    struct sets *several;
    int most;
    bool is_done;
};

struct xl_ways {
    const struct xl_grammar *grammar;
    struct list_ways *lists;
    struct xl_arena arena;
    struct xl_ways_count count;
    bool ignores_marks; /* there were too many sets */
    bool overflows;     /* what sets were added up to is beyond TOO_MANY */
    bool out_of_memory;
};

/* --- Arithmetic of sets ----------------------------------------------------------------------- */

/* Sets as they are added up: few are looked through, more have buckets by their marks. */
enum { FEW_SETS = 16, FIRST_SETS = 256 }; /* as many as there is room for behind the few */
struct sum {
    struct set few[FEW_SETS];
    struct set *many; /* NULL: few; else [room] */
    int *buckets;     /* index + 1; [4 * room] */
    int n;
    int room; /* a power of two */
};

static number add(struct xl_ways *ways, number a, number b) {
    if (a + b < TOO_MANY) return a + b;
    ways->overflows = true;
    return TOO_MANY - 1;
}

static number multiply(struct xl_ways *ways, number a, number b) {
    if (!a || b <= (TOO_MANY - 1) / a) return a * b;
    ways->overflows = true;
    return TOO_MANY - 1;
}

static int *bucket_of(const struct sum *sum, uint64_t marks) {
    uint64_t last = 4 * (uint64_t)sum->room - 1;
    uint64_t i = (marks * UINT64_C(0x9E3779B97F4A7C15) >> 40) & last;
    while (sum->buckets[i] && sum->many[sum->buckets[i] - 1].marks != marks) i = (i + 1) & last;
    return &sum->buckets[i];
}

/* Most grammars have few sets, and every sum of theirs would clear megabytes: room grows with them.
 */
static bool make_room(struct sum *sum, int room) {
    struct set *many = realloc(sum->many, (size_t)room * sizeof *many);
    if (!many) return false;
    if (!sum->many) memcpy(many, sum->few, sizeof sum->few);
    sum->many = many;
    free(sum->buckets);
    sum->buckets = calloc(4 * (size_t)room, sizeof *sum->buckets);
    if (!sum->buckets) return false;
    sum->room = room;
    for (int i = 0; i < sum->n; i++) *bucket_of(sum, sum->many[i].marks) = i + 1;
    return true;
}

/* The set of these marks, which is added where there is none; NULL: out of memory, or too many. */
static struct set *set_of(struct xl_ways *ways, struct sum *sum, uint64_t marks) {
    for (int i = 0; !sum->many && i < sum->n; i++)
        if (sum->few[i].marks == marks) return &sum->few[i];
    if (!sum->many && sum->n < FEW_SETS) {
        sum->few[sum->n] = (struct set){marks, 0};
        return &sum->few[sum->n++];
    }
    int *bucket = sum->many ? bucket_of(sum, marks) : NULL;
    if (bucket && *bucket) return &sum->many[*bucket - 1];
    if (sum->n == MAX_SETS) { /* the caller starts again without marks */
        ways->ignores_marks = true;
        return NULL;
    }
    if (!bucket || sum->n == sum->room) {
        if (!make_room(sum, bucket ? 4 * sum->room : FIRST_SETS)) {
            ways->out_of_memory = true;
            return NULL;
        }
        bucket = bucket_of(sum, marks);
    }
    sum->many[sum->n] = (struct set){marks, 0};
    *bucket = ++sum->n;
    return &sum->many[sum->n - 1];
}

/* Whether marks have met that must not: whatever joins them, nothing comes of it. */
static bool are_hopeless(const struct xl_grammar *grammar, uint64_t marks) {
    for (int i = 0; i < grammar->n_never; i++)
        if (marks & grammar->never[i].one && marks & grammar->never[i].other) return true;
    return false;
}

static void put(struct xl_ways *ways, struct sum *sum, uint64_t marks, number n) {
    if (ways->out_of_memory || !n || are_hopeless(ways->grammar, marks)) return;
    struct set *set = set_of(ways, sum, ways->ignores_marks ? 0 : marks);
    if (set) set->n = add(ways, set->n, n);
}

static int by_marks(const void *a, const void *b) {
    uint64_t x = ((const struct set *)a)->marks, y = ((const struct set *)b)->marks;
    return x < y ? -1 : x > y;
}

/* From the sum into the arena, in order. */
static void take(struct xl_ways *ways, struct sum *sum, struct sets *out) {
    struct set *from = sum->many ? sum->many : sum->few;
    size_t bytes = (size_t)sum->n * sizeof *from;
    *out = (struct sets){0};
    if (sum->n && !ways->out_of_memory) {
        qsort(from, (size_t)sum->n, sizeof *from, by_marks);
        out->at = xl_arena_alloc(&ways->arena, bytes);
        ways->out_of_memory |= !out->at;
        if (out->at) memcpy(out->at, from, bytes), out->n = sum->n;
    }
    free(sum->many);
    free(sum->buckets);
    *sum = (struct sum){.n = 0};
}

static void put_all(struct xl_ways *ways, struct sum *sum, const struct sets *sets) {
    for (int i = 0; i < sets->n; i++) put(ways, sum, sets->at[i].marks, sets->at[i].n);
}

/* Each of the one beside each of the other. */
static void put_product(struct xl_ways *ways, struct sum *sum, const struct sets *a,
                        const struct sets *b) {
    for (int i = 0; i < a->n; i++)
        for (int k = 0; k < b->n; k++)
            put(ways, sum, a->at[i].marks | b->at[k].marks, multiply(ways, a->at[i].n, b->at[k].n));
}

static number find(const struct sets *sets, uint64_t marks) {
    int low = 0, high = sets->n;
    while (low < high) {
        int middle = (low + high) / 2;
        if (sets->at[middle].marks == marks) return sets->at[middle].n;
        if (sets->at[middle].marks < marks)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* One way that bears nothing. */
static void take_one(struct xl_ways *ways, struct sets *out) {
    struct sum sum = {.n = 0};
    put(ways, &sum, 0, 1);
    take(ways, &sum, out);
}

/* --- Counting --------------------------------------------------------------------------------- */

static int clip(const struct xl_grammar_item *item, int bound) {
    return bound < item->list->n ? bound : item->list->n;
}

static bool is_one(const struct xl_grammar_item *item) {
    return clip(item, item->least) == 1 && clip(item, item->most) == 1;
}

static const struct sets *some(const struct list_ways *list, int entry, int j) {
    return &list->several[entry * (list->most + 1) + j];
}

/* j of the entries from e on: without e, or e and j - 1 of those behind it. */
static void count_several(struct xl_ways *ways, const struct xl_grammar_list *list, int most) {
    struct list_ways *of = &ways->lists[list->index];
    if (of->several && of->most >= most) return;
    size_t n = ((size_t)list->n + 1) * ((size_t)most + 1);
    of->several = xl_arena_alloc(&ways->arena, n * sizeof *of->several);
    of->most = most;
    if (!of->several) ways->out_of_memory = true;
    for (int e = list->n; e >= 0 && !ways->out_of_memory; e--)
        for (int j = 0; j <= most; j++) {
            struct sum sum = {.n = 0};
            struct sets *out = (struct sets *)some(of, e, j);
            if (!j) {
                take_one(ways, out);
                continue;
            }
            if (e < list->n) put_all(ways, &sum, some(of, e + 1, j));
            if (e < list->n) put_product(ways, &sum, &of->entries[e].all, some(of, e + 1, j - 1));
            take(ways, &sum, out);
        }
}

static void count_list(struct xl_ways *ways, const struct xl_grammar_list *list);

/* What an item makes, added to a sum. */
static void put_item(struct xl_ways *ways, struct sum *sum, const struct xl_grammar_item *item) {
    const struct list_ways *list = &ways->lists[item->list->index];
    count_list(ways, item->list);
    if (is_one(item)) {
        put_all(ways, sum, &list->one);
        return;
    }
    count_several(ways, item->list, clip(item, item->most));
    for (int j = clip(item, item->least); j <= clip(item, item->most); j++)
        if (!ways->out_of_memory) put_all(ways, sum, some(list, 0, j));
}

static void count_entry(struct xl_ways *ways, const struct xl_grammar_entry *entry,
                        struct entry_ways *out) {
    size_t bytes = ((size_t)entry->n_items + 1) * sizeof *out->rest;
    out->rest = xl_arena_alloc(&ways->arena, bytes);
    out->items = xl_arena_alloc(&ways->arena, bytes);
    if (!out->rest || !out->items) {
        ways->out_of_memory = true;
        return;
    }
    take_one(ways, &out->rest[entry->n_items]);
    for (int i = entry->n_items - 1; i >= 0; i--) {
        struct sum sum = {.n = 0}, own = {.n = 0};
        out->rest[i] = out->rest[i + 1];
        if (!entry->items[i].list) continue;
        put_item(ways, &own, &entry->items[i]);
        take(ways, &own, &out->items[i]);
        put_product(ways, &sum, &out->items[i], &out->rest[i + 1]);
        take(ways, &sum, &out->rest[i]);
    }
    struct sum all = {.n = 0};
    for (int i = 0; i < out->rest[0].n; i++)
        put(ways, &all, out->rest[0].at[i].marks | entry->marks, out->rest[0].at[i].n);
    take(ways, &all, &out->all);
}

static void count_list(struct xl_ways *ways, const struct xl_grammar_list *list) {
    struct list_ways *of = &ways->lists[list->index];
    if (of->is_done || ways->out_of_memory) return;
    of->is_done = true;
    of->entries = xl_arena_alloc(&ways->arena, (size_t)list->n * sizeof *of->entries + 1);
    if (!of->entries) ways->out_of_memory = true;
    struct sum sum = {.n = 0};
    for (int e = 0; e < list->n && !ways->out_of_memory; e++) {
        count_entry(ways, &list->entries[e], &of->entries[e]);
        put_all(ways, &sum, &of->entries[e].all);
    }
    take(ways, &sum, &of->one);
}

static enum xl_status count_all(struct xl_ways *ways, struct xl_err *err) {
    const struct xl_grammar *grammar = ways->grammar;
    size_t bytes = (size_t)grammar->n_lists * sizeof *ways->lists;
    ways->lists = xl_arena_alloc(&ways->arena, bytes);
    if (!ways->lists) return xl_fail_nomem(err, "counting prompts", bytes);
    count_list(ways, grammar->templates);
    return ways->out_of_memory ? xl_fail_nomem(err, "counting prompts", 0) : XL_OK;
}

/* The templates' sets that the constraints allow. */
static void sum_up(struct xl_ways *ways) {
    const struct sets *sets = &ways->lists[ways->grammar->templates->index].one;
    number n = 0;
    for (int i = 0; i < sets->n; i++)
        if (ways->ignores_marks || xl_grammar_allows(ways->grammar, sets->at[i].marks))
            n = add(ways, n, sets->at[i].n);
    bool is_exact = !ways->ignores_marks && !ways->overflows;
    ways->count = (struct xl_ways_count){n, is_exact, is_exact};
}

enum xl_status xl_ways_new(const struct xl_grammar *grammar, struct xl_ways **out,
                           struct xl_err *err) {
    struct xl_ways *ways = calloc(1, sizeof *ways);
    if (!ways) return xl_fail_nomem(err, "counting prompts", 0);
    ways->grammar = grammar;
    enum xl_status status = count_all(ways, err);
    if (!status && ways->ignores_marks) { /* there were too many: again, without them */
        xl_arena_deinit(&ways->arena);
        ways->overflows = false;
        status = count_all(ways, err);
    }
    if (!status) sum_up(ways);
    if (!status && !ways->count.n)
        status = xl_fail(err, XL_EINPUT,
                         "%s: never_together and only_with leave no prompt at all: every one has "
                         "entries that must not meet, or lacks what they need",
                         grammar->name);
    if (status)
        xl_ways_free(ways);
    else
        *out = ways;
    return status;
}

void xl_ways_free(struct xl_ways *ways) {
    if (!ways) return;
    xl_arena_deinit(&ways->arena);
    free(ways);
}

struct xl_ways_count xl_ways_count(const struct xl_ways *ways) {
    return ways->count;
}

/* --- By number -------------------------------------------------------------------------------- */

struct way {
    const struct xl_ways *ways;
    uint32_t *decisions;
    int n;
};

static void decide(struct way *way, int decision) {
    if (way->n < XL_GRAMMAR_MAX_DECISIONS) way->decisions[way->n++] = (uint32_t)decision;
}

/* Two parts that together bear marks: which of their sets, and the numbers within them. */
struct split {
    uint64_t a, b;
    number in_a, in_b;
};

static bool split(const struct sets *a, const struct sets *b, uint64_t marks, number *left,
                  struct split *out) {
    for (int i = 0; i < a->n; i++)
        for (int k = 0; k < b->n && !(a->at[i].marks & ~marks); k++) {
            if ((a->at[i].marks | b->at[k].marks) != marks) continue;
            number n = a->at[i].n * b->at[k].n;
            if (*left >= n) {
                *left -= n;
                continue;
            }
            *out = (struct split){a->at[i].marks, b->at[k].marks, *left / b->at[k].n,
                                  *left % b->at[k].n};
            return true;
        }
    return false;
}

static void decide_entry(struct way *way, const struct xl_grammar_list *list, int e, uint64_t marks,
                         number left);

/* One entry, so that all that is taken bears exactly these marks. */
static void decide_one(struct way *way, const struct xl_grammar_list *list, uint64_t marks,
                       number left) {
    const struct list_ways *of = &way->ways->lists[list->index];
    for (int e = 0; e < list->n; e++) {
        number n = find(&of->entries[e].all, marks);
        if (left < n) {
            decide_entry(way, list, e, marks, left);
            return;
        }
        left -= n;
    }
}

/* j of the entries from e on, likewise. */
static void decide_several(struct way *way, const struct xl_grammar_list *list, int j,
                           uint64_t marks, number left) {
    const struct list_ways *of = &way->ways->lists[list->index];
    struct split parts;
    for (int e = 0; j && e < list->n; e++) {
        number without = find(some(of, e + 1, j), marks);
        if (left < without) continue;
        left -= without;
        if (!split(&of->entries[e].all, some(of, e + 1, j - 1), marks, &left, &parts)) return;
        decide_entry(way, list, e, parts.a, parts.in_a);
        marks = parts.b;
        left = parts.in_b;
        j--;
    }
}

static void decide_item(struct way *way, const struct xl_grammar_item *item, uint64_t marks,
                        number left) {
    const struct list_ways *of = &way->ways->lists[item->list->index];
    if (is_one(item)) {
        decide(way, 1);
        decide_one(way, item->list, marks, left);
        return;
    }
    for (int j = clip(item, item->least); j <= clip(item, item->most); j++) {
        number n = find(some(of, 0, j), marks);
        if (left < n) {
            decide(way, j);
            decide_several(way, item->list, j, marks, left);
            return;
        }
        left -= n;
    }
}

static void decide_entry(struct way *way, const struct xl_grammar_list *list, int e, uint64_t marks,
                         number left) {
    const struct xl_grammar_entry *entry = &list->entries[e];
    const struct entry_ways *of = &way->ways->lists[list->index].entries[e];
    struct split parts;
    decide(way, e);
    /* Which set of the entry's items becomes these marks with its own. */
    uint64_t rest = 0;
    bool is_found = false;
    for (int i = 0; !is_found && i < of->rest[0].n; i++) {
        if ((of->rest[0].at[i].marks | entry->marks) != marks) continue;
        is_found = left < of->rest[0].at[i].n;
        if (is_found)
            rest = of->rest[0].at[i].marks;
        else
            left -= of->rest[0].at[i].n;
    }
    for (int i = 0; is_found && i < entry->n_items; i++) {
        if (!entry->items[i].list) continue;
        if (!split(&of->items[i], &of->rest[i + 1], rest, &left, &parts)) return;
        decide_item(way, &entry->items[i], parts.a, parts.in_a);
        rest = parts.b;
        left = parts.in_b;
    }
}

void xl_ways_decide(const struct xl_ways *ways, number left, uint32_t *decisions, int *n) {
    const struct xl_grammar_list *templates = ways->grammar->templates;
    const struct sets *sets = &ways->lists[templates->index].one;
    struct way way = {ways, decisions, 0};
    for (int i = 0; i < sets->n; i++) {
        if (!xl_grammar_allows(ways->grammar, sets->at[i].marks)) continue;
        if (left < sets->at[i].n) {
            decide_one(&way, templates, sets->at[i].marks, left);
            break;
        }
        left -= sets->at[i].n;
    }
    *n = way.n;
}

char *xl_count_text(number n, char out[XL_COUNT_TEXT]) {
    char digits[XL_COUNT_TEXT];
    int at = XL_COUNT_TEXT - 1, count = 0;
    digits[at] = 0;
    do {
        if (count && count % 3 == 0) digits[--at] = ',';
        digits[--at] = (char)('0' + (int)(n % 10));
        count++;
        n /= 10;
    } while (n);
    memcpy(out, digits + at, (size_t)(XL_COUNT_TEXT - at));
    return out;
}
