/* run_page.h - index.html of a run directory: a page that works from disk, without network, and
 * fills in as cells finish.
 *
 * Two files: index.html, the same for every run, and cells.js beside it, which the page loads again
 * every few seconds while the run goes on. cells.js is a list of statements, one a line: run({...})
 * describes the run, cell({...}) a cell as it was planned or what became of it; the last word
 * counts. So finished cells are lines appended by one write, and the cost of a run is linear in its
 * cells. The page shows texts only as texts: a prompt with HTML in it is harmless.
 *
 * Descriptions are JSON objects. Of a run: {title, kind, prompt, started (ISO 8601), axes (keys of
 * the fields that tell cells apart: each has a filter), rows, columns (those that make a table;
 * left out: chosen by the page), skipped: [{model, reason}], resume (the command that goes on;
 * null: nothing to go on with), sheets: [paths], version, fields}. fields: what cells were asked
 * for as, in the order in which people see it, as xl_cell_describe_columns has it: [{keys, caption,
 * is_plain, is_long, is_always, is_title, follows}]. Of a cell: {id, the keys of the fields, state:
 * "waiting" | "done" | "failed" | "skipped", path (relative to the run directory), error, seconds,
 * ...}. Only id is required; update needs only id and what changed. Other keys are shown in a
 * picture's caption.
 *
 * One thread at a time may use the page of a run.
 */
#ifndef XL_LAB_RUN_PAGE_H
#define XL_LAB_RUN_PAGE_H

#include "base/status.h"

#include <jansson.h>

/* Write index.html and cells.js with the run and all its cells, replacing what is there (a resumed
 * run says "done" of the cells that are done). cells: an array. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_run_page_begin(const char *dir, const json_t *run, const json_t *cells,
                                 struct xl_err *err) XL_CHECKED;

/* Append what became of some cells: one write for all of them. No sync: the page is a view, the
 * pictures and the job log are the truth. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_run_page_update(const char *dir, const json_t *cells,
                                  struct xl_err *err) XL_CHECKED;

/* The run is over: the page stops asking. summary is merged into the run: {finished (ISO 8601),
 * state: "done" | "failed" | "interrupted", message, sheets}. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_run_page_end(const char *dir, const json_t *summary,
                               struct xl_err *err) XL_CHECKED;

/* What the page shows (run_page_read.c): {"run": the description, "cells": [each with what became
 * of it, in the order of the plan]}. A line that a crash tore off is left out. *out: the caller's.
 * Errors: XL_EINPUT there is no page, or it is too large; XL_ENOMEM */
enum xl_status xl_run_page_read(const char *dir, json_t **out, struct xl_err *err) XL_CHECKED;

#endif
