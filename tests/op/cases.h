/* cases.h - the one table of op cases: tests run the small ones, bench_ops times the large ones. */
#ifndef XL_TESTS_OP_CASES_H
#define XL_TESTS_OP_CASES_H

#include "backend/ops.h"

enum op_with {
    BIAS = 1,         /* linear, conv2d; a mask of attention, extra rows of embed */
    CHANNEL_BIAS = 2, /* conv2d */
    RESIDUAL = 4,     /* linear, conv2d */
    PARTS = 8,        /* linear: weight and bias are three tensors each */
    SLICES = 16,      /* attention: q, k, v (or k, v) are slices of one input */
    SHIFTED = 32,     /* norms: a mean far from zero */
    DELTAS = 64,      /* weights have three deltas each */
    KINDS = 128,      /* weights have a delta of each kind */
    BENCH = 256,      /* of SDXL's size at 512 x 512, for CPUs: timed, not tested */
    LARGE = 512,      /* at 1024 x 1024, for GPUs: timed, and tested by ops_cuda_check --large */
    REAL = BENCH | LARGE,
    AFTER_NORM = 1024,   /* x of linear is that of a layer norm, of conv2d that of a group norm */
    AFTER_GEGLU = 2048,  /* linear */
    THEN = 4096,         /* a GEGLU follows linear, a group norm conv2d */
    IN_F8 = 8192,        /* linear, conv2d: may be computed in F8 */
    AFTER_GATES = 16384, /* linear: x is that of a linear with gates, and of a GEGLU */
    CHAINED = AFTER_NORM | AFTER_GEGLU | AFTER_GATES | THEN,
};

struct op_case {
    struct xl_op op;   /* kind and attributes; the operands are made by op_instance_new */
    struct xl_shape x; /* the first operand */
    struct xl_shape y; /* the second: a weight's shape, k's and v's, b's, the table's; or none */
    unsigned with;     /* enum op_with */
    enum xl_dtype to;  /* cast */
};

extern const struct op_case op_cases[];
extern const int n_op_cases;

/* "conv2d [2, 5, 7, 17] [33, 17, 3, 3] stride 2 bias residual" into out; returns out. */
enum { OP_CASE_TEXT = 256 };
char *op_case_name(const struct op_case *op_case, char out[OP_CASE_TEXT]);

#endif
