/* store_fill.c - bringing a group of weights to the device, one after the other, while a reader has
 * the next pages of the files come in; and telling the owner of a tensor when it has been read. */
#include "backend/cuda/deltas.h"
#include "backend/cuda/pack.h"
#include "backend/cuda/store_entry.h"
#include "backend/tensor_uses.h"
#include "base/read_ahead.h"

#include <stdlib.h>

enum { PIECE_BYTES = XL_CUDA_UPLOAD_BYTES / 2 };

static bool is_as_it_lies(const struct xl_cuda_key *key) {
    return key->from == key->to && key->taps == 1 && key->to_row_length == key->columns;
}

static unsigned char *row_of(const struct xl_cuda_entry *entry, int64_t row) {
    size_t size = xl_dtype_size((enum xl_dtype)entry->key.to);
    return entry->held.data + (size_t)(row * entry->key.to_row_length) * size;
}

/* Rows of the entry from `row` on, of numbers on the device that lie as in the file. */
static enum xl_status pack_rows(struct xl_cuda_upload *upload, const struct xl_cuda_entry *entry,
                                int64_t row, int64_t n_rows, const void *from, enum xl_dtype dtype,
                                struct xl_err *err) {
    const struct xl_cuda_key *key = &entry->key;
    struct xl_cuda_packing packing = {.from = from,
                                      .from_dtype = dtype,
                                      .to_dtype = (enum xl_dtype)key->to,
                                      .rows = n_rows,
                                      .columns = key->columns,
                                      .taps = key->taps,
                                      .to_length = key->to_row_length,
                                      .is_folded = key->is_folded};
    if (key->to == XL_DTYPE_U8)
        packing.scales = (float *)(void *)(entry->held.data + xl_cuda_entry_scales(key)) + row;
    bool ok = true;
    for (int folds = key->is_folded ? XL_CUDA_FOLDS : 1; ok && packing.fold < folds;
         packing.fold++) {
        packing.to = row_of(entry, packing.fold * key->rows + row);
        ok = xl_cuda_pack(&packing, xl_cuda_upload_stream(upload));
    }
    return ok ? XL_OK : xl_cuda_fail(err, cudaErrorLaunchFailure, "pack weights");
}

static enum xl_status fill_plain(struct xl_cuda_upload *upload, const struct xl_cuda_entry *entry,
                                 const struct xl_tensor *tensor, int64_t row, struct xl_err *err) {
    int64_t rows = tensor->shape.dim[0], length = xl_shape_count(tensor->shape) / rows;
    int64_t n = PIECE_BYTES / (length * (int64_t)xl_dtype_size(tensor->dtype));
    bool is_direct = is_as_it_lies(&entry->key);
    enum xl_status status = XL_OK;
    if (n < 1) n = 1;
    for (int64_t first = 0; !status && first < rows; first += n) {
        if (n > rows - first) n = rows - first;
        void *at = is_direct ? row_of(entry, row + first) : NULL;
        status = xl_cuda_upload(upload, tensor, first * length, n * length, &at, err);
        if (!status && !is_direct)
            status = pack_rows(upload, entry, row + first, n, at, tensor->dtype, err);
    }
    return status;
}

static enum xl_status fill_with_deltas(struct xl_cuda_upload *upload,
                                       const struct xl_cuda_entry *entry,
                                       const struct xl_weight_part *part, int64_t row,
                                       struct xl_err *err) {
    cudaStream_t stream = xl_cuda_upload_stream(upload);
    int64_t n = xl_shape_count(part->tensor->shape);
    float *both = NULL; /* the weight, and its sum with the deltas */
    cudaError_t error = cudaMallocAsync((void **)&both, 2 * (size_t)n * sizeof *both, stream);
    if (error) return xl_cuda_fail(err, error, "apply a LoRA");
    enum xl_status status = xl_cuda_upload_f32(upload, part->tensor, both, err);
    if (!status) status = xl_cuda_add_deltas(upload, part, both, both + n, err);
    if (!status)
        status =
            pack_rows(upload, entry, row, part->tensor->shape.dim[0], both + n, XL_DTYPE_F32, err);
    cudaFreeAsync(both, stream);
    return status;
}

static enum xl_status fill_entry(struct xl_cuda_upload *upload, const struct xl_cuda_entry *entry,
                                 struct xl_err *err) {
    const struct xl_cuda_key *key = &entry->key;
    enum xl_status status = XL_OK;
    int64_t row = 0;
    for (int i = 0; !status && i < key->n_parts; i++) {
        const struct xl_weight_part *part = &entry->value->parts[i];
        status = part->n_deltas ? fill_with_deltas(upload, entry, part, row, err)
                                : fill_plain(upload, entry, part->tensor, row, err);
        row += part->tensor->shape.dim[0];
    }
    if (!status && row < key->to_rows && !key->is_folded) {
        size_t size = xl_dtype_size((enum xl_dtype)key->to);
        size_t bytes = (size_t)((key->to_rows - row) * key->to_row_length) * size;
        cudaError_t error =
            cudaMemsetAsync(row_of(entry, row), 0, bytes, xl_cuda_upload_stream(upload));
        if (error) status = xl_cuda_fail(err, error, "pack weights");
    }
    return status;
}

static size_t entry_bytes(const struct xl_cuda_entry *entry) {
    size_t bytes = 0;
    for (int i = 0; i < entry->key.n_parts; i++)
        bytes += (size_t)xl_tensor_bytes(entry->value->parts[i].tensor);
    return bytes;
}

/* The parts of all entries in the order of filling, for the reader; NULL: no memory. */
static struct xl_reading *list_readings(struct xl_held *const *list, int n, int *n_readings) {
    struct xl_reading *readings = calloc((size_t)n * XL_MAX_PARTS + 1, sizeof *readings);
    *n_readings = 0;
    for (int i = 0; readings && i < n; i++) {
        const struct xl_cuda_entry *entry = (const struct xl_cuda_entry *)list[i];
        for (int part = 0; part < entry->key.n_parts; part++) {
            const struct xl_tensor *tensor = entry->value->parts[part].tensor;
            readings[(*n_readings)++] =
                (struct xl_reading){tensor->data, (size_t)xl_tensor_bytes(tensor)};
        }
    }
    return readings;
}

static enum xl_status fill_list(struct xl_cuda_upload *upload, struct xl_held *const *list, int n,
                                const struct xl_tensor_uses *uses, struct xl_reader *reader,
                                struct xl_err *err) {
    const struct xl_compile_options *options = uses->options;
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < n; i++) {
        struct xl_cuda_entry *entry = (struct xl_cuda_entry *)list[i];
        if (options->tick && !options->tick(options->user))
            return xl_fail(err, XL_ECANCELLED, "interrupted while reading weights");
        xl_cuda_upload_take(upload);
        status = fill_entry(upload, entry, err);
        xl_cuda_upload_pass(upload);
        xl_reader_advance(reader, entry_bytes(entry));
        xl_tensor_uses_report(uses, i, i + 1);
        entry->value = NULL;
    }
    return status;
}

static enum xl_status fill(struct xl_cuda_upload *upload, const struct xl_held_group *group,
                           struct xl_tensor_uses *uses, struct xl_err *err) {
    int n = group->n_entries, n_readings = 0;
    struct xl_held **list = xl_held_list(group);
    if (!list) return xl_fail_nomem(err, "weights", 0);
    for (int i = 0; i < n; i++)
        xl_tensor_uses_mark(uses, ((struct xl_cuda_entry *)list[i])->value, i);
    xl_tensor_uses_report_unread(uses);
    struct xl_reading *readings = list_readings(list, n, &n_readings);
    struct xl_reader *reader = readings ? xl_reader_start(readings, n_readings) : NULL;
    enum xl_status status = fill_list(upload, list, n, uses, reader, err);
    xl_reader_stop(reader);
    free(readings);
    free(list);
    return status;
}

enum xl_status xl_cuda_fill_group(struct xl_cuda_upload *upload, const struct xl_held_group *group,
                                  const struct xl_plan *plan,
                                  const struct xl_compile_options *options, struct xl_err *err) {
    struct xl_tensor_uses uses;
    enum xl_status status = xl_tensor_uses_init(plan, options, &uses, err);
    if (!status && group)
        status = fill(upload, group, &uses, err);
    else if (!status)
        xl_tensor_uses_report_unread(&uses);
    xl_tensor_uses_deinit(&uses);
    return status;
}
