/* compare.h - what a comparison prints; for compare.c and, at the end of a run, generate.c. */
#ifndef XL_CLI_COMPARE_H
#define XL_CLI_COMPARE_H

#include "lab/run/comparison.h"

/* compare.c: the pictures of a run, measured, and their sheet in its directory. The caller frees
 * *out (xl_comparison_deinit). Errors: those of xl_comparison_of_run and xl_comparison_measure */
enum xl_status xl_compare_run(const struct xl_settings *request, const struct xl_sweep *sweep,
                              const struct xl_run_dir *run, struct xl_comparison *out, int *n_pages,
                              struct xl_err *err) XL_CHECKED;

/* On standard output: a table, times, and a sentence for each value. dir: where n_pages of a sheet
 * are. Errors: XL_ENOMEM */
enum xl_status xl_compare_print(struct xl_comparison *comparison, const char *dir, int n_pages,
                                struct xl_err *err) XL_CHECKED;

/* The same for programs. NULL: out of memory (within xl_json_watch) */
json_t *xl_compare_describe(struct xl_comparison *comparison, const char *dir, int n_pages);

/* What a comparison ends the command with. Errors: XL_EINPUT something was not measured;
 * XL_EPARTIAL a picture lies further than settings->min_psnr */
enum xl_status xl_compare_judge(const struct xl_settings *settings,
                                const struct xl_comparison *comparison,
                                struct xl_err *err) XL_CHECKED;

#endif
