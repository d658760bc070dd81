/* pack_entry.h - one packed weight, as the files see it that ask for it and own it (pack.c), that
 * fill groups of them (pack_fill.c), convert rows (pack_rows.c) and add deltas to them
 * (pack_deltas.c, pack_factor.c). */
#ifndef XL_BACKEND_CPU_PACK_ENTRY_H
#define XL_BACKEND_CPU_PACK_ENTRY_H

#include "backend/cpu/pack.h"

enum { XL_PACK_STAGE_ROWS = 16 }; /* rows packed together: a cache line of packed weights */

enum xl_pack_kind { XL_PACK_WEIGHTS, XL_PACK_FLOATS, XL_PACK_COPY };

/* What tells entries apart. */
struct xl_pack_key {
    enum xl_pack_kind kind;
    struct xl_weight_id ids[XL_MAX_PARTS];
    int n_parts;
    enum xl_dtype dtype;  /* of the tensors */
    int64_t rows, length; /* of the weight: rows of axis 0, numbers of a row */
    /* Of XL_PACK_WEIGHTS. */
    int64_t chunk;
    const struct xl_dnn_prototype *whole, *last;
    bool is_rounded;
    enum xl_tap_map map;
};

struct xl_pack_entry {
    struct xl_held held;
    struct xl_pack_key key;
    size_t set_bytes, chunk_bytes; /* of one product; of one chunk */
    struct xl_packed packed;
    struct xl_numbers numbers;
    /* Until it is packed. */
    const struct xl_value *weight;
    struct xl_pack_delta *deltas[XL_MAX_PARTS]; /* by part; pack_deltas.c */
};

static inline struct xl_pack_entry *xl_pack_entry_of(struct xl_held *held) {
    return (struct xl_pack_entry *)held;
}

struct xl_pack_tools {
    struct xl_dnn *dnn;
    struct xl_pool *pool;
    const struct xl_cpu_kernels *kernels;
};

/* pack_fill.c: read and pack the entries of a group that has its memory; NULL: there are none. */
enum xl_status xl_pack_fill_group(const struct xl_pack_tools *tools, struct xl_held_group *group,
                                  const struct xl_plan *plan,
                                  const struct xl_compile_options *options,
                                  struct xl_err *err) XL_CHECKED;

/* pack_rows.c: convert and place rows first .. last - 1 of the weight. Safe on several threads. */
void xl_pack_rows(const struct xl_cpu_kernels *kernels, const struct xl_pack_entry *entry,
                  int64_t first, int64_t last);

enum {
    XL_PACK_STAGE = 1024, /* numbers of a row converted at once... */
    XL_PACK_TERM = 256,   /* ... and with deltas */
};

/* Numbers on their way: where they lie, or in a buffer. */
struct xl_pack_numbers {
    const void *x;
    enum xl_dtype dtype;
};

/* Some numbers of some rows of a weight: at most XL_PACK_STAGE of XL_PACK_STAGE_ROWS. */
struct xl_pack_block {
    int64_t row, n_rows, first, n;
};

typedef float xl_pack_term[XL_PACK_STAGE_ROWS][XL_PACK_TERM];

/* Who reads rows of an entry, on one thread. */
struct xl_pack_source {
    const struct xl_cpu_kernels *kernels;
    const struct xl_pack_entry *entry;
    float plain[XL_PACK_STAGE]; /* of what does not lie as the dtype says */
    /* Where there are deltas: the sums of a block, and on the way to them the weight and terms. */
    float sum[XL_PACK_STAGE_ROWS][XL_PACK_STAGE];
    xl_pack_term weight, term, other;
};

/* n numbers of the tensor of a part, from `first` on. n: at most XL_PACK_STAGE */
struct xl_pack_numbers xl_pack_read(struct xl_pack_source *source, int part, int64_t first,
                                    int64_t n);

/* The part that a row of the weight lies in; the row becomes the part's. */
int xl_pack_part(const struct xl_pack_entry *entry, int64_t *row);

/* pack_deltas.c: make the deltas of some entries ready, on all threads; to be closed even when it
 * fails. Errors: XL_ENOMEM */
enum xl_status xl_pack_open_deltas(const struct xl_pack_tools *tools,
                                   struct xl_held *const *entries, int n_entries,
                                   struct xl_err *err) XL_CHECKED;
void xl_pack_close_deltas(struct xl_pack_entry *entry);
/* Fill source->sum with those rows of the block whose parts have deltas. */
void xl_pack_add_deltas(struct xl_pack_source *source, struct xl_pack_block block);

static inline size_t xl_pack_align(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

#endif
