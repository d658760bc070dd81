/* dnn_engines.c - the engines that cuDNN offers for a graph, and the plans made of them. */
#include "backend/cuda/dnn_engines.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COMPILED = 4 };

/* The engines that cuDNN offers for a graph, the best in its opinion first. */
struct engines {
    cudnnBackendDescriptor_t list[XL_DNN_MAX_ENGINES]; /* of the graph's descriptors */
    int n;
};

static void list_engines(struct xl_dnn_graph *graph, cudnnBackendDescriptor_t operations,
                         cudnnBackendHeurMode_t mode, struct engines *engines) {
    cudnnBackendDescriptor_t made[XL_DNN_MAX_ENGINES];
    int64_t n = 0, room = XL_DNN_MAX_ENGINES - engines->n;
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

/* How many engines are worth a plan. */
static int n_tried(const struct engines *engines, const struct xl_dnn_choice *choice) {
    return choice->is_compiled && engines->n > MAX_COMPILED ? MAX_COMPILED : engines->n;
}

void xl_dnn_plans_make(const struct xl_dnn_maker *maker, const struct xl_dnn_choice *choice,
                       const char *way, struct xl_dnn_plans *out) {
    struct xl_dnn_graph graph = xl_dnn_graph_begin(maker->lib, maker->handle);
    struct engines engines = {.n = 0};
    bool is_whole = way && *way == '{';
    *out = (struct xl_dnn_plans){.n = 0};
    choice->build(&graph, choice->shape);
    if (!graph.has_failed && !is_whole) engines = engines_of(&graph);
    if (!graph.has_failed && way)
        out->plan[0] = remake_plan(&graph, maker->workspace_bytes, &engines, way);
    if (out->plan[0]) {
        out->n = 1;
        out->is_kept = true;
    } else if (!graph.has_failed) {
        if (is_whole) engines = engines_of(&graph);
        for (int i = 0; i < n_tried(&engines, choice); i++) {
            out->plan[out->n] =
                make_plan(&graph, maker->workspace_bytes, of_engine(&engines.list[i]));
            out->engine[out->n] = i;
            if (out->plan[out->n]) out->n++;
        }
    }
    xl_dnn_graph_end(&graph);
}

void xl_dnn_plans_free(const struct xl_cudnn *lib, struct xl_dnn_plans *plans) {
    for (int i = 0; i < plans->n; i++)
        if (plans->plan[i]) lib->cudnnBackendDestroyDescriptor(plans->plan[i]);
    plans->n = 0;
}
