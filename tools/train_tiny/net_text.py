"""The text encoders: CLIPTextModel and CLIPTextModelWithProjection in miniature, named as in transformers."""
import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIGS = ({"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 512, "hidden_act": "quick_gelu",
            "projection_dim": 192},
           {"hidden_size": 192, "num_hidden_layers": 4, "num_attention_heads": 3, "intermediate_size": 768, "hidden_act": "gelu",
            "projection_dim": 192})
VOCAB, LENGTH = 2048, 77


class SelfAttention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.k_proj, self.v_proj, self.q_proj, self.out_proj = (nn.Linear(d, d) for _ in range(4))

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = (p(x).view(n, t, self.heads, d // self.heads).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        return self.out_proj(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, t, d))


class Mlp(nn.Module):
    def __init__(self, d, hidden, act):
        super().__init__()
        self.fc1, self.fc2, self.act = nn.Linear(d, hidden), nn.Linear(hidden, d), act

    def forward(self, x):
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x) if self.act == "quick_gelu" else F.gelu(x))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        d = c["hidden_size"]
        self.self_attn = SelfAttention(d, c["num_attention_heads"])
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.mlp = Mlp(d, c["intermediate_size"], c["hidden_act"])

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Embeddings(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.token_embedding, self.position_embedding = nn.Embedding(VOCAB, d), nn.Embedding(LENGTH, d)
        nn.init.normal_(self.token_embedding.weight, std=0.05)
        nn.init.normal_(self.position_embedding.weight, std=0.02)

    def forward(self, ids):
        return self.token_embedding(ids) + self.position_embedding.weight[None]


class Layers(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.layers = nn.ModuleList([Layer(c) for _ in range(c["num_hidden_layers"])])


class TextModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embeddings, self.encoder = Embeddings(c["hidden_size"]), Layers(c)
        self.final_layer_norm = nn.LayerNorm(c["hidden_size"])


class TextEncoder(nn.Module):
    """ids [n, 77] -> penultimate states [n, 77, d], pooled [n, p] (only with projection, else the end's state)."""

    def __init__(self, which, config=None):
        super().__init__()
        c = config or CONFIGS[which]
        self.text_model = TextModel(c)
        self.has_projection = which == 1
        if self.has_projection:
            self.text_projection = nn.Linear(c["hidden_size"], c["projection_dim"], bias=False)

    def forward(self, ids, eos):
        m = self.text_model
        x = m.embeddings(ids)
        for layer in m.encoder.layers[:-1]:
            x = layer(x)
        end = (ids == eos).int().argmax(1)
        rows = torch.arange(ids.shape[0], device=ids.device)
        if not self.has_projection:
            return x, x[rows, end]
        last = m.final_layer_norm(m.encoder.layers[-1](x))
        return x, self.text_projection(last[rows, end])


class TextEncoders(nn.Module):
    """Both, and what SDXL makes of them: context [n, 77, d1 + d2], pooled [n, p]. Padding as SDXL's: the first
    encoder's ids end in the end token, the second's in token 0."""

    def __init__(self):
        super().__init__()
        self.one, self.two = TextEncoder(0), TextEncoder(1)

    def forward(self, ids, eos):
        ids = ids.long()
        end = (ids == eos).int().argmax(1, keepdim=True)
        ids2 = torch.where(torch.arange(LENGTH, device=ids.device)[None] > end, torch.zeros_like(ids), ids)
        a, hint = self.one(ids, eos)
        b, pooled = self.two(ids2, eos)
        return torch.cat([a, b], -1), pooled, hint
