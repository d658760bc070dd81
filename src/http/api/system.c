/* system.c - GET gpus, disk and log. The source of readings of GPUs stays open from the first time
 * that somebody asks; one reads at a time, and one walks through the pictures' folders. */
#include "http/api/system.h"

#include "base/clock.h"
#include "base/json.h"
#include "http/reply.h"
#include "jobs/gpu_look.h"
#include "jobs/gpu_wish.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LOG_BYTES = 1 << 20, LOG_LINES = 1000 };

struct xl_system {
    struct xl_library *library;
    struct xl_queue *queue;
    pthread_mutex_t mutex; /* guards what follows */
    struct xl_gpus *gpus;  /* NULL: not opened yet, or there are none */
    struct xl_gpu_look look;
    pthread_mutex_t walking; /* guards what follows */
    struct {
        int64_t bytes, n;
        double at_s, took_s; /* at_s: of xl_now_s; 0: never yet */
    } walk;
};

/* --- GPUs ------------------------------------------------------------------------------------- */

/* With the mutex. NULL: there is no driver, and err says so, or memory is out. */
static json_t *look_at_gpus(struct xl_system *system, struct xl_err *err) {
    struct xl_gpu_wish wish;
    const struct xl_settings *settings = xl_library_settings(system->library);
    enum xl_status status = xl_gpu_wish_read(settings, NULL, NULL, &wish, err);
    if (!status && !system->gpus) status = xl_gpus_open(false, &system->gpus, err);
    wish.wish.rule.n_samples = 1;
    if (!status) status = xl_gpu_look_take(system->gpus, &wish.wish, &system->look, err);
    return status ? NULL : xl_gpu_look_describe(system->gpus, &system->look);
}

static enum xl_status get_gpus(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_system *system = call->user;
    struct xl_err why = {0};
    bool ok = true;
    xl_json_watch();
    pthread_mutex_lock(&system->mutex);
    json_t *document = look_at_gpus(system, &why);
    pthread_mutex_unlock(&system->mutex);
    if (!document && why.text[0]) {
        document = json_object();
        xl_json_put(document, "source", json_null(), &ok);
        xl_json_put(document, "gpus", json_array(), &ok);
    }
    xl_json_put(document, "why", xl_json_text(why.text[0] ? why.text : NULL), &ok);
    return xl_reply_json(reply, 200, xl_json_finish(document, ok), err);
}

/* The first that a place has, or else the first that answers. With the mutex. */
static const struct xl_gpu *choose_gpu(const struct xl_gpu_look *look, const json_t *places) {
    const struct xl_gpu *first = NULL;
    for (int i = 0; i < look->idle->list.n; i++) {
        const struct xl_gpu *gpu = &look->idle->list.item[i];
        size_t p;
        json_t *place;
        if (gpu->memory_bytes <= 0 || gpu->used_bytes < 0) continue;
        if (!first) first = gpu;
        json_array_foreach(places, p,
                           place) if (!strcmp(json_string_value(json_object_get(place, "label")),
                                              gpu->uuid)) return gpu;
    }
    return first;
}

bool xl_system_gpu_memory(struct xl_system *system, struct xl_gpu *out) {
    struct xl_err ignored = {0};
    if (!strcmp(xl_library_settings(system->library)->device, "cpu")) return false;
    xl_json_watch();
    json_t *places = xl_queue_places(system->queue);
    pthread_mutex_lock(&system->mutex);
    json_t *document = look_at_gpus(system, &ignored);
    const struct xl_gpu *gpu = document ? choose_gpu(&system->look, places) : NULL;
    if (gpu) *out = *gpu;
    pthread_mutex_unlock(&system->mutex);
    json_decref(document);
    json_decref(places);
    return gpu != NULL;
}

/* --- Disk ------------------------------------------------------------------------------------- */

/* What nftw has added up, of the thread that walks. */
static _Thread_local struct { int64_t bytes, n; } walked;

static int add_file(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)path, (void)at;
    if (type != FTW_F) return 0;
    walked.bytes += (int64_t)st->st_blocks * 512;
    walked.n++;
    return 0;
}

/* What the files of the output directory take. A look at all of them takes seconds where there are
 * many: it is good for fifty times as long as it took, but for a minute at most. */
static void measure(struct xl_system *system, int64_t *bytes, int64_t *n) {
    enum { OPEN_FOLDERS = 16 };
    static const double GOOD_FOR = 50, LONGEST_S = 60;
    pthread_mutex_lock(&system->walking);
    double now_s = xl_now_s();
    if (system->walk.at_s == 0 ||
        now_s - system->walk.at_s > fmin(GOOD_FOR * system->walk.took_s, LONGEST_S)) {
        walked.bytes = walked.n = 0;
        (void)nftw(xl_library_dir(system->library), add_file, OPEN_FOLDERS, FTW_PHYS | FTW_MOUNT);
        system->walk.bytes = walked.bytes;
        system->walk.n = walked.n;
        system->walk.at_s = xl_now_s();
        system->walk.took_s = system->walk.at_s - now_s;
    }
    *bytes = system->walk.bytes;
    *n = system->walk.n;
    pthread_mutex_unlock(&system->walking);
}

static enum xl_status get_disk(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_system *system = call->user;
    const char *dir = xl_library_dir(system->library);
    struct statvfs disk;
    bool ok = true;
    if (statvfs(dir, &disk)) return xl_fail(err, XL_EDISK, "%s: %s", dir, strerror(errno));
    int64_t bytes, n;
    measure(system, &bytes, &n);
    xl_json_watch();
    json_t *object = json_object();
    xl_json_put(object, "output_dir", xl_json_text(dir), &ok);
    xl_json_put(object, "output_bytes", json_integer(bytes), &ok);
    xl_json_put(object, "output_files", json_integer(n), &ok);
    xl_json_put(object, "free_bytes",
                json_integer((json_int_t)disk.f_bavail * (json_int_t)disk.f_frsize), &ok);
    xl_json_put(object, "total_bytes",
                json_integer((json_int_t)disk.f_blocks * (json_int_t)disk.f_frsize), &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

/* --- The log ---------------------------------------------------------------------------------- */

/* The end of a file, malloc'd with a NUL, from the beginning of a line on; NULL: there is none. */
static char *read_end(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    char *text = fd >= 0 && !fstat(fd, &st) ? malloc(LOG_BYTES + 1) : NULL;
    if (text) {
        off_t from = st.st_size > LOG_BYTES ? st.st_size - LOG_BYTES : 0;
        ssize_t n = pread(fd, text, LOG_BYTES, from);
        text[n > 0 ? n : 0] = 0;
        char *line = from ? strchr(text, '\n') : NULL;
        if (line) memmove(text, line + 1, strlen(line));
    }
    if (fd >= 0) close(fd);
    return text;
}

/* The last lines, the oldest first. */
static json_t *last_lines(char *text, int64_t n) {
    json_t *list = json_array();
    bool ok = list != NULL;
    size_t length = strlen(text);
    char *from = text + length;
    if (length && from[-1] == '\n') *--from = 0;
    for (; from > text && n; from--)
        if (from[-1] == '\n' && !--n) break;
    for (char *line = from, *end; *line && ok; line = end) {
        end = line + strcspn(line, "\n");
        if (*end) *end++ = 0;
        ok = !json_array_append_new(list, xl_json_text(line));
    }
    return xl_json_finish(list, ok);
}

static enum xl_status get_log(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    enum { LINES = 50 };
    const struct xl_system *system = call->user;
    const char *path = xl_queue_log_path(system->queue);
    bool ok = true;
    char *text = read_end(path);
    xl_json_watch();
    json_t *object = json_object();
    xl_json_put(object, "path", xl_json_text(path), &ok);
    xl_json_put(object, "lines",
                text ? last_lines(text, xl_call_int(call, "lines", LINES)) : json_array(), &ok);
    free(text);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static const struct xl_param of_log[] = {{.name = "lines",
                                          .type = XL_PARAM_INT,
                                          .min = 1,
                                          .max = LOG_LINES,
                                          .help = "how many; 50 where it is not said"},
                                         {.name = NULL}};
static const struct xl_route rows[] = {
    {.method = "GET",
     .pattern = "/api/v1/gpus",
     .run = get_gpus,
     .flags = XL_ROUTE_SLOW,
     .summary = "The GPUs of this machine: memory, use, temperature, who has locked them",
     .answer = "source, gpus (as `sdxl-lab gpu list --json` has them) and why (there are none)"},
    {.method = "GET",
     .pattern = "/api/v1/disk",
     .run = get_disk,
     .flags = XL_ROUTE_SLOW,
     .summary = "The disk that pictures are on, and how much of it they take",
     .answer = "output_dir, output_bytes, output_files, free_bytes, total_bytes"},
    {.method = "GET",
     .pattern = "/api/v1/log",
     .run = get_log,
     .flags = XL_ROUTE_SLOW,
     .params = of_log,
     .summary = "The last lines of this instance's job log",
     .answer = "path, and lines of JSON as texts, the newest last"},
};

struct xl_route_table xl_system_table(struct xl_system *system) {
    return (struct xl_route_table){
        .rows = rows, .n = sizeof rows / sizeof *rows, .user = system, .prefix = "/api/v1/"};
}

enum xl_status xl_system_new(struct xl_library *library, struct xl_queue *queue,
                             struct xl_system **out, struct xl_err *err) {
    struct xl_system *system = calloc(1, sizeof *system);
    if (!system) return xl_fail_nomem(err, "the system's view", sizeof *system);
    system->library = library;
    system->queue = queue;
    pthread_mutex_init(&system->mutex, NULL);
    pthread_mutex_init(&system->walking, NULL);
    *out = system;
    return XL_OK;
}

void xl_system_free(struct xl_system *system) {
    if (!system) return;
    xl_gpu_look_deinit(&system->look);
    xl_gpus_close(system->gpus);
    pthread_mutex_destroy(&system->walking);
    pthread_mutex_destroy(&system->mutex);
    free(system);
}
