/* test_work.c - what a run has to draw: who gets what, what comes back, when to stop. */
#include "lab/run/work.h"

#include <criterion/criterion.h>
#include <string.h>

enum { N = 12 };

static struct xl_cell cells[N];
static int order[N];
static struct xl_outcome outcomes[N];
static struct xl_sweep_model models[3];
static struct xl_sweep sweep = {
    .models = models, .n_models = 3, .cells = cells, .n_cells = N, .order = order};
static struct xl_run_dir run = {.outcomes = outcomes, .n_outcomes = N};
static struct xl_work *work;
static struct xl_err err;

/* Three models of four cells, two of a job. */
static void begin(void) {
    for (int i = 0; i < N; i++) {
        cells[i] = (struct xl_cell){.index = i, .model = i / 4, .job = i / 2, .scheduler = "euler"};
        order[i] = i;
    }
}

static void end(void) {
    xl_work_free(work);
}

TestSuite(work, .init = begin, .fini = end);

static void start(int most, int n_painters) {
    cr_assert_eq(xl_work_new(&sweep, &run, most, n_painters, &work, &err), XL_OK, "%s", err.text);
}

static struct xl_share take(int painter) {
    struct xl_share share = {.n = 0};
    cr_assert(xl_work_take(work, painter, &share));
    return share;
}

static void settle(int painter, struct xl_share share, bool is_last) {
    cr_expect_eq(xl_work_settle(work, painter, share.model, share.n), is_last);
}

Test(work, one_painter_gets_everything_in_order) {
    outcomes[1].state = XL_CELL_DONE;
    start(0, 1);
    cr_expect_eq(xl_work_count(work), N - 1);
    const int sizes[] = {1, 2, 2, 2, 2, 2};
    int next = 0;
    for (int i = 0; i < 6; i++) {
        struct xl_share share = take(0);
        cr_expect_eq(share.n_before, next);
        cr_assert_eq(share.n, sizes[i]);
        for (int k = 0; k < share.n; k++, next++)
            cr_expect_eq(share.cells[k], next + (next > 0), "share %d", i);
        settle(0, share, i % 2);
    }
    struct xl_share none;
    cr_expect(!xl_work_take(work, 0, &none));
    cr_expect_eq(xl_work_status(work, &err), XL_OK);
}

Test(work, a_share_is_as_large_as_asked) {
    start(3, 1);
    cr_expect_eq(take(0).n, 3);
    cr_expect_eq(take(0).n, 1, "of one model");
}

Test(work, painters_keep_to_their_model) {
    start(0, 2);
    cr_expect_eq(take(0).model, 0);
    cr_expect_eq(take(1).model, 1);
    cr_expect_eq(take(0).model, 0);
    cr_expect_eq(take(1).model, 1);
    cr_expect_eq(take(0).model, 2, "nobody has it");
    cr_expect_eq(take(1).model, 2, "better than nothing");
}

/* The model that a painter is told to expect; -1: none. */
static int expected(int painter) {
    struct xl_share share = {.model = -2};
    bool is_there = xl_work_expect(work, painter, &share);
    cr_expect(!is_there || (share.n == 2 && share.cells[0] == 4 * share.model));
    return is_there ? share.model : -1;
}

Test(work, painters_get_what_they_expect) {
    start(0, 2);
    cr_expect_eq(take(0).model, 0);
    cr_expect_eq(expected(0), 1);
    cr_expect_eq(take(1).model, 2, "the other one makes 1 ready");
    cr_expect_eq(expected(1), -1);
    take(0);
    cr_expect_eq(take(0).model, 1);
    cr_expect_eq(expected(0), -1);
}

Test(work, who_has_nothing_takes_what_another_expects) {
    start(0, 3);
    cr_expect_eq(take(0).model, 0);
    cr_expect_eq(expected(0), 1);
    cr_expect_eq(take(1).model, 2);
    cr_expect_eq(take(2).model, 1);
    take(0);
    cr_expect_eq(take(0).model, 1, "together with the third");
}

Test(work, what_came_back_is_expected_first) {
    start(0, 2);
    struct xl_share share = take(0), next = {.n = 0};
    cr_assert_eq(xl_work_return(work, 0, &share, &err), XL_OK);
    (void)xl_work_take_model(work, 0, 0);
    take(1);
    cr_assert_eq(take(0).cells[0], share.cells[0]);
    cr_assert(xl_work_expect(work, 0, &next));
    cr_expect_eq(next.model, 2);
}

Test(work, what_comes_back_is_drawn_next) {
    start(0, 2);
    struct xl_share share = take(0);
    cr_assert_eq(xl_work_return(work, 0, &share, &err), XL_OK);
    struct xl_share again = take(0);
    cr_expect_eq(again.cells[0], share.cells[0]);
    cr_expect_eq(again.n_lost, 1);
    settle(0, again, false);
    settle(0, take(0), true);
}

Test(work, the_rest_of_a_model) {
    start(0, 1);
    struct xl_share share = take(0), rest = xl_work_take_model(work, 0, 0);
    cr_expect_eq(rest.n, 2);
    cr_expect_eq(rest.cells[0], 2);
    settle(0, share, false);
    settle(0, rest, true);
    cr_expect_eq(take(0).model, 1);
}

Test(work, equal_failures_stop_it) {
    start(0, 1);
    for (int i = 0; i < 9; i++) xl_work_failed(work, XL_EINVAL, "no");
    xl_work_succeeded(work);
    for (int i = 0; i < 9; i++) xl_work_failed(work, XL_EINVAL, "no");
    xl_work_failed(work, XL_EINVAL, "another");
    for (int i = 0; i < 9; i++) xl_work_failed(work, XL_EINVAL, "no");
    cr_expect(!xl_work_is_stopped(work));
    xl_work_failed(work, XL_EINVAL, "no");
    cr_expect(xl_work_is_stopped(work));
    cr_expect_eq(xl_work_status(work, &err), XL_EPARTIAL);
    cr_expect_str_eq(err.text, "stopped after 10 equal failures in a row: no");
    struct xl_share none;
    cr_expect(!xl_work_take(work, 0, &none));
    xl_work_stop(work, XL_ECANCELLED, "late");
    cr_expect_eq(xl_work_status(work, &err), XL_EPARTIAL, "the first reason counts");
}

Test(work, who_leaves_brings_back_what_it_had) {
    start(0, 2);
    struct xl_share kept = take(0), left = take(1);
    struct xl_leaving leaving = {.painter = 1, .share = left, .status = XL_EYIELD, .text = "bye"};
    cr_assert_eq(xl_work_leave(work, &leaving, &err), XL_OK);
    struct xl_share next;
    cr_expect(xl_work_expect(work, 0, &next) && next.model == 1, "nobody has it any more");
    settle(0, kept, false);
    settle(0, take(0), true);
    struct xl_share again = take(0);
    cr_expect(again.cells[0] == left.cells[0] && !again.n_lost);
    leaving = (struct xl_leaving){.share = again, .status = XL_EDEVICE, .text = "lost"};
    cr_assert_eq(xl_work_leave(work, &leaving, &err), XL_OK);
    cr_expect(xl_work_is_stopped(work));
    cr_expect_eq(xl_work_status(work, &err), XL_EDEVICE);
    cr_expect_str_eq(err.text, "lost");
}

Test(work, who_may_return_stops_nothing) {
    start(0, 1);
    struct xl_share left = take(0);
    const struct xl_leaving leaving = {
        .may_return = true, .share = left, .status = XL_EYIELD, .text = "bye"};
    cr_assert_eq(xl_work_leave(work, &leaving, &err), XL_OK);
    cr_expect(!xl_work_is_stopped(work));
    cr_expect(xl_work_pause(work), "there is something for it later");
    struct xl_share again = take(0);
    cr_expect(again.cells[0] == left.cells[0] && !again.n_lost);
    xl_work_stop(work, XL_OK, "");
    cr_expect(!xl_work_pause(work));
}
