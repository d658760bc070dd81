/* dnn_plans.c - plans of cuDNN: finding the engine for a graph, keeping it, running it. */
#include "backend/cuda/dnn_graph.h"
#include "backend/cuda/trial.h"
#include "backend/cuda/ways.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ENGINES = 16, MAX_COMPILED = 4, WAY_TEXT = 16, MAX_JSON = 4 << 20 };

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
    struct xl_cuda_dnn_plan *plans;
};

enum xl_status xl_cuda_dnn_new(cudaStream_t stream, struct xl_cuda_ways *ways,
                               const struct xl_cuda_workspace *workspace, struct xl_cuda_dnn **out,
                               struct xl_err *err) {
    char why[XL_LOAD_TEXT];
    const struct xl_cudnn *lib = xl_cudnn(why);
    if (!lib) return xl_fail(err, XL_EDEVICE, "cuDNN cannot be loaded (%s)", why);
    struct xl_cuda_dnn *dnn = calloc(1, sizeof *dnn);
    if (!dnn) return xl_fail_nomem(err, "cuDNN", sizeof *dnn);
    dnn->lib = lib;
    dnn->stream = stream;
    dnn->ways = ways;
    dnn->workspace = workspace;
    if (lib->cudnnCreate(&dnn->handle) != CUDNN_STATUS_SUCCESS ||
        lib->cudnnSetStream(dnn->handle, stream) != CUDNN_STATUS_SUCCESS) {
        xl_cuda_dnn_free(dnn);
        return xl_fail(err, XL_EDEVICE, "cuDNN does not work on this GPU");
    }
    *out = dnn;
    return XL_OK;
}

static void plan_free(struct xl_cuda_dnn_plan *plan) {
    if (plan->plan) plan->dnn->lib->cudnnBackendDestroyDescriptor(plan->plan);
    free(plan->key);
    free(plan);
}

void xl_cuda_dnn_free(struct xl_cuda_dnn *dnn) {
    if (!dnn) return;
    for (struct xl_cuda_dnn_plan *plan; (plan = dnn->plans);) {
        dnn->plans = plan->next;
        plan_free(plan);
    }
    if (dnn->handle) dnn->lib->cudnnDestroy(dnn->handle);
    free(dnn);
}

struct xl_dnn_graph xl_dnn_graph_begin(const struct xl_cuda_dnn *dnn) {
    return (struct xl_dnn_graph){
        .lib = dnn->lib, .handle = dnn->handle, .next_uid = 1, .next_virtual_uid = 1000};
}

static struct xl_cuda_dnn_plan *find(const struct xl_cuda_dnn *dnn, const char *key) {
    struct xl_cuda_dnn_plan *plan = dnn->plans;
    while (plan && strcmp(plan->key, key) != 0) plan = plan->next;
    return plan;
}

const struct xl_cuda_dnn_plan *xl_dnn_find(const struct xl_cuda_dnn *dnn, const char *key,
                                           bool *is_known) {
    const struct xl_cuda_dnn_plan *plan = find(dnn, key);
    *is_known = plan != NULL;
    return plan && plan->plan ? plan : NULL;
}

/* --- Running ------------------------------------------------------------------------------------
 */

bool xl_cuda_dnn_run(const struct xl_cuda_dnn_plan *plan, void *const data[XL_DNN_MAX_TENSORS],
                     cudaStream_t stream) {
    const struct xl_cuda_dnn *dnn = plan->dnn;
    struct xl_dnn_graph pack = xl_dnn_graph_begin(dnn); /* only a list of descriptors here */
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

/* --- Engines ------------------------------------------------------------------------------------
 */

/* The engines that cuDNN offers for a graph, the best in its opinion first. */
struct engines {
    cudnnBackendDescriptor_t list[MAX_ENGINES]; /* of the graph's descriptors */
    int n;
};

static void list_engines(struct xl_dnn_graph *graph, cudnnBackendDescriptor_t operations,
                         cudnnBackendHeurMode_t mode, struct engines *engines) {
    cudnnBackendDescriptor_t made[MAX_ENGINES];
    int64_t n = 0, room = MAX_ENGINES - engines->n;
    cudnnBackendDescriptor_t heuristic = xl_dnn_make(graph, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    xl_dnn_set(graph, heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH,
               CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &operations);
    xl_dnn_set(graph, heuristic, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    xl_dnn_finalize(graph, heuristic);
    for (int64_t i = 0; i < room; i++)
        made[i] = xl_dnn_make(graph, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    if (graph->has_failed ||
        graph->lib->cudnnBackendGetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                             CUDNN_TYPE_BACKEND_DESCRIPTOR, room, &n,
                                             made) != CUDNN_STATUS_SUCCESS)
        n = 0;
    for (int64_t i = 0; i < n && i < room; i++) engines->list[engines->n++] = made[i];
}

static struct engines engines_of(struct xl_dnn_graph *graph) {
    struct engines engines = {.n = 0};
    cudnnBackendDescriptor_t made = xl_dnn_make(graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    xl_dnn_set(graph, made, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
               graph->n_operations, graph->operations);
    xl_dnn_set(graph, made, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &graph->handle);
    xl_dnn_finalize(graph, made);
    list_engines(graph, made, CUDNN_HEUR_MODE_A, &engines);
    if (!engines.n) list_engines(graph, made, CUDNN_HEUR_MODE_FALLBACK, &engines);
    return engines;
}

/* What a plan is made of: an engine, or a plan that was kept. */
struct origin {
    cudnnBackendAttributeName_t name;
    cudnnBackendAttributeType_t type;
    int64_t n;
    const void *value;
};

/* NULL: it cannot be had, or wants more workspace than there is. */
static cudnnBackendDescriptor_t make_plan(const struct xl_dnn_graph *graph, size_t workspace,
                                          struct origin origin) {
    const struct xl_cudnn *lib = graph->lib;
    cudnnBackendDescriptor_t plan = NULL;
    int64_t bytes = 0;
    if (lib->cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan) !=
        CUDNN_STATUS_SUCCESS)
        return NULL;
    if (lib->cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
                                      &graph->handle) == CUDNN_STATUS_SUCCESS &&
        lib->cudnnBackendSetAttribute(plan, origin.name, origin.type, origin.n, origin.value) ==
            CUDNN_STATUS_SUCCESS &&
        lib->cudnnBackendFinalize(plan) == CUDNN_STATUS_SUCCESS &&
        lib->cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                      CUDNN_TYPE_INT64, 1, NULL, &bytes) == CUDNN_STATUS_SUCCESS &&
        (size_t)bytes <= workspace)
        return plan;
    lib->cudnnBackendDestroyDescriptor(plan);
    return NULL;
}

static struct origin of_engine(const cudnnBackendDescriptor_t *engine) {
    return (struct origin){CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                           1, engine};
}

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

/* The plan that a kept way tells; NULL: none. */
static cudnnBackendDescriptor_t remake_plan(const struct xl_dnn_graph *graph, size_t workspace,
                                            const struct engines *engines, const char *way) {
    struct origin text = {CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                          (int64_t)strlen(way), way};
    int kept = atoi(way);
    if (*way == '{') return make_plan(graph, workspace, text);
    if (kept < 0 || kept >= engines->n) return NULL;
    return make_plan(graph, workspace, of_engine(&engines->list[kept]));
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

/* Set the plan to the fastest engine's; which, or -1. Without memory to try: the first that works.
 */
static int try_engines(struct xl_cuda_dnn_plan *plan, const struct xl_dnn_graph *graph,
                       const struct engines *engines, const struct xl_dnn_choice *choice) {
    const struct xl_cuda_dnn *dnn = plan->dnn;
    void *data[XL_DNN_MAX_TENSORS] = {NULL};
    bool has_memory = take_memory(choice, data, dnn->stream);
    float best = INFINITY;
    int found = -1;
    int n = choice->is_compiled && engines->n > MAX_COMPILED ? MAX_COMPILED : engines->n;
    for (int i = 0; i < n && (has_memory || found < 0); i++) {
        struct xl_cuda_dnn_plan tried = *plan;
        tried.plan = make_plan(graph, dnn->workspace->bytes, of_engine(&engines->list[i]));
        if (!tried.plan) continue;
        float ms = has_memory ? try_plan(&tried, data, best, dnn->stream) : 0;
        if (ms < best) {
            best = ms;
            found = i;
            if (plan->plan) dnn->lib->cudnnBackendDestroyDescriptor(plan->plan);
            plan->plan = tried.plan;
        } else {
            dnn->lib->cudnnBackendDestroyDescriptor(tried.plan);
        }
    }
    for (int i = 0; i < choice->n_tensors; i++)
        if (choice->bytes[i]) xl_cuda_trial_memory_free(data[i], dnn->stream);
    return has_memory ? found : -1;
}

static void keep_way(const struct xl_cuda_dnn_plan *plan, const struct xl_dnn_choice *choice,
                     int engine) {
    char text[WAY_TEXT], *whole = choice->is_compiled ? describe_plan(plan) : NULL;
    snprintf(text, sizeof text, "%d", engine);
    xl_cuda_ways_keep(plan->dnn->ways, choice->key, whole ? whole : text);
    free(whole);
}

static void choose_engine(struct xl_cuda_dnn_plan *plan, struct xl_dnn_graph *graph,
                          const struct xl_dnn_choice *choice) {
    const struct xl_cuda_dnn *dnn = plan->dnn;
    const char *way = xl_cuda_ways_find(dnn->ways, choice->key);
    struct engines engines = {.n = 0};
    bool is_whole = way && *way == '{';
    if (!is_whole) engines = engines_of(graph);
    if (way) plan->plan = remake_plan(graph, dnn->workspace->bytes, &engines, way);
    if (plan->plan) return;
    if (is_whole) engines = engines_of(graph);
    int found = try_engines(plan, graph, &engines, choice);
    if (found >= 0) keep_way(plan, choice, found);
}

enum xl_status xl_dnn_choose(const struct xl_cuda_compiler *c, struct xl_dnn_graph *graph,
                             const struct xl_dnn_choice *choice,
                             const struct xl_cuda_dnn_plan **out, struct xl_err *err) {
    struct xl_cuda_dnn *dnn = c->backend->dnn;
    struct xl_cuda_dnn_plan *plan = calloc(1, sizeof *plan);
    *out = NULL;
    if (plan) plan->key = strdup(choice->key);
    if (!plan || !plan->key) {
        free(plan);
        return xl_fail_nomem(err, "a plan of cuDNN", sizeof *plan);
    }
    plan->dnn = dnn;
    plan->n_tensors = choice->n_tensors;
    if (!graph->has_failed) choose_engine(plan, graph, choice);
    plan->next = dnn->plans;
    dnn->plans = plan;
    if (plan->plan) *out = plan;
    return XL_OK;
}
