/* groups.h - rows that are alike in some columns, counted together. */
#ifndef XL_INSIGHT_TASTE_GROUPS_H
#define XL_INSIGHT_TASTE_GROUPS_H

#include "base/arena.h"
#include "insight/observations.h"

enum { XL_GROUP_FACTORS = 12 };

/* Groups, in the order in which the first row of each comes. */
struct xl_groups {
    size_t count, factor_count;
    uint32_t factor[XL_GROUP_FACTORS];    /* of the observations */
    size_t level_count[XL_GROUP_FACTORS]; /* that the factor has */
    const uint32_t *levels;               /* [count][factor_count], XL_NO_LEVEL included */
    uint32_t *made, *loved;               /* [count] */
    const uint32_t *group_of;             /* [rows] that were grouped */
};

/* The rows of observations, by at most XL_GROUP_FACTORS factors. Errors: XL_ENOMEM */
enum xl_status xl_group_rows(const struct xl_observations *observations, const uint32_t *factors,
                             size_t factor_count, struct xl_arena *arena, struct xl_groups *out,
                             struct xl_err *err) XL_CHECKED;

/* Groups, by some of the columns that they have: picked [n] are indices of their columns. group_of
 * is then of the finer groups. Errors: XL_ENOMEM */
enum xl_status xl_group_again(const struct xl_groups *groups, const uint32_t *picked, size_t n,
                              struct xl_arena *arena, struct xl_groups *out,
                              struct xl_err *err) XL_CHECKED;

/* Whether a group has a level in each of its columns. */
bool xl_group_is_whole(const struct xl_groups *groups, size_t group);

#endif
