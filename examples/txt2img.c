/* txt2img.c - the library in fifty lines: one prompt, one PNG.
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
    struct xl_device_params device_params;
    xl_device_params_default(&device_params);
    struct xl_model_params model_params;
    xl_model_params_default(&model_params);
    model_params.model = argv[1];

    struct xl_picture picture = {.prompt = argv[2], .seed = 42};
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = &picture;
    request.steps = 20;
    request.progress = show;

    struct xl_device *device = NULL;
    struct xl_model *model = NULL;
    struct xl_result result = {0};
    enum xl_status status = xl_device_open(&device_params, &device, &err);
    if (!status) status = xl_model_open(&model_params, &model, &err);
    if (!status) status = xl_generate(device, model, &request, &result, &err);
    if (!status) status = xl_result_save_png(&result, 0, argv[3], &err);
    if (status) fprintf(stderr, "\n%s: %s\n", xl_status_text(status), err.text);
    xl_result_free(&result);
    xl_model_close(model);
    xl_device_close(device);
    return status ? 1 : 0;
}
