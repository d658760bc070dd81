/* past.c - which program made a picture, and its record as entries. Keeps no state. */
#include "lab/past/past.h"

#include "base/file.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/str.h"
#include "image/image.h"
#include "image/infotext.h"
#include "image/sheet.h"
#include "lab/cell/cell_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *xl_past_common_key(const char *key, bool *is_number) {
    static const struct {
        const char *key, *common;
        bool is_number;
    } rows[] = {
        {XL_PAST_PROMPT, "prompt", false},
        {XL_PAST_NEGATIVE, "negative", false},
        {XL_PAST_STEPS, "steps", true},
        {XL_PAST_SAMPLER, "sampler", false},
        {XL_PAST_SCHEDULE, "schedule", false},
        {XL_PAST_GUIDANCE, "guidance", true},
        {XL_PAST_RESCALE, "guidance_rescale", true},
        {XL_PAST_SEED, "seed", false},
        {XL_PAST_SIZE, "size", false},
        {XL_PAST_MODEL, "model", false},
        {XL_PAST_HASH, "model_hash", false},
        {XL_PAST_VAE, "vae", false},
        {XL_PAST_STRENGTH, "strength", true},
        {XL_PAST_CLIP_SKIP, "clip_skip", true},
        {XL_PAST_RNG, "rng", false},
        {XL_PAST_VERSION, "version", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].key, key) != 0) continue;
        *is_number = rows[i].is_number;
        return rows[i].common;
    }
    return NULL;
}

/* --- Entries ---------------------------------------------------------------------------------- */

void xl_past_add(struct xl_past *past, const char *key, const char *value) {
    enum { MOST = 1000 };
    if (!value || !value[0] || past->n == MOST) return;
    if (past->n == past->capacity) {
        int capacity = past->capacity ? 2 * past->capacity : 32;
        struct xl_past_entry *grown =
            xl_arena_alloc(&past->arena, (size_t)capacity * sizeof *grown);
        past->failed |= !grown;
        if (!grown) return;
        if (past->n) memcpy(grown, past->entries, (size_t)past->n * sizeof *grown);
        past->entries = grown;
        past->capacity = capacity;
    }
    struct xl_past_entry entry = {xl_arena_strdup(&past->arena, key),
                                  xl_arena_strdup(&past->arena, value)};
    past->failed |= !entry.key || !entry.value;
    if (entry.key && entry.value) past->entries[past->n++] = entry;
}

void xl_past_add_json(struct xl_past *past, const char *key, const json_t *value) {
    char text[64];
    if (json_is_string(value)) {
        xl_past_add(past, key, json_string_value(value));
    } else if (json_is_integer(value)) {
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        xl_past_add(past, key, text);
    } else if (json_is_real(value)) {
        snprintf(text, sizeof text, "%.10g", json_real_value(value));
        xl_past_add(past, key, text);
    } else if (json_is_boolean(value)) {
        xl_past_add(past, key, json_is_true(value) ? "True" : "False");
    }
}

void xl_past_add_size(struct xl_past *past, const json_t *width, const json_t *height) {
    char text[64];
    if (!json_is_number(width) || !json_is_number(height)) return;
    snprintf(text, sizeof text, "%.0fx%.0f", json_number_value(width), json_number_value(height));
    xl_past_add(past, XL_PAST_SIZE, text);
}

const char *xl_past_get(const struct xl_past *past, const char *key) {
    for (int i = 0; i < past->n; i++)
        if (!strcmp(past->entries[i].key, key)) return past->entries[i].value;
    return NULL;
}

/* --- A1111's text ----------------------------------------------------------------------------- */

/* "<lora:NAME:WEIGHT>" in a prompt. */
static void add_loras(struct xl_past *past, const char *prompt) {
    static const char TAG[] = "<lora:";
    for (const char *at = prompt; (at = strstr(at, TAG));) {
        at += sizeof TAG - 1;
        size_t n = strcspn(at, ">");
        char *text = xl_arena_strndup(&past->arena, at, n);
        char *colon = text ? strchr(text, ':') : NULL;
        past->failed |= !text;
        if (!text) return;
        if (!colon) {
            xl_past_add(past, XL_PAST_LORA, text);
            continue;
        }
        *colon = 0;
        const char *named = xl_arena_printf(&past->arena, "%s: %s", text, colon + 1);
        if (named) xl_past_add(past, XL_PAST_LORA, named);
        past->failed |= !named;
    }
}

void xl_past_add_infotext(struct xl_past *past, const char *text) {
    struct xl_infotext info;
    if (xl_infotext_parse(text, &past->arena, &info, NULL)) {
        past->failed = true;
        return;
    }
    xl_past_add(past, XL_PAST_PROMPT, info.prompt);
    xl_past_add(past, XL_PAST_NEGATIVE, info.negative);
    for (int i = 0; i < info.n_pairs; i++)
        xl_past_add(past, info.pairs[i].key, info.pairs[i].value);
    add_loras(past, info.prompt);
}

/* --- Ours ------------------------------------------------------------------------------------- */

static const char *text_at(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* As asked, where A1111's text has what was drawn; and what that has no word for. */
static void add_ours(struct xl_past *past, const char *parameters) {
    const json_t *record = past->record, *model = json_object_get(record, "model");
    const json_t *drawn_by = json_object_get(record, "drawn_by");
    struct xl_past told = {.n = 0};
    xl_past_add(past, XL_PAST_PROMPT, text_at(record, "prompt"));
    xl_past_add(past, XL_PAST_NEGATIVE, text_at(record, "negative"));
    if (parameters) xl_past_add_infotext(&told, parameters);
    for (int i = 0; i < told.n; i++) {
        const char *key = told.entries[i].key;
        if (!strcmp(key, XL_PAST_PROMPT))
            key = "Styled prompt";
        else if (!strcmp(key, XL_PAST_NEGATIVE))
            key = "Styled negative";
        const char *asked = text_at(record, i ? "negative" : "prompt");
        bool is_text = key != told.entries[i].key;
        if (!is_text || !asked || strcmp(asked, told.entries[i].value) != 0)
            xl_past_add(past, key, told.entries[i].value);
    }
    past->failed |= told.failed;
    xl_past_deinit(&told);
    xl_past_add(past, "Commit", text_at(model, "commit"));
    xl_past_add(past, "Init image", text_at(record, "init_image"));
    xl_past_add(past, "Fallback", text_at(record, "fallback"));
    xl_past_add(past, "Device", text_at(drawn_by, "device"));
    xl_past_add(past, "Instruction set", text_at(drawn_by, "isa"));
    xl_past_add(past, "Cell", text_at(record, "cell"));
}

/* --- Which program ---------------------------------------------------------------------------- */

/* JSON with whole numbers of too many digits as texts: seeds go up to 2^64. */
static char *quote_large(const char *text) {
    struct xl_str out = {0};
    struct xl_scan scan = xl_scan_text("a text", text, strlen(text));
    struct xl_span token;
    while ((token = xl_scan_token(&scan)).n) {
        bool is_large = *token.at != '"' && xl_json_word(token) == XL_WORD_LARGE;
        if (is_large) xl_str_puts(&out, "\"");
        xl_str_append(&out, token.at, token.n);
        xl_str_puts(&out, is_large ? "\" " : " ");
    }
    xl_scan_deinit(&scan);
    return xl_str_take(&out);
}

/* A text of the file as JSON: parsed where it is an object, within the limits of json.h. */
static json_t *parse_text(const char *text) {
    json_t *object = NULL;
    if (text[strspn(text, " \t\r\n")] != '{') return NULL;
    char *quoted = quote_large(text);
    if (quoted && xl_json_parse("a text", quoted, strlen(quoted), &object, NULL)) object = NULL;
    free(quoted);
    return object;
}

static void keep_raw(struct xl_past *past, const struct xl_metadata *metadata) {
    past->raw = json_object();
    past->failed |= !past->raw;
    for (int i = 0; i < metadata->n && past->raw; i++) {
        const struct xl_metadata_text *item = &metadata->texts[i];
        if (json_object_get(past->raw, item->keyword)) continue;
        json_t *value = parse_text(item->text);
        if (!value) value = xl_json_text(item->text);
        past->failed |= !value || json_object_set_new(past->raw, item->keyword, value);
    }
}

/* "prompt:{...}" of ComfyUI's WebP files. */
static json_t *parse_labelled(const char *text, const char *label) {
    size_t n = strlen(label);
    return text && !strncmp(text, label, n) ? parse_text(text + n) : NULL;
}

static bool read_comfy(struct xl_past *past, const struct xl_metadata *metadata) {
    const char *text = xl_metadata_find(metadata, "prompt");
    json_t *graph = text ? parse_text(text) : NULL;
    for (int i = 0; !graph && i < metadata->n; i++)
        graph = parse_labelled(metadata->texts[i].text, "prompt:");
    bool is_it = graph && xl_past_read_comfy(past, graph);
    if (is_it) past->source = "ComfyUI";
    json_decref(graph);
    return is_it;
}

static bool read_objects(struct xl_past *past) {
    const char *keyword;
    json_t *value;
    json_object_foreach(past->raw, keyword,
                        value) if (json_is_object(value) &&
                                   xl_past_read_json(past, keyword, value)) return true;
    return false;
}

/* A text that has steps and a seed is A1111's, or that of one of the many that write as it does. */
static bool read_infotext(struct xl_past *past, const char *text) {
    if (!text || text[strspn(text, " \t\r\n")] == '{') return false;
    int n_before = past->n;
    xl_past_add_infotext(past, text);
    bool is_it = xl_past_get(past, XL_PAST_STEPS) || xl_past_get(past, XL_PAST_SEED);
    if (!is_it)
        past->n = n_before;
    else
        past->source = json_object_get(past->raw, "fooocus_scheme") ? "Fooocus" : "A1111";
    return is_it;
}

/* Before it had objects, InvokeAI wrote its command line: "a prompt" -s 50 -S 7 -W 512 -H 512. */
static bool read_dream(struct xl_past *past, const char *text) {
    static const struct {
        char flag;
        const char *key;
    } flags[] = {{'s', XL_PAST_STEPS},   {'S', XL_PAST_SEED},     {'C', XL_PAST_GUIDANCE},
                 {'A', XL_PAST_SAMPLER}, {'f', XL_PAST_STRENGTH}, {'W', "Width"},
                 {'H', "Height"}};
    const char *end = text && *text == '"' ? strrchr(text, '"') : NULL;
    if (!end || end == text) return false;
    xl_past_add(past, XL_PAST_PROMPT,
                xl_arena_strndup(&past->arena, text + 1, (size_t)(end - text - 1)));
    for (const char *at = end; (at = strstr(at, " -")) && at[2]; at++) {
        const char *value = at + 3 + strspn(at + 3, " ");
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
            if (flags[i].flag == at[2])
                xl_past_add(past, flags[i].key,
                            xl_arena_strndup(&past->arena, value, strcspn(value, " ")));
    }
    const char *width = xl_past_get(past, "Width"), *height = xl_past_get(past, "Height");
    if (width && height)
        xl_past_add(past, XL_PAST_SIZE, xl_arena_printf(&past->arena, "%sx%s", width, height));
    past->source = "InvokeAI";
    return true;
}

static enum xl_status read_ours(struct xl_past *past, const char *name, const char *text,
                                const char *parameters, struct xl_err *err) {
    struct xl_sheet_record sheet;
    past->is_sheet = xl_sheet_record_parse(text, &sheet);
    if (past->is_sheet)
        return xl_fail(err, XL_EINPUT,
                       "%s: page %d of %d of a contact sheet; its pictures have records", name,
                       sheet.page, sheet.n_pages);
    enum xl_status status = xl_record_parse(text, name, &past->record, err);
    if (status) return status;
    past->source = "sdxl-lab";
    add_ours(past, parameters);
    return XL_OK;
}

static enum xl_status fail_none(const char *name, const struct xl_metadata *metadata,
                                struct xl_err *err) {
    if (!metadata->kind)
        return xl_fail(err, XL_EINPUT, "%s: neither a PNG nor a JPEG nor a WebP file", name);
    if (metadata->n_damaged)
        return xl_fail(err, XL_EINPUT, "%s: what this %s file says of itself is damaged", name,
                       metadata->kind);
    return xl_fail(err, XL_EINPUT,
                   "%s: no record of how it was made in this %s file%s; programs that save a "
                   "picture again often leave it out",
                   name, metadata->kind, metadata->is_cut ? ", as far as it can be read" : "");
}

enum xl_status xl_past_read(struct xl_past *past, const char *name, const void *data, size_t n,
                            struct xl_err *err) {
    struct xl_metadata metadata;
    *past = (struct xl_past){.n = 0};
    enum xl_status status = xl_metadata_read(name, data, n, &past->arena, &metadata, err);
    if (status) return status;
    keep_raw(past, &metadata);
    const char *ours = xl_metadata_find(&metadata, XL_PNG_RECORD);
    const char *parameters = xl_metadata_find(&metadata, "parameters");
    const char *comment = xl_metadata_find(&metadata, "UserComment");
    if (ours)
        status = read_ours(past, name, ours, parameters, err);
    else if (!read_comfy(past, &metadata) && !read_objects(past) &&
             !read_infotext(past, parameters) && !read_infotext(past, comment) &&
             !read_dream(past, xl_metadata_find(&metadata, "Dream")))
        status = fail_none(name, &metadata, err);
    return past->failed ? xl_fail_nomem(err, "a record", 0) : status;
}

/* Standard input, up to the size of a file. */
static enum xl_status read_stdin(char **data, size_t *n, struct xl_err *err) {
    struct xl_str text = {0};
    char piece[65536];
    size_t got;
    while (text.len <= XL_IMAGE_MAX_FILE_BYTES && (got = fread(piece, 1, sizeof piece, stdin)))
        xl_str_append(&text, piece, got);
    *n = text.len;
    if (text.len > XL_IMAGE_MAX_FILE_BYTES) {
        xl_str_deinit(&text);
        return xl_fail(err, XL_EINPUT, "standard input: more than %d MiB",
                       XL_IMAGE_MAX_FILE_BYTES >> 20);
    }
    *data = xl_str_take(&text);
    return *data ? XL_OK : xl_fail_nomem(err, "standard input", 0);
}

enum xl_status xl_past_load(struct xl_past *past, const char *path, struct xl_err *err) {
    const struct xl_read_rule rule = {XL_IMAGE_MAX_FILE_BYTES, XL_EINPUT, XL_EINPUT};
    char *data = NULL;
    size_t n = 0;
    bool is_stdin = !strcmp(path, "-");
    *past = (struct xl_past){.n = 0};
    enum xl_status status = is_stdin ? read_stdin(&data, &n, err)
                                     : xl_file_read(path, rule, &data, &n, err);
    if (!status) status = xl_past_read(past, is_stdin ? "standard input" : path, data, n, err);
    free(data);
    return status;
}

void xl_past_deinit(struct xl_past *past) {
    json_decref(past->raw);
    json_decref(past->record);
    xl_arena_deinit(&past->arena);
    *past = (struct xl_past){.n = 0};
}
