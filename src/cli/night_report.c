/* night_report.c - sdxl-lab night report: written into the night's folder, and told. */
#include "cli/night.h"
#include "jobs/night/report.h"

#include <stdio.h>
#include <stdlib.h>

enum xl_status xl_night_tell_report(const struct xl_settings *given, const char *dir,
                                    struct xl_err *err) {
    struct xl_night_report report;
    enum xl_status status = xl_night_report_read(dir, &report, err);
    if (status) return status;
    status = xl_night_report_write(&report, err);
    if (!status && given->json) {
        json_t *document = xl_night_report_describe(&report);
        status = document ? xl_print_json(document, err) : xl_fail_nomem(err, "a report", 0);
        json_decref(document);
    } else if (!status) {
        struct xl_str text = {0};
        xl_night_report_put_text(&text, &report);
        if (!given->quiet)
            printf("\n%sreport   %s/report.html\n", text.text ? text.text : "", report.dir);
        xl_str_deinit(&text);
    }
    xl_night_report_deinit(&report);
    return status;
}

static enum xl_status report(const struct xl_settings *given, struct xl_err *err) {
    char *dir = NULL;
    const char *what = given->n_arguments ? given->arguments[0] : NULL;
    enum xl_status status = xl_night_meant(given, what, &dir, err);
    if (!status) status = xl_night_tell_report(given, dir, err);
    free(dir);
    return status;
}

const struct xl_command xl_command_night_report = {
    .name = "night report",
    .summary = "the report of a night: what was drawn, what failed, how fast",
    .usage = "[OPTIONS]",
    .positional = "[NIGHT]",
    .words = XL_COMPLETE_DIR,
    .commands = XL_FOR_NIGHT_ASK,
    .epilogue = "report.html and report.txt are written into its folder, as at the end of each "
                "night; the page can be given away: its thumbnails are in it.",
    .run = report,
};
