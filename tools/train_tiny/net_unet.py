"""The UNet: diffusers' UNet2DConditionModel with SDXL's size conditioning, in miniature."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from net_parts import Attention, ResnetBlock2D, Resample, zero_

CONFIG = {"block_out_channels": [128, 128, 128], "layers_per_block": 2, "attention_head_dim": [2, 2, 2],
          "transformer_layers_per_block": [1, 1, 1], "attention": [False, True, True], "cross_attention_dim": 320,
          "addition_time_embed_dim": 64, "pooled_dim": 192, "norm_num_groups": 32}


def sinusoid(t, dim):
    """[n] -> [n, dim], cosines first (flip_sin_to_cos), freq_shift 0."""
    half = dim // 2
    freq = torch.exp(-math.log(10000.0) * torch.arange(half, device=t.device, dtype=torch.float32) / half)
    args = t.float()[:, None] * freq[None]
    return torch.cat([torch.cos(args), torch.sin(args)], -1)


class TwoLayers(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(cin, cout), nn.Linear(cout, cout)

    def forward(self, x):
        return self.linear_2(F.silu(self.linear_1(x)))


class Geglu(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.proj = nn.Linear(d, 8 * d)

    def forward(self, x):
        a, gate = self.proj(x).chunk(2, -1)
        return a * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.net = nn.ModuleList([Geglu(d), nn.Identity(), nn.Linear(4 * d, d)])

    def forward(self, x):
        return self.net[2](self.net[0](x))


class Block(nn.Module):
    def __init__(self, d, heads, cross):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(d) for _ in range(3))
        self.attn1, self.attn2, self.ff = Attention(d, heads), Attention(d, heads, cross), FeedForward(d)

    def forward(self, x, context):
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class Transformer(nn.Module):
    def __init__(self, d, heads, depth, cross, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, d, 1e-6)
        self.proj_in, self.proj_out = nn.Linear(d, d), zero_(nn.Linear(d, d))
        self.transformer_blocks = nn.ModuleList([Block(d, heads, cross) for _ in range(depth)])

    def forward(self, x, context):
        n, c, h, w = x.shape
        y = self.proj_in(self.norm(x).permute(0, 2, 3, 1).reshape(n, h * w, c))
        for block in self.transformer_blocks:
            y = block(y, context)
        return x + self.proj_out(y).view(n, h, w, c).permute(0, 3, 1, 2)


class Level(nn.Module):
    def __init__(self, cins, cout, heads, depth, cross, groups, temb, sampler, up):
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock2D(c, cout, groups, 1e-5, temb) for c in cins])
        self.has_attention = depth > 0
        if depth:
            self.attentions = nn.ModuleList([Transformer(cout, heads, depth, cross, groups) for _ in cins])
        self.has_sampler, self.is_up = sampler, up
        if sampler:
            setattr(self, "upsamplers" if up else "downsamplers", nn.ModuleList([Resample(cout, up)]))

    def forward(self, x, emb, context, skips):
        """skips: pushed to on the way down, popped from on the way up."""
        for i, resnet in enumerate(self.resnets):
            x = resnet(torch.cat([x, skips.pop()], 1) if self.is_up else x, emb)
            if self.has_attention:
                x = self.attentions[i](x, context)
            if not self.is_up:
                skips.append(x)
        if self.has_sampler:
            x = (self.upsamplers if self.is_up else self.downsamplers)[0](x)
            if not self.is_up:
                skips.append(x)
        return x


class Mid(nn.Module):
    def __init__(self, c, heads, depth, cross, groups, temb):
        super().__init__()
        self.attentions = nn.ModuleList([Transformer(c, heads, depth, cross, groups)])
        self.resnets = nn.ModuleList([ResnetBlock2D(c, c, groups, 1e-5, temb) for _ in range(2)])

    def forward(self, x, emb, context):
        return self.resnets[1](self.attentions[0](self.resnets[0](x, emb), context), emb)


class UNet(nn.Module):
    """latents [n, 4, h, w], t [n], context [n, 77, d], pooled [n, p], time_ids [n, 6] -> noise [n, 4, h, w]."""

    def __init__(self, config=CONFIG):
        super().__init__()
        c = self.config = config
        ch, n, g, cross = c["block_out_channels"], c["layers_per_block"], c["norm_num_groups"], c["cross_attention_dim"]
        heads, temb, last = c["attention_head_dim"], 4 * ch[0], len(ch) - 1
        depth = [d if a else 0 for d, a in zip(c["transformer_layers_per_block"], c["attention"])]
        self.conv_in = nn.Conv2d(4, ch[0], 3, padding=1)
        self.time_embedding = TwoLayers(ch[0], temb)
        self.add_embedding = TwoLayers(c["pooled_dim"] + 6 * c["addition_time_embed_dim"], temb)
        self.down_blocks = nn.ModuleList(
            [Level([ch[max(i - 1, 0)]] + [ch[i]] * (n - 1), ch[i], heads[i], depth[i], cross, g, temb, i < last, False) for i in range(last + 1)])
        self.mid_block = Mid(ch[last], heads[last], max(depth[last], 1), cross, g, temb)
        ups = []
        for i in range(last + 1):
            j = last - i
            before, below = ch[min(j + 1, last)], ch[max(j - 1, 0)]
            cins = [(before if k == 0 else ch[j]) + (below if k == n else ch[j]) for k in range(n + 1)]
            ups.append(Level(cins, ch[j], heads[j], depth[j], cross, g, temb, i < last, True))
        self.up_blocks = nn.ModuleList(ups)
        self.conv_norm_out = nn.GroupNorm(g, ch[0], 1e-5)
        self.conv_out = zero_(nn.Conv2d(ch[0], 4, 3, padding=1))
        for module in self.modules():
            if isinstance(module, ResnetBlock2D):
                zero_(module.conv2)

    def forward(self, x, t, context, pooled, time_ids):
        n = x.shape[0]
        ids = sinusoid(time_ids.reshape(-1), self.config["addition_time_embed_dim"]).view(n, -1)
        emb = self.time_embedding(sinusoid(t, self.config["block_out_channels"][0]).to(x.dtype))
        emb = emb + self.add_embedding(torch.cat([pooled, ids.to(pooled.dtype)], -1))
        x = self.conv_in(x)
        skips = [x]
        for block in self.down_blocks:
            x = block(x, emb, context, skips)
        x = self.mid_block(x, emb, context)
        for block in self.up_blocks:
            x = block(x, emb, context, skips)
        return self.conv_out(F.silu(self.conv_norm_out(x)))
