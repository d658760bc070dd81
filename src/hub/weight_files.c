/* weight_files.c - sets of safetensors files, and which of them to take.
 *
 * A set is one file, or the shards that an index names; weight_names.h has the names.
 */
#include "hub/weight_files.h"
#include "base/str.h"
#include "hub/weight_names.h"
#include "weights/pickle.h"
#include "weights/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SHARDS = 256, PATH_BYTES = 4096 };

struct weight_set {
    const char *variant;
    const char *index; /* name of the index, or NULL for a single file */
    const char **files;
    int n_files;
    struct xl_hub_problems problems; /* none: complete */
};

struct choice {
    const char *dir; /* of the snapshot */
    const struct xl_hub_weights_spec *spec;
    struct xl_arena *arena;
    struct weight_set *sets;
    int n_sets;
};

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "the list of weight files", 0);
}

static void add_problem(const struct choice *choice, struct weight_set *set,
                        enum xl_hub_trouble trouble, const char *file, const char *why) {
    const char *path = xl_arena_printf(choice->arena, "%s/%s", choice->spec->folder, file);
    if (path)
        xl_hub_problems_add(&set->problems, choice->arena, trouble, path, why);
    else
        set->problems.failed = true;
}

/* The sentence of a failure without the path that it begins with: the list of problems has its own.
 */
static const char *without_path(const struct xl_err *err, const char *path) {
    size_t n = strlen(path);
    return !strncmp(err->text, path, n) && !strncmp(err->text + n, ": ", 2) ? err->text + n + 2
                                                                            : err->text;
}

/* Read the header of one file of the set; in a shard, look for the tensors that the index puts
 * there. Problems are noted in the set. */
static enum xl_status check_file(const struct choice *choice, struct weight_set *set,
                                 const char *file, const json_t *weight_map, struct xl_err *err) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s/%s", choice->dir, choice->spec->folder, file);
    const char *why = xl_hub_why_unusable(path);
    if (why) return add_problem(choice, set, XL_HUB_MISSING, file, why), XL_OK;
    struct xl_safetensors header;
    struct xl_err reason = {0};
    int fd = -1;
    enum xl_status status = xl_safetensors_open(path, &fd, &reason);
    if (!status) status = xl_safetensors_read(path, fd, &header, &reason);
    if (fd >= 0) close(fd);
    if (status == XL_ENOMEM) return xl_fail(err, status, "%s", reason.text);
    if (status)
        return add_problem(choice, set, XL_HUB_DAMAGED, file, without_path(&reason, path)), XL_OK;
    const char *tensor;
    json_t *home;
    json_object_foreach((json_t *)weight_map, tensor, home) {
        if (strcmp(json_string_value(home), file) || xl_safetensors_find(&header, tensor)) continue;
        char text[XL_ST_MAX_NAME + 64];
        snprintf(text, sizeof text, "does not hold tensor \"%.*s\", which the index puts there",
                 XL_ST_MAX_NAME, tensor);
        add_problem(choice, set, XL_HUB_DAMAGED, file, text);
        break;
    }
    xl_safetensors_deinit(&header);
    return XL_OK;
}

/* A file beside the index: nothing that leads out of the folder. */
static bool is_shard_name(const char *name) {
    if (strlen(name) > 255 || strchr(name, '/') || name[0] == '.') return false;
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127) return false;
    return xl_ends_with(name, ".safetensors");
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The files that weight_map names, each once, in the order of their names. Returns what is wrong
 * with it, or NULL. */
static const char *shard_names(const json_t *weight_map, struct xl_arena *arena, const char **files,
                               int *n_files) {
    const char *tensor;
    json_t *home;
    if (!json_is_object(weight_map) || !json_object_size(weight_map))
        return "the index has no \"weight_map\"";
    if (json_object_size(weight_map) > XL_ST_MAX_TENSORS)
        return "the index names more tensors than are supported";
    json_object_foreach((json_t *)weight_map, tensor, home) {
        const char *name = json_string_value(home);
        if (!name || strlen(name) != json_string_length(home) || !is_shard_name(name))
            return "the index names something that is not a safetensors file of its folder";
        int i = 0;
        while (i < *n_files && strcmp(files[i], name)) i++;
        if (i < *n_files) continue;
        if (*n_files == MAX_SHARDS) return "the index names more than 256 files";
        files[*n_files] = xl_arena_strdup(arena, name);
        if (!files[(*n_files)++]) return "out of memory";
    }
    qsort(files, (size_t)*n_files, sizeof *files, by_text);
    return NULL;
}

static enum xl_status check_index(const struct choice *choice, struct weight_set *set,
                                  struct xl_err *err) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s/%s", choice->dir, choice->spec->folder, set->index);
    const char *why = xl_hub_why_unusable(path);
    if (why) return add_problem(choice, set, XL_HUB_MISSING, set->index, why), XL_OK;
    struct xl_err reason = {0};
    json_t *root = NULL;
    enum xl_status status = xl_hub_load_json(path, &root, &reason);
    if (status == XL_ENOMEM) return xl_fail(err, status, "%s", reason.text);
    if (status)
        return add_problem(choice, set, XL_HUB_DAMAGED, set->index, without_path(&reason, path)),
               XL_OK;
    set->files = xl_arena_alloc(choice->arena, MAX_SHARDS * sizeof *set->files);
    if (!set->files) status = nomem(err);
    const json_t *weight_map = json_object_get(root, "weight_map");
    if (!status) why = shard_names(weight_map, choice->arena, set->files, &set->n_files);
    if (why) add_problem(choice, set, XL_HUB_DAMAGED, set->index, why);
    for (int i = 0; !status && !why && i < set->n_files; i++)
        status = check_file(choice, set, set->files[i], weight_map, err);
    json_decref(root);
    return status;
}

static enum xl_status add_set(struct choice *choice, struct weight_set set, const char *file,
                              struct xl_err *err) {
    enum xl_status status = XL_OK;
    if (set.index) {
        status = check_index(choice, &set, err);
    } else {
        set.files = xl_arena_alloc(choice->arena, sizeof *set.files);
        if (!set.files) return nomem(err);
        set.files[set.n_files++] = file;
        status = check_file(choice, &set, file, NULL, err);
    }
    if (!status && set.problems.failed) status = nomem(err);
    if (!status) choice->sets[choice->n_sets++] = set;
    return status;
}

/* Shards whose index is missing: a set that cannot be complete. One for each variant. */
static enum xl_status add_lost_shards(struct choice *choice, const char *variant, const char *shard,
                                      struct xl_err *err) {
    for (int i = 0; i < choice->n_sets; i++)
        if (choice->sets[i].index && !strcmp(choice->sets[i].variant, variant)) return XL_OK;
    struct weight_set set = {.variant = variant};
    set.index = xl_arena_printf(choice->arena, "%s%s%s.safetensors.index.json", choice->spec->stem,
                                variant[0] ? "." : "", variant);
    if (!set.index) return nomem(err);
    char why[512];
    snprintf(why, sizeof why, "missing, but %s is there", shard);
    add_problem(choice, &set, XL_HUB_MISSING, set.index, why);
    if (set.problems.failed) return nomem(err);
    choice->sets[choice->n_sets++] = set;
    return XL_OK;
}

static enum xl_status find_sets(struct choice *choice, const struct xl_hub_names *names,
                                struct xl_err *err) {
    choice->sets = xl_arena_alloc(choice->arena, (size_t)(names->n + 1) * sizeof *choice->sets);
    if (!choice->sets) return nomem(err);
    /* Lost shards last: only then are all indexes known. */
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < names->n; i++) {
            const char *name = names->name[i];
            struct xl_weight_name said;
            xl_hub_read_weight_name(choice->spec->stem, name, &said);
            if (said.kind == XL_NAME_OTHER || (said.kind == XL_NAME_SHARD) != (pass == 1)) continue;
            const char *variant =
                xl_arena_strndup(choice->arena, said.variant, (size_t)said.n_variant);
            if (!variant) return nomem(err);
            struct weight_set set = {.variant = variant,
                                     .index = said.kind == XL_NAME_INDEX ? name : NULL};
            enum xl_status status = said.kind == XL_NAME_SHARD
                                        ? add_lost_shards(choice, variant, name, err)
                                        : add_set(choice, set, name, err);
            if (status) return status;
        }
    }
    return XL_OK;
}

static int variant_rank(const char *variant) {
    return !variant[0] ? 0 : !strcmp(variant, "fp16") ? 1 : 2;
}

/* Does a come before b? What the libraries would take comes first: the plain name; then, in a
 * diffusers model the index, in a transformers model the single file. */
static bool is_preferred(const struct weight_set *a, const struct weight_set *b,
                         bool shards_first) {
    int rank = variant_rank(a->variant) - variant_rank(b->variant);
    if (rank) return rank < 0;
    int order = strcmp(a->variant, b->variant);
    if (order) return order < 0;
    return !a->index != !b->index && !a->index == !shards_first;
}

static const char *set_name(const struct weight_set *set) {
    return set->index ? set->index : set->files[0];
}

/* Say what was chosen, when there was a choice: sets notice and also. */
static enum xl_status explain(const struct choice *choice, const struct weight_set *chosen,
                              struct xl_component_files *out, struct xl_err *err) {
    char others[512] = "";
    int n_others = 0;
    for (int i = 0; i < choice->n_sets; i++) {
        const struct weight_set *set = &choice->sets[i];
        bool complete = !set->problems.first;
        /* An incomplete set that would not have been taken anyway is nobody's concern. */
        if (set == chosen || (!complete && !is_preferred(set, chosen, choice->spec->shards_first)))
            continue;
        size_t len = strlen(others);
        bool is_variant = complete && strcmp(set->variant, chosen->variant) != 0;
        out->also = is_variant && !n_others ? set->variant : NULL;
        n_others++;
        if (complete)
            snprintf(others + len, sizeof others - len, "%s%s is complete too", len ? "; " : "",
                     set_name(set));
        else
            snprintf(others + len, sizeof others - len, "%s%s cannot be used: %s (%s)",
                     len ? "; " : "", set_name(set), set->problems.first->file,
                     set->problems.first->why);
    }
    if (!others[0]) return XL_OK;
    out->notice = xl_arena_printf(choice->arena, "%s: took %s (%s)", choice->spec->folder,
                                  set_name(chosen), others);
    return out->notice ? XL_OK : nomem(err);
}

static enum xl_status take(const struct choice *choice, const struct weight_set *chosen,
                           struct xl_component_files *out, struct xl_err *err) {
    const char **paths = xl_arena_alloc(choice->arena, (size_t)chosen->n_files * sizeof *paths);
    if (!paths) return nomem(err);
    for (int i = 0; i < chosen->n_files; i++) {
        paths[i] = xl_arena_printf(choice->arena, "%s/%s/%s", choice->dir, choice->spec->folder,
                                   chosen->files[i]);
        if (!paths[i]) return nomem(err);
    }
    struct xl_component_files found = *out;
    enum xl_status status = explain(choice, chosen, &found, err);
    if (status) return status;
    found.files = paths;
    found.n_files = chosen->n_files;
    found.variant = chosen->variant;
    *out = found;
    return XL_OK;
}

/* No safetensors file at all: name the files of other kinds that hold the weights. */
static enum xl_status note_pickles(const struct choice *choice, const struct xl_hub_names *names,
                                   struct xl_hub_problems *problems, struct xl_err *err) {
    struct weight_set set = {0};
    for (int i = 0; i < names->n; i++)
        if (xl_is_pickle_name(names->name[i]))
            add_problem(choice, &set, XL_HUB_PICKLE, names->name[i], "a pickle");
    xl_hub_problems_append(problems, &set.problems);
    return problems->failed ? nomem(err) : XL_OK;
}

enum xl_status xl_hub_weight_files(const char *dir, const struct xl_hub_weights_spec *spec,
                                   struct xl_arena *arena, struct xl_component_files *out,
                                   struct xl_hub_problems *problems, struct xl_err *err) {
    struct choice choice = {.dir = dir, .spec = spec, .arena = arena};
    struct xl_hub_names names;
    const char *folder = xl_arena_printf(arena, "%s/%s", dir, spec->folder);
    if (!folder) return nomem(err);
    enum xl_status status = xl_hub_list(folder, arena, &names, err);
    if (!status) status = find_sets(&choice, &names, err);
    if (status) return status;
    struct weight_set *chosen = NULL, *first = NULL;
    for (int i = 0; i < choice.n_sets; i++) {
        struct weight_set *set = &choice.sets[i];
        if (!first || is_preferred(set, first, spec->shards_first)) first = set;
        if (set->problems.first) continue;
        if (!chosen || is_preferred(set, chosen, spec->shards_first)) chosen = set;
    }
    if (chosen) return take(&choice, chosen, out, err);
    if (!first) return note_pickles(&choice, &names, problems, err);
    xl_hub_problems_append(problems, &first->problems);
    return XL_OK;
}

/* ---- What is wrong, in a sentence ---- */

/* Downloads that were begun and not finished, beside the snapshot. */
static int count_interrupted(const struct xl_snapshot *snapshot, struct xl_arena *arena) {
    struct xl_hub_names names;
    const char *blobs = xl_arena_printf(arena, "%s/../../blobs", snapshot->dir);
    if (!snapshot->commit || !blobs || xl_hub_list(blobs, arena, &names, NULL)) return 0;
    int n = 0;
    for (int i = 0; i < names.n; i++) {
        const char *dot = strrchr(names.name[i], '.');
        n += dot && !strcmp(dot, ".incomplete");
    }
    return n;
}

enum xl_status xl_hub_fail_problems(const char *noun, const struct xl_snapshot *snapshot,
                                    const struct xl_hub_problems *problems, struct xl_arena *arena,
                                    struct xl_err *err) {
    bool missing = xl_hub_problems_any(problems, XL_HUB_MISSING);
    char list[640], begun[64] = "", advice[200] = "";
    int n = count_interrupted(snapshot, arena);
    if (n) snprintf(begun, sizeof begun, "; %d interrupted download%s", n, n > 1 ? "s" : "");
    if (xl_hub_problems_any(problems, XL_HUB_PICKLE))
        snprintf(advice, sizeof advice,
                 "; pickles can run code and are never read: convert the model with diffusers' "
                 "save_pretrained(..., safe_serialization=True)");
    else if (missing && snapshot->commit)
        snprintf(advice, sizeof advice,
                 "; download the rest with \"sdxl-lab models download %.100s\"", snapshot->id);
    else if (snapshot->commit)
        snprintf(advice, sizeof advice,
                 "; \"sdxl-lab models verify %.100s\" says what to remove and download again",
                 snapshot->id);
    return xl_fail(err, missing ? XL_EMODEL : XL_EFORMAT, "%s %.100s is %s: %s%s%s (in %s)", noun,
                   snapshot->id, missing ? "incomplete" : "unusable",
                   xl_hub_problems_format(problems, list, sizeof list), begun, advice,
                   snapshot->dir);
}
