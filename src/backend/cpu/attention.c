/* attention.c - the op attention as two loops: keys and values of each head are packed for the
 * kernels (kernels_attention.c), tile by tile; then blocks of queries run over the tiles. */
#include "backend/cpu/cpu.h"

#include <assert.h>

struct attention {
    const struct xl_space *space;
    const struct xl_attention_kernels *kernels;
    struct xl_attention_sizes sizes;
    struct xl_operand q, k, v, out;
    int64_t n, heads, d, tq, tk;
    int64_t n_tiles, n_blocks; /* of keys; of queries */
    float scale;
    bool is_causal;
};

/* Shared memory: packed keys of all tiles [n, heads, n_tiles], then packed values. */
static unsigned char *packed_keys(const struct attention *a, int64_t tile) {
    return a->space->shared + tile * a->sizes.key_bytes;
}

static unsigned char *packed_values(const struct attention *a, int64_t tile) {
    int64_t all_keys = a->n * a->heads * a->n_tiles * a->sizes.key_bytes;
    return a->space->shared + all_keys + tile * a->sizes.value_bytes;
}

static void pack_tile(void *user, int64_t task, int worker) {
    const struct attention *a = user;
    (void)worker;
    int64_t head = task / a->n_tiles % a->heads, sample = task / a->n_tiles / a->heads;
    int64_t first = task % a->n_tiles * XL_ATTENTION_KEYS, row = sample * a->tk + first;
    struct xl_attention_tile tile = {
        .k = xl_element(a->k, row * a->k.row_stride + head * a->d),
        .v = xl_element(a->v, row * a->v.row_stride + head * a->d),
        .k_stride = a->k.row_stride,
        .v_stride = a->v.row_stride,
        .dtype = a->k.dtype,
        .keys = xl_min(XL_ATTENTION_KEYS, a->tk - first),
        .d = a->d,
        .packed_k = packed_keys(a, task),
        .packed_v = packed_values(a, task),
    };
    a->kernels->pack(&tile);
}

static void attend(void *user, int64_t task, int worker) {
    const struct attention *a = user;
    int64_t block = task % a->n_blocks, pair = task / a->n_blocks;
    int64_t head = pair % a->heads, sample = pair / a->heads;
    int64_t first = block * a->sizes.query_rows, row = sample * a->tq + first;
    struct xl_attention_task work = {
        .q = xl_element(a->q, row * a->q.row_stride + head * a->d),
        .out = xl_element(a->out, row * a->out.row_stride + head * a->d),
        .q_stride = a->q.row_stride,
        .out_stride = a->out.row_stride,
        .dtype = a->q.dtype,
        .queries = xl_min(a->sizes.query_rows, a->tq - first),
        .first_query = first,
        .keys = a->tk,
        .d = a->d,
        .scale = a->scale,
        .is_causal = a->is_causal,
        .packed_k = packed_keys(a, pair * a->n_tiles),
        .packed_v = packed_values(a, pair * a->n_tiles),
        .scratch = xl_scratch(a->space, worker),
    };
    a->kernels->run(&work);
}

enum xl_status xl_compile_attention(struct xl_compiler *c, struct xl_err *err) {
    const struct xl_op *op = c->op;
    if (op->in[3]) return xl_compile_masked_attention(c, err);
    struct attention *a = xl_state(c, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    a->space = c->space;
    a->q = xl_operand(c, op->in[0]);
    a->k = xl_operand(c, op->in[1]);
    a->v = xl_operand(c, op->in[2]);
    a->out = xl_operand(c, op->out);
    a->n = a->q.shape.dim[0];
    a->tq = a->q.shape.dim[1];
    a->tk = a->k.shape.dim[1];
    a->heads = op->attr.attention.heads;
    a->d = a->q.shape.dim[2] / a->heads;
    a->scale = (float)op->attr.attention.scale;
    a->is_causal = op->attr.attention.causal;
    assert(a->scale > 0);
    a->kernels = xl_attention_kernels(c->backend->isa, a->q.dtype);
    a->sizes = a->kernels->sizes(a->d);
    a->n_tiles = xl_div_up(a->tk, XL_ATTENTION_KEYS);
    a->n_blocks = xl_div_up(a->tq, a->sizes.query_rows);
    int64_t tiles = a->n * a->heads * a->n_tiles;
    xl_need_shared(c, (size_t)(tiles * (a->sizes.key_bytes + a->sizes.value_bytes)));
    xl_need_scratch(c, (size_t)a->sizes.scratch_bytes);
    xl_add_loop(c, pack_tile, a, tiles);
    xl_add_loop(c, attend, a, a->n * a->heads * a->n_blocks);
    return XL_OK;
}
