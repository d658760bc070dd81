/* assets.c - the page's files: digest, compression, routes. See assets.h. */
#include "http/assets.h"

#include "base/sha256.h"
#include "base/str.h"
#include "http/asset_files.h"
#include "http/gzip.h"
#include "http/preload.h"
#include "http/reply.h"

#include <stdlib.h>
#include <string.h>

/* The page's addresses, and the module that shows one, as app.js has it. */
static const struct {
    const char *pattern, *view;
} views[] = {
    {"/", "draw/draw"},
    {"/gallery", "gallery/wall"},
    {"/picture/{id}", "gallery/picture"},
    {"/cull/{id}", "cull/cull"},
    {"/queue", "queue/queue"},
    {"/run/{id}", "run/run"},
    {"/night", "night/night"},
    {"/night/{id}", "night/night"},
    {"/duel", "duel/duel"},
    {"/insights", "insights/insights"},
    {"/system", "system/system"},
};

enum { VERSION_DIGITS = 16, N_PAGES = sizeof views / sizeof *views, GZIP_LEAST = 200 };

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
    struct asset pages[N_PAGES]; /* index.html as each view has it */
    char *texts[N_PAGES];
    struct xl_route rows[N_PAGES + 1]; /* of the views, then of the files */
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

/* index.html with its addresses filled in, for one of the views. */
static char *fill_in(const struct xl_assets *assets, const char *text, int page) {
    struct xl_str out = {0}, root = {0}, folder = {0};
    for (const char *at = views[page].pattern + 1; (at = strchr(at, '/')); at++)
        xl_str_puts(&root, "../");
    xl_str_printf(&folder, "%sassets/%s/", root.len ? root.text : "", assets->version);
    for (const char *at; (at = strchr(text, '@')); text = at) {
        xl_str_append(&out, text, (size_t)(at - text));
        bool is_root = !strncmp(at, "@ROOT@", 6), is_assets = !strncmp(at, "@ASSETS@", 8);
        bool is_preload = !strncmp(at, "@PRELOAD@", 9);
        if (is_root) xl_str_puts(&out, root.len ? root.text : "./");
        if (is_assets && folder.text) xl_str_puts(&out, folder.text);
        if (is_preload && folder.text) xl_preload_links(views[page].view, folder.text, &out);
        if (!is_root && !is_assets && !is_preload) xl_str_puts(&out, "@");
        at += is_root ? 6 : is_assets ? 8 : is_preload ? 9 : 1;
    }
    xl_str_puts(&out, text);
    if (root.failed || folder.failed) out.failed = true;
    xl_str_deinit(&root);
    xl_str_deinit(&folder);
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
    for (int i = 0; i < N_PAGES && !status; i++) {
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
    for (int i = 0; i < N_PAGES; i++) {
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
    (void)err;
    serve(call, reply, &assets->pages[call->route - assets->rows], false);
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

static void make_rows(struct xl_route *rows) {
    for (int i = 0; i < N_PAGES; i++)
        rows[i] = (struct xl_route){.pattern = views[i].pattern,
                                    .run = get_page,
                                    .params = strchr(views[i].pattern, '{') ? page_params : NULL};
    rows[N_PAGES] = (struct xl_route){
        .pattern = "/assets/{version}/{path...}", .run = get_asset, .params = asset_params};
    for (int i = 0; i <= N_PAGES; i++) {
        rows[i].method = "GET";
        rows[i].flags = XL_ROUTE_OPEN | XL_ROUTE_LAX | XL_ROUTE_HIDDEN;
    }
}

struct xl_route_table xl_assets_table(struct xl_assets *assets) {
    make_rows(assets->rows);
    return (struct xl_route_table){
        .rows = assets->rows, .n = N_PAGES + 1, .user = assets, .prefix = "/"};
}
