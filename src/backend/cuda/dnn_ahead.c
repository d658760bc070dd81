/* dnn_ahead.c - a list of what is expected, and threads that go through it in order. */
#include "backend/cuda/dnn_ahead.h"

#include "base/threads.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 8 };

enum state { EXPECTED, BEGUN, MADE };

struct job {
    struct job *next;
    enum state state;
    struct xl_dnn_choice choice; /* key and shape are the job's own */
    char *key, *way;
    unsigned char shape[XL_DNN_SHAPE_BYTES];
    struct xl_dnn_plans plans;
};

struct xl_dnn_ahead {
    int device;
    struct xl_dnn_maker maker;
    int n_wanted; /* threads */
    pthread_t threads[MAX_THREADS];
    int n_threads;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    struct job *jobs; /* in the order in which they were expected */
    bool is_closing;
};

static void free_job(const struct xl_dnn_ahead *ahead, struct job *job) {
    xl_dnn_plans_free(ahead->maker.lib, &job->plans);
    free(job->key);
    free(job->way);
    free(job);
}

/* --- The threads ------------------------------------------------------------------------------ */

/* The next one that nobody began, or NULL at the end. With the mutex held. */
static struct job *next_job(struct xl_dnn_ahead *ahead) {
    while (!ahead->is_closing) {
        struct job *job = ahead->jobs;
        while (job && job->state != EXPECTED) job = job->next;
        if (job) return job;
        pthread_cond_wait(&ahead->changed, &ahead->mutex);
    }
    return NULL;
}

static void make_all(struct xl_dnn_ahead *ahead, const struct xl_dnn_maker *maker) {
    pthread_mutex_lock(&ahead->mutex);
    for (struct job *job; (job = next_job(ahead));) {
        job->state = BEGUN;
        pthread_mutex_unlock(&ahead->mutex);
        xl_dnn_plans_make(maker, &job->choice, job->way, &job->plans);
        pthread_mutex_lock(&ahead->mutex);
        job->state = MADE;
        pthread_cond_broadcast(&ahead->changed);
    }
    pthread_mutex_unlock(&ahead->mutex);
}

/* The handle is closed after all threads have ended: plans may refer to it. */
static void *run_thread(void *user) {
    struct xl_dnn_ahead *ahead = user;
    struct xl_dnn_maker maker = ahead->maker;
    if (cudaSetDevice(ahead->device) != cudaSuccess) return NULL;
    if (maker.lib->cudnnCreate(&maker.handle) != CUDNN_STATUS_SUCCESS) return NULL;
    make_all(ahead, &maker);
    return maker.handle;
}

static void start_threads(struct xl_dnn_ahead *ahead) {
    while (ahead->n_threads < ahead->n_wanted) {
        pthread_t *thread = &ahead->threads[ahead->n_threads];
        if (pthread_create(thread, NULL, run_thread, ahead)) return;
        ahead->n_threads++;
    }
}

/* --- For the caller --------------------------------------------------------------------------- */

enum xl_status xl_dnn_ahead_new(int device, const struct xl_dnn_maker *maker,
                                struct xl_dnn_ahead **out, struct xl_err *err) {
    struct xl_dnn_ahead *ahead = calloc(1, sizeof *ahead);
    if (!ahead) return xl_fail_nomem(err, "plans of cuDNN", sizeof *ahead);
    int n_cores = xl_cpu_count();
    ahead->device = device;
    ahead->maker = *maker;
    ahead->n_wanted = n_cores < MAX_THREADS ? n_cores : MAX_THREADS;
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    *out = ahead;
    return XL_OK;
}

void xl_dnn_ahead_free(struct xl_dnn_ahead *ahead) {
    if (!ahead) return;
    void *handles[MAX_THREADS];
    pthread_mutex_lock(&ahead->mutex);
    ahead->is_closing = true;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
    for (int i = 0; i < ahead->n_threads; i++) pthread_join(ahead->threads[i], &handles[i]);
    for (struct job *job; (job = ahead->jobs);) {
        ahead->jobs = job->next;
        free_job(ahead, job);
    }
    for (int i = 0; i < ahead->n_threads; i++)
        if (handles[i]) ahead->maker.lib->cudnnDestroy(handles[i]);
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead);
}

/* NULL: no memory */
static struct job *new_job(const struct xl_dnn_choice *choice, const char *way) {
    struct job *job = calloc(1, sizeof *job);
    if (!job) return NULL;
    job->key = strdup(choice->key);
    job->way = way ? strdup(way) : NULL;
    if (!job->key || (way && !job->way)) {
        free(job->key);
        free(job->way);
        free(job);
        return NULL;
    }
    memcpy(job->shape, choice->shape, choice->shape_bytes);
    job->choice = *choice;
    job->choice.key = job->key;
    job->choice.shape = job->shape;
    return job;
}

/* Where the job of a key stands in the list, or would be added. With the mutex held. */
static struct job **place_of(struct xl_dnn_ahead *ahead, const char *key) {
    struct job **at = &ahead->jobs;
    while (*at && strcmp((*at)->key, key) != 0) at = &(*at)->next;
    return at;
}

void xl_dnn_ahead_expect(struct xl_dnn_ahead *ahead, const struct xl_dnn_choice *choice,
                         const char *way) {
    pthread_mutex_lock(&ahead->mutex);
    struct job **at = place_of(ahead, choice->key);
    if (!*at) *at = new_job(choice, way);
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
    start_threads(ahead);
}

bool xl_dnn_ahead_take(struct xl_dnn_ahead *ahead, const char *key, struct xl_dnn_plans *out) {
    pthread_mutex_lock(&ahead->mutex);
    struct job *job = *place_of(ahead, key);
    while (job && job->state == BEGUN) pthread_cond_wait(&ahead->changed, &ahead->mutex);
    if (job) *place_of(ahead, key) = job->next;
    pthread_mutex_unlock(&ahead->mutex);
    if (!job) return false;
    bool is_made = job->state == MADE;
    *out = job->plans;
    job->plans.n = 0;
    free_job(ahead, job);
    return is_made;
}
