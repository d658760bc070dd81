/* pack.c - reading weights once: some rows of a tensor at a time, converted, their taps mapped, and
 * turned over into the product's layout.
 *
 * That is our own rather than oneDNN's reorder: that one has no fast path for bf16 layouts
 * where the CPU lacks AVX-512 (20 MB/s measured), cannot convert f16 on the way, and would need a
 * whole unpacked copy. Here the copy is a block of a few kilobytes. */
#include "backend/cpu/pack.h"

#include "backend/cpu/pages.h"
#include "backend/cpu/reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLAB_BYTES = 64 << 20,
    ALIGN = 64,
    STAGE = 1024,            /* numbers of a row converted at once... */
    STAGE_ROWS = 16,         /* ... and rows: a cache line of packed weights */
    BLOCK_NUMBERS = 1 << 16, /* numbers of a task, about */
    BATCH_BYTES = 64 << 20,  /* read between two reports; less is not worth a reader */
};

enum kind { WEIGHTS, FLOATS, COPY };

struct entry {
    struct entry *next;
    enum kind kind;
    struct xl_pack_spec spec; /* spec.weight: only while pending */
    const void *parts[XL_MAX_PARTS];
    int n_parts;
    enum xl_dtype dtype;  /* of the tensors */
    int64_t rows, length; /* of the weight: rows of axis 0, numbers of a row */
    unsigned char *data;
    size_t bytes, set_bytes, chunk_bytes; /* in all; of one product; of one chunk */
    struct xl_packed packed;
};

struct slab {
    struct slab *next;
    unsigned char *data;
    size_t bytes, used;
};

struct xl_pack {
    struct xl_dnn *dnn;
    struct xl_pool *pool;
    const struct xl_cpu_kernels *kernels;
    struct slab *slabs;    /* newest first */
    struct entry *entries; /* likewise; those before `packed` are pending */
    struct entry *packed;
    struct slab *packed_slab; /* slabs, and how much of it was used, as of the last flush */
    size_t packed_used;
    size_t bytes;
    bool is_measuring;
};

static unsigned char measured[1]; /* where what is only measured "lies" */

enum xl_status xl_pack_new(struct xl_dnn *dnn, struct xl_pool *pool,
                           const struct xl_cpu_kernels *kernels, struct xl_pack **out,
                           struct xl_err *err) {
    struct xl_pack *pack = calloc(1, sizeof *pack);
    if (!pack) return xl_fail_nomem(err, "packed weights", sizeof *pack);
    *pack = (struct xl_pack){.dnn = dnn, .pool = pool, .kernels = kernels};
    *out = pack;
    return XL_OK;
}

static void entry_free(struct entry *entry) {
    int64_t n = entry->packed.n_chunks * entry->packed.n_sets;
    for (int64_t i = 0; entry->packed.weights && i < n; i++)
        xl_dnn_weights_free(entry->packed.weights[i]);
    free(entry->packed.weights);
    free(entry);
}

static void free_slab(struct xl_pack *pack) {
    struct slab *slab = pack->slabs;
    pack->slabs = slab->next;
    xl_pages_free(slab->data, slab->bytes);
    free(slab);
}

void xl_pack_forget(struct xl_pack *pack) {
    while (pack->entries != pack->packed) {
        struct entry *next = pack->entries->next;
        pack->bytes -= pack->entries->bytes;
        entry_free(pack->entries);
        pack->entries = next;
    }
    while (pack->slabs != pack->packed_slab) free_slab(pack);
    struct slab *slab = pack->slabs;
    if (!slab || slab->used == pack->packed_used) return;
    xl_pages_clear(slab->data + pack->packed_used, slab->used - pack->packed_used);
    slab->used = pack->packed_used;
}

void xl_pack_measure(struct xl_pack *pack, bool on) {
    pack->is_measuring = on;
}

void xl_pack_free(struct xl_pack *pack) {
    if (!pack) return;
    pack->packed = NULL;
    pack->packed_slab = NULL;
    xl_pack_forget(pack);
    free(pack);
}

size_t xl_pack_bytes(const struct xl_pack *pack) {
    return pack->bytes;
}

/* Zeroed memory that lives as long as pack. */
static void *take(struct xl_pack *pack, size_t bytes) {
    size_t rounded = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (!pack->slabs || pack->slabs->bytes - pack->slabs->used < rounded) {
        struct slab *slab = calloc(1, sizeof *slab);
        size_t slab_bytes = rounded > SLAB_BYTES ? rounded : SLAB_BYTES;
        void *data = slab ? xl_pages_alloc(slab_bytes) : NULL;
        if (!data) {
            free(slab);
            return NULL;
        }
        *slab = (struct slab){pack->slabs, data, slab_bytes, 0};
        pack->slabs = slab;
    }
    unsigned char *at = pack->slabs->data + pack->slabs->used;
    pack->slabs->used += rounded;
    return at;
}

/* --- Asking ---------------------------------------------------------------------------------- */

static bool is_same(const struct entry *a, const struct entry *b) {
    if (a->kind != b->kind || a->n_parts != b->n_parts || a->dtype != b->dtype ||
        a->rows != b->rows || a->length != b->length)
        return false;
    for (int i = 0; i < a->n_parts; i++)
        if (a->parts[i] != b->parts[i]) return false;
    return a->kind != WEIGHTS ||
           (a->spec.chunk == b->spec.chunk && a->spec.whole == b->spec.whole &&
            a->spec.last == b->spec.last && a->spec.is_rounded == b->spec.is_rounded &&
            a->spec.map == b->spec.map && a->spec.n_sets == b->spec.n_sets);
}

static struct entry describe(enum kind kind, const struct xl_value *weight) {
    struct entry entry = {.kind = kind,
                          .spec.weight = weight,
                          .n_parts = weight->n_parts,
                          .dtype = weight->dtype,
                          .rows = weight->shape.dim[0]};
    entry.length = xl_shape_count(weight->shape) / entry.rows;
    for (int i = 0; i < weight->n_parts; i++) entry.parts[i] = weight->parts[i]->data;
    return entry;
}

static struct entry *find(struct xl_pack *pack, const struct entry *wanted) {
    for (struct entry *entry = pack->entries; entry; entry = entry->next)
        if (is_same(entry, wanted)) return entry;
    return NULL;
}

/* The entry like `wanted`: found, or new and pending with `bytes` of memory. NULL: no memory */
static struct entry *find_or_add(struct xl_pack *pack, const struct entry *wanted, size_t bytes) {
    struct entry *entry = find(pack, wanted);
    if (entry) return entry;
    entry = malloc(sizeof *entry);
    void *data = pack->is_measuring ? measured : entry ? take(pack, bytes) : NULL;
    if (!entry || !data) {
        free(entry);
        return NULL;
    }
    *entry = *wanted;
    entry->data = data;
    entry->bytes = bytes;
    entry->next = pack->entries;
    pack->entries = entry;
    pack->bytes += bytes;
    return entry;
}

enum xl_status xl_pack_floats(struct xl_pack *pack, const struct xl_value *weight,
                              const float **out, struct xl_err *err) {
    struct entry wanted = describe(FLOATS, weight);
    size_t bytes = (size_t)(wanted.rows * wanted.length) * sizeof(float);
    struct entry *entry = find_or_add(pack, &wanted, bytes);
    if (!entry) return xl_fail_nomem(err, "weights", bytes);
    *out = (const float *)(void *)entry->data;
    return XL_OK;
}

enum xl_status xl_pack_copy(struct xl_pack *pack, const struct xl_value *weight, const void **out,
                            struct xl_err *err) {
    struct entry wanted = describe(COPY, weight);
    size_t bytes = (size_t)(wanted.rows * wanted.length) * xl_dtype_size(wanted.dtype);
    struct entry *entry = find_or_add(pack, &wanted, bytes);
    if (!entry) return xl_fail_nomem(err, "weights", bytes);
    *out = entry->data;
    return XL_OK;
}

static size_t round_up(size_t bytes) {
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* Make the products' handles of an entry that was just added. */
static enum xl_status add_handles(struct xl_pack *pack, struct entry *entry, struct xl_err *err) {
    int64_t n_chunks = entry->packed.n_chunks, n = n_chunks * entry->packed.n_sets;
    entry->packed.weights = calloc((size_t)n, sizeof(struct xl_dnn_weights *));
    if (!entry->packed.weights) return xl_fail_nomem(err, "packed weights", 0);
    enum xl_status status = XL_OK;
    for (int64_t i = 0; !status && i < n; i++) {
        int64_t chunk = i / entry->packed.n_sets, set = i % entry->packed.n_sets;
        bool is_last = chunk == n_chunks - 1;
        size_t set_bytes = entry->set_bytes;
        if (is_last) set_bytes = round_up(xl_dnn_prototype_layout(entry->spec.last)->bytes);
        unsigned char *data = entry->data + (size_t)chunk * entry->chunk_bytes +
                              (size_t)set * set_bytes;
        status = xl_dnn_weights_new(pack->dnn, is_last ? entry->spec.last : entry->spec.whole, data,
                                    &entry->packed.weights[i], err);
    }
    return status;
}

enum xl_status xl_pack_weights(struct xl_pack *pack, const struct xl_pack_spec *spec,
                               const struct xl_packed **out, struct xl_err *err) {
    struct entry wanted = describe(WEIGHTS, spec->weight);
    wanted.spec = *spec;
    wanted.set_bytes = round_up(xl_dnn_prototype_layout(spec->whole)->bytes);
    wanted.chunk_bytes = wanted.set_bytes * (size_t)spec->n_sets;
    wanted.packed.n_chunks = (wanted.rows + spec->chunk - 1) / spec->chunk;
    wanted.packed.n_sets = spec->n_sets;
    size_t last_bytes = round_up(xl_dnn_prototype_layout(spec->last)->bytes);
    size_t bytes = wanted.chunk_bytes * (size_t)(wanted.packed.n_chunks - 1) +
                   last_bytes * (size_t)spec->n_sets;
    struct entry *entry = find_or_add(pack, &wanted, bytes);
    if (!entry) return xl_fail_nomem(err, "packed weights", bytes);
    if (!entry->packed.weights && !pack->is_measuring) {
        enum xl_status status = add_handles(pack, entry, err);
        if (status) return status; /* the caller forgets what is pending */
    }
    *out = &entry->packed;
    return XL_OK;
}

/* --- Packing --------------------------------------------------------------------------------- */

/* One row of the weight, wherever its part is. */
static const unsigned char *row_of(const struct entry *entry, int64_t row) {
    const struct xl_value *weight = entry->spec.weight;
    int part = 0;
    while (row >= weight->parts[part]->shape.dim[0]) row -= weight->parts[part++]->shape.dim[0];
    return (const unsigned char *)entry->parts[part] +
           (size_t)(row * entry->length) * xl_dtype_size(entry->dtype);
}

static void copy_rows(const struct xl_pack *pack, const struct entry *entry, int64_t first,
                      int64_t last) {
    enum xl_dtype to = entry->kind == FLOATS ? XL_DTYPE_F32 : entry->dtype;
    size_t row_bytes = (size_t)entry->length * xl_dtype_size(to);
    for (int64_t row = first; row < last; row++)
        pack->kernels->convert(entry->data + (size_t)row * row_bytes, to, row_of(entry, row),
                               entry->dtype, entry->length);
}

/* Taps of the weight, and of all sets of the product. */
struct taps {
    int64_t read, written;
};

static struct taps taps_of(const struct entry *entry) {
    const struct xl_dnn_layout *layout = xl_dnn_prototype_layout(entry->spec.last);
    return (struct taps){entry->length / layout->n_c, layout->n_taps * entry->spec.n_sets};
}

/* Some input channels of a few rows on their way. */
struct stage {
    /* As products take them: by row, tap and channel. f32 or bf16. */
    _Alignas(ALIGN) unsigned char ready[STAGE_ROWS][STAGE * sizeof(float)];
    float f32[STAGE], by_tap[STAGE], mapped[STAGE];
    uint16_t bf16[STAGE];
};

static void convert(const struct xl_pack *pack, const struct entry *entry, void *to,
                    const void *from, enum xl_dtype dtype, int64_t n, struct stage *stage) {
    enum xl_dtype wanted = xl_dnn_prototype_dtype(entry->spec.last);
    if (entry->spec.is_rounded && wanted == XL_DTYPE_F32 && dtype != XL_DTYPE_BF16) {
        pack->kernels->convert(stage->bf16, XL_DTYPE_BF16, from, dtype, n);
        from = stage->bf16;
        dtype = XL_DTYPE_BF16;
    }
    pack->kernels->convert(to, wanted, from, dtype, n);
}

/* [n, taps] to [taps, n] */
static void split_taps(void *to, const void *from, size_t size, int64_t n, int64_t taps) {
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t i = 0; i < n; i++)
            if (size == sizeof(uint16_t))
                ((uint16_t *)to)[tap * n + i] = ((const uint16_t *)from)[i * taps + tap];
            else
                ((float *)to)[tap * n + i] = ((const float *)from)[i * taps + tap];
}

/* n channels from src on into `to` [taps, n]. */
static void stage_row(const struct xl_pack *pack, const struct entry *entry, const void *src,
                      int64_t n, struct stage *stage, void *to) {
    struct taps taps = taps_of(entry);
    if (entry->spec.map) {
        pack->kernels->convert(stage->f32, XL_DTYPE_F32, src, entry->dtype, n * taps.read);
        split_taps(stage->by_tap, stage->f32, sizeof(float), n, taps.read);
        for (int64_t k = 0; k < taps.written; k++)
            pack->kernels->mix(stage->mapped + k * n, stage->by_tap, n,
                               entry->spec.map + k * taps.read, taps.read);
        convert(pack, entry, to, stage->mapped, XL_DTYPE_F32, n * taps.written, stage);
    } else if (taps.read > 1) {
        size_t size = xl_dtype_size(xl_dnn_prototype_dtype(entry->spec.last));
        convert(pack, entry, stage->f32, src, entry->dtype, n * taps.read, stage);
        split_taps(to, stage->f32, size, n, taps.read);
    } else {
        convert(pack, entry, to, src, entry->dtype, n, stage);
    }
}

/* Where a row and those after it go. */
struct target {
    const struct xl_dnn_layout *layout;
    unsigned char *data;
    size_t set_bytes;
    int64_t o; /* within the chunk */
    int64_t n; /* rows that lie side by side, at most STAGE_ROWS */
    int64_t spacing;
};

static struct target target_of(const struct entry *entry, int64_t row, int64_t last) {
    int64_t chunk = row / entry->spec.chunk;
    bool is_last = chunk == entry->packed.n_chunks - 1;
    const struct xl_dnn_prototype *prototype = is_last ? entry->spec.last : entry->spec.whole;
    const struct xl_dnn_layout *layout = xl_dnn_prototype_layout(prototype);
    struct target target = {
        .layout = layout,
        .data = entry->data + (size_t)chunk * entry->chunk_bytes,
        .set_bytes = round_up(layout->bytes),
        .o = row % entry->spec.chunk,
        .n = 1,
        .spacing = xl_dnn_prototype_dtype(prototype) == XL_DTYPE_BF16 ? 2 : 1,
    };
    int64_t most = last - row < STAGE_ROWS ? last - row : STAGE_ROWS;
    const int64_t *o = layout->o + target.o;
    while (target.n < most && target.o + target.n < layout->n_o &&
           o[target.n] == o[0] + target.n * target.spacing)
        target.n++;
    return target;
}

/* Whether 4-byte units can be moved: f32, or pairs of bf16 channels that stay together. */
static bool has_units(const struct target *target, int64_t first, int64_t n) {
    if (target->spacing == 1) return true;
    const int64_t *c = target->layout->c + first;
    if (target->layout->o[target->o] % 2 || n % 2) return false;
    for (int64_t k = 0; k < target->layout->n_taps; k++)
        if (target->layout->tap[k] % 2) return false;
    for (int64_t i = 0; i < n; i += 2)
        if (c[i] % 2 || c[i + 1] != c[i] + 1) return false;
    return true;
}

static void scatter(const struct target *target, unsigned char *set, int64_t tap,
                    const struct stage *stage, int64_t at, int64_t first, int64_t n) {
    const struct xl_dnn_layout *layout = target->layout;
    for (int64_t r = 0; r < target->n; r++) {
        int64_t base = layout->o[target->o + r] + layout->tap[tap];
        const void *from = stage->ready[r];
        for (int64_t i = 0; i < n; i++)
            if (target->spacing == 2)
                ((uint16_t *)(void *)set)[base + layout->c[first + i]] =
                    ((const uint16_t *)from)[at + i];
            else
                ((float *)(void *)set)[base + layout->c[first + i]] = ((const float *)from)[at + i];
    }
}

/* The staged rows, n channels from `first` on, to where they belong. */
static void put(const struct xl_pack *pack, const struct target *target, int64_t n_sets,
                const struct stage *stage, int64_t first, int64_t n) {
    const struct xl_dnn_layout *layout = target->layout;
    bool turns = has_units(target, first, n);
    for (int64_t k = 0; k < layout->n_taps * n_sets; k++) {
        unsigned char *set = target->data + (size_t)(k / layout->n_taps) * target->set_bytes;
        int64_t tap = k % layout->n_taps, base = layout->o[target->o] + layout->tap[tap];
        if (!turns) {
            scatter(target, set, tap, stage, k * n, first, n);
            continue;
        }
        struct xl_turn turn = {
            .dst = (uint32_t *)(void *)set + base / target->spacing,
            .to = layout->c + first,
            .spacing = target->spacing,
            .src = (const uint32_t *)(const void *)stage->ready + k * n / target->spacing,
            .stride = STAGE,
            .rows = target->n,
            .units = n / target->spacing,
        };
        pack->kernels->turn(&turn);
    }
}

/* Rows that lie side by side once packed go together: they fill whole cache lines. */
static void pack_rows(const struct xl_pack *pack, const struct entry *entry, int64_t first,
                      int64_t last) {
    struct stage stage;
    struct taps taps = taps_of(entry);
    int64_t n_c = xl_dnn_prototype_layout(entry->spec.last)->n_c;
    int64_t most = taps.written > taps.read ? taps.written : taps.read, at_once = STAGE / most;
    assert(at_once > 0);
    if (at_once > 32) at_once = at_once / 32 * 32;
    for (int64_t row = first; row < last;) {
        struct target target = target_of(entry, row, last);
        for (int64_t c = 0; c < n_c; c += at_once) {
            int64_t n = n_c - c < at_once ? n_c - c : at_once;
            for (int64_t r = 0; r < target.n; r++)
                stage_row(pack, entry,
                          row_of(entry, row + r) +
                              (size_t)(c * taps.read) * xl_dtype_size(entry->dtype),
                          n, &stage, stage.ready[r]);
            put(pack, &target, entry->spec.n_sets, &stage, c, n);
        }
        row += target.n;
    }
}

/* --- Flushing -------------------------------------------------------------------------------- */

/* Pending entries in the order of asking; those first .. last - 1 are being packed. */
struct batch {
    const struct xl_pack *pack;
    struct entry **entries;
    int first, last;
    int64_t *first_task; /* by entry, within its batch */
    size_t bytes;        /* of the batch, in the file */
};

static int64_t rows_of_task(const struct entry *entry) {
    int64_t rows = BLOCK_NUMBERS / entry->length / STAGE_ROWS * STAGE_ROWS;
    return rows < STAGE_ROWS ? STAGE_ROWS : rows;
}

static int64_t tasks_of(const struct entry *entry) {
    return (entry->rows + rows_of_task(entry) - 1) / rows_of_task(entry);
}

static void run_task(void *user, int64_t task, int worker) {
    const struct batch *batch = user;
    int i = batch->last - 1;
    while (batch->first_task[i] > task) i--;
    const struct entry *entry = batch->entries[i];
    int64_t rows = rows_of_task(entry), first = (task - batch->first_task[i]) * rows;
    int64_t last = first + rows < entry->rows ? first + rows : entry->rows;
    (void)worker;
    if (entry->kind == WEIGHTS)
        pack_rows(batch->pack, entry, first, last);
    else
        copy_rows(batch->pack, entry, first, last);
}

/* As they lie in the file. */
static size_t entry_bytes(const struct entry *entry) {
    return (size_t)(entry->rows * entry->length) * xl_dtype_size(entry->dtype);
}

/* Take as many entries as fit a batch (at least one) and pack them. */
static void run_batch(struct batch *batch, int n_entries) {
    int64_t n_tasks = 0;
    batch->bytes = 0;
    for (batch->last = batch->first; batch->last < n_entries && batch->bytes < BATCH_BYTES;
         batch->last++) {
        const struct entry *entry = batch->entries[batch->last];
        batch->first_task[batch->last] = n_tasks;
        n_tasks += tasks_of(entry);
        batch->bytes += entry_bytes(entry);
    }
    xl_pool_run(batch->pack->pool, n_tasks, run_task, batch);
}

/* A tensor of the plan and the last pending entry that reads it (-1: none). */
struct use {
    const struct xl_tensor *tensor;
    int last;
};

static int compare_uses(const void *a, const void *b) {
    uintptr_t x = (uintptr_t)((const struct use *)a)->tensor;
    uintptr_t y = (uintptr_t)((const struct use *)b)->tensor;
    return x < y ? -1 : x > y;
}

struct use_list {
    struct use *uses;
    size_t n;
};

/* Every tensor of the plan once. */
static bool find_tensors(const struct xl_plan *plan, struct use_list *list) {
    size_t n = 0;
    struct use *uses = calloc((size_t)xl_plan_n_values(plan) * XL_MAX_PARTS, sizeof *uses);
    if (!uses) return false;
    for (xl_val v = 1; v < xl_plan_n_values(plan); v++)
        for (int i = 0; i < xl_plan_value(plan, v)->n_parts; i++)
            uses[n++] = (struct use){xl_plan_value(plan, v)->parts[i], -1};
    qsort(uses, n, sizeof *uses, compare_uses);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!kept || uses[kept - 1].tensor != uses[i].tensor) uses[kept++] = uses[i];
    *list = (struct use_list){uses, kept};
    return true;
}

static void mark_last_uses(struct use_list list, struct entry *const *entries, int n_entries) {
    for (int i = 0; i < n_entries; i++) {
        const struct xl_value *weight = entries[i]->spec.weight;
        for (int part = 0; part < weight->n_parts; part++) {
            struct use key = {weight->parts[part], 0};
            struct use *use = bsearch(&key, list.uses, list.n, sizeof key, compare_uses);
            if (use) use->last = i;
        }
    }
}

/* Report the tensors whose last use lies in first .. last - 1. */
static void report(struct use_list list, int first, int last,
                   const struct xl_compile_options *options) {
    for (size_t i = 0; options->weight_done && i < list.n; i++)
        if (list.uses[i].last >= first && list.uses[i].last < last)
            options->weight_done(options->user, list.uses[i].tensor);
}

static enum xl_status run_batches(struct batch *batch, int n_entries, struct use_list list,
                                  struct xl_reader *reader,
                                  const struct xl_compile_options *options, struct xl_err *err) {
    for (batch->first = 0; batch->first < n_entries; batch->first = batch->last) {
        if (options->tick && !options->tick(options->user))
            return xl_fail(err, XL_ECANCELLED, "interrupted while reading weights");
        run_batch(batch, n_entries);
        xl_reader_advance(reader, batch->bytes);
        report(list, batch->first, batch->last, options);
    }
    return XL_OK;
}

/* The parts of all entries in the order of packing, for the reader; NULL: too few or no memory. */
static struct xl_reading *list_readings(struct entry *const *entries, int n_entries, int *n) {
    size_t bytes = 0;
    for (int i = 0; i < n_entries; i++) bytes += entry_bytes(entries[i]);
    struct xl_reading *readings = NULL;
    *n = 0;
    if (bytes > BATCH_BYTES) readings = calloc((size_t)n_entries * XL_MAX_PARTS, sizeof *readings);
    for (int i = 0; readings && i < n_entries; i++)
        for (int part = 0; part < entries[i]->n_parts; part++) {
            const struct xl_tensor *tensor = entries[i]->spec.weight->parts[part];
            readings[(*n)++] = (struct xl_reading){
                tensor->data, (size_t)xl_shape_count(tensor->shape) * xl_dtype_size(tensor->dtype)};
        }
    return readings;
}

static enum xl_status run_with_reader(struct batch *batch, int n_entries, struct use_list list,
                                      const struct xl_compile_options *options,
                                      struct xl_err *err) {
    int n;
    struct xl_reading *readings = list_readings(batch->entries, n_entries, &n);
    struct xl_reader *reader = readings ? xl_reader_start(readings, n) : NULL;
    enum xl_status status = run_batches(batch, n_entries, list, reader, options, err);
    xl_reader_stop(reader);
    free(readings);
    return status;
}

enum xl_status xl_pack_flush(struct xl_pack *pack, const struct xl_plan *plan,
                             const struct xl_compile_options *options, struct xl_err *err) {
    int n = 0;
    for (struct entry *entry = pack->entries; entry != pack->packed; entry = entry->next) n++;
    struct batch batch = {.pack = pack,
                          .entries = calloc((size_t)n + 1, sizeof(struct entry *)),
                          .first_task = calloc((size_t)n + 1, sizeof(int64_t))};
    struct use_list list = {0};
    enum xl_status status = XL_OK;
    if (!batch.entries || !batch.first_task || !find_tensors(plan, &list)) {
        status = xl_fail_nomem(err, "packed weights", 0);
        goto cleanup;
    }
    int at = n;
    for (struct entry *entry = pack->entries; entry != pack->packed; entry = entry->next)
        batch.entries[--at] = entry;
    mark_last_uses(list, batch.entries, n);
    report(list, -1, 0, options);
    status = run_with_reader(&batch, n, list, options, err);

cleanup:
    if (status) {
        xl_pack_forget(pack);
    } else {
        pack->packed = pack->entries;
        pack->packed_slab = pack->slabs;
        pack->packed_used = pack->slabs ? pack->slabs->used : 0;
    }
    free(batch.entries);
    free(batch.first_task);
    free(list.uses);
    return status;
}
