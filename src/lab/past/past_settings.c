/* past_settings.c - a record as settings: what maps, and the names of what does not. */
#include "lab/past/past.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/str.h"
#include "hub/hub.h"
#include "lab/cell/cell_fields.h"
#include "lab/cell/cell_record.h"
#include "lab/data/catalogue.h"
#include "lab/data/embedding_text.h"
#include "lab/data/lora_text.h"
#include "lab/data/loras.h"
#include "lab/data/profiles.h"
#include "lab/run/origin.h"
#include "sampler/sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is being taken over. */
struct take {
    const char *path;
    const struct xl_past *past;
    const struct xl_settings *first; /* comes before it */
    struct xl_settings *settings;
    struct xl_catalogue *catalogue;
    struct xl_err *err;
};

/* --- What others said ------------------------------------------------------------------------- */

/* Whether somebody gave the option, or sweeps it. */
static bool is_said(const struct take *take, const char *name) {
    const struct xl_settings *first = take->first;
    if (xl_settings_is_given(first, name)) return true;
    if (!strcmp(name, "profile") && (first->all_profiles || first->all_models)) return true;
    if (!strcmp(name, "model") && first->all_models) return true;
    for (int i = 0; i < first->sweep.n; i++) {
        char key[64];
        size_t n = strcspn(first->sweep.item[i], "=");
        snprintf(key, sizeof key, "%.*s", (int)(n < sizeof key ? n : 0), first->sweep.item[i]);
        const struct xl_option *option = xl_option_find(key);
        if (option && !strcmp(option->name, name)) return true;
    }
    return false;
}

static enum xl_status set(struct take *take, const char *name, const char *text) {
    if (!text || is_said(take, name)) return XL_OK;
    char origin[512];
    snprintf(origin, sizeof origin, "%.400s: %s", take->path, name);
    const char *kept = xl_arena_strdup(take->settings->arena, text);
    if (!kept) return xl_fail_nomem(take->err, "a setting", 0);
    return xl_settings_set(take->settings, xl_option_find(name), origin, kept, take->err);
}

/* --- Ours ------------------------------------------------------------------------------------- */

/* A member of the record as the text of an option; NULL: it has none. */
static const char *text_of(struct take *take, const json_t *value) {
    struct xl_arena *arena = take->settings->arena;
    if (json_is_string(value)) return json_string_value(value);
    if (json_is_integer(value))
        return xl_arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (!json_is_real(value)) return NULL;
    char number[XL_REAL_MAX];
    xl_real_text(json_real_value(value), number);
    return xl_arena_strdup(arena, number);
}

/* Every field of a cell that is an option of its own. Sizes are a size: what is said of one side
 * now comes before it. */
static enum xl_status take_fields(struct take *take) {
    const json_t *record = take->past->record;
    const struct xl_cell_field *field;
    enum xl_status status = XL_OK;
    for (int i = 0; !status && (field = xl_cell_field_at(i)); i++) {
        const struct xl_option *option = xl_option_find(field->key);
        bool is_side = !strcmp(field->key, "width") || !strcmp(field->key, "height");
        bool is_variant = !strcmp(field->key, "lora") || !strcmp(field->key, "vae") ||
                          !strcmp(field->key, "embedding");
        if (option && !is_side && !is_variant && !(field->bits & XL_CELL_PATH))
            status = set(take, option->name, text_of(take, json_object_get(record, field->key)));
    }
    const char *size =
        xl_arena_printf(take->settings->arena, "%lldx%lld",
                        (long long)json_integer_value(json_object_get(record, "width")),
                        (long long)json_integer_value(json_object_get(record, "height")));
    return status ? status : set(take, "size", size);
}

/* The words as drawn, with the tags of the prompt that they come from. */
static const char *with_tags(struct take *take, const char *drawn, const char *asked) {
    struct xl_arena *arena = take->settings->arena;
    struct xl_lora_list tags = {.n = 0};
    const char *ignored = NULL, *text = drawn;
    char scales[XL_LORA_SCALES_MAX];
    if (xl_lora_tags_take(asked, arena, &ignored, &tags, NULL)) return drawn;
    for (int i = 0; text && i < tags.n; i++)
        text = xl_arena_printf(
            arena, "%s <lora:%s%s>", text, tags.item[i].name,
            xl_lora_scales_write(tags.item[i].text_scale, tags.item[i].unet_scale, scales));
    return text;
}

/* A profile whose words are others now would draw another picture: the words as drawn, then. */
static enum xl_status check_words(struct take *take) {
    enum { MOST = 8 };
    const struct xl_settings *first = take->first;
    const json_t *record = take->past->record;
    const char *name = json_string_value(json_object_get(record, "profile"));
    const char *drawn = json_string_value(json_object_get(record, "styled_prompt"));
    const char *asked = json_string_value(json_object_get(record, "prompt"));
    const struct xl_profile *stack[MOST];
    struct xl_profiles *profiles = NULL;
    struct xl_profiles_text styled = {0};
    int n = 0;
    if (!name || !drawn || !asked || is_said(take, "profile") || is_said(take, "prompt"))
        return XL_OK;
    enum xl_status status =
        xl_profiles_load(first->profile_files.item, first->profile_files.n, &profiles, take->err);
    if (status) return status;
    const char *negative = json_string_value(json_object_get(record, "negative"));
    const struct xl_profiles_text given = {asked, negative};
    bool is_same =
        !xl_profiles_parse_stack(profiles, name, stack, MOST, &n, NULL) &&
        !xl_profiles_apply(stack, n, &given, take->settings->arena, &styled, NULL) &&
        !xl_lora_tags_take(styled.prompt, take->settings->arena, &styled.prompt, NULL, NULL) &&
        !strcmp(styled.prompt, drawn);
    xl_profiles_free(profiles);
    if (is_same) return XL_OK;
    xl_warn("%s: the profile \"%s\" has other words now: drawn with those of the record",
            take->path, name);
    status = set(take, "profile", XL_PROFILE_RAW);
    const char *words = with_tags(take, drawn, asked);
    if (!status && !words) status = xl_fail_nomem(take->err, "a prompt", 0);
    if (!status) status = set(take, "prompt", words);
    return status ? status
                  : set(take, "negative",
                        json_string_value(json_object_get(record, "effective_negative")));
}

static enum xl_status take_init(struct take *take, const struct xl_origin *origin) {
    char digest[XL_SHA256_HEX];
    const char *was = json_string_value(json_object_get(take->past->record, "init_digest"));
    if (!origin->init_image || is_said(take, "init-image") || take->first->mode == XL_MODE_TXT2IMG)
        return XL_OK;
    enum xl_status status = xl_sha256_file(origin->init_image, digest, NULL);
    if (status || (was && strcmp(was, digest) != 0))
        return xl_fail(take->err, XL_EINPUT,
                       "%s: %s, which it started from, is %s; say another one with --init-image, "
                       "or --mode txt2img",
                       take->path, origin->init_image, status ? "not here" : "another picture now");
    return set(take, "init-image", origin->init_image);
}

/* What finds a LoRA of the record by the name that --lora had. */
struct lora_places {
    const struct xl_origin *origin;
    const json_t *loras; /* of the record, in the origin's order */
};

static enum xl_status place_lora(void *user, const char *name, const char **to,
                                 struct xl_err *err) {
    const struct lora_places *places = user;
    (void)err;
    for (int i = 0; i < places->origin->n_loras; i++) {
        const char *file = places->origin->loras[i].file;
        const json_t *lora = json_array_get(places->loras, (size_t)i);
        const char *its = json_string_value(json_object_get(lora, "name"));
        if (its && !strcmp(its, name) && file[0] == '/') *to = file;
    }
    return XL_OK;
}

/* The LoRAs and the VAE that were asked for beside the prompt, by their files where those are
 * known. */
static enum xl_status take_variant(struct take *take, const struct xl_origin *origin) {
    const json_t *record = take->past->record;
    const char *text = json_string_value(json_object_get(record, "lora"));
    struct lora_places places = {origin,
                                 json_object_get(json_object_get(record, "model"), "loras")};
    enum xl_status status = XL_OK;
    if (origin->missing && !is_said(take, "lora"))
        return xl_fail(take->err, XL_EMODEL,
                       "%s: the file of its LoRA \"%s\" is not here, or was changed; say another "
                       "one with --lora, or --lora none",
                       take->path, origin->missing);
    if (text && !is_said(take, "lora"))
        status =
            xl_lora_text_rename(text, place_lora, &places, take->settings->arena, &text, take->err);
    if (!status) status = set(take, "lora", text);
    return status ? status : set(take, "vae", origin->vae);
}

/* Its textual inversions, each by its file. */
static enum xl_status take_embeddings(struct take *take, const struct xl_origin *origin) {
    struct xl_arena *arena = take->settings->arena;
    struct xl_cell cell;
    enum xl_status status =
        xl_cell_from_record(take->past->record, take->path, arena, &cell, take->err);
    if (status || is_said(take, "embedding")) return status;
    if (origin->missing_embedding)
        return xl_fail(take->err, XL_EMODEL,
                       "%s: the file of its embedding \"%s\" is not here, or was changed; say "
                       "another one with --embedding FILE:%s",
                       take->path, origin->missing_embedding, origin->missing_embedding);
    cell.embedding_files = origin->embedding_files;
    status = xl_cell_settle_embeddings(&cell, take->path, arena, take->err);
    for (int i = 0; !status && i < cell.n_embeddings; i++) {
        const struct xl_embedding *embedding = &cell.embeddings[i];
        const char *text = xl_arena_printf(arena, "%s:%s", embedding->file, embedding->word);
        status = text ? set(take, "embedding", text) : xl_fail_nomem(take->err, "embeddings", 0);
    }
    return status;
}

/* By its name in the list where that is the same repository: its limits and advice hold then. */
static enum xl_status take_model(struct take *take, const struct xl_origin *origin) {
    const char *key = json_string_value(json_object_get(take->past->record, "model_key"));
    const struct xl_catalogue_model *entry = key ? xl_catalogue_find(take->catalogue, key) : NULL;
    if (is_said(take, "model")) return XL_OK;
    if (!origin->model)
        return xl_fail(take->err, XL_EINPUT, "%s: its record names no model", take->path);
    if (!origin->is_known)
        return xl_fail(take->err, XL_EMODEL,
                       "%s: its model %s is not here; say another one with --model", take->path,
                       origin->model);
    const struct xl_catalogue_model *base = entry ? xl_catalogue_base(entry) : NULL;
    const char *of_entry = !base ? NULL : base->folder ? base->folder : base->repo;
    bool is_entry = of_entry && !strcmp(of_entry, origin->model);
    enum xl_status status = set(take, "model", is_entry ? key : origin->model);
    return status ? status : set(take, "revision", origin->revision);
}

static enum xl_status take_ours(struct take *take) {
    struct xl_origins *origins = xl_origins_new(take->first);
    struct xl_origin origin;
    if (!origins) return xl_fail_nomem(take->err, "the places of a picture", 0);
    enum xl_status status = xl_origin_find(origins, take->path, take->past->record,
                                           take->settings->arena, &origin, take->err);
    if (!status) status = take_fields(take);
    if (!status) status = check_words(take);
    if (!status) status = take_init(take, &origin);
    if (!status) status = take_variant(take, &origin);
    if (!status) status = take_embeddings(take, &origin);
    if (!status) status = take_model(take, &origin);
    xl_origins_free(origins);
    return status;
}

/* --- Others': samplers ------------------------------------------------------------------------ */

/* Lower case without what is in the way: "dpmpp_2m_sde_gpu" and "dpmpp_2m_k" of other programs. */
static void spell(const char *name, char *out, size_t size) {
    static const struct {
        const char *end, *ours;
    } ends[] = {{"_gpu", ""}, {"_k", "-karras"}, {"_heun", NULL}};
    snprintf(out, size, "%s", name);
    size_t n = strlen(out);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n_end = strlen(ends[i].end);
        if (!ends[i].ours || n <= n_end || strcmp(out + n - n_end, ends[i].end) != 0) continue;
        snprintf(out + n - n_end, size - (n - n_end), "%s", ends[i].ours);
    }
}

static bool is_plain_schedule(const char *schedule) {
    static const char *const plain[] = {"Automatic", "automatic", "normal", "native", "discrete"};
    for (size_t i = 0; schedule && i < sizeof plain / sizeof *plain; i++)
        if (!strcmp(schedule, plain[i])) return true;
    return !schedule;
}

static enum xl_status take_sampler(struct take *take) {
    const char *sampler = xl_past_get(take->past, XL_PAST_SAMPLER);
    const char *schedule = xl_past_get(take->past, XL_PAST_SCHEDULE);
    char name[128], both[256];
    if (!sampler || is_said(take, "scheduler")) return XL_OK;
    spell(sampler, name, sizeof name);
    if (xl_scheduler_check_name(name, NULL)) {
        xl_warn("%s: no sampler of ours is \"%s\": the model's own draws", take->path, sampler);
        return XL_OK;
    }
    snprintf(both, sizeof both, "%s %s", name, schedule ? schedule : "");
    bool is_plain = is_plain_schedule(schedule);
    bool has_both = !is_plain && !xl_scheduler_check_name(both, NULL);
    if (!is_plain && !has_both)
        xl_warn("%s: \"%s\" has no schedule \"%s\" here: drawn without it", take->path, sampler,
                schedule);
    return set(take, "scheduler", has_both ? both : name);
}

/* --- Others': models -------------------------------------------------------------------------- */

/* Letters and digits alone, in lower case, without what a file's name ends in. */
static void squeeze(const char *text, char *out, size_t size) {
    static const char END[] = ".safetensors";
    const char *slash = strrchr(text, '/');
    size_t n = 0, length;
    text = slash ? slash + 1 : text;
    length = strlen(text);
    if (length > sizeof END && !strcmp(text + length - sizeof END + 1, END))
        length -= sizeof END - 1;
    for (size_t i = 0; i < length && n + 1 < size; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out[n++] = c;
    }
    out[n] = 0;
}

static bool is_called(const char *name, const char *wanted) {
    static const struct {
        const char *file, *repository; /* squeezed: as the files are called that people download */
    } known[] = {{"sdxlbase10", "stablediffusionxlbase10"},
                 {"sdxlbase1009vae", "stablediffusionxlbase10"},
                 {"sdxlturbo10", "sdxlturbo"},
                 {"sdxlturbo10fp16", "sdxlturbo"}};
    char a[256], b[256];
    squeeze(name, a, sizeof a);
    squeeze(wanted, b, sizeof b);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(b, known[i].file) && !strcmp(a, known[i].repository)) return true;
    return a[0] && !strcmp(a, b);
}

/* The key or repository of a model by its name or the digest of its file; NULL: none. */
static const char *find_model(struct take *take, const char *name, const char *hash) {
    struct xl_hub_repositories here = {0};
    for (int i = 0; name && i < xl_catalogue_count(take->catalogue); i++) {
        const struct xl_catalogue_model *entry = xl_catalogue_at(take->catalogue, i);
        if (is_called(entry->key, name) || is_called(entry->repo, name)) return entry->key;
    }
    if (xl_hub_repositories(take->settings->arena, &here, NULL)) return NULL;
    for (int i = 0; i < here.n; i++) {
        struct xl_snapshot snapshot;
        struct xl_pipeline_files files;
        if (name && is_called(here.id[i], name)) return here.id[i];
        if (!hash || strlen(hash) < 8 ||
            xl_hub_resolve(here.id[i], NULL, take->settings->arena, &snapshot, NULL) ||
            xl_hub_pipeline(&snapshot, NULL, take->settings->arena, &files, NULL))
            continue;
        const char *digest =
            xl_hub_digest(files.component[XL_UNET].files[0], take->settings->arena);
        if (digest && !strncmp(digest, hash, strlen(hash))) return here.id[i];
    }
    return NULL;
}

static enum xl_status take_other_model(struct take *take) {
    const char *name = xl_past_get(take->past, XL_PAST_MODEL);
    const char *hash = xl_past_get(take->past, XL_PAST_HASH);
    if (is_said(take, "model")) return XL_OK;
    const char *found = find_model(take, name, hash);
    if (found) return set(take, "model", found);
    return xl_fail(
        take->err, XL_EMODEL,
        "%s: its model %s%s%s%s is neither in the list nor in the cache under that name; "
        "say one with --model",
        take->path, name ? name : "(not named)", hash ? " (" : "", hash ? hash : "",
        hash ? ")" : "");
}

/* --- Others': the rest ------------------------------------------------------------------------ */

/* A prompt without its tags: what they say is among the entries. */
static const char *without_loras(struct take *take, const char *prompt) {
    const char *text = prompt;
    if (xl_lora_tags_take(prompt, take->settings->arena, &text, NULL, NULL)) return prompt;
    size_t n = strlen(text);
    while (n && strchr(" ,\n", text[n - 1])) n--;
    return xl_arena_strndup(take->settings->arena, text, n);
}

/* "NAME: WEIGHT" as a tag says it; a name may have folders. */
static enum xl_status read_lora(struct take *take, const char *entry, struct xl_lora_list *list) {
    struct xl_arena *arena = take->settings->arena;
    const char *name = entry, *ignored;
    for (const char *c = entry; *c; c++)
        if (*c == '/' || *c == '\\') name = c + 1;
    size_t n = strcspn(name, ":");
    const char *weight = name[n] ? name + n + 1 + strspn(name + n + 1, " ") : "1";
    const char *tag = xl_arena_printf(arena, "<lora:%.*s:%s>", (int)n, name, weight);
    return tag ? xl_lora_tags_take(tag, arena, &ignored, list, NULL)
               : xl_fail_nomem(take->err, "a LoRA", 0);
}

/* The LoRAs that are here; the others are told. */
static enum xl_status take_loras(struct take *take) {
    struct xl_loras *loras = xl_loras_new();
    struct xl_lora_list list = {.n = 0};
    struct xl_str text = {0};
    enum xl_status status = loras ? XL_OK : xl_fail_nomem(take->err, "LoRAs", 0);
    for (int i = 0; !status && !is_said(take, "lora") && i < take->past->n; i++) {
        const struct xl_past_entry *entry = &take->past->entries[i];
        const struct xl_lora_place *found = NULL;
        char scales[XL_LORA_SCALES_MAX];
        if (strcmp(entry->key, XL_PAST_LORA) != 0) continue;
        list.n = 0;
        struct xl_err why = {0};
        bool is_read = !read_lora(take, entry->value, &list) && list.n == 1;
        const struct xl_lora_said *said = &list.item[0];
        if (!is_read || xl_loras_find(loras, said->name, &found, &why)) {
            xl_warn("%s: the LoRA \"%s\" is left out%s%s", take->path, entry->value,
                    why.text[0] ? ": " : "", why.text);
            continue;
        }
        xl_str_printf(&text, "%s%s%s", text.len ? " + " : "", found->path,
                      xl_lora_scales_write(said->text_scale, said->unet_scale, scales));
    }
    xl_loras_free(loras);
    if (!status && text.failed) status = xl_fail_nomem(take->err, "LoRAs", 0);
    if (!status) status = set(take, "lora", text.text);
    xl_str_deinit(&text);
    return status;
}

/* One of "TI hashes": the file of that name where it begins with those digits, else another one
 * that does. Of what is not here the word is left, which is told. */
static enum xl_status take_hash(struct take *take, struct xl_loras *files, const char *name,
                                const char *hash) {
    struct xl_arena *arena = take->settings->arena;
    const struct xl_lora_place *found = xl_loras_find_digest(files, name, hash);
    if (!found) found = xl_loras_find_digest(files, NULL, hash);
    if (!found) {
        xl_warn(
            "%s: the embedding \"%s\" (%s) is not here: what has that name now is drawn, or the "
            "word",
            take->path, name, hash);
        return XL_OK;
    }
    if (!xl_is_embedding_word(name)) {
        xl_warn("%s: the embedding \"%s\" is drawn as words: it is %s, and only one word can stand "
                "for that; say %s:WORD with --embedding, and WORD in the prompt",
                take->path, name, found->path, found->path);
        return XL_OK;
    }
    const char *text = xl_arena_printf(arena, "%s:%s", found->path, name);
    return text ? set(take, "embedding", text) : xl_fail_nomem(take->err, "embeddings", 0);
}

/* "NAME: HASH, NAME: HASH" */
static enum xl_status take_hashes(struct take *take) {
    const char *text = xl_past_get(take->past, XL_PAST_TI_HASHES);
    struct xl_loras *files = text ? xl_embeddings_new() : NULL;
    enum xl_status status = text && !files ? xl_fail_nomem(take->err, "embeddings", 0) : XL_OK;
    while (!status && text && *text && !is_said(take, "embedding")) {
        size_t n = strcspn(text, ","), n_name = strcspn(text, ":,");
        const char *name = xl_arena_strndup(take->settings->arena, text, n_name);
        size_t skip = n_name < n ? n_name + 1 : n;
        while (skip < n && text[skip] == ' ') skip++;
        const char *hash = xl_arena_strndup(take->settings->arena, text + skip, n - skip);
        if (!name || !hash) status = xl_fail_nomem(take->err, "embeddings", 0);
        if (!status && name[0] && strlen(hash) >= 8) status = take_hash(take, files, name, hash);
        text += n + strspn(text + n, ", ");
    }
    xl_loras_free(files);
    return status;
}

/* What was not taken over, by name. */
static void tell_rest(const struct take *take) {
    static const char *const harmless[] = {"Lora hashes", XL_PAST_TI_HASHES, "Model hash",
                                           "VAE hash",    "Version",         "User",
                                           "Width",       "Height",          "Samplers"};
    struct xl_str rest = {0};
    for (int i = 0; i < take->past->n; i++) {
        const struct xl_past_entry *entry = &take->past->entries[i];
        bool is_number, is_known = xl_past_common_key(entry->key, &is_number) != NULL;
        is_known |= !strcmp(entry->key, XL_PAST_LORA);
        for (size_t k = 0; k < sizeof harmless / sizeof *harmless; k++)
            is_known |= !strcmp(entry->key, harmless[k]);
        if (!is_known || !strcmp(entry->key, XL_PAST_VAE))
            xl_str_printf(&rest, "%s%s", rest.len ? ", " : "", entry->key);
    }
    if (xl_past_get(take->past, XL_PAST_STRENGTH) && !take->first->init_image)
        xl_str_printf(&rest, "%sDenoising strength", rest.len ? ", " : "");
    if (rest.len) xl_warn("%s: not taken over: %s", take->path, rest.text);
    xl_str_deinit(&rest);
}

/* Whose random numbers a seed means: A1111's are a GPU's unless it says CPU; ComfyUI and what is
 * built on it, and InvokeAI, draw them on the CPU. */
static const char *rng_of(const struct xl_past *past) {
    const char *rng = xl_past_get(past, XL_PAST_RNG);
    if (strcmp(past->source, "A1111") != 0) return "torch-cpu";
    return rng && !strcmp(rng, "CPU") ? "torch-cpu" : "torch-cuda";
}

/* How programs read prompts; those that are not here, as plain ones. ComfyUI and Fooocus weigh
 * (x:1.2) in another way than A1111, and have nothing that is nearer. */
static const char *syntax_of(const char *source) {
    static const struct {
        const char *source, *syntax;
    } rows[] = {
        {"A1111", "a1111"},   {"ComfyUI", "a1111"},   {"SwarmUI", "a1111"},
        {"Fooocus", "a1111"}, {"InvokeAI", "compel"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].source, source)) return rows[i].syntax;
    return "plain";
}

/* A1111's clip skip of 1 is what it writes nothing about: the model's own layer. */
static enum xl_status take_reading(struct take *take) {
    const char *skip = xl_past_get(take->past, XL_PAST_CLIP_SKIP);
    enum xl_status status = set(take, "prompt-syntax", syntax_of(take->past->source));
    bool counts = !strcmp(take->past->source, "A1111") && skip && strcmp(skip, "1") != 0;
    return !status && counts ? set(take, "clip-skip", skip) : status;
}

static enum xl_status take_others(struct take *take) {
    static const struct {
        const char *key, *option;
    } same[] = {{XL_PAST_NEGATIVE, "negative"}, {XL_PAST_STEPS, "steps"},
                {XL_PAST_GUIDANCE, "guidance"}, {XL_PAST_RESCALE, "guidance-rescale"},
                {XL_PAST_SEED, "seed"},         {XL_PAST_SIZE, "size"}};
    const char *prompt = xl_past_get(take->past, XL_PAST_PROMPT);
    const char *strength = xl_past_get(take->past, XL_PAST_STRENGTH);
    enum xl_status status = XL_OK;
    if (prompt && !(prompt = without_loras(take, prompt)))
        return xl_fail_nomem(take->err, "a prompt", 0);
    status = set(take, "prompt", prompt);
    for (size_t i = 0; !status && i < sizeof same / sizeof *same; i++)
        status = set(take, same[i].option, xl_past_get(take->past, same[i].key));
    if (!status && take->first->init_image) status = set(take, "strength", strength);
    if (!status) status = set(take, "rng", rng_of(take->past));
    if (!status) status = take_reading(take);
    if (!status) status = take_sampler(take);
    if (!status) status = take_other_model(take);
    if (!status) status = take_loras(take);
    if (!status) status = take_hashes(take);
    if (!status) tell_rest(take);
    return status;
}

enum xl_status xl_past_settings(const char *path, const struct xl_settings *first,
                                struct xl_settings *settings, struct xl_err *err) {
    struct xl_past past;
    struct take take = {
        .path = path, .past = &past, .first = first, .settings = settings, .err = err};
    enum xl_status status = xl_past_load(&past, path, err);
    if (!status)
        status =
            xl_catalogue_load(first->model_files.item, first->model_files.n, &take.catalogue, err);
    if (!status) status = past.record ? take_ours(&take) : take_others(&take);
    xl_catalogue_free(take.catalogue);
    xl_past_deinit(&past);
    return status;
}
