/* op_case.c - plans of one op, and running them. */
#include "op/op_case.h"

#include "op/maker.h"

#include <stdlib.h>
#include <string.h>

enum xl_status op_instance_new(const struct op_case *op_case, struct op_dtypes dtypes,
                               bool with_doubles, struct op_instance **out, struct xl_err *err) {
    struct op_instance *instance = calloc(1, sizeof *instance);
    struct xl_plan *plan = xl_plan_new(dtypes.act);
    if (!instance || !plan) {
        free(instance);
        xl_plan_free(plan);
        return xl_fail_nomem(err, "an op case", 0);
    }
    instance->plan = plan;
    struct op_maker maker = {instance, op_case, dtypes, with_doubles};
    instance->out = op_make(&maker);
    xl_plan_output(plan, instance->out, "out");
    enum xl_status status = xl_plan_finish(plan, err);
    if (status) {
        op_instance_free(instance);
        return status;
    }
    for (int i = 0; !instance->op || instance->op->kind != op_case->op.kind; i++)
        instance->op = xl_plan_op(plan, i);
    instance->out_dtype = xl_plan_value(plan, instance->out)->dtype;
    instance->out_shape = xl_plan_value(plan, instance->out)->shape;
    *out = instance;
    return XL_OK;
}

void op_instance_free(struct op_instance *instance) {
    if (!instance) return;
    xl_plan_free(instance->plan);
    xl_arena_deinit(&instance->arena);
    free(instance);
}

size_t op_instance_out_bytes(const struct op_instance *instance) {
    return (size_t)xl_shape_count(instance->out_shape) * xl_dtype_size(instance->out_dtype);
}

/* NaN in every floating dtype; indices stay valid. */
static enum xl_status write_poison(struct op_instance *instance, struct xl_exec *exec,
                                   struct xl_err *err) {
    for (int i = 0; i < instance->n_inputs; i++) {
        const struct xl_value *value = xl_plan_value(instance->plan, instance->inputs[i].value);
        if (value->dtype == XL_DTYPE_I32 || instance->inputs[i].is_table) continue;
        size_t bytes = (size_t)xl_shape_count(value->shape) * xl_dtype_size(value->dtype);
        void *poison = malloc(bytes);
        if (!poison) return xl_fail_nomem(err, "an op case", bytes);
        memset(poison, 0xFF, bytes);
        xl_exec_write(exec, instance->inputs[i].value, poison);
        free(poison);
    }
    return XL_OK;
}

static void write_inputs(struct op_instance *instance, struct xl_exec *exec) {
    for (int i = 0; i < instance->n_inputs; i++)
        xl_exec_write(exec, instance->inputs[i].value, instance->inputs[i].data);
}

enum xl_status op_instance_compile(struct op_instance *instance, struct xl_backend *backend,
                                   struct xl_exec **out, struct xl_err *err) {
    enum xl_status status = xl_compile(backend, instance->plan, NULL, out, err);
    if (!status) write_inputs(instance, *out);
    return status;
}

enum xl_status op_instance_run(struct op_instance *instance, struct xl_backend *backend, void *out,
                               struct xl_err *err) {
    struct xl_exec *exec = NULL;
    enum xl_status status = op_instance_compile(instance, backend, &exec, err);
    if (!status) status = write_poison(instance, exec, err);
    if (!status) status = xl_exec_run(exec, 1, NULL, err);
    if (!status) {
        write_inputs(instance, exec);
        status = xl_exec_run(exec, 1, NULL, err);
    }
    if (!status) xl_exec_read(exec, instance->out, out);
    xl_exec_free(exec);
    return status;
}
