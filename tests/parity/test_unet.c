/* test_unet.c - the UNet, block by block: the miniature repository's, also at a size that does not
 * halve evenly, and a variant whose configuration takes the other branches. */
#include "config_case.h"
#include "model/unet.h"
#include "parity/parity.h"

#include <stdio.h>

static void check_unet(const char *folder, const char *taps_name,
                       const struct parity_setup *setup) {
    struct xl_err err = {0};
    struct xl_unet_config config;
    struct xl_unet_io io;
    struct xl_plan *plan;
    char path[512];
    snprintf(path, sizeof path, PARITY_DATA "%s/config.json", folder);
    parity_ok(CONFIG_READ(xl_unet_config_read, path, &err, &config), err);
    snprintf(path, sizeof path, "%s/diffusion_pytorch_model.safetensors", folder);
    struct xl_weights *weights = parity_open("unet", path);
    snprintf(path, sizeof path, "taps/%s.safetensors", taps_name);
    struct xl_weights *taps = parity_open("taps", path);

    struct xl_shape latents, text;
    parity_input(taps, "latents", &latents);
    parity_input(taps, "text", &text);
    struct xl_unet_shape shape = {(int)latents.dim[0], (int)latents.dim[1], (int)latents.dim[2],
                                  (int)text.dim[1],    setup->act_dtype,    false};
    parity_ok(xl_unet_build(&config,
                            xl_source_of_files(&(struct xl_file_tensors){.weights = weights}),
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

Test(unet, blocks) {
    for (int i = 0; i < parity_n_setups; i++) check_unet("repo/unet", "unet", &parity_setups[i]);
}

/* 13 x 9 latents: 7 x 5, 4 x 3, and back to sizes that are not twice those. */
Test(unet, odd_size) {
    for (int i = 0; i < parity_n_setups; i++)
        check_unet("repo/unet", "unet-odd", &parity_setups[i]);
}

Test(unet, variant) {
    for (int i = 0; i < parity_n_setups; i++)
        check_unet("variants/unet", "unet-variant", &parity_setups[i]);
}
