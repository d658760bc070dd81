/* test_clip.c - both text encoders of the miniature repository, layer by layer. */
#include "config_case.h"
#include "model/clip.h"
#include "parity/parity.h"

#include <stdio.h>

/* Keys without the prefix "text_model." and eos_token_id 2 in the first, with it and the real id in
 * the second; quick_gelu and gelu; f32 and bf16 files. */
static void check_encoder(const char *name, enum xl_clip_head head,
                          const struct parity_setup *setup) {
    struct xl_err err = {0};
    struct xl_clip_config config;
    struct xl_clip_io io;
    struct xl_plan *plan;
    char path[512];
    snprintf(path, sizeof path, PARITY_DATA "repo/%s/config.json", name);
    parity_ok(CONFIG_READ(xl_clip_config_read, path, &err, &config), err);
    snprintf(path, sizeof path, "repo/%s/model.safetensors", name);
    struct xl_weights *weights = parity_open(name, path);
    snprintf(path, sizeof path, "taps/%s.safetensors", name);
    struct xl_weights *taps = parity_open("taps", path);

    struct xl_shape ids_shape;
    const float *numbers = parity_input(taps, "ids", &ids_shape);
    int n = (int)ids_shape.dim[0], tokens = (int)ids_shape.dim[1];
    struct xl_clip_shape shape = {
        .n = n, .tokens = tokens, .head = head, .act_dtype = setup->act_dtype};
    parity_ok(xl_clip_build(&config,
                            xl_source_of_files(&(struct xl_file_tensors){.weights = weights}),
                            shape, &io, &plan, &err),
              err);
    struct parity_run run = {0};
    parity_start(&run, setup, plan);
    parity_feed(&run, taps);
    int32_t eos[8], ids[128];
    cr_assert(n <= 8 && tokens <= 128);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < tokens; j++) ids[j] = (int32_t)numbers[i * tokens + j];
        eos[i] = xl_clip_eos_index(&config, ids, tokens);
    }
    xl_exec_write(run.exec, io.eos, eos);
    parity_check(&run, setup, taps, name);

    parity_stop(&run);
    xl_plan_free(plan);
    xl_weights_close(taps);
    xl_weights_close(weights);
}

Test(clip, text_encoder) {
    for (int i = 0; i < parity_n_setups; i++)
        check_encoder("text_encoder", XL_CLIP_HEAD_POOLER, &parity_setups[i]);
}

Test(clip, text_encoder_2) {
    for (int i = 0; i < parity_n_setups; i++)
        check_encoder("text_encoder_2", XL_CLIP_HEAD_PROJECTION, &parity_setups[i]);
}
