/* dnn_plans.c - plans of cuDNN: finding the engine for a graph, keeping it, running it. */
#include "backend/cuda/dnn_ahead.h"
#include "backend/cuda/trial.h"
#include "backend/cuda/ways.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAY_TEXT = 16, MAX_JSON = 4 << 20 };

struct xl_cuda_dnn_plan {
    struct xl_cuda_dnn_plan *next;
    const struct xl_cuda_dnn *dnn;
    char *key;
    cudnnBackendDescriptor_t plan; /* NULL: there is no engine for it */
    int n_tensors;
};

struct xl_cuda_dnn {
    const struct xl_cudnn *lib;
    cudnnHandle_t handle;
    cudaStream_t stream;
    struct xl_cuda_ways *ways;
    const struct xl_cuda_workspace *workspace;
    struct xl_dnn_ahead *ahead;
    struct xl_cuda_dnn_plan *plans;
};

static struct xl_dnn_maker maker_of(const struct xl_cuda_dnn *dnn) {
    return (struct xl_dnn_maker){dnn->lib, dnn->handle, dnn->workspace->bytes};
}

enum xl_status xl_cuda_dnn_new(const struct xl_cuda_backend *backend, struct xl_cuda_dnn **out,
                               struct xl_err *err) {
    char why[XL_LOAD_TEXT];
    const struct xl_cudnn *lib = xl_cudnn(why);
    if (!lib) return xl_fail(err, XL_EDEVICE, "cuDNN cannot be loaded (%s)", why);
    struct xl_cuda_dnn *dnn = calloc(1, sizeof *dnn);
    if (!dnn) return xl_fail_nomem(err, "cuDNN", sizeof *dnn);
    dnn->lib = lib;
    dnn->stream = backend->stream;
    dnn->ways = backend->ways;
    dnn->workspace = &backend->workspace;
    enum xl_status status = XL_OK;
    if (lib->cudnnCreate(&dnn->handle) != CUDNN_STATUS_SUCCESS ||
        lib->cudnnSetStream(dnn->handle, dnn->stream) != CUDNN_STATUS_SUCCESS)
        status = xl_fail(err, XL_EDEVICE, "cuDNN does not work on this GPU");
    const struct xl_dnn_maker maker = maker_of(dnn);
    if (!status) status = xl_dnn_ahead_new(backend->device, &maker, &dnn->ahead, err);
    if (status)
        xl_cuda_dnn_free(dnn);
    else
        *out = dnn;
    return status;
}

static void plan_free(struct xl_cuda_dnn_plan *plan) {
    if (plan->plan) plan->dnn->lib->cudnnBackendDestroyDescriptor(plan->plan);
    free(plan->key);
    free(plan);
}

void xl_cuda_dnn_free(struct xl_cuda_dnn *dnn) {
    if (!dnn) return;
    xl_dnn_ahead_free(dnn->ahead);
    for (struct xl_cuda_dnn_plan *plan; (plan = dnn->plans);) {
        dnn->plans = plan->next;
        plan_free(plan);
    }
    if (dnn->handle) dnn->lib->cudnnDestroy(dnn->handle);
    free(dnn);
}

static struct xl_cuda_dnn_plan *find(const struct xl_cuda_dnn *dnn, const char *key) {
    struct xl_cuda_dnn_plan *plan = dnn->plans;
    while (plan && strcmp(plan->key, key) != 0) plan = plan->next;
    return plan;
}

/* --- Running ------------------------------------------------------------------------------------
 */

bool xl_cuda_dnn_run(const struct xl_cuda_dnn_plan *plan, void *const data[XL_DNN_MAX_TENSORS],
                     cudaStream_t stream) {
    const struct xl_cuda_dnn *dnn = plan->dnn;
    struct xl_dnn_graph pack =
        xl_dnn_graph_begin(dnn->lib, dnn->handle); /* only a list of descriptors here */
    int64_t uids[XL_DNN_MAX_TENSORS];
    for (int i = 0; i < plan->n_tensors; i++) uids[i] = i + 1;
    (void)stream; /* the handle's */
    cudnnBackendDescriptor_t made = xl_dnn_make(&pack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    xl_dnn_set(&pack, made, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR,
               plan->n_tensors, data);
    xl_dnn_set(&pack, made, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, plan->n_tensors,
               uids);
    xl_dnn_set(&pack, made, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1,
               &dnn->workspace->data);
    xl_dnn_finalize(&pack, made);
    bool ok = !pack.has_failed &&
              dnn->lib->cudnnBackendExecute(dnn->handle, plan->plan, made) == CUDNN_STATUS_SUCCESS;
    xl_dnn_graph_end(&pack);
    return ok;
}

struct trial {
    const struct xl_cuda_dnn_plan *plan;
    void *const *data;
};

static bool run_trial(void *user, cudaStream_t stream) {
    const struct trial *trial = user;
    return xl_cuda_dnn_run(trial->plan, trial->data, stream);
}

/* As xl_cuda_trial. */
static float try_plan(const struct xl_cuda_dnn_plan *plan, void *const data[XL_DNN_MAX_TENSORS],
                      float best, cudaStream_t stream) {
    struct trial trial = {plan, data};
    return xl_cuda_trial(run_trial, &trial, best, stream);
}

/* --- Choosing -----------------------------------------------------------------------------------
 */

/* A plan as text, which holds what was compiled for it. NULL: it cannot be had */
static char *describe_plan(const struct xl_cuda_dnn_plan *plan) {
    int64_t n = 0;
    char *text = calloc(1, MAX_JSON);
    if (text &&
        plan->dnn->lib->cudnnBackendGetAttribute(
            plan->plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
            MAX_JSON - 1, &n, text) == CUDNN_STATUS_SUCCESS &&
        n > 0 && n < MAX_JSON) {
        for (char *at = text; *at; at++)
            if (*at == '\n' || *at == '\t') *at = ' ';
        return text;
    }
    free(text);
    return NULL;
}

/* Memory for each tensor of a trial; false: there is none. */
static bool take_memory(const struct xl_dnn_choice *choice, void *data[XL_DNN_MAX_TENSORS],
                        cudaStream_t stream) {
    static float one = 1;
    bool ok = true;
    for (int i = 0; i < choice->n_tensors; i++) {
        data[i] = choice->bytes[i] ? xl_cuda_trial_memory(choice->bytes[i], stream) : &one;
        ok = ok && data[i];
    }
    return ok;
}

/* The fastest of several; -1: none works. Without memory to try: the first, and *is_sure is false.
 */
static int try_plans(const struct xl_cuda_dnn_plan *plan, const struct xl_dnn_plans *plans,
                     const struct xl_dnn_choice *choice, bool *is_sure) {
    cudaStream_t stream = plan->dnn->stream;
    void *data[XL_DNN_MAX_TENSORS] = {NULL};
    float best = INFINITY;
    int found = -1;
    *is_sure = take_memory(choice, data, stream);
    if (!*is_sure) found = plans->n ? 0 : -1;
    for (int i = 0; *is_sure && i < plans->n; i++) {
        struct xl_cuda_dnn_plan tried = *plan;
        tried.plan = plans->plan[i];
        float ms = try_plan(&tried, data, best, stream);
        if (ms >= best) continue;
        best = ms;
        found = i;
    }
    for (int i = 0; i < choice->n_tensors; i++)
        if (choice->bytes[i]) xl_cuda_trial_memory_free(data[i], stream);
    return found;
}

static void keep_way(const struct xl_cuda_dnn_plan *plan, const struct xl_dnn_choice *choice,
                     int engine) {
    char text[WAY_TEXT], *whole = choice->is_compiled ? describe_plan(plan) : NULL;
    snprintf(text, sizeof text, "%d", engine);
    xl_cuda_ways_keep(plan->dnn->ways, choice->key, whole ? whole : text);
    free(whole);
}

static void choose(struct xl_cuda_dnn_plan *plan, const struct xl_dnn_choice *choice) {
    const struct xl_cuda_dnn *dnn = plan->dnn;
    const struct xl_dnn_maker maker = maker_of(dnn);
    struct xl_dnn_plans plans;
    bool is_sure = false;
    if (!xl_dnn_ahead_take(dnn->ahead, choice->key, &plans))
        xl_dnn_plans_make(&maker, choice, xl_cuda_ways_find(dnn->ways, choice->key), &plans);
    int found = plans.is_kept ? 0 : try_plans(plan, &plans, choice, &is_sure);
    if (found >= 0) {
        plan->plan = plans.plan[found];
        plans.plan[found] = NULL;
    }
    if (is_sure && found >= 0) keep_way(plan, choice, plans.engine[found]);
    xl_dnn_plans_free(dnn->lib, &plans);
}

static enum xl_status add(struct xl_cuda_dnn *dnn, const struct xl_dnn_choice *choice,
                          struct xl_cuda_dnn_plan **out, struct xl_err *err) {
    struct xl_cuda_dnn_plan *plan = calloc(1, sizeof *plan);
    if (plan) plan->key = strdup(choice->key);
    if (!plan || !plan->key) {
        free(plan);
        return xl_fail_nomem(err, "a plan of cuDNN", sizeof *plan);
    }
    plan->dnn = dnn;
    plan->n_tensors = choice->n_tensors;
    choose(plan, choice);
    plan->next = dnn->plans;
    dnn->plans = *out = plan;
    return XL_OK;
}

enum xl_status xl_dnn_choose(const struct xl_cuda_compiler *c, const struct xl_dnn_choice *choice,
                             const struct xl_cuda_dnn_plan **out, struct xl_err *err) {
    struct xl_cuda_dnn *dnn = c->backend->dnn;
    struct xl_cuda_dnn_plan *plan = find(dnn, choice->key);
    enum xl_status status = XL_OK;
    *out = NULL;
    if (!plan && c->expects)
        xl_dnn_ahead_expect(dnn->ahead, choice, xl_cuda_ways_find(dnn->ways, choice->key));
    else if (!plan && !c->is_measuring)
        status = add(dnn, choice, &plan, err);
    if (!status && plan && plan->plan) *out = plan;
    return status;
}
