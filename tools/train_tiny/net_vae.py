"""The autoencoder: diffusers' AutoencoderKL in miniature, factor 8, 4 latent channels."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from net_parts import Attention, ResnetBlock2D, Resample

CONFIG = {"block_out_channels": [32, 64, 96, 96], "layers_per_block": 1, "latent_channels": 4, "norm_num_groups": 8}
EPS = 1e-6


class MidAttention(Attention):
    def __init__(self, channels, groups):
        super().__init__(channels, 1, bias=True)
        self.group_norm = nn.GroupNorm(groups, channels, EPS)

    def forward(self, x):
        n, c, h, w = x.shape
        y = super().forward(self.group_norm(x).view(n, c, h * w).transpose(1, 2))
        return x + y.transpose(1, 2).reshape(n, c, h, w)


class Mid(nn.Module):
    def __init__(self, c, groups):
        super().__init__()
        self.attentions = nn.ModuleList([MidAttention(c, groups)])
        self.resnets = nn.ModuleList([ResnetBlock2D(c, c, groups, EPS), ResnetBlock2D(c, c, groups, EPS)])

    def forward(self, x):
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class Level(nn.Module):
    def __init__(self, cin, cout, n, groups, sampler, up):
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock2D(cin if i == 0 else cout, cout, groups, EPS) for i in range(n)])
        self.has_sampler = sampler
        if sampler:
            setattr(self, "upsamplers" if up else "downsamplers", nn.ModuleList([Resample(cout, up, 1 if up else 0)]))

    def forward(self, x):
        for resnet in self.resnets:
            x = resnet(x)
        if self.has_sampler:
            x = (self.upsamplers if hasattr(self, "upsamplers") else self.downsamplers)[0](x)
        return x


class Encoder(nn.Module):
    def __init__(self, ch, n, z, groups):
        super().__init__()
        self.conv_in = nn.Conv2d(3, ch[0], 3, padding=1)
        self.down_blocks = nn.ModuleList([Level(ch[max(i - 1, 0)], c, n, groups, i < len(ch) - 1, False) for i, c in enumerate(ch)])
        self.mid_block = Mid(ch[-1], groups)
        self.conv_norm_out = nn.GroupNorm(groups, ch[-1], EPS)
        self.conv_out = nn.Conv2d(ch[-1], 2 * z, 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(self.mid_block(x))))


class Decoder(nn.Module):
    def __init__(self, ch, n, z, groups):
        super().__init__()
        rev = ch[::-1]
        self.conv_in = nn.Conv2d(z, rev[0], 3, padding=1)
        self.mid_block = Mid(rev[0], groups)
        self.up_blocks = nn.ModuleList([Level(rev[max(i - 1, 0)], c, n + 1, groups, i < len(ch) - 1, True) for i, c in enumerate(rev)])
        self.conv_norm_out = nn.GroupNorm(groups, ch[0], EPS)
        self.conv_out = nn.Conv2d(ch[0], 3, 3, padding=1)

    def forward(self, z):
        x = self.mid_block(self.conv_in(z))
        for block in self.up_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class Vae(nn.Module):
    """encode: [n, 3, h, w] in -1..1 -> mean, logvar [n, 4, h/8, w/8]; decode: the way back."""

    def __init__(self, config=CONFIG):
        super().__init__()
        ch, z, g = config["block_out_channels"], config["latent_channels"], config["norm_num_groups"]
        self.encoder = Encoder(ch, config["layers_per_block"], z, g)
        self.decoder = Decoder(ch, config["layers_per_block"], z, g)
        self.quant_conv = nn.Conv2d(2 * z, 2 * z, 1)
        self.post_quant_conv = nn.Conv2d(z, z, 1)

    def encode(self, x):
        mean, logvar = self.quant_conv(self.encoder(x)).chunk(2, 1)
        return mean, logvar.clamp(-30, 20)

    def decode(self, z):
        return self.decoder(self.post_quant_conv(z))

    def forward(self, x):
        """-> reconstruction, mean, logvar, with a sample in between."""
        mean, logvar = self.encode(x)
        return self.decode(mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)), mean, logvar
