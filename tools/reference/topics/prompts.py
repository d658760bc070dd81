"""Prompts with weights, schedules, chunks and textual inversions, as A1111, compel and diffusers
understand them.

attention.json   texts and their pieces with weights, by A1111's rules
steps.json       texts, a number of steps, and what each step sees, by A1111's grammar (lark)
compel.json      texts and what compel's own parser makes of them
encoded.json     prompts for the miniature SDXL of topic models: chunks of token ids and weights,
                 and SAMPLES numbers of the embeddings (number i at i * STRIDE modulo the count)
                 with their root mean square, and the pooled vector
pictures.json    whole pictures that diffusers draws with such embeddings (PNG files)
embeddings/      textual inversions for the miniature SDXL

A1111's algorithm is written down here once more, from its description: nothing of it is imported.
All numbers come from float32 arithmetic. Needs lark, compel, diffusers, transformers.
"""
import json
import pathlib
import re
import shutil

import safetensors.torch
import torch

import models

SAMPLES, STRIDE = 256, 7919
ROOM, LENGTH, BACKTRACK = 75, 77, 20


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


def attention(text):
    """[[text, weight], ...]: a stack of places for each kind of bracket."""
    out, stacks = [], {"(": [], "[": []}

    def close(kind, by):
        for piece in out[stacks[kind].pop():]:
            piece[1] *= by
    for token in re.findall(r"\\[()\[\]\\]|\\|\(|\[|:[+-]?[.\d]+\)|\)|\]|[^\\()\[\]:]+|:", text):
        if token[0] == "\\":
            out.append([token[1:], 1.0])
        elif token in stacks:
            stacks[token].append(len(out))
        elif token[0] == ":" and len(token) > 1 and stacks["("]:
            close("(", float(token[1:-1]))
        elif token == ")" and stacks["("]:
            close("(", 1.1)
        elif token == "]" and stacks["["]:
            close("[", 1 / 1.1)
        else:
            for i, part in enumerate(re.split(r"\s*\bBREAK\b\s*", token)):
                if i:
                    out.append(["BREAK", -1])
                out.append([part, 1.0])
    for kind, by in (("(", 1.1), ("[", 1 / 1.1)):
        while stacks[kind]:
            close(kind, by)
    merged = []
    for text, weight in out or [["", 1.0]]:
        if merged and merged[-1][1] == weight:
            merged[-1][0] += text
        else:
            merged.append([text, weight])
    return merged


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

GRAMMAR = r"""
text: (inside | STRAY)*
inside: (weight | schedule | either | PLAIN | SPACE)*
!weight: "(" inside ")" | "(" inside ":" inside ")" | "[" inside "]"
schedule: "[" [inside ":"] inside ":" [SPACE] SIGNED_NUMBER [SPACE] "]"
either: "[" inside ("|" [inside])+ "]"
STRAY: /[\[\]():]/
SPACE: /\s+/
PLAIN: /([^\\\[\]():|]|\\.)+/
%import common.SIGNED_NUMBER
"""


def parts_of_steps(parser, text, n_steps):
    import lark
    try:
        tree = parser.parse(text)
    except lark.exceptions.LarkError:
        return [[n_steps, text]]
    ends = {n_steps}

    def when_of(node):
        number = next(str(t) for t in node.children if isinstance(t, lark.Token)
                      and t.type == "SIGNED_NUMBER")
        value = float(number) * (n_steps if "." in number else 1)
        return min(n_steps, int(value))
    for node in tree.iter_subtrees():
        if node.data == "schedule" and when_of(node) >= 1:
            ends.add(when_of(node))
        if node.data == "either":
            ends.update(range(1, n_steps + 1))

    def at(node, step):
        if node is None:
            return ""
        if isinstance(node, lark.Token):
            return str(node)
        if node.data == "schedule":
            before, after = node.children[:2]
            return at(before if step <= when_of(node) else after, step)
        if node.data == "either":
            return at(node.children[(step - 1) % len(node.children)], step)
        return "".join(at(child, step) for child in node.children)
    return [[end, at(tree, end)] for end in sorted(ends)]


def write_steps(path):
    import lark
    parser = lark.Lark(GRAMMAR, start="text", maybe_placeholders=True)
    cases = [[text, n, parts_of_steps(parser, text, n)] for text in STEPS for n in (10, 3, 1)]
    write_cases(path, cases)


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


# ---- A1111: chunks and embeddings ----

REPO = pathlib.Path(__file__).resolve().parents[3] / "tests/data/models/repo"

LONG = ", ".join(f"word {i} of a (longer:1.3) text" for i in range(9))
A1111 = [
    "a photo of a cat", "", "a (red:1.4) cat, [blurry] (((sky)))", "(bad:0.2)(good:-0.5)", LONG,
    "a BREAK (b:1.2) c", "x" * 75, "x" * 76, "x" * 70 + ",yyyyyyyyyyyy", "x" * 50 + "," + "y" * 40,
    "x" * 54 + "," + "y" * 40, "a<|endoftext|>b (c:1.5)", "x" * 75 + ",", "BREAK",
]


def a1111_chunks(tokenizer, text):
    """[(ids, weights)] of LENGTH each."""
    comma = tokenizer(",", add_special_tokens=False)["input_ids"][0]
    chunks, now, last_comma = [], [], None

    def flush():
        nonlocal now, last_comma
        room = ROOM - len(now)
        ids = [tokenizer.bos_token_id] + [i for i, _ in now] + [tokenizer.eos_token_id] * (room + 1)
        if tokenizer.pad_token_id != tokenizer.eos_token_id:
            end = ids.index(tokenizer.eos_token_id) + 1
            ids = ids[:end] + [tokenizer.pad_token_id] * (LENGTH - end)
        chunks.append((ids, [1.0] + [w for _, w in now] + [1.0] * (room + 1)))
        now, last_comma = [], None
    for piece, weight in attention(text):
        if (piece, weight) == ("BREAK", -1):
            flush()
            continue
        for token in tokenizer(piece, add_special_tokens=False)["input_ids"]:
            if token == comma:
                last_comma = len(now)
            elif len(now) == ROOM and last_comma is not None and ROOM - last_comma <= BACKTRACK:
                now, moved = now[:last_comma + 1], now[last_comma + 1:]
                flush()
                now = moved
            if len(now) == ROOM:
                flush()
            now.append((token, weight))
    if now or not chunks:
        flush()
    return chunks


def a1111_encode(tokenizer, encoder, text, skip=2):
    """Embeddings [chunks * LENGTH, width] and the pooled vector of the first chunk (or None)."""
    rows, pooled = [], None
    for ids, weights in a1111_chunks(tokenizer, text):
        out = encoder(torch.tensor([ids]), output_hidden_states=True)
        z = out.hidden_states[-skip]
        mean = z.mean()
        z = z * torch.tensor(weights)[None, :, None]
        rows.append((z * (mean / z.mean()))[0])
        if pooled is None:
            pooled = getattr(out, "text_embeds", None)
    return torch.cat(rows), pooled


def a1111_both(pipe, text, n_chunks=0, skip=2):
    """Embeddings of both encoders, empty chunks appended up to n_chunks."""
    columns, pooled = [], None
    for tokenizer, encoder in ((pipe.tokenizer, pipe.text_encoder),
                               (pipe.tokenizer_2, pipe.text_encoder_2)):
        rows, pooled = a1111_encode(tokenizer, encoder, text, skip)
        empty = a1111_encode(tokenizer, encoder, "", skip)[0]
        while len(rows) < n_chunks * LENGTH:
            rows = torch.cat([rows, empty])
        columns.append(rows)
    return torch.cat(columns, -1)[None], pooled


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
    """Texts by step; the last element of a step's list is what that step sees."""
    parts = case.pop("parts")
    n_chunks = max(len(a1111_chunks(pipe.tokenizer, t))
                   for t in [case["negative"] or "", *(t for _, t in parts)])

    def half(text):
        return a1111_both(pipe, text, n_chunks)
    if case["negative"] is None:
        embeds = [torch.zeros_like(x) for x in half("")]
    else:
        embeds = half(case["negative"])

    def at(step):
        return half(next(text for last, text in parts if step <= last))

    def on_step(pipe, i, t, kwargs):
        if i + 2 <= case["steps"]:
            prompt, pooled = at(i + 2)
            kwargs["prompt_embeds"] = torch.cat([embeds[0], prompt])
            kwargs["add_text_embeds"] = torch.cat([embeds[1], pooled])
        return kwargs
    return draw(pipe, out, case, (*at(1), *embeds), on_step)


def case_of(name, prompt, negative, **more):
    return dict(dict(name=name, syntax="a1111", prompt=prompt, negative=negative, width=64,
                     height=48, steps=4, guidance=5.0, seed=71, clip_skip=2), **more)


def write_pictures(pipe, out):
    cases = [
        a1111_picture(pipe, out, case_of("weights", "a (red:1.4) cat", "[blurry], (bad:1.3)",
                                         parts=[[4, "a (red:1.4) cat"]])),
        a1111_picture(pipe, out, case_of("long", LONG, None, parts=[[4, LONG]])),
        a1111_picture(pipe, out, case_of(
            "steps", "[cat:(dog:1.3):0.5] [a|b]", "bad",
            parts=[[1, "cat a"], [2, "cat b"], [3, "(dog:1.3) a"], [4, "(dog:1.3) b"]])),
    ]
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
    write_cases(out / "attention.json", [[t, attention(t)] for t in ATTENTION])
    write_steps(out / "steps.json")
    parser = PromptParser()
    write_cases(out / "compel.json", [compel_case(parser, t) for t in COMPEL])
    pipe = StableDiffusionXLPipeline.from_pretrained(REPO, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    pipe.watermark = None
    encoded = [encoded_case("a1111", text, *a1111_both(pipe, text)) for text in A1111]
    encoded += [encoded_case("a1111", A1111[2], *a1111_both(pipe, A1111[2], skip=skip), skip)
                for skip in (1, 3)]
    compel = CompelForSDXL(pipe)
    for text in COMPEL_ENCODED:
        found = compel(text)
        encoded.append(encoded_case("compel", text, found.embeds, found.pooled_embeds))
    write_cases(out / "encoded.json", encoded)
    write_pictures(pipe, out)
