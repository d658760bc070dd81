/* test_claims.c - which of several processes has a cell: one alone, the next when it has ended, by
 * its leave, by its process's end, or by silence; and what the others are told of it. */
#include "lab/run/claims.h"
#include "scratch.h"

#include "lab/run/claims_files.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define CELL "0123456789abcdef0123456789abcdef"

static void setup(void) {
    scratch_open();
}
static void teardown(void) {
    scratch_close();
}
TestSuite(claims, .init = setup, .fini = teardown);

static struct xl_claims *join(const char *instance, double beat_s) {
    struct xl_claims *claims = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_claims_open(scratch_dir, instance, beat_s, &claims, &err), XL_OK, "%s",
                 err.text);
    return claims;
}

static enum xl_claim take(struct xl_claims *claims, int *n_dead) {
    enum xl_claim how = XL_CLAIM_FREE;
    struct xl_err err = {0};
    cr_assert_eq(xl_claims_take(claims, CELL, &how, n_dead, &err), XL_OK, "%s", err.text);
    return how;
}

static void settle(struct xl_claims *claims, const char *sentence) {
    struct xl_err err = {0};
    cr_assert_eq(xl_claims_settle(claims, CELL, sentence, &err), XL_OK, "%s", err.text);
}

static struct xl_claims_seen see(struct xl_arena *arena) {
    struct xl_claims_seen seen;
    struct xl_err err = {0};
    cr_assert_eq(xl_claims_see(scratch_dir, arena, &seen, &err), XL_OK, "%s", err.text);
    return seen;
}

/* A process of another machine: nothing is known of it but its number. */
static void write_stranger(const char *name, unsigned long long beat, double every_s) {
    struct xl_worker_file file = {
        .process = {.host = "elsewhere", .boot = "x", .pid = 1, .start = 1, .pid_namespace = 1},
        .instance = "stranger",
        .every_s = every_s,
        .beat = beat};
    char text[XL_WORKER_TEXT];
    xl_worker_file_write(&file, text);
    scratch_puts(scratch(".claims/worker-%s", name), text);
}

Test(claims, one_has_it_and_says_what_became_of_it) {
    int n_dead;
    struct xl_claims *a = join("a", 10), *b = join("b", 10);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_OURS);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_OURS, "again");
    cr_assert_eq(take(b, &n_dead), XL_CLAIM_THEIRS);
    bool is_alive = false;
    cr_assert_eq(xl_claims_look_at(b, CELL, &is_alive), XL_CLAIM_THEIRS);
    cr_assert(is_alive, "a process of here is known to live");
    cr_assert(xl_claims_is_ours(a, CELL));
    cr_assert_not(xl_claims_is_ours(b, CELL));
    settle(b, NULL);
    cr_assert_eq(take(b, &n_dead), XL_CLAIM_THEIRS, "only who has it says what became of it");
    settle(a, NULL);
    cr_assert_eq(take(b, &n_dead), XL_CLAIM_DONE);
    xl_claims_close(a);
    cr_assert_eq(take(b, &n_dead), XL_CLAIM_DONE, "whoever is left");
    xl_claims_close(b);
}

Test(claims, who_leaves_gives_back) {
    int n_dead;
    struct xl_claims *a = join("a", 10), *b = join("b", 10);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_OURS);
    xl_claims_close(a);
    cr_assert_eq(take(b, &n_dead), XL_CLAIM_OURS);
    cr_assert_eq(n_dead, 0);
    settle(b, "steps: 0 is too few");
    char sentence[XL_CLAIM_SENTENCE];
    cr_assert(xl_claims_has_failed(scratch_dir, CELL, sentence));
    cr_assert_str_eq(sentence, "steps: 0 is too few");
    cr_assert_eq(take(b, &n_dead), XL_CLAIM_FAILED);
    xl_claims_close(b);
    xl_claims_clear(scratch_dir);
    cr_assert(access(scratch(".claims"), F_OK), "nothing is left");
}

Test(claims, a_worker_process_asks_the_files) {
    int n_dead;
    struct xl_claims *a = join("a", 10), *b = join("b", 10);
    const struct xl_claimant first = xl_claims_claimant(a), second = xl_claims_claimant(b);
    cr_assert_not(xl_claimant_has(&first, CELL), "nobody has it");
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_OURS);
    cr_assert(xl_claimant_has(&first, CELL));
    cr_assert_not(xl_claimant_has(&second, CELL));
    scratch_puts(scratch(".claims/%s.2", CELL), "worker somebody\n");
    cr_assert_not(xl_claimant_has(&first, CELL), "taken over");
    cr_assert_eq(unlink(scratch(".claims/%s.2", CELL)), 0);
    settle(a, NULL);
    cr_assert_not(xl_claimant_has(&first, CELL), "done");
    xl_claims_close(a);
    xl_claims_close(b);
}

Test(claims, collected_while_it_stood_still) {
    int n_dead;
    bool is_alive;
    struct xl_claims *a = join("a", 10);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_OURS);
    xl_claims_clear(scratch_dir);
    cr_assert_not(xl_claims_is_ours(a, CELL));
    cr_assert_eq(xl_claims_look_at(a, CELL, &is_alive), XL_CLAIM_DONE);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_DONE, "and nothing is made");
    struct xl_claims *b = join("b", 10); /* the folder is there again, and does not know a */
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_DONE);
    cr_assert_eq(take(b, &n_dead), XL_CLAIM_OURS);
    settle(a, NULL);
    xl_claims_close(a);
    xl_claims_close(b);
}

/* A child that takes the cell and is killed. */
static void take_and_die(void) {
    pid_t pid = fork();
    if (!pid) {
        struct xl_claims *claims = NULL;
        enum xl_claim how;
        int n_dead;
        if (xl_claims_open(scratch_dir, "child", 10, &claims, NULL)) _exit(1);
        if (xl_claims_take(claims, CELL, &how, &n_dead, NULL) || how != XL_CLAIM_OURS) _exit(2);
        raise(SIGKILL);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status), "child ended with %d", WEXITSTATUS(status));
}

static void wait_until_free(struct xl_claims *claims) {
    bool is_alive;
    while (xl_claims_look_at(claims, CELL, &is_alive) != XL_CLAIM_FREE)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

Test(claims, killed) {
    int n_dead = 0;
    take_and_die();
    struct xl_claims *a = join("a", 10);
    wait_until_free(a);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_OURS);
    cr_assert_eq(n_dead, 1);
    struct xl_arena arena = {0};
    struct xl_claims_seen seen = see(&arena);
    cr_assert_eq(seen.n, 2);
    cr_assert_eq(seen.n_at_work, 1);
    cr_assert_eq(seen.n_in_hand, 1);
    cr_assert(seen.workers[1].is_dead, "%s", seen.workers[1].instance);
    xl_arena_deinit(&arena);
    xl_claims_close(a);
}

Test(claims, silence_is_death_and_a_sign_is_life) {
    int n_dead;
    bool is_alive = true;
    write_stranger("s-1", 1, 0.2);
    scratch_puts(scratch(".claims/" CELL ".1"), "worker s-1\n");
    struct xl_claims *a = join("a", 0.2);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_THEIRS);
    xl_claims_listen(a);
    cr_assert_eq(xl_claims_look_at(a, CELL, &is_alive), XL_CLAIM_THEIRS);
    cr_assert_not(is_alive, "not heard of yet");
    write_stranger("s-1", 2, 0.2);
    cr_assert_eq(xl_claims_look_at(a, CELL, &is_alive), XL_CLAIM_THEIRS);
    cr_assert(is_alive, "it counts");
    wait_until_free(a); /* six intervals */
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_OURS);
    cr_assert_eq(n_dead, 1);
    /* It only slept, and finishes: then the picture is there and ours is not needed. */
    scratch_puts(scratch(".claims/" CELL ".1"), "worker s-1\ndone\n");
    cr_assert_not(xl_claims_is_ours(a, CELL));
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_DONE);
    xl_claims_close(a);
}

Test(claims, we_were_taken_for_dead) {
    int n_dead;
    struct xl_claims *a = join("a", 10);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_OURS);
    write_stranger("s-1", 1, 10);
    scratch_puts(scratch(".claims/" CELL ".2"), "worker s-1\n");
    cr_assert_not(xl_claims_is_ours(a, CELL));
    settle(a, NULL);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_THEIRS, "what we say does not count any more");
    xl_claims_close(a);
}

Test(claims, who_collects_takes_from_the_living) {
    int n_dead;
    struct xl_err err = {0};
    struct xl_claims *a = join("a", 10);
    const struct xl_claimant claimant = xl_claims_claimant(a);
    cr_assert_eq(xl_claims_seize(scratch_dir, CELL, &err), XL_OK, "%s", err.text);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_OURS, "what was nobody's is not taken");
    cr_assert_eq(xl_claims_seize(scratch_dir, CELL, &err), XL_OK, "%s", err.text);
    cr_assert_not(xl_claims_is_ours(a, CELL));
    cr_assert_not(xl_claimant_has(&claimant, CELL));
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_DONE);
    xl_claims_close(a);
}

Test(claims, who_collects_leaves_what_is_settled) {
    int n_dead;
    struct xl_err err = {0};
    char sentence[XL_CLAIM_SENTENCE];
    struct xl_claims *a = join("a", 10);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_OURS);
    settle(a, "it is too large");
    cr_assert_eq(xl_claims_seize(scratch_dir, CELL, &err), XL_OK, "%s", err.text);
    cr_assert(xl_claims_has_failed(scratch_dir, CELL, sentence));
    cr_assert_str_eq(sentence, "it is too large");
    xl_claims_close(a);
}

Test(claims, a_file_that_was_never_finished) {
    int n_dead;
    scratch_puts(scratch(".claims/" CELL ".1"), "");
    struct xl_claims *a = join("a", 0.1);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_THEIRS);
    wait_until_free(a);
    cr_assert_eq(take(a, &n_dead), XL_CLAIM_OURS);
    xl_claims_close(a);
}

/* A cell never has two owners, however many grasp for it. */
Test(claims, many_at_once) {
    enum { N = 8, CELLS = 100 };
    pid_t pids[N];
    int total = 0;
    for (int i = 0; i < N; i++) {
        pids[i] = fork();
        if (pids[i]) continue;
        struct xl_claims *claims = NULL;
        int n = 0, n_dead;
        if (xl_claims_open(scratch_dir, "many", 10, &claims, NULL)) _exit(255);
        for (int c = 0; c < CELLS; c++) {
            char id[33];
            enum xl_claim how;
            snprintf(id, sizeof id, "%032d", c);
            if (xl_claims_take(claims, id, &how, &n_dead, NULL)) _exit(254);
            n += how == XL_CLAIM_OURS;
            if (how == XL_CLAIM_OURS && xl_claims_settle(claims, id, NULL, NULL)) _exit(253);
        }
        xl_claims_close(claims);
        _exit(n);
    }
    for (int i = 0; i < N; i++) {
        int status;
        cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) <= CELLS, "child: %d", status);
        total += WEXITSTATUS(status);
    }
    cr_assert_eq(total, CELLS);
    struct xl_arena arena = {0};
    struct xl_claims_seen seen = see(&arena);
    cr_assert_eq(seen.n_done, CELLS);
    cr_assert_eq(seen.n_at_work, 0);
    cr_assert_eq(seen.n, N);
    xl_arena_deinit(&arena);
}

Test(claims, a_folder_that_is_not_there) {
    struct xl_claims *claims = NULL;
    struct xl_err err = {0};
    scratch_puts(scratch("file"), "x");
    cr_assert_eq(xl_claims_open(scratch("file"), "a", 10, &claims, &err), XL_EDISK);
    cr_assert(strstr(err.text, "file/.claims"), "%s", err.text);
}
