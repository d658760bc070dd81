/* lora.c - the tensors of a LoRA file sorted by module, and that each module is whole. */
#include "weights/lora.h"

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
    {".lora_A.weight", XL_LORA_DOWN}, /* PEFT */
    {".lora_B.weight", XL_LORA_UP},
    {".lora_B.bias", XL_LORA_UP_BIAS},
    {".lora_linear_layer.down.weight", XL_LORA_DOWN}, /* diffusers before it took PEFT */
    {".lora_linear_layer.up.weight", XL_LORA_UP},
    {".lora_linear_layer.alpha", XL_LORA_ALPHA},
    {".lora.down.weight", XL_LORA_DOWN},
    {".lora.up.weight", XL_LORA_UP},
    {".lora.alpha", XL_LORA_ALPHA},
    {".down.weight", XL_LORA_DOWN}, /* "to_q_lora.down.weight" */
    {".up.weight", XL_LORA_UP},
    {".alpha", XL_LORA_ALPHA},
    {".scalar", XL_LORA_SCALAR},
};

/* Ends of what is not supported, and what it is. */
static const struct {
    const char *text, *what;
} strangers[] = {
    {".lora_embedding_A", "a LoRA of an embedding"},
    {".lora_embedding_B", "a LoRA of an embedding"},
    {".oft_blocks", "OFT"},
    {".oft_diag", "OFT"},
    {".boft_blocks", "BOFT"},
    {".on_input", "IA3"},
    {".a1.weight", "GLoRA"},
    {".a2.weight", "GLoRA"},
    {".b1.weight", "GLoRA"},
    {".b2.weight", "GLoRA"},
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
            return xl_fail(err, XL_EFORMAT, "%s: tensor \"%s\" is of %s, which is not supported",
                           file->path, name, strangers[i].what);
    return xl_fail(err, XL_EFORMAT,
                   "%s: tensor \"%s\" is no part of a LoRA: expected names that end in "
                   ".lora_down.weight, .lora_A.weight and the like",
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

/* The rank of a product, 0 after recording that its factors do not fit. */
static enum xl_status check_product(const struct xl_lora_file *file,
                                    const struct xl_lora_module *module, struct xl_err *err) {
    const struct xl_tensor *up = module->slot[XL_LORA_UP], *down = module->slot[XL_LORA_DOWN];
    const struct xl_tensor *mid = module->slot[XL_LORA_MID];
    char a[XL_SHAPE_TEXT], b[XL_SHAPE_TEXT];
    if (!up || !down)
        return xl_fail(err, XL_EFORMAT, "%s: \"%s\" lacks its other half: the file is incomplete",
                       file->path, module->first);
    if (mid)
        return xl_fail(err, XL_EFORMAT,
                       "%s: tensor \"%s\" is of Tucker's form, which is not "
                       "supported",
                       file->path, mid->name);
    if (down->shape.rank >= 2 && up->shape.rank >= 2 && up->shape.dim[1] == down->shape.dim[0] &&
        xl_shape_count(up->shape) == up->shape.dim[0] * up->shape.dim[1])
        return XL_OK;
    return xl_fail(err, XL_EFORMAT,
                   "%s: tensors \"%s\" %s and \"%s\" %s do not go together: their ranks differ",
                   file->path, up->name, xl_shape_format(up->shape, a), down->name,
                   xl_shape_format(down->shape, b));
}

/* Entries first .. last - 1 are those of one module. */
static enum xl_status add_module(struct xl_lora_file *file, int first, int last,
                                 struct xl_err *err) {
    struct xl_lora_module *module = &file->modules[file->n_modules++];
    double alpha = 0, scalar = 1;
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
    enum xl_status status = check_product(file, module, err);
    if (status) return status;
    double rank = (double)module->slot[XL_LORA_DOWN]->shape.dim[0];
    module->scale = (alpha != 0 ? alpha / rank : 1) * scalar;
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
