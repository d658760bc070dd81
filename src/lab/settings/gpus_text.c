/* gpus_text.c - reading which GPUs are wanted. Keeps no state. */
#include "lab/settings/gpus_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static enum xl_status read_uuids(const char *text, struct xl_gpus_said *out, struct xl_err *err) {
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, ",");
        if (strncmp(at, "GPU-", 4) != 0 || n >= XL_GPUS_SAID_TEXT ||
            strspn(at + 4, "0123456789abcdefABCDEF-") != n - 4)
            return xl_fail(
                err, XL_EINVAL,
                "\"%.*s\" is no GPU: expected auto, a number of GPUs, all, none, or UUIDs "
                "(GPU-...) with commas between; sdxl-lab gpu list shows them",
                n < 60 ? (int)n : 60, at);
        if (out->n_uuids == XL_GPUS_SAID_MAX)
            return xl_fail(err, XL_EINVAL, "more than %d UUIDs", XL_GPUS_SAID_MAX);
        snprintf(out->uuids[out->n_uuids++], XL_GPUS_SAID_TEXT, "%.*s", (int)n, at);
        at += n + (at[n] == ',');
    }
    out->most = out->n_uuids;
    return XL_OK;
}

enum xl_status xl_gpus_text_read(const char *text, struct xl_gpus_said *out, struct xl_err *err) {
    char *end;
    long n = strtol(text, &end, 10);
    *out = (struct xl_gpus_said){.most = 0};
    if (!strcasecmp(text, "none")) return XL_OK;
    if (!strcasecmp(text, "auto")) {
        out->most = 1;
        return XL_OK;
    }
    if (!strcasecmp(text, "all")) {
        out->most = XL_GPUS_SAID_MAX;
        out->is_all = true;
        return XL_OK;
    }
    if (*text < '0' || *text > '9' || *end) {
        enum xl_status status = read_uuids(text, out, err);
        if (!status && !out->n_uuids)
            status = xl_fail(err, XL_EINVAL, "\"\" names no GPU: expected auto, 2, all or UUIDs");
        return status;
    }
    if (n < 1 || n > XL_GPUS_SAID_MAX)
        return xl_fail(
            err, XL_EINVAL,
            "\"%.40s\" is no number of GPUs from 1 to %d; one of them is meant by its UUID, "
            "not by its index",
            text, XL_GPUS_SAID_MAX);
    out->most = (int)n;
    return XL_OK;
}
