/* resolve.c - from what the user calls a model to the folder or file that holds it.
 *
 * A repository in the cache is models--org--name with refs/REVISION (a file that names a commit)
 * and snapshots/COMMIT (a folder of links). What the user asked for is never replaced in silence:
 * another snapshot is taken only where no revision was asked for, and `notice` says so.
 */
#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "hub/files.h"
#include "hub/locate.h"
#include "hub/location.h"
#include "weights/pickle.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_ID_PART = 96, MAX_REVISION = 255, COMMIT_DIGITS = 40 };

static const char letters_and_digits[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* A snapshot that may be what was asked for. */
struct candidate {
    struct xl_snapshot snapshot;
    bool is_guess; /* nothing names it: the ref is missing */
    struct timespec modified;
};

struct search {
    const char *id, *revision; /* revision: NULL when not asked for */
    const char *file;          /* of the repository, by its name there; NULL: not asked for */
    int n_id;                  /* bytes of id without the file */
    const struct xl_hub_want *want;
    struct xl_arena *arena;
    struct candidate *list;
    int n, capacity;
    const char *repository; /* one that was found, for messages */
};

static bool has_control_character(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 32 || *text == 127) return true;
    return false;
}

/* One part of a repository id, by the rules of huggingface_hub's validate_repo_id. */
static bool is_id_part(const char *part, size_t n) {
    if (n < 1 || n > MAX_ID_PART) return false;
    for (size_t i = 0; i < n; i++) {
        bool is_mark = strchr("-_.", part[i]) != NULL;
        bool at_end = i == 0 || i == n - 1;
        if (!is_mark && !strchr(letters_and_digits, part[i])) return false;
        if (at_end && (part[i] == '-' || part[i] == '.')) return false;
        if (i && part[i] == part[i - 1] && (part[i] == '-' || part[i] == '.')) return false;
    }
    return true;
}

static bool is_repository_id(const char *text) {
    const char *slash = strchr(text, '/');
    if (!slash) return is_id_part(text, strlen(text));
    return is_id_part(text, (size_t)(slash - text)) && is_id_part(slash + 1, strlen(slash + 1));
}

/* A name for refs/ or snapshots/ that stays below it. */
static bool is_revision(const char *text) {
    if (strlen(text) > MAX_REVISION || has_control_character(text) || strchr(text, '\\'))
        return false;
    for (const char *part = text;; part++) {
        size_t n = strcspn(part, "/");
        if (n == 0 || (n <= 2 && !strncmp(part, "..", n))) return false;
        part += n;
        if (!*part) return true;
    }
}

static bool is_commit(const char *text) {
    size_t n = strspn(text, "0123456789abcdef");
    return n == COMMIT_DIGITS && !text[n];
}

static enum xl_status check_revision(const char *revision, struct xl_err *err) {
    if (!revision || (revision[0] && is_revision(revision))) return XL_OK;
    return xl_fail(err, XL_EINVAL,
                   "revision \"%s\": expected a branch, a tag or the 40 digits of a commit",
                   revision);
}

enum xl_status xl_hub_check_id(const char *id, const char *revision, struct xl_err *err) {
    if (!is_repository_id(id))
        return xl_fail(err, XL_EINVAL, "model \"%s\": no repository of the form org/name", id);
    return check_revision(revision, err);
}

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "the path of a model", 0);
}

static enum xl_status add_candidate(struct search *search, const char *repository,
                                    const char *commit, bool is_guess, struct xl_err *err) {
    const char *dir = xl_arena_printf(search->arena, "%s/snapshots/%s", repository, commit);
    struct stat st;
    if (!dir) return nomem(err);
    if (stat(dir, &st) || !S_ISDIR(st.st_mode)) return XL_OK;
    if (search->n == search->capacity) {
        int capacity = search->capacity ? 2 * search->capacity : 8;
        struct candidate *grown = xl_arena_alloc(search->arena, (size_t)capacity * sizeof *grown);
        if (!grown) return nomem(err);
        if (search->n) memcpy(grown, search->list, (size_t)search->n * sizeof *grown);
        search->list = grown;
        search->capacity = capacity;
    }
    const char *name = xl_arena_strdup(search->arena, commit);
    if (!name) return nomem(err);
    search->list[search->n++] =
        (struct candidate){{.dir = dir, .id = search->id, .commit = name}, is_guess, st.st_mtim};
    return XL_OK;
}

/* *commit: what refs/REVISION names, NULL when there is no such file or no name in it. */
static enum xl_status read_ref(struct search *search, const char *repository, const char *revision,
                               const char **commit, struct xl_err *err) {
    const char *path = xl_arena_printf(search->arena, "%s/refs/%s", repository, revision);
    struct xl_read_rule rule = {256, XL_EMODEL, XL_EFORMAT};
    char *text;
    size_t n;
    *commit = NULL;
    if (!path) return nomem(err);
    enum xl_status status = xl_file_read(path, rule, &text, &n, err);
    if (status) return status == XL_ENOMEM ? status : XL_OK;
    char *begin = text + strspn(text, " \t\r\n");
    begin[strcspn(begin, " \t\r\n")] = 0;
    bool is_name = is_revision(begin) && !strchr(begin, '/');
    if (is_name) *commit = xl_arena_strdup(search->arena, begin);
    free(text);
    return is_name && !*commit ? nomem(err) : XL_OK;
}

static enum xl_status search_repository(struct search *search, const char *repository,
                                        struct xl_err *err) {
    if (!xl_dir_exists(repository)) return XL_OK;
    if (!search->repository) search->repository = repository;
    const char *revision = search->revision ? search->revision : "main";
    const char *commit = revision;
    int n_before = search->n;
    enum xl_status status = XL_OK;
    if (!is_commit(revision)) status = read_ref(search, repository, revision, &commit, err);
    if (!status && commit) status = add_candidate(search, repository, commit, false, err);
    if (status || search->n > n_before) return status;
    if (search->revision && strcmp(search->revision, "main")) return XL_OK;
    const char *snapshots = xl_arena_printf(search->arena, "%s/snapshots", repository);
    struct xl_hub_names names;
    if (!snapshots) return nomem(err);
    status = xl_hub_list(snapshots, search->arena, &names, err);
    for (int i = 0; !status && i < names.n; i++)
        status = add_candidate(search, repository, names.name[i], true, err);
    return status;
}

/* What a ref names before guesses, then the newest. */
static int by_preference(const struct candidate *x, const struct candidate *y) {
    if (x->is_guess != y->is_guess) return x->is_guess ? 1 : -1;
    if (!x->is_guess) return 0;
    const struct timespec *s = &x->modified, *t = &y->modified;
    if (s->tv_sec != t->tv_sec) return s->tv_sec > t->tv_sec ? -1 : 1;
    if (s->tv_nsec != t->tv_nsec) return s->tv_nsec > t->tv_nsec ? -1 : 1;
    return strcmp(x->snapshot.dir, y->snapshot.dir);
}

/* A folder that says by a file that it is what is wanted; a link that leads to nothing counts. */
static bool has_mark(const struct xl_hub_want *want, const char *dir, struct xl_arena *arena) {
    for (const char *const *mark = want->marks; *mark; mark++) {
        const char *path = xl_arena_printf(arena, "%s/%s", dir, *mark);
        if (path && !xl_hub_is_absent(path)) return true;
    }
    return false;
}

/* Which file it is, where it is one: the one that was asked for, or the only one of its kind. */
static enum xl_status settle(const struct search *search, struct xl_snapshot *snapshot,
                             struct xl_err *err) {
    if (search->file) {
        snapshot->file = xl_arena_printf(search->arena, "%s/%s", snapshot->dir, search->file);
        if (!snapshot->file) return nomem(err);
        const char *why = xl_hub_why_unusable(snapshot->file);
        return why ? xl_fail(err, XL_EMODEL,
                             "model %s: %s (%s); download it with \"sdxl-lab models download %s\"",
                             search->id, snapshot->file, why, search->id)
                   : XL_OK;
    }
    if (has_mark(search->want, snapshot->dir, search->arena)) return XL_OK;
    return search->want->settle(snapshot, search->arena, err);
}

static bool is_complete(const struct search *search, const struct xl_snapshot *snapshot) {
    struct xl_arena scratch = {0};
    struct search own = *search;
    struct xl_snapshot settled = *snapshot;
    own.arena = &scratch;
    bool complete = !settle(&own, &settled, NULL) && search->want->is_complete(&settled);
    xl_arena_deinit(&scratch);
    return complete;
}

/* The first complete candidate, or the first: its gaps are then what the user hears about. */
static enum xl_status choose(struct search *search, struct xl_snapshot *out, struct xl_err *err) {
    int chosen = 0;
    /* Insertion sort: few, and those that refs name must keep the order of the roots. */
    for (int i = 1; i < search->n; i++)
        for (int k = i; k && by_preference(&search->list[k - 1], &search->list[k]) > 0; k--) {
            struct candidate swap = search->list[k];
            search->list[k] = search->list[k - 1];
            search->list[k - 1] = swap;
        }
    if (search->n > 1)
        while (chosen < search->n && !is_complete(search, &search->list[chosen].snapshot)) chosen++;
    bool complete = chosen < search->n;
    if (!complete) chosen = 0;
    const struct candidate *candidate = &search->list[chosen];
    struct xl_snapshot snapshot = candidate->snapshot;
    bool needs_notice = candidate->is_guess || chosen > 0;
    if (chosen > 0 && !search->list[0].is_guess)
        snapshot.notice = xl_arena_printf(search->arena, "%s: took %s, because %s is incomplete",
                                          search->id, snapshot.dir, search->list[0].snapshot.dir);
    else if (candidate->is_guess && search->n == 1)
        snapshot.notice = xl_arena_printf(
            search->arena,
            "%s: the cache does not say which commit is main; took %s, the only one there",
            search->id, snapshot.commit);
    else if (candidate->is_guess)
        snapshot.notice = xl_arena_printf(
            search->arena,
            "%s: the cache does not say which commit is main; took %s, the newest%s of %d",
            search->id, snapshot.commit, complete ? " complete one" : "", search->n);
    if (needs_notice && !snapshot.notice) return nomem(err);
    enum xl_status status = settle(search, &snapshot, err);
    bool is_told_later = search->want->is_lenient && !search->file && status != XL_ENOMEM;
    if (status && !is_told_later) return status;
    *out = snapshot;
    return XL_OK;
}

static enum xl_status fail_not_cached(const struct search *search, const struct xl_hub_roots *roots,
                                      struct xl_err *err) {
    char places[512] = "";
    for (int i = 0; i < roots->n; i++) {
        size_t len = strlen(places), need = strlen(roots->dir[i]) + 2;
        if (len + need >= sizeof places) break;
        if (len) strcat(places, ", ");
        strcat(places, roots->dir[i]);
    }
    if (search->repository && search->revision)
        return xl_fail(err, XL_EMODEL,
                       "model %s: revision \"%s\" is not in the cache (%s); download it with "
                       "\"sdxl-lab models download %s --revision %s\"",
                       search->id, search->revision, search->repository, search->id,
                       search->revision);
    if (search->repository)
        return xl_fail(err, XL_EMODEL,
                       "model %s: only the beginning of a download is in the cache (%s); download "
                       "it with \"sdxl-lab models download %s\"",
                       search->id, search->repository, search->id);
    return xl_fail(err, XL_EMODEL,
                   "model %s: not in the Hugging Face cache (looked in %s); download it with "
                   "\"sdxl-lab models download %s\"%s%s",
                   search->id, places, search->id, xl_hub_is_placed() ? "" : " or set HF_HOME",
                   xl_dir_exists(search->id)
                       ? "; the folder of that name here holds no model_index.json"
                       : "");
}

static enum xl_status resolve_cached(struct search *search, struct xl_snapshot *out,
                                     struct xl_err *err) {
    struct xl_hub_roots roots;
    enum xl_status status = xl_hub_roots(search->arena, &roots, err);
    if (status) return status;
    const char *slash = strchr(search->id, '/');
    int n = search->n_id, n_org = slash ? (int)(slash - search->id) : 0;
    const char *folder = slash ? xl_arena_printf(search->arena, "models--%.*s--%.*s", n_org,
                                                 search->id, n - n_org - 1, slash + 1)
                               : xl_arena_printf(search->arena, "models--%.*s", n, search->id);
    if (!folder) return nomem(err);
    for (int i = 0; !status && i < roots.n; i++) {
        const char *dir = xl_arena_printf(search->arena, "%s/%s", roots.dir[i], folder);
        status = dir ? search_repository(search, dir, err) : nomem(err);
    }
    if (status) return status;
    return search->n ? choose(search, out, err) : fail_not_cached(search, &roots, err);
}

enum xl_status xl_hub_check_pickle(const char *path, struct xl_err *err) {
    if (!xl_is_pickle_name(path)) return XL_OK;
    return xl_fail(err, XL_EFORMAT,
                   "model %s: pickle files can run code and are never read; convert the model with "
                   "diffusers' save_pretrained(..., safe_serialization=True)",
                   path);
}

static enum xl_status take_file(const char *path, struct xl_arena *arena, struct xl_snapshot *out,
                                struct xl_err *err) {
    enum xl_status status = xl_hub_check_pickle(path, err);
    if (status) return status;
    if (!xl_ends_with(path, ".safetensors"))
        return xl_fail(err, XL_EFORMAT,
                       "model %s: neither a .safetensors file nor a folder with model_index.json; "
                       "expected one of them, or a repository (org/name)",
                       path);
    struct xl_snapshot snapshot = {.id = xl_arena_strdup(arena, path)};
    const char *file = xl_path_absolute(path, arena);
    const char *slash = file ? strrchr(file, '/') : NULL;
    snapshot.file = file;
    if (slash) snapshot.dir = xl_arena_strndup(arena, file, (size_t)(slash - file));
    if (!snapshot.id || !snapshot.dir) return nomem(err);
    *out = snapshot;
    return XL_OK;
}

static enum xl_status take_folder(const char *path, struct xl_arena *arena, struct xl_snapshot *out,
                                  struct xl_err *err) {
    const char *dir = xl_path_absolute(path, arena), *id = xl_arena_strdup(arena, path);
    if (!dir || !id) return nomem(err);
    *out = (struct xl_snapshot){.dir = dir, .id = id};
    return XL_OK;
}

/* "org/name:file.safetensors": cut search->id's file off. False: it is none. */
static bool has_file(struct search *search, const char *text, struct xl_err *err,
                     enum xl_status *status) {
    const char *colon = strchr(text, ':');
    const char *id = colon ? xl_arena_strndup(search->arena, text, (size_t)(colon - text)) : NULL;
    if (!id || !is_repository_id(id) || !is_revision(colon + 1)) return false;
    search->file = xl_arena_strdup(search->arena, colon + 1);
    search->n_id = (int)(colon - text);
    *status = search->file ? xl_hub_check_pickle(search->file, err) : nomem(err);
    return *status || xl_ends_with(search->file, ".safetensors");
}

static enum xl_status check_text(const char *text, const char *revision, struct xl_err *err) {
    if (!text[0] || has_control_character(text))
        return xl_fail(err, XL_EINVAL, "model \"%s\": %s", text,
                       text[0] ? "holds a control character" : "expected a repository or a folder");
    return check_revision(revision, err);
}

/* A folder without marks that holds the one file. *is_one: it does, or too many (an error). */
static enum xl_status look_inside(const struct search *search, struct xl_snapshot *out,
                                  bool *is_one, struct xl_err *err) {
    struct xl_snapshot snapshot;
    enum xl_status status = take_folder(search->id, search->arena, &snapshot, err);
    if (!status) status = search->want->settle(&snapshot, search->arena, err);
    *is_one = status == XL_EINVAL || status == XL_ENOMEM || (!status && snapshot.file);
    if (!status && snapshot.file) *out = snapshot;
    return status;
}

enum xl_status xl_hub_locate(const char *text, const char *revision, const struct xl_hub_want *want,
                             struct xl_arena *arena, struct xl_snapshot *out, struct xl_err *err) {
    enum xl_status status = check_text(text, revision, err), inside = XL_OK;
    if (status) return status;
    const char *snapshots = xl_arena_printf(arena, "%s/snapshots", text);
    struct search search = {.id = xl_arena_strdup(arena, text),
                            .revision = revision,
                            .n_id = (int)strlen(text),
                            .want = want,
                            .arena = arena};
    bool is_folder = xl_dir_exists(text), is_one = false;
    if (!snapshots || !search.id) return nomem(err);
    /* A folder comes before a repository of the same name, as in diffusers. */
    if (has_mark(want, text, arena)) return take_folder(text, arena, out, err);
    if (xl_dir_exists(snapshots)) { /* a repository of the cache, by its path */
        const char *dir = xl_path_absolute(text, arena);
        status = dir ? search_repository(&search, dir, err) : nomem(err);
        if (status) return status;
        struct xl_hub_roots none = {0};
        return search.n ? choose(&search, out, err) : fail_not_cached(&search, &none, err);
    }
    if (xl_file_exists(text)) return take_file(text, arena, out, err);
    if (has_file(&search, text, err, &status))
        return status ? status : resolve_cached(&search, out, err);
    search.file = NULL;
    search.n_id = (int)strlen(text);
    if (is_folder) inside = look_inside(&search, out, &is_one, err);
    if (is_one) return inside;
    if (!is_folder && xl_ends_with(text, ".safetensors"))
        return xl_fail(err, XL_EMODEL, "model %s: there is no such file", text);
    if (is_repository_id(text)) return resolve_cached(&search, out, err);
    if (inside) return inside;
    if (is_folder)
        return xl_fail(err, XL_EMODEL,
                       "model %s: no model_index.json in this folder, and no checkpoint", text);
    status = xl_hub_check_pickle(text, err);
    if (status) return status;
    return xl_fail(err, XL_EINVAL,
                   "model \"%s\": neither a folder nor a repository of the form org/name", text);
}

static bool is_whole_model(const struct xl_snapshot *snapshot) {
    struct xl_arena scratch = {0};
    struct xl_pipeline_files files;
    bool complete = !xl_hub_pipeline(snapshot, NULL, &scratch, &files, NULL);
    xl_arena_deinit(&scratch);
    return complete;
}

enum xl_status xl_hub_resolve(const char *model, const char *revision, struct xl_arena *arena,
                              struct xl_snapshot *out, struct xl_err *err) {
    static const struct xl_hub_want want = {
        {"model_index.json"}, xl_hub_settle_model, is_whole_model, true};
    return xl_hub_locate(model, revision, &want, arena, out, err);
}
