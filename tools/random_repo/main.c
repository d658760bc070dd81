/* main.c - random-repo: writes an SDXL repository with random weights.
 *
 * It is written under the name DIR.partial and renamed at the end: DIR is whole or not there. */
#include "repo.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char usage[] =
    "usage: random-repo [--size tiny|words|full] [--dtype f16|f32|bf16] [--seed N] "
    "[--single-file]\n"
    "                   [--lora RANK] [--sparse] PATH\n"
    "\n"
    "Write an SDXL repository with random weights in diffusers' layout. Its pictures are noise.\n"
    "  --size         tiny: about 8 MB (default); words: the same with CLIP's vocabulary, 21 MB;\n"
    "                 full: the shapes of SDXL base 1.0, 6.9 GB in f16\n"
    "  --dtype        of the weights (default f16)\n"
    "  --seed         of the weights (default 0)\n"
    "  --single-file  one file in the original key names instead, of the same weights\n"
    "  --lora         one file with a LoRA of this rank for such a model instead\n"
    "  --sparse       headers alone: all weights are zero and take no room\n"
    "\n"
    "Exit codes: 0 written, 2 wrong arguments, 3 out of memory, 6 cannot write\n";

struct component {
    const char *folder, *file;
    struct xl_repo_tensors tensors;
};

enum { N_COMPONENTS = 4 };

/* What is written, and where. */
struct output {
    enum { FOLDERS, CHECKPOINT, LORA } kind;
    int rank; /* of a LoRA */
    const char *path;
};

static enum xl_status parse_dtype(const char *text, enum xl_dtype *dtype, struct xl_err *err) {
    static const struct {
        const char *name;
        enum xl_dtype dtype;
    } known[] = {{"f16", XL_DTYPE_F16}, {"f32", XL_DTYPE_F32}, {"bf16", XL_DTYPE_BF16}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, text)) continue;
        *dtype = known[i].dtype;
        return XL_OK;
    }
    return xl_fail(err, XL_EINVAL, "--dtype: \"%.40s\" is not one of: f16, f32, bf16", text);
}

static enum xl_status parse_seed(const char *text, uint64_t *seed, struct xl_err *err) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return xl_fail(err, XL_EINVAL, "--seed: \"%.40s\" is not a whole number from 0 to 2^64 - 1",
                       text);
    *seed = value;
    return XL_OK;
}

static enum xl_status parse_rank(const char *text, int *rank, struct xl_err *err) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < 1 || value > 4096)
        return xl_fail(err, XL_EINVAL, "--lora: \"%.40s\" is not a whole number from 1 to 4096",
                       text);
    *rank = (int)value;
    return XL_OK;
}

static enum xl_status parse(int argc, char **argv, struct xl_repo_params *params,
                            struct output *output, struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int i = 1; !status && i < argc; i++) {
        const char *flag = argv[i];
        if (flag[0] != '-') {
            if (output->path)
                return xl_fail(err, XL_EINVAL, "two directories: %s and %s", output->path, flag);
            output->path = flag;
            continue;
        }
        if (!strcmp(flag, "--sparse")) {
            params->is_sparse = true;
            continue;
        }
        if (!strcmp(flag, "--single-file")) {
            output->kind = CHECKPOINT;
            continue;
        }
        const char *value = i + 1 < argc ? argv[++i] : NULL;
        if (!value) return xl_fail(err, XL_EINVAL, "%s: a value is missing", flag);
        if (!strcmp(flag, "--dtype")) {
            status = parse_dtype(value, &params->dtype, err);
        } else if (!strcmp(flag, "--seed")) {
            status = parse_seed(value, &params->seed, err);
        } else if (!strcmp(flag, "--lora")) {
            output->kind = LORA;
            status = parse_rank(value, &output->rank, err);
        } else if (!strcmp(flag, "--size")) {
            params->size = xl_repo_size_find(value);
            if (!params->size)
                return xl_fail(err, XL_EINVAL, "--size: \"%.40s\" is not one of: tiny, words, full",
                               value);
        } else {
            return xl_fail(err, XL_EINVAL, "%.60s is no option; see random-repo --help", flag);
        }
    }
    if (!status && (!output->path || !*output->path))
        status = xl_fail(err, XL_EINVAL, "say which directory to write; see random-repo --help");
    return status;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where) {
    (void)st, (void)type, (void)where;
    return remove(path);
}

static void remove_tree(const char *dir) {
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Better refused at once than after seven gigabytes. */
static enum xl_status check_room(const char *dir, int64_t bytes, struct xl_err *err) {
    struct statvfs fs;
    if (statvfs(dir, &fs)) return XL_OK; /* unknown: the write itself will tell */
    double free_bytes = (double)fs.f_bavail * (double)fs.f_frsize;
    if (free_bytes >= (double)bytes) return XL_OK;
    return xl_fail(err, XL_EDISK, "%s: %.0f MB are needed and %.0f MB are free; make room there",
                   dir, (double)bytes / 1e6, free_bytes / 1e6);
}

static enum xl_status write_component(const char *dir, const struct component *component,
                                      const struct xl_repo_params *params, struct xl_pool *pool,
                                      struct xl_err *err) {
    char *folder = xl_path_join(dir, component->folder);
    char *path = folder ? xl_path_join(folder, component->file) : NULL;
    enum xl_status status = path ? XL_OK : xl_fail_nomem(err, "a path", 0);
    if (!status) status = xl_dir_create(folder, err);
    if (!status) status = xl_repo_write_weights(path, &component->tensors, params, pool, err);
    free(path);
    free(folder);
    return status;
}

static enum xl_status write_folders(const char *dir, struct xl_err *err) {
    static const char *const folders[] = {"scheduler", "tokenizer", "tokenizer_2"};
    enum xl_status status = XL_OK;
    for (size_t i = 0; !status && i < sizeof folders / sizeof *folders; i++) {
        char *folder = xl_path_join(dir, folders[i]);
        status = folder ? xl_dir_create(folder, err) : xl_fail_nomem(err, "a path", 0);
        free(folder);
    }
    return status;
}

static enum xl_status write_repo(const char *dir, const struct xl_repo_params *params,
                                 int64_t *bytes, struct xl_err *err) {
    struct component components[N_COMPONENTS] = {
        {.folder = "text_encoder", .file = "model.safetensors"},
        {.folder = "text_encoder_2", .file = "model.safetensors"},
        {.folder = "unet", .file = "diffusion_pytorch_model.safetensors"},
        {.folder = "vae", .file = "diffusion_pytorch_model.safetensors"},
    };
    xl_repo_text_tensors(&components[0].tensors, params->size, 0);
    xl_repo_text_tensors(&components[1].tensors, params->size, 1);
    xl_repo_unet_tensors(&components[2].tensors, params->size);
    xl_repo_vae_tensors(&components[3].tensors, params->size);
    for (int i = 0; i < N_COMPONENTS; i++)
        *bytes += xl_repo_tensors_count(&components[i].tensors) *
                  (int64_t)xl_dtype_size(params->dtype);

    struct xl_pool *pool = NULL;
    enum xl_status status = xl_dir_create(dir, err);
    if (!status && !params->is_sparse) status = check_room(dir, *bytes, err);
    if (!status) status = xl_pool_new(0, NULL, &pool, err);
    if (!status) status = write_folders(dir, err);
    for (int i = 0; !status && i < N_COMPONENTS; i++)
        status = write_component(dir, &components[i], params, pool, err);
    if (!status) status = xl_repo_write_configs(dir, params->size, err);
    xl_pool_free(pool);
    for (int i = 0; i < N_COMPONENTS; i++) xl_repo_tensors_deinit(&components[i].tensors);
    return status;
}

/* One file: a checkpoint or a LoRA. */
static enum xl_status write_single(const char *path, const struct xl_repo_params *params,
                                   const struct output *output, int64_t *bytes,
                                   struct xl_err *err) {
    struct xl_repo_tensors list = {0};
    struct xl_pool *pool = NULL;
    if (output->kind == LORA)
        xl_repo_lora_tensors(&list, params->size, output->rank);
    else
        xl_repo_single_tensors(&list, params->size);
    *bytes = xl_repo_tensors_count(&list) * (int64_t)xl_dtype_size(params->dtype);
    enum xl_status status = xl_pool_new(0, NULL, &pool, err);
    if (!status) status = xl_repo_write_weights(path, &list, params, pool, err);
    xl_pool_free(pool);
    xl_repo_tensors_deinit(&list);
    return status;
}

static enum xl_status run(const struct output *output, const struct xl_repo_params *params,
                          struct xl_err *err) {
    static const char *const kinds[] = {"repository", "checkpoint", "LoRA"};
    const char *dir = output->path;
    if (xl_dir_exists(dir) || xl_file_exists(dir))
        return xl_fail(err, XL_EINVAL, "%s exists already; remove it or name another directory",
                       dir);
    struct xl_arena arena = {0};
    char *partial = xl_arena_printf(&arena, "%s.partial", dir);
    if (!partial) return xl_fail_nomem(err, "a path", 0);
    int64_t bytes = 0;
    double start = xl_now_s();
    remove_tree(partial); /* left over from a run that was interrupted */
    enum xl_status status = output->kind == FOLDERS
                                ? write_repo(partial, params, &bytes, err)
                                : write_single(partial, params, output, &bytes, err);
    if (!status && rename(partial, dir))
        status =
            xl_fail(err, XL_EDISK, "%s: cannot rename to %s: %s", partial, dir, strerror(errno));
    if (status) remove_tree(partial);
    xl_arena_deinit(&arena);
    if (!status)
        printf("%s: SDXL %s with random weights, %s, %.0f MB of %s in %.1f s\n", dir,
               kinds[output->kind], params->size->name, (double)bytes / 1e6,
               xl_dtype_name(params->dtype), xl_now_s() - start);
    return status;
}

int main(int argc, char **argv) {
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        fputs(usage, stdout);
        return 0;
    }
    struct xl_repo_params params = {.size = xl_repo_size_find("tiny"), .dtype = XL_DTYPE_F16};
    struct xl_err err = {0};
    struct output output = {0};
    enum xl_status status = parse(argc, argv, &params, &output, &err);
    if (!status) status = run(&output, &params, &err);
    if (status) fprintf(stderr, "random-repo: error: %s\n", err.text);
    return status ? 1 : 0;
}
