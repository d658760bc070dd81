/* file_report.c - what is told of a file of weights: by its class, and by what its metadata say. */
#include "cli/file_report.h"

#include "base/str.h"
#include "cli/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What metadata tell ---- */

struct tag {
    const char *name;
    int64_t count;
};
enum { MAX_TAGS = 8 };

static void note_tag(struct tag *tags, const char *name, int64_t count) {
    int i = MAX_TAGS;
    while (i && count > tags[i - 1].count) i--;
    if (i == MAX_TAGS) return;
    memmove(&tags[i + 1], &tags[i], (size_t)(MAX_TAGS - 1 - i) * sizeof *tags);
    tags[i] = (struct tag){name, count};
}

/* The words that its training pictures were most often described with, of ss_tag_frequency:
 * {"folder": {"word": count}}. In the arena; NULL: there are none. */
static const char *frequent_words(const struct xl_st_metadata *metadata, struct xl_arena *arena) {
    const char *text = xl_st_metadata_find(metadata, "ss_tag_frequency"), *folder, *name;
    json_t *root = text ? json_loads(text, 0, NULL) : NULL, *words, *count;
    struct tag tags[MAX_TAGS] = {{0}};
    struct xl_str line = {0};
    json_object_foreach(root, folder, words) json_object_foreach(words, name, count)
        note_tag(tags, name, json_integer_value(count));
    for (int i = 0; i < MAX_TAGS && tags[i].name; i++) {
        const char *word = tags[i].name + strspn(tags[i].name, " ");
        xl_str_printf(&line, "%s%.60s", i ? ", " : "", word);
    }
    json_decref(root);
    char *taken = line.len ? xl_str_take(&line) : NULL;
    const char *copy = taken ? xl_arena_strdup(arena, taken) : NULL;
    free(taken);
    xl_str_deinit(&line);
    return copy;
}

/* "16, alpha 8"; "": not known. */
static const char *rank_text(const struct xl_file_class *is, struct xl_arena *arena) {
    const char *alpha = xl_st_metadata_find(&is->metadata, "ss_network_alpha");
    if (!is->lora_rank) return "";
    return xl_arena_printf(arena, "%d%s%.20s", is->lora_rank, alpha ? ", alpha " : "",
                           alpha ? alpha : "");
}

static const char *title_of(const struct xl_st_metadata *metadata) {
    const char *title = xl_st_metadata_find(metadata, "modelspec.title");
    return title ? title : xl_st_metadata_find(metadata, "ss_output_name");
}

static const char *trained_on(const struct xl_st_metadata *metadata) {
    const char *name = xl_st_metadata_find(metadata, "ss_sd_model_name");
    return name ? name : xl_st_metadata_find(metadata, "ss_base_model_version");
}

/* ---- For people ---- */

void xl_file_report_print_metadata(const struct xl_file_class *is, struct xl_arena *arena) {
    xl_models_print_field("title", title_of(&is->metadata));
    xl_models_print_field("trained on", trained_on(&is->metadata));
    xl_models_print_field("trigger",
                          xl_st_metadata_find(&is->metadata, "modelspec.trigger_phrase"));
    xl_models_print_field("hint", xl_st_metadata_find(&is->metadata, "modelspec.usage_hint"));
    xl_models_print_field("words", frequent_words(&is->metadata, arena));
    xl_models_print_field("author", xl_st_metadata_find(&is->metadata, "modelspec.author"));
}

void xl_file_report_print(const struct xl_file_class *is, struct xl_arena *arena) {
    char kinds[128], vectors[32] = "", channels[32] = "";
    if (is->n_vectors) snprintf(vectors, sizeof vectors, "%d", is->n_vectors);
    if (is->latent_channels) snprintf(channels, sizeof channels, "%d", is->latent_channels);
    xl_models_print_field("precision", is->precision);
    if (is->kind == XL_FILE_LORA) {
        xl_models_print_field("base", xl_family_name(is->base));
        xl_models_print_field("written as",
                              xl_lora_kinds_text(is->lora_kinds, kinds, sizeof kinds));
        xl_models_print_field("rank", rank_text(is, arena));
        xl_models_print_field("changes", is->lora_has_text ? "text encoders, and the UNet where it "
                                                             "has keys for it"
                                                           : "the UNet");
    }
    xl_models_print_field("vectors", vectors);
    xl_models_print_field("latents", channels);
    if (is->is_v_prediction) xl_models_print_field("prediction", "v");
    if (is->is_zero_snr) xl_models_print_field("schedule", "zero terminal SNR");
    if (is->is_edm) xl_models_print_field("schedule", "EDM");
    xl_file_report_print_metadata(is, arena);
    xl_models_print_field("use with", is->use);
    xl_models_print_field("needs", is->need);
}

/* ---- For programs ---- */

void xl_file_report_put(json_t *object, const struct xl_file_class *is, struct xl_arena *arena,
                        bool *ok) {
    char kinds[128];
    json_t *metadata = json_object();
    xl_json_put(object, "kind", json_string(xl_file_kind_name(is->kind)), ok);
    xl_json_put(object, "what", xl_json_text(is->what), ok);
    xl_json_put(object, "needs", xl_json_text(is->need), ok);
    xl_json_put(object, "option", xl_json_text(is->use), ok);
    xl_json_put(object, "base", json_string(xl_family_name(is->base)), ok);
    xl_json_put(object, "precision", json_string(is->precision), ok);
    xl_json_put(object, "bytes", json_integer(is->bytes), ok);
    xl_json_put(object, "tensors", json_integer(is->n_tensors), ok);
    if (is->kind == XL_FILE_LORA) {
        xl_json_put(object, "written_as",
                    json_string(xl_lora_kinds_text(is->lora_kinds, kinds, sizeof kinds)), ok);
        xl_json_put(object, "rank", json_integer(is->lora_rank), ok);
        xl_json_put(object, "frequent_words", xl_json_text(frequent_words(&is->metadata, arena)),
                    ok);
    }
    if (is->n_vectors) xl_json_put(object, "vectors", json_integer(is->n_vectors), ok);
    if (is->latent_channels)
        xl_json_put(object, "latent_channels", json_integer(is->latent_channels), ok);
    for (int i = 0; i < is->metadata.n; i++)
        if (strlen(is->metadata.text[i].value) <= 1000)
            xl_json_put(metadata, is->metadata.text[i].key,
                        xl_json_text(is->metadata.text[i].value), ok);
    xl_json_put(object, "metadata", metadata, ok);
}
