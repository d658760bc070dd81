/* listing.c - the hub's answers about a repository, checked: paths and digests become names of
 * files on this machine. Keeps nothing; any thread. */
#include "hub/download/listing.h"
#include "base/blob_hash.h"
#include "base/json.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 100000, MAX_PATH_BYTES = 1024, COMMIT_DIGITS = 40 };

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "the list of a repository's files", 0);
}

/* A relative path of plain names. */
static bool is_plain_path(const char *path) {
    if (strlen(path) > MAX_PATH_BYTES) return false;
    for (const char *c = path; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127 || *c == '\\') return false;
    for (const char *part = path;; part++) {
        size_t n = strcspn(part, "/");
        if (n == 0 || n > 255 || (n <= 2 && !strncmp(part, "..", n))) return false;
        part += n;
        if (!*part) return true;
    }
}

/* An array at the root is put into an object, which is what xl_json_parse takes. */
static enum xl_status parse_array(const char *name, const char *text, size_t n, json_t **root,
                                  struct xl_err *err) {
    struct xl_str wrapped = {0};
    xl_str_puts(&wrapped, "{\"entries\":");
    xl_str_append(&wrapped, text, n);
    xl_str_puts(&wrapped, "}");
    size_t len = wrapped.len;
    char *whole = xl_str_take(&wrapped);
    if (!whole) return nomem(err);
    enum xl_status status = xl_json_parse(name, whole, len, root, err);
    free(whole);
    return status == XL_EFORMAT ? XL_ENETWORK : status;
}

static enum xl_status add_file(struct xl_repo_listing *listing, const char *name,
                               const json_t *entry, struct xl_arena *arena, struct xl_err *err) {
    const json_t *lfs = json_object_get(entry, "lfs");
    const json_t *about = json_is_object(lfs) ? lfs : entry;
    const char *path = json_string_value(json_object_get(entry, "path"));
    const char *blob = json_string_value(json_object_get(about, "oid"));
    const json_t *size = json_object_get(about, "size");
    if (blob && !strncmp(blob, "sha256:", 7)) blob += 7;
    if (!path || !is_plain_path(path))
        return xl_fail(err, XL_ENETWORK, "%s: \"%.200s\" is no path of a file in a repository",
                       name, path ? path : "");
    if (!json_is_integer(size) || json_integer_value(size) < 0 || !blob || !xl_is_blob_name(blob))
        return xl_fail(err, XL_ENETWORK, "%s: %.200s has no size or no digest there", name, path);
    if (listing->n >= MAX_FILES)
        return xl_fail(err, XL_ENETWORK, "%s: more than %d files, which is not supported", name,
                       MAX_FILES);
    if (listing->n == listing->capacity) {
        int capacity = listing->capacity ? 2 * listing->capacity : 64;
        struct xl_repo_file *grown = xl_arena_alloc(arena, (size_t)capacity * sizeof *grown);
        if (!grown) return nomem(err);
        if (listing->n) memcpy(grown, listing->file, (size_t)listing->n * sizeof *grown);
        listing->file = grown;
        listing->capacity = capacity;
    }
    struct xl_repo_file file = {xl_arena_strdup(arena, path), json_integer_value(size),
                                xl_arena_strdup(arena, blob)};
    if (!file.path || !file.blob) return nomem(err);
    listing->file[listing->n++] = file;
    return XL_OK;
}

enum xl_status xl_repo_listing_add(struct xl_repo_listing *listing, const char *name,
                                   const char *text, size_t n, struct xl_arena *arena,
                                   struct xl_err *err) {
    json_t *root = NULL;
    enum xl_status status = parse_array(name, text, n, &root, err);
    if (status) return status;
    const json_t *entries = json_object_get(root, "entries");
    if (!json_is_array(entries))
        status = xl_fail(err, XL_ENETWORK, "%s: not a list of files", name);
    for (size_t i = 0; !status && i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        const char *type = json_string_value(json_object_get(entry, "type"));
        if (type && !strcmp(type, "file")) status = add_file(listing, name, entry, arena, err);
    }
    json_decref(root);
    return status;
}

const struct xl_repo_file *xl_repo_listing_find(const struct xl_repo_listing *listing,
                                                const char *path) {
    for (int i = 0; i < listing->n; i++)
        if (!strcmp(listing->file[i].path, path)) return &listing->file[i];
    return NULL;
}

/* The licence of a card: a text, or the first of several; a model without metadata has it among its
 * tags ("license:openrail++"). */
static const char *licence_of(const json_t *root) {
    static const char prefix[] = "license:";
    const json_t *licence = json_object_get(json_object_get(root, "cardData"), "license");
    const json_t *tags = json_object_get(root, "tags");
    if (json_is_array(licence)) licence = json_array_get(licence, 0);
    if (json_is_string(licence)) return json_string_value(licence);
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *tag = json_string_value(json_array_get(tags, i));
        if (tag && !strncmp(tag, prefix, sizeof prefix - 1)) return tag + sizeof prefix - 1;
    }
    return "";
}

enum xl_status xl_repo_info_read(const char *name, const char *text, size_t n,
                                 struct xl_arena *arena, struct xl_repo_info *out,
                                 struct xl_err *err) {
    json_t *root = NULL;
    enum xl_status status = xl_json_parse(name, text, n, &root, err);
    if (status) return status == XL_EFORMAT ? XL_ENETWORK : status;
    const char *commit = json_string_value(json_object_get(root, "sha"));
    const json_t *gated = json_object_get(root, "gated");
    struct xl_repo_info info = {.is_gated = json_is_string(gated) || json_is_true(gated)};
    if (!commit || strlen(commit) != COMMIT_DIGITS || !xl_is_blob_name(commit)) {
        status = xl_fail(err, XL_ENETWORK, "%s: names no commit (\"sha\")", name);
    } else {
        info.commit = xl_arena_strdup(arena, commit);
        info.licence = xl_arena_strdup(arena, licence_of(root));
        if (!info.commit || !info.licence) status = nomem(err);
    }
    json_decref(root);
    if (!status) *out = info;
    return status;
}
