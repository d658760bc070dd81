/* gpu.c - sdxl-lab gpu list, pick, watch: which GPUs there are, and which nobody uses. */
#include "cli/cli.h"
#include "cli/gpu_report.h"

#include "base/clock.h"
#include "base/json.h"
#include "jobs/gpu_wish.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool goes_on(void *user) {
    (void)user;
    return !xl_interrupted();
}

/* What is wanted, and what is seen. */
struct look {
    struct xl_gpu_wish wish;
    struct xl_gpu_look now;
};

static enum xl_status take_look(struct xl_gpus *gpus, struct look *look, struct xl_err *err) {
    return xl_gpu_look_take(gpus, &look->wish.wish, &look->now, err);
}

static void free_look(struct look *look) {
    if (look) xl_gpu_look_deinit(&look->now);
    free(look);
}

static enum xl_status print_object(json_t *document, struct xl_err *err) {
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

static enum xl_status print_list(const struct xl_gpus *gpus, const struct look *look,
                                 struct xl_err *err) {
    if (look->now.idle->list.n)
        return xl_gpu_print_table(look->now.reports, look->now.idle->list.n, err);
    printf("no GPU (%s)\n", xl_gpus_source(gpus));
    return XL_OK;
}

/* Open the source and make room for a look. */
static enum xl_status begin(const struct xl_settings *settings, bool listens, struct xl_gpus **gpus,
                            struct look **look, struct xl_err *err) {
    *look = calloc(1, sizeof **look);
    if (!*look) return xl_fail_nomem(err, "readings of GPUs", sizeof **look);
    enum xl_status status = xl_gpu_wish_read(settings, goes_on, NULL, &(*look)->wish, err);
    return status ? status : xl_gpus_open(listens, gpus, err);
}

static enum xl_status list(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_gpus *gpus = NULL;
    struct look *look = NULL;
    enum xl_status status = begin(settings, false, &gpus, &look, err);
    if (!status) look->wish.wish.rule.n_samples = 1;
    if (!status) status = take_look(gpus, look, err);
    if (!status)
        status = settings->json ? print_object(xl_gpu_look_describe(gpus, &look->now), err)
                                : print_list(gpus, look, err);
    free_look(look);
    xl_gpus_close(gpus);
    return status;
}

/* --- pick ------------------------------------------------------------------------------------- */

static enum xl_status print_picked(const struct xl_settings *settings,
                                   const struct xl_gpu_report *report, struct xl_err *err) {
    if (settings->json) return print_object(xl_gpu_describe(report), err);
    if (settings->only_uuid)
        printf("%s\n", report->gpu->uuid);
    else
        printf("%d\n", report->gpu->index);
    return XL_OK;
}

/* The first that is idle and not locked; NULL: why says what each of them does. */
static const struct xl_gpu_report *choose(const struct look *look, struct xl_str *why) {
    for (int i = 0; i < look->now.idle->list.n; i++) {
        const struct xl_gpu_report *report = &look->now.reports[i];
        if (!report->busy[0] && !report->owner[0]) return report;
        if (report->busy[0])
            xl_str_printf(why, "%d: %s\n", report->gpu->index, report->busy);
        else
            xl_str_printf(why, "%d: locked by %s\n", report->gpu->index, report->owner);
    }
    return NULL;
}

static enum xl_status pick_from(struct xl_gpus *gpus, const struct xl_settings *settings,
                                struct look *look, struct xl_err *err) {
    const struct xl_card_wait wait = look->wish.wait;
    double until_s = xl_now_s() + wait.wait_s;
    for (;;) {
        struct xl_str why = {0};
        enum xl_status status = take_look(gpus, look, err);
        if (!status && look->now.hidden)
            status = xl_fail(err, look->now.hidden, "%s", look->now.why_hidden.text);
        if (!status && !look->now.idle->list.n)
            status = xl_fail(err, XL_EDEVICE, "there is an NVIDIA driver here, but no GPU");
        const struct xl_gpu_report *found = status ? NULL : choose(look, &why);
        bool is_over = wait.wait_s >= 0 && xl_now_s() >= until_s;
        if (!status && !found && is_over) status = xl_cards_fail_busy(&why, err);
        xl_str_deinit(&why);
        if (found) return print_picked(settings, found, err);
        if (!status) status = xl_idle_pause(&look->wish.wish.rule, wait.poll_s, err);
        if (status) return status;
    }
}

static enum xl_status pick(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_gpus *gpus = NULL;
    struct look *look = NULL;
    enum xl_status status = begin(settings, false, &gpus, &look, err);
    if (!status) status = pick_from(gpus, settings, look, err);
    free_look(look);
    xl_gpus_close(gpus);
    return status;
}

/* --- watch ------------------------------------------------------------------------------------ */

static enum xl_status show(const struct xl_gpus *gpus, const struct xl_settings *settings,
                           const struct look *look, struct xl_err *err) {
    enum xl_status status = XL_OK;
    char when[21];
    xl_iso8601_utc(when);
    if (settings->json) {
        json_t *document = xl_gpu_look_describe(gpus, &look->now);
        bool ok = document != NULL;
        xl_json_put(document, "time", json_string(when), &ok);
        char *line = ok ? xl_json_dump(document, JSON_COMPACT) : NULL;
        if (line) printf("%s\n", line);
        if (!line) status = xl_fail_nomem(err, "readings of GPUs", 0);
        free(line);
        json_decref(document);
    } else if (isatty(STDOUT_FILENO)) {
        printf("\033[H\033[J%s  %s\n\n", when, xl_gpus_source(gpus));
        status = print_list(gpus, look, err);
    } else {
        for (int i = 0; i < look->now.idle->list.n; i++)
            xl_gpu_print_line(when, &look->now.reports[i]);
    }
    return status;
}

static enum xl_status watch(const struct xl_settings *settings, struct xl_err *err) {
    static char buffer[1 << 16]; /* a whole table goes out at once: nothing flickers */
    struct xl_gpus *gpus = NULL;
    struct look *look = NULL;
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    enum xl_status status = begin(settings, true, &gpus, &look, err);
    if (!status) look->wish.wish.rule.n_samples = 1;
    while (!status) {
        status = take_look(gpus, look, err);
        if (!status) status = show(gpus, settings, look, err);
        if (!status && fflush(stdout)) break; /* nobody reads: main's to tell */
        if (!status) status = xl_idle_pause(&look->wish.wish.rule, look->wish.wait.poll_s, err);
    }
    free_look(look);
    xl_gpus_close(gpus);
    return status;
}

const struct xl_command xl_command_gpu_list = {
    .name = "gpu list",
    .summary = "the GPUs of this host: memory, use, processes, health, and which are idle",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_GPU_LIST,
    .epilogue =
        "Read by NVML, or from nvidia-smi where that is missing; nothing is opened on a GPU. "
        "docs/GPUS.md tells what the columns mean.",
    .link = "gpu_status",
    .run = list,
};

const struct xl_command xl_command_gpu_pick = {
    .name = "gpu pick",
    .summary = "print the index of a GPU that nobody uses; exit 4 when there is none",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_GPU_PICK,
    .epilogue = "A GPU is idle when three samples within a second say so. It may be taken by "
                "somebody else a moment later; sdxl-lab run locks the one that it takes.",
    .link = "gpu_pick",
    .run = pick,
};

const struct xl_command xl_command_gpu_watch = {
    .name = "gpu watch",
    .summary = "the same again and again: in place on a terminal, a line for each GPU elsewhere",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_GPU_LIST,
    .epilogue =
        "Errors that the driver reports meanwhile (Xids) are shown. With --json, a document "
        "a line.",
    .run = watch,
};
