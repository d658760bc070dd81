/* test_lock.c - one owner at a time, whatever the file system answers: with its locks, with none
 * (as NFS without its daemon, Lustre without "flock" and some FUSE file systems answer), after
 * owners that were killed, and beside claims of other machines and containers. */
#include "base/lock.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* What fcntl answers to somebody who asks for a lock; 0: what the system does. */
static int no_locks_errno;

/* In the place of libc's: the program's own definition comes first. */
int fcntl(int fd, int command, ...) {
    va_list args;
    va_start(args, command);
    void *argument = va_arg(args, void *);
    va_end(args);
    if (command == F_OFD_SETLK && no_locks_errno) {
        errno = no_locks_errno;
        return -1;
    }
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

static void setup(void) {
    scratch_open();
}
static void teardown(void) {
    scratch_close();
}
TestSuite(lock, .init = setup, .fini = teardown);

static struct xl_lock *take(char owner[XL_LOCK_OWNER]) {
    struct xl_lock *lock = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_lock_take(scratch("a.lock"), &lock, owner, &err), XL_OK, "%s", err.text);
    return lock;
}

/* A process that tries to take the lock, says whether it did, and holds it until it is told. */
struct child {
    pid_t pid;
    int said, told;
};

static struct child start_child(void) {
    int said[2], told[2];
    cr_assert_eq(pipe(said) | pipe(told), 0);
    pid_t pid = fork();
    if (pid) {
        close(said[1]);
        close(told[0]);
        return (struct child){pid, said[0], told[1]};
    }
    char owner[XL_LOCK_OWNER], byte;
    struct xl_lock *lock = NULL;
    enum xl_status status = xl_lock_take(scratch("a.lock"), &lock, owner, NULL);
    byte = status ? 'f' : lock ? 'y' : 'n';
    if (write(said[1], &byte, 1) != 1 || read(told[0], &byte, 1) < 0) _exit(1);
    xl_lock_release(lock);
    _exit(0);
}

static char answer_of(const struct child *child) {
    char byte = 0;
    cr_assert_eq(read(child->said, &byte, 1), 1);
    return byte;
}

static void end_child(const struct child *child, int signal_number) {
    signal(SIGPIPE, SIG_IGN);
    if (signal_number) kill(child->pid, signal_number);
    (void)!write(child->told, "x", 1);
    close(child->told);
    waitpid(child->pid, NULL, 0);
    close(child->said);
}

static const int answers[] = {0, ENOLCK, ENOSYS, EOPNOTSUPP, EINVAL};
enum { N_ANSWERS = sizeof answers / sizeof *answers };

Test(lock, one_owner_at_a_time) {
    for (int i = 0; i < N_ANSWERS; i++) {
        no_locks_errno = answers[i];
        char owner[XL_LOCK_OWNER];
        struct xl_lock *first = take(owner);
        cr_assert_not_null(first, "%s", strerror(answers[i]));
        cr_expect_str_eq(owner, "");
        cr_expect_null(take(owner), "%s", strerror(answers[i]));
        cr_expect_not_null(strstr(owner, "process"), "%s", owner);
        xl_lock_release(first);
        struct xl_lock *again = take(owner);
        cr_expect_not_null(again, "%s", strerror(answers[i]));
        xl_lock_release(again);
        cr_expect(access(scratch("a.lock.owner"), F_OK) != 0, "a claim is left");
    }
}

Test(lock, of_forty_at_once_one_is_the_owner_and_a_killed_one_owns_nothing, .timeout = 120) {
    enum { N = 40 };
    for (int i = 0; i < 2; i++) {
        no_locks_errno = answers[i];
        for (int round = 0; round < 3; round++) {
            struct child children[N];
            int owner = -1;
            for (int c = 0; c < N; c++) children[c] = start_child();
            for (int c = 0; c < N; c++) {
                char answer = answer_of(&children[c]);
                cr_expect(answer == 'y' || answer == 'n', "%c", answer);
                if (answer != 'y') continue;
                cr_expect_eq(owner, -1, "%d and %d own it", owner, c);
                owner = c;
            }
            cr_expect_geq(owner, 0, "nobody owns it");
            /* The next round finds what a killed process left. */
            for (int c = 0; c < N; c++) end_child(&children[c], c == owner ? SIGKILL : 0);
        }
        unlink(scratch("a.lock.owner"));
    }
}

/* Whoever was killed has ended, also while its parent has not asked how: in a container it may
 * never. */
Test(lock, who_was_killed_and_not_waited_for_owns_nothing) {
    char owner[XL_LOCK_OWNER];
    siginfo_t how;
    no_locks_errno = ENOLCK;
    struct child child = start_child();
    cr_assert_eq(answer_of(&child), 'y');
    kill(child.pid, SIGKILL);
    cr_assert_eq(waitid(P_PID, (id_t)child.pid, &how, WEXITED | WNOWAIT), 0);
    struct xl_lock *lock = take(owner);
    cr_expect_not_null(lock, "%s", owner);
    xl_lock_release(lock);
    end_child(&child, 0);
}

static void write_claim(const char *format, ...) {
    FILE *file = fopen(scratch("a.lock.owner"), "w");
    va_list args;
    va_start(args, format);
    vfprintf(file, format, args);
    va_end(args);
    fclose(file);
}

/* Of this host and boot only what has surely ended is taken over. */
Test(lock, claims_of_others_stand_until_they_have_surely_ended) {
    char owner[XL_LOCK_OWNER], host[80] = "", boot[48] = "";
    struct stat st;
    no_locks_errno = ENOLCK;
    gethostname(host, sizeof host - 1);
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    cr_assert(file && fscanf(file, "%47s", boot) == 1);
    fclose(file);
    cr_assert_eq(stat("/proc/self/ns/pid", &st), 0);
    unsigned long long here = st.st_ino;

    write_claim("host elsewhere boot %s namespace %llu process 1 start 1\n", boot, here);
    cr_expect_null(take(owner));
    cr_expect_not_null(strstr(owner, "process 1 on host elsewhere; if that does not run"), "%s",
                       owner);
    cr_expect_not_null(strstr(owner, "a.lock.owner"), "%s", owner);

    write_claim("host %s boot %s namespace 7 process 999999 start 1\n", host, boot);
    cr_expect_null(take(owner), "of another container nothing can be told");

    write_claim("not what we write");
    cr_expect_null(take(owner));
    cr_expect_not_null(strstr(owner, "remove it if nobody is at work"), "%s", owner);

    const struct {
        const char *boot;
        int pid;
    } ended[] = {
        {"of-long-ago", getpid()},
        {boot, 2000000000},
        {boot, getpid()}, /* which began at another time */
    };
    for (size_t i = 0; i < sizeof ended / sizeof *ended; i++) {
        write_claim("host %s boot %s namespace %llu process %d start 1\n", host, ended[i].boot,
                    here, ended[i].pid);
        struct xl_lock *lock = take(owner);
        cr_expect_not_null(lock, "case %zu: %s", i, owner);
        xl_lock_release(lock);
    }
}

Test(lock, what_cannot_be_locked_is_said) {
    char owner[XL_LOCK_OWNER];
    struct xl_lock *lock = NULL;
    struct xl_err err = {0};
    cr_expect_eq(xl_lock_take(scratch("no/such/folder"), &lock, owner, &err), XL_EDISK);
    cr_expect_not_null(strstr(err.text, "cannot be locked: No such file"), "%s", err.text);
    cr_assert_eq(mkfifo(scratch("pipe"), 0600), 0);
    cr_expect_eq(xl_lock_take(scratch("pipe"), &lock, owner, &err), XL_EDISK);
    cr_expect_not_null(strstr(err.text, "is not a regular file"), "%s", err.text);
    cr_assert_eq(symlink(scratch("elsewhere"), scratch("link")), 0);
    cr_expect_eq(xl_lock_take(scratch("link"), &lock, owner, &err), XL_EDISK);
    cr_expect_null(lock);
}
