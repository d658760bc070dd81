/* steps.cu - the sampling loop: the step's row of the table, guidance, and any sampler's step.
 * Which row it is, the kernels read from the counter: nothing comes from the host between steps. */
#include "backend/cuda/rows.cuh"

#include <assert.h>

using namespace xl;

struct steps {
    const float *table;
    const int32_t *counter;
};

static steps steps_of(const struct xl_cuda_compiler *c, int i) {
    return {(const float *)xl_cuda_in(c, i).data, (const int32_t *)xl_cuda_in(c, i + 1).data};
}

__device__ static const float *row_of(const steps &steps) {
    return steps.table + (int64_t)*steps.counter * XL_N_STEP_COLUMNS;
}

struct step_value {
    struct steps steps;
    struct xl_step_value attr;
    float *out;
};

__global__ static void step_value_kernel(const step_value a) {
    for (int i = threadIdx.x; i < a.attr.n; i += blockDim.x)
        a.out[i] = row_of(a.steps)[a.attr.column];
}

static bool run_step_value(const void *args, cudaStream_t stream) {
    step_value_kernel<<<1, 32, 0, stream>>>(*(const step_value *)args);
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_step_value(struct xl_cuda_compiler *c, struct xl_err *err) {
    step_value *a = (step_value *)xl_cuda_launch(c, run_step_value, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    a->steps = steps_of(c, 0);
    a->attr = c->op->attr.step_value;
    a->out = (float *)xl_cuda_out(c).data;
    return XL_OK;
}

struct scale_input {
    struct steps steps;
    const float *x;
    float *out;
    int64_t n;
    int repeat;
};

__global__ static void scale_input_kernel(const scale_input a) {
    int64_t i = flat_index();
    if (i >= a.n) return;
    float scaled = a.x[i] * row_of(a.steps)[XL_STEP_INPUT_SCALE];
    for (int r = 0; r < a.repeat; r++) a.out[r * a.n + i] = scaled;
}

static bool run_scale_input(const void *args, cudaStream_t stream) {
    const scale_input *a = (const scale_input *)args;
    scale_input_kernel<<<blocks_for(a->n, BLOCK_THREADS), BLOCK_THREADS, 0, stream>>>(*a);
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_scale_input(struct xl_cuda_compiler *c, struct xl_err *err) {
    scale_input *a = (scale_input *)xl_cuda_launch(c, run_scale_input, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand x = xl_cuda_in(c, 0);
    a->steps = steps_of(c, 1);
    a->x = (const float *)x.data;
    a->out = (float *)xl_cuda_out(c).data;
    a->n = xl_shape_count(x.shape);
    a->repeat = c->op->attr.repeat;
    return XL_OK;
}

/* --- Guidance ---------------------------------------------------------------------------------
 * Two kernels. The first guides, and sums for the deviations if they are wanted, one sum a block;
 * the second rescales, and does nothing if that is not wanted. */

enum { MAX_GUIDE_BLOCKS = 64 /* of a sample */ };

/* Of the differences of numbers from the first one of their sample: those are as small as the
 * deviation, wherever the mean lies. */
struct guide_sums {
    double guided, guided_squares, out, out_squares;
};

struct guide {
    const float *unguided, *guided, *params;
    float *out;
    const struct xl_cuda_workspace *workspace; /* guide_sums [samples, blocks] */
    int64_t samples, n;                        /* n: numbers of a sample */
    unsigned blocks;                           /* of a sample */
};

/* Rounded to f32 after each operation, as diffusers does it in f32. */
__device__ static float guided_number(const guide &a, int64_t i) {
    float unguided = a.unguided[i], scale = a.params[0];
    return __fadd_rn(unguided, __fmul_rn(scale, __fsub_rn(a.guided[i], unguided)));
}

__global__ static void guide_kernel(const guide a, guide_sums *block_sums) {
    int64_t start = blockIdx.x / a.blocks * a.n;
    bool is_rescaled = a.params[1] > 0;
    double first = a.guided[start], first_out = guided_number(a, start);
    guide_sums sums = {0, 0, 0, 0};
    for (int64_t i = blockIdx.x % a.blocks * BLOCK_THREADS + threadIdx.x; i < a.n;
         i += (int64_t)a.blocks * BLOCK_THREADS) {
        float y = guided_number(a, start + i);
        a.out[start + i] = y;
        if (!is_rescaled) continue;
        double guided = (double)a.guided[start + i] - first, out = (double)y - first_out;
        sums.guided += guided;
        sums.guided_squares += guided * guided;
        sums.out += out;
        sums.out_squares += out * out;
    }
    if (!is_rescaled) return;
    sums = {sum_of_threads(sums.guided), sum_of_threads(sums.guided_squares),
            sum_of_threads(sums.out), sum_of_threads(sums.out_squares)};
    if (threadIdx.x == 0) block_sums[blockIdx.x] = sums;
}

/* Of n numbers, by their sum and sum of squares. */
__device__ static double deviation(double sum, double squares, int64_t n) {
    double m2 = squares - sum * sum / (double)n;
    return sqrt(fmax(m2, 0.0) / (double)(n > 1 ? n - 1 : 1));
}

/* std(guided) / std(out) of a sample; by every warp for itself */
__device__ static float deviation_ratio(const guide &a, const guide_sums *block_sums) {
    guide_sums sums = {0, 0, 0, 0};
    for (unsigned block = threadIdx.x % 32; block < a.blocks; block += 32) {
        const guide_sums &more = block_sums[block];
        sums.guided += more.guided;
        sums.guided_squares += more.guided_squares;
        sums.out += more.out;
        sums.out_squares += more.out_squares;
    }
    double guided = deviation(warp_sum(sums.guided), warp_sum(sums.guided_squares), a.n);
    return (float)(guided / deviation(warp_sum(sums.out), warp_sum(sums.out_squares), a.n));
}

__global__ static void rescale_kernel(const guide a, const guide_sums *block_sums) {
    float rescale = a.params[1];
    if (!(rescale > 0)) return;
    int64_t sample = blockIdx.x / a.blocks;
    float ratio = deviation_ratio(a, block_sums + sample * a.blocks);
    for (int64_t i = blockIdx.x % a.blocks * BLOCK_THREADS + threadIdx.x; i < a.n;
         i += (int64_t)a.blocks * BLOCK_THREADS) {
        float y = a.out[sample * a.n + i];
        a.out[sample * a.n + i] = __fadd_rn(__fmul_rn(rescale, __fmul_rn(y, ratio)),
                                            __fmul_rn(__fsub_rn(1.0F, rescale), y));
    }
}

static bool run_guide(const void *args, cudaStream_t stream) {
    const guide *a = (const guide *)args;
    guide_sums *block_sums = (guide_sums *)a->workspace->data;
    unsigned blocks = (unsigned)a->samples * a->blocks;
    guide_kernel<<<blocks, BLOCK_THREADS, 0, stream>>>(*a, block_sums);
    rescale_kernel<<<blocks, BLOCK_THREADS, 0, stream>>>(*a, block_sums);
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_guide(struct xl_cuda_compiler *c, struct xl_err *err) {
    guide *a = (guide *)xl_cuda_launch(c, run_guide, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand out = xl_cuda_out(c);
    int64_t half = xl_shape_count(out.shape);
    a->unguided = (const float *)xl_cuda_in(c, 0).data;
    a->guided = a->unguided + half;
    a->params = (const float *)xl_cuda_in(c, 1).data;
    a->out = (float *)out.data;
    a->workspace = &c->backend->workspace;
    a->samples = out.shape.dim[0];
    a->n = half / a->samples;
    a->blocks = blocks_for(a->n, 4 * BLOCK_THREADS);
    if (a->blocks > MAX_GUIDE_BLOCKS) a->blocks = MAX_GUIDE_BLOCKS;
    assert(a->samples * a->blocks * sizeof(guide_sums) <= XL_CUDA_WORKSPACE_BYTES);
    return XL_OK;
}

/* --- The sampler's step ----------------------------------------------------------------------- */

struct sampler_step {
    struct steps steps;
    float *x, *saved, *history; /* history: NULL if there is none */
    const float *out, *noise;   /* noise: NULL if there is none */
    int64_t n, slots, noise_rows;
    int32_t *counter, *flag;
};

/* Where each source lies; NULL: nowhere. */
struct sources {
    const float *at[XL_N_SOURCES];
};

__device__ static sources sources_of(const sampler_step &a, const float *row) {
    int64_t drawn = (int64_t)row[XL_STEP_NOISE_ROW];
    sources sources;
    sources.at[XL_SRC_X] = a.x;
    sources.at[XL_SRC_SAVED] = a.saved;
    sources.at[XL_SRC_OUT] = a.out;
    sources.at[XL_SRC_NOISE] = drawn >= 0 && drawn < a.noise_rows ? a.noise + drawn * a.n : NULL;
#pragma unroll
    for (int i = 0; i < XL_HISTORY_SLOTS; i++)
        sources.at[XL_SRC_HISTORY + i] = i < a.slots ? a.history + i * a.n : NULL;
    return sources;
}

/* Of number k of each source, but for the first, which is x. In double: the rounding of a sum of
 * large terms that cancel is then left to the model's output. */
__device__ static float sum_up(const float *coefs, const sources &sources, float x, int64_t k) {
    double sum = 0;
#pragma unroll
    for (int i = 0; i < XL_N_SOURCES; i++) {
        if (coefs[i] == 0 || !sources.at[i]) continue;
        sum += (double)coefs[i] * (double)(i == XL_SRC_X ? x : sources.at[i][k]);
    }
    return (float)sum;
}

__device__ static float converted(const float *row, float x, float out) {
    float m = (float)((double)row[XL_STEP_CONVERT_X] * (double)x +
                      (double)row[XL_STEP_CONVERT_OUT] * (double)out);
    float clip = row[XL_STEP_CLIP];
    if (clip > 0) m = m > clip ? clip : m < -clip ? -clip : m; /* NaN stays */
    return m;
}

__global__ static void sampler_step_kernel(const sampler_step a) {
    int64_t k = flat_index();
    if (k >= a.n) return;
    const float *row = row_of(a.steps);
    int64_t slot = (int64_t)row[XL_STEP_STORE_SLOT];
    float x = a.x[k];
    if (slot >= 0 && slot < a.slots) a.history[slot * a.n + k] = converted(row, x, a.out[k]);
    sources sources = sources_of(a, row);
    float base = sum_up(row + XL_STEP_BASE_COEF, sources, x, k);
    float next = sum_up(row + XL_STEP_COEF, sources, base, k);
    a.x[k] = next;
    a.saved[k] = base;
    if (!isfinite(next)) atomicCAS(a.flag, 0, *a.counter + 1);
}

/* When all numbers are done: they read the counter. */
__global__ static void count_step_kernel(int32_t *counter) {
    ++*counter;
}

static bool run_sampler_step(const void *args, cudaStream_t stream) {
    const sampler_step *a = (const sampler_step *)args;
    sampler_step_kernel<<<blocks_for(a->n, BLOCK_THREADS), BLOCK_THREADS, 0, stream>>>(*a);
    count_step_kernel<<<1, 1, 0, stream>>>(a->counter);
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_sampler_step(struct xl_cuda_compiler *c, struct xl_err *err) {
    sampler_step *a = (sampler_step *)xl_cuda_launch(c, run_sampler_step, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand x = xl_cuda_in(c, 0);
    a->x = (float *)x.data;
    a->out = (const float *)xl_cuda_in(c, 1).data;
    a->saved = (float *)xl_cuda_in(c, 2).data;
    a->history = (float *)xl_cuda_in(c, 3).data;
    a->noise = (const float *)xl_cuda_in(c, 4).data;
    a->steps = steps_of(c, 5);
    a->counter = (int32_t *)xl_cuda_in(c, 6).data;
    a->flag = (int32_t *)xl_cuda_in(c, 7).data;
    a->n = xl_shape_count(x.shape);
    a->slots = c->op->in[3] ? xl_cuda_in(c, 3).shape.dim[0] : 0;
    a->noise_rows = c->op->in[4] ? xl_cuda_in(c, 4).shape.dim[0] : 0;
    return XL_OK;
}
