/* claims_see.c - what processes that share a run have done, for who only looks, and for who clears
 * it away. Keeps no state. */
#include "lab/run/claims.h"

#include "base/file.h"
#include "lab/run/claims_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SILENT = 6 };

/* The last file of a cell so far. */
struct cell {
    const char *id;
    int number, worker; /* worker: index; -1: unknown */
    enum xl_claim_mark mark;
};

struct seeing {
    const char *dir;
    struct xl_arena *arena;
    const char **names; /* of workers */
    struct cell *cells;
    int n_cells;
    struct xl_claims_seen *out;
};

/* What time it is where the files are: clocks of machines differ. */
static double storage_now(const char *dir) {
    char path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/.now-%d", dir, (int)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && !futimens(fd, NULL) && !fstat(fd, &st);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    return ok ? (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec / 1e9 : (double)time(NULL);
}

static int only_ours(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static bool is_worker(const char *name) {
    return !strncmp(name, XL_WORKER_PREFIX, sizeof XL_WORKER_PREFIX - 1);
}

static bool see_worker(struct seeing *seeing, const char *name, double now_s) {
    char path[PATH_MAX], text[XL_WORKER_TEXT];
    struct xl_worker_file file;
    struct stat st;
    int i = seeing->out->n;
    struct xl_claims_worker *worker = &seeing->out->workers[i];
    snprintf(path, sizeof path, "%s/%s", seeing->dir, name);
    if (!xl_worker_file_read(path, text, &file) || stat(path, &st)) return true;
    *worker = (struct xl_claims_worker){.process = file.process, .has_left = file.has_left};
    worker->instance = xl_arena_strdup(seeing->arena, file.instance);
    worker->silent_s = now_s - ((double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec / 1e9);
    if (worker->silent_s < 0) worker->silent_s = 0;
    worker->is_dead = !worker->has_left && (xl_process_has_ended(&file.process) ||
                                            worker->silent_s > MOST_SILENT * file.every_s);
    seeing->names[i] = xl_arena_strdup(seeing->arena, name + sizeof XL_WORKER_PREFIX - 1);
    seeing->out->n_at_work += !worker->has_left && !worker->is_dead;
    seeing->out->n++;
    return worker->instance && seeing->names[i];
}

static int find_worker(const struct seeing *seeing, const char *name) {
    for (int i = 0; i < seeing->out->n; i++)
        if (!strcmp(seeing->names[i], name)) return i;
    return -1;
}

/* Names come in order, so the files of a cell stand together. */
static bool see_cell(struct seeing *seeing, const char *name) {
    char path[PATH_MAX];
    struct xl_claim_file file;
    const char *dot = strrchr(name, '.');
    snprintf(path, sizeof path, "%s/%s", seeing->dir, name);
    if (!dot || !xl_claim_file_read(path, &file)) return true;
    struct cell now = {xl_arena_strndup(seeing->arena, name, (size_t)(dot - name)), atoi(dot + 1),
                       find_worker(seeing, file.worker), file.mark};
    struct cell *last = seeing->n_cells ? &seeing->cells[seeing->n_cells - 1] : NULL;
    if (!now.id) return false;
    if (!last || strcmp(last->id, now.id) != 0)
        seeing->cells[seeing->n_cells++] = now;
    else if (last->mark != XL_MARK_DONE && (now.mark == XL_MARK_DONE || now.number > last->number))
        *last = now;
    return true;
}

static void add_up(const struct seeing *seeing) {
    struct xl_claims_seen *out = seeing->out;
    for (int i = 0; i < seeing->n_cells; i++) {
        const struct cell *cell = &seeing->cells[i];
        struct xl_claims_worker nobody = {.is_dead = true};
        struct xl_claims_worker *worker = cell->worker < 0 ? &nobody : &out->workers[cell->worker];
        bool is_in_hand = !cell->mark && !worker->has_left && !worker->is_dead;
        worker->n_done += cell->mark == XL_MARK_DONE;
        worker->n_failed += cell->mark == XL_MARK_FAILED;
        worker->n_in_hand += is_in_hand;
        out->n_done += cell->mark == XL_MARK_DONE;
        out->n_failed += cell->mark == XL_MARK_FAILED;
        out->n_in_hand += is_in_hand;
    }
}

static bool see_all(struct seeing *seeing, struct dirent *const *entries, int n) {
    size_t room = (size_t)n + 1;
    seeing->names = xl_arena_alloc(seeing->arena, room * sizeof *seeing->names);
    seeing->cells = xl_arena_alloc(seeing->arena, room * sizeof *seeing->cells);
    seeing->out->workers = xl_arena_alloc(seeing->arena, room * sizeof *seeing->out->workers);
    bool ok = seeing->names && seeing->cells && seeing->out->workers;
    double now_s = storage_now(seeing->dir);
    for (int i = 0; ok && i < n; i++)
        if (is_worker(entries[i]->d_name)) ok = see_worker(seeing, entries[i]->d_name, now_s);
    for (int i = 0; ok && i < n; i++)
        if (!is_worker(entries[i]->d_name)) ok = see_cell(seeing, entries[i]->d_name);
    if (ok) add_up(seeing);
    return ok;
}

enum xl_status xl_claims_see(const char *run_dir, struct xl_arena *arena,
                             struct xl_claims_seen *out, struct xl_err *err) {
    struct dirent **entries = NULL;
    *out = (struct xl_claims_seen){.n = 0};
    const char *dir = xl_arena_printf(arena, "%s/" XL_CLAIMS_DIR, run_dir);
    if (!dir) return xl_fail_nomem(err, "a path", 0);
    int n = scandir(dir, &entries, only_ours, alphasort);
    if (n < 0 && errno == ENOENT) return XL_OK;
    if (n < 0) return xl_fail(err, XL_EDISK, "%s: cannot be read: %s", dir, strerror(errno));
    struct seeing seeing = {.dir = dir, .arena = arena, .out = out};
    bool ok = see_all(&seeing, entries, n);
    for (int i = 0; i < n; i++) free(entries[i]);
    free(entries);
    return ok ? XL_OK : xl_fail_nomem(err, "claims", 0);
}

bool xl_claims_has_failed(const char *run_dir, const char *id, char sentence[XL_CLAIM_SENTENCE]) {
    struct xl_claim_file file;
    char path[PATH_MAX];
    bool has_failed = false;
    for (int number = 1;; number++) {
        snprintf(path, sizeof path, "%s/" XL_CLAIMS_DIR "/%s.%d", run_dir, id, number);
        if (!xl_claim_file_read(path, &file)) return has_failed;
        has_failed = file.mark == XL_MARK_FAILED;
        if (has_failed) snprintf(sentence, XL_CLAIM_SENTENCE, "%s", file.sentence);
    }
}

enum xl_status xl_claims_seize(const char *run_dir, const char *id, struct xl_err *err) {
    static const char TEXT[] = "worker collector\ndone\n";
    struct xl_claim_file file;
    char path[PATH_MAX];
    for (int number = 1;; number++) {
        snprintf(path, sizeof path, "%s/" XL_CLAIMS_DIR "/%s.%d", run_dir, id, number);
        bool is_there = xl_claim_file_read(path, &file);
        if (is_there ? file.mark != XL_MARK_NONE : number == 1) return XL_OK;
        if (is_there) continue;
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        bool ok = fd >= 0 && write(fd, TEXT, sizeof TEXT - 1) == (ssize_t)sizeof TEXT - 1;
        int why = errno;
        if (fd >= 0) close(fd);
        if (ok) return XL_OK;
        if (fd >= 0 || why != EEXIST) /* else somebody was faster: look at theirs */
            return xl_fail(err, XL_EDISK, "%s: cannot be written: %s", path, strerror(why));
        number--;
    }
}

void xl_claims_clear(const char *run_dir) {
    char *dir = xl_path_join(run_dir, XL_CLAIMS_DIR);
    DIR *stream = dir ? opendir(dir) : NULL;
    for (struct dirent *entry; stream && (entry = readdir(stream));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(stream), entry->d_name, 0);
    if (stream) closedir(stream);
    if (dir) rmdir(dir);
    free(dir);
}
