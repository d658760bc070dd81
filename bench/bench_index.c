/* bench_index.c - the index of pictures at full size: made from nothing, brought up to date, asked.
 * Writes job logs as this program does. usage: bench_index DIR [LINES]; DIR must not exist. */
#include "base/clock.h"
#include "base/file.h"
#include "insight/index/index.h"
#include "insight/index/observe.h"
#include "insight/marks/marks.h"
#include "insight/taste/taste.h"
#include "lab/log/job_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MODELS = 10, PROFILES = 28, PROMPTS = 20000, PATH = 300, ID = 40 };

static const char *const schedulers[] = {"DPM++ 2M", "Euler", "UniPC", "DPM++ 2M Karras"};
static const int sizes[][2] = {{1024, 1024}, {768, 768}, {1024, 576}, {832, 1216}};

/* --- Writing ---------------------------------------------------------------------------------- */

/* Of the i-th line: its picture, and its cell. */
static void name_picture(int64_t i, char path[PATH], char id[ID]) {
    int k = (int)(i % (MODELS * PROFILES));
    snprintf(path, PATH,
             "output_images/run_20260101-%06d/model_%d/"
             "20260101-000000_profile-%d_a-lighthouse_seed%lld_00.png",
             (int)(i / 28000), k % MODELS, k / MODELS, (long long)i);
    snprintf(id, ID, "%016llx%016llx", (unsigned long long)i * 0x9E3779B97F4A7C15u,
             (unsigned long long)i);
}

/* What a night's sweep asks for: the i-th line. */
static enum xl_status put_line(FILE *file, int64_t i, const json_t *config, const json_t *drawn_by,
                               struct xl_err *err) {
    char model[32], profile[32], prompt[400], styled[600], path[PATH], run[64], id[ID];
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
    name_picture(i, path, id);
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

/* A favourite now and then: of the third model and the fifth profile more of them. */
static enum xl_status put_marks(const char *dir, int64_t n, struct xl_err *err) {
    struct xl_marks *marks = NULL;
    enum xl_status status = xl_marks_open(dir, "dgx", &marks, err);
    for (int64_t i = 0; i < n && !status; i++) {
        int k = (int)(i % (MODELS * PROFILES));
        uint64_t lot = (uint64_t)i * 0xD1342543DE82EF95u >> 32;
        int share = 15 * (k % MODELS == 3 ? 3 : 1) * (k / MODELS == 5 ? 3 : 1);
        char path[PATH], id[ID], sha256[XL_SHA256_HEX];
        if ((int)(lot % 1000) >= share) continue;
        name_picture(i, path, id);
        snprintf(sha256, sizeof sha256, "%064llx", (unsigned long long)i);
        const struct xl_marked picture = {
            .path = path, .sha256 = sha256, .cell = id, .bytes = 1000};
        status = xl_marks_put(marks, &picture, 1, -1, err);
    }
    enum xl_status closed = xl_marks_close(marks, status ? NULL : err);
    return status ? status : closed;
}

/* --- Measuring -------------------------------------------------------------------------------- */

static double seconds_of(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* A row of the table: time on the clock tells little where other work goes on, that of the
 * processors more. */
struct row {
    const char *what;
    double start;
    struct rusage before;
};

static struct row begin_row(const char *what) {
    struct row row = {.what = what, .start = xl_now_s()};
    getrusage(RUSAGE_SELF, &row.before);
    return row;
}

static void end_row(const struct row *row, int64_t n) {
    double took = xl_now_s() - row->start;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%-24s %10lld %8.3f s %8.3f s %8.3f s %9.1f MB\n", row->what, (long long)n, took,
           seconds_of(usage.ru_utime) - seconds_of(row->before.ru_utime),
           seconds_of(usage.ru_stime) - seconds_of(row->before.ru_stime),
           (double)usage.ru_maxrss / 1e3);
}

static enum xl_status measure_index(const char *what, const char *dir, enum xl_index_how how,
                                    struct xl_err *err) {
    const struct xl_index_params params = {.output_dir = dir};
    struct xl_index *index = NULL;
    struct xl_index_report report;
    struct row row = begin_row(what);
    enum xl_status status = xl_index_open(&params, how, &index, err);
    if (!status) status = xl_index_tell(index, &report, err);
    if (!status) end_row(&row, report.n_pictures);
    xl_index_close(index);
    return status;
}

/* All that sdxl-lab favorites asks, but for pictures on the disk. */
static enum xl_status measure_report(const char *dir, struct xl_err *err) {
    const struct xl_index_params params = {.output_dir = dir};
    const struct xl_picture_filter all = {.n_where = 0};
    struct xl_index *index = NULL;
    struct xl_observations *rows = NULL;
    struct xl_taste taste = {0};
    enum xl_status status = xl_index_open(&params, XL_INDEX_UPDATE, &index, err);
    struct row row = begin_row("rows for the report");
    if (!status) status = xl_observe(index, &all, &rows, err);
    if (!status) end_row(&row, (int64_t)rows->row_count);
    row = begin_row("its statistics");
    if (!status) status = xl_taste_find(rows, NULL, &taste, err);
    if (!status) end_row(&row, (int64_t)taste.all.loved);
    xl_taste_deinit(&taste);
    xl_observe_free(rows);
    xl_index_close(index);
    return status;
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
    printf("%-24s %10s %10s %10s %10s %12s\n", "", "pictures", "time", "program", "kernel",
           "memory");
    if (!status && !getenv("XL_BENCH_KEEP")) status = put_lines(dir, "w", 0, n, &err);
    if (!status) status = measure_index("from nothing", dir, XL_INDEX_REBUILD, &err);
    if (!status) status = measure_index("nothing has changed", dir, XL_INDEX_UPDATE, &err);
    if (!status) status = put_lines(dir, "a", n, 100, &err);
    if (!status) status = measure_index("100 lines more", dir, XL_INDEX_UPDATE, &err);
    if (!status && !getenv("XL_BENCH_KEEP")) status = put_marks(dir, n, &err);
    if (!status) status = measure_index("favourites", dir, XL_INDEX_UPDATE, &err);
    if (!status) status = measure_report(dir, &err);
    if (status) fprintf(stderr, "bench_index: %s\n", err.text);
    return status != XL_OK;
}
