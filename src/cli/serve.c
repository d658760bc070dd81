/* serve.c - sdxl-lab serve: the page and the APIs, until a signal ends them. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "http/a1111/a1111.h"
#include "http/api/downloads.h"
#include "http/api/duel.h"
#include "http/api/facts.h"
#include "http/api/feed.h"
#include "http/api/insights.h"
#include "http/api/jobs.h"
#include "http/api/marks_watch.h"
#include "http/api/nights.h"
#include "http/api/pictures.h"
#include "http/api/prompt_api.h"
#include "http/api/runs.h"
#include "http/api/system.h"
#include "http/api/uploads.h"
#include "http/api/wait.h"
#include "http/assets.h"
#include "http/guard.h"
#include "http/health.h"
#include "http/openai/openai.h"
#include "http/probe.h"
#include "http/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What the routes of a server need. */
struct serving {
    const struct xl_settings *settings;
    struct xl_facts facts;
    struct xl_library *library;
    struct xl_jobs_api jobs;
    struct xl_nights_api nights;
    struct xl_feed *feed;
    struct xl_marks_watch *marks;
    struct xl_downloads *downloads;
    struct xl_system *system;
    struct xl_waits *waits;
    struct xl_openai openai;
    struct xl_prompt_api *prompt;
    struct xl_a1111 *a1111;
    struct xl_assets *assets;
    char *token;
    struct xl_server *server;
};

/* The queue goes on with what it had, and tells its clients. */
static enum xl_status open_queue(struct serving *serving, struct xl_err *err) {
    const struct xl_queue_params params = {.settings = serving->settings,
                                           .uploads = xl_library_uploads(serving->library)};
    enum xl_status status = xl_queue_open(&params, &serving->jobs.queue, err);
    if (!status) status = xl_events_new(&serving->jobs.events, err);
    if (!status) status = xl_waits_new(serving->jobs.queue, &serving->waits, err);
    if (!status)
        status = xl_downloads_new(serving->settings, serving->jobs.queue, serving->jobs.events,
                                  &serving->downloads, err);
    if (!status)
        status = xl_system_new(serving->library, serving->jobs.queue, &serving->system, err);
    const struct xl_a1111_params a1111 = {serving->jobs.queue, serving->waits, serving->library,
                                          serving->system};
    if (!status) status = xl_a1111_new(&a1111, &serving->a1111, err);
    const struct xl_feed_ends ends = {serving->jobs.queue, serving->jobs.events, serving->library};
    if (!status) status = xl_feed_start(&ends, &serving->feed, err);
    return status
               ? status
               : xl_marks_watch_start(serving->library, serving->jobs.events, &serving->marks, err);
}

/* Streams and calls that wait end first: the server waits for what is being answered. */
static void stop(struct serving *serving) {
    if (serving->jobs.events) xl_events_stop(serving->jobs.events);
    xl_waits_stop(serving->waits);
    xl_server_stop(serving->server);
    xl_waits_free(serving->waits);
    xl_a1111_free(serving->a1111);
    xl_downloads_free(serving->downloads);
    xl_system_free(serving->system);
    xl_feed_stop(serving->feed);
    xl_marks_watch_stop(serving->marks);
    xl_queue_close(serving->jobs.queue);
    xl_events_free(serving->jobs.events);
}

static enum xl_status start(struct serving *serving, struct xl_err *err) {
    const struct xl_settings *settings = serving->settings;
    serving->openai = (struct xl_openai){.queue = serving->jobs.queue,
                                         .waits = serving->waits,
                                         .library = serving->library,
                                         .has_token = serving->token && !settings->no_token};
    serving->nights = (struct xl_nights_api){.settings = settings,
                                             .library = serving->library,
                                             .dir = xl_library_dir(serving->library),
                                             .queue = serving->jobs.queue};
    const struct xl_route_table tables[] = {
        xl_facts_table(&serving->facts), /* a row each */
        xl_jobs_table(&serving->jobs),
        xl_nights_table(&serving->nights),
        xl_pictures_table(serving->library),
        xl_runs_table(serving->library),
        xl_uploads_table(serving->library),
        xl_downloads_table(serving->downloads),
        xl_system_table(serving->system),
        xl_prompt_table(serving->prompt),
        xl_duel_table(serving->library),
        xl_insights_table(serving->library),
        xl_openai_table(&serving->openai),
        xl_a1111_table(serving->a1111),
        xl_health_table(),
        xl_assets_table(serving->assets),
    };
    struct xl_server_params params = {
        .bind = settings->bind,
        .port = settings->port,
        .base_path = settings->base_path,
        .allowed_hosts = settings->allow_hosts.item,
        .n_allowed_hosts = settings->allow_hosts.n,
        .token = settings->no_token ? NULL : serving->token,
        .spool_dir = xl_library_dir(serving->library),
        .metrics = xl_jobs_metrics,
        .user = serving->jobs.queue,
        .tables = tables,
        .n_tables = sizeof tables / sizeof *tables,
    };
    return xl_server_start(&params, &serving->server, err);
}

/* Where it is, for people and for programs that started it with --port 0. */
static enum xl_status tell(const struct serving *serving, struct xl_err *err) {
    enum xl_status status = XL_OK;
    const char *url = xl_server_url(serving->server);
    if (serving->settings->json) {
        bool ok = true;
        json_t *object = json_object();
        xl_json_put(object, "url", json_string(url), &ok);
        xl_json_put(object, "port", json_integer(xl_server_port(serving->server)), &ok);
        xl_json_put(object, "pid", json_integer(getpid()), &ok);
        object = xl_json_finish(object, ok);
        status = object ? xl_print_json(object, err) : xl_fail_nomem(err, "JSON", 0);
        json_decref(object);
    } else {
        printf("%s\n", url);
    }
    fflush(stdout);
    return status;
}

static enum xl_status serve(const struct xl_settings *settings, struct xl_err *err) {
    if (settings->check) return xl_server_probe(settings->bind, settings->port, err);
    struct serving serving = {.settings = settings,
                              .facts = {.settings = settings, .started_at = xl_now_s()}};
    enum xl_status status = xl_guard_token(settings->token_file, &serving.token, err);
    const char *bind = strcmp(settings->bind, "localhost") ? settings->bind : "127.0.0.1";
    if (!status) status = xl_guard_may_start(bind, serving.token, settings->no_token, err);
    if (!status) status = xl_assets_new(&serving.assets, err);
    if (!status) status = xl_library_new(settings, &serving.library, err);
    if (!status) status = open_queue(&serving, err);
    if (!status)
        status =
            xl_prompt_api_new(settings, serving.jobs.queue, serving.library, &serving.prompt, err);
    if (!status) status = start(&serving, err);
    if (!status && settings->no_token && !xl_is_loopback_address(bind))
        xl_warn("--no-token: whoever reaches %s may draw, and see and remove every picture",
                xl_server_url(serving.server));
    if (!status) status = tell(&serving, err);
    while (!status && !xl_interrupted()) nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    stop(&serving);
    xl_prompt_api_free(serving.prompt);
    xl_library_free(serving.library);
    xl_assets_free(serving.assets);
    free(serving.token);
    return status ? status : xl_fail(err, XL_ECANCELLED, "interrupted");
}

const struct xl_command xl_command_serve = {
    .name = "serve",
    .summary = "the page and the APIs, for browsers and programs of this machine",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_SERVE,
    .epilogue =
        "The variables GRADIO_PORT, GRADIO_SERVER_NAME, OUTPUT_DIR and INSTANCE_ID count here, "
        "too. "
        "Prints its address once it listens. SIGTERM or Ctrl-C ends it when what is being answered "
        "is answered, a second one at once (exit code 143 or 130). docs/SERVER.md has the routes "
        "and what is checked of a request.",
    .run = serve,
};
