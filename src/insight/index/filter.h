/* filter.h - which pictures of the index are meant, and in which order. */
#ifndef XL_INSIGHT_FILTER_H
#define XL_INSIGHT_FILTER_H

#include "insight/index/index.h"

#include <stddef.h>

/* A column of the index (columns.h) and the value that pictures have there, as people write it: of
 * names the whole of one or, where no name is that, a part of some; case does not matter. "size" is
 * width and height: "768x1024". "run" is a run's directory or its name. Of numbers also ">20",
 * ">=20", "<20", "<=20" and "20..40", both ends included. */
struct xl_picture_where {
    const char *column, *value;
};

/* What people call the columns that they tell pictures by, "model" for model_key: options of
 * commands and parameters of the network. The i-th, NULL after the last. */
struct xl_filter_key {
    const char *name, *column;
};
enum { XL_FILTER_KEYS_MAX = 16 };
const struct xl_filter_key *xl_filter_key_at(int i);

/* Whether a column of numbers can have this value; of others nothing is known without the index.
 * Errors: XL_EINVAL */
enum xl_status xl_filter_check(const struct xl_picture_where *where, struct xl_err *err) XL_CHECKED;

enum xl_picture_sort { XL_NEWEST_FIRST, XL_OLDEST_FIRST, XL_BEST_FIRST /* by rating */ };

/* Pictures that have something, only those that have it not, or whether they have it or not. */
enum xl_picture_having { XL_HAVING_OR_NOT, XL_HAVING, XL_NOT_HAVING };

/* Zero-initialised: every picture, the newest first. Texts are borrowed. */
struct xl_picture_filter {
    const struct xl_picture_where *where; /* [n_where], all of which hold */
    size_t n_where;
    const char *text;     /* words that stand in the prompt, all of them; NULL: any */
    const char *exclude;  /* words that do not, none of them; NULL: none */
    int64_t since, until; /* made_at, both included; 0: no limit */
    bool only_loved;
    int min_rating;                                   /* 0: any */
    enum xl_picture_having trashed, rejected, judged; /* judged: loved, rated or rejected */
    enum xl_picture_sort sort;
};

#endif
