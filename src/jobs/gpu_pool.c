/* gpu_pool.c - locked GPUs, and what to do when one of them is not ours alone any more. */
#include "jobs/gpu_pool.h"

#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Between two looks at a GPU: groups of small pictures come faster than is worth it. */
static const double QUICK_S = 0.2, SLOW_S = 5;

struct member {
    struct xl_gpu_pool *pool;
    struct xl_card card;
    struct xl_worker_gpu worker;
    bool is_told;  /* that somebody else is on it */
    double seen_s; /* when it was looked at last */
};

struct xl_gpu_pool {
    enum xl_foreign_choice on_foreign;
    struct xl_gpu_wish *wish;
    pthread_mutex_t mutex; /* for what follows */
    struct xl_gpus *gpus;
    struct member members[XL_GPUS_MAX];
    int n;
};

/* The driver's silence is no reason to stop: the worker has its own ways of learning of a loss. */
static enum xl_status check(void *user, int n_own, bool at_once, struct xl_err *err) {
    struct member *member = user;
    struct xl_gpu_pool *pool = member->pool;
    const struct xl_gpu *gpu = &member->card.gpu;
    enum xl_card_state state = XL_CARD_OURS;
    char text[XL_BUSY_MAX] = "";
    struct xl_err why = {0};
    pthread_mutex_lock(&pool->mutex);
    double now_s = xl_now_s();
    bool is_due = at_once ||
                  now_s - member->seen_s >= (xl_gpus_is_slow(pool->gpus) ? SLOW_S : QUICK_S);
    if (is_due) member->seen_s = now_s;
    enum xl_status status =
        !is_due ? XL_OK : xl_card_check(pool->gpus, &member->card, n_own, &state, text, &why);
    bool was_told = member->is_told;
    if (!status && is_due) member->is_told = state == XL_CARD_SHARED;
    pthread_mutex_unlock(&pool->mutex);
    if (status) {
        xl_info("GPU %d cannot be looked at: %s", gpu->index, why.text);
        return XL_OK;
    }
    if (state == XL_CARD_LOST)
        return xl_fail(err, XL_EDEVICE, "GPU %d (%s) is lost: %s", gpu->index, gpu->uuid, text);
    if (state == XL_CARD_OURS) return XL_OK;
    if (pool->on_foreign == XL_FOREIGN_YIELD)
        return xl_fail(err, XL_EYIELD, "GPU %d (%s) is left to %s that came to it", gpu->index,
                       gpu->uuid, text);
    if (!was_told) xl_warn("GPU %d (%s) is shared with %s", gpu->index, gpu->uuid, text);
    return XL_OK;
}

static void leave(void *user) {
    struct member *member = user;
    pthread_mutex_lock(&member->pool->mutex);
    xl_card_release(&member->card);
    pthread_mutex_unlock(&member->pool->mutex);
}

static void tell_waiting(void *user, const char *why) {
    (void)user;
    int n = 0;
    for (const char *c = why; *c; c++) n += *c == '\n';
    xl_warn("waiting for an idle GPU: %d %s busy", n, n == 1 ? "is" : "are");
}

/* With the mutex held, or before anybody else has the pool. */
static void fill(struct xl_gpu_pool *pool, int i, const struct xl_card *card) {
    struct member *member = &pool->members[i];
    *member = (struct member){.pool = pool, .card = *card};
    member->worker = (struct xl_worker_gpu){.uuid = member->card.gpu.uuid,
                                            .kept_open = xl_lock_descriptor(card->lock),
                                            .check = check,
                                            .leave = leave,
                                            .user = member};
    if (card->lock) xl_info("GPU %d: %s, %s", card->gpu.index, card->gpu.name, card->gpu.uuid);
}

/* A pool that has looked at nothing yet. */
static enum xl_status new_pool(const struct xl_settings *settings, bool (*goes_on)(void *user),
                               void *user, struct xl_gpu_pool **out, struct xl_err *err) {
    struct xl_gpu_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return xl_fail_nomem(err, "GPUs", sizeof *pool);
    pthread_mutex_init(&pool->mutex, NULL);
    pool->on_foreign = settings->on_foreign_process;
    pool->wish = calloc(1, sizeof *pool->wish);
    enum xl_status status = pool->wish ? xl_gpu_wish_read(settings, goes_on, user, pool->wish, err)
                                       : xl_fail_nomem(err, "GPUs", sizeof *pool->wish);
    if (!status) status = xl_gpus_open(true, &pool->gpus, err);
    if (status)
        xl_gpu_pool_close(pool);
    else
        *out = pool;
    return status;
}

enum xl_status xl_gpu_pool_open(const struct xl_settings *settings, bool (*goes_on)(void *user),
                                void *user, struct xl_gpu_pool **out, struct xl_err *err) {
    struct xl_gpu_pool *pool = NULL;
    struct xl_card *cards = calloc(XL_GPUS_MAX, sizeof *cards);
    int n = 0;
    enum xl_status status = cards ? new_pool(settings, goes_on, user, &pool, err)
                                  : xl_fail_nomem(err, "GPUs", 0);
    if (!status) {
        pool->wish->wait.waits = tell_waiting;
        status = xl_cards_wait(pool->gpus, &pool->wish->wish, &pool->wish->wait, cards, &n, err);
    }
    for (int i = 0; !status && i < n; i++) fill(pool, pool->n++, &cards[i]);
    free(cards);
    if (status)
        xl_gpu_pool_close(pool);
    else
        *out = pool;
    return status;
}

/* How many GPUs of those here are wanted. */
static enum xl_status count_wanted(struct xl_gpu_pool *pool, struct xl_err *err) {
    const struct xl_card_wish *wish = &pool->wish->wish;
    struct xl_gpu_list *list = malloc(sizeof *list);
    if (!list) return xl_fail_nomem(err, "readings of GPUs", sizeof *list);
    enum xl_status status = xl_gpus_read(pool->gpus, list, err);
    int n = wish->n_uuids ? wish->n_uuids : list->n;
    if (!status && !list->n)
        status = xl_fail(err, XL_EDEVICE, "there is an NVIDIA driver here, but no GPU");
    for (int k = 0; !status && k < wish->n_uuids; k++)
        if (!xl_gpu_find(list, wish->uuids[k])) status = xl_cards_fail_unknown(wish->uuids[k], err);
    pool->n = n < wish->most ? n : wish->most;
    free(list);
    return status;
}

enum xl_status xl_gpu_pool_open_empty(const struct xl_settings *settings,
                                      bool (*goes_on)(void *user), void *user,
                                      struct xl_gpu_pool **out, struct xl_err *err) {
    struct xl_gpu_pool *pool = NULL;
    enum xl_status status = new_pool(settings, goes_on, user, &pool, err);
    /* Now: later it would be one more thing that may get better through the night. */
    if (!status) status = xl_card_check_lock_dir(pool->wish->wish.lock_dir, err);
    if (!status) status = count_wanted(pool, err);
    for (int i = 0; !status && i < pool->n; i++) fill(pool, i, &(struct xl_card){.lock = NULL});
    if (status)
        xl_gpu_pool_close(pool);
    else
        *out = pool;
    return status;
}

enum xl_status xl_gpu_pool_seek(struct xl_gpu_pool *pool, struct xl_str *why, struct xl_err *err) {
    struct xl_card *cards = calloc(XL_GPUS_MAX, sizeof *cards);
    struct xl_card_wish wish = pool->wish->wish;
    int n = 0;
    if (!cards) return xl_fail_nomem(err, "GPUs", 0);
    wish.most = 0;
    for (int i = 0; i < pool->n; i++) wish.most += !xl_gpu_pool_has(pool, i, NULL);
    enum xl_status status = wish.most ? xl_cards_take(pool->gpus, &wish, cards, &n, why, err)
                                      : XL_OK;
    pthread_mutex_lock(&pool->mutex);
    for (int i = 0, k = 0; !status && i < pool->n && k < n; i++)
        if (!pool->members[i].card.lock) fill(pool, i, &cards[k++]);
    pthread_mutex_unlock(&pool->mutex);
    free(cards);
    return status;
}

bool xl_gpu_pool_has(struct xl_gpu_pool *pool, int i, struct xl_gpu *gpu) {
    pthread_mutex_lock(&pool->mutex);
    bool is_there = pool->members[i].card.lock != NULL;
    if (is_there && gpu) *gpu = pool->members[i].card.gpu;
    pthread_mutex_unlock(&pool->mutex);
    return is_there;
}

enum xl_status xl_gpu_pool_look(struct xl_gpu_pool *pool, struct xl_gpu_list *out,
                                struct xl_err *err) {
    return xl_gpus_read(pool->gpus, out, err);
}

int xl_gpu_pool_count(const struct xl_gpu_pool *pool) {
    return pool->n;
}

const struct xl_worker_gpu *xl_gpu_pool_at(const struct xl_gpu_pool *pool, int i) {
    return &pool->members[i].worker;
}

void xl_gpu_pool_close(struct xl_gpu_pool *pool) {
    if (!pool) return;
    for (int i = 0; i < pool->n; i++) xl_card_release(&pool->members[i].card);
    xl_gpus_close(pool->gpus);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->wish);
    free(pool);
}
