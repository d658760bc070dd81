/* pack_fill.c - packing a group: some entries at a time, on all threads, while a reader has the
 * next pages of the files come in; and telling the owner of a tensor when it has been read. */
#include "backend/cpu/pack_entry.h"
#include "backend/tensor_uses.h"
#include "base/read_ahead.h"

#include <stdlib.h>

enum {
    BLOCK_NUMBERS = 1 << 16, /* numbers of a task, about */
    BATCH_BYTES = 64 << 20,  /* read between two reports; less is not worth a reader */
};

/* Entries in the order of asking; those first .. last - 1 are being packed. */
struct batch {
    const struct xl_pack_tools *tools;
    struct xl_held **entries;
    int n_entries, first, last;
    int64_t *first_task; /* by entry, within its batch */
    size_t bytes;        /* of the batch, in the file */
};

static struct xl_pack_entry *entry_of(const struct batch *batch, int i) {
    return xl_pack_entry_of(batch->entries[i]);
}

static int64_t rows_of_task(const struct xl_pack_entry *entry) {
    int64_t rows = BLOCK_NUMBERS / entry->key.length / XL_PACK_STAGE_ROWS * XL_PACK_STAGE_ROWS;
    return rows < XL_PACK_STAGE_ROWS ? XL_PACK_STAGE_ROWS : rows;
}

static int64_t tasks_of(const struct xl_pack_entry *entry) {
    return (entry->key.rows + rows_of_task(entry) - 1) / rows_of_task(entry);
}

static void run_task(void *user, int64_t task, int worker) {
    const struct batch *batch = user;
    int i = batch->last - 1;
    while (batch->first_task[i] > task) i--;
    const struct xl_pack_entry *entry = entry_of(batch, i);
    int64_t rows = rows_of_task(entry), first = (task - batch->first_task[i]) * rows;
    int64_t last = first + rows < entry->key.rows ? first + rows : entry->key.rows;
    (void)worker;
    xl_pack_rows(batch->tools->kernels, entry, first, last);
}

/* As they lie in the file. */
static size_t entry_bytes(const struct xl_pack_entry *entry) {
    return (size_t)(entry->key.rows * entry->key.length) * xl_dtype_size(entry->key.dtype);
}

/* Take as many entries as fit a batch (at least one) and pack them. */
static enum xl_status run_batch(struct batch *batch, struct xl_err *err) {
    int64_t n_tasks = 0;
    batch->bytes = 0;
    batch->last = batch->first;
    while (batch->last < batch->n_entries && batch->bytes < BATCH_BYTES) {
        struct xl_pack_entry *entry = entry_of(batch, batch->last);
        batch->first_task[batch->last++] = n_tasks;
        n_tasks += tasks_of(entry);
        batch->bytes += entry_bytes(entry);
    }
    enum xl_status status = xl_pack_open_deltas(batch->tools, batch->entries + batch->first,
                                                batch->last - batch->first, err);
    if (!status) xl_pool_run(batch->tools->pool, n_tasks, run_task, batch);
    for (int i = batch->first; i < batch->last; i++) xl_pack_close_deltas(entry_of(batch, i));
    return status;
}

static enum xl_status run_batches(struct batch *batch, const struct xl_tensor_uses *uses,
                                  struct xl_reader *reader, struct xl_err *err) {
    for (batch->first = 0; batch->first < batch->n_entries; batch->first = batch->last) {
        if (uses->options->tick && !uses->options->tick(uses->options->user))
            return xl_fail(err, XL_ECANCELLED, "interrupted while reading weights");
        enum xl_status status = run_batch(batch, err);
        if (status) return status;
        xl_reader_advance(reader, batch->bytes);
        xl_tensor_uses_report(uses, batch->first, batch->last);
    }
    return XL_OK;
}

/* The parts of all entries in the order of packing, for the reader; NULL: too few or no memory. */
static struct xl_reading *list_readings(const struct batch *batch, int *n) {
    size_t bytes = 0;
    for (int i = 0; i < batch->n_entries; i++) bytes += entry_bytes(entry_of(batch, i));
    struct xl_reading *readings = NULL;
    *n = 0;
    if (bytes > BATCH_BYTES)
        readings = calloc((size_t)batch->n_entries * XL_MAX_PARTS, sizeof *readings);
    for (int i = 0; readings && i < batch->n_entries; i++)
        for (int part = 0; part < entry_of(batch, i)->key.n_parts; part++) {
            const struct xl_tensor *tensor = entry_of(batch, i)->weight->parts[part].tensor;
            readings[(*n)++] = (struct xl_reading){tensor->data, (size_t)xl_tensor_bytes(tensor)};
        }
    return readings;
}

static enum xl_status run_with_reader(struct batch *batch, const struct xl_tensor_uses *uses,
                                      struct xl_err *err) {
    int n;
    struct xl_reading *readings = list_readings(batch, &n);
    struct xl_reader *reader = readings ? xl_reader_start(readings, n) : NULL;
    enum xl_status status = run_batches(batch, uses, reader, err);
    xl_reader_stop(reader);
    free(readings);
    return status;
}

static enum xl_status fill(const struct xl_pack_tools *tools, const struct xl_held_group *group,
                           struct xl_tensor_uses *uses, struct xl_err *err) {
    size_t n = (size_t)group->n_entries;
    struct batch batch = {.tools = tools,
                          .entries = xl_held_list(group),
                          .n_entries = group->n_entries,
                          .first_task = calloc(n, sizeof(int64_t))};
    enum xl_status status = XL_OK;
    if (!batch.entries || !batch.first_task) {
        status = xl_fail_nomem(err, "packed weights", 0);
        goto cleanup;
    }
    for (int i = 0; i < batch.n_entries; i++)
        xl_tensor_uses_mark(uses, entry_of(&batch, i)->weight, i);
    xl_tensor_uses_report_unread(uses);
    status = run_with_reader(&batch, uses, err);
    for (int i = 0; i < batch.n_entries; i++) entry_of(&batch, i)->weight = NULL;

cleanup:
    free(batch.entries);
    free(batch.first_task);
    return status;
}

enum xl_status xl_pack_fill_group(const struct xl_pack_tools *tools, struct xl_held_group *group,
                                  const struct xl_plan *plan,
                                  const struct xl_compile_options *options, struct xl_err *err) {
    struct xl_tensor_uses uses;
    enum xl_status status = xl_tensor_uses_init(plan, options, &uses, err);
    if (!status && group)
        status = fill(tools, group, &uses, err);
    else if (!status)
        xl_tensor_uses_report_unread(&uses);
    xl_tensor_uses_deinit(&uses);
    return status;
}
