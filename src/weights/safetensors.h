/* safetensors.h - the header of one safetensors file, read strictly.
 *
 * A file is: u64 n, little endian; n bytes of JSON {"name": {"dtype": "F16", "shape": [2, 3],
 * "data_offsets": [begin, end]}, ..., "__metadata__": {"key": "text"}}, padded with white space;
 * then the tensors, dense and without holes, to the end of the file. Nothing else is accepted: the
 * offsets cover the data exactly, once, and agree with shape and dtype; names differ.
 *
 * The header is read in pieces of 64 KiB and never as a tree: memory grows only with the number of
 * tensors, and a hostile header is refused when the first wrong byte is met. Nothing of the data is
 * read. Source: the format's description in the README of huggingface/safetensors.
 */
#ifndef XL_WEIGHTS_SAFETENSORS_H
#define XL_WEIGHTS_SAFETENSORS_H

#include "base/arena.h"
#include "tensor/tensor.h"

/* Limits of ours. SDXL's largest component has 1680 tensors and a header of a quarter of a MiB. */
enum {
    XL_ST_MAX_HEADER = 16 << 20, /* bytes */
    XL_ST_MAX_TENSORS = 1 << 16,
    XL_ST_MAX_METADATA = 1 << 16, /* entries */
    XL_ST_MAX_NAME = 512,         /* bytes of a tensor's name */
};

#define XL_ST_DTYPE_LIST(X) /* name, bits; sub-byte types fill whole bytes together */             \
    X(BOOL, 8)                                                                                     \
    X(U8, 8)                                                                                       \
    X(I8, 8)                                                                                       \
    X(U16, 16)                                                                                     \
    X(I16, 16)                                                                                     \
    X(U32, 32)                                                                                     \
    X(I32, 32)                                                                                     \
    X(U64, 64)                                                                                     \
    X(I64, 64)                                                                                     \
    X(F16, 16)                                                                                     \
    X(BF16, 16)                                                                                    \
    X(F32, 32)                                                                                     \
    X(F64, 64)                                                                                     \
    X(C64, 64)                                                                                     \
    X(F8_E4M3, 8)                                                                                  \
    X(F8_E5M2, 8)                                                                                  \
    X(F8_E8M0, 8)                                                                                  \
    X(F8_E4M3FNUZ, 8)                                                                              \
    X(F8_E5M2FNUZ, 8)                                                                              \
    X(F6_E2M3, 6)                                                                                  \
    X(F6_E3M2, 6)                                                                                  \
    X(F4, 4)

/* All types of the format: a file may hold more of them than a tensor here can have. */
enum xl_st_dtype {
#define X(name, bits) XL_ST_##name,
    XL_ST_DTYPE_LIST(X)
#undef X
};

const char *xl_st_dtype_name(enum xl_st_dtype dtype);

struct xl_st_tensor {
    const char *name; /* UTF-8 without control characters */
    enum xl_st_dtype dtype;
    int rank;                 /* as in the file; may exceed XL_MAX_RANK */
    int64_t dim[XL_MAX_RANK]; /* the first of them */
    int64_t begin, end;       /* bytes of the file, counted from its start */
};

struct xl_safetensors {
    struct xl_st_tensor *tensors; /* by name order */
    int n_tensors;
    int64_t size; /* of the file */
    struct xl_arena arena;
};

/* Read and check the header of an open file; its position is not used. path: for messages.
 * On success *out is the caller's: xl_safetensors_deinit.
 * Errors: XL_EFORMAT, saying what the file is instead where that can be told (pickle, zip, a Git
 * LFS pointer) */
enum xl_status xl_safetensors_read(const char *path, int fd, struct xl_safetensors *out,
                                   struct xl_err *err) XL_CHECKED;

/* Open read-only for xl_safetensors_read; close(*fd) is the caller's.
 * Errors: XL_EMODEL missing, XL_EFORMAT not a regular file or not readable */
enum xl_status xl_safetensors_open(const char *path, int *fd, struct xl_err *err) XL_CHECKED;

void xl_safetensors_deinit(struct xl_safetensors *file);

/* The tensor of that name, or NULL. */
const struct xl_st_tensor *xl_safetensors_find(const struct xl_safetensors *file, const char *name);

#endif
