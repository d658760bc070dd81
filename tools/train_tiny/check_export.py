"""The exported folder in diffusers against our own modules, on a CPU in f32. A lone "!" is left out: tokenizer_2 of
SDXL has it as its padding token and reads it as id 0. usage: check_export.py DIR"""
import argparse

import numpy as np
import torch
from diffusers import StableDiffusionXLPipeline

import sampler
import tokenizer
import trainlib
from net_vae import Vae
from train_unet import HERE, Model, encoder_of
from train_vae import SCALING


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    args = parser.parse_args()
    pipe = StableDiffusionXLPipeline.from_pretrained(args.dir, torch_dtype=torch.float32, variant="fp16", add_watermarker=False)
    model, vae = Model().eval(), Vae().eval()
    autoencoder, unet, text = trainlib.load_folder(args.dir)
    model.unet.load_state_dict(unet)
    model.text.load_state_dict(trainlib.part(text, "text."))
    vae.load_state_dict(autoencoder)
    tok = tokenizer.load(HERE + "/merges.json")
    prompt = "Two red boats left of a white lighthouse at sunset, caf\u00e9 35mm children's book, {x}?"
    ids = tok.encode(prompt)
    theirs = pipe.tokenizer(prompt, padding="max_length", max_length=77, truncation=True).input_ids
    print("tokens equal", ids == theirs)
    context, pooled = encoder_of(model, tok.eos, "cpu")(torch.tensor([ids]))
    c2, _, p2, _ = pipe.encode_prompt(prompt, device="cpu", do_classifier_free_guidance=False)
    print("context", (context - c2).abs().max().item(), "pooled", (pooled - p2).abs().max().item())
    with torch.no_grad():
        x, t = torch.randn(1, 4, 32, 32), torch.tensor([500.0])
        time_ids = torch.tensor([[256.0, 256, 0, 0, 256, 256]])
        a = model.unet(x, t, context, pooled, time_ids)
        b = pipe.unet(x, t, c2, added_cond_kwargs={"text_embeds": p2, "time_ids": time_ids}).sample
        print("unet", (a - b).abs().max().item(), "of", b.abs().max().item())
        image = torch.rand(1, 3, 256, 256) * 2 - 1
        print("encode", (vae.encode(image)[0] - pipe.vae.encode(image).latent_dist.mean).abs().max().item(),
              "decode", (vae.decode(x) - pipe.vae.decode(x).sample).abs().max().item())
        noise = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(5))
        z = sampler.sample(model.unet, encoder_of(model, tok.eos, "cpu"), torch.tensor([ids]), None, (256, 256), 8, 5.0, 5)
        ours = vae.decode(z / SCALING) / 2 + 0.5
        out = pipe(prompt, num_inference_steps=8, guidance_scale=5.0, height=256, width=256, latents=noise, output_type="np").images[0]
    print("picture", np.abs(ours[0].detach().permute(1, 2, 0).clamp(0, 1).numpy() - out).max())


if __name__ == "__main__":
    main()
