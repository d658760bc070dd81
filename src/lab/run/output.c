/* output.c - a group of a run comes to disk: pictures, then lines and page; or
 * what is left of it when its painter was lost. */
#include "lab/run/output.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "hub/hub.h"
#include "image/sheet.h"
#include "lab/cell/cell_axes.h"
#include "lab/run/run_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Pictures --------------------------------------------------------------------------------- */

static const struct xl_cell *cell_of(const struct xl_drawn *drawn, int i) {
    return &drawn->group.sweep->cells[drawn->group.cells[i]];
}

static void note_picture(const struct xl_writer_params *params, const struct xl_cell *cell,
                         const struct xl_outcome *outcome, const char *label) {
    params->run->outcomes[cell->index] = *outcome;
    if (params->hooks.saved) params->hooks.saved(params->hooks.user, cell, outcome->path, label);
}

static void note_theirs(const struct xl_writer_params *params, const int *cells, int n) {
    for (int i = 0; i < n; i++) params->run->outcomes[cells[i]].state = XL_CELL_ELSEWHERE;
}

/* *n_saved: how many of the group, from its first on. */
static enum xl_status save_all(const struct xl_writer_params *params, struct xl_drawn *drawn,
                               int *n_saved, struct xl_err *err) {
    for (int i = 0; i < drawn->group.n; i++) {
        char *path = NULL;
        const struct xl_cell *cell = cell_of(drawn, i);
        enum xl_status status = drawn->painter->save(drawn->painter, drawn, i, &path, err);
        if (status) return status;
        *n_saved += 1;
        if (!path) { /* taken over */
            note_theirs(params, &drawn->group.cells[i], 1);
            continue;
        }
        const struct xl_outcome outcome = {.state = XL_CELL_DONE,
                                           .path = path,
                                           .width = drawn->group.rung.width,
                                           .height = drawn->group.rung.height,
                                           .scheduler_config = json_incref(drawn->scheduler_config),
                                           .drawn_by = json_incref(drawn->drawn_by),
                                           .seconds = drawn->total_s / drawn->group.n};
        note_picture(params, cell, &outcome, drawn->label);
    }
    return XL_OK;
}

/* What a sentence is about: of how much was cut off, the first one is told. */
static int subject_length(const char *line, int n) {
    static const char CUT[] = ": its last ";
    const char *at = memmem(line, (size_t)n, CUT, sizeof CUT - 1);
    return at ? (int)(at - line) : n;
}

/* Say what the engine had to say, each sentence once a run. */
static void warn_all(struct xl_str *said, const char *warnings) {
    for (const char *line = warnings; line && *line;) {
        size_t n = strcspn(line, "\n");
        char sentence[512];
        int n_subject = subject_length(line, (int)n);
        snprintf(sentence, sizeof sentence, "%.*s%s", n_subject, line,
                 n_subject == (int)n ? "\n" : ":");
        if (!said->text || !strstr(said->text, sentence)) {
            xl_warn("%.*s", (int)n, line);
            xl_str_printf(said, "%.*s\n", (int)n, line);
        }
        line += n + (line[n] == '\n');
    }
}

static void add_up(struct xl_run_counts *counts, const struct xl_result *result) {
    counts->encode_s += result->encode_s;
    counts->sample_s += result->sample_s;
    counts->decode_s += result->decode_s;
    counts->n_evaluations += result->n_evaluations;
    warn_all(&counts->warnings, result->warnings);
}

static void note_failure(const struct xl_writer_params *params, const int *cells, int n,
                         const struct xl_drawn *drawn) {
    for (int i = 0; i < n; i++) {
        struct xl_outcome *outcome = &params->run->outcomes[cells[i]];
        free(outcome->error);
        *outcome = (struct xl_outcome){
            .state = XL_CELL_FAILED, .status = drawn->status, .error = strdup(drawn->err.text)};
        if (params->hooks.failed)
            params->hooks.failed(params->hooks.user, &params->sweep->cells[cells[i]], drawn->status,
                                 drawn->err.text);
    }
}

/* --- A group ---------------------------------------------------------------------------------- */

static enum xl_status log_and_show(const struct xl_writer_params *params, const int *cells, int n,
                                   const struct xl_drawn *drawn, struct xl_err *err) {
    enum xl_status status = xl_output_log(params, cells, n, drawn, err);
    return status ? status : xl_output_page_update(params, cells, n, err);
}

/* A cell that was lost may be on disk: its painter died between the picture and the word of it. */
static enum xl_status find_lost(const struct xl_writer_params *params, const struct xl_drawn *drawn,
                                int i, bool *is_there, struct xl_err *err) {
    const struct xl_cell *cell = cell_of(drawn, i);
    struct xl_outcome outcome;
    enum xl_status status =
        xl_run_dir_find(drawn->group.dir, drawn->group.stamp, cell, &outcome, err);
    *is_there = !status && outcome.state == XL_CELL_DONE;
    if (!*is_there) return status;
    note_picture(params, cell, &outcome, drawn->label);
    /* Of a process that shared the run and died, the line may be there as well: collecting tells.
     */
    if (params->claims) return xl_output_settle(params, &drawn->group.cells[i], 1, err);
    return log_and_show(params, &drawn->group.cells[i], 1, NULL, err);
}

/* cells[0..n) are neither drawn nor failed: again, or enough of it. *n_failed is added to. */
static enum xl_status bring_back(const struct xl_writer_params *params, const int *cells, int n,
                                 struct xl_drawn *drawn, int *n_failed, struct xl_err *err) {
    enum { MOST_LOST = 2 };
    const struct xl_share share = {.cells = cells,
                                   .n = n,
                                   .model = params->sweep->cells[cells[0]].model,
                                   .n_lost = drawn->n_lost};
    if (drawn->n_lost + 1 < MOST_LOST) {
        if (!xl_work_is_stopped(params->work))
            xl_warn("%s; what it had in hand is drawn again", drawn->err.text);
        return xl_work_return(params->work, drawn->who, &share, err);
    }
    note_failure(params, cells, n, drawn);
    if (params->sweep->is_grid) xl_warn("%s", drawn->err.text);
    xl_work_failed(params->work, drawn->status, drawn->err.text);
    *n_failed += n;
    return log_and_show(params, cells, n, drawn, err);
}

static void tell_loss(const struct xl_writer_params *params, const struct xl_drawn *drawn,
                      const int *cells, int n) {
    const struct xl_loss loss = {.painter = drawn->who,
                                 .life = drawn->life,
                                 .label = drawn->label,
                                 .status = drawn->status,
                                 .text = drawn->err.text,
                                 .cells = cells,
                                 .n = n};
    if (params->hooks.lost) params->hooks.lost(params->hooks.user, &loss);
}

/* The painter was lost with the group's cells from `first` on. */
static enum xl_status take_back(const struct xl_writer_params *params, struct xl_drawn *drawn,
                                int first, int *n_settled, struct xl_err *err) {
    enum xl_status status = XL_OK;
    int begin = first, n = drawn->group.n, lost[XL_GROUP_MAX], n_lost = 0;
    if (drawn->n_lost)
        xl_fail_context(&drawn->err, XL_EWORKER, "for the second time over the same pictures");
    for (int i = first; !status && i <= n; i++) {
        bool is_there = false;
        if (i < n) status = find_lost(params, drawn, i, &is_there, err);
        *n_settled += is_there;
        if (!status && i < n && !is_there) lost[n_lost++] = drawn->group.cells[i];
        if (status || (i < n && !is_there)) continue;
        if (i > begin)
            status =
                bring_back(params, drawn->group.cells + begin, i - begin, drawn, n_settled, err);
        begin = i + 1;
    }
    if (!status) tell_loss(params, drawn, lost, n_lost);
    return status;
}

/* Logged even when saving stopped half-way: with the pictures that are there. */
static enum xl_status log_broken_off(const struct xl_writer_params *params, struct xl_drawn *drawn,
                                     enum xl_status status, const struct xl_err *err) {
    struct xl_err ignored;
    drawn->status = status;
    if (err) drawn->err = *err;
    enum xl_status again =
        xl_output_log(params, drawn->group.cells, drawn->group.n, drawn, &ignored);
    (void)again; /* the disk is full: the line has no place either */
    return status;
}

enum xl_status xl_output_group(const struct xl_writer_params *params, struct xl_drawn *drawn,
                               int *n_settled, struct xl_err *err) {
    const struct xl_group *group = &drawn->group;
    enum xl_status status = XL_OK;
    int n_saved = 0;
    if (drawn->is_theirs) {
        note_theirs(params, group->cells, group->n);
        *n_settled = group->n;
        return XL_OK;
    }
    if (drawn->status == XL_EWORKER) return take_back(params, drawn, 0, n_settled, err);
    if (drawn->status) {
        note_failure(params, group->cells, group->n, drawn);
    } else {
        add_up(params->counts, &drawn->result);
        status = save_all(params, drawn, &n_saved, &drawn->err);
    }
    if (status && status != XL_EWORKER) {
        xl_fail(err, status, "%s", drawn->err.text);
        return log_broken_off(params, drawn, status, err);
    }
    *n_settled = status ? n_saved : group->n;
    enum xl_status logged = log_and_show(params, group->cells, *n_settled, drawn, err);
    if (logged || !status) return logged;
    drawn->status = status;
    return take_back(params, drawn, n_saved, n_settled, err);
}
