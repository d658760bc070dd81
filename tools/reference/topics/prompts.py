"""Prompts with weights, schedules and chunks, as A1111, compel and diffusers
understand them.

attention.json   texts and their pieces with weights, by A1111's rules
steps.json       texts, a number of steps, and what each step sees, by A1111's grammar (lark)
compel.json      texts and what compel's own parser makes of them
chunks.json      texts with what A1111 and compel make of them with the embedded model's second
                 tokenizer: for each chunk the ids but for the padding, and runs of equal weights
encoded.json     prompts for the miniature SDXL of topic models: chunks of token ids and weights,
                 and SAMPLES numbers of the embeddings (number i at i * STRIDE modulo the count)
                 with their root mean square, and the pooled vector
pictures.json    whole pictures that diffusers draws with such embeddings (PNG files)

A1111's answers are those of its own code (see tools/reference/a1111.py), compel's those of compel.
All numbers come from float32 arithmetic. Needs lark, compel, diffusers, transformers.
"""
import json
import pathlib
import shutil

import safetensors.torch
import torch

import a1111
import models

SAMPLES, STRIDE = 256, 7919
LENGTH = 77


def write_cases(path, cases):
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    path.write_text('{"cases": [\n' + lines + "\n]}\n")


# ---- Weights ----

ATTENTION = [
    "normal text", "an (important) word", "(unbalanced", r"\(literal\]", "(unnecessary)(parens)",
    "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).", "[a]", "[a:2]", "(a:1.2)(b:1.2)",
    "(a:1.2", "a) b", "(a:.5)", "(a:-1)", "(a:+1.5)", "(a: 1.2 )", "((a:1.2))", "(a:1.2:1.3)", "",
    "()", "a BREAK b", "(a:1,2)", r"a\\b", "(re:zero:1.2)", "(a\nb:1.1)", "[[a](b)]", "a:1.2)",
    "BREAK", "a BREAK BREAK b", "a\\", r"\a \: (b\):1.2)", "a,BREAK(b:1.3)c", "[(a:1.5)]:1.2)",
    "(Zürich:1.3) 東京 [", ":", "((((((((((a))))))))))",
]


# A weight with blanks around it is text, as in A1111 up to 1.5; later versions take it.
EARLIER = {"(a: 1.2 )": [["a: 1.2 ", 1.1]]}


# ---- Schedules ----

STEPS = [
    "test", "a [b:3]", "a [b: 3]", "a [[[b]]:2]", "[(a:2):3]", "a [b : c : 1] d",
    "a[b:[c:d:2]:1]e", "a [unbalanced", "a [b:.5] c", "((a][:b:c [d:3]", "[a|(b:1.1)]",
    "[fe|]male", "[fe|||]male", "a [b::4] c", "[a:b:0.25], (c [d|e]:1.3)", "[[a|b]:c:6]",
    "[a|[b|c]]", "[a:b]", "[a:b:x]", "a|b [c:3]", "[a:b|c]", r"a \[b:3\] [c:3]", "[a:b:-1]",
    "[a:b:99]", "[a:b:1.0]", "[a:b:0]", "[:b:2]", "[a::0.3]", "(a:b:1.2) [c:2]",
    "[(re:zero:1.2):5]", "[a:b:c:2]", "x [a [b:2]", "[a] b:3]", "(a [b:4)] c", "",
    "[ mountain : lake : 0.25 ]", "[a:(b:1.3):2][c|d]",
]


# ---- compel's syntax ----

COMPEL = [
    "a cat+", "a (big cat)++ here", "a cat-", "a (cat)1.3", "a (cat)0.5 b", "cat++--",
    "(a (b)+ c)+", '("a","b").blend(1,0.8)', '("a","b").and()', '("a","b").and(1,0.5)',
    r"a \(b\)", "a cat.swap(dog)", "(word:1.2)", "a+ b", "", "   ", "a, b,c", "well-known cat+",
    "C++ and C\\+\\+", "(a, b. c)1.2 d", "a (b (c)1.5 d)- e", "(unclosed", "closed)+ x",
    '"two words"+ x', '"two words" x', 'a "b (c)+ d"- e', '"un (closed" x', "(a = b)++",
    "(cat)-0.5", "(cat)1.3b", "(cat) 1.3", "cat.attend(1.5) x", "(a b).attend(--) c",
    '("a+ b", "(c)0.5 d").blend(0.25, 0.75)', '("a", "b").blend(1, 2, no_normalize)',
    '(a, b).blend(1, 1)', '("a b (c", "d").and(1, 2)', '("a").and()', '("a","b").and() rest',
    '""+', "x ((a)) y", "((a))+ ((b)1.1)1.1", "1.5+ 2", "-cat+",
    "(a b", '("a" "b").and()', "a cat.swap(dog, s_end=0.5) x", "(a)(b)+(c)", "Zürich+ 東京-",
    "a.b.c+", "(\n a)+", r'\"a\" (b\)1.2 c)', "(a)1. b", "(a)+1.5", "cat+,dog", "(a,b)1.2,c",
]


def compel_case(parser, text):
    from compel.prompt_parser import Blend, CrossAttentionControlSubstitute
    swaps = []

    def pieces(prompt):
        out = []
        for child in prompt.children:
            if isinstance(child, CrossAttentionControlSubstitute):
                swaps.append(child)
                out += [[f.text, f.weight] for f in child.original]
            else:
                out.append([child.text, child.weight])
        return out
    found = parser.parse_conjunction(text)
    parts = []
    for prompt, weight in zip(found.prompts, found.weights):
        if isinstance(prompt, Blend):
            parts.append([weight, prompt.normalize_weights,
                          [[w, pieces(p)] for p, w in zip(prompt.prompts, prompt.weights)]])
        else:
            parts.append([weight, True, [[1.0, pieces(prompt)]]])
    return [text, bool(swaps), parts]


# ---- Prompts that are encoded ----

REPO = pathlib.Path(__file__).resolve().parents[3] / "tests/data/models/repo"

LONG = ", ".join(f"word {i} of a (longer:1.3) text" for i in range(9))
A1111 = [
    "a photo of a cat", "", "a (red:1.4) cat, [blurry] (((sky)))", "(bad:0.2)(good:-0.5)", LONG,
    "a BREAK (b:1.2) c", "x" * 75, "x" * 76, "x" * 70 + ",yyyyyyyyyyyy", "x" * 50 + "," + "y" * 40,
    "x" * 54 + "," + "y" * 40, "a<|endoftext|>b (c:1.5)", "x" * 75 + ",", "BREAK",
]


# ---- Chunks ----

TOKENIZER = pathlib.Path(__file__).resolve().parents[3] / "models/lab-tiny-xl/tokenizer_2"

WORDS = "an old lighthouse on a cliff above the stormy sea at night "
CHUNKED = [
    "", "BREAK", "a BREAK b", "a BREAK", "BREAK BREAK a", "a BREAK BREAK b", "a BREAKFAST, (b:1.2)",
    *("x " * n for n in (74, 75, 76, 149, 150, 151, 225)), "x " * 75 + "BREAK y",
    *("x " * n + ", " + "y " * 40 for n in (53, 54, 55, 56, 73, 74, 75)),
    "x " * 54 + ", " + "y " * 19 + ", z " + "y " * 20, "x " * 74 + ", , , y",
    ", ".join([WORDS] * 20), "x" * 400, "é" * 200, "x " * 70 + "y" * 30, "(a:0.5)[b]" * 60,
    "x " * 60 + ", (" + "y " * 30 + ":1.3) BREAK [z]", "a<|endoftext|>b (c:1.5)",
]
CHUNKED_COMPEL = [
    "", *("x " * n for n in (75, 76, 150, 151)), "x" * 400, "x " * 70 + "y" * 30,
    ". ".join([WORDS] * 12), ", ".join([WORDS] * 12), "x " * 40 + ". " + "y " * 30 + ", " + "z " * 30,
    "x " * 40 + "; " + "(" + "y " * 50 + ")1.3", WORDS * 12, "a<|endoftext|>b (c)1.5",
]


def runs_of(weights):
    runs = []
    for weight in weights:
        if runs and runs[-1][1] == weight:
            runs[-1][0] += 1
        else:
            runs.append([1, weight])
    return runs


def chunk_case(syntax, text, chunks, pad):
    def without_padding(ids):
        return ids[:max(i + 1 for i, id in enumerate(ids) if id != pad)]
    return dict(syntax=syntax, prompt=text, chunks=[[without_padding(ids), runs_of(weights)]
                                                    for ids, weights in chunks])


def compel_chunks(compel, parser, text):
    prompt = parser.parse_conjunction(text).prompts[0]
    ids, weights, _ = compel.conditioning_provider.get_token_ids_and_expand_weights(
        [f.text for f in prompt.children], [f.weight for f in prompt.children], device="cpu")
    weights = [float(f"{w:.8g}") for w in weights]
    return [(ids[i:i + LENGTH].tolist(), weights[i:i + LENGTH]) for i in range(0, len(ids), LENGTH)]


def write_chunks(path, compel, parser):
    from transformers import CLIPTokenizer
    tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
    encoder = a1111.Encoder(tokenizer)
    compel.conditioning_provider.tokenizer = tokenizer
    pad = tokenizer.pad_token_id
    cases = [chunk_case("a1111", text, encoder.chunks(text), pad) for text in CHUNKED]
    cases += [chunk_case("compel", text, compel_chunks(compel, parser, text), pad)
              for text in CHUNKED_COMPEL]
    write_cases(path, cases)


# ---- Embeddings of the miniature SDXL ----

def sampled(x):
    flat = x.double().flatten()
    index = torch.arange(SAMPLES) * STRIDE % flat.numel()
    return [float(f"{v:.8g}") for v in [*flat[index], flat.square().mean().sqrt()]]


# Weights of .and() are left out: compel 2.5 fails on them with SDXL's encoders.
COMPEL_ENCODED = [
    "a photo of a cat", "a (red)1.4 cat", "a (red)0.4 cat", "(blurry)-- (sharp)++ x",
    '("a cat", "a (dog)1.3").blend(1, 0.5)', '("a cat", "a dog").and()',
    "word. " * 8 + "(a long end)1.3 of it", "x" * 76, "y" * 40 + ", " + "z" * 40,
    '("a cat", "' + "x" * 80 + '").blend(0.3, 0.7)', "a (" + "v" * 90 + ")0.5 b",
    '("a", "b").blend(1, 0.5, no_normalize)', "a cat.swap(dog) x", "(a (b)+ c)0.7 d",
    "a<|endoftext|>b (c)1.5",
]


def encoded_case(syntax, text, embeds, pooled, skip=2):
    return dict(syntax=syntax, prompt=text, clip_skip=skip, chunks=embeds.shape[1] // LENGTH,
                text=sampled(embeds), pooled=[float(f"{v:.8g}") for v in pooled.flatten()])


# ---- Whole pictures ----

def draw(pipe, out, case, embeds, on_step=None):
    """embeds: (prompt, pooled, negative, negative pooled) of both halves."""
    prompt, pooled, negative, negative_pooled = embeds
    request = dict(
        prompt_embeds=prompt, pooled_prompt_embeds=pooled, negative_prompt_embeds=negative,
        negative_pooled_prompt_embeds=negative_pooled, guidance_scale=case["guidance"],
        num_inference_steps=case["steps"], width=case["width"], height=case["height"],
        generator=torch.Generator().manual_seed(case["seed"]))
    if on_step:
        request |= dict(callback_on_step_end=on_step, callback_on_step_end_tensor_inputs=[
            "latents", "prompt_embeds", "add_text_embeds"])
    pipe(**request).images[0].save(out / (case["name"] + ".png"))
    return case


def a1111_picture(pipe, out, case):
    """Each step sees the texts that the grammar has for it, counted from 1."""
    texts = [case["prompt"], case["negative"] or ""]
    parts = [a1111.parse_steps(text, case["steps"]) for text in texts]
    chunks = a1111.Encoder(pipe.tokenizer).chunks
    n_chunks = max(len(chunks(text)) for own in parts for _, text in own)

    def at(step):
        """Prompt, its pooled vector, negative prompt, its pooled vector."""
        halves = [a1111.encode_both(pipe, next(t for last, t in own if step <= last), n_chunks)
                  for own in parts]
        if case["negative"] is None:
            halves[1] = [torch.zeros_like(x) for x in halves[1]]
        return [*halves[0], *halves[1]]

    def on_step(pipe, i, t, kwargs):
        if i + 2 <= case["steps"]:
            prompt, pooled, negative, negative_pooled = at(i + 2)
            kwargs["prompt_embeds"] = torch.cat([negative, prompt])
            kwargs["add_text_embeds"] = torch.cat([negative_pooled, pooled])
        return kwargs
    return draw(pipe, out, case, at(1), on_step)


def compel_picture(pipe, compel, out, case):
    found = compel(case["prompt"], negative_prompt=case["negative"])
    return draw(pipe, out, case, (found.embeds, found.pooled_embeds, found.negative_embeds,
                                  found.negative_pooled_embeds))


def case_of(name, prompt, negative, **more):
    return dict(dict(name=name, syntax="a1111", prompt=prompt, negative=negative, width=64,
                     height=48, steps=4, guidance=5.0, seed=71, clip_skip=2), **more)


A1111_PICTURES = [
    ("weights", "a (red:1.4) cat", "[blurry], (bad:1.3)"), ("long", LONG, None),
    ("steps", "[cat:(dog:1.3):0.5] [a|b]", "bad"),
    ("long-negative", "a [red::0.5] cat BREAK (big:1.2)", "[" + LONG + "|bad]"),
]
COMPEL_PICTURES = [
    ("compel", "a (red cat)1.4 on a sofa--", "blurry+, (bad)0.6"),
    ("compel-long", "word. " * 8 + "(a long end)1.3 of it", "bad"),
    ("compel-blend", '("a cat", "a (dog)1.3").blend(1, 0.5)', '("x+", "y").and()'),
]


def write_pictures(pipe, compel, out):
    cases = [a1111_picture(pipe, out, case_of(*case)) for case in A1111_PICTURES]
    cases += [compel_picture(pipe, compel, out, case_of(*case, syntax="compel"))
              for case in COMPEL_PICTURES]
    for skip in (1, 3):
        case = case_of(f"clip-skip-{skip}", "an old sailor", None, syntax="plain", clip_skip=skip)
        pipe(prompt=case["prompt"], guidance_scale=5.0, num_inference_steps=4, width=64, height=48,
             clip_skip=skip - 2, generator=torch.Generator().manual_seed(71),
             ).images[0].save(out / (case["name"] + ".png"))
        cases.append(case)
    write_cases(out / "pictures.json", cases)


@torch.no_grad()
def make(out):
    from compel import CompelForSDXL
    from compel.prompt_parser import PromptParser
    from diffusers import StableDiffusionXLPipeline
    torch.set_num_threads(1)
    write_cases(out / "attention.json", [[t, EARLIER.get(t) or a1111.parse_attention(t)]
                                         for t in ATTENTION])
    write_cases(out / "steps.json", [[t, n, a1111.parse_steps(t, n)] for t in STEPS
                                     for n in (10, 3, 1)])
    parser = PromptParser()
    write_cases(out / "compel.json", [compel_case(parser, t) for t in COMPEL])
    pipe = StableDiffusionXLPipeline.from_pretrained(REPO, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    pipe.watermark = None
    encoded = [encoded_case("a1111", text, *a1111.encode_both(pipe, text)) for text in A1111]
    encoded += [encoded_case("a1111", A1111[2], *a1111.encode_both(pipe, A1111[2], skip=skip), skip)
                for skip in (1, 3)]
    compel = CompelForSDXL(pipe)
    for text in COMPEL_ENCODED:
        found = compel(text)
        encoded.append(encoded_case("compel", text, found.embeds, found.pooled_embeds))
    write_cases(out / "encoded.json", encoded)
    write_pictures(pipe, compel, out)
    write_chunks(out / "chunks.json", compel.compel_2, parser)
