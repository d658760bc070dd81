"""Tokens of prompts and what a prompt may go on with, over HTTP. Counts are transformers' (tests/data/tokens), of a
model that has these tokenizers. usage: test_tokens.py PROGRAM SOURCE_DIR"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

from serving import Server, check, end, equal

program, source = sys.argv[1], sys.argv[2]
home = tempfile.mkdtemp(prefix="sdxl-lab-tokens-")
config = os.path.join(home, "config")


def make_model():
    """The embedded model with the tokenizers of the reference, as "Words"; and a wildcard."""
    model = os.path.join(home, "model")
    shutil.copytree(os.path.join(source, "models", "lab-tiny-xl"), model)
    for folder in ("tokenizer", "tokenizer_2"):
        shutil.rmtree(os.path.join(model, folder))
        shutil.copytree(os.path.join(source, "tests", "data", "tokens", folder), os.path.join(model, folder))
    own = os.path.join(config, "sdxl-lab")
    os.makedirs(os.path.join(own, "wildcards"))
    with open(os.path.join(own, "models.yaml"), "w") as file:
        json.dump({"Words": {"folder": model}}, file)
    with open(os.path.join(own, "wildcards", "colour.txt"), "w") as file:
        file.write("red\nblue\n")
    with open(os.path.join(own, "profiles.yaml"), "w") as file:
        json.dump({"Testing": {"prompt": "{prompt}, in oil", "negative": "blurry"}}, file)


make_model()
server = Server(program, "--device", "cpu", "--threads", "1", environment={"XDG_CONFIG_HOME": config})


def ask(**settings):
    return server.ask("POST", "/api/v1/tokens", {"settings": settings})


def tokens(**settings):
    answer = ask(model="Words", **settings)
    return answer.json() if answer.code == 200 else {"failed": answer.body}


def try_reference():
    with open(os.path.join(source, "tests", "data", "tokens", "tokens.json")) as file:
        cases = json.load(file)["cases"]
    n = 0
    for case in cases:
        text = case["text"]
        if "\0" in text or "<lora:" in text:
            continue
        found = tokens(prompt=text).get("prompt", {}).get("encoders", [{}, {}])
        expected = [case[folder]["n"] for folder in ("tokenizer", "tokenizer_2")]
        if [one.get("tokens") for one in found] != expected:
            equal("tokens of %.60r" % text, found, expected)
        n += 1
    check("as many tokens as transformers counts, of %d texts and both encoders" % n, n > 50, n)


def try_cuts():
    word = "the "
    one = tokens(prompt="the")["prompt"]["tokens"]
    limit = tokens(prompt="the")["limit"]
    equal("a chunk takes 75", limit, 75)
    fit = limit // one
    full = tokens(prompt=word * fit)["prompt"]
    equal("what fits is not cut", (full["tokens"], full["cut"], full["cut_at"], full["chunks"]), (fit * one, 0, None, 1))
    more = tokens(prompt=word * (fit + 3))["prompt"]
    equal("what does not is counted, and said where", (more["cut"], more["cut_at"]),
          ((fit + 3) * one - limit, len(word) * fit))
    umlauts = tokens(prompt="\u00e9\U0001f98a, " + word * 200)["prompt"]
    typed = "\u00e9\U0001f98a, " + word * 200
    check("in characters, not in bytes", typed[umlauts["cut_at"]:].startswith("the") and umlauts["cut_at"] > 10,
          umlauts["cut_at"])
    tags = tokens(prompt="<lora:turbo:0.5> " + word * (fit + 3))["prompt"]
    equal("a LoRA's tag is no part of the text", (tags["tokens"], tags["cut_at"]),
          ((fit + 3) * one, len("<lora:turbo:0.5> ") + len(word) * fit))
    styled = tokens(prompt="the", profile="Testing")
    equal("a profile's words are", (styled["prompt"]["text"], styled["negative"]["text"]), ("the, in oil", "blurry"))
    pushed = tokens(prompt=word * fit, profile="Testing")["prompt"]
    check("its words are cut, nothing that was typed", pushed["cut"] > 0 and pushed["cut_at"] is None, pushed)
    weighed = tokens(prompt=word * (fit + 3), prompt_syntax="a1111")["prompt"]
    equal("the other syntaxes take more chunks", (weighed["chunks"], weighed["cut"], weighed["cut_at"]), (2, 0, None))
    negative = tokens(prompt="x", negative=word * (fit + 1))["negative"]
    equal("negatives likewise", negative["cut_at"], len(word) * fit)


def try_command():
    text = "an old (lighthouse:1.2) at dawn, mist"
    for syntax in ("plain", "a1111", "compel"):
        told = subprocess.run([program, "inspect", "tokens", "--model", "Lab Tiny XL", "--prompt-syntax", syntax,
                               "--prompt", text], capture_output=True, text=True, env=server.environment)
        own = json.loads(told.stdout)[0]
        answer = ask(model="Lab Tiny XL", prompt=text, prompt_syntax=syntax).json()["prompt"]
        equal("inspect tokens says the same, " + syntax, [answer[key] for key in ("tokens", "chunks", "cut", "encoders")],
              [own[key] for key in ("tokens", "chunks", "cut", "encoders")])


def try_refusals():
    for name, settings, field in (("a profile", {"profile": "nonesuch"}, "profile"), ("a model", {"model": "nonesuch"}, "model"),
                                  ("a path", {"model": "/etc"}, "model"), ("a setting", {"steps": "many"}, "steps"),
                                  ("a tag that is not closed", {"prompt": "a <lora:x"}, "prompt"),
                                  ("what is none", {"promt": "x"}, None)):
        answer = ask(**{"prompt": "x", **settings})
        equal("refused: " + name, (answer.code, answer.error()[1]), (422, field))
    equal("and a body without settings", server.ask("POST", "/api/v1/tokens", {"prompt": "x"}).error()[1], "settings")
    equal("and one that is too large", server.ask("POST", "/api/v1/tokens", {"settings": {"prompt": "x" * 200000}}).code, 413)


def complete(text, **more):
    query = urllib.parse.urlencode({"text": text, **more})
    answer = server.get("/api/v1/complete?" + query)
    return [(item["kind"], item["text"] or item["name"], item["from"]) for item in answer.json()["items"]]


def draw(prompt):
    id = server.ask("POST", "/api/v1/jobs", {"settings": {"prompt": prompt, "model": "Lab Tiny XL", "steps": 1,
                                                          "size": "64x64"}}).json()["id"]
    late = time.monotonic() + 120
    while server.get("/api/v1/jobs/" + id).json()["state"] in ("queued", "running") and time.monotonic() < late:
        time.sleep(0.05)
    equal("drawn: " + prompt, server.get("/api/v1/jobs/" + id).json()["state"], "done")


def try_completing():
    equal("nothing begins so", complete("qqzz"), [])
    equal("wildcards", complete("a __co"), [("wildcard", "__colour__", 2)])
    equal("which end", complete("a __colour__ __co"), [("wildcard", "__colour__", 13)])
    check("LoRAs", ("lora", "<lora:turbo:1>", 4) in complete("cat <lora:"), complete("cat <lora:"))
    equal("by a part of their names", complete("\u00e9, <lora:glass"), [("lora", "<lora:stained-glass:1>", 3)])
    equal("profiles", complete("a cat, testi"), [("profile", "Testing", 7)])
    draw("golden hour lighting, a wet street, (old oak:1.2)")
    draw("Golden hour lighting, a dry street")
    equal("phrases and words of earlier prompts, those used most first", complete("Gold"),
          [("word", "golden hour lighting", 0), ("word", "golden", 0)])
    equal("words in the middle of a phrase", complete("in a wet str"), [("word", "street", 9)])
    equal("without their weights", complete("x, (ol"), [("word", "old oak", 4), ("word", "old", 4)])
    equal("as many as were asked for", len(complete("gold", limit=1)), 1)
    equal("at least some text", server.get("/api/v1/complete").error()[1], "text")
    equal("not too much of it", server.get("/api/v1/complete?text=" + "x" * 2000).code, 422)


try_reference()
try_cuts()
try_command()
try_refusals()
try_completing()
server.clean()
shutil.rmtree(home)
end()
