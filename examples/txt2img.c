/* txt2img.c - the library in forty lines: one prompt, one PNG.
 *
 *   cc txt2img.c $(pkg-config --cflags --libs sdxl) -o txt2img
 *   ./txt2img stabilityai/stable-diffusion-xl-base-1.0 "a lighthouse at dusk" lighthouse.png
 */
#include <sdxl/sdxl.h>

#include <stdio.h>

static bool show(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    (void)user;
    if (phase == XL_PHASE_SAMPLE && total > 0)
        fprintf(stderr, "\rstep %lld of %lld", (long long)done, (long long)total);
    return true; /* false would cancel */
}

int main(int argc, char **argv) {
    if (argc != 4) return fprintf(stderr, "usage: txt2img MODEL PROMPT FILE.png\n"), 2;

    struct xl_err err = {0};
    struct xl_model_params params;
    xl_model_params_default(&params);
    params.model = argv[1];
    params.progress = show;

    struct xl_request request;
    xl_request_default(&request);
    request.prompt = argv[2];
    request.steps = 20;
    request.seed = 42;

    struct xl_model *model = NULL;
    struct xl_result result = {0};
    enum xl_status status = xl_model_open(&params, &model, &err);
    if (!status) status = xl_generate(model, &request, &result, &err);
    if (!status) status = xl_result_save_png(&result, 0, argv[3], &err);
    if (status) fprintf(stderr, "\n%s: %s\n", xl_status_text(status), err.text);
    xl_result_free(&result);
    xl_model_close(model);
    return status ? 1 : 0;
}
