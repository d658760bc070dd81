/* ops_cuda_check.c - the ops of the GPU backend, without Criterion and the libraries of a
 * distribution, for machines that have a GPU and little else.
 * usage: ops_cuda_check [--kind NAME] [--dtype f32|f16|bf16] [--device N] [--large]
 *
 * Every case of the table in every dtype against the reference backend, or with --large those of
 * SDXL's sizes at 1024 x 1024. A line a failure, then "N passed, N failed". */
#include "op/op_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct settings {
    const char *kind, *dtype;
    int device;
    bool is_large;
};

struct counts {
    int passed, failed;
};

static enum xl_status check(const struct op_case *op_case, struct op_dtypes dtypes,
                            struct xl_backend *backend, struct counts *counts) {
    char name[OP_CASE_TEXT];
    struct xl_err err = {0};
    struct op_verdict verdict = {.agrees = false};
    enum xl_status status = op_check(op_case, dtypes, backend, &verdict, &err);
    xl_backend_release(backend, SIZE_MAX);
    if (verdict.agrees) {
        counts->passed++;
        return status;
    }
    counts->failed++;
    printf("FAIL %s, weights %s, activations %s: ", op_case_name(op_case, name),
           xl_dtype_name(dtypes.weight), xl_dtype_name(dtypes.act));
    if (status)
        printf("%s\n", err.text);
    else
        printf(OP_ERROR "\n", OP_ERROR_ARGS(verdict.error));
    fflush(stdout);
    return status;
}

/* At real sizes weights have the dtype of the activations. */
static enum xl_status check_dtypes(const struct op_case *op_case, const struct settings *settings,
                                   struct xl_backend *backend, struct counts *counts) {
    static const enum xl_dtype dtypes[] = {XL_DTYPE_F32, XL_DTYPE_F16, XL_DTYPE_BF16};
    for (int act = 0; act < 3; act++) {
        if (settings->dtype && strcasecmp(settings->dtype, xl_dtype_name(dtypes[act]))) continue;
        for (int weight = 0; weight < 3; weight++) {
            if (settings->is_large && weight != act) continue;
            struct op_dtypes both = {dtypes[act], dtypes[weight]};
            enum xl_status status = check(op_case, both, backend, counts);
            if (status == XL_EDEVICE) return status; /* nothing after it can pass */
        }
    }
    return XL_OK;
}

static bool parse(int argc, char **argv, struct settings *out) {
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(argv[i], "--large")) {
            out->is_large = true;
            continue;
        }
        if (!value) return false;
        if (!strcmp(argv[i], "--kind"))
            out->kind = value;
        else if (!strcmp(argv[i], "--dtype"))
            out->dtype = value;
        else if (!strcmp(argv[i], "--device"))
            out->device = atoi(value);
        else
            return false;
        i++;
    }
    return true;
}

int main(int argc, char **argv) {
    struct settings settings = {.device = 0};
    struct counts counts = {0, 0};
    struct xl_backend *backend = NULL;
    struct xl_err err = {0};
    if (!parse(argc, argv, &settings)) {
        fprintf(stderr, "usage: ops_cuda_check [--kind NAME] [--dtype f32|f16|bf16] [--device N] "
                        "[--large]\n");
        return 2;
    }
    enum xl_status status = xl_backend_cuda(settings.device, &backend, &err);
    if (status) {
        fprintf(stderr, "ops_cuda_check: %s\n", err.text);
        return 1;
    }
    printf("%s; %s\n", xl_backend_isa(backend), xl_backend_libraries(backend));
    unsigned wanted = settings.is_large ? LARGE : 0;
    for (int i = 0; !status && i < n_op_cases; i++) {
        if ((op_cases[i].with & REAL) != wanted) continue;
        if (settings.kind && strcmp(settings.kind, xl_op_name(op_cases[i].op.kind))) continue;
        status = check_dtypes(&op_cases[i], &settings, backend, &counts);
    }
    xl_backend_free(backend);
    printf("%d passed, %d failed\n", counts.passed, counts.failed);
    return counts.failed || status ? 1 : 0;
}
