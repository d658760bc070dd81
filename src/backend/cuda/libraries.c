/* libraries.c - loading cuBLASLt and cuDNN. */
#include "backend/cuda/libraries.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* The majors that this program was compiled for; their functions are not those of other majors. */
static const char cublaslt_name[] =
#if CUBLAS_VER_MAJOR >= 13
    "libcublasLt.so.13";
#else
    "libcublasLt.so.12";
#endif
static const char cudnn_name[] = "libcudnn.so.9";

struct symbol {
    const char *name;
    void **address;
};

struct library {
    pthread_once_t once;
    const char *name;
    bool is_loaded;
    char why[XL_LOAD_TEXT];
};

static bool find_symbols(struct library *library, void *handle, const struct symbol *symbols) {
    for (; symbols->name; symbols++) {
        *symbols->address = dlsym(handle, symbols->name);
        if (*symbols->address) continue;
        snprintf(library->why, sizeof library->why, "%s is too old: it has no %s", library->name,
                 symbols->name);
        return false;
    }
    return true;
}

/* Libraries stay loaded: unloading them while a driver's threads run is not safe. */
static void load(struct library *library, const struct symbol *symbols) {
    void *handle = dlopen(library->name, RTLD_NOW | RTLD_LOCAL);
    if (handle)
        library->is_loaded = find_symbols(library, handle, symbols);
    else
        snprintf(library->why, sizeof library->why, "%s", dlerror());
}

static struct xl_cublaslt cublaslt;
static struct xl_cudnn cudnn;
static struct library cublaslt_library = {.once = PTHREAD_ONCE_INIT};
static struct library cudnn_library = {.once = PTHREAD_ONCE_INIT};

static void load_cublaslt(void) {
#define X(name) {#name, (void **)&cublaslt.name},
    static const struct symbol symbols[] = {XL_CUBLASLT_LIST(X){NULL, NULL}};
#undef X
    cublaslt_library.name = cublaslt_name;
    load(&cublaslt_library, symbols);
}

static void load_cudnn(void) {
#define X(name) {#name, (void **)&cudnn.name},
    static const struct symbol symbols[] = {XL_CUDNN_LIST(X){NULL, NULL}};
#undef X
    cudnn_library.name = cudnn_name;
    load(&cudnn_library, symbols);
}

static bool is_here(struct library *library, void (*load_it)(void), char why[XL_LOAD_TEXT]) {
    pthread_once(&library->once, load_it);
    if (!library->is_loaded && why) memcpy(why, library->why, XL_LOAD_TEXT);
    return library->is_loaded;
}

const struct xl_cublaslt *xl_cublaslt(char why[XL_LOAD_TEXT]) {
    return is_here(&cublaslt_library, load_cublaslt, why) ? &cublaslt : NULL;
}

const struct xl_cudnn *xl_cudnn(char why[XL_LOAD_TEXT]) {
    return is_here(&cudnn_library, load_cudnn, why) ? &cudnn : NULL;
}

void xl_cuda_libraries_describe(char *out, size_t size) {
    const struct xl_cublaslt *lt = xl_cublaslt(NULL);
    const struct xl_cudnn *dnn = xl_cudnn(NULL);
    int n = 0;
    out[0] = 0;
    if (lt) {
        size_t version = lt->cublasLtGetVersion();
        n = snprintf(out, size, "cuBLASLt %zu.%zu.%zu", version / 10000, version / 100 % 100,
                     version % 100);
    }
    if (dnn && n >= 0 && (size_t)n < size) {
        size_t version = dnn->cudnnGetVersion();
        snprintf(out + n, size - (size_t)n, "%scuDNN %zu.%zu.%zu", n ? ", " : "", version / 10000,
                 version / 100 % 100, version % 100);
    }
}
