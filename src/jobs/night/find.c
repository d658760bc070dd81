/* find.c - which night is meant, among those of an output directory. Keeps no state. */
#include "jobs/night/state.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Whether a folder is a night's, of that configuration (NULL: any). */
static bool is_one(const char *dir, const char *config, bool only_open) {
    struct xl_night_state state;
    if (xl_night_state_read(dir, &state, NULL)) return false;
    bool is_wanted = !config || (state.config && !strcmp(state.config, config));
    if (only_open && state.phase == XL_NIGHT_DONE) is_wanted = false;
    xl_night_state_deinit(&state);
    return is_wanted;
}

static int by_age(const struct dirent **a, const struct dirent **b) {
    return strverscmp((*b)->d_name, (*a)->d_name);
}

static int is_named(const struct dirent *entry) {
    return !strncmp(entry->d_name, "night_", 6);
}

static enum xl_status find_newest(const char *output_dir, const char *config, bool only_open,
                                  char **dir, struct xl_err *err) {
    struct dirent **entries = NULL;
    int n = scandir(output_dir, &entries, is_named, by_age);
    enum xl_status status = XL_OK;
    if (n < 0 && errno != ENOENT && errno != ENOTDIR)
        return xl_fail(err, XL_EINPUT, "%s: cannot be read: %s", output_dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        char *path = *dir || status ? NULL : xl_path_join(output_dir, entries[i]->d_name);
        if (path && is_one(path, config, only_open))
            *dir = path;
        else
            free(path);
        free(entries[i]);
    }
    free(entries);
    return status;
}

enum xl_status xl_night_find(const char *output_dir, const char *what, bool only_open, char **dir,
                             struct xl_err *err) {
    *dir = NULL;
    if (!what) return find_newest(output_dir, NULL, only_open, dir, err);
    if (xl_dir_exists(what)) {
        struct xl_night_state state;
        enum xl_status status = xl_night_state_read(what, &state, err);
        struct xl_err ignored;
        if (status && !find_newest(what, NULL, only_open, dir, &ignored) && *dir) return XL_OK;
        if (status) return status;
        xl_night_state_deinit(&state);
        *dir = strdup(what);
        return *dir ? XL_OK : xl_fail_nomem(err, "a path", 0);
    }
    struct xl_arena arena = {0};
    const char *config = xl_path_absolute(what, &arena);
    enum xl_status status = config ? find_newest(output_dir, config, only_open, dir, err)
                                   : xl_fail_nomem(err, "a path", 0);
    xl_arena_deinit(&arena);
    return status;
}

enum xl_status xl_nights_list(const char *output_dir, struct xl_arena *arena,
                              const char *const **dirs, int *n, struct xl_err *err) {
    struct dirent **entries = NULL;
    int n_entries = scandir(output_dir, &entries, is_named, by_age);
    if (n_entries < 0) n_entries = 0;
    const char **list = xl_arena_alloc(arena, (size_t)(n_entries + 1) * sizeof *list);
    enum xl_status status = list ? XL_OK : xl_fail_nomem(err, "nights", 0);
    *n = 0;
    for (int i = 0; i < n_entries; i++) {
        const char *path = status ? NULL
                                  : xl_arena_printf(arena, "%s/%s", output_dir, entries[i]->d_name);
        if (!status && !path) status = xl_fail_nomem(err, "nights", 0);
        if (path && is_one(path, NULL, false)) list[(*n)++] = path;
        free(entries[i]);
    }
    free(entries);
    *dirs = list;
    return status;
}

const char *xl_night_state_name(const struct xl_night_state *state, bool is_running) {
    bool claims = state->phase == XL_NIGHT_DRAWS || state->phase == XL_NIGHT_PAUSES;
    return claims && !is_running ? "killed" : xl_night_phase_name(state->phase);
}

enum xl_status xl_night_is_running(const char *dir, bool *is_running, struct xl_err *err) {
    char *path = xl_path_join(dir, ".lock");
    if (!path) return xl_fail_nomem(err, "a path", 0);
    enum xl_status status = xl_lock_look(path, is_running, err);
    free(path);
    return status;
}
