/* save.c - pictures with their records as PNG files: made on several threads or one at a time,
 * written one at a time. */
#include "engine/engine.h"

#include "base/file.h"
#include "base/threads.h"
#include "image/image.h"

#include <stdlib.h>

static enum xl_status encode(const struct xl_drawn_picture *drawn, void **png, size_t *n,
                             struct xl_err *err) {
    const struct xl_png_text texts[] = {{"parameters", drawn->parameters, NULL},
                                        {XL_PNG_RECORD, drawn->record, NULL}};
    return xl_png_encode(&drawn->image, texts, 2, png, n, err);
}

struct encoding {
    struct xl_result *result;
    enum xl_status *statuses; /* [pictures] */
};

static void encode_task(void *user, int64_t i, int worker) {
    const struct encoding *encoding = user;
    struct xl_drawn_picture *drawn = &encoding->result->pictures[i];
    (void)worker;
    if (!drawn->png) encoding->statuses[i] = encode(drawn, &drawn->png, &drawn->png_bytes, NULL);
}

enum xl_status xl_result_encode_png(struct xl_result *result, int n_threads, struct xl_err *err) {
    int n = result->n_pictures, n_cores = n_threads ? n_threads : xl_cpu_count();
    struct xl_pool *pool = NULL;
    struct encoding encoding = {result, calloc((size_t)n + 1, sizeof *encoding.statuses)};
    if (!encoding.statuses) return xl_fail_nomem(err, "pictures as files", 0);
    enum xl_status status = xl_pool_new(n_cores < n ? n_cores : n, NULL, &pool, err);
    if (!status) xl_pool_run(pool, n, encode_task, &encoding);
    xl_pool_free(pool);
    for (int i = 0; !status && i < n; i++)
        if (encoding.statuses[i]) status = xl_fail_nomem(err, "pictures as files", 0);
    free(encoding.statuses);
    return status;
}

enum xl_status xl_result_save_png(const struct xl_result *result, int i, const char *path,
                                  struct xl_err *err) {
    if (i < 0 || i >= result->n_pictures)
        return xl_fail(err, XL_EINVAL, "there is no picture %d of %d", i, result->n_pictures);
    const struct xl_drawn_picture *drawn = &result->pictures[i];
    if (drawn->png) return xl_file_write_new(path, drawn->png, drawn->png_bytes, NULL, err);
    void *png = NULL;
    size_t n = 0;
    enum xl_status status = encode(drawn, &png, &n, err);
    if (!status) status = xl_file_write_new(path, png, n, NULL, err);
    free(png);
    return status;
}
