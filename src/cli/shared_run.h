/* shared_run.h - a run directory that several processes draw: coming, leaving, and bringing
 * together what all have drawn.
 */
#ifndef XL_CLI_SHARED_RUN_H
#define XL_CLI_SHARED_RUN_H

#include "lab/run/claims.h"
#include "lab/settings/settings.h"

/* Join those who draw settings->resume. Errors: XL_EINPUT it is no run directory; XL_EDISK,
 * XL_ENOMEM
 */
enum xl_status xl_shared_run_join(const struct xl_settings *settings, struct xl_claims **out,
                                  struct xl_err *err) XL_CHECKED;

/* After one has left: the last one collects, if it can. Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_shared_run_leave(const struct xl_settings *settings,
                                   struct xl_err *err) XL_CHECKED;

/* Bring logs, page and sheets of a run directory to what is there, and tell (settings->json: as a
 * document). Errors: XL_EPARTIAL pictures are missing, or failed; those of xl_run_dir_open */
enum xl_status xl_shared_run_collect(const char *run_dir, const struct xl_settings *settings,
                                     struct xl_err *err) XL_CHECKED;

#endif
