/* info.c - what a model consists of, and its digest: everything of its files that decides pixels.
 * Read once, when the model is opened. */
#include "engine/engine.h"

#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list of files on its way. */
struct list {
    struct xl_model *model;
    struct xl_file_info *files;
    int n;
};

static enum xl_status add_file(struct list *list, const char *role, const char *path,
                               struct xl_err *err) {
    struct xl_arena *arena = &list->model->arena;
    const char *digest = xl_hub_digest(path, arena);
    bool is_fingerprint = !digest;
    char fingerprint[XL_FINGERPRINT_HEX];
    if (is_fingerprint) {
        enum xl_status status = xl_hub_fingerprint(path, fingerprint, err);
        if (status) return status;
        digest = xl_arena_strdup(arena, fingerprint);
    }
    if (!role || !digest) return xl_fail_nomem(err, "the files of a model", 0);
    list->files[list->n++] = (struct xl_file_info){role, path, digest, is_fingerprint};
    return XL_OK;
}

static const char *role_of(struct list *list, const char *folder, const char *name) {
    return xl_arena_printf(&list->model->arena, "%s/%s", folder, name);
}

static enum xl_status add_weights(struct list *list, struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int c = 0; !status && c < XL_N_COMPONENTS; c++) {
        const struct xl_component_files *files = &list->model->files.component[c];
        for (int i = 0; !status && i < files->n_files; i++)
            status = add_file(list, xl_component_name(c), files->files[i], err);
    }
    return status;
}

static enum xl_status add_configs(struct list *list, struct xl_err *err) {
    const struct xl_pipeline_files *files = &list->model->files;
    enum xl_status status = add_file(list, "scheduler", files->scheduler_config, err);
    for (int c = 0; !status && c < XL_N_COMPONENTS; c++)
        status = add_file(list, role_of(list, xl_component_name(c), "config.json"),
                          files->component[c].config, err);
    return status;
}

static enum xl_status add_tokenizer(struct list *list, const char *folder, const char *dir,
                                    struct xl_err *err) {
    enum xl_status status = XL_OK;
    /* Those that a tokenizer lacks are left out. */
    for (int i = 0; !status && i < XL_N_TOKENIZER_FILES; i++) {
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
    *list = (struct list){.model = model};
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
    const struct xl_file_info *files = list->files;
    for (int c = 0; c < XL_N_COMPONENTS; c++) {
        const struct xl_weights *weights = model->weights[c];
        components[c] = (struct xl_component_info){
            .name = xl_component_name(c),
            .n_parameters = count_parameters(weights),
            .bytes = xl_weights_bytes(weights),
            .dtype = xl_weights_main_name(weights),
            .files = files,
            .n_files = model->files.component[c].n_files,
        };
        files += components[c].n_files;
    }
    model->info.components = components;
    model->info.n_components = XL_N_COMPONENTS;
    return XL_OK;
}

static enum xl_status digest(struct xl_model *model, const struct list *list, struct xl_err *err) {
    struct xl_str text = {0};
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
        for (int i = 0; i < info->n_files; i++) id = xl_weight_id_of(id, info->files[i].digest);
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

/* What a model is called in what others get: "org/name" of what lies in a cache, whatever way led
 * there, else its folder, or the last part of that where the rest says whose it is. */
static enum xl_status name_it(struct xl_model *model, struct xl_err *err) {
    static const char REPOSITORY[] = "/models--", SNAPSHOTS[] = "/snapshots/";
    struct xl_model_info *info = &model->info;
    const char *at = strstr(info->dir, SNAPSHOTS), *begin = NULL;
    for (const char *next = at; next; next = strstr(next + 1, SNAPSHOTS)) at = next;
    for (const char *next = info->dir; at && (next = strstr(next, REPOSITORY)) && next < at; next++)
        begin = next + sizeof REPOSITORY - 1;
    if (begin && !memchr(begin, '/', (size_t)(at - begin))) {
        const char *dashes = strstr(begin, "--"), *commit = at + sizeof SNAPSHOTS - 1;
        int n_org = dashes && dashes < at ? (int)(dashes - begin) : 0;
        const char *name = n_org ? dashes + 2 : begin;
        info->name = xl_arena_printf(&model->arena, "%.*s%s%.*s", n_org, begin, n_org ? "/" : "",
                                     (int)(at - name), name);
        if (!info->commit)
            info->commit = xl_arena_strndup(&model->arena, commit, strcspn(commit, "/"));
        if (!info->commit) info->name = NULL;
    } else {
        size_t n = strlen(info->dir);
        const char *shown = xl_path_is_personal(info->dir) ? last_part(info->dir, &n) : info->dir;
        info->name = xl_arena_strndup(&model->arena, shown, n);
    }
    return info->name ? XL_OK : xl_fail_nomem(err, "the name of a model", 0);
}

enum xl_status xl_model_describe(struct xl_model *model, struct xl_err *err) {
    struct list list = {.n = 0};
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
    if (!status) status = digest(model, &list, err);
    if (!status) set_ids(model);
    model->info.files = list.files;
    model->info.n_files = list.n;
    return status;
}

const struct xl_model_info *xl_model_info(const struct xl_model *model) {
    return &model->info;
}
