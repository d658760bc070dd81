/* hub.h - models in the Hugging Face cache: find a repository, pick the files of each component,
 * say what is missing. Reads only; never writes, never opens a socket. Links are followed wherever
 * they lead: blob stores are shared between repositories.
 */
#ifndef XL_HUB_HUB_H
#define XL_HUB_HUB_H

#include "base/arena.h"
#include "base/status.h"

/* Where a model lies. */
struct xl_snapshot {
    const char *dir;    /* folder with model_index.json */
    const char *id;     /* "org/name", or the folder as given */
    const char *commit; /* 40 hex digits; NULL for a plain folder */
    const char *notice; /* a sentence when something was chosen for the user (a missing ref, one of
                           several snapshots); else NULL */
};

/* Take a folder with model_index.json, or find a repository ("org/name", or the path of a
 * "models--org--name") in the cache. A folder comes before a repository of the same name, as in
 * diffusers.
 * Looks in HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, $HF_HOME/hub and $HF_HOME (default
 * ${XDG_CACHE_HOME:-~/.cache}/huggingface), ~ and $VAR expanded, in this order.
 * revision: branch, tag, "refs/pr/1" or 40 hex digits; NULL: main. A revision that was asked for is
 * never replaced. Where main names nothing that is there, the only snapshot is taken, or of several
 * the newest complete one; where copies lie in several places, the first complete one; else the
 * first, for xl_hub_pipeline to tell what it lacks. Strings live in the arena.
 * Errors: XL_EMODEL not cached (says where it looked), XL_EFORMAT a single file, XL_EINVAL neither
 * a folder nor an id, or a revision with ".." or control characters */
enum xl_status xl_hub_resolve(const char *model, const char *revision, struct xl_arena *arena,
                              struct xl_snapshot *out, struct xl_err *err) XL_CHECKED;

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
    const char *config;       /* config.json */
    const char *const *files; /* absolute paths, n_files of them */
    int n_files;
    const char *variant; /* "fp16", or "" */
    const char *notice;  /* as in xl_snapshot */
};

struct xl_pipeline_files {
    struct xl_component_files component[XL_N_COMPONENTS];
    const char *tokenizer_dir, *tokenizer_2_dir;
    const char *scheduler_config;
    const char *scheduler_class;       /* from model_index.json */
    bool force_zeros_for_empty_prompt; /* from model_index.json; true when absent, as diffusers */
};

/* Choose the files of every component of a snapshot; read every header. Per component: complete
 * sets only (each file is there and its header describes all of it; a shard set has its index, and
 * each tensor of that is where the index says). The plain name before a variant, fp16 before other
 * variants; of a file and shards the one that Python loads (unet and vae: shards, text encoders:
 * the file). A choice between several complete sets, or a better one that is incomplete, is
 * explained in `notice`. Errors: XL_EMODEL with every missing or half-downloaded file named;
 * XL_EFORMAT not an SDXL pipeline, or a component of another class (the class found is named; what
 * model_index.json says counts, as in diffusers, not what a config.json does), damaged weights,
 * only pickle files
 * (.bin, .ckpt, .pt: refused, with what to do) */
enum xl_status xl_hub_pipeline(const struct xl_snapshot *snapshot, struct xl_arena *arena,
                               struct xl_pipeline_files *out, struct xl_err *err) XL_CHECKED;

/* The digest of a cached file from its blob's name (64 hex: sha256; 40 hex: git's sha1 of a blob);
 * NULL for a file that is no link into a blob store, or out of memory. In the arena. */
const char *xl_hub_digest(const char *path, struct xl_arena *arena);

/* For files without a digest: the first 32 hex digits of the SHA-256 over the size and the content
 * of the file; of more than 4 MiB, over 64 pieces of 4 KiB spread evenly. It tells models apart; it
 * proves nothing. Errors: XL_EMODEL unreadable, XL_ENOMEM */
enum { XL_FINGERPRINT_HEX = 33 };
enum xl_status xl_hub_fingerprint(const char *path, char out[XL_FINGERPRINT_HEX],
                                  struct xl_err *err) XL_CHECKED;

#endif
