"""A1111's own code for prompts: the modules prompt_parser, sd_hijack_clip and sd_emphasis of a
checkout of stable-diffusion-webui that A1111_DIR names, with transformers' encoders beneath and
nothing else of that program. Needs lark.
"""
import os
import sys
import types

import torch


def load():
    """The modules (prompt_parser, sd_hijack_clip)."""
    where = os.environ.get("A1111_DIR")
    if not where:
        sys.exit("a1111.py: set A1111_DIR to a checkout of AUTOMATIC1111/stable-diffusion-webui")
    if "modules" not in sys.modules:
        opts = types.SimpleNamespace(
            emphasis="Original", comma_padding_backtrack=20, use_old_emphasis_implementation=False,
            textual_inversion_add_hashes_to_infotext=False, sdxl_clip_l_skip=True,
            CLIP_stop_at_last_layers=2)
        package = sys.modules["modules"] = types.ModuleType("modules")
        package.__path__ = [os.path.join(where, "modules")]
        for name, members in (("shared", dict(opts=opts)), ("sd_hijack", {}),
                              ("devices", dict(device="cpu", torch_npu_set_device=lambda: None))):
            module = sys.modules["modules." + name] = types.ModuleType("modules." + name)
            module.__dict__.update(members)
            setattr(package, name, module)
        package.sd_hijack.StableDiffusionModelHijack = object
    from modules import prompt_parser, sd_hijack_clip
    return prompt_parser, sd_hijack_clip


def parse_attention(text):
    """[[text, weight], ...]"""
    return [list(piece) for piece in load()[0].parse_prompt_attention(text)]


def parse_steps(text, n_steps):
    """[[last step, text], ...]"""
    return load()[0].get_learned_conditioning_prompt_schedules([text], n_steps)[0]


class Encoder:
    """One of SDXL's text encoders with A1111's handling of chunks and weights around it."""

    def __init__(self, tokenizer, encoder=None):
        base = load()[1].FrozenCLIPEmbedderForSDXLWithCustomWords
        no_embeddings = types.SimpleNamespace(
            find_embedding_at_position=lambda tokens, at: (None, None))
        hijack = types.SimpleNamespace(
            embedding_db=no_embeddings, fixes=None, extra_generation_params={})
        wrapped = types.SimpleNamespace(tokenizer=tokenizer, transformer=encoder, layer="hidden",
                                        return_pooled=hasattr(encoder, "text_projection"))

        class WithPooled(base):
            def encode_with_transformers(self, tokens):
                out = self.wrapped.transformer(tokens, output_hidden_states=True)
                z = out.hidden_states[-self.skip]
                if self.wrapped.return_pooled:
                    z.pooled = out.text_embeds
                return z
        self.embedder = WithPooled(wrapped, hijack)
        # Of the two, the second one pads with another token than the end.
        self.embedder.id_pad = tokenizer.pad_token_id

    def chunks(self, text):
        """[(ids, weights)], each with begin and end, padded."""
        embedder, out = self.embedder, []
        for chunk in embedder.tokenize_line(text)[0]:
            ids = list(chunk.tokens)
            end = ids.index(embedder.id_end) + 1
            out.append((ids[:end] + [embedder.id_pad] * (len(ids) - end), list(chunk.multipliers)))
        return out

    def encode(self, text, skip=2):
        """States [1, chunks * 77, width] and the pooled vector of the first chunk, or None."""
        self.embedder.skip = skip
        out = self.embedder([text])
        return out if isinstance(out, tuple) else (out, None)


def encode_both(pipe, text, n_chunks=0, skip=2):
    """Embeddings of both encoders of an SDXL pipeline, empty chunks appended up to n_chunks, as
    A1111 does for texts that are encoded together; and the pooled vector."""
    columns = []
    for tokenizer, encoder in ((pipe.tokenizer, pipe.text_encoder),
                               (pipe.tokenizer_2, pipe.text_encoder_2)):
        a1111 = Encoder(tokenizer, encoder)
        states, pooled = a1111.encode(text, skip)
        empty = a1111.encode("", skip)[0]
        while states.shape[1] < n_chunks * empty.shape[1]:
            states = torch.cat([states, empty], 1)
        columns.append(states)
    return torch.cat(columns, -1), pooled
