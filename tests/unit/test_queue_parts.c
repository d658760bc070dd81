/* test_queue_parts.c - the queue's choice, events, ids and journal, each alone. */
#include "jobs/queue/choose.h"
#include "jobs/queue/events.h"
#include "jobs/queue/job.h"
#include "jobs/queue/journal.h"
#include "jobs/queue/pace.h"
#include "jobs/queue/parts.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>
#include <string.h>

static struct xl_err err;

/* --- Choosing --------------------------------------------------------------------------------- */

/* Who is chosen of candidates, and who is passed over. */
#define CHOOSE(passed, ...)                                                                        \
    xl_choose((const struct xl_contender[]){__VA_ARGS__},                                          \
              sizeof((const struct xl_contender[]){__VA_ARGS__}) / sizeof(struct xl_contender),    \
              60, passed)

Test(choose, nothing_of_nothing) {
    int passed;
    cr_expect_eq(xl_choose(NULL, 0, 60, &passed), -1);
    cr_expect_eq(passed, -1);
}

Test(choose, the_first_of_one_client) {
    int passed;
    cr_expect_eq(CHOOSE(&passed, {.served_s = 5}, {.served_s = 5}), 0);
    cr_expect_eq(passed, -1);
}

Test(choose, next_comes_before_all) {
    int passed;
    cr_expect_eq(CHOOSE(&passed, {.is_warm = true}, {.is_next = true, .served_s = 1e6}), 1);
}

Test(choose, who_was_served_least) {
    int passed;
    cr_expect_eq(CHOOSE(&passed, {.served_s = 9}, {.served_s = 3}, {.served_s = 3}), 1);
}

Test(choose, a_warm_model_passes_others_over_for_a_while) {
    int passed;
    cr_expect_eq(CHOOSE(&passed, {.served_s = 0}, {.served_s = 9, .is_warm = true}), 1);
    cr_expect_eq(passed, 0);
    cr_expect_eq(CHOOSE(&passed, {.served_s = 0, .passed_s = 59}, {.served_s = 9, .is_warm = true}),
                 1);
    cr_expect_eq(CHOOSE(&passed, {.served_s = 0, .passed_s = 61}, {.served_s = 9, .is_warm = true}),
                 0);
    cr_expect_eq(passed, -1);
}

Test(choose, the_fairest_of_those_that_are_warm) {
    int passed;
    cr_expect_eq(CHOOSE(&passed, {.served_s = 0}, {.served_s = 9, .is_warm = true},
                        {.served_s = 2, .is_warm = true}),
                 2);
}

Test(choose, what_was_served_fades) {
    cr_expect_float_eq(xl_choose_fade(8, 600), 4, 1e-9);
    cr_expect_float_eq(xl_choose_fade(8, 0), 8, 1e-9);
    cr_expect_float_eq(xl_choose_fade(8, -5), 8, 1e-9);
}

/* --- Events ----------------------------------------------------------------------------------- */

static struct xl_event_ring *events;
static int n_wakes;

static void open_events(void) {
    cr_assert_eq(xl_event_ring_new(4, 1000, &events, &err), XL_OK);
}
static void close_events(void) {
    xl_event_ring_free(events);
}
TestSuite(events, .init = open_events, .fini = close_events);

static void wake(void *user) {
    (void)user;
    n_wakes++;
}

static struct xl_subscriber *follow(uint64_t after) {
    struct xl_subscriber *follower;
    cr_assert_eq(xl_subscriber_new(events, after, wake, NULL, &follower, &err), XL_OK);
    return follower;
}

/* The next is this one; text NULL: a reset. */
static void expect_next(struct xl_subscriber *follower, uint64_t id, const char *text) {
    struct xl_event event = {0};
    cr_assert_eq(xl_subscriber_next(follower, 0, &event), XL_NEXT_EVENT);
    cr_expect_eq(event.id, id);
    cr_expect_str_eq(event.type, text ? "job" : "reset");
    if (text) cr_expect_str_eq(event.text, text);
    free(event.text);
}

static bool has_next(struct xl_subscriber *follower) {
    struct xl_event event = {0};
    bool is_there = xl_subscriber_next(follower, 0, &event) == XL_NEXT_EVENT;
    if (is_there) free(event.text);
    return is_there;
}

static void put(int n) {
    xl_event_ring_put(events, "job", json_pack("[i]", n));
}

Test(events, come_in_order_and_can_be_had_again) {
    struct xl_subscriber *now = follow(UINT64_MAX);
    cr_expect_not(has_next(now));
    put(1);
    put(2);
    expect_next(now, 1000, "[1]");
    expect_next(now, 1001, "[2]");
    cr_expect_not(has_next(now));
    struct xl_subscriber *later = follow(1000);
    expect_next(later, 1001, "[2]");
    cr_expect_eq(xl_event_ring_newest(events), 1001);
    xl_subscriber_free(now);
    xl_subscriber_free(later);
}

Test(events, that_are_lost_are_told) {
    struct xl_subscriber *slow = follow(UINT64_MAX), *old = follow(7), *ahead = follow(99999);
    for (int i = 0; i < 5; i++) put(i);
    expect_next(slow, 1004, NULL);
    expect_next(old, 1004, NULL);
    expect_next(ahead, 1004, NULL);
    cr_expect_not(has_next(slow));
    put(5);
    expect_next(slow, 1005, "[5]");
    xl_event_ring_put(events, "job", NULL);
    expect_next(slow, 1006, NULL);
    xl_subscriber_free(slow);
    xl_subscriber_free(old);
    xl_subscriber_free(ahead);
}

Test(events, wake_once_until_all_is_seen) {
    struct xl_subscriber *follower = follow(UINT64_MAX);
    put(1);
    cr_expect_eq(n_wakes, 0); /* it has not asked yet */
    cr_expect(has_next(follower));
    cr_expect_not(has_next(follower));
    put(2);
    put(3);
    cr_expect_eq(n_wakes, 1);
    xl_subscriber_free(follower);
    put(4);
    cr_expect_eq(n_wakes, 1);
}

/* --- Ids and jobs ----------------------------------------------------------------------------- */

Test(job, ids_grow_even_when_the_clock_does_not) {
    uint64_t last = 0;
    char id[XL_JOB_ID], before[XL_JOB_ID] = "";
    for (int i = 0; i < 5000; i++) {
        xl_job_id_make(&last, id);
        cr_assert_gt(strcmp(id, before), 0);
        cr_assert_eq(xl_job_id_number(id), last);
        strcpy(before, id);
    }
    last += (uint64_t)1 << 40; /* an earlier process's clock was ahead */
    uint64_t ahead = last;
    xl_job_id_make(&last, id);
    cr_expect_eq(last, ahead + 1);
    cr_expect_eq(xl_job_id_number("no id at all"), 0);
    cr_expect_eq(xl_job_id_number(NULL), 0);
}

Test(job, is_read_as_it_is_written) {
    uint64_t last = 0;
    struct xl_job *job = xl_job_new(), *again = NULL;
    xl_job_id_make(&last, job->id);
    job->state = XL_JOB_FAILED;
    job->status = XL_EWORKER;
    job->n_cells = 4;
    job->cost = 1.25;
    xl_job_set_text(&job->error, "no");
    xl_job_set_text(&job->client, "a");
    json_object_set_new(job->ask, "prompt", json_string("a cat"));
    xl_job_add_picture(job, "abc", "/x/y.png", 0.5);
    json_t *object = xl_job_write(job, false);
    cr_assert_eq(xl_job_read(object, &again, &err), XL_OK, "%s", err.text);
    json_t *twice = xl_job_write(again, false);
    cr_expect(json_equal(object, twice));
    json_object_del(object, "state");
    struct xl_job *none = NULL;
    cr_expect_eq(xl_job_read(object, &none, &err), XL_EINPUT);
    cr_expect_str_eq(err.text, "a job: \"state\" is missing");
    json_decref(object);
    json_decref(twice);
    xl_job_free(job);
    xl_job_free(again);
}

/* --- Journal ---------------------------------------------------------------------------------- */

static struct xl_journal *journal;

static void open_journal(void) {
    cr_assert_eq(xl_journal_open(scratch("out"), "t", &journal, &err), XL_OK, "%s", err.text);
}
static void begin_journal(void) {
    scratch_open();
    open_journal();
}
static void end_journal(void) {
    xl_journal_close(journal);
    scratch_close();
}
TestSuite(journal, .init = begin_journal, .fini = end_journal);

static enum xl_status write_line(int n, bool is_undone) {
    const struct xl_journal_line line = {json_pack("{s:i}", "n", n), true, is_undone};
    return xl_journal_append(journal, line, &err);
}

static enum xl_status add_number(void *user, const json_t *line, struct xl_err *why) {
    (void)why;
    *(int *)user = 10 * *(int *)user + (int)json_integer_value(json_object_get(line, "n"));
    return XL_OK;
}

/* The numbers of all lines, as digits. */
static int read_numbers(int *n_damaged) {
    int numbers = 0;
    cr_assert_eq(xl_journal_read(journal, add_number, &numbers, n_damaged, &err), XL_OK);
    return numbers;
}

static void reopen(void) {
    xl_journal_close(journal);
    open_journal();
}

Test(journal, keeps_lines_and_leaves_torn_ones_out) {
    int n_damaged;
    cr_assert_eq(write_line(1, false), XL_OK);
    FILE *file = fopen(xl_journal_path(journal), "a");
    fputs("{\"n\": 7, \"torn", file);
    fclose(file);
    reopen();
    cr_assert_eq(write_line(2, false), XL_OK);
    cr_expect_eq(read_numbers(&n_damaged), 12);
    cr_expect_eq(n_damaged, 1);
}

Test(journal, is_put_in_place_with_the_lines_that_came_meanwhile) {
    int n_damaged;
    cr_assert_eq(write_line(1, false), XL_OK);
    xl_journal_hold(journal);
    cr_assert_eq(write_line(2, false), XL_OK);
    cr_assert_eq(xl_journal_replace(journal, "{\"n\":9}\n", 8, &err), XL_OK);
    cr_assert_eq(write_line(3, false), XL_OK);
    reopen();
    cr_expect_eq(read_numbers(&n_damaged), 923);
    cr_expect_eq(n_damaged, 0);
}

Test(journal, that_gives_up_is_as_it_was) {
    int n_damaged;
    cr_assert_eq(write_line(1, false), XL_OK);
    xl_journal_hold(journal);
    cr_expect_eq(xl_journal_replace(journal, NULL, 0, &err), XL_ENOMEM);
    cr_expect_not(xl_journal_is_behind(journal));
    cr_expect_eq(read_numbers(&n_damaged), 1);
}

Test(journal, is_behind_after_a_line_that_could_not_be_written) {
    const struct xl_journal_line line = {NULL, true, false};
    cr_expect_eq(xl_journal_append(journal, line, &err), XL_ENOMEM);
    cr_expect(xl_journal_is_behind(journal));
    cr_expect_eq(write_line(1, true), XL_EDISK);
    xl_journal_hold(journal);
    cr_expect_eq(write_line(2, true), XL_EDISK);  /* undone: it never was */
    cr_expect_eq(write_line(3, false), XL_EDISK); /* it is what happened, and follows */
    int n_damaged;
    cr_assert_eq(xl_journal_replace(journal, "{\"n\":9}\n", 8, &err), XL_OK);
    cr_expect_not(xl_journal_is_behind(journal));
    cr_expect_eq(read_numbers(&n_damaged), 93);
}

/* --- Pace ------------------------------------------------------------------------------------- */

static struct xl_pace pace;

static struct xl_pace_key key_of(const char *device, const char *digest, int precision,
                                 int64_t pixels) {
    return (struct xl_pace_key){device, digest, precision, pixels};
}
static void learn(struct xl_pace_key key, double cost, double seconds) {
    xl_pace_learn(&pace, &key, cost, seconds);
}
static double tell(struct xl_pace_key key, double cost) {
    return xl_pace_tell(&pace, &key, cost);
}

Test(pace, tells_what_it_has_learnt) {
    cr_expect_lt(tell(key_of("CPU", "a", 0, 100), 3), 0);
    learn(key_of("CPU", "a", 0, 100), 2, 4);
    cr_expect_float_eq(tell(key_of("CPU", "a", 0, 100), 3), 6, 1e-9);
    cr_expect_float_eq(tell(key_of("CPU", "b", 0, 100), 3), 6, 1e-9); /* for want of a better one */
    learn(key_of("CPU", "a", 0, 400), 2, 8);
    cr_expect_float_eq(tell(key_of("CPU", "a", 0, 100), 3), 6, 1e-9);
    cr_expect_float_eq(tell(key_of("CPU", "a", 0, 400), 3), 12, 1e-9);
    cr_expect_float_eq(tell(key_of("CPU", "a", 0, 900), 3), 12, 1e-9); /* the nearest size */
    learn(key_of("CPU", "a", 0, 400), 2, 8);
    cr_expect_float_eq(tell(key_of("CPU", "a", 0, 0), 3), 12, 1e-9); /* the one known best */
    for (int i = 0; i < 300; i++) {
        char digest[8];
        snprintf(digest, sizeof digest, "m%d", i);
        learn(key_of("CPU", digest, 0, 100), 1, 1);
    }
    cr_expect_eq(pace.n_rows, XL_PACE_ROWS);
    cr_expect_float_eq(tell(key_of("CPU", "m299", 0, 100), 3), 3, 1e-9);
}

Test(pace, tells_devices_and_precisions_apart) {
    learn(key_of("NVIDIA H200", "a", XL_PRECISION_F16, 100), 1, 1);
    learn(key_of("NVIDIA H200", "a", XL_PRECISION_F8, 900), 1, 0.8);
    learn(key_of("Tesla T4", "b", XL_PRECISION_F16, 100), 1, 20);
    learn(key_of("", "a", XL_PRECISION_F16, 100), 1, 99); /* nobody knows whose that is */
    cr_expect_eq(pace.n_rows, 3);
    cr_expect_float_eq(tell(key_of("NVIDIA H200", "a", XL_PRECISION_F16, 100), 1), 1, 1e-9);
    cr_expect_float_eq(tell(key_of("NVIDIA H200", "a", XL_PRECISION_F8, 100), 1), 0.8, 1e-9);
    cr_expect_float_eq(tell(key_of("NVIDIA H200", "a", XL_PRECISION_F32, 100), 1), 1, 1e-9);
    cr_expect_float_eq(tell(key_of("Tesla T4", "a", XL_PRECISION_F16, 100), 1), 20, 1e-9);
    cr_expect_lt(tell(key_of("CPU", "a", XL_PRECISION_F16, 100), 1), 0);
    cr_expect_float_eq(tell(key_of("", "b", XL_PRECISION_F16, 100), 1), 20, 1e-9); /* any */
    learn(key_of("CPU", "b", XL_PRECISION_F16, 100), 1, 900);
    cr_expect_float_eq(tell(key_of("", "b", XL_PRECISION_F16, 100), 1), 20, 1e-9); /* any GPU */
}

/* Places of two kinds, of which one is ten times as fast. */
Test(pace, of_a_mixed_pool_is_that_of_its_devices) {
    static struct xl_queue queue = {.n_slots = 2, .slots = {{.name = "fast"}, {.name = "slow"}}};
    struct xl_job job = {.n_cells = 1, .cost = 10, .digest = "a"};
    cr_expect_lt(xl_estimate_left(&queue, &job), 0);
    learn(key_of("fast", "a", 0, 100), 1, 1);
    queue.pace = pace;
    cr_expect_float_eq(xl_estimate_left(&queue, &job), 10, 1e-9); /* all that is known */
    learn(key_of("slow", "a", 0, 100), 1, 10);
    queue.pace = pace;
    job.n_cells = 11; /* 10 s of the fast one alone; the slow one takes one of eleven */
    cr_expect_float_eq(xl_estimate_left(&queue, &job), 100.0 / 11, 1e-9);
    queue.slots[1].job = &job; /* the slow one alone is at it */
    cr_expect_float_eq(xl_estimate_left(&queue, &job), 100, 1e-9);
    job.n_done = 10;
    cr_expect_float_eq(xl_estimate_left(&queue, &job), 100.0 / 11, 1e-9);
}
