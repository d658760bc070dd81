/* wanted.c - from a name to what the hub is asked for. Keeps no state. */
#include "lab/data/wanted.h"

#include "hub/hub.h"

#include <string.h>

struct xl_wanted xl_wanted_entry(const struct xl_catalogue_model *entry, const char *revision) {
    struct xl_wanted wanted = {.name = entry->key, .entry = entry};
    if (entry->folder || entry->is_embedded) return wanted;
    wanted.request.id = entry->repo;
    wanted.request.revision = revision ? revision : entry->revision;
    wanted.request.file = entry->file;
    return wanted;
}

static enum xl_status fail_unknown(const struct xl_catalogue *catalogue, const char *name,
                                   struct xl_err *err) {
    char near[256];
    xl_catalogue_nearest(catalogue, name, near, sizeof near);
    return xl_fail(err, XL_EINVAL,
                   "model \"%.100s\": no name of sdxl-lab models list and no repository "
                   "(org/name)%s%s%s",
                   name, near[0] ? "; did you mean " : "", near, near[0] ? "?" : "");
}

enum xl_status xl_wanted_find(const struct xl_catalogue *catalogue, const char *name,
                              const char *revision, struct xl_arena *arena, struct xl_wanted *out,
                              struct xl_err *err) {
    const struct xl_catalogue_model *entry = xl_catalogue_find(catalogue, name);
    const char *colon = strrchr(name, ':'), *file = NULL, *id = name;
    if (!entry && colon && colon > name && colon[1]) {
        id = xl_arena_strndup(arena, name, (size_t)(colon - name));
        if (!id) return xl_fail_nomem(err, "a name", 0);
        file = colon + 1;
        entry = xl_catalogue_find(catalogue, id);
    }
    if (entry) {
        *out = xl_wanted_entry(entry, revision);
        if (file && out->request.id) out->request.file = file;
        return XL_OK;
    }
    if (!strchr(id, '/') || xl_hub_check_id(id, NULL, NULL))
        return fail_unknown(catalogue, name, err);
    *out = (struct xl_wanted){.name = name, .request = {id, revision, file}};
    return XL_OK;
}
