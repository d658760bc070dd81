/* file_class.h - the kinds of files that hold weights, and what is told of one (classify.h). */
#ifndef XL_HUB_FILE_CLASS_H
#define XL_HUB_FILE_CLASS_H

#include "base/arena.h"
#include "weights/metadata.h"

enum xl_file_kind {
    XL_FILE_SDXL_CHECKPOINT, /* UNet, encoders, VAE in the original key names: --model takes it */
    XL_FILE_LORA,            /* of whatever family: see base */
    XL_FILE_EMBEDDING,       /* textual inversion, of whatever family: see base */
    XL_FILE_VAE,             /* alone; see latent_channels and is_original */
    XL_FILE_SDXL_REFINER,
    XL_FILE_SDXL_INPAINT,
    XL_FILE_SD1,
    XL_FILE_SD2,
    XL_FILE_SD3,
    XL_FILE_FLUX,
    XL_FILE_COMPONENT, /* a lone UNet or text encoder; see base */
    XL_FILE_UNKNOWN,   /* `what` names it where that can be told: ControlNet, IP-Adapter, ... */
};
/* "SDXL checkpoint", "LoRA", "textual inversion", "VAE", "SDXL refiner", ... */
const char *xl_file_kind_name(enum xl_file_kind kind);

/* For whose UNet and text encoders a file is made. */
enum xl_model_family {
    XL_FAMILY_UNKNOWN,
    XL_FAMILY_SDXL,
    XL_FAMILY_SDXL_REFINER,
    XL_FAMILY_SD1,
    XL_FAMILY_SD2,
    XL_FAMILY_SD3,
    XL_FAMILY_FLUX,
};
/* "SDXL", "the SDXL refiner", "Stable Diffusion 1.x", ...; "an unknown model" */
const char *xl_family_name(enum xl_model_family family);

/* A family by what its cross-attention reads: 2048 SDXL, 1280 its refiner, 1024 SD2, 768 SD1. */
enum xl_model_family xl_family_of_context(int64_t width);

/* How the deltas of a LoRA are written; a file may hold several kinds. */
enum {
    XL_LORA_KOHYA = 1 << 0,     /* lora_unet_..., .lora_down, .lora_up, .alpha */
    XL_LORA_PEFT = 1 << 1,      /* unet...., .lora_A, .lora_B */
    XL_LORA_DIFFUSERS = 1 << 2, /* ....processor.to_q_lora.down, .lora.up, .lora_linear_layer.up */
    XL_LORA_LOHA = 1 << 3,      /* .hada_w1_a */
    XL_LORA_LOKR = 1 << 4,      /* .lokr_w1 */
    XL_LORA_DORA = 1 << 5,      /* .dora_scale, .lora_magnitude_vector */
    XL_LORA_CONV = 1 << 6,      /* kernels of more than one cell: LoCon */
    XL_LORA_TUCKER = 1 << 7,    /* .lora_mid, .hada_t1, .lokr_t2 */
    XL_LORA_FULL = 1 << 8,      /* .diff, .diff_b: whole differences */
    XL_LORA_OTHER = 1 << 9,     /* OFT, GLoRA, IA3: ....oft_blocks, .b1.weight, .on_input */
};
/* "kohya, LoHa, DoRA" into out; returns out. */
char *xl_lora_kinds_text(unsigned kinds, char *out, size_t size);

struct xl_file_class {
    enum xl_file_kind kind;
    const char *what; /* "a LoRA for Stable Diffusion 1.x": goes on "this is ..." */
    const char *need; /* what would be needed instead, a clause; NULL: this program can use it */
    const char *use;  /* the option that takes it: "--lora"; NULL where need is set */
    enum xl_model_family base;
    unsigned lora_kinds;   /* LoRA: XL_LORA_... */
    int lora_rank;         /* LoRA: the largest; 0 not known */
    bool lora_has_text;    /* LoRA: changes text encoders, too */
    int n_vectors;         /* textual inversion */
    int latent_channels;   /* VAE, checkpoint: 4 for SDXL; 0 not known */
    bool is_original;      /* key names of the first implementation, not those of diffusers */
    bool has_vae;          /* checkpoint: it holds one */
    bool is_v_prediction;  /* checkpoint: the file says so (a v_pred tensor, or its metadata) */
    bool is_zero_snr;      /* checkpoint: a ztsnr tensor */
    bool is_edm;           /* checkpoint: edm_mean, edm_vpred...: other noise schedules */
    const char *precision; /* most bytes are of this type: "F16", "F32", "BF16", "F8_E4M3" */
    int n_tensors;
    int64_t bytes;                  /* of the file */
    struct xl_st_metadata metadata; /* as it stands in the file; hints */
};

#endif
