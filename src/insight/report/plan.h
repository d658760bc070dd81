/* plan.h - what was found out as something to run: settings as a job file, the next sweep as a
 * command, a job file and a job of a night.
 */
#ifndef XL_INSIGHT_REPORT_PLAN_H
#define XL_INSIGHT_REPORT_PLAN_H

#include "base/status.h"

#include <jansson.h>

/* The option that sets a column of the observations ("resolution": "size"); NULL: none does. */
const char *xl_plan_option(const char *column);

/* A job (sdxl-lab generate --job) of settings by column: {"model": "A", "resolution": "768x768"},
 * or of a list of values for a column: an axis of its sweep, unless it has one value. Columns that
 * are no settings are left out. batch: 0 says nothing of it. Caller: json_decref. NULL: out of
 * memory */
json_t *xl_plan_job(const json_t *columns, int batch);

/* The command that runs a job, for a shell; what to draw is left to the one who types it. Caller:
 * free. NULL: out of memory */
char *xl_plan_command(const json_t *job);

/* A job as YAML, each line behind `indent` blanks. Caller: free. NULL: out of memory */
char *xl_plan_yaml(const json_t *job, int indent);

#endif
