/* hub.h - models in the Hugging Face cache: find a repository, pick the files of each component,
 * say what is missing. Reads only; never writes there, never opens a socket. Links are followed
 * wherever they lead: blob stores are shared between repositories.
 */
#ifndef XL_HUB_HUB_H
#define XL_HUB_HUB_H

#include "base/arena.h"
#include "base/sha256.h"
#include "base/status.h"

/* Where a model lies. */
struct xl_snapshot {
    const char *dir;  /* folder with model_index.json, or that of `file` */
    const char *file; /* a checkpoint that is the whole model; NULL: the folder is */
    const char *id;   /* "org/name", "org/name:file.safetensors", or the folder or file as given */
    const char *commit; /* 40 hex digits; NULL for a plain folder */
    const char *notice; /* a sentence when something was chosen for the user (a missing ref, one of
                           several snapshots); else NULL */
};

/* Take a folder with model_index.json, a .safetensors file, or find a repository ("org/name", or
 * the path of a "models--org--name") in the cache. A folder comes before a repository of the same
 * name, as in diffusers. "org/name:file.safetensors" is one file of a cached repository. A folder
 * or repository without model_index.json stands for the one SDXL checkpoint at its root; of two
 * that are called the same but for _fp16 and _fp32 for the former, and `notice` says so. Looks in
 * HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, $HF_HOME/hub and $HF_HOME (default
 * ${XDG_CACHE_HOME:-~/.cache}/huggingface), ~ and $VAR expanded, in this order.
 * revision: branch, tag, "refs/pr/1" or 40 hex digits; NULL: main. A revision that was asked for is
 * never replaced. Where main names nothing that is there, the only snapshot is taken, or of several
 * the newest complete one; where copies lie in several places, the first complete one; else the
 * first, for xl_hub_pipeline to tell what it lacks. Strings live in the arena.
 * A repository that is no model is found all the same: xl_hub_pipeline tells what it is.
 * Errors: XL_EMODEL not cached (says where it looked), a file that the repository has not;
 * XL_EFORMAT a pickle (unread), a folder of other files (LoRAs, ...: says what they are);
 * XL_EINVAL neither a file, a folder nor an id, a folder of several checkpoints (lists them), or a
 * revision with ".." or control characters */
enum xl_status xl_hub_resolve(const char *model, const char *revision, struct xl_arena *arena,
                              struct xl_snapshot *out, struct xl_err *err) XL_CHECKED;

/* Can this be the id of a repository ("org/name" or "name"), and this a revision (NULL: main)?
 * Errors: XL_EINVAL no */
enum xl_status xl_hub_check_id(const char *id, const char *revision, struct xl_err *err) XL_CHECKED;

/* Repositories of the cache whose model_index.json names a pipeline of the SDXL family, complete or
 * not, each once: by the place in the cache, then by the bytes of their names. In the arena.
 * Errors: XL_ENOMEM */
struct xl_hub_repositories {
    const char *const *id; /* "org/name" */
    int n;
};
enum xl_status xl_hub_repositories(struct xl_arena *arena, struct xl_hub_repositories *out,
                                   struct xl_err *err) XL_CHECKED;
/* The same of all repositories, whatever they hold. Errors: XL_ENOMEM */
enum xl_status xl_hub_every_repository(struct xl_arena *arena, struct xl_hub_repositories *out,
                                       struct xl_err *err) XL_CHECKED;

/* Is this class of a model_index.json a pipeline of the SDXL family? They differ in how they are
 * called: all are made of the same components. */
bool xl_hub_is_sdxl_class(const char *class_name);

/* The components of an SDXL pipeline. */
enum xl_component {
    XL_UNET,
    XL_VAE,
    XL_TEXT_ENCODER,
    XL_TEXT_ENCODER_2,
    XL_N_COMPONENTS,
};
/* "unet", "vae", "text_encoder", "text_encoder_2": the folder of the component. */
const char *xl_component_name(enum xl_component component);

/* Safetensors files that together hold one component. */
struct xl_component_files {
    const char *config;       /* config.json; NULL: the shapes of the tensors have to tell */
    const char *const *files; /* absolute paths, n_files of them */
    int n_files;
    bool is_single; /* one file, which may hold other components, too, and may have the key names
                       of the first implementation (weights/original.h) */
    const char *variant; /* "fp16", or "" */
    const char *notice;  /* as in xl_snapshot */
    const char *also; /* notice says no more than that the files of this variant are complete too;
                         else NULL */
};

struct xl_pipeline_files {
    struct xl_component_files component[XL_N_COMPONENTS];
    const char *tokenizer_dir, *tokenizer_2_dir; /* NULL: the program's own (text/clip_vocab.h) */
    const char *scheduler_config;                /* NULL: see sampler.h, of a checkpoint */
    const char *scheduler_class;                 /* from model_index.json; NULL likewise */
    bool force_zeros_for_empty_prompt; /* from model_index.json; true when absent, as diffusers */
    const char *checkpoint;            /* the one file of all components; else NULL */
    bool is_v_prediction, is_zero_snr, is_edm; /* what the checkpoint says; see classify.h */
    double sigma_min, sigma_max;               /* CosXL: likewise; 0: it does not say */
};

/* Choose the files of every component of a snapshot; read every header. vae: another VAE than its
 * own, as xl_hub_vae takes it: then its own need not be there; "": none is looked for; NULL: its
 * own. Per component: complete sets only (each file is there and its header describes all of it; a
 * shard set has its index, and each tensor of that is where the index says). The plain name before
 * a variant, fp16 before other variants; of a file and shards the one that Python loads (unet and
 * vae: shards, text encoders: the file). A choice between several complete sets, or a better one
 * that is incomplete, is explained in `notice`. Errors: XL_EMODEL with every missing or
 * half-downloaded file named; XL_EINVAL several checkpoints and no model_index.json (lists them);
 * XL_EFORMAT not an SDXL pipeline, no SDXL checkpoint (says what it is instead), no VAE, a
 * component of another class (the class found is named; what model_index.json says counts, as in
 * diffusers, not what a config.json does), damaged weights, only pickle files (.bin, .ckpt, .pt:
 * refused, with what to do) */
enum xl_status xl_hub_pipeline(const struct xl_snapshot *snapshot, const char *vae,
                               struct xl_arena *arena, struct xl_pipeline_files *out,
                               struct xl_err *err) XL_CHECKED;

/* The files of a VAE: of a folder (a diffusers VAE, or a pipeline's), of a repository of either, of
 * one file (of a VAE alone or a whole checkpoint, whatever its key names), or of a repository that
 * has one such file; "org/name:file.safetensors" as above. config is that beside the file, if it is
 * a VAE's. Errors: as xl_hub_resolve and xl_hub_pipeline; XL_EFORMAT another kind of file or class
 */
enum xl_status xl_hub_vae(const char *vae, struct xl_arena *arena, struct xl_component_files *out,
                          struct xl_err *err) XL_CHECKED;

/* The digest of a cached file from its blob's name (64 hex: sha256; 40 hex: git's sha1 of a blob);
 * NULL for a file that is no link into a blob store, or out of memory. In the arena. */
const char *xl_hub_digest(const char *path, struct xl_arena *arena);

/* The same, and of a file without one the SHA-256 of its content: a large file is read for it once
 * (base/file_digest.h). Errors: XL_EINPUT it cannot be read; XL_ENOMEM */
enum xl_status xl_hub_file_digest(const char *path, char out[XL_SHA256_HEX],
                                  struct xl_err *err) XL_CHECKED;

#endif
