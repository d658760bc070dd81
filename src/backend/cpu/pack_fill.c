/* pack_fill.c - packing a group: some entries at a time, on all threads, while a reader has the
 * next pages of the files come in; and telling the owner of a tensor when it has been read. */
#include "backend/cpu/pack_entry.h"
#include "base/read_ahead.h"

#include <stdlib.h>

enum {
    BLOCK_NUMBERS = 1 << 16, /* numbers of a task, about */
    BATCH_BYTES = 64 << 20,  /* read between two reports; less is not worth a reader */
};

/* Entries in the order of asking; those first .. last - 1 are being packed. */
struct batch {
    const struct xl_pack_tools *tools;
    struct xl_pack_entry **entries;
    int n_entries, first, last;
    int64_t *first_task; /* by entry, within its batch */
    size_t bytes;        /* of the batch, in the file */
};

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
    const struct xl_pack_entry *entry = batch->entries[i];
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
    enum xl_status status = XL_OK;
    batch->bytes = 0;
    batch->last = batch->first;
    while (!status && batch->last < batch->n_entries && batch->bytes < BATCH_BYTES) {
        struct xl_pack_entry *entry = batch->entries[batch->last];
        batch->first_task[batch->last++] = n_tasks;
        n_tasks += tasks_of(entry);
        batch->bytes += entry_bytes(entry);
        status = xl_pack_open_deltas(batch->tools, entry, err);
    }
    if (!status) xl_pool_run(batch->tools->pool, n_tasks, run_task, batch);
    for (int i = batch->first; i < batch->last; i++) xl_pack_close_deltas(batch->entries[i]);
    return status;
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
            uses[n++] = (struct use){xl_plan_value(plan, v)->parts[i].tensor, -1};
    qsort(uses, n, sizeof *uses, compare_uses);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!kept || uses[kept - 1].tensor != uses[i].tensor) uses[kept++] = uses[i];
    *list = (struct use_list){uses, kept};
    return true;
}

static void mark_last_uses(struct use_list list, struct xl_pack_entry *const *entries,
                           int n_entries) {
    for (int i = 0; i < n_entries; i++) {
        const struct xl_value *weight = entries[i]->weight;
        for (int part = 0; part < weight->n_parts; part++) {
            struct use key = {weight->parts[part].tensor, 0};
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

static enum xl_status run_batches(struct batch *batch, struct use_list list,
                                  struct xl_reader *reader,
                                  const struct xl_compile_options *options, struct xl_err *err) {
    for (batch->first = 0; batch->first < batch->n_entries; batch->first = batch->last) {
        if (options->tick && !options->tick(options->user))
            return xl_fail(err, XL_ECANCELLED, "interrupted while reading weights");
        enum xl_status status = run_batch(batch, err);
        if (status) return status;
        xl_reader_advance(reader, batch->bytes);
        report(list, batch->first, batch->last, options);
    }
    return XL_OK;
}

/* The parts of all entries in the order of packing, for the reader; NULL: too few or no memory. */
static struct xl_reading *list_readings(const struct batch *batch, int *n) {
    size_t bytes = 0;
    for (int i = 0; i < batch->n_entries; i++) bytes += entry_bytes(batch->entries[i]);
    struct xl_reading *readings = NULL;
    *n = 0;
    if (bytes > BATCH_BYTES)
        readings = calloc((size_t)batch->n_entries * XL_MAX_PARTS, sizeof *readings);
    for (int i = 0; readings && i < batch->n_entries; i++)
        for (int part = 0; part < batch->entries[i]->key.n_parts; part++) {
            const struct xl_tensor *tensor = batch->entries[i]->weight->parts[part].tensor;
            readings[(*n)++] = (struct xl_reading){tensor->data, (size_t)xl_tensor_bytes(tensor)};
        }
    return readings;
}

static enum xl_status run_with_reader(struct batch *batch, struct use_list list,
                                      const struct xl_compile_options *options,
                                      struct xl_err *err) {
    int n;
    struct xl_reading *readings = list_readings(batch, &n);
    struct xl_reader *reader = readings ? xl_reader_start(readings, n) : NULL;
    enum xl_status status = run_batches(batch, list, reader, options, err);
    xl_reader_stop(reader);
    free(readings);
    return status;
}

enum xl_status xl_pack_fill_group(const struct xl_pack_tools *tools, struct xl_pack_group *group,
                                  const struct xl_plan *plan,
                                  const struct xl_compile_options *options, struct xl_err *err) {
    size_t n = (size_t)group->n_entries;
    struct batch batch = {.tools = tools,
                          .entries = calloc(n + 1, sizeof(struct xl_pack_entry *)),
                          .n_entries = group->n_entries,
                          .first_task = calloc(n + 1, sizeof(int64_t))};
    struct use_list list = {0};
    enum xl_status status = XL_OK;
    if (!batch.entries || !batch.first_task || !find_tensors(plan, &list)) {
        status = xl_fail_nomem(err, "packed weights", 0);
        goto cleanup;
    }
    for (struct xl_pack_entry *entry = group->entries; entry; entry = entry->next)
        batch.entries[--n] = entry;
    mark_last_uses(list, batch.entries, group->n_entries);
    report(list, -1, 0, options);
    status = run_with_reader(&batch, list, options, err);
    for (int i = 0; i < group->n_entries; i++) batch.entries[i]->weight = NULL;

cleanup:
    free(batch.entries);
    free(batch.first_task);
    free(list.uses);
    return status;
}
