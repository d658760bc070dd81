"""A miniature SDXL with random weights, and what diffusers and transformers compute with it.

repo/          a whole repository in diffusers' layout: f16, bf16 and f32 files, a vocabulary of bytes
variants/      a UNet and an autoencoder whose configurations take the other branches
sdxl-configs/  the configurations of SDXL base 1.0, with counts.json: number of parameters and a
               digest of all names and shapes, as diffusers builds them
taps/          what modules return for random inputs, by module path. A tap of 4 axes is turned to
               [n, h, w, c], then cut to at most 64 numbers (number i is at i * 7919 modulo the
               count), followed by the mean and the root mean square of all
pipeline/      whole pictures: requests (cases.json), the latents after each step, the PNGs

All numbers come from float32 arithmetic on the weights as they were rounded for the files.
"""
import json
import re
import shutil

import safetensors.torch
import torch

SAMPLES, STRIDE = 64, 7919
PIPELINE_SEED = 11

UNET = dict(
    sample_size=8, in_channels=4, out_channels=4, block_out_channels=(8, 16, 24),
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    layers_per_block=1, transformer_layers_per_block=(1, 1, 2), attention_head_dim=(1, 2, 4),
    cross_attention_dim=64, norm_num_groups=4, use_linear_projection=True,
    addition_embed_type="text_time", addition_time_embed_dim=8,
    projection_class_embeddings_input_dim=32 + 6 * 8)

# 1x1 convolutions as projections, sines first, depths and layers by level, a middle without
# attention, an uneven head size, levels that swap their kinds.
UNET_VARIANT = dict(
    sample_size=(8, 8), in_channels=4, out_channels=4, block_out_channels=(8, 20),
    down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), mid_block_type="UNetMidBlock2D",
    layers_per_block=(2, 1), transformer_layers_per_block=((1, 2), 1),
    reverse_transformer_layers_per_block=((2, 0), 1), attention_head_dim=2, act_fn="swish",
    cross_attention_dim=24, norm_num_groups=4, norm_eps=1e-6, use_linear_projection=False,
    flip_sin_to_cos=False, freq_shift=1, time_embedding_dim=24,
    addition_embed_type="text_time", addition_time_embed_dim=6,
    projection_class_embeddings_input_dim=10 + 6 * 6)

VAE = dict(
    block_out_channels=(8, 16, 16, 16), down_block_types=("DownEncoderBlock2D",) * 4,
    up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=1, latent_channels=4,
    norm_num_groups=4, sample_size=64, scaling_factor=0.13025, force_upcast=False)

# Stored under the names that the attention's layers had before diffusers 0.15, as convolutions.
VAE_VARIANT = dict(
    block_out_channels=(4, 8), down_block_types=("DownEncoderBlock2D",) * 2,
    up_block_types=("UpDecoderBlock2D",) * 2, layers_per_block=2, latent_channels=3,
    norm_num_groups=2, sample_size=16, use_quant_conv=False, use_post_quant_conv=False,
    latents_mean=[0.1, -0.2, 0.3], latents_std=[0.9, 1.1, 1.3])
VAE_OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

BOS, EOS = 512, 513
TEXT = dict(vocab_size=514, max_position_embeddings=77, bos_token_id=BOS, pad_token_id=0)
TEXT_1 = dict(TEXT, hidden_size=24, intermediate_size=48, num_hidden_layers=3,
              num_attention_heads=2, projection_dim=24, hidden_act="quick_gelu", eos_token_id=2,
              layer_norm_eps=1e-3)
TEXT_2 = dict(TEXT, hidden_size=40, intermediate_size=80, num_hidden_layers=3,
              num_attention_heads=5, projection_dim=32, hidden_act="gelu", eos_token_id=EOS)

SCHEDULER = dict(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000,
    prediction_type="epsilon", interpolation_type="linear", timestep_spacing="leading",
    steps_offset=1, use_karras_sigmas=False)

SDXL_UNET = dict(
    UNET, sample_size=128, block_out_channels=(320, 640, 1280), layers_per_block=2,
    transformer_layers_per_block=(1, 2, 10), attention_head_dim=(5, 10, 20),
    cross_attention_dim=2048, norm_num_groups=32, addition_time_embed_dim=256,
    projection_class_embeddings_input_dim=1280 + 6 * 256)
SDXL_VAE = dict(
    VAE, block_out_channels=(128, 256, 512, 512), layers_per_block=2, norm_num_groups=32,
    sample_size=1024, force_upcast=True)
SDXL_TEXT_1 = dict(
    vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
    num_attention_heads=12, projection_dim=768, hidden_act="quick_gelu", eos_token_id=2)
SDXL_TEXT_2 = dict(
    vocab_size=49408, hidden_size=1280, intermediate_size=5120, num_hidden_layers=32,
    num_attention_heads=20, projection_dim=1280, hidden_act="gelu", eos_token_id=2)


def randomize(model, dtype, seed, gains=()):
    """Random weights that keep activations near 1 and make every tensor matter, rounded to dtype.

    gains: (pattern of names, factor) for the layers that are not norms.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        if "norm" in name:
            value = 0.1 * noise if name.endswith("bias") else 1 + 0.2 * noise
        elif name.endswith("bias"):
            value = 0.1 * noise
        elif "embeddings." in name:
            value = 0.7 * noise
        else:
            value = noise / (p[0].numel() ** 0.5)
        for pattern, gain in gains:
            if re.search(pattern, name):
                value = value * gain
        p.data = value.to(dtype).float()
    return model.eval()


def save(path, model, dtype, rename=lambda name: name, reshape=None):
    path.mkdir(parents=True, exist_ok=True)
    name = "model" if "text_encoder" in path.name else "diffusion_pytorch_model"
    tensors = {}
    for key, p in model.state_dict().items():
        new = rename(key)
        value = p.to(dtype)
        tensors[new] = reshape(new, value) if reshape else value
    safetensors.torch.save_file(tensors, path / f"{name}.safetensors", {"format": "pt"})
    model.save_config(path) if hasattr(model, "save_config") else model.config.save_pretrained(path)


def text_key(prefix):
    """Names with or without the prefix "text_model." that files of both kinds exist with."""
    def rename(name):
        bare = name.removeprefix("text_model.")
        return bare if bare.startswith("text_projection") else prefix + bare
    return rename


def old_attention(name):
    for new, old in VAE_OLD_NAMES.items():
        name = re.sub(rf"(attentions\.0)\.{re.escape(new)}\.", rf"\1.{old}.", name)
    return name


def as_convolution(name, value):
    """[c, c] as [c, c, 1, 1] in the attention layers of the autoencoder."""
    return value[:, :, None, None] if "attentions" in name and value.ndim == 2 else value


# ---- Taps ----

def nhwc(x):
    return (x.permute(0, 2, 3, 1) if x.ndim == 4 else x).contiguous().float()


def tap(x):
    flat = nhwc(x).flatten()
    where = torch.arange(min(SAMPLES, flat.numel()))
    if flat.numel() > SAMPLES:
        where = where * STRIDE % flat.numel()
    wide = flat.double()
    stats = torch.stack([wide.mean(), wide.square().mean().sqrt()]).float()
    return torch.cat([flat[where], stats])


class Taps:
    """Records what the modules of a model return, under their paths."""

    def __init__(self, model, pattern, prefix=""):
        self.raw, self.hooks = {}, []
        for name, module in model.named_modules():
            if re.fullmatch(pattern, name):
                self.hooks.append(module.register_forward_hook(self.hook(prefix + name)))

    def hook(self, name):
        def record(module, args, out):
            self.raw[name] = out[0] if isinstance(out, tuple) else getattr(out, "sample", out)
        return record

    def finish(self):
        for hook in self.hooks:
            hook.remove()
        return {name: tap(x) for name, x in self.raw.items()}


def write_taps(path, inputs, taps, **outputs):
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {f"in.{k}": nhwc(v) for k, v in inputs.items()}
    tensors |= taps | {name: tap(x) for name, x in outputs.items()}
    safetensors.torch.save_file(tensors, path)


UNET_TAPS = (r"conv_in|conv_out|(down_blocks\.\d+|mid_block|up_blocks\.\d+)\.((resnets|attentions|"
             r"downsamplers|upsamplers)\.\d+|attentions\.\d+\.transformer_blocks\.\d+)")


def unet_taps(path, unet, n, height, width, seed, tokens=77):
    g = torch.Generator().manual_seed(seed)
    c = unet.config
    pooled = c.projection_class_embeddings_input_dim - 6 * c.addition_time_embed_dim
    x = dict(
        latents=torch.randn(n, c.in_channels, height, width, generator=g),
        timestep=torch.tensor([[999.0], [1.0]] if n == 2 else [[437.5]] * n),
        text=torch.randn(n, tokens, c.cross_attention_dim, generator=g),
        pooled=torch.randn(n, pooled, generator=g),
        time_ids=torch.tensor([[1024.0, 768, 0, 12, 1024, 768]]).repeat(n, 1))
    taps = Taps(unet, UNET_TAPS + r"|time_embedding|add_embedding")
    unet(x["latents"], x["timestep"][:, 0], x["text"],
         added_cond_kwargs=dict(text_embeds=x["pooled"], time_ids=x["time_ids"]))
    # Both embeddings only ever occur as their sum.
    taps.raw["emb"] = taps.raw.pop("time_embedding") + taps.raw.pop("add_embedding")
    write_taps(path, x, taps.finish())


def text_taps(path, encoder, prompts, pad, prefix):
    ids = torch.tensor([([BOS] + [b % 512 for b in p] + [EOS] + [pad] * 77)[:77] for p in prompts])
    taps = Taps(encoder, r"(text_model\.)?(embeddings|encoder\.layers\.\d+)")
    out = encoder(ids, output_hidden_states=True)
    pooled = out.text_embeds if hasattr(out, "text_embeds") else out.pooler_output
    named = {text_key(prefix)(k): v for k, v in taps.finish().items()}
    write_taps(path, dict(ids=ids.float()), named, penultimate=out.hidden_states[-2],
               pooled=pooled)


VAE_TAPS = (r"(encoder|decoder)\.(conv_in|conv_out|(down_blocks\.\d+|mid_block|up_blocks\.\d+)\."
            r"(resnets|attentions|downsamplers|upsamplers)\.\d+)")


def vae_taps(folder, name, vae, n, height, width, seed):
    g = torch.Generator().manual_seed(seed)
    scale = 2 ** (len(vae.config.block_out_channels) - 1)
    picture = torch.rand(n, 3, scale * height, scale * width, generator=g) * 2 - 1
    taps = Taps(vae, VAE_TAPS)
    moments = vae.encode(picture).latent_dist.parameters
    write_taps(folder / f"{name}-encode.safetensors", dict(picture=picture), taps.finish(),
               moments=moments)
    z = torch.randn(n, vae.config.latent_channels, height, width, generator=g)
    taps = Taps(vae, VAE_TAPS)
    out = vae.decode(z).sample
    write_taps(folder / f"{name}-decode.safetensors", dict(latents=z), taps.finish(), picture=out)


# ---- The repository ----

def byte_symbols():
    """GPT-2's table: every byte as a printable character."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(rest))]


def write_tokenizer(path, pad):
    path.mkdir(parents=True, exist_ok=True)
    symbols = byte_symbols()
    words = symbols + [s + "</w>" for s in symbols] + ["<|startoftext|>", "<|endoftext|>"]
    (path / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (path / "merges.txt").write_text("#version: 0.2\n")
    special = dict(bos_token="<|startoftext|>", eos_token="<|endoftext|>", pad_token=pad,
                   unk_token="<|endoftext|>")
    (path / "special_tokens_map.json").write_text(json.dumps(special))
    (path / "tokenizer_config.json").write_text(json.dumps(dict(
        special, add_prefix_space=False, do_lower_case=True, errors="replace",
        model_max_length=77, tokenizer_class="CLIPTokenizer")))


def write_repository(repo):
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
    from transformers import (CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection)
    attention = ((r"to_[qk]|[qk]_proj", 1.5), (r"to_out|out_proj|proj_out|net\.2|fc2|conv2", 0.6))
    unet = randomize(UNet2DConditionModel(**UNET), torch.float16, 1, attention)
    text_1 = randomize(CLIPTextModel(CLIPTextConfig(**TEXT_1)), torch.float32, 2, attention)
    text_2 = randomize(CLIPTextModelWithProjection(CLIPTextConfig(**TEXT_2)), torch.bfloat16, 3,
                       attention)
    vae = randomize(AutoencoderKL(**VAE), torch.float16, 4,
                    attention + ((r"decoder\.conv_out", 0.8),))
    save(repo / "unet", unet, torch.float16)
    save(repo / "text_encoder", text_1, torch.float32, text_key(""))
    save(repo / "text_encoder_2", text_2, torch.bfloat16, text_key("text_model."))
    save(repo / "vae", vae, torch.float16)
    write_tokenizer(repo / "tokenizer", "<|endoftext|>")
    write_tokenizer(repo / "tokenizer_2", "!")
    EulerDiscreteScheduler(**SCHEDULER).save_pretrained(repo / "scheduler")
    classes = dict(
        scheduler=["diffusers", "EulerDiscreteScheduler"], unet=["diffusers", "UNet2DConditionModel"],
        vae=["diffusers", "AutoencoderKL"], text_encoder=["transformers", "CLIPTextModel"],
        text_encoder_2=["transformers", "CLIPTextModelWithProjection"],
        tokenizer=["transformers", "CLIPTokenizer"], tokenizer_2=["transformers", "CLIPTokenizer"])
    (repo / "model_index.json").write_text(json.dumps(dict(
        _class_name="StableDiffusionXLPipeline", force_zeros_for_empty_prompt=True, **classes),
        indent=1))


# Sums of residuals around 0.03: there the epsilons of the norms show in the third digit.
FAINT = ((r"conv_in|proj_in|conv2|conv_shortcut|proj_out|to_out|net\.2", 0.03),)


def write_variants(out):
    from diffusers import AutoencoderKL, UNet2DConditionModel
    unet = randomize(UNet2DConditionModel(**UNET_VARIANT), torch.bfloat16, 5, FAINT)
    save(out / "variants" / "unet", unet, torch.bfloat16)
    unet_taps(out / "taps" / "unet-variant.safetensors", unet, 1, 7, 6, seed=6, tokens=9)
    vae = randomize(AutoencoderKL(**VAE_VARIANT), torch.float16, 7, FAINT)
    save(out / "variants" / "vae", vae, torch.float16, old_attention, as_convolution)
    vae_taps(out / "taps", "vae-variant", vae, 1, 5, 4, seed=8)


# ---- SDXL base 1.0 ----

def fnv1a(text):
    """64-bit FNV-1a: a few lines in any language."""
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h


def write_sdxl_configs(out):
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import (CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection)
    counts = {}
    with torch.device("meta"):
        models = dict(
            unet=UNet2DConditionModel(**SDXL_UNET), vae=AutoencoderKL(**SDXL_VAE),
            text_encoder=CLIPTextModel(CLIPTextConfig(**SDXL_TEXT_1)),
            text_encoder_2=CLIPTextModelWithProjection(CLIPTextConfig(**SDXL_TEXT_2)))
    for name, model in models.items():
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        if hasattr(model, "save_config"):
            model.save_config(folder)
        else:
            model.config.save_pretrained(folder)
        key = text_key("text_model.") if "text" in name else lambda k: k
        shapes = {key(k): list(p.shape) for k, p in model.named_parameters()}
        lines = "".join(f"{k} {shapes[k]}\n" for k in sorted(shapes))
        counts[name] = dict(tensors=len(shapes), digest=f"{fnv1a(lines):016x}",
                            parameters=sum(p.numel() for p in model.parameters()))
    (out / "counts.json").write_text(json.dumps(counts, indent=1))


# ---- Whole pictures ----

CASES = [
    dict(name="guided", prompt="a photo of a cat", negative="blurry", width=96, height=64, steps=4,
         guidance=5.0, batch=1, scheduler="default"),
    dict(name="odd-batch", prompt="Zürich, 35mm film!", width=72, height=56, steps=4, guidance=7.5,
         batch=2, scheduler="dpmpp-2m"),
    dict(name="img2img", prompt="an old sailor", negative="", width=64, height=64, steps=5,
         guidance=3.0, batch=1, scheduler="default", init="init.png", strength=0.6),
    dict(name="unguided", prompt="isometric city", width=64, height=48, steps=2, guidance=0.0,
         batch=1, scheduler="euler-a"),
]


def scheduler_of(name, config):
    from diffusers import (DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler,
                           EulerDiscreteScheduler)
    return {"default": EulerDiscreteScheduler, "dpmpp-2m": DPMSolverMultistepScheduler,
            "euler-a": EulerAncestralDiscreteScheduler}[name].from_config(config)


def record_start(pipe, record):
    """Keep what prepare_latents returns: the latents before the first step."""
    original = pipe.prepare_latents

    def prepare(*args, **kwargs):
        record["start"] = original(*args, **kwargs)
        return record["start"]
    pipe.prepare_latents = prepare


def run_case(pipes, case, folder):
    from PIL import Image
    pipe = pipes["img2img" if "init" in case else "txt2img"]
    pipe.scheduler = scheduler_of(case["scheduler"], pipes["scheduler_config"])
    record, steps = {}, []
    record_start(pipe, record)

    def on_step(pipe, i, t, kwargs):
        steps.append(kwargs["latents"])
        return kwargs
    n, seed = case["batch"], case["seed"]
    request = dict(
        prompt=case["prompt"], negative_prompt=case.get("negative"), guidance_scale=case["guidance"],
        num_inference_steps=case["steps"], num_images_per_prompt=n, callback_on_step_end=on_step,
        generator=[torch.Generator().manual_seed(seed + i) for i in range(n)])
    if "init" in case:
        request |= dict(image=Image.open(folder / case["init"]), strength=case["strength"])
    else:
        request |= dict(width=case["width"], height=case["height"])
    images = pipe(**request).images
    del pipe.prepare_latents
    for i, image in enumerate(images):
        image.save(folder / f"{case['name']}_{i}.png")
    record |= {f"step.{i}": x for i, x in enumerate(steps)}
    safetensors.torch.save_file({k: nhwc(v) for k, v in record.items()},
                                folder / f"{case['name']}.safetensors")


def write_pipeline(folder, repo):
    from diffusers import StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline
    from PIL import Image
    folder.mkdir(parents=True, exist_ok=True)
    txt2img = StableDiffusionXLPipeline.from_pretrained(repo, torch_dtype=torch.float32)
    img2img = StableDiffusionXLImg2ImgPipeline(**txt2img.components)
    for pipe in (txt2img, img2img):
        pipe.set_progress_bar_config(disable=True)
        pipe.watermark = None
    pipes = dict(txt2img=txt2img, img2img=img2img, scheduler_config=txt2img.scheduler.config)
    ramp = torch.stack(torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij"), -1)
    init = torch.cat([ramp * 4, (ramp.sum(-1, keepdim=True) * 7) % 256], -1).byte()
    Image.fromarray(init.numpy()).save(folder / "init.png")
    cases = [dict(case, seed=PIPELINE_SEED + 10 * i, rng="torch-cpu")
             for i, case in enumerate(CASES)]
    for case in cases:
        run_case(pipes, case, folder)
        case["expect"] = [f"{case['name']}_{i}.png" for i in range(case["batch"])]
    (folder / "cases.json").write_text(json.dumps(cases, indent=1, ensure_ascii=False))


@torch.no_grad()
def make(out):
    from diffusers import StableDiffusionXLPipeline
    for folder in ("repo", "variants", "taps", "pipeline", "sdxl-configs"):
        shutil.rmtree(out / folder, ignore_errors=True)
    torch.set_num_threads(1)
    write_repository(out / "repo")
    pipe = StableDiffusionXLPipeline.from_pretrained(out / "repo", torch_dtype=torch.float32)
    prompts = [b"a photo of a cat", b"", b"x" * 90]
    text_taps(out / "taps" / "text_encoder.safetensors", pipe.text_encoder, prompts, EOS, "")
    text_taps(out / "taps" / "text_encoder_2.safetensors", pipe.text_encoder_2, prompts, 0,
              "text_model.")
    unet_taps(out / "taps" / "unet.safetensors", pipe.unet, 2, 8, 12, seed=21)
    unet_taps(out / "taps" / "unet-odd.safetensors", pipe.unet, 1, 13, 9, seed=22)
    vae_taps(out / "taps", "vae", pipe.vae, 2, 5, 3, seed=23)
    write_variants(out)
    write_sdxl_configs(out / "sdxl-configs")
    write_pipeline(out / "pipeline", out / "repo")
