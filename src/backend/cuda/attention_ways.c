/* attention_ways.c - attention by whatever was measured to be fastest for its shape: cuDNN or
 * kernels of our own; one large head as products with the scores in between. */
#include "backend/cuda/attention.h"

#include "backend/cuda/dnn.h"
#include "backend/cuda/scores.h"
#include "backend/cuda/trial.h"
#include "backend/cuda/ways.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- Ways ---------------------------------------------------------------------------------------
 */

struct attention {
    struct xl_cuda_attention a;
    const struct xl_cuda_dnn_plan *plan; /* of cuDNN's way */
};

static bool run_dnn(const void *args, cudaStream_t stream) {
    const struct attention *attention = args;
    const struct xl_cuda_attention *a = &attention->a;
    void *data[XL_DNN_MAX_TENSORS] = {(void *)a->q, (void *)a->k, (void *)a->v, a->out,
                                      (void *)&a->scale};
    return xl_cuda_dnn_run(attention->plan, data, stream);
}

static bool any_fits(const struct xl_cuda_attention *a) {
    (void)a;
    return true;
}

/* Functions of ours take a struct xl_cuda_attention, which a struct attention begins with. */
static const struct way {
    const char *name;
    bool (*fits)(const struct xl_cuda_attention *a); /* NULL: where cuDNN has an engine */
    xl_cuda_launch_fn *run;
} ways[] = {
    {"dnn", NULL, run_dnn},
    {"mma", xl_cuda_attention_mma_fits, xl_cuda_attention_mma},
    {"plain", any_fits, xl_cuda_attention_plain},
};
enum { N_WAYS = sizeof ways / sizeof *ways, KEY_TEXT = 192 };

static bool fits(const struct way *way, const struct attention *attention) {
    return way->fits ? way->fits(&attention->a) : attention->plan != NULL;
}

static void name_key(const struct xl_cuda_attention *a, char key[KEY_TEXT]) {
    snprintf(key, KEY_TEXT, "attention %s %lldx%lldx%lld by %lldx%lld rows %lld %lld %lld%s",
             xl_dtype_name(a->dtype), (long long)a->n, (long long)a->tq, (long long)a->tk,
             (long long)a->heads, (long long)a->d, (long long)a->q_stride, (long long)a->k_stride,
             (long long)a->v_stride, a->is_causal ? " causal" : "");
}

/* The first way that fits: in the order of the table they are faster than those behind. */
static const struct way *first_way(const struct attention *attention) {
    const struct way *way = ways;
    while (!fits(way, attention)) way++;
    return way;
}

static const struct way *kept_way(const char *name, const struct attention *attention) {
    for (int i = 0; name && i < N_WAYS; i++)
        if (!strcmp(ways[i].name, name) && fits(&ways[i], attention)) return &ways[i];
    return NULL;
}

struct trial {
    const struct way *way;
    const struct attention *attention;
};

static bool run_trial(void *user, cudaStream_t stream) {
    const struct trial *trial = user;
    return trial->way->run(trial->attention, stream);
}

/* The fastest of cuDNN's and the first of our own; NULL: there is no memory to try them on. */
static const struct way *try_ways(const struct attention *attention, cudaStream_t stream) {
    struct attention tried = *attention;
    struct xl_cuda_attention *a = &tried.a;
    size_t size = xl_dtype_size(a->dtype);
    size_t bytes = (size_t)(a->n * (a->tq * (a->q_stride + a->out_stride) +
                                    a->tk * (a->k_stride + a->v_stride))) *
                       size +
                   1024;
    unsigned char *memory = xl_cuda_trial_memory(bytes, stream);
    if (!memory) return NULL;
    a->q = a->k = a->v = memory; /* read only; the result is behind the longest of them */
    int64_t longest = a->tq * a->q_stride;
    if (a->tk * a->k_stride > longest) longest = a->tk * a->k_stride;
    if (a->tk * a->v_stride > longest) longest = a->tk * a->v_stride;
    a->out = memory + ((size_t)(a->n * longest) * size + 255) / 256 * 256;
    const struct way *best = NULL;
    float best_ms = INFINITY;
    for (int i = 0; i < N_WAYS - 1; i++) { /* the last one, which fits always, is never the best */
        struct trial trial = {&ways[i], &tried};
        if (!fits(&ways[i], attention)) continue;
        float ms = xl_cuda_trial(run_trial, &trial, best_ms, stream);
        if (ms < best_ms) best = &ways[i];
        best_ms = fminf(best_ms, ms);
    }
    xl_cuda_trial_memory_free(memory, stream);
    return best;
}

static const struct way *choose(struct xl_cuda_compiler *c, const struct attention *attention) {
    char key[KEY_TEXT];
    const struct way *first = first_way(attention);
    name_key(&attention->a, key);
    if (c->is_measuring || attention->a.mask) return first;
    const struct way *way = kept_way(xl_cuda_ways_find(c->backend->ways, key), attention);
    if (way) return way;
    way = try_ways(attention, c->backend->stream);
    if (!way) return first;
    xl_cuda_ways_keep(c->backend->ways, key, way->name);
    return way;
}

/* --- The op -------------------------------------------------------------------------------------
 */

static struct xl_cuda_attention attention_of(const struct xl_cuda_compiler *c) {
    const struct xl_attention *attr = &c->op->attr.attention;
    struct xl_cuda_operand q = xl_cuda_in(c, 0), k = xl_cuda_in(c, 1), v = xl_cuda_in(c, 2);
    struct xl_cuda_operand out = xl_cuda_out(c);
    return (struct xl_cuda_attention){
        .q = q.data,
        .k = k.data,
        .v = v.data,
        .out = out.data,
        .mask = xl_cuda_in(c, 3).data,
        .dtype = q.dtype,
        .n = q.shape.dim[0],
        .heads = attr->heads,
        .d = q.shape.dim[2] / attr->heads,
        .tq = q.shape.dim[1],
        .tk = k.shape.dim[1],
        .q_stride = q.row_stride,
        .k_stride = k.row_stride,
        .v_stride = v.row_stride,
        .out_stride = out.row_stride,
        .scale = (float)attr->scale,
        .is_causal = attr->causal,
    };
}

enum xl_status xl_cuda_compile_attention(struct xl_cuda_compiler *c, struct xl_err *err) {
    struct attention attention = {.a = attention_of(c)};
    enum xl_status status = XL_OK;
    if (xl_cuda_scores_fit(&attention.a)) return xl_cuda_compile_scores(c, &attention.a, err);
    if (c->backend->dnn) status = xl_cuda_dnn_attention(c, &attention.a, &attention.plan, err);
    if (status) return status;
    const struct way *way = choose(c, &attention);
    struct attention *launch = xl_cuda_launch(c, way->run, sizeof *launch, err);
    if (!launch) return XL_ENOMEM;
    *launch = attention;
    return XL_OK;
}
