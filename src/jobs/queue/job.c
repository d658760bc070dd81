/* job.c - a job as an object, written and read by one table of its members. */
#include "jobs/queue/job.h"

#include "base/json.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const states[] = {"queued", "running", "done", "failed", "cancelled"};
enum { N_STATES = sizeof states / sizeof *states };

const char *xl_job_state_name(enum xl_job_state state) {
    return states[state];
}

int xl_job_state_find(const char *name) {
    for (int i = 0; name && i < N_STATES; i++)
        if (!strcmp(states[i], name)) return i;
    return -1;
}

/* --- Ids -------------------------------------------------------------------------------------- */

static const char DIGITS[] = "0123456789abcdefghjkmnpqrstvwxyz";
enum { BITS = 5, PER_MS = 1 << 2 * BITS };

void xl_job_id_make(uint64_t *last, char out[XL_JOB_ID]) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    uint64_t number = ms * PER_MS;
    if (number <= *last) number = *last + 1;
    *last = number;
    for (int i = XL_JOB_ID - 2; i >= 0; i--, number >>= BITS) out[i] = DIGITS[number & 31];
    out[XL_JOB_ID - 1] = 0;
}

uint64_t xl_job_id_number(const char *id) {
    uint64_t number = 0;
    if (!id || strlen(id) != XL_JOB_ID - 1) return 0;
    for (; *id; id++) {
        const char *digit = strchr(DIGITS, *id);
        if (!digit) return 0;
        number = number << BITS | (uint64_t)(digit - DIGITS);
    }
    return number;
}

/* --- The members ------------------------------------------------------------------------------ */

enum kind { CHARS, TEXT, INT, LONG, REAL, BOOL, STATE, STATUS, OBJECT, ARRAY };

static const struct member {
    const char *key;
    enum kind kind;
    bool is_brief;
    size_t offset, size; /* size: of CHARS */
} members[] = {
#define AT(field) offsetof(struct xl_job, field), sizeof((struct xl_job *)0)->field
    {"id", CHARS, true, AT(id)},
    {"state", STATE, true, AT(state)},
    {"client", TEXT, true, AT(client)},
    {"origin", TEXT, true, AT(origin)},
    {"settings", OBJECT, true, AT(ask)},
    {"next", BOOL, true, AT(is_next)},
    {"n_cells", INT, true, AT(n_cells)},
    {"n_done", INT, true, AT(n_done)},
    {"n_failed", INT, true, AT(n_failed)},
    {"cost", REAL, true, AT(cost)},
    {"created", REAL, true, AT(created_s)},
    {"started", REAL, true, AT(started_s)},
    {"ended", REAL, true, AT(ended_s)},
    {"status", STATUS, true, AT(status)},
    {"error", TEXT, true, AT(error)},
    {"run_dir", TEXT, true, AT(run_dir)},
    {"stamp", TEXT, true, AT(stamp)},
    {"has_own_dir", BOOL, true, AT(is_own)},
    {"models", ARRAY, true, AT(models)},
    {"digest", CHARS, true, AT(digest)},
    {"revision", LONG, true, AT(revision)},
    {"pictures", ARRAY, false, AT(pictures)},
};
enum { N_MEMBERS = sizeof members / sizeof *members };

static json_t *write_member(const struct xl_job *job, const struct member *member) {
    const void *field = (const char *)job + member->offset;
    switch (member->kind) {
    case CHARS:
        return xl_json_text(field);
    case TEXT:
        return xl_json_text(*(char *const *)field);
    case INT:
        return json_integer(*(const int *)field);
    case LONG:
        return json_integer(*(const int64_t *)field);
    case REAL:
        return json_real(*(const double *)field);
    case BOOL:
        return json_boolean(*(const bool *)field);
    case STATE:
        return json_string(states[*(const enum xl_job_state *)field]);
    case STATUS:
        return json_string(xl_status_name(*(const enum xl_status *)field));
    default: /* it changes while others read */
        return json_deep_copy(*(json_t *const *)field);
    }
}

json_t *xl_job_write(const struct xl_job *job, bool is_brief) {
    json_t *object = json_object();
    bool ok = object != NULL;
    for (int i = 0; i < N_MEMBERS; i++)
        if (!is_brief || members[i].is_brief)
            xl_json_put(object, members[i].key, write_member(job, &members[i]), &ok);
    return xl_json_finish(object, ok);
}

bool xl_job_status_find(const char *name, enum xl_status *out) {
    for (int i = 0; name && xl_status_name((enum xl_status)i)[0] != '?'; i++)
        if (!strcmp(xl_status_name((enum xl_status)i), name)) return *out = (enum xl_status)i, true;
    return false;
}

/* Whether the value is one of the member's. */
static bool read_member(struct xl_job *job, const struct member *member, const json_t *value) {
    void *field = (char *)job + member->offset;
    const char *text = json_string_value(value);
    int state;
    switch (member->kind) {
    case CHARS:
        if (!text || strlen(text) >= member->size) return false;
        memcpy(field, text, strlen(text) + 1);
        return true;
    case TEXT:
        return json_is_null(value) || (text && xl_job_set_text(field, text));
    case INT:
        *(int *)field = (int)json_integer_value(value);
        return json_is_integer(value);
    case LONG:
        *(int64_t *)field = json_integer_value(value);
        return json_is_integer(value);
    case REAL:
        *(double *)field = json_number_value(value);
        return json_is_number(value);
    case BOOL:
        *(bool *)field = json_is_true(value);
        return json_is_boolean(value);
    case STATE:
        state = xl_job_state_find(text);
        if (state >= 0) *(enum xl_job_state *)field = (enum xl_job_state)state;
        return state >= 0;
    case STATUS:
        return xl_job_status_find(text, field);
    default:
        if (member->kind == OBJECT ? !json_is_object(value) : !json_is_array(value)) return false;
        json_decref(*(json_t **)field);
        *(json_t **)field = json_deep_copy(value);
        return *(json_t **)field != NULL;
    }
}

enum xl_status xl_job_read(const json_t *object, struct xl_job **out, struct xl_err *err) {
    struct xl_job *job = xl_job_new();
    if (!job) return xl_fail_nomem(err, "a job", sizeof *job);
    for (int i = 0; i < N_MEMBERS; i++) {
        const json_t *value = json_object_get(object, members[i].key);
        if (value ? read_member(job, &members[i], value) : !members[i].is_brief) continue;
        xl_fail(err, XL_EINPUT, "a job: \"%s\" is %s", members[i].key,
                value ? "no value that it can have" : "missing");
        xl_job_free(job);
        return XL_EINPUT;
    }
    if (xl_job_id_number(job->id)) {
        *out = job;
        return XL_OK;
    }
    xl_fail(err, XL_EINPUT, "a job: \"id\" is \"%.20s\", which is none", job->id);
    xl_job_free(job);
    return XL_EINPUT;
}

/* --- Its life --------------------------------------------------------------------------------- */

struct xl_job *xl_job_new(void) {
    struct xl_job *job = calloc(1, sizeof *job);
    if (!job) return NULL;
    job->ask = json_object();
    job->models = json_array();
    job->pictures = json_array();
    if (job->ask && job->models && job->pictures) return job;
    xl_job_free(job);
    return NULL;
}

void xl_job_free(struct xl_job *job) {
    if (!job) return;
    free(job->client);
    free(job->origin);
    free(job->error);
    free(job->run_dir);
    free(job->stamp);
    json_decref(job->ask);
    json_decref(job->models);
    json_decref(job->pictures);
    free(job);
}

bool xl_job_set_text(char **at, const char *text) {
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy) return false;
    free(*at);
    *at = copy;
    return true;
}

void xl_job_add_picture(struct xl_job *job, const char *cell, const char *path, double seconds) {
    json_t *picture = json_pack("[s, o, f]", cell, xl_json_text(path), seconds);
    if (picture) json_array_append_new(job->pictures, picture);
}

void xl_job_shrink(struct xl_job *job) {
    while (json_array_size(job->pictures) > XL_JOB_PICTURES)
        json_array_remove(job->pictures, json_array_size(job->pictures) - 1);
}
