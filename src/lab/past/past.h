/* past.h - how a picture was made, whatever program made it: its record in the words of
 * AUTOMATIC1111's tools, which people know, and as settings to draw with again.
 *
 * A record is a list of entries. KEYS have a meaning that is the same in all programs (past.c has
 * their table); other keys are kept as the program wrote them. Records are input from anybody: a
 * damaged, huge or circular one costs time and memory within bounds and says nothing.
 */
#ifndef XL_LAB_PAST_H
#define XL_LAB_PAST_H

#include "image/metadata.h"
#include "lab/settings/settings.h"

struct xl_past_entry {
    const char *key, *value; /* "Steps", "30" */
};

/* Everything lives in the arena, but for raw. */
struct xl_past {
    struct xl_arena arena;
    const char *source; /* "sdxl-lab", "A1111", "ComfyUI", ... */
    struct xl_past_entry *entries;
    int n, capacity;
    json_t *raw;    /* {KEYWORD: as it is in the file, parsed where it is JSON} */
    json_t *record; /* of this program, in the present format; NULL: another's */
    bool is_sheet;  /* the file is a contact sheet and says so; reading it fails */
    bool failed;    /* out of memory: sticky */
};

/* The keys. "LoRA" may be there several times: "NAME", or "NAME: WEIGHT". */
#define XL_PAST_PROMPT "Prompt"
#define XL_PAST_NEGATIVE "Negative prompt"
#define XL_PAST_STEPS "Steps"
#define XL_PAST_SAMPLER "Sampler"
#define XL_PAST_SCHEDULE "Schedule type"
#define XL_PAST_GUIDANCE "CFG scale"
#define XL_PAST_RESCALE "CFG rescale"
#define XL_PAST_SEED "Seed"
#define XL_PAST_SIZE "Size"
#define XL_PAST_MODEL "Model"
#define XL_PAST_HASH "Model hash"
#define XL_PAST_VAE "VAE"
#define XL_PAST_STRENGTH "Denoising strength"
#define XL_PAST_CLIP_SKIP "Clip skip"
#define XL_PAST_RNG "RNG"
#define XL_PAST_LORA "LoRA"
#define XL_PAST_TI_HASHES "TI hashes"
#define XL_PAST_VERSION "Version"

/* The key of JSON for one of these ("guidance"), whether its value is a number there; NULL: it is
 * none of them. */
const char *xl_past_common_key(const char *key, bool *is_number);

/* Read the record in the bytes of a file; name opens every sentence. Caller: xl_past_deinit, also
 * after a failure. Errors: XL_EINPUT there is none, or it is damaged; XL_ENOMEM */
enum xl_status xl_past_read(struct xl_past *past, const char *name, const void *data, size_t n,
                            struct xl_err *err) XL_CHECKED;
/* The same for a file, or standard input ("-"). Errors: and XL_EINPUT it cannot be read */
enum xl_status xl_past_load(struct xl_past *past, const char *path, struct xl_err *err) XL_CHECKED;
void xl_past_deinit(struct xl_past *past);

/* The first value of a key; NULL: none. */
const char *xl_past_get(const struct xl_past *past, const char *key);

/* Whether a model that has this name here (a key, a repository) is what other programs call
 * `wanted`: the file's name, with or without its ending, whatever its case and punctuation. */
bool xl_past_is_called(const char *name, const char *wanted);

/* What readers of one program's records (past_*.c) are made of. A NULL or empty value adds nothing;
 * a number is written as JSON has it, without an end of zeros. */
void xl_past_add(struct xl_past *past, const char *key, const char *value);
void xl_past_add_json(struct xl_past *past, const char *key, const json_t *value);
void xl_past_add_size(struct xl_past *past, const json_t *width, const json_t *height);
void xl_past_add_infotext(struct xl_past *past, const char *text);

/* past_comfy.c: a graph of nodes as ComfyUI runs it ("prompt"). False: nothing in it samples. */
bool xl_past_read_comfy(struct xl_past *past, const json_t *graph);
/* past_json.c: objects of InvokeAI, SwarmUI, Fooocus, NovelAI and Draw Things. False: none. */
bool xl_past_read_json(struct xl_past *past, const char *keyword, const json_t *object);

/* past_settings.c: set what a record says and nobody else did. first: what the command line, the
 * environment and a job file say, which comes before it; settings: defaults, the record's values
 * are set in them. Texts are kept in settings->arena. What cannot be taken over is warned of by
 * name. Errors: XL_EINPUT no record, or an init image that is another now; XL_EMODEL a model that
 * is neither in the list nor in the cache; XL_EINVAL a value that is out of range */
enum xl_status xl_past_settings(const char *path, const struct xl_settings *first,
                                struct xl_settings *settings, struct xl_err *err) XL_CHECKED;

#endif
