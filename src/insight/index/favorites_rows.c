/* favorites_rows.c - finding the rows of many favourites with one set of statements. */
#include "insight/index/favorites_rows.h"

#include "base/path.h"
#include "insight/index/index_inner.h"
#include "insight/index/picture_find.h"

static enum xl_status find_one(struct xl_picture_find *find, const char *path, int64_t *id,
                               struct xl_err *err) {
    struct xl_mark_file file;
    struct xl_arena arena = {0};
    struct xl_err ignored;
    struct xl_marked bare = {.path = path};
    enum xl_status status = xl_mark_file_read(path, &file, &ignored);
    if (!status) {
        status = xl_picture_find(find, &file.is, id, err);
    } else { /* there is no such file any more, or it cannot be read */
        bare.path = xl_path_absolute(path, &arena);
        status = bare.path ? xl_picture_find(find, &bare, id, err)
                           : xl_fail_nomem(err, "a path", 0);
    }
    xl_arena_deinit(&arena);
    return status;
}

enum xl_status xl_favorites_rows(struct xl_index *index, const struct xl_favorites_in *list,
                                 int64_t *ids, struct xl_err *err) {
    struct xl_picture_find find;
    enum xl_status status =
        xl_picture_find_prepare(&find, &index->database, index->output_dir, err);
    for (int i = 0; i < list->n && !status; i++) {
        ids[i] = 0;
        if (!list->items[i].why) status = find_one(&find, list->items[i].path, &ids[i], err);
    }
    xl_picture_find_deinit(&find);
    return status;
}
