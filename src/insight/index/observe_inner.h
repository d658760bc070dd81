/* observe_inner.h - a table of pictures while it is made; for the files of that name. */
#ifndef XL_INSIGHT_OBSERVE_INNER_H
#define XL_INSIGHT_OBSERVE_INNER_H

#include "insight/index/levels.h"
#include "insight/index/words.h"
#include "insight/observations.h"

/* A column while it is read. */
struct xl_observed_column {
    struct xl_levels levels;
    uint32_t *of_row;
    uint64_t last[2]; /* the value of the row before: most often this one's, too */
    uint32_t last_level;
};

struct xl_observed_table {
    struct xl_observations view; /* first: it is what callers get */
    struct xl_index *index;
    size_t capacity;
    struct xl_observed_column columns[XL_FACTOR_SOURCES_MAX];
    struct xl_observed_column prompts;      /* values are ids of texts */
    uint32_t *level[XL_FACTOR_SOURCES_MAX]; /* as the view has them */
    uint8_t *loved, *rating;
    int64_t *made_at, *picture, *path_key;
    size_t *word_start;
    uint32_t *word_ids;
    size_t n_word_ids, word_capacity;
    struct xl_observed_factor factors[XL_FACTOR_SOURCES_MAX];
    struct xl_words words;
    const char **word_texts;
    struct xl_choice *choices;
    struct xl_arena arena;
};

/* Have room for n elements in an array. pointer: to the pointer to it. False: out of memory. */
bool xl_observed_grow(void *pointer, size_t n, size_t size);

/* Read the rows of the pictures that the filter means, by their ids, with the values of all columns
 * numbered. Errors: as of the index, XL_ENOMEM */
enum xl_status xl_observed_read(struct xl_observed_table *table,
                                const struct xl_picture_filter *filter,
                                struct xl_err *err) XL_CHECKED;

/* Put the rows in order, once all but texts is there. After a failure they are good for nothing but
 * to be freed. Errors: XL_ENOMEM */
enum xl_status xl_observed_order(struct xl_observed_table *table, struct xl_err *err) XL_CHECKED;

#endif
