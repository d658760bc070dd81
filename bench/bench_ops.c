/* bench_ops.c - how fast single ops are at SDXL's sizes, and which fraction of the machine's peak
 * that is.
 * usage: bench_ops [--backend cpu|reference] [--dtype f32|bf16] [--threads N] [--filter TEXT]
 *
 * The cases are those of tests/op/cases.c that are marked for benchmarks. Products (linear, conv2d,
 * attention) are compared with the multiply-adds that the CPU can do between registers, the other
 * ops, by the bytes of their operands and results, with a copy. More than 100 % is possible: the
 * numbers of a small op lie in a cache, and operations are counted as the op is defined, where a
 * backend may need fewer (an enlarged picture has equal neighbours).
 */
#include "base/clock.h"
#include "op/op_case.h"
#include "peak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    const char *backend, *dtype, *filter;
    int n_threads;
};

struct peaks {
    double flops, bandwidth;
};

static enum xl_status open_backend(const struct settings *settings, struct xl_backend **out,
                                   struct xl_err *err) {
    if (strcmp(settings->backend, "reference") == 0) return xl_backend_reference(out, err);
    return xl_backend_cpu(settings->n_threads, out, err);
}

/* The bytes that the op must read and write at least. */
static double op_bytes(const struct xl_plan *plan, const struct xl_op *op) {
    double bytes = 0;
    for (int i = -1; i < XL_MAX_OPERANDS; i++) {
        xl_val v = i < 0 ? op->out : op->in[i];
        if (!v) continue;
        const struct xl_value *value = xl_plan_value(plan, v);
        bytes += (double)xl_shape_count(value->shape) * (double)xl_dtype_size(value->dtype);
    }
    return bytes;
}

/* The shortest of the runs that fit into half a second, at least one after the first. A first run
 * of more than a second counts. */
static enum xl_status measure(struct xl_exec *exec, double *seconds, struct xl_err *err) {
    double best = 0, total = 0;
    for (int i = 0; i < 2 || (total < 0.5 && i < 1000); i++) {
        double start = xl_now_s();
        enum xl_status status = xl_exec_run(exec, 1, NULL, err);
        if (status) return status;
        double elapsed = xl_now_s() - start;
        if (i < 2 || elapsed < best) best = elapsed;
        total += elapsed;
        if (elapsed > 1) break;
    }
    *seconds = best;
    return XL_OK;
}

static void print_row(const char *name, const struct op_instance *instance, double seconds,
                      struct peaks peaks) {
    double flops = xl_op_flops(instance->plan, instance->op);
    double bytes = op_bytes(instance->plan, instance->op);
    if (flops > 0)
        printf("%9.3f ms  %8.1f GFLOP/s  %5.1f %%  %s\n", seconds * 1e3, flops / seconds * 1e-9,
               100 * flops / seconds / peaks.flops, name);
    else
        printf("%9.3f ms  %8.1f GB/s     %5.1f %%  %s\n", seconds * 1e3, bytes / seconds * 1e-9,
               100 * bytes / seconds / peaks.bandwidth, name);
    fflush(stdout);
}

static enum xl_status run_case(const struct op_case *op_case, const struct settings *settings,
                               enum xl_dtype dtype, struct peaks peaks, struct xl_err *err) {
    char name[OP_CASE_TEXT];
    op_case_name(op_case, name);
    if (settings->filter && !strstr(name, settings->filter)) return XL_OK;
    struct op_instance *instance = NULL;
    struct xl_backend *backend = NULL;
    struct xl_exec *exec = NULL;
    double seconds = 0;
    enum xl_status status =
        op_instance_new(op_case, (struct op_dtypes){dtype, dtype}, false, &instance, err);
    if (!status) status = open_backend(settings, &backend, err);
    if (!status) status = op_instance_compile(instance, backend, &exec, err);
    if (!status) status = measure(exec, &seconds, err);
    if (!status) print_row(name, instance, seconds, peaks);
    xl_exec_free(exec);
    xl_backend_free(backend);
    op_instance_free(instance);
    return status;
}

static bool parse(int argc, char **argv, struct settings *out) {
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!value) return false;
        if (strcmp(argv[i], "--backend") == 0)
            out->backend = value;
        else if (strcmp(argv[i], "--dtype") == 0)
            out->dtype = value;
        else if (strcmp(argv[i], "--filter") == 0)
            out->filter = value;
        else if (strcmp(argv[i], "--threads") == 0 && atoi(value) > 0)
            out->n_threads = atoi(value);
        else
            return false;
    }
    bool is_backend = strcmp(out->backend, "cpu") == 0 || strcmp(out->backend, "reference") == 0;
    bool is_dtype = !out->dtype || strcmp(out->dtype, "f32") == 0 ||
                    strcmp(out->dtype, "bf16") == 0;
    return is_backend && is_dtype;
}

/* The backend's own choice when none is asked for: bf16 where the CPU has instructions for it. */
static enum xl_dtype choose_dtype(const struct settings *settings, struct xl_backend *backend) {
    if (settings->dtype) return settings->dtype[0] == 'b' ? XL_DTYPE_BF16 : XL_DTYPE_F32;
    return xl_backend_is_native(backend, XL_DTYPE_BF16) ? XL_DTYPE_BF16 : XL_DTYPE_F32;
}

int main(int argc, char **argv) {
    struct settings settings = {.backend = "cpu"};
    struct xl_err err = {0};
    if (!parse(argc, argv, &settings)) {
        fprintf(stderr, "usage: bench_ops [--backend cpu|reference] [--dtype f32|bf16] "
                        "[--threads N] [--filter TEXT]\n");
        return 2;
    }
    struct xl_backend *backend = NULL;
    struct xl_pool *pool = NULL;
    enum xl_status status = open_backend(&settings, &backend, &err);
    if (!status) status = xl_pool_new(xl_backend_n_threads(backend), NULL, &pool, &err);
    if (!status) {
        enum xl_dtype dtype = choose_dtype(&settings, backend);
        struct peaks peaks = {peak_flops(pool, dtype), peak_bandwidth(pool)};
        printf("backend %s (%s), %d threads, %s; peak %.1f GFLOP/s, copy %.1f GB/s\n",
               xl_backend_name(backend), xl_backend_isa(backend), xl_backend_n_threads(backend),
               xl_dtype_name(dtype), peaks.flops * 1e-9, peaks.bandwidth * 1e-9);
        for (int i = 0; !status && i < n_op_cases; i++)
            if (op_cases[i].with & BENCH)
                status = run_case(&op_cases[i], &settings, dtype, peaks, &err);
    }
    xl_pool_free(pool);
    xl_backend_free(backend);
    if (status) fprintf(stderr, "bench_ops: %s\n", err.text);
    return status ? 1 : 0;
}
