/* file_class.c - what kinds and families are called. */
#include "hub/file_class.h"

#include <stdio.h>
#include <string.h>

const char *xl_file_kind_name(enum xl_file_kind kind) {
    static const char *const names[] = {
        [XL_FILE_SDXL_CHECKPOINT] = "SDXL checkpoint",
        [XL_FILE_LORA] = "LoRA",
        [XL_FILE_EMBEDDING] = "textual inversion",
        [XL_FILE_VAE] = "VAE",
        [XL_FILE_SDXL_REFINER] = "SDXL refiner",
        [XL_FILE_SDXL_INPAINT] = "SDXL inpainting checkpoint",
        [XL_FILE_SD1] = "Stable Diffusion 1.x",
        [XL_FILE_SD2] = "Stable Diffusion 2.x",
        [XL_FILE_SD3] = "Stable Diffusion 3",
        [XL_FILE_FLUX] = "Flux",
        [XL_FILE_COMPONENT] = "component",
        [XL_FILE_UNKNOWN] = "unknown",
    };
    return names[kind];
}

const char *xl_family_name(enum xl_model_family family) {
    static const char *const names[] = {
        [XL_FAMILY_UNKNOWN] = "an unknown model",
        [XL_FAMILY_SDXL] = "SDXL",
        [XL_FAMILY_SDXL_REFINER] = "the SDXL refiner",
        [XL_FAMILY_SD1] = "Stable Diffusion 1.x",
        [XL_FAMILY_SD2] = "Stable Diffusion 2.x",
        [XL_FAMILY_SD3] = "Stable Diffusion 3",
        [XL_FAMILY_FLUX] = "Flux",
    };
    return names[family];
}

static const struct {
    unsigned kind;
    const char *text;
} kind_names[] = {
    {XL_LORA_KOHYA, "kohya"}, {XL_LORA_PEFT, "PEFT"},     {XL_LORA_DIFFUSERS, "diffusers"},
    {XL_LORA_LOHA, "LoHa"},   {XL_LORA_LOKR, "LoKr"},     {XL_LORA_DORA, "DoRA"},
    {XL_LORA_CONV, "LoCon"},  {XL_LORA_TUCKER, "Tucker"}, {XL_LORA_FULL, "full differences"},
    {XL_LORA_OTHER, "other"},
};

char *xl_lora_kinds_text(unsigned kinds, char *out, size_t size) {
    out[0] = 0;
    for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++) {
        size_t used = strlen(out);
        if (kinds & kind_names[i].kind)
            snprintf(out + used, size - used, "%s%s", used ? ", " : "", kind_names[i].text);
    }
    return out;
}

enum xl_model_family xl_family_of_context(int64_t width) {
    switch (width) {
    case 2048:
        return XL_FAMILY_SDXL;
    case 1280:
        return XL_FAMILY_SDXL_REFINER;
    case 1024:
        return XL_FAMILY_SD2;
    case 768:
        return XL_FAMILY_SD1;
    default:
        return XL_FAMILY_UNKNOWN;
    }
}
