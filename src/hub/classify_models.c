/* classify_models.c - networks that this program does not know, by a key that only they have: other
 * diffusion transformers, networks that steer an SDXL model, upscalers, encoders of other models.
 * Key names: the published files of each, or diffusers' converters of them. */
#include "hub/classify_models.h"
#include "hub/classify_names.h"

#include <stddef.h>

/* Under which prefixes the keys of a network may lie. */
static const char *const roots[] = {
    "", "model.diffusion_model.", "diffusion_model.", "transformer.", "model.", "net.", NULL};

/* A key that begins so, and another one, or NULL. */
static const struct {
    const char *begin, *also;
    const char *what;
} strangers[] = {
    {"controlnet_cond_embedding.", NULL, "a ControlNet"},
    {"control_model.", NULL, "a ControlNet"},
    {"input_hint_block.", NULL, "a ControlNet"},
    {"zero_convs.", NULL, "a ControlNet"},
    {"controlnet_blocks.", NULL, "a ControlNet for a diffusion transformer"},
    {"control_add_embedding.", NULL, "a ControlNet (union)"},
    {"lora_controlnet", NULL, "a Control-LoRA"},
    {"ip_adapter.", NULL, "an IP-Adapter"},
    {"image_proj.", NULL, "an IP-Adapter"},
    {"image_proj_model.", NULL, "an IP-Adapter"},
    {"adapter.body.", NULL, "a T2I-Adapter"},
    {"adapter.channel_", NULL, "a T2I-Adapter"},
    {"pulid_encoder.", NULL, "a PuLID"},
    {"id_encoder.", NULL, "a PhotoMaker"},
    {"down_blocks.0.motion_modules.", NULL, "an AnimateDiff motion module"},
    {"adaln_single.", "caption_projection.", "a PixArt or Sana transformer"},
    {"y_embedder.y_embedding", "t_block.", "a PixArt transformer"},
    {"double_layers.", NULL, "an AuraFlow transformer"},
    {"joint_transformer_blocks.", NULL, "an AuraFlow transformer"},
    {"mlp_t5.", NULL, "a HunyuanDiT transformer"},
    {"text_embedder.", "extra_embedder.", "a HunyuanDiT transformer"},
    {"noise_refiner.", "cap_embedder.", "a Lumina or Z-Image transformer"},
    {"cap_embedder.", NULL, "a Lumina transformer"},
    {"clip_txt_mapper.", NULL, "a Stable Cascade model"},
    {"clip_txt_pooled_mapper.", NULL, "a Stable Cascade model"},
    {"txt_in.individual_token_refiner.", NULL, "a HunyuanVideo transformer"},
    {"patch_embedding.", "text_embedding.", "a Wan transformer"},
    {"patchify_proj.", NULL, "an LTX-Video transformer"},
    {"caption_projection.", NULL, "a diffusion transformer"},
    {"img_in.", "txt_norm.", "a Qwen-Image transformer"},
    {"distilled_guidance_layer.", NULL, "a Chroma transformer"},
    {"time_embed.0.", "conv_in.0.", "a latent upscaler"},
    {"conv_first.", "conv_body.", "an upscaler (ESRGAN)"},
    {"model.0.weight", "model.1.sub.", "an upscaler (ESRGAN)"},
    {"conv_first.", "layers.0.residual_group.", "an upscaler (SwinIR or HAT)"},
    {"body.0.weight", "body.1.weight", "an upscaler (compact)"},
    {"vision_model.", NULL, "a CLIP image encoder"},
    {"visual_projection.", NULL, "a CLIP image encoder"},
    {"visual.transformer.", NULL, "a CLIP image encoder"},
    {"encoder.block.0.layer.0.SelfAttention.", NULL, "a T5 text encoder"},
    {"embed_tokens.", "layers.0.self_attn.", "a language model"},
    {"layers.0.self_attn.", "embed_tokens.", "a language model"},
    {"prior.", "clip_mean", "a Kandinsky prior"},
    {"encoder_hid_proj.", "add_embedding.image_norm.", "a Kandinsky UNet"},
};

const char *xl_classify_stranger(const struct xl_safetensors *file) {
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        for (const char *const *root = roots; *root; root++)
            if (xl_names_below(file, *root, strangers[i].begin) &&
                (!strangers[i].also || xl_names_below(file, *root, strangers[i].also)))
                return strangers[i].what;
    return NULL;
}
