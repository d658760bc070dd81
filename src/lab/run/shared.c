/* shared.c - the end of a part in a shared run. */
#include "lab/run/shared.h"

#include <time.h>

/* One look at all. Whether everybody who has something is known to live. */
static bool look(const struct xl_run *run, int *n_again) {
    bool all_live = true;
    for (int c = 0; c < run->sweep->n_cells; c++) {
        struct xl_outcome *outcome = &run->dir->outcomes[c];
        if (outcome->state != XL_CELL_ELSEWHERE) continue;
        bool is_alive = false;
        enum xl_claim how = xl_claims_look_at(run->claims, run->sweep->cells[c].id, &is_alive);
        if (how == XL_CLAIM_THEIRS && !is_alive) all_live = false;
        if (how != XL_CLAIM_FREE && how != XL_CLAIM_OURS) continue;
        outcome->state = XL_CELL_WAITING;
        ++*n_again;
    }
    return all_live;
}

void xl_shared_review(const struct xl_run *run, bool (*goes_on)(void *user), void *user,
                      int *n_again) {
    const struct timespec moment = {.tv_nsec = 100000000};
    *n_again = 0;
    xl_claims_listen(run->claims);
    while (!look(run, n_again) && !*n_again && (!goes_on || goes_on(user)))
        nanosleep(&moment, NULL);
}

int xl_shared_count_under_way(const struct xl_run *run) {
    int n = 0;
    for (int c = 0; c < run->sweep->n_cells; c++) {
        bool is_alive;
        if (run->dir->outcomes[c].state != XL_CELL_ELSEWHERE) continue;
        n += xl_claims_look_at(run->claims, run->sweep->cells[c].id, &is_alive) == XL_CLAIM_THEIRS;
    }
    return n;
}
