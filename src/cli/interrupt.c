/* interrupt.c - Ctrl-C and SIGTERM: the first asks for a stop, the second ends the process. */
#include "cli/cli.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* Atomic, not sig_atomic_t: the signal reaches any thread, and the threads of all painters ask. */
static atomic_int received;

static void handle(int number) {
    if (atomic_exchange(&received, number)) _exit(128 + number);
}

void xl_interrupt_install(void) {
    struct sigaction action = {.sa_handler = handle};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* A closed pipe and a file size limit are write errors with a sentence, not silent deaths. */
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

bool xl_interrupted(void) {
    return received != 0;
}
int xl_interrupt_exit_code(void) {
    return received ? 128 + received : 130;
}
