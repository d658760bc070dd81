/* models.c - GET models. Keeps no state: what is there is looked for when it is asked for. */
#include "http/openai/openai.h"

#include "http/reply.h"
#include "lab/data/describe.h"

#include <string.h>
#include <sys/stat.h>

/* When it came here, and whose it is. */
static json_t *model_object(const struct xl_model_found *found) {
    const char *repo = found->model->repo ? found->model->repo : "", *slash = strchr(repo, '/');
    json_t *object = json_object();
    struct stat st;
    bool ok = object != NULL;
    bool has_date = found->state.dir && !stat(found->state.dir, &st);
    xl_json_put(object, "id", xl_json_text(found->model->key), &ok);
    xl_json_put(object, "object", json_string("model"), &ok);
    xl_json_put(object, "created", json_integer(has_date ? st.st_mtime : 0), &ok);
    xl_json_put(object, "owned_by",
                slash ? json_stringn(repo, (size_t)(slash - repo)) : json_string("sdxl-lab"), &ok);
    return xl_json_finish(object, ok);
}

static enum xl_status find_models(struct xl_call *call, struct xl_catalogue **catalogue,
                                  struct xl_model_found **found, int *n, struct xl_err *err) {
    const struct xl_openai *openai = call->user;
    const struct xl_list *files = &xl_library_settings(openai->library)->model_files;
    enum xl_status status = xl_catalogue_load(files->item, files->n, catalogue, err);
    return status ? status : xl_models_found(*catalogue, &call->arena, found, n, err);
}

enum xl_status xl_openai_get_models(struct xl_call *call, struct xl_reply *reply,
                                    struct xl_err *err) {
    struct xl_catalogue *catalogue = NULL;
    struct xl_model_found *found = NULL;
    int n = 0;
    enum xl_status status = find_models(call, &catalogue, &found, &n, err);
    if (!status) {
        json_t *list = json_array(), *document = json_object();
        bool ok = list && document;
        for (int i = 0; i < n && ok; i++)
            if (found[i].state.state == XL_MODEL_READY)
                ok = !json_array_append_new(list, model_object(&found[i]));
        xl_json_put(document, "object", json_string("list"), &ok);
        xl_json_put(document, "data", list, &ok);
        status = xl_reply_json(reply, 200, xl_json_finish(document, ok), err);
    }
    xl_catalogue_free(catalogue);
    return status;
}

enum xl_status xl_openai_get_model(struct xl_call *call, struct xl_reply *reply,
                                   struct xl_err *err) {
    const char *id = xl_call_text(call, "id");
    struct xl_catalogue *catalogue = NULL;
    struct xl_model_found *found = NULL;
    int n = 0, at = -1;
    enum xl_status status = find_models(call, &catalogue, &found, &n, err);
    const struct xl_catalogue_model *named = status ? NULL : xl_catalogue_find(catalogue, id);
    for (int i = 0; i < n && !status; i++)
        if (found[i].model == named || !strcmp(found[i].model->key, id)) at = i;
    if (at >= 0 && found[at].state.state == XL_MODEL_READY) {
        status = xl_reply_json(reply, 200, model_object(&found[at]), err);
    } else if (!status) {
        reply->name = "model_not_found";
        reply->field = "model";
        status = xl_reply_refuse(reply, 404, err, "the model \"%.100s\" %s", id,
                                 at >= 0 ? "is not there to be drawn with" : "does not exist");
    }
    xl_catalogue_free(catalogue);
    return status;
}
