/* lora.c - the tensors of a LoRA file sorted by module, and that each module is whole. */
#include "weights/lora.h"

#include "weights/lora_alpha.h"
#include "weights/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ends of names; longer ones before those that they end with. */
static const struct {
    const char *text;
    enum xl_lora_slot slot;
} endings[] = {
    {".lora_down.weight", XL_LORA_DOWN}, /* kohya */
    {".lora_up.weight", XL_LORA_UP},
    {".lora_mid.weight", XL_LORA_MID},
    {".lora_up.bias", XL_LORA_UP_BIAS},
    {".dora_scale", XL_LORA_DORA_SCALE},
    {".lora_A.weight", XL_LORA_DOWN}, /* PEFT */
    {".lora_B.weight", XL_LORA_UP},
    {".lora_B.bias", XL_LORA_UP_BIAS},
    {".lora_magnitude_vector.weight", XL_LORA_MAGNITUDE},
    {".lora_magnitude_vector", XL_LORA_MAGNITUDE},
    {".lora_linear_layer.down.weight", XL_LORA_DOWN}, /* diffusers before it took PEFT */
    {".lora_linear_layer.up.weight", XL_LORA_UP},
    {".lora_linear_layer.alpha", XL_LORA_ALPHA},
    {".lora.down.weight", XL_LORA_DOWN},
    {".lora.up.weight", XL_LORA_UP},
    {".lora.alpha", XL_LORA_ALPHA},
    {".down.weight", XL_LORA_DOWN}, /* "to_q_lora.down.weight" */
    {".up.weight", XL_LORA_UP},
    {".hada_w1_a", XL_LORA_HADA_W1_A}, /* LyCORIS */
    {".hada_w1_b", XL_LORA_HADA_W1_B},
    {".hada_t1", XL_LORA_HADA_T1},
    {".hada_w2_a", XL_LORA_HADA_W2_A},
    {".hada_w2_b", XL_LORA_HADA_W2_B},
    {".hada_t2", XL_LORA_HADA_T2},
    {".lokr_w1", XL_LORA_LOKR_W1},
    {".lokr_w1_a", XL_LORA_LOKR_W1_A},
    {".lokr_w1_b", XL_LORA_LOKR_W1_B},
    {".lokr_w2", XL_LORA_LOKR_W2},
    {".lokr_w2_a", XL_LORA_LOKR_W2_A},
    {".lokr_w2_b", XL_LORA_LOKR_W2_B},
    {".lokr_t2", XL_LORA_LOKR_T2},
    {".diff", XL_LORA_DIFF},
    {".diff_b", XL_LORA_DIFF_B},
    {".w_norm", XL_LORA_DIFF},
    {".b_norm", XL_LORA_DIFF_B},
    {".alpha", XL_LORA_ALPHA},
    {".scalar", XL_LORA_SCALAR},
};

/* Ends of what is not supported, and what it is. */
static const struct {
    const char *text, *what;
} strangers[] = {
    {".lora_embedding_A", "a LoRA of an embedding"},
    {".lora_embedding_B", "a LoRA of an embedding"},
    {".lokr_t1", "LoKr whose first factor is of Tucker's form"},
    {".oft_blocks", "OFT"},
    {".oft_diag", "OFT"},
    {".boft_blocks", "BOFT"},
    {".on_input", "IA3"},
    {".a1.weight", "GLoRA"},
    {".a2.weight", "GLoRA"},
    {".b1.weight", "GLoRA"},
    {".b2.weight", "GLoRA"},
    {".bm.weight", "GLoRA"},
    {".bias_indices", "sparse biases"},
    {".bias_values", "sparse biases"},
};

/* A tensor on its way to its module. */
struct entry {
    const char *module;
    enum xl_lora_slot slot;
    const char *name;               /* in the file */
    const struct xl_tensor *tensor; /* NULL of an integer */
    double number;                  /* of a slot that is one number */
};

struct xl_lora_file {
    struct xl_arena arena;
    const char *path;
    struct xl_weights *weights;
    json_t *alphas; /* lora_alpha.h; NULL once the file is open */
    struct entry *entries;
    int n_entries;
    struct xl_lora_module *modules;
    int n_modules;
};

static bool ends_with(const char *text, size_t n, const char *end) {
    size_t n_end = strlen(end);
    return n > n_end && !memcmp(text + n - n_end, end, n_end);
}

/* The name without PEFT's prefix and the name of its adapter. */
static void plain_name(const char *name, char out[XL_ST_MAX_NAME + 1]) {
    static const char prefix[] = "base_model.model.", adapter[] = ".default";
    if (!strncmp(name, prefix, sizeof prefix - 1)) name += sizeof prefix - 1;
    strcpy(out, name);
    for (char *at = out; (at = strstr(at, adapter)); at++) {
        char *after = at + sizeof adapter - 1;
        if (*after && *after != '.') continue;
        memmove(at, after, strlen(after) + 1);
        return;
    }
}

static enum xl_status fail_unknown(const struct xl_lora_file *file, const char *name,
                                   const char *plain, struct xl_err *err) {
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        if (ends_with(plain, strlen(plain), strangers[i].text))
            return xl_fail(err, XL_EFORMAT,
                           "%s: tensor \"%s\" is of %s, which is not supported; LoRA, LoCon, LoHa, "
                           "LoKr, DoRA and whole differences are",
                           file->path, name, strangers[i].what);
    return xl_fail(err, XL_EFORMAT,
                   "%s: tensor \"%s\" is no part of a LoRA: expected names that end in "
                   ".lora_down.weight, .lora_A.weight, .hada_w1_a, .lokr_w1, .diff and the like",
                   file->path, name);
}

static bool is_number_slot(enum xl_lora_slot slot) {
    return slot == XL_LORA_ALPHA || slot == XL_LORA_SCALAR;
}

/* Whole numbers, little endian. False: it is none. */
static bool read_integer(int fd, const struct xl_st_tensor *stored, double *out) {
    uint8_t bytes[8] = {0};
    size_t n = (size_t)(stored->end - stored->begin);
    bool is_wide = stored->dtype == XL_ST_I64 || stored->dtype == XL_ST_U64;
    bool is_narrow = stored->dtype == XL_ST_I32 || stored->dtype == XL_ST_U32;
    if (n != (is_wide ? 8U : is_narrow ? 4U : 0U)) return false;
    if (pread(fd, bytes, n, stored->begin) != (ssize_t)n) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) value |= (uint64_t)bytes[i] << 8 * i;
    *out = stored->dtype == XL_ST_I64   ? (double)(int64_t)value
           : stored->dtype == XL_ST_I32 ? (double)(int32_t)value
                                        : (double)value;
    return true;
}

static double number_at(const struct xl_tensor *tensor, int64_t i) {
    float number;
    uint32_t plain[2];
    xl_tensor_read(tensor, i, 1, plain);
    xl_convert(&number, XL_DTYPE_F32, plain, tensor->dtype, 1);
    return (double)number;
}

static enum xl_status find_tensor(const struct xl_lora_file *file, int fd,
                                  const struct xl_st_tensor *stored, struct entry *entry,
                                  struct xl_err *err) {
    bool is_number = is_number_slot(entry->slot);
    entry->tensor = xl_weights_find(file->weights, stored->name);
    if (!entry->tensor && is_number && read_integer(fd, stored, &entry->number)) return XL_OK;
    if (!entry->tensor)
        return xl_fail(err, XL_EFORMAT, "%s", xl_weights_why_not(file->weights, stored->name));
    char shape[XL_SHAPE_TEXT];
    int64_t n = xl_shape_count(entry->tensor->shape);
    if (n < 1 || (is_number && n != 1))
        return xl_fail(err, XL_EFORMAT, "%s: tensor \"%s\" is %s, expected %s", file->path,
                       stored->name, xl_shape_format(entry->tensor->shape, shape),
                       is_number ? "one number" : "numbers");
    if (is_number) entry->number = number_at(entry->tensor, 0);
    return XL_OK;
}

/* A tensor of the header becomes an entry. */
static enum xl_status sort_in(struct xl_lora_file *file, int fd, const struct xl_st_tensor *stored,
                              struct xl_err *err) {
    enum { N = sizeof endings / sizeof *endings };
    char plain[XL_ST_MAX_NAME + 1];
    plain_name(stored->name, plain);
    size_t n = strlen(plain);
    int i = 0;
    while (i < N && !ends_with(plain, n, endings[i].text)) i++;
    if (i == N) return fail_unknown(file, stored->name, plain, err);
    struct entry *entry = &file->entries[file->n_entries++];
    *entry = (struct entry){.slot = endings[i].slot};
    entry->module = xl_arena_strndup(&file->arena, plain, n - strlen(endings[i].text));
    entry->name = xl_arena_strdup(&file->arena, stored->name);
    if (!entry->module || !entry->name) return xl_fail_nomem(err, "the names of a LoRA", 0);
    return find_tensor(file, fd, stored, entry, err);
}

static enum xl_status read_entries(struct xl_lora_file *file, struct xl_err *err) {
    struct xl_safetensors header;
    int fd;
    enum xl_status status = xl_safetensors_open(file->path, &fd, err);
    if (status) return status;
    status = xl_safetensors_read(file->path, fd, &header, err);
    if (status) goto cleanup;
    if (!header.n_tensors)
        status = xl_fail(err, XL_EFORMAT, "%s: no tensors, so no LoRA", file->path);
    file->entries = calloc((size_t)header.n_tensors + 1, sizeof *file->entries);
    if (!status && !file->entries) status = xl_fail_nomem(err, "the tensors of a LoRA", 0);
    for (int i = 0; !status && i < header.n_tensors; i++)
        status = sort_in(file, fd, &header.tensors[i], err);
    if (!status) status = xl_lora_alphas_read(file->path, fd, &file->alphas, err);
    xl_safetensors_deinit(&header);
cleanup:
    close(fd);
    return status;
}

/* ---- Numbers -------------------------------------------------------------------------------- */

/* Bits of the exponent, all of which are set in infinities and NaN. */
static bool is_finite_half(const uint16_t *x, int64_t n, uint16_t exponent) {
    bool all = true;
    for (int64_t i = 0; i < n; i++) all &= (x[i] & exponent) != exponent;
    return all;
}

static bool is_finite_float(const uint32_t *x, int64_t n) {
    bool all = true;
    for (int64_t i = 0; i < n; i++) all &= (x[i] & 0x7F800000) != 0x7F800000;
    return all;
}

static bool is_finite(const struct xl_tensor *tensor) {
    enum { PIECE = 4096 };
    uint32_t piece[PIECE];
    int64_t n = xl_shape_count(tensor->shape);
    for (int64_t i = 0; i < n; i += PIECE) {
        int64_t some = n - i < PIECE ? n - i : PIECE;
        xl_tensor_read(tensor, i, some, piece);
        bool ok = tensor->dtype == XL_DTYPE_F32
                      ? is_finite_float(piece, some)
                      : is_finite_half((const uint16_t *)piece, some,
                                       tensor->dtype == XL_DTYPE_F16 ? 0x7C00 : 0x7F80);
        if (!ok) return false;
    }
    return true;
}

static enum xl_status check_numbers(const struct xl_lora_file *file, struct xl_err *err) {
    for (int i = 0; i < file->n_entries; i++) {
        const struct entry *entry = &file->entries[i];
        if (entry->tensor && !is_finite(entry->tensor))
            return xl_fail(err, XL_EFORMAT,
                           "%s: tensor \"%s\" holds NaN or infinity: the training of this LoRA "
                           "went wrong, or the file is damaged",
                           file->path, entry->name);
    }
    return XL_OK;
}

/* ---- Modules -------------------------------------------------------------------------------- */

static int by_module(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    int order = strcmp(x->module, y->module);
    return order ? order : (int)x->slot - (int)y->slot;
}

/* A matrix turned over, in f32, in the arena. NULL: no memory */
static const struct xl_tensor *turned(struct xl_lora_file *file, const struct xl_tensor *tensor) {
    int64_t rows = tensor->shape.dim[0], columns = xl_shape_count(tensor->shape) / rows;
    struct xl_tensor *copy = xl_arena_alloc(&file->arena, sizeof *copy);
    float *data = xl_arena_alloc(&file->arena, (size_t)(rows * columns) * sizeof *data);
    if (!copy || !data) return NULL;
    for (int64_t i = 0; i < rows * columns; i++)
        data[i % columns * rows + i / columns] = (float)number_at(tensor, i);
    *copy = (struct xl_tensor){.name = tensor->name,
                               .dtype = XL_DTYPE_F32,
                               .shape = XL_SHAPE(columns, rows),
                               .data = data};
    return copy;
}

/* The slots of a factor: two halves with or without a core between, or one for the whole. */
struct half {
    enum xl_lora_slot whole, up, mid, down; /* whole: XL_LORA_N_SLOTS: there is no such form */
    bool is_turned;                         /* up, where there is a mid */
};

static const struct half product = {XL_LORA_N_SLOTS, XL_LORA_UP, XL_LORA_MID, XL_LORA_DOWN, false};
static const struct half hada[2] = {
    {XL_LORA_N_SLOTS, XL_LORA_HADA_W1_A, XL_LORA_HADA_T1, XL_LORA_HADA_W1_B, true},
    {XL_LORA_N_SLOTS, XL_LORA_HADA_W2_A, XL_LORA_HADA_T2, XL_LORA_HADA_W2_B, true},
};
static const struct half lokr[2] = {
    {XL_LORA_LOKR_W1, XL_LORA_LOKR_W1_A, XL_LORA_N_SLOTS, XL_LORA_LOKR_W1_B, false},
    {XL_LORA_LOKR_W2, XL_LORA_LOKR_W2_A, XL_LORA_LOKR_T2, XL_LORA_LOKR_W2_B, true},
};

static const struct xl_tensor *at(const struct xl_lora_module *module, enum xl_lora_slot slot) {
    return slot == XL_LORA_N_SLOTS ? NULL : module->slot[slot];
}

static enum xl_status fail_ranks(const struct xl_lora_file *file, const struct xl_tensor *up,
                                 const struct xl_tensor *down, struct xl_err *err) {
    char a[XL_SHAPE_TEXT], b[XL_SHAPE_TEXT];
    return xl_fail(err, XL_EFORMAT,
                   "%s: tensors \"%s\" %s and \"%s\" %s do not go together: their ranks differ",
                   file->path, up->name, xl_shape_format(up->shape, a), down->name,
                   xl_shape_format(down->shape, b));
}

/* Check a factor, and turn what lies turned. *rank: the larger of its ranks; as it is for a whole.
 */
static enum xl_status check_half(struct xl_lora_file *file, struct xl_lora_module *module,
                                 const struct half *half, int64_t *rank, struct xl_err *err) {
    const struct xl_tensor *whole = at(module, half->whole), *mid = at(module, half->mid);
    const struct xl_tensor *up = module->slot[half->up], *down = module->slot[half->down];
    if (whole && !up && !mid && !down) return XL_OK;
    if (whole || !up || !down)
        return xl_fail(err, XL_EFORMAT, "%s: \"%s\" %s", file->path, module->first,
                       whole ? "and its neighbours say the same thing in two ways"
                             : "lacks its other half: the file is incomplete");
    if (up->shape.rank < 2 || down->shape.rank < 2 ||
        xl_shape_count(up->shape) != up->shape.dim[0] * up->shape.dim[1])
        return fail_ranks(file, up, down, err);
    if (mid && half->is_turned) {
        up = module->slot[half->up] = turned(file, up);
        if (!up) return xl_fail_nomem(err, "a LoRA", 0);
    }
    *rank = down->shape.dim[0];
    if (!mid) return up->shape.dim[1] == *rank ? XL_OK : fail_ranks(file, up, down, err);
    if (mid->shape.rank < 2 || mid->shape.dim[0] != up->shape.dim[1])
        return fail_ranks(file, up, mid, err);
    return mid->shape.dim[1] == *rank ? XL_OK : fail_ranks(file, mid, down, err);
}

static bool has_any(const struct xl_lora_module *module, enum xl_lora_slot first,
                    enum xl_lora_slot last) {
    for (int slot = (int)first; slot <= (int)last; slot++)
        if (module->slot[slot]) return true;
    return false;
}

/* The form of a module, and that all of it is there. */
static enum xl_status set_form(struct xl_lora_file *file, struct xl_lora_module *module,
                               int64_t *rank, struct xl_err *err) {
    bool has[] = {
        [XL_LORA_PRODUCT] = has_any(module, XL_LORA_DOWN, XL_LORA_MID),
        [XL_LORA_HADAMARD] = has_any(module, XL_LORA_HADA_W1_A, XL_LORA_HADA_T2),
        [XL_LORA_KRONECKER] = has_any(module, XL_LORA_LOKR_W1, XL_LORA_LOKR_T2),
        [XL_LORA_DIFFERENCE] = module->slot[XL_LORA_DIFF] != NULL,
    };
    int n = 0;
    for (int form = XL_LORA_PRODUCT; form <= XL_LORA_DIFFERENCE; form++) {
        if (!has[form]) continue;
        module->form = (enum xl_lora_form)form;
        n++;
    }
    if (n > 1)
        return xl_fail(err, XL_EFORMAT, "%s: module \"%s\" is changed in more than one form",
                       file->path, module->name);
    const struct half *halves = module->form == XL_LORA_PRODUCT    ? &product
                                : module->form == XL_LORA_HADAMARD ? hada
                                                                   : lokr;
    int n_halves = n == 0 || module->form == XL_LORA_DIFFERENCE ? 0
                   : module->form == XL_LORA_PRODUCT            ? 1
                                                                : 2;
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < n_halves; i++)
        status = check_half(file, module, &halves[i], rank, err);
    return status;
}

/* What has no weight to go with is not left to lie. */
static enum xl_status check_rest(const struct xl_lora_file *file,
                                 const struct xl_lora_module *module, struct xl_err *err) {
    bool has_weight = module->form != XL_LORA_NO_WEIGHT;
    if (has_weight ||
        (module->slot[XL_LORA_DIFF_B] && !has_any(module, XL_LORA_UP_BIAS, XL_LORA_MAGNITUDE)))
        return XL_OK;
    return xl_fail(err, XL_EFORMAT, "%s: \"%s\" lacks its other half: the file is incomplete",
                   file->path, module->first);
}

/* Entries first .. last - 1 are those of one module. */
static enum xl_status add_module(struct xl_lora_file *file, int first, int last,
                                 struct xl_err *err) {
    struct xl_lora_module *module = &file->modules[file->n_modules++];
    double alpha = 0, scalar = 1;
    int64_t rank = 0; /* none: there is nothing to divide by */
    *module = (struct xl_lora_module){.name = file->entries[first].module,
                                      .first = file->entries[first].name};
    for (int i = first; i < last; i++) {
        const struct entry *entry = &file->entries[i];
        if (i > first && entry->slot == entry[-1].slot)
            return xl_fail(err, XL_EFORMAT, "%s: tensors \"%s\" and \"%s\" say the same thing",
                           file->path, entry[-1].name, entry->name);
        module->slot[entry->slot] = entry->tensor;
        if (entry->slot == XL_LORA_ALPHA) alpha = entry->number;
        if (entry->slot == XL_LORA_SCALAR) scalar = entry->number;
    }
    enum xl_status status = set_form(file, module, &rank, err);
    if (!status) status = check_rest(file, module, err);
    if (status) return status;
    module->rank = rank;
    module->scale = scalar * (alpha != 0 && rank
                                  ? alpha / (double)rank
                                  : xl_lora_alphas_scale(file->alphas, module->name, rank));
    return XL_OK;
}

static enum xl_status make_modules(struct xl_lora_file *file, struct xl_err *err) {
    size_t n = (size_t)file->n_entries;
    file->modules = calloc(n, sizeof *file->modules);
    if (!file->modules) return xl_fail_nomem(err, "the modules of a LoRA", 0);
    qsort(file->entries, n, sizeof *file->entries, by_module);
    enum xl_status status = XL_OK;
    for (int first = 0, last; !status && first < file->n_entries; first = last) {
        last = first + 1;
        while (last < file->n_entries &&
               !strcmp(file->entries[first].module, file->entries[last].module))
            last++;
        status = add_module(file, first, last, err);
    }
    return status;
}

enum xl_status xl_lora_file_open(const char *path, struct xl_lora_file **out, struct xl_err *err) {
    struct xl_lora_file *file = calloc(1, sizeof *file);
    if (!file) return xl_fail_nomem(err, "a LoRA", sizeof *file);
    file->path = xl_arena_strdup(&file->arena, path);
    enum xl_status status = XL_OK;
    if (!file->path)
        status = xl_fail_nomem(err, "a LoRA", 0);
    else
        status = xl_weights_open("LoRA", &file->path, 1, &file->weights, err);
    if (!status) status = read_entries(file, err);
    if (!status) status = make_modules(file, err);
    if (!status) status = check_numbers(file, err);
    json_decref(file->alphas);
    file->alphas = NULL;
    if (status) {
        xl_lora_file_close(file);
        return status;
    }
    *out = file;
    return XL_OK;
}

void xl_lora_file_close(struct xl_lora_file *file) {
    if (!file) return;
    xl_weights_close(file->weights);
    free(file->entries);
    free(file->modules);
    xl_arena_deinit(&file->arena);
    free(file);
}

const char *xl_lora_file_path(const struct xl_lora_file *file) {
    return file->path;
}

int xl_lora_file_count(const struct xl_lora_file *file) {
    return file->n_modules;
}

const struct xl_lora_module *xl_lora_file_at(const struct xl_lora_file *file, int i) {
    return &file->modules[i];
}

enum xl_status xl_lora_file_verify(const struct xl_lora_file *file, struct xl_err *err) {
    return xl_weights_verify(file->weights, err);
}
