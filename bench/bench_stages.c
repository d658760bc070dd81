/* bench_stages.c - where the time of a picture goes: loading, text, one guided UNet step, decoding.
 * usage: bench_stages --model DIR [--size PIXELS] [--batch N] [--steps N] [--threads N]
 *                     [--device auto|cpu|cuda[:N]|reference] [--dtype auto|f32|bf16|f16|f8]
 *                     [--latents-every N]
 *
 * Operations are counted from the plans (a multiplication and an addition are two). The first run
 * reads the weights; a second run of the same shape gives the times, so loading is not in them.
 * Reading is reported as it was: warm when the files are in the page cache. With --latents-every
 * the latents are read after every so many steps, as for previews.
 */
#include "base/clock.h"
#include "base/status.h"
#include "sdxl/sdxl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct settings {
    const char *model, *device, *dtype;
    int size, batch, steps, threads, latents_every;
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

static void look_at_latents(void *user, int evaluation, const float *latents, int64_t count) {
    (void)user, (void)evaluation, (void)latents, (void)count;
}

static void print_row(const char *stage, double seconds, double flops) {
    printf("%-22s %9.3f s", stage, seconds);
    if (flops > 0) printf("  %8.3f TFLOP  %8.3f TFLOP/s", flops / 1e12, flops / seconds / 1e12);
    printf("\n");
}

/* What is measured with. */
struct bench {
    struct xl_device *device;
    struct xl_model *model;
    struct clock_hand hand;
    struct xl_picture *pictures; /* [batch] */
    struct xl_request request;
    struct xl_need need;
    double need_s, start_s;
};

/* The same prompt for all pictures, each with a seed of its own. */
static void set_prompt(struct bench *bench, const char *prompt) {
    for (int i = 0; i < bench->request.n_pictures; i++)
        bench->pictures[i] = (struct xl_picture){
            .prompt = prompt, .negative = "blurry, low quality", .seed = (uint64_t)i};
}

static enum xl_status open_bench(struct bench *bench, const struct settings *settings,
                                 struct xl_err *err) {
    struct xl_device_params device_params;
    struct xl_model_params model_params;
    bench->hand.last_s = bench->start_s = xl_now_s();
    xl_device_params_default(&device_params);
    xl_model_params_default(&model_params);
    device_params.name = settings->device;
    device_params.n_threads = settings->threads;
    model_params.model = settings->model;
    enum xl_status status = xl_device_open(&device_params, &bench->device, err);
    if (!status) status = xl_model_open(&model_params, &bench->model, err);
    if (status) return status;
    xl_request_default(&bench->request);
    bench->pictures = calloc((size_t)settings->batch, sizeof *bench->pictures);
    if (!bench->pictures) return xl_fail_nomem(err, "pictures", 0);
    bench->request.pictures = bench->pictures;
    bench->request.n_pictures = settings->batch;
    set_prompt(bench, "a lighthouse on a cliff at dusk, oil painting");
    bench->request.width = bench->request.height = settings->size;
    bench->request.progress = watch;
    bench->request.progress_user = &bench->hand;
    bench->request.precision = xl_precision_of_name(settings->dtype);
    bench->request.latents = settings->latents_every ? look_at_latents : NULL;
    bench->request.latents_every = settings->latents_every;
    bench->request.steps = 1;
    bench->need_s = xl_now_s();
    status = xl_model_need(bench->device, bench->model, &bench->request, &bench->need, err);
    bench->need_s = xl_now_s() - bench->need_s;
    bench->start_s += bench->need_s; /* no part of drawing */
    return status;
}

static void print_setting(const struct bench *bench, int size) {
    int batch = bench->request.n_pictures;
    const struct xl_device_info *device = xl_device_info(bench->device);
    const struct xl_component_info *unet = &xl_model_info(bench->model)->components[0];
    enum xl_precision precision = xl_device_precision(bench->device, bench->request.precision);
    printf("%s, %s, %d threads, %s weights, %d x %d, %d %s together, guidance on\n", device->isa,
           xl_precision_name(precision), device->n_threads, unet->dtype, size, size, batch,
           batch == 1 ? "picture" : "pictures");
}

static void print_table(const struct bench *bench, const struct xl_result *result, double load_s,
                        double first_s, double second_s) {
    const struct xl_need *need = &bench->need;
    const struct xl_model_info *info = xl_model_info(bench->model);
    double gigabytes = 0;
    for (int i = 0; i < info->n_components; i++)
        gigabytes += (double)info->components[i].bytes / 1e9;
    double step_s = (bench->hand.last_step_s - bench->hand.first_step_s) / result->n_evaluations;
    printf("%-22s %9.3f s  %8.2f GB read and packed  %8.2f GB/s\n", "loading", load_s, gigabytes,
           gigabytes / load_s);
    print_row("first, 1 step", first_s, 0);
    print_row("again, all steps", second_s,
              need->step_flops * result->n_evaluations + need->decode_flops * result->n_pictures);
    print_row("one prompt", result->encode_s, 0);
    print_row("UNet step", step_s, need->step_flops);
    print_row("VAE decoding", result->decode_s, need->decode_flops * result->n_pictures);
    printf("%-22s %9.3f s  weights %.2f GB, work %.2f GB (%.2f in tiles, at least %.2f)\n",
           "telling the need", bench->need_s, (double)need->weight_bytes / 1e9,
           (double)need->work_bytes / 1e9, (double)need->tiled_bytes / 1e9,
           (double)need->least_bytes / 1e9);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%-22s %9.2f GB\n", "peak memory", (double)usage.ru_maxrss * 1024 / 1e9);
}

static enum xl_status measure(const struct settings *settings, struct xl_err *err) {
    struct bench bench = {0};
    struct xl_result result = {0};
    enum xl_status status = open_bench(&bench, settings, err);
    if (!status) status = xl_generate(bench.device, bench.model, &bench.request, &result, err);
    double load_s = bench.hand.load_s, first_s = xl_now_s() - bench.start_s;
    xl_result_free(&result);
    bench.request.steps = settings->steps;
    if (!status) set_prompt(&bench, "a second prompt, so that it is encoded anew");
    double second_s = xl_now_s();
    if (!status) status = xl_generate(bench.device, bench.model, &bench.request, &result, err);
    second_s = xl_now_s() - second_s;
    if (!status) {
        print_setting(&bench, settings->size);
        print_table(&bench, &result, load_s, first_s, second_s);
    }
    xl_result_free(&result);
    free(bench.pictures);
    xl_model_close(bench.model);
    xl_device_close(bench.device);
    return status;
}

int main(int argc, char **argv) {
    struct settings settings = {NULL, "auto", "auto", 512, 1, 2, 0, 0};
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (!strcmp(argv[i], "--model"))
            settings.model = value;
        else if (!strcmp(argv[i], "--dtype"))
            settings.dtype = value;
        else if (!strcmp(argv[i], "--device"))
            settings.device = value;
        else if (!strcmp(argv[i], "--batch"))
            settings.batch = atoi(value);
        else if (!strcmp(argv[i], "--size"))
            settings.size = atoi(value);
        else if (!strcmp(argv[i], "--steps"))
            settings.steps = atoi(value);
        else if (!strcmp(argv[i], "--latents-every"))
            settings.latents_every = atoi(value);
        else if (!strcmp(argv[i], "--threads"))
            settings.threads = atoi(value);
        else
            settings.model = NULL, i = argc;
    }
    bool is_sound = settings.size >= 8 && settings.steps > 0 && settings.batch > 0;
    if (!settings.model || !is_sound || argc % 2 == 0) {
        fprintf(stderr, "usage: bench_stages --model DIR [--size PIXELS] [--batch N] [--steps N] "
                        "[--threads N] [--device auto|cpu|cuda[:N]|reference] "
                        "[--dtype auto|f32|bf16|f16|f8] [--latents-every N]\n");
        return 2;
    }
    struct xl_err err = {0};
    enum xl_status status = measure(&settings, &err);
    if (status) fprintf(stderr, "bench_stages: %s\n", err.text);
    return status ? 1 : 0;
}
