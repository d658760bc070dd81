"""Textual inversions for the miniature SDXL of topic models, and what diffusers, compel and A1111
encode with them.

*.safetensors   random vectors for both encoders, about as large as those of the vocabulary
encoded.json    texts and what the encoders make of them: "eos" is the second encoder's
                eos_token_id, 2 where configurations have the earlier rule; otherwise as in topic
                prompts

diffusers' answers are those of load_textual_inversion and encode_prompt, compel's those of
CompelForSDXL with its DiffusersTextualInversionManager, A1111's those of its own code, with the two
places that it changes in other modules written here: where a word's vectors are looked up, and where
they are put in. All numbers come from float32 arithmetic. Needs what topic prompts needs.
"""
import pathlib
import types

import safetensors.torch
import torch

import a1111
import prompts

FILES = {  # name: (vectors, keys, dtype)
    "glow": (1, ("clip_l", "clip_g"), torch.float32),
    "wave": (3, ("text_encoders_0", "text_encoders_1"), torch.float32),
    "half": (2, ("clip_l", "clip_g"), torch.float16),
}
WIDTHS = (24, 40)

PLAIN = ["a glow cat", "a cat", "glow", "wave of glow, half", "x" * 70 + " wave glow",
         "half half", "a cat wave"]
A1111 = ["a glow cat", "a (glow:1.3) cat, [wave]", "x" * 74 + " wave y", "x" * 30 + ", " + "y" * 41 +
         " half z", "wave BREAK (half:0.7)", "a cat wave", "glow,glow"]
COMPEL = ["a glow cat", "a (glow)1.4 cat", "a (wave)0.6 cat", "wave, half++", "a cat wave"]


def make_vectors():
    generator = torch.Generator().manual_seed(23)
    out = {}
    for name, (n, keys, dtype) in FILES.items():
        out[name] = [(0.02 * torch.randn(n, width, generator=generator)).to(dtype)
                     for width in WIDTHS]
    return out


def load(pipe, vectors):
    """As people do with diffusers: one call for each encoder."""
    for name, both in vectors.items():
        for vector, tokenizer, encoder in ((both[0], pipe.tokenizer, pipe.text_encoder),
                                           (both[1], pipe.tokenizer_2, pipe.text_encoder_2)):
            pipe.load_textual_inversion({name: vector.float()}, token=name, tokenizer=tokenizer,
                                        text_encoder=encoder)


def words_of(tokenizer, vectors, e):
    """A1111's lookup: the longest word whose tokens stand at a place."""
    rows = [(tokenizer(name, add_special_tokens=False).input_ids, name, both[e].float())
            for name, both in vectors.items()]

    def find(tokens, at):
        best = (None, None)
        for ids, name, vec in rows:
            if tokens[at:at + len(ids)] == ids and (best[1] or 0) < len(ids):
                best = types.SimpleNamespace(name=name, vec=vec, vectors=vec.shape[0],
                                             shorthash=None), len(ids)
        return best
    return types.SimpleNamespace(find_embedding_at_position=find)


def encode_a1111(pipe, vectors, text):
    columns = []
    for e, (tokenizer, encoder) in enumerate(((pipe.tokenizer, pipe.text_encoder),
                                              (pipe.tokenizer_2, pipe.text_encoder_2))):
        coder = a1111.Encoder(tokenizer, encoder)
        hijack = coder.embedder.hijack
        hijack.embedding_db = words_of(tokenizer, vectors, e)

        def put_in(module, args, out):
            rows = []
            for fixes, row in zip(hijack.fixes, out):
                for at, found in fixes:
                    n = min(len(row) - at - 1, len(found.vec))
                    row = torch.cat([row[:at + 1], found.vec[:n], row[at + 1 + n:]])
                rows.append(row)
            return torch.stack(rows)
        hook = encoder.get_input_embeddings().register_forward_hook(put_in)
        states, pooled = coder.encode(text)
        hook.remove()
        columns.append(states)
    n = max(x.shape[1] for x in columns)
    assert all(x.shape[1] == n for x in columns)
    return torch.cat(columns, -1), pooled


def open_pipe(eos):
    from diffusers import StableDiffusionXLPipeline
    pipe = StableDiffusionXLPipeline.from_pretrained(prompts.REPO, torch_dtype=torch.float32)
    for module in pipe.text_encoder_2.modules():
        if hasattr(module, "eos_token_id"):
            module.eos_token_id = eos
    return pipe


def case(eos, syntax, text, embeds, pooled):
    return dict(eos=eos, **prompts.encoded_case(syntax, text, embeds, pooled))


@torch.no_grad()
def make(out):
    from compel import CompelForSDXL, DiffusersTextualInversionManager
    torch.set_num_threads(1)
    vectors = make_vectors()
    for name, (n, keys, dtype) in FILES.items():
        safetensors.torch.save_file(dict(zip(keys, vectors[name])), out / f"{name}.safetensors")
    cases = []
    for eos in (513, 2):
        pipe = open_pipe(eos)
        cases += [case(eos, "a1111", text, *encode_a1111(pipe, vectors, text)) for text in A1111]
        load(pipe, vectors)
        for text in PLAIN:
            embeds, _, pooled, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False)
            cases.append(case(eos, "plain", text, embeds, pooled))
        compel = CompelForSDXL(
            pipe, textual_inversion_manager=DiffusersTextualInversionManager(pipe))
        for text in COMPEL:
            found = compel(text)
            cases.append(case(eos, "compel", text, found.embeds, found.pooled_embeds))
    prompts.write_cases(out / "encoded.json", cases)
