/* past_others.c - another program's record as settings: what maps, and the names of what does not.
 */
#include "lab/past/past_take.h"

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "hub/hub.h"
#include "lab/data/embedding_text.h"
#include "lab/data/lora_text.h"
#include "lab/data/loras.h"
#include "sampler/a1111.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Samplers --------------------------------------------------------------------------------- */

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
    static const char *const plain[] = {"Automatic", "automatic", "Uniform", "uniform",
                                        "normal",    "native",    "discrete"};
    for (size_t i = 0; schedule && i < sizeof plain / sizeof *plain; i++)
        if (!strcmp(schedule, plain[i])) return true;
    return !schedule;
}

/* What A1111 (from 1.9 on; and not this program, which says what it drew with) means by
 * "Automatic", where that is not the plain steps; NULL: it is. */
static const char *automatic_of(const struct xl_past *past, const char *sampler,
                                const char *schedule) {
    const char *version = xl_past_get(past, XL_PAST_VERSION);
    struct xl_a1111_choice choice;
    bool is_theirs = !strcmp(past->source, "A1111") &&
                     !(version && !strncmp(version, "sdxl-lab", strlen("sdxl-lab")));
    if (!is_theirs || !schedule || strcmp(schedule, "Automatic") != 0 ||
        xl_a1111_choose(sampler, schedule, &choice, NULL) ||
        choice.sampler.automatic == XL_SIGMA_PLAIN)
        return NULL;
    return choice.name;
}

static enum xl_status take_sampler(struct xl_take *take) {
    const char *sampler = xl_past_get(take->past, XL_PAST_SAMPLER);
    const char *schedule = xl_past_get(take->past, XL_PAST_SCHEDULE);
    char name[128], both[256];
    if (!sampler || xl_take_is_said(take, "scheduler")) return XL_OK;
    spell(sampler, name, sizeof name);
    if (xl_scheduler_check_name(name, NULL)) {
        xl_warn("%s: no sampler of ours is \"%s\": the model's own draws", take->path, sampler);
        return XL_OK;
    }
    const char *automatic = automatic_of(take->past, sampler, schedule);
    if (automatic) return xl_take_set(take, "scheduler", automatic);
    snprintf(both, sizeof both, "%s %s", name, schedule ? schedule : "");
    bool is_plain = is_plain_schedule(schedule);
    bool has_both = !is_plain && !xl_scheduler_check_name(both, NULL);
    if (!is_plain && !has_both)
        xl_warn("%s: \"%s\" has no schedule \"%s\" here: drawn without it", take->path, sampler,
                schedule);
    return xl_take_set(take, "scheduler", has_both ? both : name);
}

/* --- Models ----------------------------------------------------------------------------------- */

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

bool xl_past_is_called(const char *name, const char *wanted) {
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
static const char *find_model(struct xl_take *take, const char *name, const char *hash) {
    struct xl_hub_repositories here = {0};
    for (int i = 0; name && i < xl_catalogue_count(take->catalogue); i++) {
        const struct xl_catalogue_model *entry = xl_catalogue_at(take->catalogue, i);
        if (xl_past_is_called(entry->key, name) || xl_past_is_called(entry->repo, name))
            return entry->key;
    }
    if (xl_hub_repositories(take->settings->arena, &here, NULL)) return NULL;
    for (int i = 0; i < here.n; i++) {
        struct xl_snapshot snapshot;
        struct xl_pipeline_files files;
        if (name && xl_past_is_called(here.id[i], name)) return here.id[i];
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

static enum xl_status take_other_model(struct xl_take *take) {
    const char *name = xl_past_get(take->past, XL_PAST_MODEL);
    const char *hash = xl_past_get(take->past, XL_PAST_HASH);
    if (xl_take_is_said(take, "model")) return XL_OK;
    const char *found = find_model(take, name, hash);
    if (found) return xl_take_set(take, "model", found);
    return xl_fail(
        take->err, XL_EMODEL,
        "%s: its model %s%s%s%s is neither in the list nor in the cache under that name; "
        "say one with --model",
        take->path, name ? name : "(not named)", hash ? " (" : "", hash ? hash : "",
        hash ? ")" : "");
}

/* --- The rest --------------------------------------------------------------------------------- */

/* A prompt without its tags: what they say is among the entries. */
static const char *without_loras(struct xl_take *take, const char *prompt) {
    const char *text = prompt;
    if (xl_lora_tags_take(prompt, take->settings->arena, &text, NULL, NULL)) return prompt;
    size_t n = strlen(text);
    while (n && strchr(" ,\n", text[n - 1])) n--;
    return xl_arena_strndup(take->settings->arena, text, n);
}

/* "NAME: WEIGHT" as a tag says it; a name may have folders. */
static enum xl_status read_lora(struct xl_take *take, const char *entry,
                                struct xl_lora_list *list) {
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
static enum xl_status take_loras(struct xl_take *take) {
    struct xl_loras *loras = xl_loras_new();
    struct xl_lora_list list = {.n = 0};
    struct xl_str text = {0};
    enum xl_status status = loras ? XL_OK : xl_fail_nomem(take->err, "LoRAs", 0);
    for (int i = 0; !status && !xl_take_is_said(take, "lora") && i < take->past->n; i++) {
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
    if (!status) status = xl_take_set(take, "lora", text.text);
    xl_str_deinit(&text);
    return status;
}

/* One of "TI hashes": the file of that name where it begins with those digits, else another one
 * that does. Of what is not here the word is left, which is told. */
static enum xl_status take_hash(struct xl_take *take, struct xl_loras *files, const char *name,
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
    return text ? xl_take_set(take, "embedding", text) : xl_fail_nomem(take->err, "embeddings", 0);
}

/* "NAME: HASH, NAME: HASH" */
static enum xl_status take_hashes(struct xl_take *take) {
    const char *text = xl_past_get(take->past, XL_PAST_TI_HASHES);
    struct xl_loras *files = text ? xl_embeddings_new() : NULL;
    enum xl_status status = text && !files ? xl_fail_nomem(take->err, "embeddings", 0) : XL_OK;
    while (!status && text && *text && !xl_take_is_said(take, "embedding")) {
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
static void tell_rest(const struct xl_take *take) {
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
static enum xl_status take_reading(struct xl_take *take) {
    const char *skip = xl_past_get(take->past, XL_PAST_CLIP_SKIP);
    enum xl_status status = xl_take_set(take, "prompt-syntax", syntax_of(take->past->source));
    bool counts = !strcmp(take->past->source, "A1111") && skip && strcmp(skip, "1") != 0;
    return !status && counts ? xl_take_set(take, "clip-skip", skip) : status;
}

enum xl_status xl_take_others(struct xl_take *take) {
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
    status = xl_take_set(take, "prompt", prompt);
    for (size_t i = 0; !status && i < sizeof same / sizeof *same; i++)
        status = xl_take_set(take, same[i].option, xl_past_get(take->past, same[i].key));
    if (!status && take->first->init_image) status = xl_take_set(take, "strength", strength);
    if (!status) status = xl_take_set(take, "rng", rng_of(take->past));
    if (!status) status = take_reading(take);
    if (!status) status = take_sampler(take);
    if (!status) status = take_other_model(take);
    if (!status) status = take_loras(take);
    if (!status) status = take_hashes(take);
    if (!status) tell_rest(take);
    return status;
}
