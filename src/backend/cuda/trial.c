/* trial.c - timing by events on the stream, after a first run that loads what is needed and tells
 * what fails. */
#include "backend/cuda/trial.h"

#include <math.h>

enum { N_ROUNDS = 2, MAX_RUNS = 4 };
static const float enough_ms = 0.4F; /* of a round: what is shorter is run up to MAX_RUNS times */
static const float far_from_best = 1.3F;
/* A first run has its kernel brought to the device, which takes some milliseconds. */
static const float hopeless = 8, load_ms = 8;

/* Bytes that make 0.048 in f16, and small numbers in bf16 and f32. */
enum { SMALL = 0x2A };

/* A run that went wrong leaves an error behind, which the next call would be told. */
static bool settle(cudaStream_t stream) {
    cudaError_t error = cudaStreamSynchronize(stream);
    return cudaGetLastError() == cudaSuccess && error == cudaSuccess;
}

static float round_ms(xl_cuda_trial_fn *fn, void *user, int n_runs, cudaStream_t stream,
                      const cudaEvent_t events[2]) {
    float ms = INFINITY;
    bool ok = cudaEventRecord(events[0], stream) == cudaSuccess;
    for (int i = 0; ok && i < n_runs; i++) ok = fn(user, stream);
    ok = cudaEventRecord(events[1], stream) == cudaSuccess && ok;
    if (!settle(stream) || !ok) return INFINITY;
    return cudaEventElapsedTime(&ms, events[0], events[1]) == cudaSuccess ? ms / (float)n_runs
                                                                          : INFINITY;
}

float xl_cuda_trial(xl_cuda_trial_fn *fn, void *user, float best, cudaStream_t stream) {
    cudaEvent_t events[2] = {NULL};
    float ms = INFINITY;
    bool ok = cudaEventCreate(&events[0]) == cudaSuccess &&
              cudaEventCreate(&events[1]) == cudaSuccess;
    float first = ok ? round_ms(fn, user, 1, stream, events) : INFINITY;
    ok = first < INFINITY && first < best * hopeless + load_ms;
    float once = ok ? round_ms(fn, user, 1, stream, events) : INFINITY;
    if (once < best * far_from_best) {
        int n_runs = (int)fmaxf(1, fminf(MAX_RUNS, ceilf(enough_ms / once)));
        for (int i = 0; i < N_ROUNDS; i++)
            ms = fminf(ms, round_ms(fn, user, n_runs, stream, events));
    }
    for (int i = 0; i < 2; i++)
        if (events[i]) cudaEventDestroy(events[i]);
    return ms;
}

void *xl_cuda_trial_memory(size_t bytes, cudaStream_t stream) {
    void *memory = NULL;
    if (cudaMallocAsync(&memory, bytes, stream) == cudaSuccess &&
        cudaMemsetAsync(memory, SMALL, bytes, stream) == cudaSuccess)
        return memory;
    (void)cudaGetLastError(); /* it is told by NULL */
    return NULL;
}

void xl_cuda_trial_memory_free(void *memory, cudaStream_t stream) {
    if (memory) cudaFreeAsync(memory, stream);
}
