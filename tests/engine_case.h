/* engine_case.h - a model on a device, opened and closed together, for tests of the engine. */
#ifndef XL_TESTS_ENGINE_CASE_H
#define XL_TESTS_ENGINE_CASE_H

#include "sdxl/sdxl.h"

#include <criterion/criterion.h>

struct engine_case {
    struct xl_device *device;
    struct xl_model *model;
};

static inline struct engine_case engine_open(const char *dir, const char *device, int n_threads) {
    struct engine_case engine;
    struct xl_device_params device_params;
    struct xl_model_params model_params;
    struct xl_err err = {0};
    xl_device_params_default(&device_params);
    xl_model_params_default(&model_params);
    device_params.name = device;
    device_params.n_threads = n_threads;
    model_params.model = dir;
    cr_assert_eq(xl_device_open(&device_params, &engine.device, &err), XL_OK, "%s", err.text);
    cr_assert_eq(xl_model_open(&model_params, &engine.model, &err), XL_OK, "%s", err.text);
    return engine;
}

static inline void engine_close(struct engine_case engine) {
    xl_model_close(engine.model);
    xl_device_close(engine.device);
}

static inline struct xl_result engine_draw(struct engine_case engine,
                                           const struct xl_request *request) {
    struct xl_err err = {0};
    struct xl_result result;
    cr_assert_eq(xl_generate(engine.device, engine.model, request, &result, &err), XL_OK, "%s",
                 err.text);
    return result;
}

#endif
