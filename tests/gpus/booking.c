/* booking.c - sixteen processes that want eight GPUs again and again, while others come and go on
 * those, and some of the sixteen are killed while they have one: none is booked twice, none that
 * somebody else is on is booked, none stays free for more than a look while one waits.
 *
 *   booking LIBRARY FOLDER ROUNDS
 *
 * Each process books ROUNDS times. Prints "N passed, N failed".
 */
#include "gpu/card.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N_RUNNERS = 16, N_GPUS = 8 };

/* What all processes see. */
static struct {
    atomic_int owner[N_GPUS];      /* process that has it; 0: nobody */
    atomic_uint turn[N_GPUS];      /* counts each taking and giving back */
    atomic_int is_foreign[N_GPUS]; /* somebody else is on it */
    atomic_uint foreign_turn;      /* counts changes of those */
    atomic_int left[N_RUNNERS];    /* rounds to go */
    atomic_long n_booked, n_waits, n_killed, n_double, n_shared, n_idle, n_errors;
    atomic_bool is_over;
} * all;

static const char *folder;

static void pause_us(long us) {
    nanosleep(&(struct timespec){0, us * 1000}, NULL);
}

/* --- Others on the GPUs ----------------------------------------------------------------------- */

static void write_script(void) {
    char path[512], next[512];
    snprintf(path, sizeof path, "%s/script", folder);
    snprintf(next, sizeof next, "%s/next", folder);
    FILE *file = fopen(next, "w");
    if (!file) exit(2);
    for (int i = 0; i < N_GPUS; i++)
        fprintf(file, "gpu GPU-%d procs=%d\n", i, atomic_load(&all->is_foreign[i]));
    if (fclose(file) || rename(next, path)) exit(2);
}

/* One GPU after the other has a process of somebody else's for a moment. */
static void come_and_go(void) {
    for (int i = 0; !atomic_load(&all->is_over); i = (i + 3) % N_GPUS) {
        atomic_store(&all->is_foreign[i], 1);
        atomic_fetch_add(&all->foreign_turn, 1);
        write_script();
        atomic_fetch_add(&all->foreign_turn, 1);
        pause_us(20000);
        atomic_fetch_add(&all->foreign_turn, 1);
        atomic_store(&all->is_foreign[i], 0);
        write_script();
        atomic_fetch_add(&all->foreign_turn, 1);
        pause_us(20000);
    }
}

/* --- One of the sixteen ----------------------------------------------------------------------- */

/* How things stood before somebody tried to book. */
struct before {
    unsigned turn[N_GPUS], foreign_turn;
    bool is_free[N_GPUS], is_foreign[N_GPUS];
};

static struct before look(void) {
    struct before before = {.foreign_turn = atomic_load(&all->foreign_turn)};
    for (int i = 0; i < N_GPUS; i++) {
        before.turn[i] = atomic_load(&all->turn[i]);
        before.is_foreign[i] = atomic_load(&all->is_foreign[i]);
        before.is_free[i] = !atomic_load(&all->owner[i]) && !before.is_foreign[i];
    }
    return before;
}

/* The script says what is_foreign does, and did so all the time. */
static bool is_settled(const struct before *before) {
    return before->foreign_turn % 2 == 0 && atomic_load(&all->foreign_turn) == before->foreign_turn;
}

static void use(struct xl_card *card, const struct before *before, bool dies) {
    int i = card->gpu.index, nobody = 0;
    if (before->is_foreign[i] && is_settled(before)) atomic_fetch_add(&all->n_shared, 1);
    if (!atomic_compare_exchange_strong(&all->owner[i], &nobody, getpid()))
        atomic_fetch_add(&all->n_double, 1);
    atomic_fetch_add(&all->turn[i], 1);
    pause_us(300);
    atomic_fetch_add(&all->n_booked, 1);
    atomic_store(&all->owner[i], 0);
    atomic_fetch_add(&all->turn[i], 1);
    if (dies) raise(SIGKILL);
    xl_card_release(card);
}

/* Nothing was booked: then nothing may have been free all the time. A lock that somebody has is one
 * that is being used, or looked at: for as long as that takes, another cannot have it, so a GPU may
 * be missed in one look, but not in the next as well. */
static void judge_wait(const char *lock_dir, const struct before *before) {
    static bool was_missed[N_GPUS];
    static unsigned missed_turn[N_GPUS];
    char owner[XL_LOCK_OWNER], uuid[32];
    atomic_fetch_add(&all->n_waits, 1);
    for (int i = 0; i < N_GPUS; i++) {
        snprintf(uuid, sizeof uuid, "GPU-%d", i);
        bool is_locked = xl_card_look(lock_dir, uuid, owner, NULL) || owner[0];
        bool is_missed = before->is_free[i] && !is_locked &&
                         atomic_load(&all->turn[i]) == before->turn[i] && is_settled(before);
        if (is_missed && was_missed[i] && missed_turn[i] == before->turn[i])
            atomic_fetch_add(&all->n_idle, 1);
        was_missed[i] = is_missed;
        missed_turn[i] = before->turn[i];
    }
}

static void run(int number) {
    struct xl_gpus *gpus = NULL;
    struct xl_err err = {0};
    struct xl_card_wish wish = {.rule = xl_idle_rule_default(), .most = 1};
    char locks[512];
    snprintf(locks, sizeof locks, "%s/locks", folder);
    wish.lock_dir = locks;
    wish.rule.n_samples = 2;
    wish.rule.interval_s = 0;
    if (xl_gpus_open(false, &gpus, &err)) {
        fprintf(stderr, "%s\n", err.text);
        _exit(1);
    }
    while (atomic_load(&all->left[number]) > 0) {
        struct xl_str why = {0};
        struct xl_card card[1];
        int n = 0;
        const struct before before = look();
        if (xl_cards_take(gpus, &wish, card, &n, &why, &err)) {
            fprintf(stderr, "%s\n", err.text);
            _exit(1);
        }
        xl_str_deinit(&why);
        if (n) {
            int left = atomic_fetch_sub(&all->left[number], 1);
            use(card, &before, left % 50 == 0);
        } else {
            judge_wait(locks, &before);
            pause_us(200);
        }
    }
    xl_gpus_close(gpus);
    _exit(0);
}

/* A runner that was killed is started again. */
static void run_all(void) {
    pid_t pids[N_RUNNERS], pid;
    int status;
    for (int i = 0; i < N_RUNNERS; i++)
        if (!(pids[i] = fork())) run(i);
    for (int n_there = N_RUNNERS; n_there && (pid = waitpid(-1, &status, 0)) > 0;) {
        int i = 0;
        while (i < N_RUNNERS && pids[i] != pid) i++;
        if (i == N_RUNNERS) continue;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
            atomic_fetch_add(&all->n_killed, 1);
            if (!(pids[i] = fork())) run(i);
            continue;
        }
        if (status) atomic_fetch_add(&all->n_errors, 1);
        n_there--;
    }
}

static int n_failed, n_passed;
static void check(bool is_good, const char *what, long n) {
    printf("%s %s (%ld)\n", is_good ? "ok  " : "FAIL", what, n);
    n_passed += is_good;
    n_failed += !is_good;
}

int main(int argc, char **argv) {
    int rounds = argc > 3 ? atoi(argv[3]) : 0;
    char path[512];
    if (rounds < 1 || !dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL)) return 2;
    folder = argv[2];
    snprintf(path, sizeof path, "%s/script", folder);
    setenv("FAKE_NVML", path, 1);
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return 2;
    for (int i = 0; i < N_RUNNERS; i++) atomic_store(&all->left[i], rounds);
    write_script();
    pid_t others = fork();
    if (!others) {
        come_and_go();
        _exit(0);
    }
    run_all();
    atomic_store(&all->is_over, true);
    waitpid(others, NULL, 0);
    check(all->n_booked == (long)rounds * N_RUNNERS, "all rounds were booked", all->n_booked);
    check(!all->n_errors, "no process failed", all->n_errors);
    check(!all->n_double, "no GPU was booked twice", all->n_double);
    check(!all->n_shared, "none that somebody else was on", all->n_shared);
    check(!all->n_idle, "none was free for more than a look while one waited", all->n_idle);
    check(all->n_waits > 0, "there was waiting", all->n_waits);
    check(rounds < 50 || all->n_killed > 0, "some were killed with a GPU in hand", all->n_killed);
    printf("%d passed, %d failed\n", n_passed, n_failed);
    return n_failed > 0;
}
