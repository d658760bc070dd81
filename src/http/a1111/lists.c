/* lists.c - GET lists of what there is: models, VAEs, samplers, styles, LoRAs, embeddings. Read
 * when they are asked for. Where files lie is not told: names are what clients give back. */
#include "http/a1111/parts.h"

#include "base/json.h"
#include "lab/data/folders.h"
#include "lab/data/named_list.h"
#include "lab/data/profiles.h"
#include "sampler/a1111.h"

static bool append(json_t *list, json_t *item) {
    return list && item && !json_array_append_new(list, item);
}

static json_t *text_or_null(const char *text) {
    return text ? xl_json_text(text) : json_null();
}

/* --- Models ----------------------------------------------------------------------------------- */

static json_t *model_object(const struct xl_a1111_model *model) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "title", xl_json_text(model->title), &ok);
    xl_json_put(object, "model_name", xl_json_text(model->key), &ok);
    xl_json_put(object, "hash", text_or_null(model->hash), &ok);
    xl_json_put(object, "sha256", text_or_null(model->sha256), &ok);
    xl_json_put(object, "filename", xl_json_text(model->repo), &ok);
    xl_json_put(object, "config", json_null(), &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_a1111_sd_models(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    struct xl_a1111_models models;
    enum xl_status status = xl_a1111_models_read(call->user, &call->arena, &models, err);
    if (status) return status;
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < models.n; i++) ok = append(list, model_object(&models.list[i]));
    return xl_reply_json(reply, 200, xl_json_finish(list, ok), err);
}

enum xl_status xl_a1111_sd_vaes(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_named_files files = {.n = 0};
    enum xl_status status = xl_named_files_list(XL_NAMED_VAES, &call->arena, &files, err);
    if (status) return status;
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < files.n; i++) {
        json_t *object = json_object();
        xl_json_put(object, "model_name", xl_json_text(files.list[i].name), &ok);
        xl_json_put(object, "filename", xl_json_text(files.list[i].name), &ok);
        ok = append(list, object) && ok;
    }
    return xl_reply_json(reply, 200, xl_json_finish(list, ok), err);
}

/* --- Samplers --------------------------------------------------------------------------------- */

static json_t *sampler_object(const struct xl_a1111_sampler *sampler) {
    json_t *object = json_object(), *aliases = json_array(), *options = json_object();
    bool ok = object && aliases && options;
    const struct xl_a1111_schedule *schedule = xl_a1111_schedule_of(sampler->automatic);
    for (int i = 0; i < XL_A1111_ALIASES && sampler->aliases[i]; i++)
        ok = append(aliases, json_string(sampler->aliases[i])) && ok;
    if (schedule) xl_json_put(options, "scheduler", json_string(schedule->name), &ok);
    xl_json_put(object, "name", json_string(sampler->name), &ok);
    xl_json_put(object, "aliases", aliases, &ok);
    xl_json_put(object, "options", options, &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_a1111_samplers(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_a1111_sampler sampler;
    json_t *list = json_array();
    bool ok = list != NULL;
    (void)call;
    for (int i = 0; ok && xl_a1111_sampler_at(i, &sampler); i++)
        ok = append(list, sampler_object(&sampler));
    return xl_reply_json(reply, 200, xl_json_finish(list, ok), err);
}

enum xl_status xl_a1111_schedulers(struct xl_call *call, struct xl_reply *reply,
                                   struct xl_err *err) {
    const struct xl_a1111_schedule *schedule;
    json_t *list = json_array();
    bool ok = list != NULL;
    (void)call;
    for (int i = 0; ok && (schedule = xl_a1111_schedule_at(i)); i++) {
        json_t *object = json_object();
        xl_json_put(object, "name", json_string(schedule->name), &ok);
        xl_json_put(object, "label", json_string(schedule->label), &ok);
        xl_json_put(object, "aliases", json_null(), &ok);
        xl_json_put(object, "default_rho", json_real(schedule->rho > 0 ? schedule->rho : -1), &ok);
        xl_json_put(object, "need_inner_model", json_false(), &ok);
        ok = append(list, object) && ok;
    }
    return xl_reply_json(reply, 200, xl_json_finish(list, ok), err);
}

/* --- Styles, LoRAs, embeddings ---------------------------------------------------------------- */

enum xl_status xl_a1111_styles(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const struct xl_a1111 *a1111 = call->user;
    const struct xl_list *files = &a1111->settings->profile_files;
    struct xl_profiles *profiles = NULL;
    enum xl_status status = xl_profiles_load(files->item, files->n, &profiles, err);
    if (status) return status;
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < xl_profiles_count(profiles); i++) {
        const struct xl_profile *profile = xl_profiles_at(profiles, i);
        json_t *object = json_object();
        xl_json_put(object, "name", xl_json_text(profile->name), &ok);
        xl_json_put(object, "prompt", xl_json_text(profile->prompt), &ok);
        xl_json_put(object, "negative_prompt", xl_json_text(profile->negative), &ok);
        ok = append(list, object) && ok;
    }
    xl_profiles_free(profiles);
    return xl_reply_json(reply, 200, xl_json_finish(list, ok), err);
}

static json_t *lora_object(const struct xl_named_entry *entry) {
    json_t *object = json_object(), *metadata = json_object();
    bool ok = object && metadata;
    const struct xl_st_metadata *said = &entry->is.metadata;
    for (int i = 0; i < said->n && ok; i++)
        xl_json_put(metadata, said->text[i].key, xl_json_text(said->text[i].value), &ok);
    xl_json_put(object, "name", xl_json_text(entry->file->name), &ok);
    xl_json_put(object, "alias", xl_json_text(entry->file->name), &ok);
    xl_json_put(object, "path", xl_json_text(entry->file->below), &ok);
    xl_json_put(object, "metadata", metadata, &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_a1111_loras(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_named_list loras = {.n = 0};
    (void)call;
    enum xl_status status = xl_named_list_read(XL_NAMED_LORAS, &loras, err);
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; !status && ok && i < loras.n; i++)
        if (!loras.entries[i].why) ok = append(list, lora_object(&loras.entries[i]));
    xl_named_list_deinit(&loras);
    list = xl_json_finish(list, ok);
    if (!status) return xl_reply_json(reply, 200, list, err);
    json_decref(list);
    return status;
}

/* shape: numbers of one vector, of both text encoders. */
static json_t *embedding_object(const struct xl_named_entry *entry) {
    enum { SHAPE = 768 + 1280 };
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "step", json_null(), &ok);
    xl_json_put(object, "sd_checkpoint", json_null(), &ok);
    xl_json_put(object, "sd_checkpoint_name", json_null(), &ok);
    xl_json_put(object, "shape", json_integer(SHAPE), &ok);
    xl_json_put(object, "vectors", json_integer(entry->is.n_vectors), &ok);
    return xl_json_finish(object, ok);
}

/* Those of other models are skipped. */
enum xl_status xl_a1111_embeddings(struct xl_call *call, struct xl_reply *reply,
                                   struct xl_err *err) {
    struct xl_named_list embeddings = {.n = 0};
    (void)call;
    enum xl_status status = xl_named_list_read(XL_NAMED_EMBEDDINGS, &embeddings, err);
    json_t *object = json_object(), *loaded = json_object(), *skipped = json_object();
    bool ok = object && loaded && skipped;
    for (int i = 0; !status && ok && i < embeddings.n; i++) {
        const struct xl_named_entry *entry = &embeddings.entries[i];
        bool is_ours = !entry->why && !entry->is.need;
        xl_json_put(is_ours ? loaded : skipped, entry->file->name, embedding_object(entry), &ok);
    }
    xl_named_list_deinit(&embeddings);
    xl_json_put(object, "loaded", loaded, &ok);
    xl_json_put(object, "skipped", skipped, &ok);
    object = xl_json_finish(object, ok);
    if (!status) return xl_reply_json(reply, 200, object, err);
    json_decref(object);
    return status;
}
