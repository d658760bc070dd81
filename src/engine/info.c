/* info.c - what a model consists of, and its digest: everything of its files that decides pixels.
 * Read once, when the model is opened. */
#include "engine/engine.h"

#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"
#include "text/clip_vocab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list of files on its way. */
struct list {
    struct xl_model *model;
    struct xl_file_info *files;
    int n;
    int first[XL_N_COMPONENTS]; /* of the files of each component's weights */
    bool is_brief;              /* without digests */
};

static enum xl_status add_file(struct list *list, const char *role, const char *path,
                               struct xl_err *err) {
    struct xl_arena *arena = &list->model->arena;
    char digest[XL_SHA256_HEX];
    const char *kept = NULL;
    if (!list->is_brief) {
        enum xl_status status = xl_hub_file_digest(path, digest, err);
        if (status) return status == XL_EINPUT ? XL_EMODEL : status;
        kept = xl_arena_strdup(arena, digest);
    }
    if (!role || (!kept && !list->is_brief)) return xl_fail_nomem(err, "the files of a model", 0);
    list->files[list->n++] = (struct xl_file_info){role, path, kept};
    return XL_OK;
}

static const char *role_of(struct list *list, const char *folder, const char *name) {
    return xl_arena_printf(&list->model->arena, "%s/%s", folder, name);
}

/* A checkpoint stands for several components, and is looked at once. */
static enum xl_status add_weights(struct list *list, struct xl_err *err) {
    const struct xl_pipeline_files *all = &list->model->files;
    enum xl_status status = XL_OK;
    int checkpoint = -1;
    for (int c = 0; !status && c < XL_N_COMPONENTS; c++) {
        const struct xl_component_files *files = &all->component[c];
        bool is_whole = files->files[0] == all->checkpoint;
        list->first[c] = is_whole && checkpoint >= 0 ? checkpoint : list->n;
        if (is_whole && checkpoint >= 0) continue;
        if (is_whole) checkpoint = list->n;
        for (int i = 0; !status && i < files->n_files; i++)
            status = add_file(list, is_whole ? "checkpoint" : xl_component_name(c), files->files[i],
                              err);
    }
    return status;
}

static enum xl_status add_configs(struct list *list, struct xl_err *err) {
    const struct xl_pipeline_files *files = &list->model->files;
    enum xl_status status = XL_OK;
    if (files->scheduler_config) status = add_file(list, "scheduler", files->scheduler_config, err);
    for (int c = 0; !status && c < XL_N_COMPONENTS; c++)
        if (files->component[c].config)
            status = add_file(list, role_of(list, xl_component_name(c), "config.json"),
                              files->component[c].config, err);
    return status;
}

static enum xl_status add_tokenizer(struct list *list, const char *folder, const char *dir,
                                    struct xl_err *err) {
    enum xl_status status = XL_OK;
    /* Those that a tokenizer lacks are left out. */
    for (int i = 0; dir && !status && i < XL_N_TOKENIZER_FILES; i++) {
        const char *name = xl_tokenizer_file_name(i);
        const char *path = xl_arena_printf(&list->model->arena, "%s/%s", dir, name);
        if (!path) return xl_fail_nomem(err, "a path", 0);
        if (xl_file_exists(path)) status = add_file(list, role_of(list, folder, name), path, err);
    }
    return status;
}

static enum xl_status list_files(struct xl_model *model, struct list *list, struct xl_err *err) {
    int most = 1 + XL_N_COMPONENTS + XL_N_ENCODERS * XL_N_TOKENIZER_FILES;
    for (int c = 0; c < XL_N_COMPONENTS; c++) most += model->files.component[c].n_files;
    list->model = model;
    list->files = xl_arena_alloc(&model->arena, (size_t)most * sizeof *list->files);
    if (!list->files) return xl_fail_nomem(err, "the files of a model", 0);
    enum xl_status status = add_weights(list, err);
    if (!status) status = add_configs(list, err);
    if (!status) status = add_tokenizer(list, "tokenizer", model->files.tokenizer_dir, err);
    if (!status) status = add_tokenizer(list, "tokenizer_2", model->files.tokenizer_2_dir, err);
    return status;
}

static int64_t count_parameters(const struct xl_weights *weights) {
    int64_t count = 0;
    for (int i = 0; i < xl_weights_count(weights); i++)
        count += xl_shape_count(xl_weights_at(weights, i)->shape);
    return count;
}

static enum xl_status describe_components(struct xl_model *model, const struct list *list,
                                          struct xl_err *err) {
    struct xl_component_info *components =
        xl_arena_alloc(&model->arena, XL_N_COMPONENTS * sizeof *components);
    if (!components) return xl_fail_nomem(err, "the components of a model", 0);
    for (int c = 0; c < XL_N_COMPONENTS; c++) {
        const struct xl_weights *weights = model->weights[c];
        components[c] = (struct xl_component_info){
            .name = xl_component_name(c),
            .n_parameters = count_parameters(weights),
            .bytes = xl_weights_bytes(weights),
            .dtype = xl_weights_main_name(weights),
            .files = list->files + list->first[c],
            .n_files = model->files.component[c].n_files,
        };
    }
    model->info.components = components;
    model->info.n_components = XL_N_COMPONENTS;
    return XL_OK;
}

/* What of the model no file says: the program's own tokenizer, configurations from shapes, the
 * scheduler of a checkpoint. */
static bool put_own(const struct xl_model *model, struct xl_str *text) {
    const struct xl_pipeline_files *files = &model->files;
    if (!files->tokenizer_dir || !files->tokenizer_2_dir)
        xl_str_printf(text, "tokenizer %s\n", xl_clip_tokenizer_version);
    for (int c = 0; c < XL_N_COMPONENTS; c++)
        if (model->derived[c])
            xl_str_printf(text, "%s/config %s\n", xl_component_name(c), model->derived[c]);
    if (files->scheduler_config) return true;
    char *scheduler = xl_json_dump(model->scheduler_config, JSON_COMPACT | JSON_SORT_KEYS);
    if (scheduler) xl_str_printf(text, "scheduler %s\n", scheduler);
    free(scheduler);
    return scheduler != NULL;
}

static enum xl_status digest(struct xl_model *model, const struct list *list, struct xl_err *err) {
    struct xl_str text = {0};
    if (!put_own(model, &text)) text.failed = true;
    xl_str_printf(&text, "force_zeros_for_empty_prompt %d\n",
                  model->files.force_zeros_for_empty_prompt);
    /* Where the file says the same class, its digest has it. */
    const char *in_file =
        json_string_value(json_object_get(model->scheduler_config, "_class_name"));
    if (!in_file || strcmp(in_file, model->files.scheduler_class))
        xl_str_printf(&text, "scheduler class %s\n", model->files.scheduler_class);
    for (int i = 0; i < list->n; i++)
        xl_str_printf(&text, "%s %s\n", list->files[i].role, list->files[i].digest);
    for (int i = 0; i < model->info.n_loras; i++) {
        const struct xl_lora_info *lora = &model->info.loras[i];
        char text_scale[XL_REAL_MAX], unet_scale[XL_REAL_MAX];
        xl_real_text(lora->text_scale, text_scale);
        xl_real_text(lora->unet_scale, unet_scale);
        xl_str_printf(&text, "lora %s %s %s\n", lora->digest, text_scale, unet_scale);
    }
    char hex[XL_SHA256_HEX];
    size_t n = text.len;
    char *taken = xl_str_take(&text);
    enum xl_status status = taken ? xl_sha256(taken, n, hex, err)
                                  : xl_fail_nomem(err, "the digest of a model", 0);
    free(taken);
    if (status) return status;
    model->info.digest = xl_arena_strdup(&model->arena, hex);
    return model->info.digest ? XL_OK : xl_fail_nomem(err, "the digest of a model", 0);
}

/* By the digests of the files: models that have a file in common share its packed weights. */
static void set_ids(struct xl_model *model) {
    for (int c = 0; c < XL_N_COMPONENTS; c++) {
        const struct xl_component_info *info = &model->info.components[c];
        struct xl_weight_id id = {{0}};
        for (int i = 0; i < info->n_files; i++)
            if (info->files[i].digest) id = xl_weight_id_of(id, info->files[i].digest);
        model->tensors[c].weights = model->weights[c];
        model->tensors[c].base = xl_weight_id_of(id, info->name);
    }
}

/* The last part of a path. */
static const char *last_part(const char *path, size_t *n) {
    const char *end = path + strlen(path);
    while (end > path + 1 && end[-1] == '/') end--;
    const char *begin = end;
    while (begin > path && begin[-1] != '/') begin--;
    *n = (size_t)(end - begin);
    return begin;
}

/* "FILE" of a file that was asked for by its name, where its folder or repository has others. */
static const char *named_file(const struct xl_model *model) {
    const char *file = model->snapshot.file, *id = model->snapshot.id;
    if (!file) return NULL;
    const char *name = file + strlen(model->snapshot.dir) + 1;
    size_t n = strlen(id), n_name = strlen(name);
    return n >= n_name && !strcmp(id + n - n_name, name) ? name : NULL;
}

/* What a model is called in what others get: "org/name" of what lies in a cache, whatever way led
 * there, else its folder or file, or the last part of that where the rest says whose it is. */
static enum xl_status name_it(struct xl_model *model, struct xl_err *err) {
    static const char REPOSITORY[] = "/models--", SNAPSHOTS[] = "/snapshots/";
    struct xl_model_info *info = &model->info;
    const char *file = named_file(model), *path = file ? model->snapshot.file : info->dir;
    const char *at = strstr(info->dir, SNAPSHOTS), *begin = NULL;
    for (const char *next = at; next; next = strstr(next + 1, SNAPSHOTS)) at = next;
    for (const char *next = info->dir; at && (next = strstr(next, REPOSITORY)) && next < at; next++)
        begin = next + sizeof REPOSITORY - 1;
    if (begin && !memchr(begin, '/', (size_t)(at - begin))) {
        const char *dashes = strstr(begin, "--"), *commit = at + sizeof SNAPSHOTS - 1;
        int n_org = dashes && dashes < at ? (int)(dashes - begin) : 0;
        const char *name = n_org ? dashes + 2 : begin;
        info->name = xl_arena_printf(&model->arena, "%.*s%s%.*s%s%s", n_org, begin,
                                     n_org ? "/" : "", (int)(at - name), name, file ? ":" : "",
                                     file ? file : "");
        if (!info->commit)
            info->commit = xl_arena_strndup(&model->arena, commit, strcspn(commit, "/"));
        if (!info->commit) info->name = NULL;
    } else {
        size_t n = strlen(path);
        const char *shown = xl_path_is_personal(path) ? last_part(path, &n) : path;
        info->name = xl_arena_strndup(&model->arena, shown, n);
    }
    return info->name ? XL_OK : xl_fail_nomem(err, "the name of a model", 0);
}

enum xl_status xl_model_describe(struct xl_model *model, bool is_brief, struct xl_err *err) {
    struct list list = {.is_brief = is_brief};
    int side = model->unet.sample_size * xl_vae_scale(&model->vae);
    model->info = (struct xl_model_info){
        .id = model->snapshot.id,
        .commit = model->snapshot.commit,
        .dir = model->snapshot.dir,
        .width = side,
        .height = side,
        .unit = xl_vae_scale(&model->vae),
        .scheduler_class = model->scheduler,
        .force_zeros_for_empty_prompt = model->files.force_zeros_for_empty_prompt,
        .loras = model->info.loras,
        .n_loras = model->info.n_loras,
    };
    enum xl_status status = name_it(model, err);
    if (!status) status = list_files(model, &list, err);
    if (!status) status = describe_components(model, &list, err);
    if (!status && !is_brief) status = digest(model, &list, err);
    if (!status) set_ids(model);
    model->info.files = list.files;
    model->info.n_files = list.n;
    return status;
}

const struct xl_model_info *xl_model_info(const struct xl_model *model) {
    return &model->info;
}
