/* picture_filter.h - the pictures of the index that a command's options mean. */
#ifndef XL_CLI_PICTURE_FILTER_H
#define XL_CLI_PICTURE_FILTER_H

#include "insight/index/filter.h"
#include "lab/settings/settings.h"

enum { XL_QUERY_VALUE_MAX = 64 };

struct xl_picture_query {
    struct xl_picture_filter filter;
    struct xl_picture_where where[XL_FILTER_KEYS_MAX];
    char values[XL_FILTER_KEYS_MAX][XL_QUERY_VALUE_MAX]; /* of numbers */
};

/* What was given of --model, --profile, --size, --scheduler, --lora, --vae, --steps, --guidance,
 * --seed, --run, --search, --since, --until, --loved, --min-rating and --sort. Texts are borrowed.
 * Errors: XL_EINVAL no time, or no size */
enum xl_status xl_picture_query_read(const struct xl_settings *settings,
                                     struct xl_picture_query *out, struct xl_err *err) XL_CHECKED;

#endif
