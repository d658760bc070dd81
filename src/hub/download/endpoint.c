/* endpoint.c - HF_ENDPOINT, tokens, offline mode, and the hub's addresses. Keeps nothing; any
 * thread. */
#include "hub/download/endpoint.h"
#include "base/file.h"
#include "base/str.h"
#include "hub/location.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOKEN = 1000, MAX_URL = 2000 };

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "the hub's address", 0);
}

/* As the Python library reads a switch. */
static bool is_true(const char *name) {
    static const char *const words[] = {"1", "ON", "YES", "TRUE"};
    const char *value = getenv(name);
    for (size_t i = 0; value && i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(value, words[i])) return true;
    return false;
}

const char *xl_hub_offline(void) {
    static const char first[] = "HF_HUB_OFFLINE", second[] = "TRANSFORMERS_OFFLINE";
    const char *value = getenv(first);
    const char *name = value && value[0] ? first : second;
    return is_true(name) ? name : NULL;
}

/* A text without the blanks and line ends around it, in the arena. NULL: out of memory */
static const char *stripped(const char *text, struct xl_arena *arena) {
    size_t n;
    while (isspace((unsigned char)*text)) text++;
    for (n = strlen(text); n && isspace((unsigned char)text[n - 1]);) n--;
    return xl_arena_strndup(arena, text, n);
}

/* A header takes visible characters alone: a line end in a token would begin another header. */
static enum xl_status take_token(struct xl_endpoint *endpoint, const char *text, const char *source,
                                 struct xl_arena *arena, struct xl_err *err) {
    const char *token = stripped(text, arena);
    if (!token) return nomem(err);
    if (!token[0]) return XL_OK;
    bool is_visible = strlen(token) <= MAX_TOKEN;
    for (const char *c = token; *c && is_visible; c++) is_visible = *c > 32 && *c < 127;
    if (!is_visible) return xl_fail(err, XL_EINVAL, "%s: holds what can be no token", source);
    endpoint->token = token;
    endpoint->token_source = source;
    return XL_OK;
}

static enum xl_status read_token_file(struct xl_endpoint *endpoint, struct xl_arena *arena,
                                      struct xl_err *err) {
    const char *path;
    char *text;
    size_t n;
    struct xl_read_rule rule = {MAX_TOKEN, XL_EMODEL, XL_EINVAL};
    enum xl_status status = xl_hub_path_in("HF_TOKEN_PATH", arena, &path, err);
    if (status) return status;
    const char *home = path ? NULL : xl_hub_home(arena);
    if (home) path = xl_arena_printf(arena, "%s/token", home);
    if (!path) return nomem(err);
    status = xl_file_read(path, rule, &text, &n, err);
    if (status == XL_EMODEL) return XL_OK; /* nobody has logged in */
    if (!status) status = take_token(endpoint, text, path, arena, err);
    if (!status) free(text);
    return status;
}

static enum xl_status read_token(struct xl_endpoint *endpoint, struct xl_arena *arena,
                                 struct xl_err *err) {
    static const char *const names[] = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"};
    if (is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return XL_OK;
    for (size_t i = 0; !endpoint->token && i < sizeof names / sizeof *names; i++) {
        const char *text = getenv(names[i]);
        enum xl_status status = text ? take_token(endpoint, text, names[i], arena, err) : XL_OK;
        if (status) return status;
    }
    return endpoint->token ? XL_OK : read_token_file(endpoint, arena, err);
}

enum xl_status xl_endpoint_read(struct xl_arena *arena, struct xl_endpoint *out,
                                struct xl_err *err) {
    struct xl_endpoint endpoint = {.timeout_s = 10};
    const char *said = getenv("HF_ENDPOINT"), *timeout = getenv("HF_HUB_DOWNLOAD_TIMEOUT");
    char *url = (char *)stripped(said && said[0] ? said : "https://huggingface.co", arena);
    if (!url) return nomem(err);
    for (size_t n = strlen(url); n && url[n - 1] == '/';) url[--n] = 0;
    bool is_web = !strncmp(url, "https://", 8) || !strncmp(url, "http://", 7);
    for (const char *c = url; *c && is_web; c++) is_web = *c > 32 && *c < 127;
    if (!is_web || strlen(url) > MAX_URL || strpbrk(url, "?#@"))
        return xl_fail(
            err, XL_EINVAL,
            "HF_ENDPOINT is no address of a hub, expected one as https://huggingface.co");
    double seconds = timeout ? atof(timeout) : 0;
    if (seconds >= 1) endpoint.timeout_s = seconds < 3600 ? seconds : 3600;
    endpoint.url = url;
    endpoint.no_links = is_true("HF_HUB_DISABLE_SYMLINKS");
    enum xl_status status = read_token(&endpoint, arena, err);
    if (!status) *out = endpoint;
    return status;
}

/* Append with %XX for what a part of a path cannot hold. */
static void put_escaped(struct xl_str *out, const char *text, bool keeps_slashes) {
    static const char plain[] = "-_.~";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool is_plain = c < 128 && (isalnum(c) || strchr(plain, c) || (c == '/' && keeps_slashes));
        if (is_plain)
            xl_str_append(out, text, 1);
        else
            xl_str_printf(out, "%%%02X", c);
    }
}

static const char *take_url(struct xl_str *url, struct xl_arena *arena) {
    char *text = xl_str_take(url);
    const char *copy = text ? xl_arena_strdup(arena, text) : NULL;
    free(text);
    return copy;
}

const char *xl_endpoint_info_url(const struct xl_endpoint *endpoint, const char *id,
                                 const char *revision, struct xl_arena *arena) {
    struct xl_str url = {0};
    xl_str_printf(&url, "%s/api/models/%s/revision/", endpoint->url, id);
    put_escaped(&url, revision, false);
    return take_url(&url, arena);
}

const char *xl_endpoint_tree_url(const struct xl_endpoint *endpoint, const char *id,
                                 const char *commit, struct xl_arena *arena) {
    return xl_arena_printf(arena, "%s/api/models/%s/tree/%s?recursive=true&expand=false",
                           endpoint->url, id, commit);
}

const char *xl_endpoint_file_url(const struct xl_endpoint *endpoint, const char *id,
                                 const char *commit, const char *path, struct xl_arena *arena) {
    struct xl_str url = {0};
    xl_str_printf(&url, "%s/%s/resolve/%s/", endpoint->url, id, commit);
    put_escaped(&url, path, true);
    return take_url(&url, arena);
}
