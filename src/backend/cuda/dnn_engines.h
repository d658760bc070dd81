/* dnn_engines.h - what a plan of cuDNN can be chosen from: one for each engine that it offers for a
 * graph, or the one that was kept. Any thread, each with a maker of its own. */
#ifndef XL_BACKEND_CUDA_DNN_ENGINES_H
#define XL_BACKEND_CUDA_DNN_ENGINES_H

#include "backend/cuda/dnn_graph.h"

struct xl_dnn_maker {
    const struct xl_cudnn *lib;
    cudnnHandle_t handle;
    size_t workspace_bytes; /* plans that want more are left out */
};

enum { XL_DNN_MAX_ENGINES = 16 };

struct xl_dnn_plans {
    cudnnBackendDescriptor_t plan[XL_DNN_MAX_ENGINES]; /* the best in cuDNN's opinion first */
    int engine[XL_DNN_MAX_ENGINES];                    /* its number among those that are offered */
    int n;
    bool is_kept; /* there is one, which the way tells */
};

/* way: that was kept for the choice's key; NULL: none. What cannot be had is left out. The caller's
 * (xl_dnn_plans_free). */
void xl_dnn_plans_make(const struct xl_dnn_maker *maker, const struct xl_dnn_choice *choice,
                       const char *way, struct xl_dnn_plans *out);
void xl_dnn_plans_free(const struct xl_cudnn *lib, struct xl_dnn_plans *plans);

#endif
