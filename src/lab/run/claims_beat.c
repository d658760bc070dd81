/* claims_beat.c - signs of life: ours, by a thread, and those of others, by how long they stand
 * still. */
#include "lab/run/claims_files.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Intervals without a sign after which a process is dead. One of here that has ended may have had
 * workers, which are told to end and do so within the grace. */
enum { MOST_SILENT = 6 };
static const double GRACE_S = 2;

/* Another process, as it was seen last. */
struct other {
    char name[XL_WORKER_NAME], text[XL_WORKER_TEXT];
    double changed_s; /* by our clock: when its text was another last; when it was first seen */
    double ended_s;   /* since when it is known to have ended; 0: it is not */
    bool was_heard;   /* its text has changed since we listen */
    struct other *next;
};

struct xl_beat {
    char *dir, *path, name[XL_WORKER_NAME];
    struct xl_worker_file file;
    pthread_t thread;
    pthread_mutex_t mutex; /* for what follows, and for writing the file */
    pthread_cond_t changed;
    bool is_ending;
    struct other *others; /* of the thread that looks */
};

/* --- Files ------------------------------------------------------------------------------------ */

void xl_worker_file_write(const struct xl_worker_file *file, char out[XL_WORKER_TEXT]) {
    char who[XL_PROCESS_ID_MAX];
    xl_process_id_write(&file->process, who);
    snprintf(out, XL_WORKER_TEXT, "%sinstance %s\nevery %014.3f\nstate %-7s\nbeat %020llu\n", who,
             file->instance[0] ? file->instance : "-", file->every_s,
             file->has_left ? "left" : "working", file->beat);
}

static void read_text(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = 0;
}

bool xl_worker_file_read(const char *path, char text[XL_WORKER_TEXT], struct xl_worker_file *out) {
    char state[16] = "";
    *out = (struct xl_worker_file){.every_s = 0};
    read_text(path, text, XL_WORKER_TEXT);
    const char *rest = strchr(text, '\n');
    if (!rest || !xl_process_id_read(text, &out->process)) return false;
    _Static_assert(XL_INSTANCE_MAX == 64, "the width below");
    if (sscanf(rest, " instance %64s every %lf state %15s beat %llu", out->instance, &out->every_s,
               state, &out->beat) != 4)
        return false;
    out->has_left = !strcmp(state, "left");
    return true;
}

/* --- Ours ------------------------------------------------------------------------------------- */

/* A number too few is no harm: whoever does not hear of us for long takes what is ours, and we look
 * before we keep anything. */
static void write_beat(struct xl_beat *beat) {
    char text[XL_WORKER_TEXT];
    beat->file.beat++;
    xl_worker_file_write(&beat->file, text);
    int fd = open(beat->path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t written = pwrite(fd, text, strlen(text), 0);
    (void)written;
    close(fd);
}

static void *run(void *user) {
    struct xl_beat *beat = user;
    pthread_mutex_lock(&beat->mutex);
    while (!beat->is_ending) {
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        double until_s = (double)at.tv_sec + (double)at.tv_nsec / 1e9 + beat->file.every_s;
        at.tv_sec = (time_t)until_s;
        at.tv_nsec = (long)((until_s - (double)at.tv_sec) * 1e9);
        pthread_cond_timedwait(&beat->changed, &beat->mutex, &at);
        if (!beat->is_ending) write_beat(beat);
    }
    pthread_mutex_unlock(&beat->mutex);
    return NULL;
}

static enum xl_status make_file(struct xl_beat *beat, struct xl_err *err) {
    char name[sizeof XL_WORKER_PREFIX + XL_WORKER_NAME], text[XL_WORKER_TEXT];
    unsigned number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0) number = (unsigned)getpid();
    snprintf(beat->name, sizeof beat->name, "%s-%d-%08x", beat->file.instance, (int)getpid(),
             number);
    snprintf(name, sizeof name, XL_WORKER_PREFIX "%s", beat->name);
    beat->path = xl_path_join(beat->dir, name);
    if (!beat->path) return xl_fail_nomem(err, "a path", 0);
    xl_worker_file_write(&beat->file, text);
    return xl_file_write_new(beat->path, text, strlen(text), NULL, err);
}

static void beat_free(struct xl_beat *beat) {
    for (struct other *other = beat->others, *next; other; other = next) {
        next = other->next;
        free(other);
    }
    pthread_cond_destroy(&beat->changed);
    pthread_mutex_destroy(&beat->mutex);
    free(beat->dir);
    free(beat->path);
    free(beat);
}

enum xl_status xl_beat_start(const char *dir, const char *instance, double every_s,
                             struct xl_beat **out, struct xl_err *err) {
    struct xl_beat *beat = calloc(1, sizeof *beat);
    pthread_condattr_t attributes;
    if (!beat) return xl_fail_nomem(err, "a sign of life", sizeof *beat);
    beat->file = (struct xl_worker_file){.process = xl_process_self(), .every_s = every_s};
    snprintf(beat->file.instance, sizeof beat->file.instance, "%s", instance);
    pthread_mutex_init(&beat->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&beat->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    beat->dir = strdup(dir);
    enum xl_status status = beat->dir ? make_file(beat, err) : xl_fail_nomem(err, "a path", 0);
    int failed = status ? 0 : pthread_create(&beat->thread, NULL, run, beat);
    if (failed) {
        status = xl_fail(err, XL_ENOMEM, "no thread for signs of life: %s", strerror(failed));
        unlink(beat->path);
    }
    if (status)
        beat_free(beat);
    else
        *out = beat;
    return status;
}

void xl_beat_end(struct xl_beat *beat) {
    if (!beat) return;
    pthread_mutex_lock(&beat->mutex);
    beat->is_ending = true;
    beat->file.has_left = true;
    write_beat(beat);
    pthread_cond_broadcast(&beat->changed);
    pthread_mutex_unlock(&beat->mutex);
    pthread_join(beat->thread, NULL);
    beat_free(beat);
}

const char *xl_beat_name(const struct xl_beat *beat) {
    return beat->name;
}

bool xl_beat_is_forgotten(const struct xl_beat *beat) {
    char run_dir[4096];
    snprintf(run_dir, sizeof run_dir, "%.*s", (int)(strrchr(beat->dir, '/') - beat->dir),
             beat->dir);
    return access(beat->path, F_OK) != 0 && errno == ENOENT && access(run_dir, F_OK) == 0;
}

/* --- Others' ---------------------------------------------------------------------------------- */

static struct other *find(struct xl_beat *beat, const char *name) {
    struct other *other = beat->others;
    while (other && strcmp(other->name, name) != 0) other = other->next;
    if (other) return other;
    other = calloc(1, sizeof *other);
    if (!other) return NULL;
    snprintf(other->name, sizeof other->name, "%s", name);
    other->changed_s = xl_now_s();
    other->next = beat->others;
    return beat->others = other;
}

enum xl_life xl_beat_look(struct xl_beat *beat, const char *name) {
    char path[4096], text[XL_WORKER_TEXT];
    struct xl_worker_file file;
    struct other *other = find(beat, name);
    if (!other) return XL_LIFE_UNHEARD; /* no memory: it is left in peace */
    snprintf(path, sizeof path, "%s/" XL_WORKER_PREFIX "%s", beat->dir, name);
    bool is_whole = xl_worker_file_read(path, text, &file);
    double now_s = xl_now_s();
    if (is_whole && file.has_left) return XL_LIFE_LEFT;
    if (strcmp(text, other->text) != 0) {
        other->was_heard = other->text[0] != 0;
        other->changed_s = now_s;
        memcpy(other->text, text, sizeof text);
    }
    if (is_whole && xl_process_has_ended(&file.process)) {
        if (other->ended_s == 0) other->ended_s = now_s;
        return now_s - other->ended_s >= GRACE_S ? XL_LIFE_DEAD : XL_LIFE_UNHEARD;
    }
    double every_s = is_whole && file.every_s > 0 ? file.every_s : beat->file.every_s;
    if (now_s - other->changed_s > MOST_SILENT * every_s) return XL_LIFE_DEAD;
    bool is_seen = is_whole && xl_process_is_here(&file.process);
    return is_seen || other->was_heard ? XL_LIFE_HEARD : XL_LIFE_UNHEARD;
}

void xl_beat_listen(struct xl_beat *beat) {
    for (struct other *other = beat->others; other; other = other->next) other->was_heard = false;
}
