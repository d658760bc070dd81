"""The tables of the model card from evaluation.json, so that no figure is typed by hand.
usage: card_table.py evaluation.json [--into README.md]   (between <!-- measured --> and <!-- /measured -->)"""
import argparse
import json
import sys

FIRST, LAST = "<!-- measured -->", "<!-- /measured -->"
FACTS = ("subject", "colour", "count", "setting")


def share(x):
    """"96.0 %, 93.1 to 97.7": a share with its 95 % interval."""
    return "-" if not x or x["share"] is None else f"{x['share']:.1f} % ({x['low']:.1f} to {x['high']:.1f})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]) + "\n"


def of_facts(name, part, facts=FACTS):
    return [f"{name} (n = {part['subject']['n']})"] + [share(part[f]) for f in facts]


def held_out(e):
    p = e["held_out"]
    rows = [of_facts(f"**generated, guidance {p['guided']['guidance']:g}**", p["guided"]), of_facts("generated, guidance 1", p["unguided"]),
            of_facts("the judge on the renderer's own pictures of these prompts", p["renders"])]
    if "renders" in e:
        rows += [of_facts("the judge on fresh renders, " + k, e["renders"]["judge"][k]) for k in e["renders"]["judge"]]
    return "Held-out combinations, one to three of a kind:\n\n" + table(["", *FACTS], rows)


def relations(e):
    p = e["relations"]
    names = list(p["generated"])
    rows = [[f"{k} (n = {v[names[0]]['n']})"] + [share(v[n]) for n in names] for k, v in p.items()]
    return "One thing left or right of another, each half judged alone:\n\n" + table(["", *names], rows)


def negatives(e):
    p = e["negatives"]
    c, n, b = p["colour"], p["night"], p["blur"]
    rows = [[f"subject's usual colour, {k}", share(v), share(c[k + ", subject"])] for k, v in c.items() if not k.endswith(", subject")]
    text = "Negative words. A colour:\n\n" + table(["", "has the colour", "has the subject"], rows)
    rows = [[k, share(v["night"]), share(v["day"])] for k, v in n.items() if "night" in v]
    text += "\nA time of day (outdoors):\n\n" + table(["", "night", "day"], rows)
    judge = n["judge on renders"]
    text += "\nThe judge on renders: " + ", ".join(f"{k} {share(v)}" for k, v in judge.items()) + ".\n"
    rows = [[k, f"{v:.4f}"] for k, v in {**b["sharpness"], "fresh renders": b["renders"]}.items()]
    rows += [[k, share(b[k])] for k in ("with is sharper than without", "words in the prompt are less sharp")]
    return text + '\n"blurry, out of focus", mean absolute Laplacian of the luminance:\n\n' + table(["", "sharpness"], rows)


def sizes(e):
    rows = []
    for size, p in e["sizes"].items():
        rows += [of_facts(f"**{size}**", p["generated"]), of_facts(f"{size}, the judge on renders", p["renders"])]
    return "Other sizes, one thing each, held-out combinations (width x height):\n\n" + table(["", *FACTS], rows)


def style(e):
    p = e["style"]
    rows = [[name, share(part["style"]), share(part["subject"])] for name, part in (("**generated**", p), ("the judge on renders", p["renders"]))]
    text = f"28 profiles with their negatives, n = {p['style']['n']}:\n\n" + table(["", "style", "subject"], rows)
    db = e.get("renders", {}).get("vae_db", {})
    rows = [[name, f"{v['share']:.1f} %", f"{v['subject']['share']:.1f} %",
             share(v["renders"]).split(" (")[0], f"{db[name]:.1f}" if name in db else "-",
             ", ".join(f"{k} {n}" for k, n in v["taken for"].items()) or "-"] for name, v in p["each"].items()]
    head = ["", "style", "subject", "style on renders", "autoencoder, dB", "taken for"]
    return text + f"\nEach (n = {next(iter(p['each'].values()))['n']}):\n\n" + table(head, rows)


def img2img(e):
    rows = [[k, f"{100 * v['change of a pixel']:.1f} %", f"{v['layout']:.2f}", share(v["old subject"]), share(v["new subject"])]
            for k, v in e["img2img"].items() if k != "n"]
    return f"Another prompt over the same picture (n = {e['img2img']['n']}; layout: correlation of 16x16 luminance):\n\n" + table(
        ["strength", "change of a pixel", "layout", "old subject", "new subject"], rows)


def rest(e):
    rows = []
    if "renders" in e:
        db = e["renders"]["vae_db"]
        rows += [[f"autoencoder on fresh renders, all styles (n = {db['n']})", f"{db['all styles']:.1f} dB"],
                 ["the same without a style", f"{db['no style']:.1f} dB"]]
    if "seeds" in e:
        s = e["seeds"]
        rows += [[f"same prompt, other seed: change of a pixel (n = {s['n']})", f"{100 * s['other seed, change of a pixel']:.1f} %"],
                 ["the same between two renders", f"{100 * s['renders, change of a pixel']:.1f} %"],
                 ["same prompt, other seed: layout", f"{s['other seed, layout']:.2f}"],
                 ["the same between two renders", f"{s['renders, layout']:.2f}"],
                 ["same seed, most change of a pixel", f"{s['same seed, most change of a pixel']:g}"]]
    return table(["", "measured"], rows) if rows else ""


def how(e):
    """One line for each way in which parts were made."""
    ways = {}
    for name, m in e["made"].items():
        way = f"seed {m['seed']}, guidance {m['guidance']:g}, {m['steps']} steps, {m['dtype']} on {m['device']}, batch {m['batch']}"
        ways.setdefault(way, []).append(name)
    text = "Shares are given with their 95 % Wilson intervals. "
    return text + "; ".join(way + (f" ({', '.join(names)})" if len(ways) > 1 else "") for way, names in ways.items()) + ".\n"


def card(e):
    parts = [how(e)] + [make(e) for make in (held_out, relations, negatives, sizes, style, img2img) if make.__name__ in e] + [rest(e)]
    return "\n".join(p for p in parts if p)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("evaluation")
    parser.add_argument("--into", help="a file with the two markers")
    args = parser.parse_args()
    with open(args.evaluation, encoding="utf-8") as file:
        text = card(json.load(file))
    if not args.into:
        return print(text)
    with open(args.into, encoding="utf-8") as file:
        old = file.read()
    if old.count(FIRST) != 1 or old.count(LAST) != 1 or old.index(FIRST) > old.index(LAST):
        sys.exit(f"{args.into}: not once {FIRST} and then {LAST}")
    with open(args.into, "w", encoding="utf-8") as file:
        file.write(old[:old.index(FIRST) + len(FIRST)] + "\n" + text + old[old.index(LAST):])
    return None


if __name__ == "__main__":
    main()
