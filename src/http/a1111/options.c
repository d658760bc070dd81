/* options.c - GET and POST options: which model is selected, and what that program has beside it.
 */
#include "http/a1111/parts.h"

#include "base/json.h"
#include "base/str.h"
#include "lab/data/folders.h"

#include <string.h>

static const struct xl_field rows[] = {
    {"sd_model_checkpoint", XL_FIELD_TEXT, XL_FIELD_TAKEN, "\"\"", NULL},
    {"sd_vae", XL_FIELD_TEXT, XL_FIELD_TAKEN, "\"Automatic\"", NULL},
    {"randn_source", XL_FIELD_TEXT, XL_FIELD_TAKEN, "\"CPU\"", NULL},
    {"sd_checkpoint_hash", XL_FIELD_TEXT, XL_FIELD_LEFT, "\"\"", NULL},
    {"CLIP_stop_at_last_layers", XL_FIELD_INT, XL_FIELD_LEFT, "1", NULL}, /* not of SDXL there */
    {"samples_format", XL_FIELD_TEXT, XL_FIELD_LACKS, "\"png\"", "\"png\""},
    {"samples_save", XL_FIELD_SWITCH, XL_FIELD_LEFT, "true", NULL},
    {"grid_save", XL_FIELD_SWITCH, XL_FIELD_LEFT, "false", NULL},
    {"return_grid", XL_FIELD_SWITCH, XL_FIELD_LEFT, "false", NULL},
    {"live_previews_enable", XL_FIELD_SWITCH, XL_FIELD_LEFT, "true", NULL},
    {"live_previews_image_format", XL_FIELD_TEXT, XL_FIELD_LEFT, "\"jpeg\"", NULL},
    {"show_progress_every_n_steps", XL_FIELD_INT, XL_FIELD_LEFT, "1", NULL},
    {"show_progress_type", XL_FIELD_TEXT, XL_FIELD_LEFT, "\"Approx cheap\"", NULL},
    {"img2img_fix_steps", XL_FIELD_SWITCH, XL_FIELD_LACKS, "false", NULL},
    {"eta_ancestral", XL_FIELD_REAL, XL_FIELD_LACKS, "1.0", "1.0"},
    {"eta_ddim", XL_FIELD_REAL, XL_FIELD_LACKS, "0.0", NULL},
    {"eta_noise_seed_delta", XL_FIELD_INT, XL_FIELD_LACKS, "0", NULL},
    {"emphasis", XL_FIELD_TEXT, XL_FIELD_LACKS, "\"Original\"", "\"Original\""},
    {"sd_hypernetwork", XL_FIELD_TEXT, XL_FIELD_LACKS, "\"None\"", NULL},
    {"sd_lora", XL_FIELD_TEXT, XL_FIELD_LACKS, "\"None\"", NULL},
    {"token_merging_ratio", XL_FIELD_REAL, XL_FIELD_LACKS, "0.0", NULL},
};
static const struct xl_field_table table = {rows, sizeof rows / sizeof *rows, true};

/* --- Keeping ---------------------------------------------------------------------------------- */

enum xl_status xl_a1111_options_read(struct xl_call *call, struct xl_reply *reply,
                                     const json_t *instead, json_t **out, struct xl_err *err) {
    struct xl_a1111 *a1111 = call->user;
    pthread_mutex_lock(&a1111->mutex);
    json_t *said = json_deep_copy(a1111->options);
    pthread_mutex_unlock(&a1111->mutex);
    enum xl_status status = said && (!instead || !json_object_update(said, (json_t *)instead))
                                ? XL_OK
                                : xl_fail_nomem(err, "options", 0);
    if (!status) status = xl_fields_read(&table, said, call, reply, out, err);
    json_decref(said);
    return status;
}

enum xl_status xl_a1111_options_keep(struct xl_a1111 *a1111, const json_t *members,
                                     struct xl_err *err) {
    json_t *copy = json_deep_copy(members);
    pthread_mutex_lock(&a1111->mutex);
    bool ok = copy && !json_object_update(a1111->options, copy);
    pthread_mutex_unlock(&a1111->mutex);
    json_decref(copy);
    return ok ? XL_OK : xl_fail_nomem(err, "options", 0);
}

/* --- What they mean --------------------------------------------------------------------------- */

static enum xl_status refuse_model(const struct xl_a1111_models *models, const char *name,
                                   struct xl_reply *reply, struct xl_err *err) {
    struct xl_str list = {0};
    for (int i = 0; i < models->n && i < 10; i++)
        xl_str_printf(&list, "%s%s", i ? ", " : "", models->list[i].key);
    enum xl_status status =
        xl_a1111_refuse(reply, 404, err, "model '%.100s' not found; there are %s%s", name,
                        list.text ? list.text : "none", models->n > 10 ? ", and others" : "");
    xl_str_deinit(&list);
    return status;
}

static enum xl_status find_model(struct xl_call *call, struct xl_reply *reply, const char *name,
                                 const struct xl_a1111_model **out, struct xl_err *err) {
    struct xl_a1111_models models;
    enum xl_status status = xl_a1111_models_read(call->user, &call->arena, &models, err);
    if (status) return status;
    *out = xl_a1111_model_find(&models, name);
    return *out ? XL_OK : refuse_model(&models, name, reply, err);
}

/* The name of a VAE; NULL: the model's own. */
static const char *vae_of(const json_t *options) {
    const char *name = xl_field_text(options, "sd_vae");
    bool is_own = !name[0] || !strcmp(name, "Automatic") || !strcmp(name, "None");
    return is_own ? NULL : name;
}

static enum xl_status check_vae(const json_t *options, struct xl_call *call, struct xl_reply *reply,
                                struct xl_err *err) {
    const char *name = vae_of(options);
    struct xl_named_files files = {.n = 0};
    if (!name) return XL_OK;
    enum xl_status status = xl_named_files_list(XL_NAMED_VAES, &call->arena, &files, err);
    if (status || xl_named_files_find(&files, name)) return status;
    return xl_field_refuse(reply, "sd_vae", err,
                           "sd_vae: \"%.100s\" is none of GET /sdapi/v1/sd-vae, \"Automatic\" or "
                           "\"None\"",
                           name);
}

static enum xl_status check_source(const json_t *options, struct xl_reply *reply,
                                   struct xl_err *err) {
    const char *source = xl_field_text(options, "randn_source");
    if (!strcmp(source, "CPU") || !strcmp(source, "GPU") || !strcmp(source, "NV")) return XL_OK;
    return xl_field_refuse(reply, "randn_source", err,
                           "randn_source is \"%.40s\", expected CPU, GPU or NV", source);
}

enum xl_status xl_a1111_options_apply(struct xl_call *call, struct xl_reply *reply,
                                      const json_t *options, json_t *settings, struct xl_err *err) {
    const struct xl_a1111_model *model = NULL;
    const char *name = xl_field_text(options, "sd_model_checkpoint");
    bool ok = true, is_cpu = !strcmp(xl_field_text(options, "randn_source"), "CPU");
    enum xl_status status = check_source(options, reply, err);
    if (!status) status = check_vae(options, call, reply, err);
    if (!status && name[0]) status = find_model(call, reply, name, &model, err);
    if (status) return status;
    if (model) xl_json_put(settings, "model", json_string(model->key), &ok);
    if (vae_of(options)) xl_json_put(settings, "vae", json_string(vae_of(options)), &ok);
    xl_json_put(settings, "rng", json_string(is_cpu ? "torch-cpu" : "torch-cuda"), &ok);
    return ok ? XL_OK : xl_fail_nomem(err, "settings", 0);
}

/* --- Handlers --------------------------------------------------------------------------------- */

/* Where nobody has selected a model the first of the list draws. */
enum xl_status xl_a1111_get_options(struct xl_call *call, struct xl_reply *reply,
                                    struct xl_err *err) {
    struct xl_a1111_models models;
    json_t *options = NULL;
    bool ok = true;
    enum xl_status status = xl_a1111_options_read(call, reply, NULL, &options, err);
    if (status) return status;
    status = xl_a1111_models_read(call->user, &call->arena, &models, err);
    const char *name = xl_field_text(options, "sd_model_checkpoint");
    const struct xl_a1111_model *model = status || !models.n ? NULL
                                         : name[0]           ? xl_a1111_model_find(&models, name)
                                                             : &models.list[0];
    if (model) {
        xl_json_put(options, "sd_model_checkpoint", json_string(model->title), &ok);
        xl_json_put(options, "sd_checkpoint_hash", json_string(model->sha256 ? model->sha256 : ""),
                    &ok);
    }
    if (!status) return xl_reply_json(reply, 200, xl_json_finish(options, ok), err);
    json_decref(options);
    return status;
}

enum xl_status xl_a1111_set_options(struct xl_call *call, struct xl_reply *reply,
                                    struct xl_err *err) {
    json_t *options = NULL, *settings = json_object();
    enum xl_status status = settings ? XL_OK : xl_fail_nomem(err, "options", 0);
    if (!status) status = xl_a1111_options_read(call, reply, call->json, &options, err);
    if (!status) status = xl_a1111_options_apply(call, reply, options, settings, err);
    if (!status) status = xl_a1111_options_keep(call->user, call->json, err);
    json_decref(options);
    json_decref(settings);
    return status ? status : xl_reply_json(reply, 200, json_null(), err);
}
