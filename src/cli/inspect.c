/* inspect.c - looking into what decides a model's pictures: tokens, schedules, noise. */
#include "cli/cli.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "lab/run/model_files.h"
#include "lab/run/prompt_tokens.h"
#include "sampler/sampler.h"
#include "tensor/noise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum xl_status xl_print_json(const struct json_t *document, struct xl_err *err) {
    if (!document || xl_json_ran_out()) return xl_fail_nomem(err, "the JSON document", 0);
    char *text = xl_json_dump(document, JSON_INDENT(2));
    if (!text) return xl_fail_nomem(err, "the JSON document", 0);
    puts(text);
    free(text);
    return XL_OK;
}

enum xl_status xl_require_model(const struct xl_settings *settings, struct xl_err *err) {
    if (settings->model && settings->model[0]) return XL_OK;
    return xl_fail(err, XL_EINVAL,
                   "--model: missing; expected a name of sdxl-lab models list, a repository in the "
                   "cache (org/name), a folder or a .safetensors file");
}

/* The files of settings->model; of no VAE, which has neither tokens nor a schedule. */
static enum xl_status find_files(const struct xl_settings *settings, struct xl_arena *arena,
                                 struct xl_pipeline_files *files, struct xl_err *err) {
    enum xl_status status = xl_require_model(settings, err);
    return status ? status : xl_model_files(settings, arena, files, err);
}

/* ---- inspect tokens ---- */

/* Standard input as a JSON array of texts. Caller: json_decref */
static enum xl_status read_texts(json_t **texts, struct xl_err *err) {
    if (isatty(STDIN_FILENO))
        return xl_fail(
            err, XL_EINVAL,
            "inspect tokens: expected --prompt TEXT, or a JSON array of texts on standard "
            "input");
    json_error_t error;
    json_t *array = json_loadf(stdin, JSON_ALLOW_NUL, &error);
    if (!array)
        return xl_fail(err, XL_EINVAL, "standard input:%d:%d: not valid JSON: %s", error.line,
                       error.column, error.text);
    bool all_texts = json_is_array(array);
    size_t i;
    json_t *text;
    json_array_foreach(array, i, text) all_texts &= json_is_string(text);
    if (!all_texts) {
        json_decref(array);
        return xl_fail(err, XL_EINVAL, "standard input: expected a JSON array of texts");
    }
    *texts = array;
    return XL_OK;
}

static enum xl_status tokenize_all(const struct xl_settings *settings,
                                   struct xl_tokenizer *const tokenizers[2], const json_t *texts,
                                   json_t *rows, struct xl_err *err) {
    enum xl_status status = XL_OK;
    size_t i;
    json_t *text;
    json_array_foreach(texts, i, text) {
        json_t *row = json_object();
        json_array_append_new(rows, row);
        status = xl_prompt_tokens(settings, tokenizers, json_string_value(text), false, row, err);
        if (status) break;
    }
    return status;
}

static enum xl_status inspect_tokens(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_pipeline_files files;
    struct xl_tokenizer *tokenizers[2] = {NULL, NULL};
    json_t *texts = NULL, *rows = json_array();
    enum xl_status status = find_files(settings, &arena, &files, err);
    if (!status) status = xl_model_tokenizers(&files, tokenizers, err);
    if (!status && settings->prompt)
        texts = json_pack("[s]", settings->prompt);
    else if (!status)
        status = read_texts(&texts, err);
    if (!status && !texts) status = xl_fail(err, XL_EINVAL, "--prompt: expected text in UTF-8");
    if (!status) status = tokenize_all(settings, tokenizers, texts, rows, err);
    /* The document is an array even for one text: its form does not depend on the input. */
    if (!status) status = xl_print_json(rows, err);
    json_decref(texts);
    json_decref(rows);
    xl_tokenizer_close(tokenizers[0]);
    xl_tokenizer_close(tokenizers[1]);
    xl_arena_deinit(&arena);
    return status;
}

const struct xl_command xl_command_inspect_tokens = {
    .name = "inspect tokens",
    .summary = "the token ids of a prompt, for both text encoders, as JSON",
    .usage = "--model KEY|ID|DIR|FILE [--prompt TEXT] [--prompt-syntax NAME]",
    .commands = XL_FOR_TOKENS,
    .epilogue =
        "Without --prompt, texts are read from standard input as a JSON array. tokens, chunks and "
        "cut count what the text takes in the syntax that is chosen and what does not fit. With "
        "another syntax than plain: chunks of ids with their weights, for each text that a step "
        "sees or that is mixed in. <lora:...> is no part of the text; the vectors of an embedding "
        "have ids behind "
        "those of the vocabulary. --lora and --vae change "
        "nothing here: a command that draws can be taken as it stands.",
    .run = inspect_tokens,
};

/* ---- inspect schedule ---- */

static json_t *json_of_doubles(const double *values, int n) {
    json_t *array = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(array, json_real(values[i]));
    return array;
}

static void print_schedule(const struct xl_scheduler_config *config,
                           const struct xl_schedule *schedule) {
    printf("%s (%s), %d %s, first sample = noise * %.6g\n", xl_scheduler_name(config),
           xl_scheduler_class(config), schedule->n_steps,
           xl_plural(schedule->n_steps, "model call", "model calls"), schedule->init_noise_sigma);
    printf("%5s %12s %14s\n", "step", "timestep", schedule->n_sigmas ? "sigma" : "");
    for (int i = 0; i < schedule->n_timesteps; i++) {
        printf("%5d %12.4f", i + 1, schedule->timesteps[i]);
        if (i < schedule->n_sigmas) printf(" %14.6f", schedule->sigmas[i]);
        printf("\n");
    }
}

/* The scheduler of a folder or of a checkpoint. name: opens sentences */
static enum xl_status load_scheduler(const struct xl_pipeline_files *files, struct xl_json *out,
                                     json_t **root, struct xl_err *err) {
    enum xl_status status = XL_OK;
    if (files->scheduler_config)
        status = xl_json_load(files->scheduler_config, root, err);
    else if (!(*root = xl_scheduler_of_checkpoint((struct xl_checkpoint_marks){
                   files->is_v_prediction, files->is_zero_snr, files->is_edm, files->sigma_min,
                   files->sigma_max})))
        status = xl_fail_nomem(err, "a scheduler", 0);
    *out = (struct xl_json){*root,
                            files->scheduler_config ? files->scheduler_config : files->checkpoint};
    return status;
}

static enum xl_status inspect_schedule(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_pipeline_files files;
    struct xl_scheduler_config config;
    struct xl_schedule *schedule = NULL;
    char *notice = NULL;
    bool clamped;
    enum xl_status status = find_files(settings, &arena, &files, err);
    json_t *root = NULL;
    struct xl_json json;
    if (!status) status = load_scheduler(&files, &json, &root, err);
    if (!status)
        status = xl_scheduler_config_read(json, files.scheduler_class, settings->scheduler, &config,
                                          &notice, err);
    if (!status) status = xl_schedule_new(&config, settings->steps, 1, &clamped, &schedule, err);
    if (!status && notice) fprintf(stderr, "sdxl-lab: warning: %s\n", notice);
    if (!status && settings->json) {
        json_t *document = json_object();
        json_object_set_new(document, "scheduler", json_string(xl_scheduler_class(&config)));
        json_object_set_new(document, "timesteps",
                            json_of_doubles(schedule->timesteps, schedule->n_timesteps));
        json_object_set_new(document, "sigmas",
                            json_of_doubles(schedule->sigmas, schedule->n_sigmas));
        json_object_set_new(document, "init_noise_sigma", json_real(schedule->init_noise_sigma));
        json_object_set_new(document, "model_calls", json_integer(schedule->n_steps));
        status = xl_print_json(document, err);
        json_decref(document);
    } else if (!status) {
        print_schedule(&config, schedule);
    }
    free(notice);
    json_decref(root);
    xl_schedule_free(schedule);
    xl_arena_deinit(&arena);
    return status;
}

const struct xl_command xl_command_inspect_schedule = {
    .name = "inspect schedule",
    .summary = "the timesteps and noise levels that a sampler visits",
    .usage = "--model KEY|ID|DIR|FILE [--scheduler NAME] [--steps N] [--json]",
    .commands = XL_FOR_SCHEDULE,
    .run = inspect_schedule,
};

/* ---- inspect noise ---- */

static enum xl_status inspect_noise(const struct xl_settings *settings, struct xl_err *err) {
    size_t n = (size_t)settings->count;
    float *values = malloc(n * sizeof *values);
    if (!values) return xl_fail_nomem(err, "random numbers", n * sizeof *values);
    struct xl_noise noise;
    xl_noise_seed(&noise, settings->rng, settings->seed);
    xl_noise_normal(&noise, values, settings->count);
    if (settings->json) printf("[");
    for (size_t i = 0; i < n; i++)
        printf(settings->json ? "%s%.9g" : "%s%.9g\n", settings->json && i ? ", " : "",
               (double)values[i]);
    if (settings->json) printf("]\n");
    free(values);
    return XL_OK;
}

const struct xl_command xl_command_inspect_noise = {
    .name = "inspect noise",
    .summary = "the first numbers of torch.randn for a seed (0 when none is given)",
    .usage = "[--seed N] [--count N] [--rng torch-cpu|torch-cuda] [--json]",
    .commands = XL_FOR_NOISE,
    .run = inspect_noise,
};
