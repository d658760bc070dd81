/* inbox.c - the files by which a running night is asked for something. */
#include "jobs/night/inbox.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static const char STOP[] = "stop", NOW[] = "now\n", AFTER[] = "after the pictures at hand\n";

/* --- Stopping --------------------------------------------------------------------------------- */

enum xl_status xl_night_ask_stop(const char *dir, bool at_once, struct xl_err *err) {
    const char *text = at_once ? NOW : AFTER;
    char *path = xl_path_join(dir, STOP);
    enum xl_status status = path ? xl_file_replace(path, text, strlen(text), err)
                                 : xl_fail_nomem(err, "a path", 0);
    free(path);
    return status;
}

enum xl_night_wish xl_night_asked_stop(const char *dir) {
    const struct xl_read_rule rule = {256, XL_EINPUT, XL_EINPUT};
    char *path = xl_path_join(dir, STOP), *text = NULL;
    size_t n = 0;
    enum xl_night_wish wish = XL_NIGHT_GOES_ON;
    if (path && xl_file_exists(path) && !xl_file_read(path, rule, &text, &n, NULL))
        wish = !strcmp(text, NOW) ? XL_NIGHT_STOP_NOW : XL_NIGHT_STOP_AFTER;
    free(text);
    free(path);
    return wish;
}

void xl_night_forget_stop(const char *dir) {
    char *path = xl_path_join(dir, STOP);
    if (path) unlink(path);
    free(path);
}

/* --- Adding ----------------------------------------------------------------------------------- */

bool xl_night_seed_job(json_t *job) {
    uint32_t seed = 0;
    bool ok = job != NULL;
    const json_t *sweep = json_object_get(job, "sweep");
    if (json_object_get(job, "seed") || json_object_get(sweep, "seed")) return ok;
    (void)!getrandom(&seed, sizeof seed, 0);
    xl_json_put(job, "seed", xl_json_seed(seed), &ok);
    return ok;
}

enum xl_status xl_night_ask_add(const char *dir, const json_t *jobs, struct xl_err *err) {
    enum { TRIES = 1000 };
    char stamp[16], name[64];
    char *inbox = xl_path_join(dir, "inbox"), *text = xl_json_dump(jobs, JSON_INDENT(1));
    enum xl_status status = inbox && text ? xl_dir_create(inbox, err)
                                          : xl_fail_nomem(err, "jobs", 0);
    bool is_there = true;
    xl_stamp_utc(stamp);
    for (int i = 0; !status && is_there && i < TRIES; i++) {
        is_there = false;
        snprintf(name, sizeof name, "%s_%d_%03d.json", stamp, (int)getpid(), i);
        char *path = xl_path_join(inbox, name);
        status = path ? xl_file_write_new(path, text, strlen(text), &is_there, err)
                      : xl_fail_nomem(err, "a path", 0);
        if (is_there) status = XL_OK; /* the next number */
        free(path);
    }
    free(inbox);
    free(text);
    return status;
}

static int is_list(const struct dirent *entry) {
    return entry->d_name[0] != '.' && xl_ends_with(entry->d_name, ".json");
}

bool xl_night_has_added(const char *dir) {
    char *inbox = xl_path_join(dir, "inbox");
    DIR *open = inbox ? opendir(inbox) : NULL;
    const struct dirent *entry;
    bool has_added = false;
    while (open && !has_added && (entry = readdir(open))) has_added = is_list(entry);
    if (open) closedir(open);
    free(inbox);
    return has_added;
}

/* A file that cannot be read stays beside, so that it is not met again and again. */
static void set_aside(const char *path, const char *why) {
    struct xl_str aside = {0};
    xl_warn("%s; it is left out", why);
    xl_str_printf(&aside, "%s.refused", path);
    if (aside.text && rename(path, aside.text)) unlink(path);
    xl_str_deinit(&aside);
}

static enum xl_status read_list(const char *path, json_t *jobs, json_t *files, struct xl_err *err) {
    const struct xl_read_rule rule = {16 << 20, XL_EINPUT, XL_EINPUT};
    char *text = NULL;
    size_t n = 0, i;
    struct xl_err why = {0};
    json_t *job;
    enum xl_status status = xl_file_read(path, rule, &text, &n, &why);
    json_t *list = text ? json_loadb(text, n, 0, NULL) : NULL;
    free(text);
    if (!status && !json_is_array(list))
        status = xl_fail(&why, XL_EINPUT, "%s: expected a list of jobs", path);
    json_array_foreach(list, i, job) if (!status && !json_is_object(job))
        status = xl_fail(&why, XL_EINPUT, "%s: job %zu is no map of settings", path, i + 1);
    if (status == XL_EINPUT) {
        set_aside(path, why.text);
        json_decref(list);
        return XL_OK;
    }
    bool ok = !status && !json_array_extend(jobs, list) &&
              !json_array_append_new(files, xl_json_text(path));
    json_decref(list);
    return ok ? XL_OK : xl_fail_nomem(err, "jobs", 0);
}

enum xl_status xl_night_added(const char *dir, json_t **jobs, json_t **files, struct xl_err *err) {
    char *inbox = xl_path_join(dir, "inbox");
    struct dirent **entries = NULL;
    *jobs = json_array();
    *files = json_array();
    int n = inbox ? scandir(inbox, &entries, is_list, alphasort) : 0;
    enum xl_status status = inbox && *jobs && *files ? XL_OK : xl_fail_nomem(err, "jobs", 0);
    for (int i = 0; i < n; i++) {
        char *path = status ? NULL : xl_path_join(inbox, entries[i]->d_name);
        if (path) status = read_list(path, *jobs, *files, err);
        free(path);
        free(entries[i]);
    }
    free(entries);
    free(inbox);
    return status;
}

void xl_night_drop(const json_t *files) {
    size_t i;
    json_t *path;
    json_array_foreach((json_t *)files, i, path) unlink(json_string_value(path));
}
