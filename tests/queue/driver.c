/* driver.c - the queue of a folder, driven by words on standard input, for tests that kill it,
 * count its memory or run it under ThreadSanitizer.
 *
 *   driver OUTPUT_DIR PROGRAM MODEL WORKERS
 *
 *   jobs N SEED      submit N small pictures, seeds from SEED on; "job SEED" for each when accepted
 *   sweep N SEED     the same as one job with a run directory; "sweep SEED"
 *   batch N SEED     the same as one batch; "batch SEED"
 *   wait             until nothing waits or runs; "done N failed N cancelled N pictures N"
 *   pause, resume
 *   preview          ask for small pictures of what is drawn in the next minute
 *   memory           "rss KIB fds N"
 *   follow N         subscribe and unsubscribe N times
 *   stir SECONDS     cancel, restore, move, pause and look from several threads
 *
 * The end of the input closes the queue. QUEUE_GPUS: as --gpus has them; QUEUE_IDLE: seconds after
 * which a place rests; QUEUE_SIDE, QUEUE_STEPS: of the pictures.
 */
#include "jobs/queue/queue.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct xl_queue *queue;
static atomic_bool is_stirred;

static void nap(long ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Submit a job; "axis" settings are added. Says when the disk is full, and goes on. */
static void submit(const char *kind, int n, long seed) {
    char id[XL_JOB_ID], client[8], seeds[64];
    struct xl_err err = {0};
    const char *side = getenv("QUEUE_SIDE"), *steps = getenv("QUEUE_STEPS");
    int n_side = side ? atoi(side) : 64, n_steps = steps ? atoi(steps) : 1;
    json_t *ask = json_pack("{s:s, s:i, s:i, s:i}", "prompt", "a cat", "width", n_side, "height",
                            n_side, "steps", n_steps);
    snprintf(seeds, sizeof seeds, "%ld..%ld", seed, seed + n - 1);
    snprintf(client, sizeof client, "c%ld", seed % 3);
    if (!strcmp(kind, "sweep"))
        json_object_set_new(ask, "sweep", json_pack("{s:s}", "seed", seeds));
    else
        json_object_set_new(ask, "seed", json_integer(seed));
    if (!strcmp(kind, "batch")) json_object_set_new(ask, "batch", json_integer(n));
    const struct xl_queue_ask asked = {.settings = ask, .client = client, .origin = "test"};
    enum xl_status status = xl_queue_submit(queue, &asked, id, NULL, &err);
    json_decref(ask);
    if (status)
        printf("refused %ld %s\n", seed, err.text);
    else
        printf("%s %ld\n", kind, seed);
    fflush(stdout);
}

static void wait_for_all(void) {
    struct xl_queue_counts counts;
    do {
        nap(5);
        xl_queue_count(queue, &counts);
    } while (counts.n_waiting || counts.n_running);
    printf("done %lld failed %lld cancelled %lld pictures %lld\n", (long long)counts.n_done,
           (long long)counts.n_failed, (long long)counts.n_cancelled, (long long)counts.n_pictures);
}

static void tell_memory(void) {
    long pages = 0, ignored;
    int n = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%ld %ld", &ignored, &pages) != 2) pages = 0;
    if (file) fclose(file);
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir)) n++;
    if (dir) closedir(dir);
    printf("rss %ld fds %d\n", pages * (sysconf(_SC_PAGESIZE) / 1024), n - 3);
}

static void wake(void *user) {
    atomic_fetch_add((atomic_int *)user, 1);
}

static void follow(int n) {
    atomic_int n_wakes = 0;
    for (int i = 0; i < n; i++) {
        struct xl_subscriber *one = NULL;
        struct xl_event event;
        struct xl_err err;
        if (xl_subscriber_new(xl_queue_events(queue), i % 2 ? UINT64_MAX : 0, wake, &n_wakes, &one,
                              &err))
            exit(1);
        for (int k = 0; k < 5 && xl_subscriber_next(one, 0.01, &event) == XL_NEXT_EVENT; k++)
            free(event.text);
        xl_subscriber_free(one);
    }
}

/* The id of a job that is known, by chance. */
static bool some_id(unsigned *chance, char id[XL_JOB_ID]) {
    json_t *list = xl_queue_list(queue, -1), *jobs = json_object_get(list, "jobs");
    size_t n = json_array_size(jobs);
    if (n)
        snprintf(id, XL_JOB_ID, "%s",
                 json_string_value(
                     json_object_get(json_array_get(jobs, (size_t)rand_r(chance) % n), "id")));
    json_decref(list);
    return n;
}

static void *stir_one(void *user) {
    unsigned chance = (unsigned)(size_t)user;
    while (!atomic_load(&is_stirred)) {
        char id[XL_JOB_ID], other[XL_JOB_ID];
        struct xl_err err;
        if (!some_id(&chance, id) || !some_id(&chance, other)) continue;
        struct xl_queue_move move = {id, other, (enum xl_queue_place)(rand_r(&chance) % 3), -1};
        switch (rand_r(&chance) % 7) {
        case 0:
            xl_queue_cancel(queue, id, &err);
            break;
        case 1:
            xl_queue_restore(queue, id, &err);
            break;
        case 2:
            xl_queue_move(queue, &move, &err);
            break;
        case 3:
            xl_queue_pause(queue, rand_r(&chance) % 2);
            break;
        case 4:
            json_decref(xl_queue_job(queue, id));
            break;
        case 5:
            json_decref(xl_queue_places(queue));
            break;
        default:
            follow(1);
        }
        nap(3);
    }
    return NULL;
}

static void stir(double seconds) {
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, stir_one, (void *)i);
    nap((long)(seconds * 1000));
    atomic_store(&is_stirred, true);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    xl_queue_pause(queue, false);
}

static void obey(const char *line) {
    char word[16];
    int n = 0;
    long seed = 0;
    double seconds = 0;
    if (sscanf(line, "%15s", word) != 1) return;
    (void)!sscanf(line, "%*s %d %ld", &n, &seed);
    (void)!sscanf(line, "%*s %lf", &seconds);
    if (!strcmp(word, "jobs"))
        for (int i = 0; i < n; i++) submit("job", 1, seed + i);
    else if (!strcmp(word, "sweep") || !strcmp(word, "batch"))
        submit(word, n, seed);
    else if (!strcmp(word, "wait"))
        wait_for_all();
    else if (!strcmp(word, "pause") || !strcmp(word, "resume"))
        xl_queue_pause(queue, word[0] == 'p');
    else if (!strcmp(word, "preview"))
        xl_queue_want_previews(queue);
    else if (!strcmp(word, "memory"))
        tell_memory();
    else if (!strcmp(word, "follow"))
        follow(n);
    else if (!strcmp(word, "stir"))
        stir(seconds);
    fflush(stdout);
}

int main(int argc, char **argv) {
    static struct xl_settings settings;
    struct xl_err err = {0};
    char line[256];
    if (argc != 5) return 2;
    signal(SIGPIPE, SIG_IGN);
    xl_settings_default(&settings);
    settings.output_dir = argv[1];
    settings.model = argv[3];
    settings.workers = atoi(argv[4]);
    settings.given |= xl_option_bit(xl_option_find("model"));
    settings.instance = "t";
    settings.device = getenv("QUEUE_GPUS") ? "auto" : "cpu";
    settings.gpus = getenv("QUEUE_GPUS");
    settings.gpu_lock_dir = getenv("GPU_LOCK_DIR");
    settings.threads = 1;
    const char *idle = getenv("QUEUE_IDLE");
    const struct xl_queue_params params = {
        .settings = &settings, .program = argv[2], .idle_s = idle ? atof(idle) : 0};
    if (xl_queue_open(&params, &queue, &err)) {
        fprintf(stderr, "driver: %s\n", err.text);
        return 1;
    }
    printf("open %d\n", getpid());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) obey(line);
    xl_queue_close(queue);
    return 0;
}
