/* pipeline.c - the files of a snapshot that make an SDXL pipeline, or all that is wrong with them.
 */
#include "hub/classify.h"
#include "hub/files.h"
#include "hub/locate.h"
#include "hub/weight_files.h"
#include "weights/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Indexed by enum xl_component. diffusers looks for an index first, transformers for the single
 * file (their from_pretrained). */
static const struct {
    struct xl_hub_weights_spec weights;
    const char *class_name;
} components[XL_N_COMPONENTS] = {
    [XL_UNET] = {{"unet", "diffusion_pytorch_model", true}, "UNet2DConditionModel"},
    [XL_VAE] = {{"vae", "diffusion_pytorch_model", true}, "AutoencoderKL"},
    [XL_TEXT_ENCODER] = {{"text_encoder", "model", false}, "CLIPTextModel"},
    [XL_TEXT_ENCODER_2] = {{"text_encoder_2", "model", false}, "CLIPTextModelWithProjection"},
};

static const char GIVE_VAE[] = "give it a VAE with --vae FILE|ID";

struct pipeline {
    const struct xl_snapshot *snapshot;
    const char *vae; /* instead of its own; NULL: its own */
    struct xl_arena *arena;
    struct xl_pipeline_files files;
    struct xl_hub_problems problems;
};

const char *xl_component_name(enum xl_component component) {
    return components[component].weights.folder;
}

const struct xl_hub_weights_spec *xl_hub_component_weights(enum xl_component component) {
    return &components[component].weights;
}

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "the list of a model's files", 0);
}

/* The class of a part of the pipeline, "" when model_index.json has none ([null, null] or absent).
 */
static const char *class_of(struct xl_json index, const char *part) {
    const char *name = json_string_value(json_array_get(json_object_get(index.object, part), 1));
    return name ? name : "";
}

bool xl_hub_is_sdxl_class(const char *class_name) {
    static const char prefix[] = "StableDiffusionXL", suffix[] = "Pipeline";
    size_t n = strlen(class_name);
    return n >= sizeof prefix + sizeof suffix - 2 &&
           !strncmp(class_name, prefix, sizeof prefix - 1) &&
           !strcmp(class_name + n - (sizeof suffix - 1), suffix);
}

/* The class of a part is one of two; other may be NULL. */
static enum xl_status check_part(struct xl_json index, const char *part, const char *expected,
                                 const char *other, struct xl_err *err) {
    const char *name = class_of(index, part);
    if (!strcmp(name, expected) || (other && !strcmp(name, other))) return XL_OK;
    return xl_fail(err, XL_EFORMAT, "%s: \"%s\" is of class %.64s, expected %s", index.name, part,
                   name[0] ? name : "null", expected);
}

static enum xl_status check_class(const struct pipeline *pipeline, struct xl_json index,
                                  struct xl_err *err) {
    const char *id = pipeline->snapshot->id, *found = NULL;
    enum xl_status status = xl_json_string(index, "_class_name", &found, err);
    if (status) return status;
    if (!found)
        return xl_fail(err, XL_EFORMAT,
                       "%s: no \"_class_name\", expected StableDiffusionXLPipeline", index.name);
    if (!xl_hub_is_sdxl_class(found))
        return xl_fail(err, XL_EFORMAT,
                       "model %s is a %s, expected a StableDiffusionXLPipeline (%s): take a model "
                       "of the SDXL family",
                       id, found, index.name);
    if (!class_of(index, "text_encoder")[0])
        return xl_fail(err, XL_EFORMAT,
                       "model %s (a %s) has no \"text_encoder\", as SDXL's refiner: it cannot draw "
                       "by itself, take the base model (%s)",
                       id, found, index.name);
    if (!pipeline->vae && !class_of(index, "vae")[0])
        return xl_fail(err, XL_EFORMAT, "model %s has no VAE (%s): %s", id, index.name, GIVE_VAE);
    for (int c = 0; !status && c < XL_N_COMPONENTS; c++)
        if (c != XL_VAE || !pipeline->vae)
            status = check_part(index, xl_component_name(c), components[c].class_name, NULL, err);
    /* Both forms of CLIP's tokenizer are read from the same files. */
    static const char tokenizer[] = "CLIPTokenizer", fast[] = "CLIPTokenizerFast";
    if (!status) status = check_part(index, "tokenizer", tokenizer, fast, err);
    if (!status) status = check_part(index, "tokenizer_2", tokenizer, fast, err);
    return status;
}

static enum xl_status read_settings(struct pipeline *pipeline, struct xl_json index,
                                    struct xl_err *err) {
    struct xl_pipeline_files *files = &pipeline->files;
    enum xl_status status = check_class(pipeline, index, err);
    files->force_zeros_for_empty_prompt = true;
    if (!status)
        status = xl_json_bool(index, "force_zeros_for_empty_prompt",
                              &files->force_zeros_for_empty_prompt, err);
    if (status) return status;
    const char *scheduler = class_of(index, "scheduler");
    if (!scheduler[0])
        return xl_fail(err, XL_EFORMAT, "%s: \"scheduler\" names no class", index.name);
    files->scheduler_class = xl_arena_strdup(pipeline->arena, scheduler);
    return files->scheduler_class ? XL_OK : nomem(err);
}

/* The path of a file of the snapshot; when it cannot be opened, that is noted as a problem. */
static const char *need_file(struct pipeline *pipeline, const char *folder, const char *name) {
    const char *file = xl_arena_printf(pipeline->arena, "%s/%s", folder, name);
    const char *path =
        file ? xl_arena_printf(pipeline->arena, "%s/%s", pipeline->snapshot->dir, file) : NULL;
    if (!path) {
        pipeline->problems.failed = true;
        return NULL;
    }
    const char *why = xl_hub_why_unusable(path);
    if (why) xl_hub_problems_add(&pipeline->problems, pipeline->arena, XL_HUB_MISSING, file, why);
    return path;
}

/* A file that may be absent; but when it was once there, it must be there still. That it was is
 * told by a link that leads to nothing, or by the list of the commit's files (may be NULL). True
 * when it can be opened. */
static bool look_for_file(struct pipeline *pipeline, const char *folder, const char *name,
                          const json_t *listing) {
    const char *file = xl_arena_printf(pipeline->arena, "%s/%s", folder, name);
    const char *path =
        file ? xl_arena_printf(pipeline->arena, "%s/%s", pipeline->snapshot->dir, file) : NULL;
    if (!path) return pipeline->problems.failed = true, false;
    const char *why = xl_hub_why_unusable(path);
    if (why && (!xl_hub_is_absent(path) || json_object_get(listing, file)))
        xl_hub_problems_add(&pipeline->problems, pipeline->arena, XL_HUB_MISSING, file, why);
    return !why;
}

/* vocab.json and merges.txt, or tokenizer.json; and what goes with them. */
static const char *need_tokenizer(struct pipeline *pipeline, const char *folder,
                                  const json_t *listing) {
    static const char *const companions[] = {"tokenizer_config.json", "special_tokens_map.json",
                                             "added_tokens.json"};
    if (!look_for_file(pipeline, folder, "tokenizer.json", listing)) {
        need_file(pipeline, folder, "vocab.json");
        need_file(pipeline, folder, "merges.txt");
    }
    for (size_t i = 0; i < sizeof companions / sizeof *companions; i++)
        look_for_file(pipeline, folder, companions[i], listing);
    const char *dir = xl_arena_printf(pipeline->arena, "%s/%s", pipeline->snapshot->dir, folder);
    if (!dir) pipeline->problems.failed = true;
    return dir;
}

/* *is_bare: no weight file is there, not even a damaged one. */
static enum xl_status need_component(struct pipeline *pipeline, enum xl_component c, bool *is_bare,
                                     struct xl_err *err) {
    struct xl_component_files *files = &pipeline->files.component[c];
    files->config = need_file(pipeline, xl_component_name(c), "config.json");
    files->variant = "";
    const struct xl_hub_problem *last = pipeline->problems.last;
    enum xl_status status = xl_hub_weight_files(pipeline->snapshot->dir, &components[c].weights,
                                                pipeline->arena, files, &pipeline->problems, err);
    *is_bare = !files->n_files && pipeline->problems.last == last;
    return status;
}

/* Name the weights of components that have none: the name is taken to be like that of the others.
 */
static void note_absent_weights(struct pipeline *pipeline, const bool *is_bare) {
    const char *variant = "";
    for (int c = 0; c < XL_N_COMPONENTS; c++)
        if (pipeline->files.component[c].n_files) variant = pipeline->files.component[c].variant;
    for (int c = 0; c < XL_N_COMPONENTS; c++) {
        if (!is_bare[c]) continue;
        char name[256];
        snprintf(name, sizeof name, "%s%s%s.safetensors", components[c].weights.stem,
                 variant[0] ? "." : "", variant);
        need_file(pipeline, xl_component_name(c), name);
    }
}

/* "files" of trees/COMMIT.json, which newer versions of huggingface_hub write: what the commit
 * consists of. NULL when there is none. *root is the caller's to release. */
static const json_t *load_listing(const struct xl_snapshot *snapshot, json_t **root) {
    char path[4096];
    *root = NULL;
    if (!snapshot->commit) return NULL;
    snprintf(path, sizeof path, "%s/../../trees/%s.json", snapshot->dir, snapshot->commit);
    if (xl_hub_load_json(path, root, NULL)) return NULL;
    return json_object_get(*root, "files");
}

static enum xl_status gather(struct pipeline *pipeline, struct xl_err *err) {
    json_t *root;
    const json_t *listing = load_listing(pipeline->snapshot, &root);
    struct xl_pipeline_files *files = &pipeline->files;
    bool is_bare[XL_N_COMPONENTS] = {0};
    enum xl_status status = XL_OK;
    files->scheduler_config = need_file(pipeline, "scheduler", "scheduler_config.json");
    files->tokenizer_dir = need_tokenizer(pipeline, "tokenizer", listing);
    files->tokenizer_2_dir = need_tokenizer(pipeline, "tokenizer_2", listing);
    json_decref(root);
    for (int c = 0; !status && c < XL_N_COMPONENTS; c++)
        if (c != XL_VAE || !pipeline->vae) status = need_component(pipeline, c, &is_bare[c], err);
    if (!status) note_absent_weights(pipeline, is_bare);
    if (!status && pipeline->problems.failed) status = nomem(err);
    return status;
}

/* A number that a checkpoint holds as a tensor of its own; as it is written, not as a float rounds
 * it: 0.002. *out stays where there is none. */
static enum xl_status read_mark(const struct xl_weights *file, const char *name, double *out,
                                struct xl_err *err) {
    const struct xl_tensor *tensor = xl_weights_find(file, name);
    double raw;
    float value;
    char text[32];
    if (!tensor) return XL_OK;
    if (xl_shape_count(tensor->shape) != 1)
        return xl_fail(err, XL_EFORMAT, "%s: \"%s\" holds %lld numbers, expected one",
                       xl_weights_path(file), name, (long long)xl_shape_count(tensor->shape));
    xl_tensor_read(tensor, 0, 1, &raw);
    xl_convert(&value, XL_DTYPE_F32, &raw, tensor->dtype, 1);
    if (!(value > 0) || isinf(value))
        return xl_fail(err, XL_EFORMAT, "%s: \"%s\" is %g, expected a number above 0",
                       xl_weights_path(file), name, (double)value);
    snprintf(text, sizeof text, "%.7g", (double)value);
    *out = strtod(text, NULL);
    return XL_OK;
}

static enum xl_status read_sigmas(const char *path, struct xl_pipeline_files *out,
                                  struct xl_err *err) {
    struct xl_weights *file;
    enum xl_status status = xl_weights_open("checkpoint", &path, 1, &file, err);
    if (status) return status;
    status = read_mark(file, "edm_vpred.sigma_min", &out->sigma_min, err);
    if (!status) status = read_mark(file, "edm_vpred.sigma_max", &out->sigma_max, err);
    xl_weights_close(file);
    return status;
}

/* One file that holds everything. What it is must be known, its names are looked at later. */
static enum xl_status take_checkpoint(const char *path, bool needs_vae, struct xl_arena *arena,
                                      struct xl_pipeline_files *out, struct xl_err *err) {
    struct xl_file_class is;
    enum xl_status status = xl_hub_classify_file(path, arena, &is, err);
    if (status) return status;
    if (is.kind != XL_FILE_SDXL_CHECKPOINT || is.need)
        return xl_hub_refuse_file(path, &is, "an SDXL checkpoint", err);
    if (needs_vae && !is.has_vae)
        return xl_fail(err, XL_EFORMAT, "%s: this is %s: %s", path, is.what, GIVE_VAE);
    const char **files = xl_arena_alloc(arena, sizeof *files);
    if (!files) return nomem(err);
    files[0] = path;
    *out = (struct xl_pipeline_files){.force_zeros_for_empty_prompt = true,
                                      .checkpoint = path,
                                      .is_v_prediction = is.is_v_prediction,
                                      .is_zero_snr = is.is_zero_snr,
                                      .is_edm = is.is_edm};
    for (int c = 0; c < XL_N_COMPONENTS; c++)
        out->component[c] = (struct xl_component_files){
            .files = files, .n_files = 1, .is_single = true, .variant = ""};
    return is.is_edm && is.is_v_prediction ? read_sigmas(path, out, err) : XL_OK;
}

/* Only parts of the VAE are missing: another one would do. */
static bool lacks_only_vae(const struct xl_hub_problems *problems) {
    bool is_vae = problems->first != NULL;
    for (const struct xl_hub_problem *p = problems->first; p; p = p->next)
        is_vae = is_vae && !strncmp(p->file, "vae/", 4);
    return is_vae;
}

static enum xl_status fail_incomplete(struct pipeline *pipeline, struct xl_err *err) {
    enum xl_status status = xl_hub_fail_problems("model", pipeline->snapshot, &pipeline->problems,
                                                 pipeline->arena, err);
    if (!err || !lacks_only_vae(&pipeline->problems)) return status;
    size_t n = strlen(err->text);
    snprintf(err->text + n, sizeof err->text - n, "; or %s", GIVE_VAE);
    return status;
}

/* The files of the model itself. */
static enum xl_status take_own(const struct xl_snapshot *snapshot, const char *vae,
                               struct xl_arena *arena, struct xl_pipeline_files *out,
                               struct xl_err *err) {
    struct pipeline pipeline = {.snapshot = snapshot, .vae = vae, .arena = arena};
    struct xl_snapshot settled = *snapshot;
    const char *path = xl_arena_printf(arena, "%s/model_index.json", snapshot->dir);
    if (!path) return nomem(err);
    if (!settled.file && xl_hub_is_absent(path)) {
        enum xl_status status = xl_hub_settle_model(&settled, arena, err);
        if (status) return status;
    }
    if (settled.file) return take_checkpoint(settled.file, !vae, arena, out, err);
    const char *why = xl_hub_why_unusable(path);
    if (why) {
        if (xl_hub_is_absent(path)) why = "missing, and no checkpoint is there instead";
        xl_hub_problems_add(&pipeline.problems, arena, XL_HUB_MISSING, "model_index.json", why);
        return pipeline.problems.failed
                   ? nomem(err)
                   : xl_hub_fail_problems("model", snapshot, &pipeline.problems, arena, err);
    }
    json_t *root;
    enum xl_status status = xl_hub_load_json(path, &root, err);
    if (status) return status;
    status = read_settings(&pipeline, (struct xl_json){root, path}, err);
    json_decref(root);
    if (!status) status = gather(&pipeline, err);
    if (status) return status;
    if (pipeline.problems.first) return fail_incomplete(&pipeline, err);
    *out = pipeline.files;
    return XL_OK;
}

enum xl_status xl_hub_pipeline(const struct xl_snapshot *snapshot, const char *vae,
                               struct xl_arena *arena, struct xl_pipeline_files *out,
                               struct xl_err *err) {
    struct xl_pipeline_files files;
    enum xl_status status = take_own(snapshot, vae, arena, &files, err);
    if (!status && vae && vae[0]) status = xl_hub_vae(vae, arena, &files.component[XL_VAE], err);
    if (!status) *out = files;
    return status;
}
