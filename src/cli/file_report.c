/* file_report.c - what is told of a file of weights: by its class, and by what its metadata say. */
#include "cli/file_report.h"

#include "base/str.h"
#include "cli/models.h"
#include "lab/data/describe_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What metadata tell ---- */

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
    xl_models_print_field("words", xl_frequent_words(&is->metadata, arena));
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
