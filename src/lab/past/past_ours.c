/* past_ours.c - a record of this program as settings: every field, and the files that it names. */
#include "lab/past/past_take.h"

#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/str.h"
#include "lab/cell/cell_fields.h"
#include "lab/cell/cell_record.h"
#include "lab/data/lora_text.h"
#include "lab/data/profiles.h"
#include "lab/run/origin.h"

#include <string.h>

/* A member of the record as the text of an option; NULL: it has none. */
static const char *text_of(struct xl_take *take, const json_t *value) {
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
static enum xl_status take_fields(struct xl_take *take) {
    const json_t *record = take->past->record;
    const struct xl_cell_field *field;
    enum xl_status status = XL_OK;
    for (int i = 0; !status && (field = xl_cell_field_at(i)); i++) {
        const struct xl_option *option = xl_option_find(field->key);
        bool is_side = !strcmp(field->key, "width") || !strcmp(field->key, "height");
        bool is_variant = !strcmp(field->key, "lora") || !strcmp(field->key, "vae") ||
                          !strcmp(field->key, "embedding");
        if (option && !is_side && !is_variant && !(field->bits & XL_CELL_PATH))
            status =
                xl_take_set(take, option->name, text_of(take, json_object_get(record, field->key)));
    }
    const char *size =
        xl_arena_printf(take->settings->arena, "%lldx%lld",
                        (long long)json_integer_value(json_object_get(record, "width")),
                        (long long)json_integer_value(json_object_get(record, "height")));
    return status ? status : xl_take_set(take, "size", size);
}

/* The words as drawn, with the tags of the prompt that they come from. */
static const char *with_tags(struct xl_take *take, const char *drawn, const char *asked) {
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
static enum xl_status check_words(struct xl_take *take) {
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
    if (!name || !drawn || !asked || xl_take_is_said(take, "profile") ||
        xl_take_is_said(take, "prompt"))
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
    status = xl_take_set(take, "profile", XL_PROFILE_RAW);
    const char *words = with_tags(take, drawn, asked);
    if (!status && !words) status = xl_fail_nomem(take->err, "a prompt", 0);
    if (!status) status = xl_take_set(take, "prompt", words);
    return status ? status
                  : xl_take_set(take, "negative",
                                json_string_value(json_object_get(record, "effective_negative")));
}

static enum xl_status take_init(struct xl_take *take, const struct xl_origin *origin) {
    char digest[XL_SHA256_HEX];
    const char *was = json_string_value(json_object_get(take->past->record, "init_digest"));
    if (!origin->init_image || xl_take_is_said(take, "init-image") ||
        take->first->mode == XL_MODE_TXT2IMG)
        return XL_OK;
    enum xl_status status = xl_sha256_file(origin->init_image, digest, NULL);
    if (status || (was && strcmp(was, digest) != 0))
        return xl_fail(take->err, XL_EINPUT,
                       "%s: %s, which it started from, is %s; say another one with --init-image, "
                       "or --mode txt2img",
                       take->path, origin->init_image, status ? "not here" : "another picture now");
    return xl_take_set(take, "init-image", origin->init_image);
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
static enum xl_status take_variant(struct xl_take *take, const struct xl_origin *origin) {
    const json_t *record = take->past->record;
    const char *text = json_string_value(json_object_get(record, "lora"));
    struct lora_places places = {origin,
                                 json_object_get(json_object_get(record, "model"), "loras")};
    enum xl_status status = XL_OK;
    if (origin->missing && !xl_take_is_said(take, "lora"))
        return xl_fail(take->err, XL_EMODEL,
                       "%s: the file of its LoRA \"%s\" is not here, or was changed; say another "
                       "one with --lora, or --lora none",
                       take->path, origin->missing);
    if (text && !xl_take_is_said(take, "lora"))
        status =
            xl_lora_text_rename(text, place_lora, &places, take->settings->arena, &text, take->err);
    if (!status) status = xl_take_set(take, "lora", text);
    return status ? status : xl_take_set(take, "vae", origin->vae);
}

/* Its textual inversions, each by its file. */
static enum xl_status take_embeddings(struct xl_take *take, const struct xl_origin *origin) {
    struct xl_arena *arena = take->settings->arena;
    struct xl_cell cell;
    enum xl_status status =
        xl_cell_from_record(take->past->record, take->path, arena, &cell, take->err);
    if (status || xl_take_is_said(take, "embedding")) return status;
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
        status = text ? xl_take_set(take, "embedding", text)
                      : xl_fail_nomem(take->err, "embeddings", 0);
    }
    return status;
}

/* By its name in the list where that is the same repository: its limits and advice hold then. */
static enum xl_status take_model(struct xl_take *take, const struct xl_origin *origin) {
    const char *key = json_string_value(json_object_get(take->past->record, "model_key"));
    const struct xl_catalogue_model *entry = key ? xl_catalogue_find(take->catalogue, key) : NULL;
    if (xl_take_is_said(take, "model")) return XL_OK;
    if (!origin->model)
        return xl_fail(take->err, XL_EINPUT, "%s: its record names no model", take->path);
    if (!origin->is_known)
        return xl_fail(take->err, XL_EMODEL,
                       "%s: its model %s is not here; say another one with --model", take->path,
                       origin->model);
    const struct xl_catalogue_model *base = entry ? xl_catalogue_base(entry) : NULL;
    const char *of_entry = !base ? NULL : base->folder ? base->folder : base->repo;
    bool is_entry = of_entry && !strcmp(of_entry, origin->model);
    enum xl_status status = xl_take_set(take, "model", is_entry ? key : origin->model);
    return status ? status : xl_take_set(take, "revision", origin->revision);
}

enum xl_status xl_take_ours(struct xl_take *take) {
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
