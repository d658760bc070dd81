/* classify_folder.c - what a folder or snapshot is: by its model_index.json, else by the files at
 * its root. */
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "hub/classify.h"
#include "hub/classify_names.h"
#include "hub/files.h"
#include "hub/hub.h"
#include "weights/pickle.h"

#include <string.h>

const char *xl_hub_folder_kind_name(enum xl_hub_folder_kind kind) {
    static const char *const names[] = {
        [XL_HUB_FOLDER_SDXL] = "pipeline",
        [XL_HUB_FOLDER_PIPELINE] = "other pipeline",
        [XL_HUB_FOLDER_SINGLE_FILES] = "single-file",
        [XL_HUB_FOLDER_LORA] = "lora",
        [XL_HUB_FOLDER_EMBEDDING] = "embedding",
        [XL_HUB_FOLDER_VAE] = "vae",
        [XL_HUB_FOLDER_FILES] = "other files",
        [XL_HUB_FOLDER_PICKLES] = "pickles",
        [XL_HUB_FOLDER_GGUF] = "GGUF",
        [XL_HUB_FOLDER_UNKNOWN] = "unknown",
    };
    return names[kind];
}

static const char need_sdxl[] = "sdxl-lab draws with SDXL only: take a model of the SDXL family";

/* Pipelines by how the names of their classes begin, the longest first. */
static const struct {
    const char *begin, *what, *need;
} pipelines[] = {
    {"StableDiffusionXLInpaint", "an SDXL inpainting pipeline",
     "inpainting models are not supported: take the model that it was made from"},
    {"StableDiffusionXLInstructPix2Pix", "an SDXL pipeline that edits pictures",
     "such models are not supported: take an SDXL base model"},
    {"StableDiffusionXLControlNet", "an SDXL pipeline with a ControlNet",
     "ControlNets are not supported: take the model without it"},
    {"StableDiffusionXLAdapter", "an SDXL pipeline with a T2I-Adapter",
     "adapters are not supported: take the model without it"},
    {"StableDiffusion3", "a Stable Diffusion 3 pipeline", need_sdxl},
    {"StableDiffusionUpscale", "a Stable Diffusion upscaler", need_sdxl},
    {"StableDiffusionLatentUpscale", "a Stable Diffusion upscaler", need_sdxl},
    {"StableDiffusion", "a Stable Diffusion 1.x or 2.x pipeline", need_sdxl},
    {"StableVideo", "a Stable Video Diffusion pipeline", need_sdxl},
    {"StableCascade", "a Stable Cascade pipeline", need_sdxl},
    {"Flux", "a Flux pipeline", need_sdxl},
    {"PixArt", "a PixArt pipeline", need_sdxl},
    {"Sana", "a Sana pipeline", need_sdxl},
    {"Kolors", "a Kolors pipeline", need_sdxl},
    {"HunyuanDiT", "a HunyuanDiT pipeline", need_sdxl},
    {"HunyuanVideo", "a HunyuanVideo pipeline", need_sdxl},
    {"Kandinsky", "a Kandinsky pipeline", need_sdxl},
    {"AuraFlow", "an AuraFlow pipeline", need_sdxl},
    {"Lumina", "a Lumina pipeline", need_sdxl},
    {"QwenImage", "a Qwen-Image pipeline", need_sdxl},
    {"Wan", "a Wan pipeline", need_sdxl},
    {"IF", "a DeepFloyd IF pipeline", need_sdxl},
    {"LatentConsistency", "a latent consistency pipeline of Stable Diffusion 1.x", need_sdxl},
};

static const char *part_class(const json_t *index, const char *part) {
    return json_string_value(json_array_get(json_object_get(index, part), 1));
}

static enum xl_status name_pipeline(const json_t *index, struct xl_arena *arena,
                                    struct xl_hub_folder_class *out, struct xl_err *err) {
    const char *class_name = json_string_value(json_object_get(index, "_class_name"));
    const char *found = class_name ? class_name : "";
    out->kind = XL_HUB_FOLDER_PIPELINE;
    out->need = need_sdxl;
    out->class_name = xl_arena_strdup(arena, found);
    for (size_t i = 0; !out->what && i < sizeof pipelines / sizeof *pipelines; i++)
        if (!strncmp(found, pipelines[i].begin, strlen(pipelines[i].begin)) &&
            !(xl_hub_is_sdxl_class(found) && strncmp(pipelines[i].begin, "StableDiffusionXL", 17)))
            out->what = pipelines[i].what, out->need = pipelines[i].need;
    if (!out->what && xl_hub_is_sdxl_class(found)) {
        bool is_refiner = !part_class(index, "text_encoder");
        out->kind = is_refiner ? XL_HUB_FOLDER_PIPELINE : XL_HUB_FOLDER_SDXL;
        out->what = is_refiner ? "the SDXL refiner" : "an SDXL pipeline";
        out->need = is_refiner
                        ? "it only finishes what the base model began: take an SDXL base model"
                        : NULL;
    }
    if (!out->what)
        out->what = found[0] ? xl_arena_printf(arena, "a pipeline of class %.64s", found)
                             : "a pipeline that does not name its class";
    return out->what && out->class_name ? XL_OK : xl_fail_nomem(err, "the kind of a folder", 0);
}

static enum xl_status read_index(const char *dir, struct xl_arena *arena,
                                 struct xl_hub_folder_class *out, bool *is_there,
                                 struct xl_err *err) {
    const char *path = xl_arena_printf(arena, "%s/model_index.json", dir);
    if (!path) return xl_fail_nomem(err, "a path", 0);
    *is_there = !xl_hub_is_absent(path);
    if (!*is_there) return XL_OK;
    json_t *index = NULL;
    enum xl_status status = xl_hub_load_json(path, &index, err);
    if (!status) status = name_pipeline(index, arena, out, err);
    json_decref(index);
    return status;
}

struct counts {
    int n[XL_FILE_UNKNOWN + 1], n_bad, n_pickles, n_gguf;
};

/* Classify what lies at the root. */
static enum xl_status read_files(const char *dir, struct xl_arena *arena,
                                 struct xl_hub_folder_class *out, struct counts *counts,
                                 struct xl_err *err) {
    struct xl_hub_names names;
    enum xl_status status = xl_hub_list(dir, arena, &names, err);
    if (status) return status;
    out->file = xl_arena_alloc(arena, (size_t)(names.n + 1) * sizeof *out->file);
    if (!out->file) return xl_fail_nomem(err, "the files of a folder", 0);
    for (int i = 0; i < names.n; i++) {
        const char *name = names.name[i];
        struct xl_hub_folder_file *file = &out->file[out->n_files];
        struct xl_err why = {0};
        counts->n_pickles += xl_is_pickle_name(name);
        counts->n_gguf += xl_ends_with(name, ".gguf");
        if (!xl_ends_with(name, ".safetensors")) continue;
        file->name = name;
        file->path = xl_arena_printf(arena, "%s/%s", dir, name);
        if (!file->path) return xl_fail_nomem(err, "a path", 0);
        status = xl_hub_classify_file(file->path, arena, &file->is, &why);
        if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
        if (status && !(file->why = xl_arena_strdup(arena, why.text)))
            return xl_fail_nomem(err, "the files of a folder", 0);
        counts->n_bad += status != XL_OK;
        if (!status && !file->is.need) counts->n[file->is.kind]++;
        out->n_files++;
    }
    return XL_OK;
}

static void take(struct xl_hub_folder_class *out, enum xl_hub_folder_kind kind, const char *what,
                 const char *need) {
    out->kind = kind;
    out->what = what;
    out->need = need;
}

static const char need_safetensors[] =
    "files that can run code are never read: convert them to .safetensors with diffusers' "
    "save_pretrained(..., safe_serialization=True)";

static enum xl_status judge_files(const struct counts *counts, struct xl_arena *arena,
                                  struct xl_hub_folder_class *out, struct xl_err *err) {
    const int *n = counts->n;
    if (n[XL_FILE_SDXL_CHECKPOINT])
        take(out, XL_HUB_FOLDER_SINGLE_FILES,
             n[XL_FILE_SDXL_CHECKPOINT] > 1
                 ? xl_arena_printf(arena, "%d SDXL checkpoints", n[XL_FILE_SDXL_CHECKPOINT])
                 : "an SDXL checkpoint",
             NULL);
    else if (n[XL_FILE_LORA])
        take(out, XL_HUB_FOLDER_LORA,
             n[XL_FILE_LORA] > 1 ? xl_arena_printf(arena, "%d LoRAs", n[XL_FILE_LORA]) : "a LoRA",
             NULL);
    else if (n[XL_FILE_EMBEDDING])
        take(out, XL_HUB_FOLDER_EMBEDDING, "textual inversions for SDXL", NULL);
    else if (n[XL_FILE_VAE])
        take(out, XL_HUB_FOLDER_VAE, "a VAE", NULL);
    else if (out->n_files && out->file[0].why)
        take(out, XL_HUB_FOLDER_FILES, xl_arena_printf(arena, "unreadable: %s", out->file[0].why),
             "download it again");
    else if (out->n_files)
        take(out, XL_HUB_FOLDER_FILES, out->file[0].is.what, out->file[0].is.need);
    else if (counts->n_pickles)
        take(out, XL_HUB_FOLDER_PICKLES, "only pickle files (.bin, .ckpt, .pt)", need_safetensors);
    else if (counts->n_gguf)
        take(out, XL_HUB_FOLDER_GGUF, "GGUF files",
             "they are not supported: take the model's safetensors files");
    else
        take(out, XL_HUB_FOLDER_UNKNOWN, "a folder without model_index.json and without weights",
             "expected a diffusers folder or .safetensors files");
    return out->what ? XL_OK : xl_fail_nomem(err, "the kind of a folder", 0);
}

static enum xl_status classify(const char *dir, bool is_brief, struct xl_arena *arena,
                               struct xl_hub_folder_class *out, struct xl_err *err) {
    struct xl_hub_folder_class found = {0};
    struct counts counts = {0};
    bool has_index = false;
    if (!xl_dir_exists(dir)) return xl_fail(err, XL_EMODEL, "%s: there is no such folder", dir);
    enum xl_status status = read_index(dir, arena, &found, &has_index, err);
    if (!status && !(is_brief && has_index)) status = read_files(dir, arena, &found, &counts, err);
    if (!status && !has_index) status = judge_files(&counts, arena, &found, err);
    if (!status) *out = found;
    return status;
}

enum xl_status xl_hub_classify_folder(const char *dir, struct xl_arena *arena,
                                      struct xl_hub_folder_class *out, struct xl_err *err) {
    return classify(dir, false, arena, out, err);
}

enum xl_status xl_hub_classify_briefly(const char *dir, struct xl_arena *arena,
                                       struct xl_hub_folder_class *out, struct xl_err *err) {
    return classify(dir, true, arena, out, err);
}
