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

static void add_member(struct xl_gpu_pool *pool, const struct xl_card *card) {
    struct member *member = &pool->members[pool->n++];
    *member = (struct member){.pool = pool, .card = *card};
    member->worker = (struct xl_worker_gpu){.uuid = member->card.gpu.uuid,
                                            .kept_open = xl_lock_descriptor(card->lock),
                                            .check = check,
                                            .leave = leave,
                                            .user = member};
    xl_info("GPU %d: %s, %s", card->gpu.index, card->gpu.name, card->gpu.uuid);
}

enum xl_status xl_gpu_pool_open(const struct xl_settings *settings, bool (*goes_on)(void *user),
                                void *user, struct xl_gpu_pool **out, struct xl_err *err) {
    struct xl_gpu_pool *pool = calloc(1, sizeof *pool);
    struct xl_card *cards = calloc(XL_GPUS_MAX, sizeof *cards);
    struct xl_gpu_wish *wish = calloc(1, sizeof *wish);
    int n = 0;
    enum xl_status status = XL_OK;
    if (!pool || !cards || !wish) {
        free(pool);
        pool = NULL;
        status = xl_fail_nomem(err, "GPUs", 0);
        goto cleanup;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pool->on_foreign = settings->on_foreign_process;
    status = xl_gpu_wish_read(settings, goes_on, user, wish, err);
    wish->wait.waits = tell_waiting;
    if (!status) status = xl_gpus_open(true, &pool->gpus, err);
    if (!status) status = xl_cards_wait(pool->gpus, &wish->wish, &wish->wait, cards, &n, err);
    for (int i = 0; !status && i < n; i++) add_member(pool, &cards[i]);
    if (!status) *out = pool;
cleanup:
    if (status) xl_gpu_pool_close(pool);
    free(cards);
    free(wish);
    return status;
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
    free(pool);
}
