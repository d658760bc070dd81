/* named_list.c - looks at each file that has a name. Keeps no state. */
#include "lab/data/named_list.h"

#include "hub/classify.h"
#include "lab/data/describe_file.h"

/* A file of the cache that is something else is none of ours; in a folder of this kind it is one
 * that somebody wonders about. */
static enum xl_status look_at(struct xl_named_list *list, const struct xl_named_file *file,
                              enum xl_file_kind wanted, struct xl_err *err) {
    struct xl_named_entry *item = &list->entries[list->n];
    struct xl_err why = {0};
    bool is_cached = file->folder[0] != '/';
    *item = (struct xl_named_entry){.file = file};
    enum xl_status status = xl_hub_classify_file(file->path, &list->arena, &item->is, &why);
    if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
    if (is_cached && (status || item->is.kind != wanted)) return XL_OK;
    if (status)
        item->why = xl_arena_strdup(&list->arena, why.text);
    else if (item->is.kind != wanted)
        item->why = xl_arena_printf(&list->arena, "%s: this is %s, expected %s %s", file->path,
                                    item->is.what, wanted == XL_FILE_LORA ? "a" : "an",
                                    wanted == XL_FILE_LORA ? "LoRA" : "embedding");
    bool is_odd = status || item->is.kind != wanted;
    list->n++;
    return !is_odd || item->why ? XL_OK : xl_fail_nomem(err, "a list of files", 0);
}

enum xl_status xl_named_list_read(enum xl_named_kind kind, struct xl_named_list *list,
                                  struct xl_err *err) {
    bool are_loras = kind == XL_NAMED_LORAS;
    enum xl_file_kind wanted = are_loras ? XL_FILE_LORA : XL_FILE_EMBEDDING;
    list->names = are_loras ? xl_loras_new() : xl_embeddings_new();
    if (!list->names) return xl_fail_nomem(err, "a list of files", 0);
    enum xl_status status = xl_loras_list(list->names, &list->files, err);
    if (status) return status;
    list->entries =
        xl_arena_alloc(&list->arena, ((size_t)list->files.n + 1) * sizeof *list->entries);
    if (!list->entries) return xl_fail_nomem(err, "a list of files", 0);
    for (int i = 0; !status && i < list->files.n; i++)
        status = look_at(list, &list->files.list[i], wanted, err);
    return status;
}

void xl_named_list_deinit(struct xl_named_list *list) {
    xl_loras_free(list->names);
    xl_arena_deinit(&list->arena);
    *list = (struct xl_named_list){.n = 0};
}

static json_t *describe(const struct xl_named_entry *item, struct xl_arena *arena) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "name", xl_json_text(item->file->name), &ok);
    xl_json_put(object, "below", xl_json_text(item->file->below), &ok);
    xl_json_put(object, "path", xl_json_text(item->file->path), &ok);
    xl_json_put(object, "folder", xl_json_text(item->file->folder), &ok);
    xl_json_put(object, "why", xl_json_text(item->why), &ok);
    if (item->is.what) xl_file_class_put(object, &item->is, arena, &ok);
    return xl_json_finish(object, ok);
}

json_t *xl_named_list_array(struct xl_named_list *list) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int i = 0; ok && i < list->n; i++)
        ok = !json_array_append_new(array, describe(&list->entries[i], &list->arena));
    return xl_json_finish(array, ok);
}
