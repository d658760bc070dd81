/* model_files.h - where the files of a model are that settings name, without opening it: for
 * whoever wants its words or its schedule and no weights.
 */
#ifndef XL_LAB_MODEL_FILES_H
#define XL_LAB_MODEL_FILES_H

#include "hub/hub.h"
#include "lab/settings/settings.h"
#include "text/tokenizer.h"

/* The files of settings->model; NULL: of the first of the catalogue that is there, as for drawing.
 * No VAE is looked for. A LoRA of the catalogue has the words and the schedule of its base. Texts
 * live in the arena. Errors: XL_EMODEL, XL_EINVAL, XL_EFORMAT as xl_hub_resolve and
 * xl_hub_pipeline; XL_EINPUT a file of models */
enum xl_status xl_model_files(const struct xl_settings *settings, struct xl_arena *arena,
                              struct xl_pipeline_files *files, struct xl_err *err) XL_CHECKED;

/* The tokenizers of its two text encoders. Caller, on success: xl_tokenizer_close of both.
 * Errors: as xl_tokenizer_open */
enum xl_status xl_model_tokenizers(const struct xl_pipeline_files *files,
                                   struct xl_tokenizer *tokenizers[2],
                                   struct xl_err *err) XL_CHECKED;

#endif
