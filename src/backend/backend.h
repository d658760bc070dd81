/* backend.h - what a backend does: compile a plan once, run it many times.
 *
 * A backend belongs to one thread at a time, and so do the executables made by it. Packed weights
 * are kept by the backend and shared by all executables that use the same tensor the same way.
 * Tensors are known by the address of their numbers: while a backend lives, other numbers must not
 * come to lie there.
 * A run allocates nothing. The same plan, inputs, build and CPU give the same bytes, whatever the
 * number of threads.
 */
#ifndef XL_BACKEND_BACKEND_H
#define XL_BACKEND_BACKEND_H

#include "backend/ops.h"

struct xl_backend; /* opaque */
struct xl_exec;    /* opaque: a compiled plan */

/* Called now and then on the calling thread; false asks to stop (XL_ECANCELLED). */
typedef bool xl_tick_fn(void *user);

struct xl_compile_options {
    bool keep_taps; /* values with names can be read after a run */
    /* The backend has read all of `tensor` and will not touch it again for this executable.
     * The owner may tell the system that its pages are no longer needed. May be NULL. */
    void (*weight_done)(void *user, const struct xl_tensor *tensor);
    xl_tick_fn *tick; /* during packing; may be NULL */
    void *user;
};

/* The slow oracle in plain C. Errors: XL_ENOMEM */
enum xl_status xl_backend_reference(struct xl_backend **out, struct xl_err *err);
/* oneDNN and own kernels. n_threads: 0 takes xl_cpu_count(). Errors: XL_ENOMEM */
enum xl_status xl_backend_cpu(int n_threads, struct xl_backend **out, struct xl_err *err);
/* All executables of the backend must be freed before. NULL is fine. */
void xl_backend_free(struct xl_backend *backend);

const char *xl_backend_name(const struct xl_backend *backend);
/* "AVX2", "AVX-512 with BF16, AMX": what the kernels were chosen for. */
const char *xl_backend_isa(const struct xl_backend *backend);
int xl_backend_n_threads(const struct xl_backend *backend);
/* Whether plans of this act_dtype run at full speed here (bf16: the CPU has instructions for it).
 */
bool xl_backend_is_native(const struct xl_backend *backend, enum xl_dtype act_dtype);

/* plan must be finished and must outlive the executable; its weight tensors need not.
 * options: NULL for none. Errors: XL_ENOMEM, XL_ECANCELLED, XL_EINTERNAL */
enum xl_status xl_compile(struct xl_backend *backend, const struct xl_plan *plan,
                          const struct xl_compile_options *options, struct xl_exec **out,
                          struct xl_err *err) XL_CHECKED;
void xl_exec_free(struct xl_exec *exec);

/* What plans would take if they were compiled, one after the other, without taking it: weights that
 * are not held yet, and of each plan the bytes of its executable. exec_bytes: [n]
 * Errors: XL_ENOMEM, XL_EINTERNAL */
enum xl_status xl_measure(struct xl_backend *backend, const struct xl_plan *const *plans, int n,
                          size_t *weight_bytes, size_t *exec_bytes, struct xl_err *err) XL_CHECKED;

/* Copy a whole input in, or an input, output or kept tap out: dense, in the value's own dtype. */
void xl_exec_write(struct xl_exec *exec, xl_val value, const void *data);
void xl_exec_read(const struct xl_exec *exec, xl_val value, void *data);

/* tick (may be NULL) is called between ops. Errors: XL_ECANCELLED, XL_EINTERNAL */
enum xl_status xl_exec_run(struct xl_exec *exec, xl_tick_fn *tick, void *user,
                           struct xl_err *err) XL_CHECKED;

/* Bytes held: by an executable without its weights; by a backend's packed weights. */
size_t xl_exec_bytes(const struct xl_exec *exec);
size_t xl_backend_weight_bytes(const struct xl_backend *backend);

/* Seconds spent in op i of the plan since compilation, for benchmarks; 0 unless timing is on. */
void xl_exec_set_timing(struct xl_exec *exec, bool on);
double xl_exec_op_seconds(const struct xl_exec *exec, int op);

/* For backend implementations only: every backend and executable starts with one of these. */
struct xl_backend_vtable {
    const char *name;
    void (*free)(struct xl_backend *backend);
    const char *(*isa)(const struct xl_backend *backend);
    int (*n_threads)(const struct xl_backend *backend);
    bool (*is_native)(const struct xl_backend *backend, enum xl_dtype act_dtype);
    size_t (*weight_bytes)(const struct xl_backend *backend);
    enum xl_status (*compile)(struct xl_backend *backend, const struct xl_plan *plan,
                              const struct xl_compile_options *options, struct xl_exec **out,
                              struct xl_err *err);
    enum xl_status (*measure)(struct xl_backend *backend, const struct xl_plan *const *plans, int n,
                              size_t *weight_bytes, size_t *exec_bytes, struct xl_err *err);
    void (*exec_free)(struct xl_exec *exec);
    void (*write)(struct xl_exec *exec, xl_val value, const void *data);
    void (*read)(const struct xl_exec *exec, xl_val value, void *data);
    enum xl_status (*run)(struct xl_exec *exec, xl_tick_fn *tick, void *user, struct xl_err *err);
    size_t (*exec_bytes)(const struct xl_exec *exec);
    void (*set_timing)(struct xl_exec *exec, bool on);
    double (*op_seconds)(const struct xl_exec *exec, int op);
};

struct xl_backend {
    const struct xl_backend_vtable *vtable;
};

struct xl_exec { /* filled in by xl_compile */
    struct xl_backend *backend;
    const struct xl_plan *plan;
    bool keeps_taps;
};

/* Copy a value out of its memory (its first element), dropping the gaps between rows of a slice. */
void xl_value_gather(const struct xl_value *value, const void *memory, void *data);

#endif
