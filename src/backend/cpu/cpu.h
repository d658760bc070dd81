/* cpu.h - the inside of the CPU backend: how ops become loops over tasks.
 *
 * Compiling turns each op into a step of a few loops; each loop is cut into tasks from the op's
 * shape alone, so results do not depend on the number of threads. Addresses of operands are fixed
 * at compilation. Scratch memory is found through xl_space when a task runs.
 */
#ifndef XL_BACKEND_CPU_CPU_H
#define XL_BACKEND_CPU_CPU_H

#include "backend/backend.h"
#include "backend/cpu/pack.h"
#include "base/arena.h"
#include "base/threads.h"

#include <stdatomic.h>

/* A backend for another instruction set than the best one, for tests. oneDNN is not told. */
enum xl_status xl_backend_cpu_isa(int n_threads, struct xl_cpu_isa isa, struct xl_backend **out,
                                  struct xl_err *err);

struct xl_cpu_backend {
    struct xl_backend base;
    struct xl_cpu_isa isa;
    const struct xl_cpu_kernels *kernels;
    struct xl_pool *pool;
    struct xl_dnn *dnn;
    struct xl_pack *pack;
};

/* Memory of an executable beside its values. */
struct xl_space {
    unsigned char *scratch; /* of worker 0; the others follow at scratch_stride */
    size_t scratch_stride;
    unsigned char *shared; /* of the running step */
    atomic_bool has_failed;
};

struct xl_loop {
    xl_task_fn *fn;
    void *state;
    int64_t n_tasks;
};

enum { XL_MAX_LOOPS = 3 };

struct xl_cpu_step {
    struct xl_loop loops[XL_MAX_LOOPS];
    int n_loops;
};

/* What a compilation hands to the function that makes an op's step. */
struct xl_compiler {
    struct xl_cpu_backend *backend;
    struct xl_hold *hold; /* the weights that are asked for */
    const struct xl_plan *plan;
    const struct xl_op *op;
    struct xl_cpu_step *step;
    unsigned char *memory; /* of the values */
    const size_t *offset;  /* of each value in memory */
    struct xl_space *space;
    struct xl_arena *arena;             /* for states: lives as long as the executable */
    size_t scratch_bytes, shared_bytes; /* most that any op asked for */
};

typedef enum xl_status xl_compile_fn(struct xl_compiler *c, struct xl_err *err);
/* One an op, each in the file of its kind. */
#define X(kind, suffix, ...) xl_compile_fn xl_compile_##suffix;
XL_OP_LIST(X)
#undef X

/* A value as a task sees it. */
struct xl_operand {
    unsigned char *data; /* NULL: the operand is absent */
    enum xl_dtype dtype;
    struct xl_shape shape;
    int64_t row_stride; /* elements */
};

struct xl_operand xl_operand(const struct xl_compiler *c, xl_val value);
/* Element i of an operand's memory. */
unsigned char *xl_element(struct xl_operand operand, int64_t i);
/* A weight in f32, there when the plan is run (NULL when absent). */
enum xl_status xl_floats(struct xl_compiler *c, xl_val value, const struct xl_numbers **out,
                         struct xl_err *err) XL_CHECKED;

/* Zeroed memory for an op's state, or NULL after writing err. */
void *xl_state(struct xl_compiler *c, size_t bytes, struct xl_err *err);
/* attention_masked.c: attention with a mask. */
enum xl_status xl_compile_masked_attention(struct xl_compiler *c, struct xl_err *err);
void xl_add_loop(struct xl_compiler *c, xl_task_fn *fn, void *state, int64_t n_tasks);
/* Ask for scratch memory of a worker, and for memory that the tasks of a step share. */
void xl_need_scratch(struct xl_compiler *c, size_t bytes);
void xl_need_shared(struct xl_compiler *c, size_t bytes);

/* Scratch memory of a worker, aligned to 64 bytes. */
static inline unsigned char *xl_scratch(const struct xl_space *space, int worker) {
    return space->scratch + (size_t)worker * space->scratch_stride;
}

/* Pieces of scratch memory start at multiples of a cache line. */
static inline size_t xl_piece(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

/* Numbers that a task of an elementwise loop handles, about: 256 KiB of f32. */
enum { XL_TASK_NUMBERS = 1 << 16 };

static inline int64_t xl_div_up(int64_t n, int64_t by) {
    return (n + by - 1) / by;
}

static inline int64_t xl_min(int64_t a, int64_t b) {
    return a < b ? a : b;
}

#endif
