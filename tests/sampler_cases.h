/* sampler_cases.h - what the tests of the samplers share: the cases that
 * tools/reference/topics/schedulers.py recorded from diffusers (tests/data/schedulers), and configs
 * from texts.
 */
#ifndef SAMPLER_CASES_H
#define SAMPLER_CASES_H

#include "base/json.h"
#include "config_case.h"
#include "sampler/sampler.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SCHEDULER_DATA XL_SOURCE_DIR "/tests/data/schedulers/"

static inline json_t *open_cases(const char *file) {
    struct xl_err err = {0};
    json_t *root;
    cr_assert_eq(xl_json_load(file, &root, &err), XL_OK, "%s", err.text);
    return root;
}

/* Load `text` as a scheduler_config.json beside a model_index.json that names class_name (NULL: the
 * class of the text). */
static inline enum xl_status load_config_of(const char *text, const char *class_name,
                                            const char *name, struct xl_scheduler_config *config,
                                            char **notice, struct xl_err *err) {
    char path[] = "/tmp/scheduler_config.XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    FILE *file = fdopen(fd, "w");
    fputs(text, file);
    fclose(file);
    enum xl_status status =
        CONFIG_READ(xl_scheduler_config_read, path, err, class_name, name, config, notice);
    unlink(path);
    return status;
}

static inline enum xl_status load_config(const char *text, const char *name,
                                         struct xl_scheduler_config *config, char **notice,
                                         struct xl_err *err) {
    return load_config_of(text, NULL, name, config, notice, err);
}

static inline double case_number(const json_t *c, const char *key, double otherwise) {
    const json_t *value = json_object_get(c, key);
    return value ? json_number_value(value) : otherwise;
}

/* The schedule of a case. label: [512], for messages. */
static inline struct xl_schedule *open_schedule(const json_t *c, char *label) {
    struct xl_err err = {0};
    struct xl_scheduler_config config;
    struct xl_schedule *schedule;
    char *notice;
    bool clamped;
    const char *name = json_string_value(json_object_get(c, "scheduler"));
    char *text = json_dumps(json_object_get(c, "config"), JSON_COMPACT);
    int steps = (int)case_number(c, "steps", 0);
    snprintf(label, 512, "%s, %d steps, strength %g, %s", name, steps,
             case_number(c, "strength", 1), text);
    const char *class_name = json_string_value(json_object_get(c, "class"));
    cr_assert_eq(load_config_of(text, class_name, name, &config, &notice, &err), XL_OK, "%s: %s",
                 label, err.text);
    cr_assert_null(notice);
    config.eta = case_number(c, "eta", 0);
    cr_assert_eq(
        xl_schedule_new(&config, steps, case_number(c, "strength", 1), &clamped, &schedule, &err),
        XL_OK, "%s: %s", label, err.text);
    free(text);
    return schedule;
}

#endif
