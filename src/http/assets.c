/* assets.c - the page's files: digest, compression, routes. See assets.h. */
#include "http/assets.h"

#include "base/sha256.h"
#include "base/str.h"
#include "http/gzip.h"
#include "http/reply.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION_DIGITS = 16, DEPTHS = 4, FIRST = DEPTHS, PAGES, GZIP_LEAST = 200 };

struct asset {
    const char *path, *type, *bytes;
    size_t n;
    char *small; /* compressed; NULL: it is not worth it */
    size_t n_small;
    char etag[2 + VERSION_DIGITS + 1];
};

struct xl_assets {
    char version[VERSION_DIGITS + 1];
    struct asset *files; /* [n] */
    int n;
    struct asset
        pages[PAGES]; /* index.html for addresses so many folders deep; FIRST: for the root */
    char *texts[PAGES];
};

/* --- Making ----------------------------------------------------------------------------------- */

static bool is_text(const char *type) {
    return strstr(type, "charset") || strstr(type, "json") || strstr(type, "svg");
}

static enum xl_status compress_asset(struct asset *asset, struct xl_err *err) {
    if (asset->n < GZIP_LEAST || !is_text(asset->type)) return XL_OK;
    return xl_gzip(asset->bytes, asset->n, 9, &asset->small, &asset->n_small, err);
}

static enum xl_status make_asset(struct asset *asset, const char *path, const char *bytes, size_t n,
                                 struct xl_err *err) {
    char digest[XL_SHA256_HEX];
    enum xl_status status = xl_sha256(bytes, n, digest, err);
    *asset = (struct asset){.path = path, .type = xl_type_of_name(path), .bytes = bytes, .n = n};
    if (status) return status;
    snprintf(asset->etag, sizeof asset->etag, "\"%.*s\"", VERSION_DIGITS, digest);
    return compress_asset(asset, err);
}

/* Modules that are loaded whatever the view, and those of the first view: a browser that knows of
 * them early asks for all at once, and not for each when it has read the one that imports it. */
static void put_preloads(const struct xl_assets *assets, int page, struct xl_str *out) {
    for (int i = 0; i < xl_n_asset_files; i++) {
        const char *path = xl_asset_files[i].path;
        bool is_wanted = !strncmp(path, "lib/", 4) ||
                         (page == FIRST && !strncmp(path, "app/draw/", 9));
        if (!is_wanted || !xl_ends_with(path, ".js")) continue;
        xl_str_puts(out, "<link rel=\"modulepreload\" href=\"");
        for (int k = 0; k < page % DEPTHS; k++) xl_str_puts(out, "../");
        xl_str_printf(out, "assets/%s/%s\">\n", assets->version, path);
    }
}

/* A page with its addresses filled in. */
static char *fill_in(const struct xl_assets *assets, const char *text, int page) {
    struct xl_str out = {0};
    int depth = page % DEPTHS;
    for (const char *at; (at = strchr(text, '@')); text = at) {
        xl_str_append(&out, text, (size_t)(at - text));
        bool is_root = !strncmp(at, "@ROOT@", 6), is_assets = !strncmp(at, "@ASSETS@", 8);
        bool is_preload = !strncmp(at, "@PRELOAD@", 9);
        for (int i = 0; i < depth && (is_root || is_assets); i++) xl_str_puts(&out, "../");
        if (is_root && !depth) xl_str_puts(&out, "./");
        if (is_assets) xl_str_printf(&out, "assets/%s/", assets->version);
        if (is_preload) put_preloads(assets, page, &out);
        if (!is_root && !is_assets && !is_preload) xl_str_puts(&out, "@");
        at += is_root ? 6 : is_assets ? 8 : is_preload ? 9 : 1;
    }
    xl_str_puts(&out, text);
    return xl_str_take(&out);
}

static enum xl_status make_version(struct xl_assets *assets, struct xl_err *err) {
    char digest[XL_SHA256_HEX];
    struct xl_sha256 *sha = xl_sha256_new();
    for (int i = 0; i < xl_n_asset_files; i++) {
        const struct xl_asset_file *file = &xl_asset_files[i];
        xl_sha256_add(sha, file->path, strlen(file->path) + 1);
        xl_sha256_add(sha, file->bytes, *file->n);
    }
    enum xl_status status = xl_sha256_end(sha, digest, err);
    if (!status) memcpy(assets->version, digest, VERSION_DIGITS);
    return status;
}

static enum xl_status make_pages(struct xl_assets *assets, struct xl_err *err) {
    const struct xl_asset_file *index = NULL;
    enum xl_status status = XL_OK;
    for (int i = 0; i < xl_n_asset_files; i++)
        if (!strcmp(xl_asset_files[i].path, "app/index.html")) index = &xl_asset_files[i];
    if (!index) return xl_fail(err, XL_EINTERNAL, "the page was not built in");
    for (int i = 0; i < PAGES && !status; i++) {
        assets->texts[i] = fill_in(assets, index->bytes, i);
        if (!assets->texts[i]) return xl_fail_nomem(err, "the page", 0);
        status = make_asset(&assets->pages[i], "index.html", assets->texts[i],
                            strlen(assets->texts[i]), err);
    }
    return status;
}

enum xl_status xl_assets_new(struct xl_assets **out, struct xl_err *err) {
    struct xl_assets *assets = calloc(1, sizeof *assets);
    if (assets) assets->files = calloc((size_t)xl_n_asset_files, sizeof *assets->files);
    if (!assets || !assets->files) {
        free(assets);
        return xl_fail_nomem(err, "the page", 0);
    }
    enum xl_status status = make_version(assets, err);
    for (; assets->n < xl_n_asset_files && !status; assets->n++) {
        const struct xl_asset_file *file = &xl_asset_files[assets->n];
        status = make_asset(&assets->files[assets->n], file->path, file->bytes, *file->n, err);
    }
    if (!status) status = make_pages(assets, err);
    if (status)
        xl_assets_free(assets);
    else
        *out = assets;
    return status;
}

void xl_assets_free(struct xl_assets *assets) {
    if (!assets) return;
    for (int i = 0; i < assets->n; i++) free(assets->files[i].small);
    for (int i = 0; i < PAGES; i++) {
        free(assets->pages[i].small);
        free(assets->texts[i]);
    }
    free(assets->files);
    free(assets);
}

/* --- Serving ---------------------------------------------------------------------------------- */

static void serve(struct xl_call *call, struct xl_reply *reply, const struct asset *asset,
                  bool is_immutable) {
    bool is_small = asset->small && xl_call_takes_gzip(call);
    xl_reply_header(reply, "ETag", asset->etag);
    xl_reply_header(reply, "Cache-Control",
                    is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (asset->small) xl_reply_header(reply, "Vary", "Accept-Encoding");
    if (xl_call_has_etag(call, asset->etag)) {
        xl_reply_empty(reply, 304);
        return;
    }
    if (is_small) xl_reply_header(reply, "Content-Encoding", "gzip");
    xl_reply_kept(reply, asset->type, is_small ? asset->small : asset->bytes,
                  is_small ? asset->n_small : asset->n);
}

static enum xl_status get_page(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const struct xl_assets *assets = call->user;
    int page = call->n_segments ? call->n_segments - 1 : FIRST;
    (void)err;
    if (call->n_segments > DEPTHS) page = DEPTHS - 1;
    serve(call, reply, &assets->pages[page], false);
    return XL_OK;
}

static enum xl_status get_asset(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const struct xl_assets *assets = call->user;
    const char *path = xl_call_text(call, "path"), *version = xl_call_text(call, "version");
    for (int i = 0; i < assets->n; i++) {
        if (strcmp(assets->files[i].path, path) != 0) continue;
        serve(call, reply, &assets->files[i], !strcmp(version, assets->version));
        return XL_OK;
    }
    return xl_reply_refuse(reply, 404, err, "the page has no file %.100s", path);
}

static const struct xl_param asset_params[] = {{.name = "version", .help = "of the page"},
                                               {.name = "path", .help = "of the file"},
                                               {.name = NULL}};
static const struct xl_param page_params[] = {{.name = "id", .help = "of what is shown"},
                                              {.name = NULL}};

#define PAGE(pattern_, params_)                                                                    \
    {                                                                                              \
        .method = "GET", .pattern = pattern_, .run = get_page, .params = params_,                  \
        .flags = XL_ROUTE_OPEN | XL_ROUTE_LAX | XL_ROUTE_HIDDEN                                    \
    }

/* The page's addresses; which view one means, app.js knows. */
static const struct xl_route rows[] = {
    PAGE("/", NULL),
    PAGE("/gallery", NULL),
    PAGE("/queue", NULL),
    PAGE("/night", NULL),
    PAGE("/night/{id}", page_params),
    PAGE("/duel", NULL),
    PAGE("/insights", NULL),
    PAGE("/system", NULL),
    PAGE("/picture/{id}", page_params),
    PAGE("/run/{id}", page_params),
    {.method = "GET",
     .pattern = "/assets/{version}/{path...}",
     .run = get_asset,
     .params = asset_params,
     .flags = XL_ROUTE_OPEN | XL_ROUTE_LAX | XL_ROUTE_HIDDEN},
};

struct xl_route_table xl_assets_table(struct xl_assets *assets) {
    return (struct xl_route_table){
        .rows = rows, .n = sizeof rows / sizeof *rows, .user = assets, .prefix = "/"};
}
