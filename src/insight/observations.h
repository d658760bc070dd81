/* observations.h - pictures as rows of a table: what each was made with, and whether it is loved.
 * The index fills it in under the filters that were asked for; statistics read it and know neither
 * files nor SQL.
 *
 * Whoever made it owns all of it and keeps it, unchanged, as long as it is read. Any number of
 * threads may read. Texts are UTF-8 as they were made with: they may hold any character but NUL,
 * also those that steer terminals, and whoever shows them is careful.
 */
#ifndef XL_INSIGHT_OBSERVATIONS_H
#define XL_INSIGHT_OBSERVATIONS_H

#include <stddef.h>
#include <stdint.h>

/* A column: its distinct values, as people write them. Names that statistics know: "model",
 * "profile", "resolution" (levels "768x1024"), "steps", "guidance" (levels are numbers as
 * xl_real_text writes them), "scheduler", "seed" (digits), "lora" ("NAME:SCALE" joined by " + ",
 * "none" without). Others are welcome: each gets a table. */
struct xl_observed_factor {
    const char *name;
    size_t level_count;
    const char *const *levels; /* [level_count], each once, in any order */
};

/* The row has no value in this column: its record does not say. */
#define XL_NO_LEVEL UINT32_MAX

/* Two pictures were shown side by side and one was taken. */
struct xl_choice {
    uint32_t winner, loser; /* rows; they differ */
};

struct xl_observations {
    size_t row_count, factor_count;           /* row_count < UINT32_MAX */
    const struct xl_observed_factor *factors; /* [factor_count] */
    uint32_t *const *level; /* level[factor][row]: an index into its levels, or XL_NO_LEVEL */
    const uint8_t *loved;   /* [row_count] 1: a favourite, 0: not */
    const uint8_t *rating;  /* [row_count] 1..5, 0: not rated; NULL: nothing is rated */
    const int64_t *made_at; /* [row_count] seconds since 1970 in UTC, 0: not known; NULL: of none */
    const int64_t *picture; /* [row_count] its id in the index */

    /* Prompts, and the words of each: those of prompt p are word_ids[word_start[p]] ..
     * word_ids[word_start[p + 1] - 1], none twice. */
    size_t prompt_count, word_count;
    const uint32_t
        *prompt; /* [row_count] which one, or XL_NO_LEVEL; NULL where prompt_count is 0 */
    const char *const *words; /* [word_count] */
    const size_t *word_start; /* [prompt_count + 1]; NULL where prompt_count is 0 */
    const uint32_t *word_ids; /* each < word_count */

    /* Choices between two pictures that are both among the rows, the oldest first. */
    size_t choice_count;
    const struct xl_choice *choices;
};

#endif
