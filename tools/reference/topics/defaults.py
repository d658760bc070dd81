"""What diffusers and transformers take for a key that a configuration does not have.

defaults.json  by class: the keys of its __init__ and their defaults, read off the signatures (of
               a configuration of transformers: its fields)
"""
import inspect
import json

import diffusers
import transformers

import schedulers

CLASSES = [diffusers.StableDiffusionXLPipeline, diffusers.StableDiffusionXLImg2ImgPipeline,
           diffusers.UNet2DConditionModel, diffusers.AutoencoderKL, transformers.CLIPTokenizer]
CLASSES += [getattr(diffusers, name)
            for name in sorted({*schedulers.CLASSES.values(), *schedulers.EDM_CLASSES.values()})]


def signature_of(cls):
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def writable(value):
    """As JSON has it: without infinities, which a key of JSON cannot be."""
    if isinstance(value, (tuple, list)):
        return [writable(v) for v in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "-Infinity" if value < 0 else "Infinity"
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def make(out):
    table = {cls.__name__: {k: writable(v) for k, v in signature_of(cls).items()}
             for cls in CLASSES}
    # What a configuration without any key becomes; what all models of transformers have is not
    # about this one.
    common = transformers.PretrainedConfig().to_dict()
    config = transformers.CLIPTextConfig().to_dict()
    table["CLIPTextConfig"] = {k: writable(v) for k, v in config.items()
                               if k not in common or k.endswith("_token_id")}
    (out / "defaults.json").write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
