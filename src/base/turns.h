/* turns.h - a lock that threads get in the order in which they asked for it: one that takes it
 * again and again cannot keep another one waiting for more than one turn.
 */
#ifndef XL_BASE_TURNS_H
#define XL_BASE_TURNS_H

#include <pthread.h>
#include <stdint.h>

struct xl_turns {
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t passed;
    uint64_t n_asked, n_passed;
};

void xl_turns_init(struct xl_turns *turns);
void xl_turns_deinit(struct xl_turns *turns);

void xl_turns_take(struct xl_turns *turns);
void xl_turns_pass(struct xl_turns *turns);

#endif
