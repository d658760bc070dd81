/* bench_open.c - what opening a model costs before anything is drawn: the same model as a folder
 * and as one file. usage: bench_open MODEL... */
#include "base/clock.h"
#include "sdxl/sdxl.h"

#include <stdio.h>

enum { TIMES = 7 };

/* The best of several: what remains is the program's own. */
static enum xl_status open_model(const char *path, double *best_s, struct xl_err *err) {
    struct xl_model_params params;
    xl_model_params_default(&params);
    params.model = path;
    params.is_brief = true; /* headers and configurations alone */
    *best_s = 1e9;
    for (int i = 0; i < TIMES; i++) {
        struct xl_model *model;
        double start_s = xl_now_s();
        enum xl_status status = xl_model_open(&params, &model, err);
        if (status) return status;
        double took_s = xl_now_s() - start_s;
        if (took_s < *best_s) *best_s = took_s;
        xl_model_close(model);
    }
    return XL_OK;
}

int main(int argc, char **argv) {
    printf("%-48s %10s\n", "opening", "best of 7");
    for (int i = 1; i < argc; i++) {
        struct xl_err err = {0};
        double best_s;
        if (open_model(argv[i], &best_s, &err)) {
            fprintf(stderr, "bench_open: %s\n", err.text);
            return 1;
        }
        printf("%-48s %7.1f ms\n", argv[i], best_s * 1e3);
    }
    return 0;
}
