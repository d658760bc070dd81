"""A small byte-level BPE in CLIP's format: training on captions, encoding, and the files that CLIPTokenizer
reads (vocab.json, merges.txt). Every byte is in the vocabulary, so any text can be encoded."""
import json
import os
import re
from collections import Counter

LENGTH = 77
_WORDS = re.compile(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE)


def _byte_letters():
    """CLIP writes each byte as a printable character. Source: OpenAI's GPT-2, bytes_to_unicode."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, extra = {b: chr(b) for b in plain}, 0
    for b in range(256):
        if b not in table:
            table[b] = chr(256 + extra)
            extra += 1
    ordered = plain + [b for b in range(256) if b not in plain]
    return table, [table[b] for b in ordered]


LETTERS, ORDERED = _byte_letters()


def words_of(text):
    return _WORDS.findall(" ".join(text.split()).lower())


def _pieces(word):
    letters = [LETTERS[b] for b in word.encode("utf-8")]
    letters[-1] += "</w>"
    return letters


def train(texts, n_merges):
    """-> list of merges (pairs), most frequent pair first."""
    counts = Counter(w for text in texts for w in words_of(text))
    words = [(tuple(_pieces(w)), n) for w, n in sorted(counts.items())]
    merges = []
    while len(merges) < n_merges:
        pairs = Counter()
        for pieces, n in words:
            for pair in zip(pieces, pieces[1:]):
                pairs[pair] += n
        if not pairs:
            break
        best = max(pairs.items(), key=lambda item: (item[1], item[0]))[0]
        merges.append(best)
        words = [(_merge(pieces, best), n) for pieces, n in words]
    return merges


def _merge(pieces, pair):
    out, i = [], 0
    while i < len(pieces):
        if i + 1 < len(pieces) and (pieces[i], pieces[i + 1]) == pair:
            out.append(pieces[i] + pieces[i + 1])
            i += 2
        else:
            out.append(pieces[i])
            i += 1
    return tuple(out)


class Tokenizer:
    """encode(text) -> ids of LENGTH: start, words, end, padding. pad 0: the end token; pad 1: "!" (id 0)."""

    def __init__(self, merges):
        self.merges = [tuple(m) for m in merges]
        self.rank = {m: i for i, m in enumerate(self.merges)}
        names = ORDERED + [c + "</w>" for c in ORDERED] + ["".join(m) for m in self.merges]
        names += ["<|startoftext|>", "<|endoftext|>"]
        self.vocab = {name: i for i, name in enumerate(names)}
        assert len(self.vocab) == len(names)
        self.bos, self.eos = len(names) - 2, len(names) - 1
        self.cache = {}

    def _word(self, word):
        if word not in self.cache:
            pieces = tuple(_pieces(word))
            while len(pieces) > 1:
                ranked = [(self.rank.get(p, 1 << 30), p) for p in zip(pieces, pieces[1:])]
                rank, pair = min(ranked)
                if rank == 1 << 30:
                    break
                pieces = _merge(pieces, pair)
            self.cache[word] = [self.vocab[p] for p in pieces]
            if len(self.cache) > 50000:
                self.cache.clear()
                return [self.vocab[p] for p in pieces]
        return self.cache[word]

    def encode(self, text):
        ids = [self.bos]
        for word in words_of(text):
            ids += self._word(word)
        ids = ids[:LENGTH - 1] + [self.eos]
        return ids + [self.eos] * (LENGTH - len(ids))

    def save(self, folder, pad):
        """The files of a CLIPTokenizer folder; pad: the padding token's text."""
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
            json.dump(self.vocab, file, ensure_ascii=False)
        with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as file:
            file.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in self.merges))
        special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": pad, "unk_token": "<|endoftext|>"}
        with open(os.path.join(folder, "special_tokens_map.json"), "w", encoding="utf-8") as file:
            json.dump(special, file, indent=2)
        config = dict(special, add_prefix_space=False, do_lower_case=True, errors="replace", model_max_length=LENGTH,
                      tokenizer_class="CLIPTokenizer")
        with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file, indent=2)


def load(path):
    """path: merges.json as main() writes it."""
    with open(path, encoding="utf-8") as file:
        return Tokenizer(json.load(file))


def main():
    import argparse
    import random

    import captions
    import scene
    import styles
    parser = argparse.ArgumentParser(description="train the vocabulary on captions")
    parser.add_argument("out", help="merges.json")
    parser.add_argument("--captions", type=int, default=40000)
    parser.add_argument("--vocab", type=int, default=2048)
    args = parser.parse_args()
    rng = random.Random(1)
    texts = [captions.caption(scene.draw_spec(rng, rng.choice(styles.NAMES)), rng, rng.choice(captions.SPOILED_NAMES))[0]
             for _ in range(args.captions)]
    for prompt, negative, aliases in styles.PROFILES.values():
        texts += [prompt, negative] * 200 + [alias for alias in aliases] * 100
    merges = train(texts, args.vocab - 514)
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump(merges, file, ensure_ascii=False)
    tok = Tokenizer(merges)
    lengths = [tok.encode(t).index(tok.eos) for t in texts[:2000]]
    whole = sum(len(tok._word(w)) == 1 for w in {w for t in texts for w in words_of(t)})
    print("vocabulary", len(tok.vocab), "longest", max(lengths), "mean", sum(lengths) / len(lengths), "whole words", whole)


if __name__ == "__main__":
    main()
