/* library.c - a few handles of the index, under one mutex. */
#include "http/api/library.h"

#include "base/cache_bound.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "http/files.h"
#include "insight/marks/marks.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FRESH_S = 1, THUMBNAILS_LOOK_BYTES = 64 << 20 };

struct handle {
    struct xl_index *index; /* of whoever has taken it, as the next two */
    double opened_at;
    long long change;      /* of the library when it was opened */
    bool is_taken;         /* of the mutex, as the next */
    struct xl_index *lent; /* what was given out; NULL: nothing, or not yet */
};

struct xl_library {
    const struct xl_settings *settings;
    char *dir, *uploads;
    pthread_mutex_t mutex;
    pthread_cond_t given;
    struct handle handles[XL_LIBRARY_HANDLES];
    long long change;
    int64_t thumbnails; /* bytes until it is looked how many there are */
    pthread_mutex_t folders_mutex;
    char **folders; /* that the owner named; [n_folders] */
    int n_folders;
    int64_t folders_of; /* fingerprint of the marks that say so */
};

enum xl_status xl_library_new(const struct xl_settings *settings, struct xl_library **out,
                              struct xl_err *err) {
    char real[PATH_MAX];
    struct xl_library *library = calloc(1, sizeof *library);
    if (!library) return xl_fail_nomem(err, "the index", sizeof *library);
    pthread_mutex_init(&library->mutex, NULL);
    pthread_mutex_init(&library->folders_mutex, NULL);
    pthread_cond_init(&library->given, NULL);
    library->settings = settings;
    enum xl_status status = xl_dir_create(settings->output_dir, err);
    if (!status && !realpath(settings->output_dir, real))
        status = xl_fail(err, XL_EDISK, "%s: cannot be found", settings->output_dir);
    if (!status) library->dir = strdup(real);
    if (library->dir) library->uploads = xl_path_join(library->dir, ".uploads");
    if (!status && !library->uploads) status = xl_fail_nomem(err, "a path", 0);
    if (status)
        xl_library_free(library);
    else
        *out = library;
    return status;
}

static void free_folders(struct xl_library *library) {
    for (int i = 0; i < library->n_folders; i++) free(library->folders[i]);
    free(library->folders);
    library->folders = NULL;
    library->n_folders = 0;
}

void xl_library_free(struct xl_library *library) {
    if (!library) return;
    for (int i = 0; i < XL_LIBRARY_HANDLES; i++) xl_index_close(library->handles[i].index);
    free_folders(library);
    pthread_mutex_destroy(&library->mutex);
    pthread_mutex_destroy(&library->folders_mutex);
    pthread_cond_destroy(&library->given);
    free(library->dir);
    free(library->uploads);
    free(library);
}

const char *xl_library_dir(const struct xl_library *library) {
    return library->dir;
}
const char *xl_library_uploads(const struct xl_library *library) {
    return library->uploads;
}
const struct xl_settings *xl_library_settings(const struct xl_library *library) {
    return library->settings;
}

/* --- Handles ---------------------------------------------------------------------------------- */

/* One that nobody has, rather an open one. */
static struct handle *find_free(struct xl_library *library) {
    struct handle *found = NULL;
    for (int i = 0; i < XL_LIBRARY_HANDLES; i++) {
        struct handle *handle = &library->handles[i];
        if (!handle->is_taken && (!found || (!found->index && handle->index))) found = handle;
    }
    return found;
}

enum xl_status xl_library_take(struct xl_library *library, struct xl_index **out,
                               struct xl_err *err) {
    struct handle *handle;
    enum xl_status status = XL_OK;
    const struct xl_index_params params = {.output_dir = library->dir,
                                           .index_dir = library->settings->index_dir,
                                           .threads = library->settings->threads};
    pthread_mutex_lock(&library->mutex);
    while (!(handle = find_free(library))) pthread_cond_wait(&library->given, &library->mutex);
    handle->is_taken = true;
    long long change = library->change;
    pthread_mutex_unlock(&library->mutex);
    double now = xl_now_s();
    bool is_fresh = handle->index && handle->change == change && now - handle->opened_at < FRESH_S;
    if (!is_fresh) {
        xl_index_close(handle->index);
        handle->index = NULL;
        status = xl_index_open(&params, XL_INDEX_UPDATE, &handle->index, err);
        handle->opened_at = now;
        handle->change = change;
    }
    if (!status) *out = handle->index;
    pthread_mutex_lock(&library->mutex);
    handle->lent = status ? NULL : handle->index;
    handle->is_taken = !status;
    if (status) pthread_cond_signal(&library->given);
    pthread_mutex_unlock(&library->mutex);
    return status;
}

void xl_library_give(struct xl_library *library, struct xl_index *index) {
    if (!index) return;
    pthread_mutex_lock(&library->mutex);
    for (int i = 0; i < XL_LIBRARY_HANDLES; i++) {
        struct handle *handle = &library->handles[i];
        if (handle->lent != index) continue;
        handle->lent = NULL;
        handle->is_taken = false;
    }
    pthread_cond_signal(&library->given);
    pthread_mutex_unlock(&library->mutex);
}

void xl_library_touch(struct xl_library *library) {
    pthread_mutex_lock(&library->mutex);
    library->change++;
    pthread_mutex_unlock(&library->mutex);
}

long long xl_library_change(struct xl_library *library) {
    pthread_mutex_lock(&library->mutex);
    long long change = library->change;
    pthread_mutex_unlock(&library->mutex);
    return change;
}

/* --- Files ------------------------------------------------------------------------------------ */

/* The folders that the owner named, read anew where marks have changed. */
static enum xl_status read_folders(struct xl_library *library, struct xl_err *err) {
    struct xl_mark_list *list = NULL;
    int64_t now = xl_marks_fingerprint(library->dir);
    if (library->folders_of == now) return XL_OK;
    enum xl_status status = xl_marks_read(library->dir, &list, err);
    if (status) return status;
    struct xl_mark_view view = xl_marks_view(list);
    free_folders(library);
    library->folders = calloc((size_t)view.n_folders + 1, sizeof *library->folders);
    for (int i = 0; i < view.n_folders && library->folders; i++) {
        library->folders[library->n_folders] = strdup(view.folders[i]);
        if (library->folders[library->n_folders]) library->n_folders++;
    }
    library->folders_of = now;
    xl_marks_free(list);
    return XL_OK;
}

enum xl_status xl_library_open(struct xl_library *library, const char *path, int *fd,
                               struct xl_err *err) {
    struct xl_err why = {0};
    enum xl_status status = xl_file_in(library->dir, path, fd, &why);
    if (!status) return XL_OK;
    size_t n = strlen(library->dir);
    bool is_inside = !strncmp(path, library->dir, n) && path[n] == '/';
    if (is_inside) return xl_fail(err, status, "%s", why.text);
    pthread_mutex_lock(&library->folders_mutex);
    enum xl_status read = read_folders(library, err);
    for (int i = 0; i < library->n_folders && !read && status; i++)
        status = xl_file_in(library->folders[i], path, fd, &why);
    pthread_mutex_unlock(&library->folders_mutex);
    return read || !status ? read : xl_fail(err, status, "%s", why.text);
}

enum xl_status xl_library_open_trashed(struct xl_library *library, const char *path, int *fd,
                                       struct xl_err *err) {
    size_t n = strlen(library->dir);
    struct xl_str text = {0};
    if (strncmp(path, library->dir, n) != 0 || path[n] != '/')
        return xl_fail(err, XL_EINPUT, "%s: it has no trash", path);
    xl_str_printf(&text, "%s/" XL_TRASH_DIR "%s", library->dir, path + n);
    enum xl_status status = text.failed ? xl_fail_nomem(err, "a path", 0)
                                        : xl_file_in(library->dir, text.text, fd, err);
    xl_str_deinit(&text);
    return status;
}

/* --- Thumbnails ------------------------------------------------------------------------------- */

void xl_library_wrote_thumbnail(struct xl_library *library, const char *dir, size_t n) {
    struct xl_err why;
    int64_t left;
    pthread_mutex_lock(&library->mutex);
    library->thumbnails -= (int64_t)n;
    bool is_to_look = library->thumbnails < 0;
    if (is_to_look) library->thumbnails = THUMBNAILS_LOOK_BYTES;
    pthread_mutex_unlock(&library->mutex);
    if (is_to_look && xl_cache_trim(dir, XL_THUMBNAILS_MAX_BYTES, &left, &why))
        xl_warn("thumbnails: %s", why.text);
}
