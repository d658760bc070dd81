/* history.c - the queue as lines of its journal: each change is one, with a number that it got when
 * it was made. A journal that is written anew begins with all that is known, under the number of
 * the last change; what follows under lower numbers is in that. So threads may write their lines in
 * whatever order they come to it, and the journal may be written anew meanwhile.
 */
#include "jobs/queue/parts.h"

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1 };

/* --- Writing ---------------------------------------------------------------------------------- */

json_t *xl_history_line(struct xl_queue *queue, struct xl_job *job, const char *what) {
    int64_t change = ++queue->change;
    bool ok = true;
    if (job) job->revision = change;
    json_t *line = json_object();
    xl_json_put(line, "change", json_integer(change), &ok);
    xl_json_put(line, "do", json_string(what), &ok);
    if (job) xl_json_put(line, "id", json_string(job->id), &ok);
    if (job && job->ended_s > 0) xl_json_put(line, "at", json_real(job->ended_s), &ok);
    return line && ok ? line : xl_json_finish(line, false);
}

enum xl_status xl_history_put(struct xl_queue *queue, json_t *line, bool is_synced, bool must_be,
                              struct xl_err *err) {
    if (must_be && xl_journal_is_behind(queue->journal)) {
        enum xl_status status = xl_history_renew(queue, err);
        if (status) {
            json_decref(line);
            return status;
        }
    }
    const struct xl_journal_line put = {line, is_synced, must_be};
    return xl_journal_append(queue->journal, put, err);
}

void xl_history_note(struct xl_queue *queue, json_t *line, bool is_synced) {
    struct xl_err why;
    if (xl_history_put(queue, line, is_synced, false, &why))
        xl_info("the journal is written later: %s", why.text);
}

static void put_object(struct xl_str *text, json_t *object) {
    char *line = object ? xl_json_dump(object, JSON_COMPACT) : NULL;
    if (line)
        xl_str_printf(text, "%s\n", line);
    else
        text->failed = true;
    json_decref(object);
    free(line);
}

static void put_job(struct xl_str *text, struct xl_queue *queue, const struct xl_job *job) {
    bool ok = true;
    json_t *line = json_object();
    xl_json_put(line, "change", json_integer(queue->change), &ok);
    xl_json_put(line, "do", json_string("job"), &ok);
    xl_json_put(line, "job", xl_job_write(job, false), &ok);
    put_object(text, line && ok ? line : xl_json_finish(line, false));
}

/* All that there is. With the mutex held. */
static void describe(struct xl_queue *queue, struct xl_str *text) {
    bool ok = true;
    json_t *line = json_object();
    xl_json_put(line, "format", json_integer(FORMAT), &ok);
    xl_json_put(line, "change", json_integer(queue->change), &ok);
    xl_json_put(line, "do", json_string("queue"), &ok);
    xl_json_put(line, "paused", json_boolean(queue->is_paused), &ok);
    xl_json_put(line, "revision", json_integer(queue->revision), &ok);
    put_object(text, line && ok ? line : xl_json_finish(line, false));
    for (struct xl_job *job = queue->ended.first; job; job = job->after) put_job(text, queue, job);
    for (struct xl_job *job = queue->order.first; job; job = job->after) put_job(text, queue, job);
    for (struct xl_job *job = queue->coming.first; job; job = job->after) put_job(text, queue, job);
}

enum xl_status xl_history_renew(struct xl_queue *queue, struct xl_err *err) {
    struct xl_str text = {0};
    xl_journal_hold(queue->journal);
    xl_json_watch();
    pthread_mutex_lock(&queue->mutex);
    describe(queue, &text);
    pthread_mutex_unlock(&queue->mutex);
    bool is_whole = !text.failed && !xl_json_ran_out();
    enum xl_status status =
        xl_journal_replace(queue->journal, is_whole ? text.text : NULL, text.len, err);
    xl_str_deinit(&text);
    return status;
}

/* --- Reading back ------------------------------------------------------------------------------
 */

/* A line, to be put in the order of its number. */
struct change {
    int64_t number;
    size_t place;
    json_t *line;
};

struct reading {
    struct change *changes;
    size_t n, capacity;
};

static enum xl_status keep(void *user, const json_t *line, struct xl_err *err) {
    struct reading *reading = user;
    json_int_t format = json_integer_value(json_object_get(line, "format"));
    if (format > FORMAT)
        return xl_fail(err, XL_EINPUT,
                       "its format is %lld, and this program knows 1 to %d; a newer one made it",
                       (long long)format, FORMAT);
    if (reading->n == reading->capacity) {
        size_t capacity = reading->capacity ? 2 * reading->capacity : 256;
        struct change *grown = realloc(reading->changes, capacity * sizeof *grown);
        if (!grown) return xl_fail_nomem(err, "a journal", 0);
        reading->changes = grown;
        reading->capacity = capacity;
    }
    json_t *copy = json_deep_copy(line);
    if (!copy) return xl_fail_nomem(err, "a journal", 0);
    reading->changes[reading->n] =
        (struct change){json_integer_value(json_object_get(line, "change")), reading->n, copy};
    reading->n++;
    return XL_OK;
}

static int by_number(const void *a, const void *b) {
    const struct change *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The number that the journal begins with: lines of lower ones come first when they are sorted. */
static int64_t first_number(const struct reading *reading) {
    for (size_t i = 0; i < reading->n; i++) {
        const char *what = json_string_value(json_object_get(reading->changes[i].line, "do"));
        if (what && !strcmp(what, "queue")) return reading->changes[i].number;
    }
    return 0;
}

static double number(const json_t *line, const char *key) {
    return json_number_value(json_object_get(line, key));
}
static const char *text(const json_t *line, const char *key) {
    return json_string_value(json_object_get(line, key));
}

static bool is_open(const struct xl_job *job) {
    return job->state == XL_JOB_QUEUED || job->state == XL_JOB_RUNNING;
}

/* A job as it was submitted, or as it was when the journal was written anew. */
static enum xl_status add_job(struct xl_queue *queue, const json_t *line, struct xl_err *err) {
    struct xl_job *job = NULL;
    struct xl_err why;
    enum xl_status status = xl_job_read(json_object_get(line, "job"), &job, &why);
    if (status == XL_ENOMEM) return xl_fail_nomem(err, "a job", 0);
    if (status) {
        xl_warn("the journal of the queue has a job that is left out: %s", why.text);
        return XL_OK;
    }
    if (xl_order_find(queue, job->id)) {
        xl_job_free(job);
        return XL_OK;
    }
    uint64_t id = xl_job_id_number(job->id);
    if (id > queue->last_id) queue->last_id = id;
    xl_order_insert(queue, job, job->is_next ? xl_order_first_plain(queue) : NULL);
    if (!is_open(job)) xl_order_end(queue, job);
    return XL_OK;
}

static void begin(struct xl_job *job, const json_t *line) {
    job->state = XL_JOB_RUNNING;
    job->started_s = number(line, "at");
    job->is_own = json_is_true(json_object_get(line, "has_own_dir"));
    xl_job_set_text(&job->run_dir, text(line, "run_dir"));
    xl_job_set_text(&job->stamp, text(line, "stamp"));
    json_t *pictures = json_object_get(line, "pictures");
    json_array_clear(job->pictures);
    if (json_is_array(pictures)) json_array_extend(job->pictures, pictures);
    job->n_done = (int)json_array_size(job->pictures);
    job->n_failed = 0;
}

static void end(struct xl_queue *queue, struct xl_job *job, const json_t *line,
                enum xl_job_state state) {
    if (!is_open(job)) return;
    job->ended_s = number(line, "at");
    job->state = state;
    xl_order_end(queue, job);
}

static void restore(struct xl_queue *queue, struct xl_job *job) {
    if (is_open(job)) return;
    xl_order_remove(queue, job);
    job->state = XL_JOB_QUEUED;
    job->status = XL_OK;
    job->ended_s = 0;
    xl_job_set_text(&job->error, NULL);
    xl_order_insert(queue, job, NULL);
}

static void move(struct xl_queue *queue, struct xl_job *job, const json_t *line) {
    struct xl_job *before = xl_order_find(queue, text(line, "before"));
    if (!is_open(job) || before == job || (before && !is_open(before))) return;
    xl_order_remove(queue, job);
    job->is_next = json_is_true(json_object_get(line, "next"));
    xl_order_insert(queue, job, before);
}

static void finish(struct xl_queue *queue, struct xl_job *job, const json_t *line) {
    int state = xl_job_state_find(text(line, "state"));
    if (state < 0) return;
    job->n_done = (int)number(line, "n_done");
    job->n_failed = (int)number(line, "n_failed");
    if (!xl_job_status_find(text(line, "status"), &job->status)) job->status = XL_EINTERNAL;
    xl_job_set_text(&job->error, text(line, "error"));
    end(queue, job, line, (enum xl_job_state)state);
}

static void change_job(struct xl_queue *queue, struct xl_job *job, const json_t *line,
                       const char *what) {
    if (!strcmp(what, "begin"))
        begin(job, line);
    else if (!strcmp(what, "cell") && text(line, "cell") && text(line, "path"))
        xl_job_add_picture(job, text(line, "cell"), text(line, "path"), number(line, "seconds")),
            job->n_done++;
    else if (!strcmp(what, "end"))
        finish(queue, job, line);
    else if (!strcmp(what, "cancel"))
        end(queue, job, line, XL_JOB_CANCELLED);
    else if (!strcmp(what, "restore"))
        restore(queue, job);
    else if (!strcmp(what, "move"))
        move(queue, job, line);
}

static void begin_journal(struct xl_queue *queue, const json_t *line) {
    queue->is_paused = json_is_true(json_object_get(line, "paused"));
    queue->revision = json_integer_value(json_object_get(line, "revision"));
}

/* known: the number up to which the journal began with all that there was. */
static enum xl_status apply(struct xl_queue *queue, const struct change *change, int64_t known,
                            struct xl_err *err) {
    const json_t *line = change->line;
    const char *what = text(line, "do"), *id = text(line, "id");
    struct xl_job *job = id ? xl_order_find(queue, id) : NULL;
    if (!what) return XL_OK;
    if (change->number > queue->change) queue->change = change->number;
    bool is_known = change->number <= known;
    if (!strcmp(what, "queue")) {
        begin_journal(queue, line);
    } else if (!strcmp(what, "job") || (!strcmp(what, "submit") && !is_known)) {
        queue->revision += what[0] == 's';
        return add_job(queue, line, err);
    } else if (is_known) {
        return XL_OK;
    } else if (!strcmp(what, "pause") || !strcmp(what, "resume")) {
        queue->is_paused = what[0] == 'p';
    } else if (job) {
        job->revision = change->number;
        change_job(queue, job, line, what);
        queue->revision++;
    }
    return XL_OK;
}

enum xl_status xl_history_read(struct xl_queue *queue, struct xl_err *err) {
    struct reading reading = {.n = 0};
    int n_damaged = 0;
    enum xl_status status = xl_journal_read(queue->journal, keep, &reading, &n_damaged, err);
    if (status) xl_fail_context(err, status, "%s", xl_journal_path(queue->journal));
    if (n_damaged)
        xl_warn("%s: %d %s damaged and left out, by a crash perhaps",
                xl_journal_path(queue->journal), n_damaged,
                xl_plural(n_damaged, "line is", "lines are"));
    if (!status && reading.n) qsort(reading.changes, reading.n, sizeof *reading.changes, by_number);
    int64_t known = first_number(&reading);
    for (size_t i = 0; !status && i < reading.n; i++)
        status = apply(queue, &reading.changes[i], known, err);
    for (size_t i = 0; i < reading.n; i++) json_decref(reading.changes[i].line);
    free(reading.changes);
    return status ? status : xl_history_renew(queue, err);
}
