/* test_runner.c - a run drawn by fakes that fail, run out of memory and die on demand: nothing is
 * lost, nothing is drawn twice, what cannot be drawn says why.
 */
#include "lab/run/runner.h"

#include "base/file.h"
#include "base/str.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#define REPO XL_SOURCE_DIR "/tests/data/models/repo"

enum { MAX_CELLS = 64, MAX_GROUPS = 4 * MAX_CELLS, MAX_PAINTERS = 4, SIDE = 8 };

/* What the fakes are told, and what they did. */
static struct {
    pthread_mutex_t mutex;
    /* By seed: how often it fails or dies before it is drawn. */
    int n_leaves[MAX_CELLS]; /* or its painter leaves the run */
    enum xl_status leaving;
    int n_failures[MAX_CELLS], n_deaths[MAX_CELLS], n_deaths_saving[MAX_CELLS];
    bool dies_after_saving; /* the picture is on disk, the word of it is lost */
    enum xl_status failure;
    int most;            /* pictures drawn together before memory runs out; 0: any number */
    int64_t work_bytes;  /* of a picture */
    enum xl_status open; /* what opening ends with */
    int cancel_at;       /* after so many groups; 0: never */
    int end_at;          /* likewise, with what is at hand */
    int n_drawn[MAX_CELLS], n_groups, n_needs, n_opened, sizes[MAX_GROUPS];
    char fallback[XL_LADDER_TEXT]; /* of the last group */
} script = {.mutex = PTHREAD_MUTEX_INITIALIZER};

struct fake {
    struct xl_painter painter;
    bool is_open;
};

static struct fake fakes[MAX_PAINTERS];
static struct xl_settings settings;
static struct xl_sweep sweep;
static struct xl_run_dir dir;
static struct xl_run_counts counts;
static struct xl_err err;
static int n_saved;

static enum xl_status die(struct fake *fake, struct xl_err *why) {
    fake->is_open = false;
    return xl_fail(why, XL_EWORKER, "the fake died");
}

static enum xl_status fake_open(struct xl_painter *painter, const struct xl_sweep *of, int m,
                                int *unit, struct xl_err *why) {
    struct fake *fake = (struct fake *)painter;
    (void)of, (void)m;
    *unit = 8;
    pthread_mutex_lock(&script.mutex);
    script.n_opened++;
    pthread_mutex_unlock(&script.mutex);
    if (script.open) return xl_fail(why, script.open, "the fake knows no such model");
    fake->is_open = true;
    return XL_OK;
}

static enum xl_status fake_need(struct xl_painter *painter, const struct xl_group *group,
                                struct xl_need *out, struct xl_err *why) {
    (void)painter, (void)why;
    pthread_mutex_lock(&script.mutex);
    script.n_needs++;
    pthread_mutex_unlock(&script.mutex);
    int64_t bytes = script.work_bytes * group->n * group->rung.width / 64;
    *out = (struct xl_need){.work_bytes = bytes, .least_bytes = bytes / 2, .available_bytes = 1000};
    return XL_OK;
}

static uint64_t seed_of(const struct xl_group *group, int i) {
    return group->sweep->cells[group->cells[i]].seed;
}

/* Whether one of the group's pictures is still to go wrong; counts it down. */
static bool goes_wrong(const struct xl_group *group, int *times) {
    for (int i = 0; i < group->n; i++)
        if (times[seed_of(group, i)] > 0) return times[seed_of(group, i)]--, true;
    return false;
}

static enum xl_status fake_draw(struct xl_painter *painter, struct xl_drawn *drawn,
                                struct xl_err *why) {
    struct fake *fake = (struct fake *)painter;
    const struct xl_group *group = &drawn->group;
    cr_assert(fake->is_open, "a painter that died has no model");
    cr_assert(!painter->has_left, "a painter that left is not called");
    if (!painter->progress(painter->user, XL_PHASE_SAMPLE, 0, 1))
        return xl_fail(why, XL_ECANCELLED, "interrupted");
    pthread_mutex_lock(&script.mutex);
    enum xl_status status = XL_OK;
    if (script.most && group->n > script.most)
        status = xl_fail(why, XL_ENOMEM, "the fake is short of memory");
    else if (goes_wrong(group, script.n_leaves)) {
        painter->has_left = true;
        status = xl_fail(why, script.leaving, "the fake leaves");
    } else if (goes_wrong(group, script.n_failures))
        status = xl_fail(why, script.failure, "the fake fails");
    else if (goes_wrong(group, script.n_deaths))
        status = die(fake, why);
    for (int i = 0; !status && i < group->n; i++) script.n_drawn[seed_of(group, i)]++;
    cr_assert_lt(script.n_groups, MAX_GROUPS);
    if (!status) script.sizes[script.n_groups++] = group->n;
    if (!status) snprintf(script.fallback, sizeof script.fallback, "%s", group->fallback);
    pthread_mutex_unlock(&script.mutex);
    drawn->result.warnings = strdup("");
    drawn->total_s = 1;
    return status;
}

static void write_picture(const struct xl_group *group, int i, const char *path) {
    uint8_t pixels[SIDE * SIDE * 3] = {0};
    char record[128];
    snprintf(record, sizeof record, "{\"cell\": \"%s\", \"seed\": \"1\", \"prompt\": \"\"}",
             group->sweep->cells[group->cells[i]].id);
    struct xl_drawn_picture picture = {
        .image = {SIDE, SIDE, pixels}, .record = record, .parameters = (char *)""};
    const struct xl_result result = {.n_pictures = 1, .pictures = &picture};
    cr_assert_eq(xl_result_save_png(&result, 0, path, &err), XL_OK, "%s", err.text);
}

static enum xl_status fake_save(struct xl_painter *painter, struct xl_drawn *drawn, int i,
                                char **path, struct xl_err *why) {
    struct xl_str name = {0};
    (void)painter;
    xl_str_printf(&name, "%s/%s_fake_seed%llu_00.png", drawn->group.dir, drawn->group.stamp,
                  (unsigned long long)seed_of(&drawn->group, i));
    char *file = xl_str_take(&name);
    pthread_mutex_lock(&script.mutex);
    int *left = &script.n_deaths_saving[seed_of(&drawn->group, i)];
    bool dies = *left > 0;
    if (dies) --*left;
    pthread_mutex_unlock(&script.mutex);
    if (!dies || script.dies_after_saving) write_picture(&drawn->group, i, file);
    if (!dies) *path = file;
    if (!dies) return XL_OK;
    free(file);
    return xl_fail(why, XL_EWORKER, "the fake died");
}

static bool on_progress(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    (void)user, (void)phase, (void)done, (void)total;
    return !script.cancel_at || script.n_groups < script.cancel_at;
}

static bool on_end(void *user) {
    (void)user;
    return script.end_at && script.n_groups >= script.end_at;
}

static void on_saved(void *user, const struct xl_cell *cell, const char *path, const char *label) {
    (void)label;
    (void)user, (void)cell;
    cr_expect(xl_file_exists(path), "%s", path);
    n_saved++;
}

static void begin(void) {
    setenv("XDG_CONFIG_HOME", "/nowhere", 1);
    scratch_open();
    xl_settings_default(&settings);
    settings.model = REPO;
    settings.prompt = "a cat";
    settings.instance = "t";
    settings.width = settings.height = 512;
    settings.output_dir = scratch_dir;
    script.failure = XL_EINVAL;
}

static void end(void) {
    xl_run_counts_deinit(&counts);
    xl_run_dir_close(&dir);
    xl_sweep_deinit(&sweep);
    scratch_close();
}

TestSuite(runner, .init = begin, .fini = end);

/* Draw seeds 1..n with so many painters. */
static enum xl_status draw(int n, int n_painters) {
    struct xl_painter *painters[MAX_PAINTERS];
    char axis[32];
    snprintf(axis, sizeof axis, "seed=1..%d", n);
    cr_assert_eq(xl_settings_set(&settings, xl_option_find("sweep"), "", axis, &err), XL_OK);
    cr_assert_eq(xl_sweep_plan(&settings, &sweep, &err), XL_OK, "%s", err.text);
    cr_assert_eq(xl_run_dir_create(&settings, &sweep, &dir, &err), XL_OK, "%s", err.text);
    for (int i = 0; i < n_painters; i++) {
        fakes[i].painter = (struct xl_painter){
            .open = fake_open, .need = fake_need, .draw = fake_draw, .save = fake_save};
        painters[i] = &fakes[i].painter;
    }
    const struct xl_run run = {
        .settings = &settings,
        .sweep = &sweep,
        .dir = &dir,
        .hooks = {.progress = on_progress, .saved = on_saved, .ends = on_end},
        .painters = painters,
        .n_painters = n_painters};
    return xl_run_draw(&run, &counts, &err);
}

/* Every cell done, each drawn so often. */
static void expect_all(int n, int times) {
    cr_expect(counts.n_done == n && !counts.n_failed && !counts.n_waiting, "%d done of %d",
              counts.n_done, n);
    for (int i = 1; i <= n; i++) cr_expect_eq(script.n_drawn[i], times, "%d", i);
    cr_expect_eq(n_saved, n);
}

Test(runner, draws_each_cell_once) {
    cr_expect_eq(draw(20, 1), XL_OK, "%s", err.text);
    expect_all(20, 1);
    cr_expect_eq(script.n_opened, 1);
    cr_expect_eq(script.n_needs, 1, "a group like the one before needs no new plan");
}

Test(runner, draws_together_what_is_asked_together) {
    settings.group = 8;
    cr_expect_eq(draw(20, 1), XL_OK, "%s", err.text);
    expect_all(20, 1);
    cr_expect(script.n_groups == 3 && script.sizes[0] == 8 && script.sizes[2] == 4);
}

Test(runner, one_failure_does_not_stop_the_rest) {
    script.n_failures[5] = 1;
    cr_expect_eq(draw(12, 1), XL_EPARTIAL);
    cr_expect_str_eq(err.text, "1 of 12 pictures failed; the first: the fake fails");
    cr_expect(counts.n_done == 11 && counts.n_failed == 1);
}

Test(runner, ten_equal_failures_do) {
    for (int i = 3; i < 20; i++) script.n_failures[i] = 1;
    cr_expect_eq(draw(20, 1), XL_EPARTIAL);
    cr_expect_str_eq(err.text, "stopped after 10 equal failures in a row: the fake fails");
    cr_expect(counts.n_done == 2 && counts.n_failed == 10 && counts.n_waiting == 8);
}

Test(runner, a_lost_device_stops_it_and_fails_nothing) {
    script.failure = XL_EDEVICE;
    script.n_failures[3] = 1;
    cr_expect_eq(draw(20, 1), XL_EDEVICE);
    cr_expect_str_eq(err.text, "the fake fails");
    cr_expect(counts.n_done == 2 && !counts.n_failed && counts.n_waiting == 18);
}

Test(runner, a_model_that_cannot_be_opened_fails_at_once) {
    script.open = XL_EMODEL;
    cr_expect_eq(draw(20, 2), XL_EPARTIAL);
    cr_expect_eq(counts.n_failed, 20);
    cr_expect(strstr(err.text, "20 of 20 pictures failed; the first: the fake knows no"));
}

Test(runner, memory_that_runs_out_goes_down_the_ladder_once) {
    settings.group = 8;
    script.most = 3;
    cr_expect_eq(draw(16, 1), XL_OK, "%s", err.text);
    expect_all(16, 1);
    for (int i = 0; i < script.n_groups; i++) cr_expect_eq(script.sizes[i], 2);
    cr_expect_str_eq(script.fallback, "VAE in tiles of 256, 2 instead of 8 together");
}

Test(runner, what_will_not_fit_is_not_tried) {
    script.work_bytes = 200; /* of a 64th of the width: 1600 whole, 800 in tiles */
    cr_expect_eq(draw(4, 1), XL_OK, "%s", err.text);
    expect_all(4, 1);
    cr_expect_str_eq(script.fallback, "VAE in tiles of 256");
}

Test(runner, nothing_is_given_up_where_that_is_asked) {
    script.work_bytes = 200;
    settings.oom = XL_OOM_FAIL;
    cr_expect_eq(draw(4, 1), XL_EPARTIAL);
    cr_expect_eq(counts.n_failed, 4);
    cr_expect(strstr(err.text, "more memory than there is; close"), "%s", err.text);
}

Test(runner, a_lost_group_is_drawn_again) {
    settings.group = 4;
    script.n_deaths[6] = 1;
    cr_expect_eq(draw(16, 1), XL_OK, "%s", err.text);
    expect_all(16, 1);
    cr_expect_eq(script.n_opened, 2);
}

Test(runner, what_is_lost_while_it_is_saved_is_drawn_again) {
    settings.group = 4;
    script.n_deaths_saving[7] = 1; /* 5 and 6 are on disk and known */
    cr_expect_eq(draw(16, 1), XL_OK, "%s", err.text);
    cr_expect_eq(counts.n_done, 16);
    for (int i = 1; i <= 16; i++) cr_expect_eq(script.n_drawn[i], 1 + (i == 7 || i == 8), "%d", i);
}

Test(runner, what_is_on_disk_all_the_same_is_not_drawn_again) {
    settings.group = 4;
    script.n_deaths_saving[7] = 1;
    script.dies_after_saving = true;
    cr_expect_eq(draw(16, 1), XL_OK, "%s", err.text);
    cr_expect_eq(counts.n_done, 16);
    cr_expect_eq(n_saved, 16);
    for (int i = 1; i <= 16; i++) cr_expect_eq(script.n_drawn[i], 1 + (i == 8), "%d", i);
}

Test(runner, a_group_that_loses_two_painters_fails) {
    settings.group = 4;
    script.n_deaths[6] = 2;
    cr_expect_eq(draw(16, 1), XL_EPARTIAL);
    cr_expect(counts.n_done == 12 && counts.n_failed == 4);
    cr_expect_str_eq(err.text, "4 of 16 pictures failed; the first: for the second time over "
                               "the same pictures: the fake died");
}

Test(runner, painters_that_always_die_stop_the_run) {
    for (int i = 1; i <= 20; i++) script.n_deaths[i] = 100;
    cr_expect_eq(draw(20, 2), XL_EPARTIAL);
    cr_expect(strstr(err.text, "stopped after 10 equal failures"), "%s", err.text);
    cr_expect(counts.n_failed >= 10 && !counts.n_done);
}

Test(runner, several_painters_draw_each_cell_once) {
    for (int i = 1; i < MAX_CELLS; i += 5) script.n_deaths[i] = 1;
    for (int i = 3; i < MAX_CELLS; i += 5) script.n_deaths_saving[i] = 1;
    cr_expect_eq(draw(MAX_CELLS - 1, MAX_PAINTERS), XL_OK, "%s", err.text);
    cr_expect_eq(counts.n_done, MAX_CELLS - 1);
    for (int i = 1; i < MAX_CELLS; i++) cr_expect_eq(script.n_drawn[i], 1 + (i % 5 == 3), "%d", i);
    cr_expect_eq(n_saved, MAX_CELLS - 1);
}

Test(runner, an_interruption_leaves_the_rest_waiting) {
    script.cancel_at = 5;
    cr_expect_eq(draw(20, 3), XL_ECANCELLED);
    cr_expect_str_eq(err.text, "interrupted");
    cr_expect(counts.n_done >= 5 && counts.n_done <= 7 && counts.n_waiting == 20 - counts.n_done,
              "%d done", counts.n_done);
}

Test(runner, a_painter_that_leaves_leaves_its_work_to_the_others) {
    settings.group = 4;
    script.leaving = XL_EYIELD;
    script.n_leaves[6] = script.n_leaves[11] = 1;
    cr_expect_eq(draw(40, 3), XL_OK, "%s", err.text);
    expect_all(40, 1);
}

Test(runner, the_last_painter_that_leaves_stops_the_run) {
    script.leaving = XL_EYIELD;
    script.n_leaves[3] = script.n_leaves[7] = 1;
    cr_expect_eq(draw(20, 2), XL_EYIELD);
    cr_expect_str_eq(err.text, "the fake leaves");
    cr_expect(!counts.n_failed && counts.n_done >= 4 && counts.n_waiting == 20 - counts.n_done);
    cr_expect_eq(script.n_drawn[7], 0);
}

Test(runner, a_share_is_not_to_blame_for_lost_gpus) {
    script.leaving = XL_EDEVICE;
    script.n_leaves[5] = 3;
    cr_expect_eq(draw(20, 4), XL_OK, "%s", err.text);
    expect_all(20, 1);
}

Test(runner, an_end_that_is_asked_for_finishes_what_is_at_hand) {
    settings.group = 4;
    script.end_at = 2;
    cr_expect_eq(draw(20, 2), XL_EYIELD);
    cr_expect_str_eq(err.text, "stopped after the pictures at hand, as asked");
    cr_expect(counts.n_done >= 8 && counts.n_done <= 16 && counts.n_done % 4 == 0);
    cr_expect(!counts.n_failed && counts.n_waiting == 20 - counts.n_done &&
              n_saved == counts.n_done);
}

Test(runner, an_end_that_comes_too_late_is_none) {
    script.end_at = 6;
    cr_expect_eq(draw(6, 1), XL_OK, "%s", err.text);
    expect_all(6, 1);
}
