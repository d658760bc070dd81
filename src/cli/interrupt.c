/* interrupt.c - Ctrl-C, SIGTERM and the end of the terminal (SIGHUP): the first asks for a stop,
 * the second ends the process. */
#include "cli/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* Atomic, not sig_atomic_t: the signal reaches any thread, and the threads of all painters ask. */
static atomic_int received;
static atomic_bool end_is_wanted;

/* A terminal that is closed says so more than once (its shell and the system): nobody is impatient.
 */
static void handle(int number) {
    if (number == SIGHUP && atomic_load(&received)) return;
    if (atomic_exchange(&received, number)) _exit(128 + number);
}

static void note_end(int number) {
    (void)number;
    atomic_store(&end_is_wanted, true);
}

void xl_interrupt_install(void) {
    struct sigaction action = {.sa_handler = handle};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction end = {.sa_handler = note_end, .sa_flags = SA_RESTART};
    sigemptyset(&end.sa_mask);
    sigaction(SIGUSR1, &end, NULL);
    struct sigaction before; /* nohup means what it says */
    if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
    /* A closed pipe and a file size limit are write errors with a sentence, not silent deaths. */
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

bool xl_interrupted(void) {
    return received != 0;
}
bool xl_interrupt_wants_end(void) {
    return atomic_load(&end_is_wanted);
}
int xl_interrupt_exit_code(void) {
    return received ? 128 + received : 130;
}
