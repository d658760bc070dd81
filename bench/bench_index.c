/* bench_index.c - the index of pictures at full size: made from nothing, brought up to date, asked.
 * Writes job logs as this program does. usage: bench_index DIR [LINES]; DIR must not exist. */
#include "base/clock.h"
#include "base/file.h"
#include "insight/index/index.h"
#include "lab/log/job_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MODELS = 10, PROFILES = 28, PROMPTS = 20000 };

static const char *const schedulers[] = {"DPM++ 2M", "Euler", "UniPC", "DPM++ 2M Karras"};
static const int sizes[][2] = {{1024, 1024}, {768, 768}, {1024, 576}, {832, 1216}};

/* What a night's sweep asks for: the i-th line. */
static enum xl_status put_line(FILE *file, int64_t i, const json_t *config, const json_t *drawn_by,
                               struct xl_err *err) {
    char model[32], profile[32], prompt[400], styled[600], path[300], run[64], id[40];
    int k = (int)(i % (MODELS * PROFILES)), size = (int)(i / 7 % 4);
    snprintf(model, sizeof model, "Model %d XL", k % MODELS);
    snprintf(profile, sizeof profile, "Profile %d / Mood", k / MODELS);
    snprintf(prompt, sizeof prompt,
             "a lighthouse keeper number %d reading a letter by the window, evening light, rain on "
             "the glass, an old brass telescope on the table, detailed",
             (int)(i / (MODELS * PROFILES) % PROMPTS));
    snprintf(styled, sizeof styled, "%s, in the manner of profile %d, moody light, rich shadows",
             prompt, k / MODELS);
    snprintf(run, sizeof run, "output_images/run_20260101-%06d", (int)(i / 28000));
    snprintf(path, sizeof path,
             "%s/model_%d/20260101-000000_profile-%d_a-lighthouse_seed%lld_00.png", run, k % MODELS,
             k / MODELS, (long long)i);
    snprintf(id, sizeof id, "%016llx%016llx", (unsigned long long)i * 0x9E3779B97F4A7C15u,
             (unsigned long long)i);
    const struct xl_cell cell = {.model_key = model,
                                 .profile = profile,
                                 .prompt = prompt,
                                 .negative = "blurry, lowres",
                                 .styled_prompt = styled,
                                 .effective_negative = "blurry, lowres, watermark, text",
                                 .width = sizes[size][0],
                                 .height = sizes[size][1],
                                 .steps = 20 + (int)(i % 3) * 5,
                                 .guidance = 4.5 + (double)(i % 5) * 0.5,
                                 .scheduler = schedulers[i % 4],
                                 .seed = (uint64_t)i};
    const struct xl_job_picture picture = {(uint64_t)i, path, id};
    const struct xl_job_entry entry = {.multi_profile = true,
                                       .cell = &cell,
                                       .model_id = "somebody/some-model",
                                       .revision = "main",
                                       .weights = "0123456789abcdef0123456789abcdef",
                                       .width = cell.width,
                                       .height = cell.height,
                                       .batch_size = 1,
                                       .pictures = &picture,
                                       .n_pictures = 1,
                                       .scheduler_config = config,
                                       .drawn_by = drawn_by,
                                       .run_dir = run,
                                       .encode_s = 0.012345,
                                       .sample_s = 1.23456,
                                       .decode_s = 0.2345,
                                       .total_s = 1.5,
                                       .tflop = 170.5};
    char *text;
    size_t n;
    enum xl_status status = xl_job_line(
        &entry, "dgx", (struct xl_job_part){.n = 1, .part = 1, .parts = 1}, &text, &n, err);
    if (status) return status;
    fwrite(text, 1, n, file);
    free(text);
    return XL_OK;
}

static enum xl_status put_lines(const char *dir, const char *mode, int64_t from, int64_t n,
                                struct xl_err *err) {
    char path[512];
    snprintf(path, sizeof path, "%s/jobs_dgx.log", dir);
    FILE *file = fopen(path, mode);
    json_t *config = json_pack("{s:s,s:f,s:f,s:s,s:i,s:s,s:b,s:s}", "_class_name",
                               "DPMSolverMultistepScheduler", "beta_start", 0.00085, "beta_end",
                               0.012, "beta_schedule", "scaled_linear", "num_train_timesteps", 1000,
                               "timestep_spacing", "leading", "use_karras_sigmas", 0,
                               "prediction_type", "epsilon");
    json_t *drawn_by = json_pack("{s:s,s:s,s:s,s:s,s:s}", "program", "sdxl-lab 0.2.0", "device",
                                 "NVIDIA H200", "isa", "sm_90", "precision", "f16", "vae_precision",
                                 "bf16");
    enum xl_status status = file ? XL_OK : xl_fail(err, XL_EDISK, "%s: cannot write", path);
    for (int64_t i = from; i < from + n && !status; i++)
        status = put_line(file, i, config, drawn_by, err);
    if (file && fclose(file)) status = xl_fail(err, XL_EDISK, "%s: cannot write", path);
    json_decref(config);
    json_decref(drawn_by);
    return status;
}

static enum xl_status measure(const char *what, const char *dir, enum xl_index_how how,
                              struct xl_err *err) {
    const struct xl_index_params params = {.output_dir = dir};
    struct xl_index *index = NULL;
    struct xl_index_report report;
    struct rusage usage;
    double start = xl_now_s();
    enum xl_status status = xl_index_open(&params, how, &index, err);
    double took = xl_now_s() - start;
    if (!status) status = xl_index_tell(index, &report, err);
    xl_index_close(index);
    if (status) return status;
    getrusage(RUSAGE_SELF, &usage);
    printf("%-34s %10lld %9.3f s %9.1f MB %9.1f MB\n", what, (long long)report.n_pictures, took,
           (double)report.bytes / 1e6, (double)usage.ru_maxrss / 1e3);
    return XL_OK;
}

int main(int argc, char **argv) {
    struct xl_err err = {.text = ""};
    int64_t n = argc > 2 ? atoll(argv[2]) : 1000000;
    if (argc < 2) {
        fprintf(stderr, "usage: bench_index DIR [LINES]\n");
        return 2;
    }
    const char *dir = argv[1];
    enum xl_status status = xl_dir_create(dir, &err);
    printf("%-34s %10s %11s %12s %12s\n", "", "pictures", "time", "index", "memory at most");
    if (!status && !getenv("XL_BENCH_KEEP")) status = put_lines(dir, "w", 0, n, &err);
    if (!status) status = measure("from nothing", dir, XL_INDEX_REBUILD, &err);
    if (!status) status = measure("nothing has changed", dir, XL_INDEX_UPDATE, &err);
    if (!status) status = put_lines(dir, "a", n, 100, &err);
    if (!status) status = measure("100 lines more", dir, XL_INDEX_UPDATE, &err);
    if (status) fprintf(stderr, "bench_index: %s\n", err.text);
    return status != XL_OK;
}
