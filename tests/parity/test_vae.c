/* test_vae.c - the autoencoder, both halves, block by block: the miniature repository's, and a
 * variant without the outer 1x1 convolutions whose attention has the old names and shapes. */
#include "config_case.h"
#include "model/vae.h"
#include "parity/parity.h"

#include <stdio.h>

typedef enum xl_status build_fn(const struct xl_vae_config *config, struct xl_source source,
                                struct xl_vae_shape shape, struct xl_vae_io *io,
                                struct xl_plan **plan, struct xl_err *err);

/* shape: of the latents, filled in with the setup's dtype. */
static void check_half(const char *folder, const char *taps_name, build_fn *build,
                       struct xl_vae_shape shape, const struct parity_setup *setup) {
    struct xl_err err = {0};
    struct xl_vae_config config;
    struct xl_vae_io io;
    struct xl_plan *plan;
    char path[512];
    snprintf(path, sizeof path, PARITY_DATA "%s/config.json", folder);
    parity_ok(CONFIG_READ(xl_vae_config_read, path, &err, &config), err);
    snprintf(path, sizeof path, "%s/diffusion_pytorch_model.safetensors", folder);
    struct xl_weights *weights = parity_open("vae", path);
    snprintf(path, sizeof path, "taps/%s.safetensors", taps_name);
    struct xl_weights *taps = parity_open("taps", path);

    shape.act_dtype = setup->act_dtype;
    parity_ok(build(&config, xl_source_of_files(&(struct xl_file_tensors){.weights = weights}),
                    shape, &io, &plan, &err),
              err);
    struct parity_run run = {0};
    parity_start(&run, setup, plan);
    parity_feed(&run, taps);
    parity_check(&run, setup, taps, taps_name);

    parity_stop(&run);
    xl_plan_free(plan);
    xl_weights_close(taps);
    xl_weights_close(weights);
}

static const struct xl_vae_shape repo_shape = {.n = 2, .height = 5, .width = 3};
static const struct xl_vae_shape variant_shape = {.n = 1, .height = 5, .width = 4};

Test(vae, encoder) {
    for (int i = 0; i < parity_n_setups; i++)
        check_half("repo/vae", "vae-encode", xl_vae_build_encoder, repo_shape, &parity_setups[i]);
}

Test(vae, decoder) {
    for (int i = 0; i < parity_n_setups; i++)
        check_half("repo/vae", "vae-decode", xl_vae_build_decoder, repo_shape, &parity_setups[i]);
}

Test(vae, variant_encoder) {
    for (int i = 0; i < parity_n_setups; i++)
        check_half("variants/vae", "vae-variant-encode", xl_vae_build_encoder, variant_shape,
                   &parity_setups[i]);
}

Test(vae, variant_decoder) {
    for (int i = 0; i < parity_n_setups; i++)
        check_half("variants/vae", "vae-variant-decode", xl_vae_build_decoder, variant_shape,
                   &parity_setups[i]);
}
