/* repositories.c - what the cache holds: the repositories that say that they are SDXL pipelines. */
#include "hub/files.h"
#include "hub/hub.h"
#include "hub/location.h"

#include <string.h>

/* The most that are looked at: a cache of ten thousand repositories must not stop a list. */
enum { MAX_REPOSITORIES = 4096 };

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "the repositories of the cache", 0);
}

/* "org/name" of the folder "models--org--name"; NULL for another folder, or out of memory. */
static const char *id_of(const char *folder, struct xl_arena *arena) {
    static const char prefix[] = "models--";
    if (strncmp(folder, prefix, sizeof prefix - 1)) return NULL;
    const char *org = folder + sizeof prefix - 1, *dashes = strstr(org, "--");
    if (!dashes) return xl_arena_strdup(arena, org);
    return xl_arena_printf(arena, "%.*s/%s", (int)(dashes - org), org, dashes + 2);
}

static bool is_listed(const struct xl_hub_names *list, const char *id) {
    for (int i = 0; i < list->n; i++)
        if (!strcmp(list->name[i], id)) return true;
    return false;
}

/* Does its model_index.json name a pipeline of the SDXL family? */
static bool is_sdxl(const char *id) {
    struct xl_arena scratch = {0};
    struct xl_snapshot snapshot;
    bool is_one = false;
    if (!xl_hub_resolve(id, NULL, &scratch, &snapshot, NULL)) {
        const char *path = xl_arena_printf(&scratch, "%s/model_index.json", snapshot.dir);
        json_t *root = NULL;
        if (path && !xl_hub_load_json(path, &root, NULL)) {
            const char *name = json_string_value(json_object_get(root, "_class_name"));
            is_one = name && xl_hub_is_sdxl_class(name);
        }
        json_decref(root);
    }
    xl_arena_deinit(&scratch);
    return is_one;
}

/* Add those of one folder to a list with room for MAX_REPOSITORIES. takes_all: whatever they hold.
 */
static enum xl_status add_root(const char *dir, bool takes_all, struct xl_arena *arena,
                               struct xl_hub_names *list, struct xl_err *err) {
    struct xl_hub_names folders;
    enum xl_status status = xl_hub_list(dir, arena, &folders, err);
    for (int i = 0; !status && i < folders.n && list->n < MAX_REPOSITORIES; i++) {
        const char *id = id_of(folders.name[i], arena);
        if (id && !is_listed(list, id) && (takes_all || is_sdxl(id))) list->name[list->n++] = id;
    }
    return status;
}

static enum xl_status list_all(bool takes_all, struct xl_arena *arena,
                               struct xl_hub_repositories *out, struct xl_err *err) {
    struct xl_hub_roots roots;
    enum xl_status status = xl_hub_roots(arena, &roots, err);
    if (status) return status;
    struct xl_hub_names list = {
        .name = xl_arena_alloc(arena, MAX_REPOSITORIES * sizeof *list.name)};
    if (!list.name) return nomem(err);
    for (int i = 0; !status && i < roots.n; i++)
        status = add_root(roots.dir[i], takes_all, arena, &list, err);
    if (!status) *out = (struct xl_hub_repositories){list.name, list.n};
    return status;
}

enum xl_status xl_hub_repositories(struct xl_arena *arena, struct xl_hub_repositories *out,
                                   struct xl_err *err) {
    return list_all(false, arena, out, err);
}

enum xl_status xl_hub_every_repository(struct xl_arena *arena, struct xl_hub_repositories *out,
                                       struct xl_err *err) {
    return list_all(true, arena, out, err);
}
