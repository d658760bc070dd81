/* wire.h - what a painter and its worker process say to each other: one JSON object a line.
 * docs/WORKERS.md describes the messages; here they are written and read.
 */
#ifndef XL_JOBS_WIRE_H
#define XL_JOBS_WIRE_H

#include "base/arena.h"
#include "lab/run/painter.h"

#include <jansson.h>

/* --- Lines ------------------------------------------------------------------------------------ */

/* Lines from a descriptor. Zero-initialise but fd. */
struct xl_line_reader {
    int fd;
    char *text;
    size_t n, capacity, n_used; /* of it, the beginning was handed out */
    bool ends_at_signal;        /* one that is handled while there is nothing to read */
};

/* The next line as an object; *out NULL: the other side has closed, or is gone (what it had begun
 * to say does not count). Caller: json_decref. Errors: XL_EFORMAT no object, or longer than 64 MiB;
 * XL_ENOMEM */
enum xl_status xl_line_read(struct xl_line_reader *reader, json_t **out,
                            struct xl_err *err) XL_CHECKED;
void xl_line_reader_deinit(struct xl_line_reader *reader);

/* Write what was built since xl_json_watch as a line; the object is released. Errors: XL_ENOMEM
 * (also for ok false), XL_EWORKER nobody reads */
enum xl_status xl_line_write(int fd, json_t *object, bool ok, struct xl_err *err) XL_CHECKED;

/* --- What the parent asks --------------------------------------------------------------------- */

/* {"do": "open", "model": {...}}. NULL: out of memory. Errors: XL_EINVAL a path that is not UTF-8
 */
enum xl_status xl_wire_open(const struct xl_sweep_model *model, json_t **out,
                            struct xl_err *err) XL_CHECKED;
/* {"do": "need" or "draw", "ticket": ..., "cells": [...], "rung": {...}, ...}; ticket 0: need.
 * Errors: as above */
enum xl_status xl_wire_group(const struct xl_group *group, uint64_t ticket, json_t **out,
                             struct xl_err *err) XL_CHECKED;

/* {"do": "expect", "model": {...}, "cells": [...], ...}: a group of the next model. Errors: as
 * above
 */
enum xl_status xl_wire_expect(const struct xl_group *group, json_t **out,
                              struct xl_err *err) XL_CHECKED;

/* A model or a group as the worker reads it; strings are kept in the arena. The group's cells are a
 * sweep of their own, with one model. Errors: XL_EINPUT, XL_ENOMEM */
enum xl_status xl_wire_read_model(const json_t *message, struct xl_arena *arena,
                                  struct xl_sweep_model *out, struct xl_err *err) XL_CHECKED;
/* models: one, which the sweep points to. On success xl_wire_group_deinit frees it. */
struct xl_wire_group {
    struct xl_sweep sweep;
    int cells[XL_GROUP_MAX];
    struct xl_group group;
    uint64_t ticket;
};
enum xl_status xl_wire_read_group(const json_t *message, struct xl_sweep_model *models,
                                  struct xl_wire_group *out, struct xl_err *err) XL_CHECKED;
void xl_wire_group_deinit(struct xl_wire_group *group);

/* --- What a worker answers -------------------------------------------------------------------- */

/* {"event": name}, to be added to. NULL: out of memory */
json_t *xl_wire_event(const char *name);
/* {"event": name, "status": ..., "error": ...} */
json_t *xl_wire_failure(const char *name, enum xl_status status, const char *error);
/* The status and the sentence of such a message. */
enum xl_status xl_wire_read_failure(const json_t *message, struct xl_err *err);

/* {"event": "preview", "step": ..., "jpeg": ...}. NULL: out of memory. read: the caller frees the
 * bytes; false: it is none, or memory is out */
json_t *xl_wire_preview(const struct xl_preview *preview);
bool xl_wire_read_preview(const json_t *message, struct xl_preview *out);

/* Figures of a need and of a drawn group, as members of a message. */
void xl_wire_put_need(json_t *message, const struct xl_need *need, bool *ok);
void xl_wire_read_need(const json_t *message, struct xl_need *out);
void xl_wire_put_drawn(json_t *message, const struct xl_drawn *drawn, bool *ok);
/* Errors: XL_ENOMEM */
enum xl_status xl_wire_read_drawn(const json_t *message, struct xl_drawn *drawn,
                                  struct xl_err *err) XL_CHECKED;

/* "load", "encode", "sample", "decode"; -1: no such phase */
const char *xl_wire_phase_name(enum xl_phase phase);
int xl_wire_phase(const char *name);

#endif
