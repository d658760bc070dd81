/* bench_stages.c - where the time of a picture goes: loading, text, one guided UNet step, decoding.
 * usage: bench_stages --model DIR [--size PIXELS] [--steps N] [--dtype auto|f32|bf16] [--threads N]
 *
 * Operations are counted from the plans (a multiplication and an addition are two). The first run
 * reads the weights; a second run of the same shape gives the times, so loading is not in them.
 * Reading is reported as it was: warm when the files are in the page cache.
 */
#include "base/clock.h"
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct settings {
    const char *model, *dtype;
    int size, steps, threads;
};

/* Time spent in loading, and between the evaluations of the second run. */
struct clock_hand {
    enum xl_phase last_phase;
    double last_s, load_s, first_step_s, last_step_s;
};

static bool watch(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct clock_hand *hand = user;
    double now = xl_now_s();
    if (total < 0) return true;
    if (phase == XL_PHASE_LOAD) hand->load_s += now - hand->last_s;
    if (phase == XL_PHASE_SAMPLE && done == 0) hand->first_step_s = now;
    if (phase == XL_PHASE_SAMPLE) hand->last_step_s = now;
    hand->last_phase = phase;
    hand->last_s = now;
    return true;
}

static double plan_flops(enum xl_status status, struct xl_plan *plan) {
    double flops = status ? 0 : xl_plan_flops(plan);
    if (!status) xl_plan_free(plan);
    return flops;
}

static double unet_flops(const struct xl_model *model, int latent) {
    struct xl_unet_shape shape = {2, latent, latent, model->n_tokens, XL_DTYPE_F32};
    struct xl_unet_io io;
    struct xl_plan *plan = NULL;
    enum xl_status status =
        xl_unet_build(&model->unet, xl_model_source(model, XL_UNET), shape, &io, &plan, NULL);
    return plan_flops(status, plan);
}

static double vae_flops(const struct xl_model *model, int latent) {
    struct xl_vae_shape shape = {1, latent, latent, XL_DTYPE_F32};
    struct xl_vae_io io;
    struct xl_plan *plan = NULL;
    enum xl_status status =
        xl_vae_build_decoder(&model->vae, xl_model_source(model, XL_VAE), shape, &io, &plan, NULL);
    return plan_flops(status, plan);
}

static void print_row(const char *stage, double seconds, double flops) {
    printf("%-22s %9.3f s", stage, seconds);
    if (flops > 0) printf("  %8.3f TFLOP  %8.1f GFLOP/s", flops / 1e12, flops / seconds / 1e9);
    printf("\n");
}

static enum xl_status measure(const struct settings *settings, struct xl_err *err) {
    struct clock_hand hand = {.last_s = xl_now_s()};
    double start_s = hand.last_s;
    struct xl_model_params params;
    struct xl_model *model;
    xl_model_params_default(&params);
    params.model = settings->model;
    params.n_threads = settings->threads;
    params.progress = watch;
    params.progress_user = &hand;
    if (!strcmp(settings->dtype, "f32")) params.precision = XL_PRECISION_F32;
    if (!strcmp(settings->dtype, "bf16")) params.precision = XL_PRECISION_BF16;
    enum xl_status status = xl_model_open(&params, &model, err);
    if (status) return status;

    struct xl_request request;
    struct xl_result result = {0};
    xl_request_default(&request);
    request.prompt = "a lighthouse on a cliff at dusk, oil painting";
    request.negative = "blurry, low quality";
    request.width = request.height = settings->size;
    request.steps = 1;
    struct xl_need need;
    double need_s = xl_now_s();
    status = xl_model_need(model, &request, &need, err);
    start_s += need_s = xl_now_s() - need_s; /* no part of drawing */
    if (!status) status = xl_generate(model, &request, &result, err);
    double load_s = hand.load_s, first_s = xl_now_s() - start_s;
    xl_result_free(&result);
    request.steps = settings->steps;
    request.prompt = "a second prompt, so that it is encoded anew";
    if (!status) status = xl_generate(model, &request, &result, err);
    if (!status) {
        int latent = settings->size / xl_vae_scale(&model->vae);
        double step_s = (hand.last_step_s - hand.first_step_s) / result.n_evaluations;
        printf("%s, %s, %d threads, %s weights, %d x %d, guidance on\n",
               xl_backend_isa(model->backend), xl_dtype_name(model->act_dtype),
               xl_backend_n_threads(model->backend),
               xl_dtype_name(xl_weights_main_dtype(model->weights[XL_UNET])), settings->size,
               settings->size);
        double gigabytes = (double)model->load_total / 1e9;
        printf("%-22s %9.3f s  %8.2f GB read and packed  %8.2f GB/s\n", "loading", load_s,
               gigabytes, gigabytes / load_s);
        print_row("first picture, 1 step", first_s, 0);
        print_row("one prompt", result.encode_s, 0);
        print_row("UNet step (2 samples)", step_s, unet_flops(model, latent));
        print_row("VAE decoding", result.decode_s, vae_flops(model, latent));
        printf("%-22s %9.3f s  weights %.2f GB, work %.2f GB (%.2f in tiles, at least %.2f)\n",
               "telling the need", need_s, (double)need.weight_bytes / 1e9,
               (double)need.work_bytes / 1e9, (double)need.tiled_bytes / 1e9,
               (double)need.least_bytes / 1e9);
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        printf("%-22s %9.2f GB\n", "peak memory", (double)usage.ru_maxrss * 1024 / 1e9);
    }
    xl_result_free(&result);
    xl_model_close(model);
    return status;
}

int main(int argc, char **argv) {
    struct settings settings = {NULL, "auto", 512, 2, 0};
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (!strcmp(argv[i], "--model"))
            settings.model = value;
        else if (!strcmp(argv[i], "--dtype"))
            settings.dtype = value;
        else if (!strcmp(argv[i], "--size"))
            settings.size = atoi(value);
        else if (!strcmp(argv[i], "--steps"))
            settings.steps = atoi(value);
        else if (!strcmp(argv[i], "--threads"))
            settings.threads = atoi(value);
        else
            settings.model = NULL, i = argc;
    }
    if (!settings.model || settings.size < 8 || settings.steps < 1 || argc % 2 == 0) {
        fprintf(stderr, "usage: bench_stages --model DIR [--size PIXELS] [--steps N] "
                        "[--dtype auto|f32|bf16] [--threads N]\n");
        return 2;
    }
    struct xl_err err = {0};
    enum xl_status status = measure(&settings, &err);
    if (status) fprintf(stderr, "bench_stages: %s\n", err.text);
    return status ? 1 : 0;
}
