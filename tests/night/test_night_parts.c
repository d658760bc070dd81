/* test_night_parts.c - hours, moments, guards, and the lists of jobs, without a night around them.
 */
#include "base/file.h"
#include "jobs/night/guard.h"
#include "jobs/night/jobs.h"
#include "jobs/night/report.h"
#include "jobs/night/state.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Berlin has a summer time, by rules that need no file. */
static void in_berlin(void) {
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
}

static time_t at(const char *text) {
    time_t out = 0;
    struct xl_err err = {0};
    cr_assert_eq(xl_moment_read(text, 0, &out, &err), XL_OK, "%s", err.text);
    return out;
}

Test(hours, parts_of_a_day) {
    struct xl_hours hours[2];
    struct xl_err err;
    cr_assert_eq(xl_hours_read("22:00-06:30", &hours[0], &err), XL_OK);
    cr_assert(xl_hours_hold(hours, 1, 22 * 60));
    cr_assert(xl_hours_hold(hours, 1, 0));
    cr_assert(xl_hours_hold(hours, 1, 6 * 60 + 29));
    cr_assert_not(xl_hours_hold(hours, 1, 6 * 60 + 30));
    cr_assert_not(xl_hours_hold_all(hours, 1));
    cr_assert_eq(xl_hours_read("6:30-22:00", &hours[1], &err), XL_OK);
    cr_assert(xl_hours_hold_all(hours, 2));
    cr_assert_eq(xl_hours_read("0:00-24:00", &hours[0], &err), XL_OK);
    cr_assert(xl_hours_hold_all(hours, 1));
    static const char *const wrong[] = {"",
                                        "22-6",
                                        "22:00",
                                        "22:00-",
                                        "22:60-06:00",
                                        "22:00-25:00",
                                        "22:00-06:00x",
                                        "06:00-06:00",
                                        "a:00-b:00",
                                        "22:0-06:00"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_eq(xl_hours_read(wrong[i], &hours[0], &err), XL_EINVAL, "%s", wrong[i]);
}

Test(hours, moments) {
    char text[XL_MOMENT_MAX];
    struct xl_err err;
    time_t out;
    in_berlin();
    time_t evening = at("2026-11-29 22:10");
    cr_assert_eq(xl_moment_read("07:00", evening, &out, &err), XL_OK);
    cr_assert_eq(out, at("2026-11-30 07:00"));
    cr_assert_eq(xl_moment_read("23:00", evening, &out, &err), XL_OK);
    cr_assert_eq(out, at("2026-11-29 23:00"));
    cr_assert_eq(xl_moment_read("22:10", evening, &out, &err), XL_OK);
    cr_assert_eq(out, at("2026-11-30 22:10"), "that minute has begun");
    cr_assert_eq(xl_moment_read("24:00", evening, &out, &err), XL_OK);
    cr_assert_eq(out, at("2026-11-30 00:00"));
    /* The night that the clock goes forward in has an hour less. */
    time_t before = at("2027-03-27 22:00");
    cr_assert_eq(xl_moment_read("07:00", before, &out, &err), XL_OK);
    cr_assert_eq(out - before, 8 * 3600);
    cr_assert_str_eq(xl_moment_text(at("2026-11-30 07:00"), evening, text), "Mon 07:00");
    cr_assert_str_eq(xl_moment_text(at("2026-11-29 23:00"), evening, text), "23:00");
    cr_assert_str_eq(xl_moment_text(at("2027-01-01 07:00"), evening, text), "2027-01-01 07:00");
    static const char *const wrong[] = {
        "",           "7",        "7:0",    "2026-02-30 07:00", "2026-13-01 07:00",
        "2026-11-30", "tomorrow", "07:00 ", "2026-11-30 07:00x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_eq(xl_moment_read(wrong[i], evening, &out, &err), XL_EINVAL, "%s", wrong[i]);
}

Test(guard, verdicts) {
    char why[XL_NIGHT_WHY];
    struct xl_night_config config = {.min_free = 1000, .time_limit_s = 100, .disk_budget = 5000};
    in_berlin();
    struct xl_night_facts facts = {.now = at("2026-11-29 22:10"), .free_bytes = 2000};
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_MAY_DRAW);
    facts.free_bytes = 999;
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_WAITS);
    cr_assert_str_eq(why, "the disk has 999 B left, and 1.0 kB are to stay free");
    facts.free_bytes = -1; /* not known is no reason */
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_MAY_DRAW);
    facts.pause_s = 12;
    facts.pause_why = "a worker died";
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_WAITS);
    cr_assert(strstr(why, "a worker died"));
    facts.pause_s = 0;
    facts.elapsed_s = 100;
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_ENDS);
    facts.elapsed_s = 10;
    facts.bytes = 5000;
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_ENDS);
    facts.bytes = 0;
    config.quiet_texts = (struct xl_night_texts){.item = {"22:00-06:00"}, .n = 1};
    config.n_quiet = 1;
    cr_assert_eq(xl_hours_read("22:00-06:00", &config.quiet[0], NULL), XL_OK);
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_RESTS);
    facts.now = at("2026-11-29 06:00");
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_MAY_DRAW);
}

/* The clock is set back an hour, or to the day that its battery was new: the night is not longer.
 */
Test(guard, a_clock_that_goes_backwards) {
    char why[XL_NIGHT_WHY];
    const struct xl_night_config config = {.min_free = 0};
    in_berlin();
    time_t begun = at("2026-11-29 22:00");
    struct xl_night_facts facts = {
        .until = at("2026-11-30 07:00"), .bound_s = 9 * 3600, .free_bytes = -1};
    facts.now = begun - 3600;
    facts.elapsed_s = 60;
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_MAY_DRAW);
    facts.now = 0;
    facts.elapsed_s = 9 * 3600 - 1;
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_MAY_DRAW);
    facts.elapsed_s = 9 * 3600;
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_ENDS);
    facts.elapsed_s = 60; /* and forwards: it is seven */
    facts.now = facts.until;
    cr_assert_eq(xl_night_judge(&config, &facts, why), XL_NIGHT_ENDS);
}

Test(guard, heat_and_power) {
    const struct xl_night_config config = {.max_temperature = 80, .max_power_w = 1000};
    const struct xl_night_config none = {.max_temperature = 0};
    cr_assert_not(xl_night_is_hot(&config, false, 80));
    cr_assert(xl_night_is_hot(&config, false, 81));
    cr_assert(xl_night_is_hot(&config, true, 76));
    cr_assert_not(xl_night_is_hot(&config, true, 75));
    cr_assert_not(xl_night_is_hot(&config, true, -1));
    cr_assert_not(xl_night_is_hot(&none, false, 200));
    cr_assert_eq(xl_night_share_power(&config, 4, 4, 1200), 3);
    cr_assert_eq(xl_night_share_power(&config, 3, 4, 900), 3, "one more would be 1200 W");
    cr_assert_eq(xl_night_share_power(&config, 3, 4, 600), 4);
    cr_assert_eq(xl_night_share_power(&config, 1, 4, 2000), 1, "one goes on");
    cr_assert_eq(xl_night_share_power(&config, 2, 4, -1), 4, "what is not known is no reason");
    cr_assert_eq(xl_night_share_power(&none, 2, 4, 1e6), 4);
}

Test(keys, sizes) {
    char text[XL_SIZE_TEXT];
    int64_t n = 0;
    struct xl_err err;
    cr_assert_eq(xl_size_read("20GB", &n, &err), XL_OK);
    cr_assert_eq(n, 20000000000);
    cr_assert_eq(xl_size_read("1.5 TB", &n, &err), XL_OK);
    cr_assert_eq(n, 1500000000000);
    cr_assert_eq(xl_size_read("500", &n, &err), XL_OK);
    cr_assert_eq(n, 500);
    cr_assert_eq(xl_size_read("7k", &n, &err), XL_OK);
    cr_assert_eq(n, 7000);
    static const char *const wrong[] = {"",     "GB",   "-1GB", "1XB",
                                        "1GBx", "1e30", "nan",  "99999999999TB"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_eq(xl_size_read(wrong[i], &n, &err), XL_EINVAL, "%s", wrong[i]);
    cr_assert_str_eq(xl_size_text(999, text), "999 B");
    cr_assert_str_eq(xl_size_text(1234567, text), "1.2 MB");
    cr_assert_str_eq(xl_size_text(999999999, text), "1.0 GB");
}

/* Every key has a row that can be read: a name of its own, and a default that it takes itself. */
Test(keys, the_table) {
    const struct xl_night_key *key;
    for (int i = 0; (key = xl_night_key_at(i)); i++) {
        cr_assert_eq(xl_night_key_find(key->name), key);
        const struct xl_option *option = xl_option_find(key->name);
        cr_assert_not(option && option->commands & XL_FOR_GENERATE, "%s is a setting", key->name);
        cr_assert(key->help && key->group && key->argument);
    }
}

/* --- Lists of jobs ---------------------------------------------------------------------------- */

static struct xl_night_config config_of(const char *text) {
    struct xl_night_config config;
    struct xl_err err = {0};
    char path[] = "/tmp/night-XXXXXX.yaml";
    int fd = mkstemps(path, 5);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    enum xl_status status = xl_night_config_load(path, time(NULL), &config, &err);
    unlink(path);
    cr_assert_eq(status, XL_OK, "%s", err.text);
    return config;
}

static char *text_of(const struct xl_night_job *job) {
    return json_dumps(job->settings, JSON_COMPACT | JSON_SORT_KEYS);
}

static struct xl_night_job next_of(struct xl_night_source *source) {
    struct xl_night_job job;
    bool is_there = false;
    struct xl_err err = {0};
    cr_assert_eq(xl_night_source_next(source, &job, &is_there, &err), XL_OK, "%s", err.text);
    cr_assert(is_there);
    return job;
}

/* Where a night goes on is a number: whoever leaves out n jobs finds the others as they were. */
Test(jobs, the_same_after_a_skip) {
    enum { N = 12 };
    struct xl_night_config config =
        config_of("prompts: [lab-tiny, fantasy-city]\nuntil_jobs: 12\n"
                  "models: [Lab Tiny XL]\n"
                  "jobs: [{prompt: mine}, {prompt: too, seed: 4, size: 256x256}]\n");
    struct xl_night_source *source = NULL;
    struct xl_err err = {0};
    char *all[N];
    cr_assert_eq(xl_night_source_open(&config, 7, &source, &err), XL_OK, "%s", err.text);
    for (int i = 0; i < N; i++) {
        struct xl_night_job job = next_of(source);
        cr_assert_eq(job.number, i);
        cr_assert(json_object_get(job.settings, "seed"));
        cr_assert_eq(job.prompt_template != NULL, i >= 2);
        all[i] = text_of(&job);
        xl_night_job_deinit(&job);
    }
    cr_assert(strstr(all[1], "\"seed\":4") && strstr(all[1], "256x256"));
    xl_night_source_close(source);
    for (int n = 0; n < N; n++) {
        cr_assert_eq(xl_night_source_open(&config, 7, &source, &err), XL_OK);
        cr_assert_eq(xl_night_source_skip(source, n, &err), XL_OK);
        struct xl_night_job job = next_of(source);
        char *text = text_of(&job);
        cr_assert_str_eq(text, all[n]);
        free(text);
        xl_night_job_deinit(&job);
        xl_night_source_close(source);
    }
    for (int i = 0; i < N; i++) free(all[i]);
    xl_night_config_deinit(&config);
}

/* --- Lots ------------------------------------------------------------------------------------- */

#define LOTS "models: [A, B, C]\nuntil_jobs: 9\nprompt: x\nlearn_from: favourites\n"

static struct xl_night_source *learned_source(struct xl_night_config *config, const char *lots) {
    struct xl_night_source *source = NULL;
    struct xl_err err = {0};
    json_error_t error;
    config->learned =
        json_pack("{s:i,s:{},s:o}", "format", 1, "weights", "lots", json_loads(lots, 0, &error));
    cr_assert_eq(xl_night_source_open(config, 7, &source, &err), XL_OK, "%s", err.text);
    return source;
}

static double share_of(struct xl_night_source *source, const char *model) {
    json_t *shares = xl_night_source_shares(source);
    double share = json_real_value(json_object_get(json_object_get(shares, "model"), model));
    json_decref(shares);
    return share;
}

/* A is 1 ahead of B, each by a standard deviation of 1 of its own: A wins P(N(1, 2) > 0) = 0.760 of
 * the jobs against B. */
Test(lots, as_often_as_they_may_be_the_best) {
    struct xl_night_config config = config_of(LOTS);
    struct xl_night_source *source =
        learned_source(&config, "{\"model\": {\"values\": [\"b\", \"a\"], \"spread\": 0}, "
                                "\"profile\": {\"values\": [], \"spread\": 0}, "
                                "\"size\": {\"values\": [], \"spread\": 0}, \"mean\": [10, 11], "
                                "\"root\": [[1], [0, 1]]}");
    cr_expect_float_eq(share_of(source, "A"), 0.760, 0.045, "%f", share_of(source, "A"));
    cr_expect_float_eq(share_of(source, "A") + share_of(source, "B"), 1, 1e-9);
    xl_night_source_close(source);
    xl_night_config_deinit(&config);
}

/* The same two, and both go up and down together: A is always ahead. C is not known and may be
 * anything: it wins where it is above A, P(N(0, 4 + 1) > 1) = 0.327. */
Test(lots, together_and_unknown) {
    struct xl_night_config config = config_of(LOTS);
    struct xl_night_source *source =
        learned_source(&config, "{\"model\": {\"values\": [\"B\", \"A\"], \"spread\": 2}, "
                                "\"profile\": {\"values\": [], \"spread\": 0}, "
                                "\"size\": {\"values\": [], \"spread\": 0}, \"mean\": [0, 1], "
                                "\"root\": [[1], [1, 0]]}");
    cr_expect_eq(share_of(source, "B"), 0);
    cr_expect_float_eq(share_of(source, "C"), 0.327, 0.05, "%f", share_of(source, "C"));
    struct xl_night_job first = next_of(source);
    const char *model = json_string_value(json_object_get(first.settings, "model"));
    cr_expect(!strcmp(model, "A") || !strcmp(model, "C"));
    xl_night_job_deinit(&first);
    xl_night_source_close(source);
    xl_night_config_deinit(&config);
}

Test(jobs, a_list_that_ends) {
    struct xl_night_config config = config_of("jobs: [{prompt: one}, {prompt: two}]\n");
    struct xl_night_source *source = NULL;
    struct xl_night_job job;
    struct xl_err err = {0};
    bool is_there = true;
    cr_assert_eq(xl_night_source_open(&config, 7, &source, &err), XL_OK, "%s", err.text);
    for (int i = 0; i < 2; i++) {
        job = next_of(source);
        xl_night_job_deinit(&job);
    }
    cr_assert_eq(xl_night_source_next(source, &job, &is_there, &err), XL_OK);
    cr_assert_not(is_there);
    xl_night_source_close(source);
    xl_night_config_deinit(&config);
}

/* Another limit is the same night; another prompt is not. */
Test(jobs, what_decides_them) {
    char a[XL_NIGHT_DIGEST], b[XL_NIGHT_DIGEST];
    static const struct {
        const char *text;
        bool is_same;
    } others[] = {
        {"prompts: lab-tiny\nuntil_jobs: 5\nsteps: 3\n", true},
        {"prompts: lab-tiny\ntime_limit: 2h\nsteps: 3\nworkers: 3\noutput_dir: x\n", true},
        {"prompts: lab-tiny\nuntil_jobs: 4\nsteps: 4\n", false},
        {"prompts: fantasy-city\nuntil_jobs: 4\nsteps: 3\n", false},
        {"prompts: lab-tiny\nuntil_jobs: 4\nsteps: 3\nseed: 1\n", false},
        {"prompts: lab-tiny\nuntil_jobs: 4\nsteps: 3\nprofiles: [Watercolor]\n", false},
    };
    struct xl_night_config config = config_of("prompts: lab-tiny\nuntil_jobs: 4\nsteps: 3\n");
    cr_assert_eq(xl_night_config_digest(&config, a, NULL), XL_OK);
    xl_night_config_deinit(&config);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        config = config_of(others[i].text);
        cr_assert_eq(xl_night_config_digest(&config, b, NULL), XL_OK);
        cr_assert_eq(!strcmp(a, b), others[i].is_same, "%s", others[i].text);
        xl_night_config_deinit(&config);
    }
}

/* Written and read, a state is what it was; and what is no state is told. */
Test(state, there_and_back) {
    struct xl_night_state state, read;
    struct xl_err err = {0};
    const char *error;
    enum xl_status status;
    char dir[] = "/tmp/night-XXXXXX", path[64];
    cr_assert(mkdtemp(dir) != NULL);
    cr_assert_eq(xl_night_state_init(&state, &err), XL_OK);
    state.config = strdup("/a/night.yaml");
    state.seed = 18446744073709551615u;
    state.n_taken = 5000000000;
    state.elapsed_s = 12.5;
    state.phase = XL_NIGHT_PAUSES;
    xl_night_state_say(&state, "quiet hours");
    cr_assert_eq(xl_night_state_fail(&state, "ab", XL_ENOMEM, "no memory"), 1);
    cr_assert_eq(xl_night_state_fail(&state, "ab", XL_EWORKER, "it died"), 2);
    for (int i = 0; i < XL_NIGHT_EVENTS + 5; i++) xl_night_state_note(&state, i ? "on" : "first");
    cr_assert_eq(xl_night_state_write(&state, dir, &err), XL_OK, "%s", err.text);
    cr_assert_eq(xl_night_state_read(dir, &read, &err), XL_OK, "%s", err.text);
    cr_assert_str_eq(read.config, "/a/night.yaml");
    cr_assert_str_eq(read.why, "quiet hours");
    cr_assert(read.seed == state.seed && read.n_taken == state.n_taken);
    cr_assert_eq(read.phase, XL_NIGHT_PAUSES);
    cr_assert_eq(xl_night_state_failures(&read, "ab", &status, &error), 2);
    cr_assert(status == XL_EWORKER && !strcmp(error, "it died"));
    cr_assert_eq(xl_night_state_failures(&read, "cd", NULL, NULL), 0);
    cr_assert_eq(json_array_size(read.events), XL_NIGHT_EVENTS);
    xl_night_state_deinit(&read);
    xl_night_state_deinit(&state);
    snprintf(path, sizeof path, "%s/night.json", dir);
    static const char *const wrong[] = {
        "", "[]", "{}", "{\"format\": 1}", "{\"format\": 2}", "{\"format\": 1, \"config\": 3}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert_eq(xl_file_replace(path, wrong[i], strlen(wrong[i]), &err), XL_OK);
        cr_assert_eq(xl_night_state_read(dir, &read, &err), XL_EINPUT, "%s", wrong[i]);
        cr_assert(strstr(err.text, "night.json"), "%s", err.text);
    }
    unlink(path);
    rmdir(dir);
}

Test(night, energy_has_a_unit_of_its_size) {
    char text[XL_ENERGY_TEXT];
    cr_expect_str_eq(xl_energy_text(8.7, text), "9 J");
    cr_expect_str_eq(xl_energy_text(15120, text), "4.2 Wh");
    cr_expect_str_eq(xl_energy_text(4.5e6, text), "1.25 kWh");
}
