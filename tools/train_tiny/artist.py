"""A published folder as something that draws: what the evaluation judges and what LoRAs are trained on."""
import os

import torch

import sampler
import tokenizer
import trainlib
from net_vae import Vae
from train_unet import HERE, Model, encoder_of
from train_vae import SCALING


class Artist:
    """The model with its tokenizer: draw(texts) -> pictures [n, 3, h, w] in 0..1 on the device."""

    def __init__(self, folder, device="cpu", batch=4, steps=20):
        self.device, self.batch, self.steps = device, batch, steps
        self.tok = tokenizer.load(os.path.join(HERE, "merges.json"))
        self.model, self.vae = Model(), Vae()
        vae, unet, text = trainlib.load_folder(folder)
        self.model.unet.load_state_dict(unet)
        self.model.text.load_state_dict(trainlib.part(text, "text."))
        self.vae.load_state_dict(vae)
        for module in (self.model, self.vae):
            module.to(device).eval().requires_grad_(False)
        self.dtype = torch.bfloat16 if device == "cuda" else None

    def ids(self, texts):
        return torch.tensor([self.tok.encode(t) for t in texts], device=self.device)

    @torch.no_grad()
    def draw(self, texts, negatives=None, seed=1, guidance=5.0, size=(256, 256), start=None, strength=1.0):
        """size: height, width. The noise of a picture depends on the seed, the batch size and its place in the list."""
        out = []
        encode = encoder_of(self.model, self.tok.eos, self.device)
        for i in range(0, len(texts), self.batch):
            ids = self.ids(texts[i:i + self.batch])
            bad = self.ids(negatives[i:i + self.batch]) if negatives else None
            z0 = None if start is None else self.vae.encode(start[i:i + self.batch] * 2 - 1)[0] * SCALING
            z = sampler.sample(self.model.unet, encode, ids, bad, size, self.steps, guidance, seed + i, self.device, z0, strength, self.dtype)
            out += [(self.vae.decode(q / SCALING) / 2 + 0.5).clamp(0, 1) for q in z.split(32)]
        return torch.cat(out)

    @torch.no_grad()
    def there_and_back(self, pictures):
        """Through the autoencoder."""
        return torch.cat([self.vae.decode(self.vae.encode(p * 2 - 1)[0]) for p in pictures.split(32)]) / 2 + 0.5
