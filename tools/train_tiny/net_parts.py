"""Layers that the UNet and the autoencoder share, named as diffusers names them, so that a state_dict is a
diffusers file."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class ResnetBlock2D(nn.Module):
    """[n, cin, h, w] (+ emb [n, temb]) -> [n, cout, h, w]. Source: diffusers ResnetBlock2D."""

    def __init__(self, cin, cout, groups, eps, temb=0):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, cin, eps)
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1)
        if temb:
            self.time_emb_proj = nn.Linear(temb, cout)
        self.norm2 = nn.GroupNorm(groups, cout, eps)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1)
        if cin != cout:
            self.conv_shortcut = nn.Conv2d(cin, cout, 1)
        self.has_shortcut, self.has_temb = cin != cout, temb > 0

    def forward(self, x, emb=None):
        h = self.conv1(F.silu(self.norm1(x)))
        if self.has_temb:
            h = h + self.time_emb_proj(F.silu(emb))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return (self.conv_shortcut(x) if self.has_shortcut else x) + h


class Attention(nn.Module):
    """q [n, t, c], kv [n, s, d] -> [n, t, c]. bias: of q, k and v (the autoencoder has them)."""

    def __init__(self, dim, heads, kv_dim=None, bias=False):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(dim, dim, bias=bias)
        self.to_k = nn.Linear(kv_dim or dim, dim, bias=bias)
        self.to_v = nn.Linear(kv_dim or dim, dim, bias=bias)
        self.to_out = nn.ModuleList([nn.Linear(dim, dim)])

    def forward(self, x, kv=None):
        kv = x if kv is None else kv
        n, t, c = x.shape
        q, k, v = (z.view(n, -1, self.heads, c // self.heads).transpose(1, 2) for z in (self.to_q(x), self.to_k(kv), self.to_v(kv)))
        return self.to_out[0](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, c))


class Resample(nn.Module):
    """conv named as in Downsample2D and Upsample2D."""

    def __init__(self, channels, up, pad=1):
        super().__init__()
        self.up, self.pad = up, pad
        self.conv = nn.Conv2d(channels, channels, 3, stride=1 if up else 2, padding=pad)

    def forward(self, x):
        if self.up:
            return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.conv(x if self.pad else F.pad(x, (0, 1, 0, 1)))


def zero_(module):
    for p in module.parameters():
        nn.init.zeros_(p)
    return module


class Ema:
    """Averaged weights; the average starts short and lengthens."""

    def __init__(self, module, decay):
        self.decay, self.step = decay, 0
        self.source = [p for p in module.state_dict().values()]
        self.shadow = [p.detach().clone().float() for p in self.source]

    @torch.no_grad()
    def update(self):
        self.step += 1
        d = min(self.decay, (1 + self.step) / (10 + self.step))
        floats = [(s, p) for s, p in zip(self.shadow, self.source) if p.is_floating_point()]
        torch._foreach_lerp_([s for s, _ in floats], [p.float() for _, p in floats], 1 - d)

    def state(self, module):
        return {k: s.clone() for k, s in zip(module.state_dict(), self.shadow)}
