/* writer.c - the writer's queue and thread. What is written is in output.c. */
#include "lab/run/writer.h"

#include "lab/run/output.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WAITING = 2 };

/* A group, or (n 0) the end of a model. */
struct item {
    struct item *next;
    struct xl_drawn drawn;
    int model;
};

struct xl_writer {
    struct xl_writer_params params;
    pthread_t thread;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    struct item *first, **last;
    int n_waiting;
    bool is_ending;
    enum xl_status status; /* the first failure */
    struct xl_err err;
};

void xl_drawn_deinit(struct xl_drawn *drawn) {
    xl_result_free(&drawn->result);
    free(drawn->error);
    free(drawn->fallback);
    *drawn = (struct xl_drawn){0};
}

static struct item *take(struct xl_writer *writer) {
    pthread_mutex_lock(&writer->mutex);
    while (!writer->first && !writer->is_ending)
        pthread_cond_wait(&writer->changed, &writer->mutex);
    struct item *item = writer->first;
    if (item) {
        writer->first = item->next;
        if (!writer->first) writer->last = &writer->first;
    }
    pthread_mutex_unlock(&writer->mutex);
    return item;
}

static void done_with(struct xl_writer *writer, struct item *item, enum xl_status status,
                      const struct xl_err *err) {
    pthread_mutex_lock(&writer->mutex);
    if (status && !writer->status) {
        writer->status = status;
        writer->err = *err;
    }
    writer->n_waiting--;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
    xl_drawn_deinit(&item->drawn);
    free(item);
}

static void *run(void *user) {
    struct xl_writer *writer = user;
    for (struct item *item; (item = take(writer));) {
        struct xl_err err = {0};
        enum xl_status status = XL_OK;
        if (xl_writer_status(writer)) /* the disk refused: nothing more is tried */
            status = XL_OK;
        else if (item->drawn.n)
            status = xl_output_group(&writer->params, &item->drawn, &err);
        else
            status = xl_output_sheet(&writer->params, item->model, &err);
        done_with(writer, item, status, &err);
    }
    return NULL;
}

enum xl_status xl_writer_new(const struct xl_writer_params *params, struct xl_writer **out,
                             struct xl_err *err) {
    struct xl_writer *writer = calloc(1, sizeof *writer);
    if (!writer) return xl_fail_nomem(err, "the writer", sizeof *writer);
    writer->params = *params;
    writer->last = &writer->first;
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->changed, NULL);
    int failed = pthread_create(&writer->thread, NULL, run, writer);
    if (failed) {
        pthread_cond_destroy(&writer->changed);
        pthread_mutex_destroy(&writer->mutex);
        free(writer);
        return xl_fail(err, XL_ENOMEM, "cannot start the writer's thread: %s", strerror(failed));
    }
    *out = writer;
    return XL_OK;
}

static void put(struct xl_writer *writer, struct item *item) {
    pthread_mutex_lock(&writer->mutex);
    while (writer->n_waiting >= MAX_WAITING) pthread_cond_wait(&writer->changed, &writer->mutex);
    *writer->last = item;
    writer->last = &item->next;
    writer->n_waiting++;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
}

static void fail(struct xl_writer *writer, enum xl_status status, const char *what) {
    pthread_mutex_lock(&writer->mutex);
    if (!writer->status) writer->status = xl_fail(&writer->err, status, "%s", what);
    pthread_mutex_unlock(&writer->mutex);
}

static void put_item(struct xl_writer *writer, struct xl_drawn *drawn, int model) {
    struct item *item = calloc(1, sizeof *item);
    if (item) {
        if (drawn) item->drawn = *drawn;
        item->model = model;
        put(writer, item);
    } else {
        fail(writer, XL_ENOMEM, "out of memory for a picture that was drawn");
        if (drawn) xl_drawn_deinit(drawn);
    }
    if (drawn) *drawn = (struct xl_drawn){0};
}

void xl_writer_put(struct xl_writer *writer, struct xl_drawn *drawn) {
    put_item(writer, drawn, 0);
}

void xl_writer_end_model(struct xl_writer *writer, int model) {
    put_item(writer, NULL, model);
}

enum xl_status xl_writer_status(struct xl_writer *writer) {
    pthread_mutex_lock(&writer->mutex);
    enum xl_status status = writer->status;
    pthread_mutex_unlock(&writer->mutex);
    return status;
}

enum xl_status xl_writer_finish(struct xl_writer *writer, struct xl_err *err) {
    if (!writer) return XL_OK;
    pthread_mutex_lock(&writer->mutex);
    writer->is_ending = true;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    enum xl_status status = writer->status;
    if (status) xl_fail(err, status, "%s", writer->err.text);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->mutex);
    free(writer);
    return status;
}
