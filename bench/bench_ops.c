/* bench_ops.c - how fast single ops are at SDXL's sizes, and which fraction of the device's peak
 * that is.
 * usage: bench_ops [--device cpu|cuda[:N]|reference] [--dtype f32|bf16|f16] [--threads N]
 *                  [--filter TEXT] [--large]
 *
 * The cases are those of tests/op/cases.c at SDXL's sizes: at 512 x 512, with --large at 1024 x
 * 1024. Products (linear, conv2d, attention) are compared with the multiply-adds that a CPU can do
 * between registers, and a GPU in a large square product; the other ops, by the bytes of their
 * operands and results, with a copy, and on a GPU with an activation of more numbers than its cache
 * holds. On a GPU runs are queued in rows, so that launching costs what it costs in a picture. More
 * than 100 % is possible: the numbers of a small op lie in a cache, and operations are counted as
 * the op is defined, where a backend may need fewer (an enlarged picture has equal neighbours).
 */
#include "base/clock.h"
#include "op/op_case.h"
#include "peak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct settings {
    const char *device, *dtype, *filter;
    int n_threads;
    bool is_large;
};

struct peaks {
    double flops, bandwidth;
};

/* What cases are measured with. */
struct bench {
    struct xl_backend *backend;
    enum xl_dtype dtype;
    bool is_gpu;
    struct peaks peaks;
};

static bool is_gpu(const struct settings *settings) {
    return strncmp(settings->device, "cuda", 4) == 0;
}

static enum xl_status open_backend(const struct settings *settings, struct xl_backend **out,
                                   struct xl_err *err) {
    const char *colon = strchr(settings->device, ':');
    if (is_gpu(settings)) return xl_backend_cuda(colon ? atoi(colon + 1) : 0, out, err);
    if (strcmp(settings->device, "reference") == 0) return xl_backend_reference(out, err);
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

/* Seconds of a run: of the fastest row of runs among those that fit into half a second, at least
 * one after the first. A first row of more than a second counts. */
static enum xl_status measure(struct xl_exec *exec, int64_t row, double *seconds,
                              struct xl_err *err) {
    double best = 0, total = 0;
    for (int i = 0; i < 2 || (total < 0.5 && i < 1000); i++) {
        double start = xl_now_s();
        enum xl_status status = xl_exec_run(exec, row, NULL, err);
        if (status) return status;
        double elapsed = xl_now_s() - start;
        if (i < 2 || elapsed < best) best = elapsed;
        total += elapsed;
        if (elapsed > 1) break;
    }
    *seconds = best / (double)row;
    return XL_OK;
}

static void print_row(const char *name, const struct op_instance *instance, double seconds,
                      const struct bench *bench) {
    double flops = xl_op_flops(instance->plan, instance->op);
    double bytes = op_bytes(instance->plan, instance->op);
    if (flops > 0)
        printf("%9.3f ms  %8.1f %s  %5.1f %%  %s\n", seconds * 1e3,
               flops / seconds * (bench->is_gpu ? 1e-12 : 1e-9),
               bench->is_gpu ? "TFLOP/s" : "GFLOP/s", 100 * flops / seconds / bench->peaks.flops,
               name);
    else
        printf("%9.3f ms  %8.1f GB/s     %5.1f %%  %s\n", seconds * 1e3, bytes / seconds * 1e-9,
               100 * bytes / seconds / bench->peaks.bandwidth, name);
    fflush(stdout);
}

enum { GPU_ROW = 50 }; /* runs that are queued together */

/* The instance is the caller's, also on failure. */
static enum xl_status time_case(const struct op_case *op_case, const struct bench *bench,
                                struct op_instance **instance, double *seconds,
                                struct xl_err *err) {
    struct xl_exec *exec = NULL;
    struct op_dtypes dtypes = {bench->dtype, bench->dtype};
    enum xl_status status = op_instance_new(op_case, dtypes, false, instance, err);
    if (!status) status = op_instance_compile(*instance, bench->backend, &exec, err);
    if (!status) status = measure(exec, bench->is_gpu ? GPU_ROW : 1, seconds, err);
    xl_exec_free(exec);
    xl_backend_release(bench->backend, SIZE_MAX);
    return status;
}

static enum xl_status run_case(const struct op_case *op_case, const struct settings *settings,
                               const struct bench *bench, struct xl_err *err) {
    char name[OP_CASE_TEXT];
    op_case_name(op_case, name);
    if (settings->filter && !strstr(name, settings->filter)) return XL_OK;
    struct op_instance *instance = NULL;
    double seconds = 0;
    enum xl_status status = time_case(op_case, bench, &instance, &seconds, err);
    if (!status) print_row(name, instance, seconds, bench);
    op_instance_free(instance);
    return status;
}

/* --- Yardsticks ------------------------------------------------------------------------------- */

static enum xl_status measure_gpu(struct bench *bench, struct xl_err *err) {
    static const struct op_case product = {
        .op = {.kind = XL_OP_LINEAR}, .x = {2, {8192, 8192}}, .y = {2, {8192, 8192}}};
    static const struct op_case copy = {.op = {.kind = XL_OP_ACTIVATION, .attr.act = XL_ACT_SILU},
                                        .x = {2, {16384, 8192}}};
    struct op_instance *instance = NULL;
    double seconds = 0;
    enum xl_status status = time_case(&product, bench, &instance, &seconds, err);
    if (!status) bench->peaks.flops = xl_op_flops(instance->plan, instance->op) / seconds;
    op_instance_free(instance);
    instance = NULL;
    if (!status) status = time_case(&copy, bench, &instance, &seconds, err);
    if (!status) bench->peaks.bandwidth = op_bytes(instance->plan, instance->op) / seconds;
    op_instance_free(instance);
    return status;
}

static enum xl_status measure_cpu(struct bench *bench, struct xl_err *err) {
    struct xl_pool *pool = NULL;
    enum xl_status status = xl_pool_new(xl_backend_n_threads(bench->backend), NULL, &pool, err);
    if (!status)
        bench->peaks = (struct peaks){peak_flops(pool, bench->dtype), peak_bandwidth(pool)};
    xl_pool_free(pool);
    return status;
}

static bool parse(int argc, char **argv, struct settings *out) {
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--large") == 0) {
            out->is_large = true;
            i--;
            continue;
        }
        if (!value) return false;
        if (strcmp(argv[i], "--device") == 0)
            out->device = value;
        else if (strcmp(argv[i], "--dtype") == 0)
            out->dtype = value;
        else if (strcmp(argv[i], "--filter") == 0)
            out->filter = value;
        else if (strcmp(argv[i], "--threads") == 0 && atoi(value) > 0)
            out->n_threads = atoi(value);
        else
            return false;
    }
    bool is_dtype = !out->dtype || strcmp(out->dtype, "f32") == 0 ||
                    strcmp(out->dtype, "bf16") == 0 || strcmp(out->dtype, "f16") == 0;
    return is_dtype && (is_gpu(out) || strcmp(out->device, "cpu") == 0 ||
                        strcmp(out->device, "reference") == 0);
}

/* The program's own choice when none is asked for. */
static enum xl_dtype choose_dtype(const struct settings *settings, struct xl_backend *backend) {
    static const enum xl_dtype order[] = {XL_DTYPE_F16, XL_DTYPE_BF16, XL_DTYPE_F32};
    for (int i = 0; i < 2; i++) {
        bool is_asked = settings->dtype && !strcasecmp(settings->dtype, xl_dtype_name(order[i]));
        if (is_asked || (!settings->dtype && xl_backend_is_native(backend, order[i])))
            return order[i];
    }
    return XL_DTYPE_F32;
}

static enum xl_status bench_all(const struct settings *settings, struct bench *bench,
                                struct xl_err *err) {
    enum xl_status status = open_backend(settings, &bench->backend, err);
    if (status) return status;
    bench->is_gpu = is_gpu(settings);
    bench->dtype = choose_dtype(settings, bench->backend);
    status = xl_backend_check_dtype(bench->backend, bench->dtype, err);
    if (!status) status = bench->is_gpu ? measure_gpu(bench, err) : measure_cpu(bench, err);
    if (status) return status;
    printf("%s (%s%s%s), %d threads, %s; peak %.1f GFLOP/s, copy %.1f GB/s\n",
           xl_backend_name(bench->backend), xl_backend_isa(bench->backend),
           bench->is_gpu ? "; " : "", bench->is_gpu ? xl_backend_libraries(bench->backend) : "",
           xl_backend_n_threads(bench->backend), xl_dtype_name(bench->dtype),
           bench->peaks.flops * 1e-9, bench->peaks.bandwidth * 1e-9);
    unsigned wanted = settings->is_large ? LARGE : BENCH;
    for (int i = 0; !status && i < n_op_cases; i++)
        if (op_cases[i].with & wanted) status = run_case(&op_cases[i], settings, bench, err);
    return status;
}

int main(int argc, char **argv) {
    struct settings settings = {.device = "cpu"};
    struct bench bench = {.backend = NULL};
    struct xl_err err = {0};
    if (!parse(argc, argv, &settings)) {
        fprintf(stderr, "usage: bench_ops [--device cpu|cuda[:N]|reference] [--dtype f32|bf16|f16] "
                        "[--threads N] [--filter TEXT] [--large]\n");
        return 2;
    }
    enum xl_status status = bench_all(&settings, &bench, &err);
    xl_backend_free(bench.backend);
    if (status) fprintf(stderr, "bench_ops: %s\n", err.text);
    return status ? 1 : 0;
}
