"""Writes the diffusers folder from the trained parts.
usage: export.py OUT --vae vae.safetensors --unet unet_a.safetensors [unet_b...] --text text.safetensors"""
import argparse
import json
import os

import torch
from safetensors.torch import save_file

import net_text
import net_unet
import net_vae
import tokenizer
import trainlib

HERE = os.path.dirname(os.path.abspath(__file__))


def write_json(path, document):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.write("\n")


def write_weights(path, state):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    save_file({k: v.to(torch.float16).contiguous() for k, v in state.items()}, path, {"format": "pt"})


def text_config(which, tok):
    c = net_text.CONFIGS[which]
    return dict(c, architectures=["CLIPTextModelWithProjection" if which else "CLIPTextModel"], attention_dropout=0.0,
                bos_token_id=tok.bos, eos_token_id=tok.eos, pad_token_id=0 if which else tok.eos, initializer_factor=1.0,
                initializer_range=0.02, layer_norm_eps=1e-5, max_position_embeddings=net_text.LENGTH, model_type="clip_text_model",
                torch_dtype="float16", vocab_size=net_text.VOCAB)


def unet_config():
    c = net_unet.CONFIG
    names = [("CrossAttn" if a else "") for a in c["attention"]]
    return {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.30.0", "act_fn": "silu", "addition_embed_type": "text_time",
            "addition_time_embed_dim": c["addition_time_embed_dim"], "attention_head_dim": c["attention_head_dim"],
            "block_out_channels": c["block_out_channels"], "center_input_sample": False, "conv_in_kernel": 3, "conv_out_kernel": 3,
            "cross_attention_dim": c["cross_attention_dim"], "down_block_types": [n + "DownBlock2D" for n in names],
            "downsample_padding": 1, "dual_cross_attention": False, "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4,
            "layers_per_block": c["layers_per_block"], "mid_block_scale_factor": 1, "mid_block_type": "UNetMidBlock2DCrossAttn",
            "norm_eps": 1e-5, "norm_num_groups": c["norm_num_groups"], "only_cross_attention": False, "out_channels": 4,
            "projection_class_embeddings_input_dim": c["pooled_dim"] + 6 * c["addition_time_embed_dim"],
            "resnet_time_scale_shift": "default", "sample_size": 32, "time_embedding_type": "positional",
            "transformer_layers_per_block": c["transformer_layers_per_block"], "up_block_types": [n + "UpBlock2D" for n in names[::-1]],
            "upcast_attention": False, "use_linear_projection": True}


def vae_config(scaling):
    c = net_vae.CONFIG
    n = len(c["block_out_channels"])
    return {"_class_name": "AutoencoderKL", "_diffusers_version": "0.30.0", "act_fn": "silu", "block_out_channels": c["block_out_channels"],
            "down_block_types": ["DownEncoderBlock2D"] * n, "force_upcast": False, "in_channels": 3,
            "latent_channels": c["latent_channels"], "layers_per_block": c["layers_per_block"], "norm_num_groups": c["norm_num_groups"],
            "out_channels": 3, "sample_size": 256, "scaling_factor": scaling, "up_block_types": ["UpDecoderBlock2D"] * n}


def export(out, vae, unet, text, scaling=0.5):
    """vae, unet, text: state dicts as the trainers write them (text with its prefixes)."""
    tok = tokenizer.load(os.path.join(HERE, "merges.json"))
    write_json(os.path.join(out, "model_index.json"), {
        "_class_name": "StableDiffusionXLPipeline", "_diffusers_version": "0.30.0", "feature_extractor": [None, None],
        "force_zeros_for_empty_prompt": True, "image_encoder": [None, None], "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"], "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "tokenizer_2": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]})
    write_json(os.path.join(out, "scheduler", "scheduler_config.json"), {
        "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.30.0", "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "beta_start": 0.00085, "interpolation_type": "linear", "num_train_timesteps": 1000, "prediction_type": "epsilon",
        "steps_offset": 1, "timestep_spacing": "leading", "trained_betas": None, "use_karras_sigmas": False})
    write_json(os.path.join(out, "text_encoder", "config.json"), text_config(0, tok))
    write_json(os.path.join(out, "text_encoder_2", "config.json"), text_config(1, tok))
    write_json(os.path.join(out, "unet", "config.json"), unet_config())
    write_json(os.path.join(out, "vae", "config.json"), vae_config(scaling))
    tok.save(os.path.join(out, "tokenizer"), "<|endoftext|>")
    tok.save(os.path.join(out, "tokenizer_2"), "!")
    write_weights(os.path.join(out, "vae", "diffusion_pytorch_model.fp16.safetensors"), vae)
    write_weights(os.path.join(out, "unet", "diffusion_pytorch_model.fp16.safetensors"), unet)
    write_weights(os.path.join(out, "text_encoder", "model.fp16.safetensors"), trainlib.part(text, "text.one."))
    write_weights(os.path.join(out, "text_encoder_2", "model.fp16.safetensors"), trainlib.part(text, "text.two."))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--vae", required=True)
    parser.add_argument("--unet", nargs="+", required=True)
    parser.add_argument("--text", required=True)
    args = parser.parse_args()
    unet = {}
    for path in args.unet:
        unet.update(trainlib.load(path))
    export(args.out, trainlib.load(args.vae), unet, trainlib.load(args.text))
    total = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(args.out) for f in files)
    print(f"{args.out}: {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
