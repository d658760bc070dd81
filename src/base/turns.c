/* turns.c - numbers, as at a counter. */
#include "base/turns.h"

void xl_turns_init(struct xl_turns *turns) {
    *turns = (struct xl_turns){.n_asked = 0};
    pthread_mutex_init(&turns->mutex, NULL);
    pthread_cond_init(&turns->passed, NULL);
}

void xl_turns_deinit(struct xl_turns *turns) {
    pthread_cond_destroy(&turns->passed);
    pthread_mutex_destroy(&turns->mutex);
}

void xl_turns_take(struct xl_turns *turns) {
    pthread_mutex_lock(&turns->mutex);
    uint64_t number = turns->n_asked++;
    while (turns->n_passed != number) pthread_cond_wait(&turns->passed, &turns->mutex);
    pthread_mutex_unlock(&turns->mutex);
}

void xl_turns_pass(struct xl_turns *turns) {
    pthread_mutex_lock(&turns->mutex);
    turns->n_passed++;
    pthread_cond_broadcast(&turns->passed);
    pthread_mutex_unlock(&turns->mutex);
}
