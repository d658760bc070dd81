/* submit.c - job scripts and manifests of planned runs. */
#include "cli/submit.h"

#include "cli/cli.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "jobs/batch.h"
#include "jobs/slurm.h"
#include "lab/run/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char *place_of(const struct xl_settings *settings) {
    return xl_option_find("on")->choices[settings->on];
}

enum xl_status xl_submit_check(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_batch batch;
    if (!settings->on)
        return xl_fail(err, XL_EINVAL, "--print: say for what: --on slurm or --on kubernetes");
    enum xl_status status = xl_batch_read(settings, &batch, err);
    if (!status && settings->on == XL_ON_KUBERNETES && !settings->print)
        status = xl_fail(err, XL_EINVAL,
                         "--on kubernetes: nothing is submitted from here; say --print, and give "
                         "what it prints to kubectl apply -f -");
    if (!status && settings->on == XL_ON_SLURM && settings->volumes.n)
        status = xl_fail(err, XL_EINVAL, "--volume is for --on kubernetes");
    if (!status && settings->json && settings->print)
        status =
            xl_fail(err, XL_EINVAL, "--print prints a script and --json a document; choose one");
    if (!status && settings->on == XL_ON_SLURM && !settings->print)
        status = xl_slurm_check(settings->partition, err);
    return status;
}

/* Storage that only this machine has, as far as its kind says: a cluster's nodes will not find it.
 */
static bool is_local(const char *dir) {
    enum {
        EXT = 0xEF53,
        XFS = 0x58465342,
        BTRFS = (int)0x9123683E,
        TMPFS = 0x01021994,
        OVERLAY = 0x794C7630
    };
    struct statfs fs;
    if (statfs(dir, &fs)) return false;
    int kind = (int)fs.f_type;
    return kind == EXT || kind == XFS || kind == BTRFS || kind == TMPFS || kind == OVERLAY;
}

static const char *own_program(struct xl_arena *arena) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    return xl_arena_strndup(arena, n > 0 ? path : "sdxl-lab", n > 0 ? (size_t)n : 8);
}

static int count_waiting(const struct xl_run_dir *dir) {
    int n = 0;
    for (int i = 0; i < dir->n_outcomes; i++) n += dir->outcomes[i].state == XL_CELL_WAITING;
    return n;
}

/* RUN/slurm/job.sh. *path: in the arena. */
static enum xl_status write_script(const struct xl_batch *batch, const char *text,
                                   struct xl_arena *arena, const char **path, struct xl_err *err) {
    const char *folder = xl_arena_printf(arena, "%s/" XL_SLURM_DIR, batch->run_dir);
    *path = xl_arena_printf(arena, "%s/" XL_SLURM_DIR "/job.sh", batch->run_dir);
    if (!folder || !*path) return xl_fail_nomem(err, "a path", 0);
    enum xl_status status = xl_dir_create(folder, err);
    if (!status) status = xl_file_replace(*path, text, strlen(text), err);
    if (!status && chmod(*path, 0755))
        status =
            xl_fail(err, XL_EDISK, "%s: cannot be made executable: %s", *path, strerror(errno));
    return status;
}

/* A line a job: its number, how many tasks, and when. */
static enum xl_status note_job(const struct xl_batch *batch, const char *job, struct xl_err *err) {
    char path[4096], when[21], line[128];
    xl_iso8601_utc(when);
    snprintf(path, sizeof path, "%s/" XL_SLURM_DIR "/jobs", batch->run_dir);
    int n = snprintf(line, sizeof line, "%s %d %s\n", job, batch->n_tasks, when);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && write(fd, line, (size_t)n) == n;
    int why = errno;
    if (fd >= 0 && close(fd)) ok = false, why = errno;
    return ok ? XL_OK
              : xl_fail(err, XL_EDISK, "%s: job %s is submitted, but cannot be noted: %s", path,
                        job, strerror(why));
}

static enum xl_status tell(const struct xl_settings *settings, const struct xl_batch *batch,
                           const char *job, int n_waiting, struct xl_err *err) {
    if (!settings->json) {
        printf("job      %s, %d %s, for %d %s\n", job, batch->n_tasks,
               xl_plural(batch->n_tasks, "task", "tasks"), n_waiting,
               xl_plural(n_waiting, "picture", "pictures"));
        struct xl_str dir = {0};
        xl_str_put_shell_word(&dir, batch->run_dir);
        printf("status   sdxl-lab slurm status %s\n", dir.text ? dir.text : batch->run_dir);
        xl_str_deinit(&dir);
        return XL_OK;
    }
    xl_json_watch();
    json_t *document = json_object();
    bool ok = document != NULL;
    xl_json_put(document, "job", xl_json_text(job), &ok);
    xl_json_put(document, "tasks", json_integer(batch->n_tasks), &ok);
    xl_json_put(document, "waiting", json_integer(n_waiting), &ok);
    xl_json_put(document, "run_dir", xl_json_text(batch->run_dir), &ok);
    document = xl_json_finish(document, ok && !xl_json_ran_out());
    enum xl_status status = document ? xl_print_json(document, err)
                                     : xl_fail_nomem(err, "a document", 0);
    json_decref(document);
    return status;
}

/* The script is written in any case, the manifest only printed. */
static enum xl_status hand_over(const struct xl_settings *settings, const struct xl_batch *batch,
                                const char *text, int n_waiting, struct xl_err *err) {
    struct xl_arena arena = {0};
    const char *script = NULL, *job = NULL;
    enum xl_status status = XL_OK;
    if (settings->on == XL_ON_SLURM) status = write_script(batch, text, &arena, &script, err);
    if (!status && settings->print) {
        fputs(text, stdout);
        xl_warn("%s is planned, and nothing is submitted", batch->run_dir);
    } else if (!status) {
        if (is_local(batch->run_dir))
            xl_warn(
                "%s lies on a disk of this machine; the nodes have to see it under the same path",
                batch->run_dir);
        status = xl_slurm_submit(script, &arena, &job, err);
        if (!status) status = note_job(batch, job, err);
        if (!status) status = tell(settings, batch, job, n_waiting, err);
    }
    xl_arena_deinit(&arena);
    return status;
}

enum xl_status xl_submit(const struct xl_settings *settings, const struct xl_sweep *sweep,
                         struct xl_run_dir *dir, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_batch batch;
    struct xl_str text = {0};
    const struct xl_run run = {.settings = settings, .sweep = sweep, .dir = dir};
    int n_waiting = count_waiting(dir);
    enum xl_status status = xl_batch_read(settings, &batch, err);
    if (!status && !n_waiting)
        status =
            xl_fail(err, XL_EINVAL, "%s: every picture is there; nothing is submitted", dir->dir);
    if (!status) status = xl_run_announce(&run, err);
    xl_lock_release(dir->lock);
    dir->lock = NULL;
    if (batch.n_tasks > n_waiting && n_waiting) batch.n_tasks = n_waiting;
    if (batch.n_at_once > batch.n_tasks) batch.n_at_once = 0;
    batch.run_dir = xl_path_absolute(dir->dir, &arena);
    batch.program = own_program(&arena);
    const char *slash = batch.run_dir ? strrchr(batch.run_dir, '/') : NULL;
    batch.name = slash ? xl_arena_printf(&arena, "sdxl-%s", slash + 1) : NULL;
    if (!status && (!batch.program || !batch.name)) status = xl_fail_nomem(err, "a path", 0);
    if (!status && settings->on == XL_ON_KUBERNETES)
        status = xl_kubernetes_manifest(&batch, &text, err);
    else if (!status)
        status = xl_slurm_script(&batch, &text, err);
    if (!status) status = hand_over(settings, &batch, text.text, n_waiting, err);
    if (status == XL_EINVAL || status == XL_ESCHEDULER)
        xl_fail_context(err, status, "--on %s", place_of(settings));
    xl_str_deinit(&text);
    xl_arena_deinit(&arena);
    return status;
}
