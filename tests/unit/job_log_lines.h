/* job_log_lines.h - reading a job log back in tests. */
#ifndef XL_TESTS_UNIT_JOB_LOG_LINES_H
#define XL_TESTS_UNIT_JOB_LOG_LINES_H

#include "lab/log/job_log.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>

#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

struct collected {
    json_t *lines; /* array */
};

static inline enum xl_status collect(void *user, const json_t *object, int64_t line,
                                     struct xl_err *err) {
    (void)line, (void)err;
    struct collected *collected = user;
    json_t *copy = json_deep_copy(object);
    cr_assert_eq(json_array_append_new(collected->lines, copy), 0);
    return XL_OK;
}

/* Every entry of a log; the caller's. */
static inline json_t *read_all(const char *path, struct xl_job_counts *counts) {
    struct xl_err err = {0};
    struct collected collected = {json_array()};
    ok(xl_job_log_read(path, collect, &collected, counts, &err));
    return collected.lines;
}

static inline void expect_key(const json_t *object, const char *key, const char *json) {
    char *text = json_dumps(json_object_get(object, key), JSON_ENCODE_ANY | JSON_COMPACT);
    cr_expect_str_eq(text ? text : "(absent)", json, "%s is %s, expected %s", key,
                     text ? text : "absent", json);
    free(text);
}

#endif
