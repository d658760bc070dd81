/* select.c - the files of a listing that a model is made of. Keeps nothing; any thread. */
#include "hub/download/select.h"
#include "base/str.h"
#include "hub/hub.h"
#include "hub/weight_files.h"
#include "hub/weight_names.h"
#include "weights/pickle.h"

#include <stdio.h>
#include <string.h>

enum { MAX_SETS = 32, MAX_VARIANT = 64 };

/* Weight files of one component that belong together. */
struct set {
    char variant[MAX_VARIANT];
    bool is_sharded, has_index, is_there; /* is_there: all of it */
    int n_files, n_shards;
};

struct select {
    const struct xl_repo_listing *listing;
    const char *id;
    const bool *is_there;
    struct xl_selection selection;
};

/* --- Names -------------------------------------------------------------------------------------
 */

/* The name in a folder ("": the root), or NULL for a file that lies elsewhere. */
static const char *name_in(const char *path, const char *folder) {
    size_t n = strlen(folder);
    if (n && (strncmp(path, folder, n) || path[n] != '/')) return NULL;
    const char *name = n ? path + n + 1 : path;
    return strchr(name, '/') ? NULL : name;
}

/* Take the file of this path; false: there is none. */
static bool take(struct select *select, const char *path) {
    const struct xl_repo_file *file = xl_repo_listing_find(select->listing, path);
    if (file) select->selection.wanted[file - select->listing->file] = true;
    return file != NULL;
}

static bool take_in(struct select *select, const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s%s%s", folder, folder[0] ? "/" : "", name);
    return take(select, path);
}

/* --- Weights of a component ------------------------------------------------------------------- */

/* Which set a file is of: *index of it in sets[*n], added when it is new. False: of none. */
static bool find_set(struct set *sets, int *n, const struct xl_weight_name *said, int *index) {
    bool is_sharded = said->kind != XL_NAME_SINGLE;
    if (said->kind == XL_NAME_OTHER || said->n_variant >= MAX_VARIANT) return false;
    struct set new = {.is_sharded = is_sharded, .is_there = true};
    memcpy(new.variant, said->variant, (size_t)said->n_variant);
    for (*index = 0; *index < *n; ++*index)
        if (sets[*index].is_sharded == is_sharded && !strcmp(sets[*index].variant, new.variant))
            return true;
    if (*n == MAX_SETS) return false;
    sets[(*n)++] = new;
    return true;
}

static void count_file(struct set *set, const struct xl_weight_name *said, bool is_there) {
    set->is_there &= is_there;
    set->has_index |= said->kind == XL_NAME_INDEX;
    set->n_files += said->kind != XL_NAME_INDEX;
    if (said->kind == XL_NAME_SHARD) set->n_shards = said->n_shards;
}

static bool is_complete(const struct set *set) {
    return set->is_sharded ? set->has_index && set->n_shards > 0 && set->n_files == set->n_shards
                           : set->n_files == 1;
}

static int variant_rank(const char *variant) {
    return !strcmp(variant, "fp16") ? 0 : !variant[0] ? 1 : 2;
}

static bool is_better(const struct set *a, const struct set *b, bool shards_first) {
    if (a->is_there != b->is_there) return a->is_there;
    int rank = variant_rank(a->variant) - variant_rank(b->variant);
    if (rank) return rank < 0;
    int order = strcmp(a->variant, b->variant);
    if (order) return order < 0;
    return a->is_sharded == shards_first && b->is_sharded != shards_first;
}

/* Take the best complete set of a component's weights. False: there is none; *has_pickle: but files
 * that are never read. */
static bool take_weights(struct select *select, const struct xl_hub_weights_spec *spec,
                         bool *has_pickle) {
    const struct xl_repo_listing *listing = select->listing;
    struct set sets[MAX_SETS];
    struct xl_weight_name said;
    int n = 0, index, best = -1;
    for (int i = 0; i < listing->n; i++) {
        const char *name = name_in(listing->file[i].path, spec->folder);
        if (!name) continue;
        *has_pickle |= xl_is_pickle_name(name);
        xl_hub_read_weight_name(spec->stem, name, &said);
        if (find_set(sets, &n, &said, &index))
            count_file(&sets[index], &said, select->is_there && select->is_there[i]);
    }
    for (int i = 0; i < n; i++)
        if (is_complete(&sets[i]) &&
            (best < 0 || is_better(&sets[i], &sets[best], spec->shards_first)))
            best = i;
    for (int i = 0; best >= 0 && i < listing->n; i++) {
        const char *name = name_in(listing->file[i].path, spec->folder);
        if (!name) continue;
        xl_hub_read_weight_name(spec->stem, name, &said);
        if (find_set(sets, &n, &said, &index) && index == best) select->selection.wanted[i] = true;
    }
    return best >= 0;
}

/* --- Kinds of repositories ---------------------------------------------------------------------
 */

static enum xl_status lacks(const struct select *select, const char *what, struct xl_err *err) {
    return xl_fail(err, XL_EFORMAT,
                   "model %s: the repository has no %s, which a model of the SDXL "
                   "family needs; nothing was downloaded",
                   select->id, what);
}

static enum xl_status take_component(struct select *select, enum xl_component component,
                                     struct xl_err *err) {
    const struct xl_hub_weights_spec *spec = xl_hub_component_weights(component);
    bool has_pickle = false;
    char what[128];
    if (!take_in(select, spec->folder, "config.json")) {
        snprintf(what, sizeof what, "%s/config.json", spec->folder);
        return lacks(select, what, err);
    }
    if (take_weights(select, spec, &has_pickle)) return XL_OK;
    if (has_pickle)
        return xl_fail(err, XL_EFORMAT,
                       "model %s: the weights in %s are pickles only, which can run code and are "
                       "never read; nothing was downloaded: convert the model with diffusers' "
                       "save_pretrained(..., safe_serialization=True)",
                       select->id, spec->folder);
    snprintf(what, sizeof what, "complete set of safetensors files in %s", spec->folder);
    return lacks(select, what, err);
}

static enum xl_status take_pipeline(struct select *select, struct xl_err *err) {
    static const char *const tokenizers[] = {"tokenizer", "tokenizer_2"};
    static const char *const names[] = {"vocab.json",
                                        "merges.txt",
                                        "tokenizer.json",
                                        "tokenizer_config.json",
                                        "special_tokens_map.json",
                                        "added_tokens.json"};
    enum xl_status status = XL_OK;
    take(select, "model_index.json");
    for (int c = 0; !status && c < XL_N_COMPONENTS; c++) status = take_component(select, c, err);
    if (!status && !take(select, "scheduler/scheduler_config.json"))
        status = lacks(select, "scheduler/scheduler_config.json", err);
    for (size_t t = 0; t < sizeof tokenizers / sizeof *tokenizers; t++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            take_in(select, tokenizers[t], names[i]);
    return status;
}

/* A VAE or another component that lies at the root. */
static bool take_root_component(struct select *select) {
    static const char *const stems[] = {"diffusion_pytorch_model", "model"};
    bool has_pickle = false; /* nobody asks: a file at the root may be meant */
    if (!xl_repo_listing_find(select->listing, "config.json")) return false;
    for (size_t i = 0; i < sizeof stems / sizeof *stems; i++) {
        const struct xl_hub_weights_spec spec = {"", stems[i], i == 0};
        if (take_weights(select, &spec, &has_pickle)) return take(select, "config.json");
    }
    return false;
}

static enum xl_status fail_several(const struct select *select, struct xl_err *err) {
    char names[400] = "";
    const char *first = NULL;
    for (int i = 0; i < select->listing->n; i++) {
        const char *name = name_in(select->listing->file[i].path, "");
        if (!name || !xl_ends_with(name, ".safetensors")) continue;
        size_t len = strlen(names);
        if (len + strlen(name) + 8 >= sizeof names) {
            strcat(names, ", ...");
            break;
        }
        if (!first) first = name;
        snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "", name);
    }
    return xl_fail(err, XL_EINVAL, "model %s holds several files: %s; say which, as in \"%s:%s\"",
                   select->id, names, select->id, first);
}

/* The one file at the root, or of several the one that says fp16. */
static enum xl_status take_root_file(struct select *select, struct xl_err *err) {
    int n = 0, n_half = 0, only = -1, half = -1;
    bool has_pickle = false;
    for (int i = 0; i < select->listing->n; i++) {
        const char *name = name_in(select->listing->file[i].path, "");
        if (!name) continue;
        has_pickle |= xl_is_pickle_name(name);
        if (!xl_ends_with(name, ".safetensors")) continue;
        n++, only = i;
        if (strstr(name, "fp16")) n_half++, half = i;
    }
    if (n > 1 && n_half != 1) return fail_several(select, err);
    if (n) return select->selection.wanted[n > 1 ? half : only] = true, XL_OK;
    if (has_pickle)
        return xl_fail(
            err, XL_EFORMAT,
            "model %s holds pickles only, which can run code and are never read; nothing "
            "was downloaded: take a repository with .safetensors files",
            select->id);
    return xl_fail(err, XL_EFORMAT,
                   "model %s: the repository has neither model_index.json nor a .safetensors file "
                   "at its root; nothing was downloaded",
                   select->id);
}

static enum xl_status take_asked(struct select *select, const char *file, struct xl_err *err) {
    if (xl_is_pickle_name(file))
        return xl_fail(err, XL_EFORMAT,
                       "%s of model %s: pickles can run code and are never read; "
                       "nothing was downloaded",
                       file, select->id);
    if (!take(select, file))
        return xl_fail(err, XL_EMODEL, "model %s: the repository has no file %s", select->id, file);
    return XL_OK;
}

enum xl_status xl_hub_select(const struct xl_repo_listing *listing, const char *id,
                             const char *file, const bool *is_there, struct xl_arena *arena,
                             struct xl_selection *out, struct xl_err *err) {
    struct select select = {.listing = listing, .id = id, .is_there = is_there};
    enum xl_status status = XL_OK;
    select.selection.wanted = xl_arena_alloc(arena, (size_t)listing->n + 1);
    if (!select.selection.wanted) return xl_fail_nomem(err, "the files of a model", 0);
    select.selection.kind = XL_REPO_FILE;
    if (file) {
        status = take_asked(&select, file, err);
    } else if (xl_repo_listing_find(listing, "model_index.json")) {
        select.selection.kind = XL_REPO_PIPELINE;
        status = take_pipeline(&select, err);
    } else if (take_root_component(&select)) {
        select.selection.kind = XL_REPO_COMPONENT;
    } else {
        status = take_root_file(&select, err);
    }
    if (!status) *out = select.selection;
    return status;
}
