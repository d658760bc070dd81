/* latents_case.h - latents that are shown every few evaluations are those that are shown after
 * each.
 */
#ifndef XL_TESTS_LATENTS_CASE_H
#define XL_TESTS_LATENTS_CASE_H

#include "engine_case.h"

#include <stdlib.h>
#include <string.h>

enum { SEEN_STEPS = 7, SEEN_EVERY = 3, SEEN_NUMBERS = 4096 };

struct seen {
    float latents[SEEN_STEPS][SEEN_NUMBERS];
    int order[SEEN_STEPS], n;
};

static inline void see(void *user, int evaluation, const float *latents, int64_t count) {
    struct seen *seen = user;
    cr_assert(evaluation >= 0 && evaluation < SEEN_STEPS && seen->n < SEEN_STEPS);
    cr_assert(count <= SEEN_NUMBERS);
    memcpy(seen->latents[evaluation], latents, (size_t)count * sizeof *latents);
    seen->order[seen->n++] = evaluation;
}

static inline struct seen *draw_and_see(struct engine_case engine, int every) {
    struct xl_picture picture = {.prompt = "a lighthouse on a cliff", .seed = 5};
    struct xl_request request;
    struct seen *seen = calloc(1, sizeof *seen);
    cr_assert_not_null(seen);
    xl_request_default(&request);
    request.pictures = &picture;
    request.n_pictures = 1;
    request.width = request.height = 64;
    request.steps = SEEN_STEPS;
    request.latents = see;
    request.latents_user = seen;
    request.latents_every = every;
    struct xl_result result = engine_draw(engine, &request);
    xl_result_free(&result);
    return seen;
}

static inline void check_latents_every(struct engine_case engine) {
    static const int expected[] = {2, 5, 6}; /* every third, and the last */
    struct seen *all = draw_and_see(engine, 0), *some = draw_and_see(engine, SEEN_EVERY);
    cr_expect_eq(all->n, SEEN_STEPS);
    cr_expect_eq(some->n, 3);
    for (int i = 0; i < 3; i++) {
        int at = expected[i];
        cr_expect_eq(some->order[i], at);
        cr_expect(!memcmp(some->latents[at], all->latents[at], sizeof all->latents[at]),
                  "evaluation %d", at);
    }
    cr_expect(memcmp(all->latents[5], all->latents[6], sizeof all->latents[5]) != 0);
    free(all);
    free(some);
}

#endif
