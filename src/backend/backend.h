/* backend.h - what a backend does: compile a plan once, run it many times.
 *
 * An executable belongs to one thread at a time. One thread at a time runs executables of a
 * backend, writes, reads and copies their values; while it does, others may compile and measure
 * plans, free executables of their own, ask for memory and release it: a model is made ready while
 * another one draws. What threads share behind that (packed weights, libraries, the queue of a GPU)
 * the backend guards. Two compilations take turns while they choose how to compute; they bring in
 * weights side by side. Packed weights are kept by the backend and shared by all executables that
 * use the same tensor the same way. Tensors are known by their ids (plan.h), never by their
 * addresses: weights that are held already are not read again, whichever plan and mapping they come
 * with. A run allocates nothing. The same plan, inputs, build and CPU give the same bytes, whatever
 * the number of threads.
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
     * The owner may tell the system that its pages are no longer needed. One call at a time, not
     * always on the caller's thread. May be NULL. */
    void (*weight_done)(void *user, const struct xl_tensor *tensor);
    xl_tick_fn *tick; /* during packing; may be NULL */
    void *user;
};

/* The slow oracle in plain C. Errors: XL_ENOMEM */
enum xl_status xl_backend_reference(struct xl_backend **out, struct xl_err *err);
/* oneDNN and own kernels. n_threads: 0 takes xl_cpu_count(). Errors: XL_ENOMEM */
enum xl_status xl_backend_cpu(int n_threads, struct xl_backend **out, struct xl_err *err);
/* cuBLASLt, cuDNN and own kernels on a GPU. device: index among those that xl_cuda_devices lists.
 * Errors: XL_ENOMEM; XL_EDEVICE built without CUDA, no driver, no such GPU, or one that cannot be
 * used (the sentence says which) */
enum xl_status xl_backend_cuda(int device, struct xl_backend **out, struct xl_err *err);
/* All executables of the backend must be freed before. NULL is fine. */
void xl_backend_free(struct xl_backend *backend);

const char *xl_backend_name(const struct xl_backend *backend);
/* "AVX2", "AVX-512 with BF16, AMX": what the kernels were chosen for. */
const char *xl_backend_isa(const struct xl_backend *backend);
/* "oneDNN 2.6.3": those that compute, with their versions; "" for none. */
const char *xl_backend_libraries(const struct xl_backend *backend);
int xl_backend_n_threads(const struct xl_backend *backend);
/* Whether plans of this act_dtype run at full speed here (bf16: the CPU has instructions for it).
 */
bool xl_backend_is_native(const struct xl_backend *backend, enum xl_dtype act_dtype);
/* Whether plans of this act_dtype run here at all. Errors: XL_EINVAL */
enum xl_status xl_backend_check_dtype(const struct xl_backend *backend, enum xl_dtype act_dtype,
                                      struct xl_err *err) XL_CHECKED;
/* Whether ops that may be computed in F8 (in_f8) are. Errors: XL_EINVAL the sentence says what
 * would be needed */
enum xl_status xl_backend_check_f8(const struct xl_backend *backend, struct xl_err *err) XL_CHECKED;
/* The act_dtype of the VAE's plans where encoders and UNet compute in this one: its activations
 * leave the range of f16, and f32 is worth what it costs on a CPU. */
enum xl_dtype xl_backend_picture_dtype(const struct xl_backend *backend, enum xl_dtype act_dtype);

/* Whether a compilation leaves the thread that runs executables at full speed: a GPU copies weights
 * and computes at the same time, a CPU that packs has no cores for anything else. */
bool xl_backend_compiles_aside(const struct xl_backend *backend);

/* plan must be finished and must outlive the executable; its weight tensors need not.
 * options: NULL for none. Errors: XL_ENOMEM, XL_ECANCELLED, XL_EINTERNAL */
enum xl_status xl_compile(struct xl_backend *backend, const struct xl_plan *plan,
                          const struct xl_compile_options *options, struct xl_exec **out,
                          struct xl_err *err) XL_CHECKED;
void xl_exec_free(struct xl_exec *exec);

/* Packed weights that plans use, in bytes. */
struct xl_weight_need {
    size_t missing; /* not held yet */
    size_t held;    /* groups of packed weights, whole, that some of them lie in */
};

/* What plans would take if they were compiled, one after the other, without taking it: their
 * weights, and of each plan the bytes of its executable. Weights that another thread is bringing in
 * count as held. exec_bytes: [n]
 * Errors: XL_ENOMEM, XL_EINTERNAL */
enum xl_status xl_measure(struct xl_backend *backend, const struct xl_plan *const *plans, int n,
                          struct xl_weight_need *weights, size_t *exec_bytes,
                          struct xl_err *err) XL_CHECKED;

/* The plan will be compiled soon: a backend may begin with what takes long, on threads of its own.
 * Takes no memory for the plan, and may do nothing. */
void xl_expect(struct xl_backend *backend, const struct xl_plan *plan);

/* Copy a whole input or state in, or an input, state, output or kept tap out: dense, in the value's
 * own dtype. */
void xl_exec_write(struct xl_exec *exec, xl_val value, const void *data);
void xl_exec_read(const struct xl_exec *exec, xl_val value, void *data);

struct xl_run_hooks {
    xl_tick_fn *tick;                     /* asked at least once a run; may be NULL */
    void (*after)(void *user, int64_t i); /* run i (from 0) is done; NULL costs nothing */
    void *user;
    /* Whether `after` of run i reads values: the next run may not begin before it returns. NULL: it
     * never does. */
    bool (*after_reads)(const void *user, int64_t i);
};

/* n runs, one after the other; fewer when the plan's halt flag is set (which is no error: read it).
 * hooks: NULL for none. Errors: XL_ECANCELLED, XL_EINTERNAL */
enum xl_status xl_exec_run(struct xl_exec *exec, int64_t n, const struct xl_run_hooks *hooks,
                           struct xl_err *err) XL_CHECKED;

/* Numbers of a value from `first` on, counted over the whole value. */
struct xl_place {
    struct xl_exec *exec;
    xl_val value;
    int64_t first;
};

/* Copy n numbers from a value that can be read to an input or state of an executable of the same
 * backend and of the same dtype, by whatever way is shortest there. Both are dense. */
void xl_exec_copy(struct xl_place from, struct xl_place to, int64_t n);
/* Write n numbers of an input or state, or read n of a dense value. */
void xl_exec_write_at(struct xl_place to, const void *data, int64_t n);
void xl_exec_read_at(struct xl_place from, void *data, int64_t n);

/* Memory where the backend computes, in bytes. */
struct xl_memory {
    int64_t total, available;  /* available: free, without what could be released */
    int64_t weight_bytes;      /* packed weights */
    int64_t idle_weight_bytes; /* of these, what no executable uses and xl_backend_release frees */
    int64_t work_bytes;        /* executables */
};
void xl_backend_memory(const struct xl_backend *backend, struct xl_memory *out);

/* Give back packed weights that no executable uses, those that have been idle longest first, until
 * `wanted` bytes are free or none is left. Returns how many bytes that were. */
size_t xl_backend_release(struct xl_backend *backend, size_t wanted);

/* --- GPUs, before one is opened -------------------------------------------------------------- */

/* A GPU that CUDA_VISIBLE_DEVICES leaves visible. */
struct xl_cuda_device {
    char name[256];      /* "NVIDIA H200" */
    int major, minor;    /* compute capability */
    bool is_supported;   /* this program has kernels for it */
    int64_t total_bytes; /* of its memory */
    /* CUDA's, as 1000 * major + 10 * minor: what the driver can do, what this was built with. */
    int driver_version, runtime_version;
};
enum { XL_CUDA_DEVICES_MAX = 64 };

/* The first `capacity` GPUs into list, how many there are into *n.
 * Errors: XL_EDEVICE built without CUDA, no driver, a driver too old for this program, or no GPU
 * (none there, none visible): the sentence says which */
enum xl_status xl_cuda_devices(struct xl_cuda_device list[], int capacity, int *n,
                               struct xl_err *err);
/* Free bytes of a GPU's memory, -1 when it cannot be used. Opens the GPU for this process. */
int64_t xl_cuda_free_bytes(int device);
/* Whether a GPU may be expected: the program was built with CUDA, there is a driver, and
 * CUDA_VISIBLE_DEVICES does not hide all GPUs on purpose ("" or -1). */
bool xl_cuda_is_expected(void);
/* The libraries that the GPU backend finds here: "cuBLASLt 13.0.2, cuDNN 9.19.0"; "" for none. */
void xl_cuda_libraries_describe(char *out, size_t size);

/* --- For backend implementations only -------------------------------------------------------- */

/* Rows of bytes, from_stride bytes apart, to one dense block. */
struct xl_copy {
    enum { XL_COPY_IN, XL_COPY_OUT, XL_COPY_BETWEEN } kind; /* from the host, to it, neither */
    void *to;
    const void *from;
    size_t row_bytes, from_stride;
    int64_t rows;
};

/* Every backend and executable starts with one of the structs below. */
struct xl_backend_vtable {
    const char *name;
    bool compiles_aside; /* xl_backend_compiles_aside */
    bool joins_ops;      /* it may compute two ops as one (xl_plan_joined) */
    void (*free)(struct xl_backend *backend);
    const char *(*isa)(const struct xl_backend *backend);
    const char *(*libraries)(const struct xl_backend *backend); /* NULL: there are none */
    int (*n_threads)(const struct xl_backend *backend);
    bool (*is_native)(const struct xl_backend *backend, enum xl_dtype act_dtype);
    enum xl_status (*check_dtype)(const struct xl_backend *backend, enum xl_dtype act_dtype,
                                  struct xl_err *err); /* NULL: all run */
    bool (*has_f8)(const struct xl_backend *backend);  /* NULL: no */
    enum xl_dtype (*picture_dtype)(const struct xl_backend *backend,
                                   enum xl_dtype act_dtype);                 /* NULL: F32 */
    void (*memory)(const struct xl_backend *backend, struct xl_memory *out); /* but work_bytes */
    size_t (*release)(struct xl_backend *backend, size_t wanted);
    /* exec: new, zeroed, exec_size bytes, its `base` filled in but for memory; compile sets that
     * and tells xl_exec_takes what it will take; exec_free follows also when it fails. */
    size_t exec_size;
    enum xl_status (*compile)(struct xl_exec *exec, const struct xl_compile_options *options,
                              struct xl_err *err);
    void (*exec_free)(struct xl_exec *exec); /* what compile made, not exec itself */
    void (*expect)(struct xl_backend *backend, const struct xl_plan *plan); /* or NULL */
    enum xl_status (*measure)(struct xl_backend *backend, const struct xl_plan *const *plans, int n,
                              struct xl_weight_need *weights, size_t *exec_bytes,
                              struct xl_err *err);
    void (*copy)(const struct xl_exec *exec, const struct xl_copy *copy);
    enum xl_status (*run)(struct xl_exec *exec, int64_t n, const struct xl_run_hooks *hooks,
                          struct xl_err *err);
};

struct xl_backend {
    const struct xl_backend_vtable *vtable;
    size_t work_bytes; /* of all executables; backend.c's, which changes it atomically */
};

struct xl_exec {
    struct xl_backend *backend;
    const struct xl_plan *plan;
    struct xl_layout layout;
    unsigned char *memory; /* of the values, where the backend computes */
    size_t work_bytes;     /* memory, scratch memory and the like */
    bool keeps_taps;
    bool is_prologue_due; /* an input of it was written since the last run */
};

/* Count bytes that an executable is about to take, until it is freed. */
void xl_exec_takes(struct xl_exec *exec, size_t bytes);

static inline void *xl_exec_address(const struct xl_exec *exec, xl_val value) {
    return exec->memory + exec->layout.offset[value];
}

/* What backends that compute in host memory share: copy, how much memory there is, and run over a
 * function that runs the ops of one part of the plan. */
void xl_host_memory(struct xl_memory *out);
void xl_host_copy(const struct xl_exec *exec, const struct xl_copy *copy);
typedef enum xl_status xl_run_part_fn(struct xl_exec *exec, enum xl_rate part,
                                      const struct xl_run_hooks *hooks, struct xl_err *err);
enum xl_status xl_host_run(struct xl_exec *exec, int64_t n, const struct xl_run_hooks *hooks,
                           xl_run_part_fn *run_part, struct xl_err *err) XL_CHECKED;

#endif
