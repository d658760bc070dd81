/* shared_run.c - several processes, one run directory. */
#include "cli/shared_run.h"

#include "cli/summary.h"

#include "base/file.h"
#include "base/log.h"
#include "lab/run/runner.h"

#include <stdlib.h>

enum xl_status xl_shared_run_join(const struct xl_settings *settings, struct xl_claims **out,
                                  struct xl_err *err) {
    if (settings->dry_run || settings->strict)
        return xl_fail(err, XL_EINVAL, "--share draws together with others; leave --%s out",
                       settings->dry_run ? "dry-run" : "strict");
    char *path = xl_path_join(settings->resume, "run.json");
    enum xl_status status = path ? XL_OK : xl_fail_nomem(err, "a path", 0);
    if (!status && !xl_file_exists(path))
        status =
            xl_fail(err, XL_EINPUT,
                    "%s: is not there; expected a run directory, on storage that all who share "
                    "the run see",
                    path);
    free(path);
    if (status) return status;
    return xl_claims_open(settings->resume, settings->instance, settings->heartbeat, out, err);
}

/* Who was taken for dead may live: what it has drawn and not logged yet is not its any more. */
static enum xl_status seize(const struct xl_sweep *sweep, const struct xl_run_dir *dir,
                            struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int c = 0; !status && c < sweep->n_cells; c++)
        if (dir->outcomes[c].state == XL_CELL_DONE)
            status = xl_claims_seize(dir->dir, sweep->cells[c].id, err);
    return status;
}

/* Open and collect. tells: on standard output. */
static enum xl_status collect(const char *run_dir, const struct xl_settings *given, bool tells,
                              struct xl_err *err) {
    struct xl_settings settings = *given;
    struct xl_sweep sweep;
    struct xl_run_dir dir;
    struct xl_run_counts counts = {0};
    settings.share = false;
    settings.collects = true;
    settings.sweep.n = 0;
    enum xl_status status = xl_run_dir_open(run_dir, &settings, &sweep, &dir, err);
    if (status) return status;
    const struct xl_run run = {.settings = &settings, .sweep = &sweep, .dir = &dir};
    status = seize(&sweep, &dir, err);
    if (!status) status = xl_run_collect(&run, &counts, err);
    if (!status) xl_claims_clear(run_dir);
    enum xl_status told = XL_OK;
    if (tells) told = xl_tell_run(&settings, &sweep, &dir, &counts, status, status ? NULL : err);
    xl_run_counts_deinit(&counts);
    xl_run_dir_close(&dir);
    xl_sweep_deinit(&sweep);
    return status ? status : told;
}

enum xl_status xl_shared_run_collect(const char *run_dir, const struct xl_settings *settings,
                                     struct xl_err *err) {
    return collect(run_dir, settings, true, err);
}

/* Who was as fast to leave may be at it already: then it is theirs. */
enum xl_status xl_shared_run_leave(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_claims_seen seen;
    enum xl_status status = xl_claims_see(settings->resume, &arena, &seen, err);
    bool is_last = !status && seen.n && !seen.n_at_work;
    xl_arena_deinit(&arena);
    if (!is_last) return status;
    struct xl_err why = {0};
    status = collect(settings->resume, settings, false, &why);
    if (status) xl_info("%s is not collected: %s", settings->resume, why.text);
    return XL_OK;
}
