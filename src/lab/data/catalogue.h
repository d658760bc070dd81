/* catalogue.h - the models that the lab knows by name: where they come from, their licence, what
 * suits them, what they cannot do. data/models.yaml has those of the program; users' files add to
 * them or override them. A loaded catalogue is read-only: any thread may use it.
 */
#ifndef XL_LAB_CATALOGUE_H
#define XL_LAB_CATALOGUE_H

#include "lab/data/profiles.h" /* XL_NO_GUIDANCE */

enum xl_catalogue_kind {
    XL_KIND_PIPELINE,    /* folders of a diffusers pipeline */
    XL_KIND_SINGLE_FILE, /* one checkpoint file */
    XL_KIND_LORA,        /* weights that are added to those of `base` */
};
/* "pipeline", "single-file", "lora" */
const char *xl_catalogue_kind_name(enum xl_catalogue_kind kind);

struct xl_catalogue_model {
    const char *key; /* "SDXL Base 1.0" */
    const char *const *aliases;
    int n_aliases;
    const char *repo;     /* "org/name", or what the folder is called in the file that names it */
    const char *folder;   /* absolute; NULL: a repository, or the folder is not there */
    bool is_embedded;     /* a folder that ships with the program */
    const char *revision; /* NULL: main */
    enum xl_catalogue_kind kind;
    const char *file;         /* single file, LoRA: the file in the repository; NULL: not known */
    const char *licence;      /* "openrail++" */
    const char *licence_note; /* what else to know of it, "" */
    bool is_commercial;       /* the licence allows commercial use */
    int width, height;        /* recommended; 0: the model's own */
    int steps;                /* recommended; 0: none */
    double guidance;          /* recommended; XL_NO_GUIDANCE: none */
    const char *scheduler;    /* recommended, a name of xl_scheduler_list; NULL: none */
    const char *base;         /* LoRA: key, repository or folder of the model that it changes */
    const struct xl_catalogue_model *base_model; /* LoRA: the entry of base; NULL: it has none */
    double lora_weight;                          /* LoRA: 1 */
    int steps_min, steps_max;                    /* 0: no limit */
    double guidance_min, guidance_max;           /* XL_NO_GUIDANCE: no limit */
    bool ignores_profile;  /* steps, guidance and sampler of profiles do not apply */
    bool ignores_negative; /* made to be used without guidance: a negative has no effect */
    const char *about;     /* one line for people */
    const char *tags;      /* words that its makers suggest for the prompt; "" */
    const char *negative_tags;
    const char *origin; /* the file, or "built-in" */
};

struct xl_catalogue; /* opaque */

/* Load the built-in models, then ${XDG_CONFIG_HOME:-~/.config}/sdxl-lab/models.yaml and models.d/
 * *.yaml, then the extra files, as xl_profiles_load does. Caller: xl_catalogue_free.
 * Errors: XL_EINPUT, XL_ENOMEM */
enum xl_status xl_catalogue_load(const char *const *extra_files, int n_extra,
                                 struct xl_catalogue **out, struct xl_err *err) XL_CHECKED;
void xl_catalogue_free(struct xl_catalogue *catalogue);

/* An embedded model that this installation does not have is not counted. */
int xl_catalogue_count(const struct xl_catalogue *catalogue);
const struct xl_catalogue_model *xl_catalogue_at(const struct xl_catalogue *catalogue, int i);

/* By key, then by key whatever its case and punctuation, then by alias, then by repository whatever
 * its case. NULL: none; it may still be a repository or a folder that the catalogue does not know.
 */
const struct xl_catalogue_model *xl_catalogue_find(const struct xl_catalogue *catalogue,
                                                   const char *name);

/* What lies where the weights of an entry do: of a LoRA its base; NULL: that has no entry. */
const struct xl_catalogue_model *xl_catalogue_base(const struct xl_catalogue_model *model);

/* Is this repository ("org/name", whatever the case) one of the catalogue's? */
bool xl_catalogue_has_repository(const struct xl_catalogue *catalogue, const char *id);

/* Names like `name` for a sentence: "\"SDXL Base 1.0\" or \"me/my-sdxl\"" into out; "" when nothing
 * is near. Looks at the catalogue and at the SDXL repositories of the cache that it does not know.
 * Returns out. */
char *xl_catalogue_nearest(const struct xl_catalogue *catalogue, const char *name, char *out,
                           size_t size);

/* Repositories of the cache that hold SDXL models, pipelines or single files, and that the
 * catalogue does not know, as entries without recommendations: pipelines first. with_loras: and
 * those that hold LoRAs, last; they have no base. In the arena. Errors: XL_ENOMEM */
enum xl_status xl_catalogue_cached(const struct xl_catalogue *catalogue, bool with_loras,
                                   struct xl_arena *arena, const struct xl_catalogue_model **out,
                                   int *n, struct xl_err *err) XL_CHECKED;

/* An entry without recommendations for a repository that no catalogue has. id is borrowed. */
struct xl_catalogue_model xl_catalogue_unlisted(const char *id, enum xl_catalogue_kind kind);

enum xl_model_state {
    XL_MODEL_READY,      /* complete and readable */
    XL_MODEL_NOT_CACHED, /* nothing of it is there */
    XL_MODEL_INCOMPLETE, /* files are missing or half downloaded */
    XL_MODEL_UNUSABLE,   /* damaged, or not what the catalogue says */
};
/* "ready", "not cached", "incomplete", "unusable" */
const char *xl_model_state_name(enum xl_model_state state);

struct xl_catalogue_status {
    enum xl_model_state state;
    const char *location; /* what xl_model_open takes: repository, folder, file, "org/name:file" */
    const char *lora;     /* a LoRA: the path of its file, for `location`, which is its base */
    const char *dir;      /* the snapshot; NULL when not cached */
    const char *why;      /* a sentence; NULL when ready */
    int64_t bytes;        /* of the weight files that would be read, when ready */
};

/* Look whether a model is there and can draw: reads configurations, tokenizers and headers of
 * weights, as drawing does, and no weights. Strings live in the arena. What the catalogue takes for
 * a single file or a LoRA counts as a pipeline where its repository holds one. A LoRA is ready when
 * its base is; one without a base when its file is a LoRA for SDXL. vae: instead of its own, as
 * xl_model_open takes it; NULL: its own. Errors: XL_ENOMEM */
enum xl_status xl_catalogue_state(const struct xl_catalogue_model *model, const char *vae,
                                  struct xl_arena *arena, struct xl_catalogue_status *out,
                                  struct xl_err *err) XL_CHECKED;

#endif
