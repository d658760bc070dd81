/* night.h - what the commands of nights share. */
#ifndef XL_CLI_NIGHT_H
#define XL_CLI_NIGHT_H

#include "cli/cli.h"
#include "jobs/night/night.h"

/* A configuration with what was said beside it. On success the caller: xl_night_config_deinit.
 * Errors: as xl_night_config_load */
enum xl_status xl_night_open_config(const struct xl_settings *given, const char *path,
                                    struct xl_night_config *out, struct xl_err *err) XL_CHECKED;

/* The night that the first argument means, or the newest in --output-dir. *dir: malloc'd.
 * Errors: XL_EINPUT there is none */
enum xl_status xl_night_meant(const struct xl_settings *given, const char *what, char **dir,
                              struct xl_err *err) XL_CHECKED;

/* night_follow.c: how a night is followed on a terminal or in a log. settings: borrowed. */
void xl_night_follow_init(struct xl_night_follow *follow, const struct xl_settings *settings);
void xl_night_follow_end(void);

/* night_learn.c: lay what favourites teach into a configuration that learns from them: of now, or
 * of when the night of `dir` began (NULL: it is a new one). Errors: as of the index; XL_EINPUT a
 * theme, or a night's file */
enum xl_status xl_night_learn(struct xl_night_config *config, const char *dir,
                              struct xl_err *err) XL_CHECKED;

/* night_check.c: say what a night would be. */
enum xl_status xl_night_print_plan(const struct xl_settings *given,
                                   const struct xl_night_config *config,
                                   struct xl_err *err) XL_CHECKED;

/* night_submit.c: plan all jobs of a night as a run directory and hand it to a cluster (--on).
 * Errors: XL_EINPUT there is no end of its jobs; as xl_submit */
enum xl_status xl_night_submit(const struct xl_night_config *config, struct xl_err *err) XL_CHECKED;

/* night_report.c: write the report of a night, and print its text. */
enum xl_status xl_night_tell_report(const struct xl_settings *given, const char *dir,
                                    struct xl_err *err) XL_CHECKED;

#endif
