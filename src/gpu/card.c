/* card.c - locks of GPUs: where they are, what stands in them, taking, checking, giving back. */
#include "gpu/card.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096 };

/* --- The file of a lock ----------------------------------------------------------------------- */

const char *xl_card_lock_dir(const char *said) {
    return said && said[0] ? said : "/tmp/sdxl-lab-gpus";
}

static enum xl_status fail_dir(enum xl_status status, struct xl_err *err) {
    return xl_fail_context(
        err, status, "the folder of GPU locks (--gpu-lock-dir or GPU_LOCK_DIR names another)");
}

/* Anybody may lock in a folder that we make, and nobody may remove the locks of others. */
static enum xl_status make_dir(const char *dir, struct xl_err *err) {
    if (xl_dir_exists(dir)) return XL_OK;
    enum xl_status status = xl_dir_create(dir, err);
    if (status) return fail_dir(status, err);
    (void)!chmod(dir, 01777);
    return XL_OK;
}

enum xl_status xl_card_check_lock_dir(const char *said, struct xl_err *err) {
    const char *dir = xl_card_lock_dir(said);
    enum xl_status status = make_dir(dir, err);
    if (status || !access(dir, W_OK | X_OK)) return status;
    return fail_dir(xl_fail(err, XL_EDISK, "%s: cannot be written to: %s", dir, strerror(errno)),
                    err);
}

static bool lock_path(const char *dir, const char *uuid, char out[PATH]) {
    return (size_t)snprintf(out, PATH, "%s/%s.lock", dir, uuid) < PATH && !strchr(uuid, '/');
}

/* Who has it, for those who would like to. Also makes the file young. */
static void write_note(const struct xl_lock *lock) {
    char host[80] = "", text[200], when[21];
    int fd = xl_lock_descriptor(lock);
    if (gethostname(host, sizeof host - 1)) host[0] = 0;
    xl_iso8601_utc(when);
    int n = snprintf(text, sizeof text, "process %d on host %s since %s\n", getpid(), host, when);
    (void)!fchmod(fd, 0666); /* whatever the umask: others lock it after us */
    if (pwrite(fd, text, (size_t)n, 0) == n) (void)!ftruncate(fd, n);
}

static void read_note(const char *path, char owner[XL_LOCK_OWNER]) {
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, owner, XL_LOCK_OWNER - 1, 0);
    if (fd >= 0) close(fd);
    owner[n > 0 ? n : 0] = 0;
    owner[strcspn(owner, "\n")] = 0;
    for (char *c = owner; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127) *c = '?';
    if (strncmp(owner, "process ", 8) != 0) snprintf(owner, XL_LOCK_OWNER, "another process");
}

enum xl_status xl_card_look(const char *lock_dir, const char *uuid, char owner[XL_LOCK_OWNER],
                            struct xl_err *err) {
    char path[PATH];
    bool is_taken = false;
    owner[0] = 0;
    if (!lock_path(lock_dir, uuid, path)) return XL_OK;
    enum xl_status status = xl_lock_look(path, &is_taken, err);
    if (!status && is_taken) read_note(path, owner);
    return status ? fail_dir(status, err) : XL_OK;
}

/* Whether the file that is locked is the one that others will find: it may have been removed since
 * it was opened, by what clears old files away. */
static bool is_in_place(const struct xl_lock *lock, const char *path) {
    struct stat ours, found;
    return !fstat(xl_lock_descriptor(lock), &ours) && !stat(path, &found) &&
           ours.st_ino == found.st_ino && ours.st_dev == found.st_dev;
}

/* *lock NULL: somebody else has it, owner says who. */
static enum xl_status lock_card(const char *dir, const char *uuid, struct xl_lock **lock,
                                char owner[XL_LOCK_OWNER], struct xl_err *err) {
    char path[PATH], by_claim[XL_LOCK_OWNER];
    if (!lock_path(dir, uuid, path))
        return xl_fail(err, XL_EDISK, "%.200s/%.80s.lock: is no path", dir, uuid);
    enum xl_status status = xl_lock_take(path, lock, by_claim, err);
    for (int i = 0; !status && *lock && !is_in_place(*lock, path) && i < 3; i++) {
        xl_lock_release(*lock);
        *lock = NULL;
        status = xl_lock_take(path, lock, by_claim, err);
    }
    if (status) return fail_dir(status, err);
    if (*lock)
        write_note(*lock);
    else if (!strcmp(by_claim, "another process"))
        read_note(path, owner);
    else
        memcpy(owner, by_claim, sizeof by_claim);
    return XL_OK;
}

/* --- Taking ----------------------------------------------------------------------------------- */

static bool is_wanted(const struct xl_card_wish *wish, const struct xl_gpu_list *list, int i) {
    for (int k = 0; k < wish->n_uuids; k++)
        if (xl_gpu_find(list, wish->uuids[k]) == &list->item[i]) return true;
    return !wish->n_uuids;
}

enum xl_status xl_cards_fail_unknown(const char *uuid, struct xl_err *err) {
    return xl_fail(err, XL_EDEVICE,
                   "no GPU that is here, or more than one, has a UUID that begins with \"%.80s\"; "
                   "sdxl-lab gpu list shows them",
                   uuid);
}

static enum xl_status check_wish(const struct xl_card_wish *wish, const struct xl_gpu_list *list,
                                 struct xl_err *err) {
    if (!list->n) return xl_fail(err, XL_EDEVICE, "there is an NVIDIA driver here, but no GPU");
    for (int k = 0; k < wish->n_uuids; k++)
        if (!xl_gpu_find(list, wish->uuids[k])) return xl_cards_fail_unknown(wish->uuids[k], err);
    return XL_OK;
}

/* Lock what one sample shows idle. */
static enum xl_status lock_idle(const struct xl_gpu_list *list, const struct xl_card_wish *wish,
                                struct xl_card *cards, int *n, struct xl_str *why,
                                struct xl_err *err) {
    const char *dir = xl_card_lock_dir(wish->lock_dir);
    enum xl_status status = make_dir(dir, err);
    for (int i = 0; !status && i < list->n && *n < wish->most; i++) {
        const struct xl_gpu *gpu = &list->item[i];
        char text[XL_BUSY_MAX], owner[XL_LOCK_OWNER];
        struct xl_lock *lock = NULL;
        if (!is_wanted(wish, list, i)) continue;
        if (!xl_gpu_is_idle(gpu, &wish->rule, text)) {
            xl_str_printf(why, "%d: %s\n", gpu->index, text);
            continue;
        }
        status = lock_card(dir, gpu->uuid, &lock, owner, err);
        if (lock)
            cards[(*n)++] = (struct xl_card){.gpu = *gpu, .lock = lock};
        else if (!status)
            xl_str_printf(why, "%d: locked by %s\n", gpu->index, owner);
    }
    return status;
}

/* Let go of what is not idle any more in one more sample. */
static void keep_idle(const struct xl_gpu_list *list, const struct xl_card_wish *wish,
                      struct xl_card *cards, int *n, struct xl_str *why) {
    int n_kept = 0;
    for (int i = 0; i < *n; i++) {
        const struct xl_gpu *gpu = xl_gpu_find(list, cards[i].gpu.uuid);
        char text[XL_BUSY_MAX] = "is gone";
        if (gpu && xl_gpu_is_idle(gpu, &wish->rule, text)) {
            cards[i].gpu = *gpu;
            cards[n_kept++] = cards[i];
            continue;
        }
        xl_str_printf(why, "%d: %s\n", cards[i].gpu.index, text);
        xl_card_release(&cards[i]);
    }
    *n = n_kept;
}

enum xl_status xl_cards_take(struct xl_gpus *gpus, const struct xl_card_wish *wish,
                             struct xl_card *cards, int *n, struct xl_str *why,
                             struct xl_err *err) {
    struct xl_gpu_list *list = malloc(sizeof *list);
    if (!list) return xl_fail_nomem(err, "readings of GPUs", sizeof *list);
    int n_more = wish->rule.n_samples > 1 ? wish->rule.n_samples - 1 : 1;
    *n = 0;
    enum xl_status status = xl_gpus_read(gpus, list, err);
    if (!status) status = check_wish(wish, list, err);
    if (!status) status = lock_idle(list, wish, cards, n, why, err);
    for (int k = 0; !status && *n && k < n_more; k++) {
        status = xl_idle_pause(&wish->rule, wish->rule.interval_s, err);
        if (!status) status = xl_gpus_read(gpus, list, err);
        if (!status) keep_idle(list, wish, cards, n, why);
    }
    free(list);
    if (!status && why->failed) status = xl_fail_nomem(err, "why GPUs are busy", 0);
    if (!status) return XL_OK;
    while (*n) xl_card_release(&cards[--*n]);
    return status;
}

enum xl_status xl_cards_fail_busy(const struct xl_str *why, struct xl_err *err) {
    char text[900];
    size_t n = 0;
    text[0] = 0;
    for (const char *line = why->text ? why->text : ""; *line && n < sizeof text;) {
        size_t length = strcspn(line, "\n");
        n +=
            (size_t)snprintf(text + n, sizeof text - n, "%s%.*s", n ? "; " : "", (int)length, line);
        line += length + (line[length] == '\n');
    }
    return xl_fail(err, XL_EDEVICE, "no GPU is idle: %s", text);
}

enum xl_status xl_cards_wait(struct xl_gpus *gpus, const struct xl_card_wish *wish,
                             const struct xl_card_wait *wait, struct xl_card *cards, int *n,
                             struct xl_err *err) {
    double until_s = xl_now_s() + wait->wait_s;
    for (bool is_first = true;; is_first = false) {
        struct xl_str why = {0};
        enum xl_status status = xl_cards_take(gpus, wish, cards, n, &why, err);
        bool is_over = wait->wait_s >= 0 && xl_now_s() >= until_s;
        if (!status && !*n && is_over) status = xl_cards_fail_busy(&why, err);
        if (!status && !*n && is_first && wait->waits)
            wait->waits(wait->user, why.text ? why.text : "");
        xl_str_deinit(&why);
        if (status || *n) return status;
        status = xl_idle_pause(&wish->rule, wait->poll_s, err);
        if (status) return status;
    }
}

/* --- Having ----------------------------------------------------------------------------------- */

enum xl_status xl_card_check(struct xl_gpus *gpus, const struct xl_card *card, int n_own,
                             enum xl_card_state *out, char text[XL_BUSY_MAX], struct xl_err *err) {
    struct xl_gpu_list *list = malloc(sizeof *list);
    if (!list) return xl_fail_nomem(err, "readings of GPUs", sizeof *list);
    enum xl_status status = xl_gpus_read_one(gpus, card->gpu.uuid, list, err);
    const struct xl_gpu *gpu = status ? NULL : xl_gpu_find(list, card->gpu.uuid);
    int n_before = card->gpu.n_processes > 0 ? card->gpu.n_processes : 0;
    if (!status) *out = XL_CARD_OURS;
    text[0] = 0;
    if (!status && (!gpu || gpu->fault[0])) {
        *out = XL_CARD_LOST;
        snprintf(text, XL_BUSY_MAX, "%s", gpu ? gpu->fault : "is gone");
    } else if (!status && gpu->n_processes > n_before + n_own) {
        int n = gpu->n_processes - n_before - n_own;
        *out = XL_CARD_SHARED;
        snprintf(text, XL_BUSY_MAX, "%d %s", n, xl_plural(n, "other process", "other processes"));
    }
    if (!status) write_note(card->lock);
    free(list);
    return status;
}

void xl_card_release(struct xl_card *card) {
    xl_lock_release(card->lock);
    card->lock = NULL;
}
