/* download.h - what models download shows: plans before it starts, and signs of life. */
#ifndef XL_CLI_DOWNLOAD_H
#define XL_CLI_DOWNLOAD_H

#include "cli/cli.h"
#include "hub/download/download.h"
#include "lab/data/catalogue.h"

/* A model that is to be downloaded, and how far that is. */
struct xl_download_item {
    const char *name;                       /* for people: a key, or as it was given */
    const struct xl_catalogue_model *entry; /* of the catalogue; NULL: it knows none */
    struct xl_download_request request;
    struct xl_download_plan plan; /* where status is XL_OK */
    const char *needs;            /* LoRA: the key of a base model that is not there; NULL: none */
    bool is_done;
    enum xl_status status;
    struct xl_err err;
};

/* download_plan.c: what would be done, on standard output. Errors: XL_ENOMEM */
enum xl_status xl_print_download(const struct xl_download_item *item, bool is_verbose,
                                 struct xl_err *err) XL_CHECKED;
/* As one JSON document. Errors: XL_ENOMEM */
enum xl_status xl_print_downloads_json(const struct xl_download_item *items, int n,
                                       struct xl_err *err) XL_CHECKED;

/* download_progress.c: on a terminal one line that is redrawn; elsewhere a line when a large file
 * begins and when any has come, and one a minute. Any thread. */
struct xl_download_progress; /* opaque */
struct xl_download_progress *xl_download_progress_new(const struct xl_download_item *items, int n,
                                                      bool is_quiet);
/* What a plan's transfers tell. NULL progress: out of memory, nothing is shown. */
struct xl_download_watcher xl_download_watch(struct xl_download_progress *progress,
                                             const struct xl_download_plan *plan);
void xl_download_progress_free(struct xl_download_progress *progress);

#endif
