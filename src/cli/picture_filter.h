/* picture_filter.h - the pictures of the index that a command's options mean. */
#ifndef XL_CLI_PICTURE_FILTER_H
#define XL_CLI_PICTURE_FILTER_H

#include "cli/search_words.h"
#include "lab/settings/settings.h"

enum { XL_QUERY_VALUE_MAX = 64, XL_QUERY_WHERE_MAX = XL_FILTER_KEYS_MAX + XL_SEARCH_VALUES_MAX };

struct xl_picture_query {
    struct xl_picture_filter filter;
    struct xl_picture_where where[XL_QUERY_WHERE_MAX];
    char values[XL_QUERY_WHERE_MAX][XL_QUERY_VALUE_MAX]; /* of numbers and sizes */
    struct xl_search_words words;                        /* of --search */
};

/* What was given of --model, --profile, --size, --scheduler, --lora, --vae, --steps, --guidance,
 * --seed, --run, --search, --since, --until, --loved, --min-rating and --sort. Texts are borrowed,
 * and *out must stay where it is. Errors: XL_EINVAL no time, no size, or words that say nothing */
enum xl_status xl_picture_query_read(const struct xl_settings *settings,
                                     struct xl_picture_query *out, struct xl_err *err) XL_CHECKED;

#endif
