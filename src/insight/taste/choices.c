/* choices.c - which levels win when two pictures are shown side by side. */
#include "insight/taste/analysis.h"

#include "insight/stats/bradley_terry.h"

#include <stdlib.h>

static enum xl_status rank(struct xl_analysis *analysis, size_t factor, struct xl_err *err) {
    const struct xl_observations *rows = analysis->observations;
    const uint32_t *level = rows->level[factor];
    size_t n = rows->factors[factor].level_count;
    struct xl_taste_level *levels = analysis->levels[factor];
    double *wins = calloc(n * n + 2 * n + 1, sizeof *wins);
    if (!wins) return xl_fail_nomem(err, "a ranking", n * n * sizeof *wins);
    for (size_t i = 0; i < rows->choice_count; i++) {
        uint32_t winner = level[rows->choices[i].winner], loser = level[rows->choices[i].loser];
        if (winner == XL_NO_LEVEL || loser == XL_NO_LEVEL || winner == loser) continue;
        wins[winner * n + loser]++;
        levels[winner].n_chosen++;
        levels[loser].n_passed++;
    }
    double *strength = wins + n * n, *error = strength + n;
    enum xl_status status = xl_bradley_terry(wins, n, 1, strength, error, err);
    for (size_t i = 0; !status && i < n; i++) {
        if (!levels[i].n_chosen && !levels[i].n_passed) continue;
        levels[i].strength = strength[i];
        levels[i].strength_error = error[i];
    }
    free(wins);
    return status;
}

enum xl_status xl_analyse_choices(struct xl_analysis *analysis, struct xl_err *err) {
    const struct xl_observations *rows = analysis->observations;
    enum xl_status status = XL_OK;
    for (size_t f = 0; !status && rows->choice_count && f < rows->factor_count; f++)
        if (rows->factors[f].level_count <= XL_FEW_LEVELS) status = rank(analysis, f, err);
    return status;
}
