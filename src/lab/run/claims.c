/* claims.c - taking cells, and saying what became of them. */
#include "lab/run/claims.h"

#include "base/file.h"
#include "lab/run/claims_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CLAIMS = 10000 }; /* of one cell */

struct xl_claims {
    char *dir;
    struct xl_beat *beat;
    pthread_mutex_t mutex; /* one at a time looks at others */
};

bool xl_claim_file_read(const char *path, struct xl_claim_file *out) {
    char text[XL_WORKER_NAME + XL_CLAIM_SENTENCE + 32];
    out->worker[0] = out->sentence[0] = 0;
    out->mark = XL_MARK_NONE;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    char *end = strchr(text, '\n'), *mark = end ? end + 1 : NULL;
    if (!end || strncmp(text, "worker ", 7) != 0) return true;
    snprintf(out->worker, sizeof out->worker, "%.*s", (int)(end - text - 7), text + 7);
    end = strchr(mark, '\n');
    if (!end) return true;
    *end = 0;
    if (!strcmp(mark, "done")) out->mark = XL_MARK_DONE;
    if (strncmp(mark, "failed ", 7) != 0) return true;
    out->mark = XL_MARK_FAILED;
    snprintf(out->sentence, sizeof out->sentence, "%s", mark + 7);
    return true;
}

bool xl_claimant_has(const struct xl_claimant *claimant, const char *id) {
    struct xl_claim_file file;
    char path[PATH_MAX];
    bool is_its = false;
    for (int number = 1; number <= MOST_CLAIMS; number++) {
        snprintf(path, sizeof path, "%s/%s.%d", claimant->dir, id, number);
        if (!xl_claim_file_read(path, &file)) break;
        is_its = !file.mark && !strcmp(file.worker, claimant->name);
    }
    return is_its;
}

/* --- Joining ---------------------------------------------------------------------------------- */

enum xl_status xl_claims_open(const char *run_dir, const char *instance, double beat_s,
                              struct xl_claims **out, struct xl_err *err) {
    char name[XL_INSTANCE_MAX + 1];
    struct xl_claims *claims = calloc(1, sizeof *claims);
    if (!claims) return xl_fail_nomem(err, "claims", sizeof *claims);
    pthread_mutex_init(&claims->mutex, NULL);
    xl_instance_name(instance, name);
    claims->dir = xl_path_join(run_dir, XL_CLAIMS_DIR);
    enum xl_status status = claims->dir ? xl_dir_create(claims->dir, err)
                                        : xl_fail_nomem(err, "a path", 0);
    if (!status) status = xl_beat_start(claims->dir, name, beat_s, &claims->beat, err);
    if (status)
        xl_claims_close(claims);
    else
        *out = claims;
    return status;
}

void xl_claims_close(struct xl_claims *claims) {
    if (!claims) return;
    xl_beat_end(claims->beat);
    pthread_mutex_destroy(&claims->mutex);
    free(claims->dir);
    free(claims);
}

/* --- Cells ------------------------------------------------------------------------------------ */

/* Of a cell: what its files say, from the first to the last. */
struct found {
    enum xl_claim how;
    int n_dead;    /* processes that had it and died */
    int next;      /* the number that the next file has */
    bool is_alive; /* who has it was heard */
    char path[PATH_MAX];
};

static void put_path(const struct xl_claims *claims, const char *id, int number, char *out) {
    snprintf(out, PATH_MAX, "%s/%s.%d", claims->dir, id, number);
}

/* A file whose writer died before it wrote its name is known by its own. */
static enum xl_life look_at_owner(struct xl_claims *claims, const char *worker, const char *path) {
    char name[XL_WORKER_NAME];
    const char *slash = strrchr(path, '/');
    snprintf(name, sizeof name, "%s", worker[0] ? worker : slash + 1);
    return xl_beat_look(claims->beat, name);
}

/* Later files are there only where the process of the earlier one had ended. One that was taken for
 * dead may still have drawn the picture. */
static void find(struct xl_claims *claims, const char *id, struct found *found) {
    struct xl_claim_file file;
    *found = (struct found){.how = XL_CLAIM_FREE};
    for (found->next = 1; found->next <= MOST_CLAIMS; found->next++) {
        put_path(claims, id, found->next, found->path);
        if (!xl_claim_file_read(found->path, &file)) {
            if (found->how == XL_CLAIM_FREE && xl_beat_is_forgotten(claims->beat))
                found->how = XL_CLAIM_DONE;
            return;
        }
        found->how = file.mark == XL_MARK_DONE ? XL_CLAIM_DONE : XL_CLAIM_FAILED;
        if (file.mark) return;
        found->how = XL_CLAIM_OURS;
        if (!strcmp(file.worker, xl_beat_name(claims->beat))) {
            char later[PATH_MAX];
            put_path(claims, id, found->next + 1, later);
            if (access(later, F_OK)) return;
            continue; /* taken from us */
        }
        enum xl_life life = look_at_owner(claims, file.worker, found->path);
        found->n_dead += life == XL_LIFE_DEAD;
        found->is_alive = life == XL_LIFE_HEARD;
        found->how = XL_CLAIM_THEIRS;
        if (life == XL_LIFE_HEARD || life == XL_LIFE_UNHEARD) return;
        found->how = XL_CLAIM_FREE;
    }
}

static enum xl_status make(const struct xl_claims *claims, const char *path, bool *is_made,
                           struct xl_err *err) {
    char text[XL_WORKER_NAME + 16];
    *is_made = false;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) return XL_OK;
    int n = snprintf(text, sizeof text, "worker %s\n", xl_beat_name(claims->beat));
    bool ok = fd >= 0 && write(fd, text, (size_t)n) == n;
    int why = errno;
    if (fd >= 0 && close(fd)) ok = false, why = errno;
    *is_made = ok;
    return ok ? XL_OK
              : xl_fail(err, XL_EDISK, "%s: a picture cannot be claimed: %s", path, strerror(why));
}

enum xl_status xl_claims_take(struct xl_claims *claims, const char *id, enum xl_claim *how,
                              int *n_dead, struct xl_err *err) {
    struct found found;
    enum xl_status status = XL_OK;
    bool is_made = false;
    pthread_mutex_lock(&claims->mutex);
    do {
        find(claims, id, &found);
        if (found.how != XL_CLAIM_FREE) break;
        status = make(claims, found.path, &is_made, err);
        if (status && xl_beat_is_forgotten(claims->beat)) status = XL_OK; /* since we looked */
    } while (!status && !is_made);                                        /* somebody was faster */
    pthread_mutex_unlock(&claims->mutex);
    *how = is_made ? XL_CLAIM_OURS : found.how;
    *n_dead = found.n_dead;
    return status;
}

struct xl_claimant xl_claims_claimant(const struct xl_claims *claims) {
    return (struct xl_claimant){.dir = claims->dir, .name = xl_beat_name(claims->beat)};
}

enum xl_claim xl_claims_look_at(struct xl_claims *claims, const char *id, bool *is_alive) {
    struct found found;
    pthread_mutex_lock(&claims->mutex);
    find(claims, id, &found);
    pthread_mutex_unlock(&claims->mutex);
    *is_alive = found.is_alive;
    return found.how;
}

void xl_claims_listen(struct xl_claims *claims) {
    pthread_mutex_lock(&claims->mutex);
    xl_beat_listen(claims->beat);
    pthread_mutex_unlock(&claims->mutex);
}

bool xl_claims_is_ours(struct xl_claims *claims, const char *id) {
    bool is_alive;
    return xl_claims_look_at(claims, id, &is_alive) == XL_CLAIM_OURS;
}

enum xl_status xl_claims_settle(struct xl_claims *claims, const char *id, const char *sentence,
                                struct xl_err *err) {
    char text[XL_CLAIM_SENTENCE + 16];
    struct found found;
    pthread_mutex_lock(&claims->mutex);
    find(claims, id, &found);
    pthread_mutex_unlock(&claims->mutex);
    if (found.how != XL_CLAIM_OURS) return XL_OK; /* taken from us: theirs to say */
    int n = sentence ? snprintf(text, sizeof text, "failed %.*s\n", XL_CLAIM_SENTENCE - 1, sentence)
                     : snprintf(text, sizeof text, "done\n");
    int fd = open(found.path, O_WRONLY | O_APPEND | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, (size_t)n) == n;
    int why = errno;
    if (fd >= 0 && close(fd)) ok = false, why = errno;
    return ok ? XL_OK
              : xl_fail(err, XL_EDISK, "%s: cannot be written: %s", found.path, strerror(why));
}
