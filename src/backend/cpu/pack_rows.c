/* pack_rows.c - reading weights once: some rows of a tensor at a time, converted, their deltas
 * added, their taps mapped, and turned over into the product's layout.
 *
 * That is our own rather than oneDNN's reorder: that one has no fast path for bf16 layouts
 * where the CPU lacks AVX-512 (20 MB/s measured), cannot convert f16 on the way, and would need a
 * whole unpacked copy. Here the copy is a block of a few kilobytes. */
#include "backend/cpu/pack_entry.h"

#include <assert.h>

enum {
    ALIGN = 64,
    STAGE = XL_PACK_STAGE,           /* numbers of a row... */
    STAGE_ROWS = XL_PACK_STAGE_ROWS, /* ... and rows at once */
};

/* --- Rows of the weight ---------------------------------------------------------------------- */

struct xl_pack_numbers xl_pack_read(struct xl_pack_source *source, int part, int64_t first,
                                    int64_t n) {
    const struct xl_tensor *tensor = source->entry->weight->parts[part].tensor;
    const char *data = tensor->data;
    if (tensor->stored == XL_STORED_PLAIN)
        return (struct xl_pack_numbers){data + (size_t)first * xl_dtype_size(tensor->dtype),
                                        tensor->dtype};
    xl_tensor_read(tensor, first, n, source->plain);
    return (struct xl_pack_numbers){source->plain, tensor->dtype};
}

int xl_pack_part(const struct xl_pack_entry *entry, int64_t *row) {
    const struct xl_weight_part *parts = entry->weight->parts;
    int part = 0;
    while (*row >= parts[part].tensor->shape.dim[0]) *row -= parts[part++].tensor->shape.dim[0];
    return part;
}

/* Row r of a block whose deltas were added. */
static struct xl_pack_numbers read_row(struct xl_pack_source *source, struct xl_pack_block block,
                                       int64_t r) {
    const struct xl_pack_entry *entry = source->entry;
    int64_t row = block.row + r;
    int part = xl_pack_part(entry, &row);
    if (entry->deltas[part]) return (struct xl_pack_numbers){source->sum[r], XL_DTYPE_F32};
    return xl_pack_read(source, part, row * entry->key.length + block.first, block.n);
}

static void copy_rows(const struct xl_cpu_kernels *kernels, const struct xl_pack_entry *entry,
                      int64_t first, int64_t last) {
    const struct xl_pack_key *key = &entry->key;
    enum xl_dtype to = key->kind == XL_PACK_FLOATS ? XL_DTYPE_F32 : key->dtype;
    struct xl_pack_source source;
    source.kernels = kernels;
    source.entry = entry;
    struct xl_pack_block block;
    for (block.row = first; block.row < last; block.row += block.n_rows) {
        block.n_rows = last - block.row < STAGE_ROWS ? last - block.row : STAGE_ROWS;
        for (block.first = 0; block.first < key->length; block.first += block.n) {
            block.n = key->length - block.first < STAGE ? key->length - block.first : STAGE;
            xl_pack_add_deltas(&source, block);
            for (int64_t r = 0; r < block.n_rows; r++) {
                struct xl_pack_numbers from = read_row(&source, block, r);
                int64_t at = (block.row + r) * key->length + block.first;
                kernels->convert(entry->held.data + (size_t)at * xl_dtype_size(to), to, from.x,
                                 from.dtype, block.n);
            }
        }
    }
}

/* --- Into a product's layout ----------------------------------------------------------------- */

/* Taps of the weight, and of all sets of the product. */
struct taps {
    int64_t read, written;
};

static struct taps taps_of(const struct xl_pack_entry *entry) {
    const struct xl_dnn_layout *layout = xl_dnn_prototype_layout(entry->key.last);
    return (struct taps){entry->key.length / layout->n_c, layout->n_taps * entry->packed.n_sets};
}

/* Some input channels of a few rows on their way. */
struct stage {
    /* As products take them: by row, tap and channel. f32 or bf16. */
    _Alignas(ALIGN) unsigned char ready[STAGE_ROWS][STAGE * sizeof(float)];
    struct xl_pack_source source;
    float f32[STAGE], by_tap[STAGE], mapped[STAGE];
    uint16_t bf16[STAGE];
};

/* n numbers as the product takes them. */
static void convert(struct stage *stage, void *to, struct xl_pack_numbers from, int64_t n) {
    const struct xl_pack_key *key = &stage->source.entry->key;
    const struct xl_cpu_kernels *kernels = stage->source.kernels;
    enum xl_dtype wanted = xl_dnn_prototype_dtype(key->last);
    if (key->is_rounded && wanted == XL_DTYPE_F32 && from.dtype != XL_DTYPE_BF16) {
        kernels->convert(stage->bf16, XL_DTYPE_BF16, from.x, from.dtype, n);
        from = (struct xl_pack_numbers){stage->bf16, XL_DTYPE_BF16};
    }
    kernels->convert(to, wanted, from.x, from.dtype, n);
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

/* The map of the taps of n channels, by tap, into stage->mapped. */
static void map_taps(struct stage *stage, const float *map, int64_t n, struct taps taps) {
    struct xl_mix mix = {
        .out = stage->mapped,
        .by = map,
        .x = stage->by_tap,
        .m = taps.written,
        .n = n,
        .k = taps.read,
        .out_stride = n,
        .by_stride = taps.read,
        .x_stride = n,
        .panel_stride = XL_MIX_PANEL,
    };
    stage->source.kernels->mix(&mix);
}

/* Row r of a block of whole channels into stage->ready[r] [taps, n]. */
static void stage_row(struct stage *stage, struct xl_pack_block block, int64_t r) {
    const struct xl_pack_entry *entry = stage->source.entry;
    const struct xl_cpu_kernels *kernels = stage->source.kernels;
    struct taps taps = taps_of(entry);
    struct xl_pack_numbers from = read_row(&stage->source, block, r);
    int64_t n = block.n / taps.read;
    const float *map = xl_tap_map(entry->key.map);
    void *to = stage->ready[r];
    if (map) {
        kernels->convert(stage->f32, XL_DTYPE_F32, from.x, from.dtype, block.n);
        split_taps(stage->by_tap, stage->f32, sizeof(float), n, taps.read);
        map_taps(stage, map, n, taps);
        convert(stage, to, (struct xl_pack_numbers){stage->mapped, XL_DTYPE_F32}, n * taps.written);
    } else if (taps.read > 1) {
        size_t size = xl_dtype_size(xl_dnn_prototype_dtype(entry->key.last));
        convert(stage, stage->f32, from, block.n);
        split_taps(to, stage->f32, size, n, taps.read);
    } else {
        convert(stage, to, from, n);
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

static struct target target_of(const struct xl_pack_entry *entry, int64_t row, int64_t last) {
    int64_t chunk = row / entry->key.chunk;
    bool is_last = chunk == entry->packed.n_chunks - 1;
    const struct xl_dnn_prototype *prototype = is_last ? entry->key.last : entry->key.whole;
    const struct xl_dnn_layout *layout = xl_dnn_prototype_layout(prototype);
    struct target target = {
        .layout = layout,
        .data = entry->held.data + (size_t)chunk * entry->chunk_bytes,
        .set_bytes = xl_pack_align(layout->bytes),
        .o = row % entry->key.chunk,
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
static void put(const struct stage *stage, const struct target *target, int64_t first, int64_t n) {
    const struct xl_dnn_layout *layout = target->layout;
    bool turns = has_units(target, first, n);
    for (int64_t k = 0; k < layout->n_taps * stage->source.entry->packed.n_sets; k++) {
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
        stage->source.kernels->turn(&turn);
    }
}

/* Rows that lie side by side once packed go together: they fill whole cache lines. */
static void pack_rows(const struct xl_cpu_kernels *kernels, const struct xl_pack_entry *entry,
                      int64_t first, int64_t last) {
    struct stage stage;
    stage.source.kernels = kernels;
    stage.source.entry = entry;
    struct taps taps = taps_of(entry);
    int64_t n_c = xl_dnn_prototype_layout(entry->key.last)->n_c;
    int64_t most = taps.written > taps.read ? taps.written : taps.read, at_once = STAGE / most;
    assert(at_once > 0);
    if (at_once > 32) at_once = at_once / 32 * 32;
    for (int64_t row = first; row < last;) {
        struct target target = target_of(entry, row, last);
        for (int64_t c = 0; c < n_c; c += at_once) {
            int64_t n = n_c - c < at_once ? n_c - c : at_once;
            struct xl_pack_block block = {row, target.n, c * taps.read, n * taps.read};
            xl_pack_add_deltas(&stage.source, block);
            for (int64_t r = 0; r < target.n; r++) stage_row(&stage, block, r);
            put(&stage, &target, c, n);
        }
        row += target.n;
    }
}

void xl_pack_rows(const struct xl_cpu_kernels *kernels, const struct xl_pack_entry *entry,
                  int64_t first, int64_t last) {
    if (entry->key.kind == XL_PACK_WEIGHTS)
        pack_rows(kernels, entry, first, last);
    else
        copy_rows(kernels, entry, first, last);
}
