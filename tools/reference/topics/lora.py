"""LoRA files of every kind, written by LyCORIS and PEFT, and the weights that they merge them to.

base.safetensors      a few weights under the names of the UNet of tests/data/models/repo, f32
KIND.safetensors      the LoRA as its tool saves it: kohya's names by LyCORIS, diffusers' by PEFT
expected.safetensors  "KIND TENSOR": what each tensor becomes, with all scales 1, f32
picture.safetensors   a LoRA in kohya's form, the UNet under its original names, for the repo ...
picture.png           ... and what diffusers draws with it at a scale of 0.8

Merged weights are read off the layers' own forward passes (a unit matrix, or pictures with one
pixel), not off LyCORIS' get_merged_weight, which multiplies by alpha / rank twice for LoHa and LoKr.
"""
import json
import re

import torch
from lycoris.modules.full import FullModule
from lycoris.modules.locon import LoConModule
from lycoris.modules.loha import LohaModule
from lycoris.modules.lokr import LokrModule
from lycoris.modules.norms import NormModule
from peft import LoHaConfig, LoKrConfig, LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from torch import nn

TO_K = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
CONV = "down_blocks.1.resnets.0.conv1"
SHORTCUT = "down_blocks.1.resnets.0.conv_shortcut"
NORM = "down_blocks.1.resnets.0.norm1"


def layers():
    """Layers of the model with random weights, the same each time."""
    torch.manual_seed(11)
    made = {TO_K: nn.Linear(64, 16, bias=False), CONV: nn.Conv2d(8, 16, 3, padding=1),
            SHORTCUT: nn.Conv2d(8, 16, 1), NORM: nn.GroupNorm(2, 8)}
    nn.init.normal_(made[NORM].weight)
    nn.init.normal_(made[NORM].bias)
    return made


def seen(layer):
    """Weight and bias of a layer, by what it computes."""
    with torch.no_grad():
        if isinstance(layer, nn.Linear) or hasattr(layer, "in_features"):
            return layer(torch.eye(layer.in_features)).T, None
        n, k = layer.in_channels, layer.kernel_size[0]
        bias = layer(torch.zeros(1, n, k, k))[0, :, 0, 0]
        x = torch.zeros(n, n, k, k)
        x[range(n), range(n), k // 2, k // 2] = 1
        y = layer(x) - bias[None, :, None, None]  # [in, out, k, k], turned by half a turn
        return y.transpose(0, 1).flip(2, 3), bias


def randomize(module, deviation=0.3):
    with torch.no_grad():
        for name, p in module.named_parameters(recurse=True):
            if "org" in name or "dora_scale" in name:
                continue
            p.normal_(0, deviation)


def by_lycoris(kind, make, names, out, expected, by=None):
    """make(lora_name, layer): a LyCORIS module; by: a factor of its magnitudes."""
    tensors = {}
    for seed, name in enumerate(names):
        layer = layers()[name]
        torch.manual_seed(100 + seed)
        lora_name = "lora_unet_" + name.replace(".", "_")
        module = make(lora_name, layer)
        randomize(module)
        if by is not None:
            module.dora_scale.data *= torch.empty_like(module.dora_scale).uniform_(0.6, 1.4)
        module.apply_to()  # before saving: a FullModule subtracts what this adds
        state = module.state_dict() if isinstance(module, NormModule) else module.custom_state_dict()
        tensors.update({f"{lora_name}.{k}": v.detach().float().contiguous().clone()
                        for k, v in state.items() if not k.startswith("org") and k != "scalar"})
        if isinstance(module, (FullModule, NormModule)):
            weight, bias = module.make_weight(1)
        else:
            weight, bias = seen(layer)
        expected[f"{kind} {name}.weight"] = weight.detach().contiguous().clone()
        if bias is not None:
            expected[f"{kind} {name}.bias"] = bias.detach().contiguous().clone()
    save_file(tensors, out / f"{kind}.safetensors")


def nested():
    """The layers as attributes of modules, so that PEFT sees their names."""
    root = nn.Module()
    for name, layer in layers().items():
        at, *rest = root, *name.split(".")
        for part in rest[:-1]:
            if not hasattr(at, part):
                at.add_module(part, nn.Module())
            at = getattr(at, part)
        at.add_module(rest[-1], layer)
    root.forward = lambda x: x
    return root


def by_peft(kind, config, out, expected, metadata=None, prefix="unet."):
    torch.manual_seed(7)
    model = get_peft_model(nested(), config)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "magnitude" in name:
                p *= torch.empty_like(p).uniform_(0.6, 1.4)
            elif any(part in name for part in ("lora_", "hada_", "lokr_")):
                p.normal_(0, 0.3)
    tensors = {k: v.detach().float().contiguous().clone()
               for k, v in get_peft_model_state_dict(model).items()}
    if prefix is not None:
        tensors = {k.replace("base_model.model.", prefix): v for k, v in tensors.items()}
    text = {"format": "pt"}
    if metadata:  # one key alone: of several, each run has another order
        text = {"lora_adapter_metadata": json.dumps({f"unet.{k}": v for k, v in metadata.items()})}
    save_file(tensors, out / f"{kind}.safetensors", metadata=text)
    merged = model.merge_and_unload()
    for name, p in merged.named_parameters():
        if not torch.equal(p, dict(nested().named_parameters())[name]):
            expected[f"{kind} {name}"] = p.detach().contiguous().clone()


def original_name(name, per_block):
    """The UNet's module "down_blocks.1.attentions.0.proj_in" is "input_blocks.4.1.proj_in"."""
    way, i, kind, j, rest = re.fullmatch(
        r"(down|up|mid)_blocks?(?:\.(\d))?\.(attentions|resnets)\.(\d)\.(.*)", name).groups()
    sub = int(kind == "attentions")
    rest = {"conv1": "in_layers.2", "conv2": "out_layers.3", "time_emb_proj": "emb_layers.1"}.get(
        rest, rest)
    if way == "mid":
        return f"middle_block.{2 * int(j) + sub}.{rest}"
    at = (per_block + 1) * int(i) + int(j) + (way == "down")
    return f"{'input' if way == 'down' else 'output'}_blocks.{at}.{sub}.{rest}"


def write_picture(out):
    from diffusers import StableDiffusionXLPipeline

    repo = out.parent / "models" / "repo"
    pipe = StableDiffusionXLPipeline.from_pretrained(repo, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    torch.manual_seed(3)
    tensors = {}

    def add(name, weight, rank):
        kernel = weight.shape[2:]
        down = torch.randn(rank, weight.shape[1], *kernel) * 0.3
        up = torch.randn(weight.shape[0], rank, *(1 for _ in kernel)) * 0.3
        tensors[f"{name}.lora_down.weight"] = down.half()
        tensors[f"{name}.lora_up.weight"] = up.half()
        tensors[f"{name}.alpha"] = torch.tensor(1.0).half()

    wanted = r".*\.(to_q|to_v|to_out\.0|ff\.net\.2|proj_in|conv1|time_emb_proj)"
    for name, module in pipe.unet.named_modules():
        if re.fullmatch(wanted, name):
            sgm = original_name(name, pipe.unet.config.layers_per_block)
            add("lora_unet_" + sgm.replace(".", "_"), module.weight, 2)
    for prefix, encoder in (("te1", pipe.text_encoder), ("te2", pipe.text_encoder_2)):
        for name, module in encoder.named_modules():
            # diffusers 0.42 with transformers 5 loses a projection of kohya's, as it says
            if re.fullmatch(r".*\.fc[12]", name):
                whole = name if name.startswith("text_model.") else "text_model." + name
                add(f"lora_{prefix}_" + whole.replace(".", "_"), module.weight, 1)
    path = out / "picture.safetensors"
    save_file(tensors, path)
    pipe.load_lora_weights(path, adapter_name="picture")
    pipe.set_adapters("picture", 0.8)
    image = pipe("a red cat", negative_prompt="blue", width=64, height=64, num_inference_steps=4,
                 guidance_scale=4.0, generator=torch.Generator().manual_seed(3)).images[0]
    image.save(out / "picture.png")


def make(out):
    write_picture(out)
    expected = {}
    both, targets = [TO_K, CONV], ["to_k", "conv1"]
    save_file({f"{name}.{part}": p.detach().contiguous().clone() for name, layer in layers().items()
               for part, p in layer.named_parameters()}, out / "base.safetensors")

    def lycoris(kind, cls, names=both, by=None, **options):
        options = {"lora_dim": 4, "alpha": 2, **options}
        by_lycoris(kind, lambda name, layer: cls(name, layer, 1.0, **options), names, out, expected,
                   by)

    lycoris("locon", LoConModule, both + [SHORTCUT])
    lycoris("locon-tucker", LoConModule, [CONV], use_tucker=True)
    lycoris("loha", LohaModule, both)
    lycoris("loha-tucker", LohaModule, [CONV], use_tucker=True)
    lycoris("lokr", LokrModule, both, factor=4, lora_dim=1, alpha=0.5)
    lycoris("lokr-both", LokrModule, both, factor=4, lora_dim=1, alpha=0.5, decompose_both=True)
    lycoris("lokr-full", LokrModule, both, factor=4, full_matrix=True)
    lycoris("lokr-tucker", LokrModule, [CONV], factor=2, lora_dim=2, use_tucker=True)
    lycoris("dora-out", LoConModule, both, by=1, weight_decompose=True, wd_on_out=True)
    lycoris("dora-in", LoConModule, both, by=1, weight_decompose=True, wd_on_out=False)
    lycoris("dora-loha", LohaModule, both, by=1, weight_decompose=True)
    lycoris("dora-lokr", LokrModule, both, by=1, factor=4, lora_dim=1, weight_decompose=True,
            wd_on_out=False)
    lycoris("full", FullModule, [TO_K, SHORTCUT])
    by_lycoris("norms", lambda name, layer: NormModule(name, layer, 1.0), [NORM], out, expected)

    common = {"r": 4, "target_modules": targets, "init_lora_weights": False}
    by_peft("peft", LoraConfig(lora_alpha=6, rank_pattern={"conv1": 2}, alpha_pattern={"conv1": 5},
                               **common), out, expected,
            {"lora_alpha": 6, "r": 4, "alpha_pattern": {"conv1": 5}})
    by_peft("peft-rslora", LoraConfig(lora_alpha=6, use_rslora=True, **common), out, expected,
            {"lora_alpha": 6, "r": 4, "use_rslora": True, "alpha_pattern": {}})
    by_peft("peft-raw", LoraConfig(lora_alpha=4, **common), out, expected, prefix=None)
    by_peft("peft-bias", LoraConfig(lora_alpha=4, lora_bias=True, r=4, target_modules=["conv1"],
                                    init_lora_weights=False), out, expected)
    by_peft("peft-dora", LoraConfig(lora_alpha=4, use_dora=True, **common), out, expected)
    named = {"target_modules": targets, "init_weights": False}
    by_peft("peft-loha", LoHaConfig(r=3, alpha=3, use_effective_conv2d=True, **named), out, expected)
    by_peft("peft-lokr", LoKrConfig(r=2, alpha=2, **named), out, expected)
    save_file(expected, out / "expected.safetensors")
