/* key.c - one key in a terminal's non-canonical mode. The mode lasts as long as a key is waited
 * for. A signal that comes then is noted, the terminal put back, and the signal sent again to do
 * what it would have done: ask for the end (interrupt.h), or stop the program until it goes on. */
#include "cli/key.h"
#include "cli/interrupt.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
enum { N_SIGNALS = sizeof signals / sizeof *signals };

static volatile sig_atomic_t noted; /* the signal that came; 0: none */
static int wake[2];                 /* a pipe: the signal may come to any thread, at any time */

static void note(int number) {
    int before = errno;
    noted = number;
    if (write(wake[1], "", 1) < 0) noted = number; /* full: it wakes all the same */
    errno = before;
}

/* How things were before a key was waited for. */
struct before {
    struct termios mode;
    struct sigaction actions[N_SIGNALS];
};

bool xl_key_can_be_read(void) {
    struct termios mode;
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !tcgetattr(STDIN_FILENO, &mode);
}

static bool begin(struct before *before) {
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    if (tcgetattr(STDIN_FILENO, &before->mode) || pipe2(wake, O_CLOEXEC | O_NONBLOCK)) return false;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < N_SIGNALS; i++) {
        sigaction(signals[i], NULL, &before->actions[i]);
        if (before->actions[i].sa_handler != SIG_IGN) sigaction(signals[i], &action, NULL);
    }
    struct termios mode = before->mode;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &mode);
    return true;
}

/* Whether a signal had come, which has done its work when this returns. */
static bool end(const struct before *before) {
    tcsetattr(STDIN_FILENO, TCSANOW, &before->mode);
    for (int i = 0; i < N_SIGNALS; i++) sigaction(signals[i], &before->actions[i], NULL);
    close(wake[0]);
    close(wake[1]);
    int number = noted;
    noted = 0;
    if (number) raise(number);
    return number != 0;
}

/* Wait for input or a signal, at most so long (-1: for ever); whether there is input. */
static bool wait_for_input(int ms) {
    struct pollfd from[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = wake[0], .events = POLLIN}};
    while (!noted && poll(from, 2, ms) < 0 && errno == EINTR) {
    }
    return !noted && from[0].revents;
}

/* What was typed; 0: the input ended, -1: a signal came, or it is no key here. */
static int read_one(void) {
    enum { ESCAPE = 27, CTRL_D = 4, ESCAPE_MS = 50 };
    unsigned char typed[3] = {0};
    if (!wait_for_input(-1)) return -1;
    if (read(STDIN_FILENO, typed, 1) <= 0 || *typed == CTRL_D) return 0;
    if (*typed != ESCAPE) return tolower(*typed);
    for (int i = 1; i < 3; i++)
        if (!wait_for_input(ESCAPE_MS) || read(STDIN_FILENO, &typed[i], 1) <= 0) return -1;
    bool is_arrow = typed[1] == '[' || typed[1] == 'O';
    return is_arrow && typed[2] == 'D' ? '1' : is_arrow && typed[2] == 'C' ? '2' : -1;
}

char xl_key_read(const char *keys) {
    for (;;) {
        struct before before;
        int key = -1;
        if (!begin(&before)) return 0;
        while (!noted && (key < 0 || (key && !strchr(keys, key)))) key = read_one();
        if (!end(&before)) return (char)key;
        if (xl_interrupted()) return 0;
    }
}
