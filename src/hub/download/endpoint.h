/* endpoint.h - where the hub is and who asks: what the environment says, in the words of the Python
 * library. Reads variables and the token's file; opens no socket.
 */
#ifndef XL_HUB_DOWNLOAD_ENDPOINT_H
#define XL_HUB_DOWNLOAD_ENDPOINT_H

#include "base/arena.h"

struct xl_endpoint {
    const char *url;          /* HF_ENDPOINT, without a slash at its end */
    const char *token;        /* NULL: none. Never printed, never logged */
    const char *token_source; /* "HF_TOKEN", or the path of the file; NULL: none */
    double timeout_s;         /* without a byte: HF_HUB_DOWNLOAD_TIMEOUT */
    bool no_links;            /* HF_HUB_DISABLE_SYMLINKS: files in the place of links */
};

/* Whether HF_HUB_OFFLINE, or where that says nothing TRANSFORMERS_OFFLINE, is 1, on, yes or true:
 * then the variable's name, else NULL. */
const char *xl_hub_offline(void);

/* Strings in the arena. HF_TOKEN, HUGGING_FACE_HUB_TOKEN, then the file HF_TOKEN_PATH
 * ($HF_HOME/token); HF_HUB_DISABLE_IMPLICIT_TOKEN: none. Errors: XL_EINVAL an address or a token
 * that can be none, XL_ENOMEM */
enum xl_status xl_endpoint_read(struct xl_arena *arena, struct xl_endpoint *out,
                                struct xl_err *err) XL_CHECKED;

/* "ENDPOINT/api/models/ID/revision/REVISION": text with %XX for what an address cannot hold;
 * slashes stay in `path` alone. In the arena; NULL: out of memory */
const char *xl_endpoint_info_url(const struct xl_endpoint *endpoint, const char *id,
                                 const char *revision, struct xl_arena *arena);
const char *xl_endpoint_tree_url(const struct xl_endpoint *endpoint, const char *id,
                                 const char *commit, struct xl_arena *arena);
const char *xl_endpoint_file_url(const struct xl_endpoint *endpoint, const char *id,
                                 const char *commit, const char *path, struct xl_arena *arena);

#endif
