/* state.h - what a night knows of itself, in night.json of its run directory: written whole, again
 * and again while it runs, and read by whoever goes on with it, asks for it or reports on it.
 *
 * Which pictures there are is not in it: they are on the disk. What it holds is what they do not
 * say: how far in the list of jobs it is, what failed, how long it ran, why it pauses.
 */
#ifndef XL_JOBS_NIGHT_STATE_H
#define XL_JOBS_NIGHT_STATE_H

#include "base/status.h"

#include <jansson.h>
#include <time.h>

enum xl_night_phase {
    XL_NIGHT_DRAWS,
    XL_NIGHT_PAUSES,
    XL_NIGHT_STOPPED, /* by a person: it may go on */
    XL_NIGHT_DONE,    /* a limit was reached, or there is nothing left */
    XL_NIGHT_GIVEN_UP /* after too many failures: it may go on */
};
/* "drawing", "paused", "stopped", "done", "given up" */
const char *xl_night_phase_name(enum xl_night_phase phase);

struct xl_night_state {
    char *config;                    /* path of the file */
    char digest[65];                 /* of what decides its jobs */
    uint64_t seed;                   /* of the list of jobs */
    char begun[21];                  /* as xl_iso8601_utc has it */
    char written[21];                /* when this was written */
    time_t until;                    /* 0: no time */
    double bound_s;                  /* the time until then when it began, 0: none; see guard.h */
    double elapsed_s;                /* that it ran, over all its processes */
    int64_t n_taken;                 /* of the list */
    int64_t n_jobs;                  /* jobs that it has, added ones too */
    int n_done, n_failed, n_waiting; /* pictures */
    int64_t bytes;                   /* of its pictures */
    enum xl_night_phase phase;
    char *why;        /* a sentence: of a pause, or of the end; NULL: none */
    json_t *failures; /* object: cell -> {"n", "status", "error"} */
    json_t *refused;  /* array of {"job", "error"}: jobs that could not be planned */
    json_t *energy_j; /* object: GPU -> joules */
    json_t *workers;  /* array: who draws now, as night status shows it */
    json_t *events;   /* array of {"at", "text"}, the newest last, at most XL_NIGHT_EVENTS */
    int n_losses;     /* workers that died, GPUs that were lost or left to others */
    json_t *losses; /* array of the last of them, at most XL_NIGHT_LOSSES: {"at", "worker", "name",
                       "how", "error", "cells"} */
};
enum { XL_NIGHT_EVENTS = 200, XL_NIGHT_LOSSES = 500 };

/* A state of a night that has not begun. Errors: XL_ENOMEM */
enum xl_status xl_night_state_init(struct xl_night_state *state, struct xl_err *err) XL_CHECKED;
void xl_night_state_deinit(struct xl_night_state *state);

/* Append an event: what happened, for people. Out of memory: it is left out. */
void xl_night_state_note(struct xl_night_state *state, const char *text);
/* Replace the sentence; NULL: none. */
void xl_night_state_say(struct xl_night_state *state, const char *why);

/* A worker that died, or a GPU that is gone: who it was, and what it had in hand. */
struct xl_night_loss {
    const char *worker, *name; /* name: of the GPU; "": not known */
    enum xl_status status; /* XL_EWORKER, XL_EDEVICE the GPU is lost, XL_EYIELD somebody else's */
    const char *error;     /* the sentence */
};
/* Append a loss without cells; the entry is the state's. NULL: out of memory, it is left out. */
json_t *xl_night_state_lose(struct xl_night_state *state, const struct xl_night_loss *loss);
/* A cell that is drawn again for it; entry NULL: nothing is done. */
void xl_night_loss_add(json_t *entry, const char *cell);
/* What a loss is called: "worker died", "GPU lost", "GPU left to others" */
const char *xl_night_loss_name(enum xl_status status);

/* Of a cell's failures: their number after one more, or as it is. */
int xl_night_state_fail(struct xl_night_state *state, const char *cell, enum xl_status status,
                        const char *error);
/* One more failure of a cell is on record: how many, and the last one; 0: none. */
int xl_night_state_failures(const struct xl_night_state *state, const char *cell,
                            enum xl_status *status, const char **error);

/* night.json of a run directory. write: Errors: XL_EDISK, XL_ENOMEM. read: XL_EINPUT there is
 * none, or it is damaged; XL_ENOMEM. On success the caller owns *out. */
enum xl_status xl_night_state_write(struct xl_night_state *state, const char *dir,
                                    struct xl_err *err) XL_CHECKED;
enum xl_status xl_night_state_read(const char *dir, struct xl_night_state *out,
                                   struct xl_err *err) XL_CHECKED;

/* --- Finding nights (find.c) ------------------------------------------------------------------ */

/* The night that a text means: its folder, a file of its configuration (then its newest night in
 * output_dir), or with NULL the newest in output_dir. *dir: malloc'd. only_open: one that is done
 * does not count. *dir NULL: there is none. Errors: XL_EINPUT output_dir cannot be read, or the
 * folder that was named is no night's; XL_ENOMEM */
enum xl_status xl_night_find(const char *output_dir, const char *what, bool only_open, char **dir,
                             struct xl_err *err) XL_CHECKED;

/* The folders of nights in output_dir, the newest first: [*n], in the arena. One that cannot be
 * read has none. Errors: XL_ENOMEM */
struct xl_arena;
enum xl_status xl_nights_list(const char *output_dir, struct xl_arena *arena,
                              const char *const **dirs, int *n, struct xl_err *err) XL_CHECKED;

/* The phase in a word; "killed" where the process has not said how it ended. */
const char *xl_night_state_name(const struct xl_night_state *state, bool is_running);

/* Whether a process works on a night now. Errors: XL_EDISK */
enum xl_status xl_night_is_running(const char *dir, bool *is_running,
                                   struct xl_err *err) XL_CHECKED;

#endif
