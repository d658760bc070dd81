"""What transformers' CLIPTokenizer makes of texts, with a small vocabulary of our own.

tokenizer/    vocab.json, merges.txt and the configuration files as SDXL repositories have them for
              the first text encoder: tokens as objects, padding by the end token
tokenizer_2/  the same vocabulary; padding by "!", which thereby is a token wherever it stands
unified/      the vocabulary as tokenizer.json alone, tokens with every rule in added_tokens_decoder,
              which makes special_tokens_map.json void
partial/      a vocabulary that lacks bytes, an unknown token of its own, added_tokens.json
tokens.json   cases: text; for each folder its ids at length 77, without the padding at the end, and
              n, the tokens of the whole text. bytes: what Python decodes text to, given as hex

The vocabulary is trained here, on the sentences below: byte-level byte pairs with "</w>".
"""
import collections
import json
import random
import shutil
import unicodedata

from transformers import CLIPTokenizer

N_MERGES = 700
BOS, EOS = "<|startoftext|>", "<|endoftext|>"
FOLDERS = ["tokenizer", "tokenizer_2", "unified", "partial"]

SENTENCES = """
a photo of a red cat sitting on the wooden table in the morning light
a watercolour painting of an old lighthouse on a cliff above the stormy sea
portrait of an elderly fisherman with a white beard, dramatic light, highly detailed
the castle on the hill at night, stars in the sky, reflection in the lake
a bowl of fresh strawberries and cherries, close up, shallow depth of field, 35mm film
concept art of a floating city with bridges and waterfalls, digital painting, sharp focus
an astronaut riding a horse through the desert, cinematic light, 4k, masterpiece
a little girl's umbrella in the rain, it's raining, they're running, i'm not sure, we'll see
the quick brown fox jumps over the lazy dog and doesn't look back
black and white photograph of a train station in winter, steam, people waiting
isometric drawing of a bakery with a garden, soft colours, high quality, best quality
low quality, blurry, worst quality, jpeg artefacts, watermark, signature, text
a green forest with tall trees, mist between the trees, a stone path, mushrooms
interior of a cozy room with a fireplace, books on the shelves, a sleeping dog
an underwater scene with coral, fishes, a turtle and rays of light from above
ein altes haus am see mit grünen fenstern und einer großen tür, schöner himmel
un café à paris, la lumière du soir, une fenêtre ouverte, naïve peinture
красивый дом у реки, белая кошка на окне, зимний вечер в москве
東京の夜景、雨の中の傘、猫と犬、美しい絵
القمر فوق البحر في الليل وبيت صغير على الشاطئ
한국의 가을 산과 강, 아름다운 하늘
😀 😃 😄 🎨 🌅 ❤️ 👍🏽 👩‍🎨 🐈 🐕 !! !!! ... (( )) , . ; : - – — “ ” ’
""".strip().splitlines()


def byte_chars():
    """GPT-2's printable stand-ins for the 256 bytes."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def train(n_merges):
    """Vocabulary and merges; of equally frequent pairs the one that comes first in order."""
    chars = byte_chars()
    symbols = sorted(chars.values(), key=lambda c: (ord(c) >= 256, ord(c)))
    vocab = symbols + [c + "</w>" for c in symbols]
    counts = collections.Counter(word for line in SENTENCES for word in line.split())
    words = {word: [chars[b] for b in word.encode()] for word in counts}
    for symbols in words.values():
        symbols[-1] += "</w>"
    merges = []
    while len(merges) < n_merges:
        pairs = collections.Counter()
        for word, symbols in words.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += counts[word]
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        for symbols in words.values():
            for i in range(len(symbols) - 1, 0, -1):
                if tuple(symbols[i - 1:i + 1]) == best:
                    symbols[i - 1:i + 1] = ["".join(best)]
        merges.append(best)
        vocab.append("".join(best))
    return {token: i for i, token in enumerate(vocab + [BOS, EOS])}, merges


def token(content, **rule):
    return {"content": content, "lstrip": False, "normalized": True, "rstrip": False,
            "single_word": False, **rule}


def config(**keys):
    return {"add_prefix_space": False, "do_lower_case": True, "errors": "replace",
            "model_max_length": 77, "tokenizer_class": "CLIPTokenizer", **keys}


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def write_folder(folder, vocab, merges, **files):
    folder.mkdir()
    write(folder / "vocab.json", vocab)
    lines = ["#version: 0.2"] + [" ".join(merge) for merge in merges]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, value in files.items():
        write(folder / f"{name}.json", value)


def write_folders(out):
    vocab, merges = train(N_MERGES)
    objects = {"bos_token": token(BOS), "eos_token": token(EOS), "unk_token": token(EOS)}
    typed = {key: {"__type": "AddedToken", **value} for key, value in objects.items()}
    for folder, pad in (("tokenizer", EOS), ("tokenizer_2", "!")):
        write_folder(out / folder, vocab, merges, tokenizer_config=config(**typed, pad_token=pad),
                     special_tokens_map={**objects, "pad_token": pad})

    n = len(vocab)
    rules = {vocab[BOS]: token(BOS, lstrip=True, special=True),
             vocab[EOS]: token(EOS, rstrip=True, normalized=False, special=True),
             n: token("Cat", single_word=True), n + 1: token("Catalogue"),
             n + 2: token("é! x"), n + 3: token("<i>", normalized=False, lstrip=True, rstrip=True)}
    (out / "unified").mkdir()
    backend = json.loads(CLIPTokenizer.from_pretrained(out / "tokenizer")._tokenizer.to_str())
    write(out / "unified" / "tokenizer.json", backend)
    write(out / "unified" / "tokenizer_config.json", config(
        bos_token=BOS, eos_token=EOS, unk_token=EOS, pad_token=EOS,
        added_tokens_decoder={str(i): rules[i] for i in sorted(rules, reverse=True)}))
    write(out / "unified" / "special_tokens_map.json", {"pad_token": "!"})

    known = [t for t in list(vocab)[:512] if t.removesuffix("</w>") in "acdefghiklmnoprstu.,!'Ã©"]
    have, made = set(known), []
    for merge in merges:
        if set(merge) <= have and len(made) < 40:
            made.append(merge)
            have.add("".join(merge))
    small = {t: 2 * i for i, t in enumerate([BOS, EOS, "<unk>", *known, *map("".join, made)])}
    write_folder(out / "partial", small, made, added_tokens={"<new>": len(small)},
                 tokenizer_config=config(bos_token=BOS, eos_token=EOS, pad_token=EOS,
                                         unk_token="<unk>"),
                 special_tokens_map={"additional_special_tokens": ["<Sks>"]})


TEXTS = SENTENCES + [
    "", " ", "   \t\n", "a", "A", "Z", "!", "!!", "!!!!!!!!", ".", "...", "'", "''", "\"", "\\", "/", "\\n",
    # case and white space
    "A Photo OF a CAT", "  leading and trailing  ", "tabs\tand\nlines\r\nand\x0bmore\x0cspace",
    "no\u00a0break", "thin\u2009em\u2003figure\u2007narrow\u202fideographic\u3000", "zero\u200bwidth",
    "line\u2028paragraph\u2029next\u0085", "ogham\u1680mongolian\u180evowel", "\ufeffbyte order mark",
    "soft\u00adhyphen", "word\u2060joiner",
    # full and context-dependent case mappings
    "İstanbul ISTANBUL ıi", "ΑΣΣ ΟΔΥΣΣΕΥΣ ς σ", "STRASSE straße ẞ", "ǅ Ǆ ǆ ǈ", "Ǆungla", "ﬁ ﬂ ﬀ ﬃ",
    "ÅNGSTRÖM Å Ω K", "ŉ ǰ ΐ", "Ⓐⓑ Ⅷ ⅷ", "Ꭰꭰ Ა ა", "𐐀𐐨 𞤀𞤢", "ȺȾ ẞß Ⱥ",
    # composition
    "é e\u0301 E\u0301", "ö o\u0308 ǖ u\u0308\u0304 u\u0304\u0308", "q\u0323\u0307 q\u0307\u0323",
    "각 각 가\u11a8 \u1100\u1161\u11a8", "가\u3000각", "क़ क\u093c", "\u0344 \u0958 \u2126 \u212b", "ガ カ\u3099",
    "\u0301 alone", "a" + "\u0301\u0323" * 12, "豈 豈 金", "\u0f43 \u0f71\u0f74 ཷ", "\U0001d15e \U0001d1bb",
    "a\u034f\u0301b", "\u1e9b\u0323", "שּׁ שׁ", "بَّ بَّ",
    # scripts
    "Привет, Мир! ЁЖИК ё е\u0308", "Ωραία θέα της Αθήνας", "მთაწმინდა თბილისში", "Հայաստան լեռներ",
    "مرحبا بالعالم ١٢٣", "سلام دنیا ۱۲۳", "שלום עולם", "नमस्ते दुनिया १२३", "สวัสดีชาวโลก ๑๒๓", "ສະບາຍດີ",
    "世界你好,一只猫", "繁體中文與简体中文", "こんにちは世界 カタカナ ﾊﾝｶｸ", "안녕하세요 세계", "𠀀𠀁 𪚥", "ᚠᚢᚦ ᛒ", "ትግርኛ ኢትዮጵያ",
    "Tiếng Việt có dấu", "Žluťoučký kůň", "ﷺ ﷽", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝒜𝒷𝒸 𝟘𝟙𝟚", "ＦＵＬＬ　ｗｉｄｔｈ １２３",
    # emoji
    "😀", "😀😃😄", "👩‍👩‍👧‍👦 family", "👍🏽 👍🏿", "🇩🇪🇫🇷 🏴\U000e0067\U000e0062\U000e007f", "❤️ ❤ ☃︎", "1️⃣ #️⃣ *️⃣", "🧑‍🚀 on 🌕",
    "a🐈b", "🐈cat🐈", "™ © ® ℃ №",
    # numbers
    "2024", "3.14159", "1,000,000", "x² ½ ⅓ ①②", "Ⅳ ⅳ Ⅻ", "8k uhd 4K", "f/1.8 35mm ISO100", "10,000€ 5$ £7",
    # apostrophes
    "it's can't we're I've I'm they'll he'd", "IT'S CAN'T WE'RE I'VE I'M THEY'LL HE'D", "rock 'n' roll",
    "'sam 'tis 'reuse", "dogs' cats'", "it’s typographic", "'s's's't'll", "!'s ?'re", "o'clock y'all'd've",
    # special tokens inside text
    BOS, EOS, f"a{EOS}b", f"{BOS}{BOS} a {EOS}{EOS}", f"cat{EOS.upper()} dog", "<|StartOfText|>x<|EndOfText|>!!",
    "<|startoftext|", "|endoftext|>", "<|endof text|>", "<<|endoftext|>>", f"!!{EOS.title()}!!", f"a! {EOS}!b",
    "<|STARTOFTEXT|>!!'s", "<|END", f"e\u0301{EOS}\u0301", f"  {BOS}  a  {EOS}  b  ",
    "the Cat and the cat", "Catalogue CATALOGUE catalog", "concatenate", "bobCat Cat2 _cat -cat- Ⓐcat",
    "É! x É!  X e\u0301! x", " <i> a <i>b <I>", "a <new> b<new><NEW>", "a <Sks> dog <sks> <SKS>",
    # punctuation and symbols
    "(masterpiece:1.2), ((best quality)), [low]", "{a|b|c}", "a_b-c+d=e*f^g~h`i", "<b>bold</b> &amp; more",
    "https://example.org/a?b=c&d=%20#e", "user@example.org", "C:\\path\\to", "「括弧」、。・", "…—–‐‑", "←↑→↓ ∀∃∈ ≠≤", "٪؟،",
    "$$$ €€€ ¥¥¥", "═══╬═══", "▁▂▃▄▅▆▇█", "¿Qué? ¡Hola!",
    # control and unusual characters
    "a\x01b\x02c", "\x7f del", "\x80\x9f c1", "\ufffd replacement", "\ufffe\uffff nonchars", "\U0010ffff last",
    "\ue000 private \U000f0000", "\u202eright to left\u202c", "\u2066isolate\u2069", "\U000e0001\U000e0041 tags",
    "\ufff9ruby\ufffa\ufffb", "\x1b[31mred\x1b[0m",
    # long
    "cat " * 74, "cat " * 75, "cat " * 76, "cat " * 100, "a" * 300, "ab" * 1000, "xyzzy " * 300, "é" * 200,
    "!" * 200, "1" * 120, "😀" * 60, ", ".join(SENTENCES[:15]), "\u0301" * 100, " ".join("abcdefgh" * 20),
]

BYTES = [b"a\xffb", b"\x80", b"\xc3", b"\xc3(", b"caf\xc3\xa9", b"\xc0\xaf", b"\xe2\x82", b"\xe2\x82\xac\xe2",
         b"\xe2(\xa1", b"\xe2\x82(", b"\xe2\x82A", b"\xf0\x9f\x98A", b"\xf0\x9f\x98",
         b"\xf0\x9f\x98\x80\xf0\x9f", b"\xf0(\x8c\xbc", b"\xf0\x90(\xbc",
         b"\xf0\x80\x80\xaf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xed\xa0\x80", b"\xed\xa0\xbd\xed\xb8\x80",
         b"\xfe\xfe\xff\xff", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xed\x9f\xbf\xee\x80\x80", b"a\xc3 b\xe2\x82 c"]


def random_texts(n):
    """Characters that Unicode 14 has: the tables of the distributions start there."""
    rng = random.Random(2)
    pool = [chr(c) for c in range(1, 0x20000) if not 0xD800 <= c < 0xE000]
    pool = [c for c in pool if unicodedata.category(c) != "Cn" and not "\u1abf" <= c <= "\u1ace"]
    marks = [c for c in pool if unicodedata.category(c) == "Mn" and ord(c) < 0x600]
    bits = [" ", "cat", "The", "!", BOS, EOS.upper(), "'s", "1"]
    return ["".join(rng.choice(rng.choice([pool, marks, bits])) for _ in range(rng.randint(1, 30)))
            for _ in range(n)]


def without_padding(ids, pad):
    while ids and ids[-1] == pad:
        ids.pop()
    return ids


def make(out):
    assert unicodedata.unidata_version >= "14"
    for folder in FOLDERS:
        shutil.rmtree(out / folder, ignore_errors=True)
    write_folders(out)
    tokenizers = {folder: CLIPTokenizer.from_pretrained(out / folder) for folder in FOLDERS}
    cases = []
    for text in TEXTS + random_texts(60):
        case = {"text": text}
        for folder, tokenizer in tokenizers.items():
            ids = tokenizer(text, padding="max_length", max_length=77, truncation=True).input_ids
            case[folder] = {"ids": without_padding(ids, tokenizer.pad_token_id),
                            "n": len(tokenizer(text, add_special_tokens=False).input_ids)}
        cases.append(case)
    special = {folder: {name: getattr(t, f"{name}_token_id") for name in ("bos", "eos", "pad")}
               for folder, t in tokenizers.items()}
    table = {"special": special, "cases": cases,
             "bytes": [{"hex": b.hex(), "text": b.decode(errors="replace")} for b in BYTES]}
    rows = json.dumps(table, ensure_ascii=True).replace('{"text"', '\n{"text"').replace('{"hex"', '\n{"hex"')
    (out / "tokens.json").write_text(rows + "\n")
