"""Words for a scene: sentences as people write prompts, tag lists, and the profiles' words as the lab adds
them ("prompt, suffix"). `mentions` tells which facts the words name, for the auxiliary losses."""
import styles
from world import (COLOUR_NAMES, COLOUR_WORDS, COUNT_WORDS, SETTINGS, SETTING_NAMES, SUBJECTS, SUBJECT_NAMES, TIMES, TIME_NAMES,
                   WEATHERS, WEATHER_NAMES, plural)

PREFIXES = ["a picture of", "an image of", "a scene with", "a view of", "there is", "we see"]
MEDIUM = {
    "photo": ["Photoreal", "Cinematic", "35mm Film", "Hyper-Realistic Portrait", "Black & White", "R-Rated"],
    "photorealistic": ["Photoreal", "Cinematic", "Hyper-Realistic Portrait"],
    "cartoon": ["Anime / Vibrant", "Rotoscoping", "Ralph Bakshi", "Retro Comic / Halftone", "Children’s Book Illustration"],
    "painting": ["Watercolor", "Frank Frazetta", "Soft Illustration"], "painterly": ["Frank Frazetta", "Watercolor"],
    "illustration": ["Soft Illustration", "Children’s Book Illustration", "Anime / Vibrant", "Watercolor"],
    "3d render": ["Pixar-ish Soft CG", "Low-Poly 3D / PS1", "Product Render / Industrial", "Architectural Visualization"],
    "cgi": ["Pixar-ish Soft CG", "Product Render / Industrial"], "drawing": ["Pencil Sketch", "Ink & Screentone Manga", "Rotoscoping"],
    "monochrome": ["Black & White", "Pencil Sketch", "Ink & Screentone Manga", "H.R. Giger"], "color": ["Anime / Vibrant", "Pixar-ish Soft CG"],
    "gritty": ["R-Rated", "Dark Fantasy / Grimdark", "Ralph Bakshi"], "cheerful": ["Children’s Book Illustration", "Pixar-ish Soft CG", "Anime / Vibrant"],
    "cute": ["Pixar-ish Soft CG", "Children’s Book Illustration"], "film grain": ["35mm Film", "Analog Horror / VHS", "R-Rated"],
    "high contrast": ["Black & White", "Ink & Screentone Manga", "Tim Burton"], "neon colors": ["Vaporwave / Synthwave"],
    "heavy outlines": ["Retro Comic / Halftone", "Ralph Bakshi"], "smooth gradients": ["Soft Illustration", "Pixar-ish Soft CG"],
    "flat colors": ["Isometric Tech Diagram", "Rotoscoping"], "modern clean design": ["Product Render / Industrial", "Architectural Visualization"],
}
BY_STYLE = {}
for _word, _names in MEDIUM.items():
    for _name in _names:
        BY_STYLE.setdefault(_name, []).append(_word)
QUALITY = ["masterpiece", "best quality", "highly detailed", "beautiful", "award winning", "8k", "intricate detail", "stunning",
           "trending", "high resolution"]
# What a picture is spoiled with, and the words for it: they make negative prompts mean something.
SPOILED = {"blurry": ["blurry", "out of focus", "soft focus"], "noise": ["noise", "grain", "noisy"],
           "oversaturated": ["oversaturated", "neon colors"], "washed out": ["washed out", "flat contrast", "dull colors"],
           "overexposed": ["overexposed", "blown highlights"], "dark": ["underexposed", "too dark"],
           "lowres": ["lowres", "low resolution", "jpeg artifacts", "pixelated"]}
SPOILED_NAMES = list(SPOILED)
SPOILED_BY_WORD = {word: name for name, words in SPOILED.items() for word in words}
# The negative prompts of the profiles, as lists of words.
NEGATIVES = [negative.split(", ") for _, negative, _ in styles.PROFILES.values()]


def _noun(spec_subject, rng):
    words = SUBJECTS[spec_subject][3]
    return spec_subject if not words or rng.random() < 0.7 else rng.choice(words)


def _phrase(subject, colour, count, size, rng, article=True):
    noun = _noun(subject, rng)
    words = []
    if size:
        words.append(rng.choice({"small": ["small", "tiny", "little"], "large": ["large", "big", "huge"]}[size]))
    if colour:
        words.append(colour if rng.random() < 0.75 else rng.choice(COLOUR_WORDS[colour]))
    words.append(plural(noun) if count > 1 else noun)
    text = " ".join(words)
    if not article:
        return text
    head = rng.choice(COUNT_WORDS[count])
    if head == "a" and text[0] in "aeiou":
        head = "an"
    return head + " " + text


def _style_words(style, rng):
    """-> (in front, behind): how the style is named."""
    suffix = styles.PROFILES[style][0]
    draw = rng.random()
    if draw < 0.66:
        return "", suffix
    parts = suffix.split(", ")
    if draw < 0.84:
        rng.shuffle(parts)
        return "", ", ".join(parts[:rng.randint(1, len(parts))])
    short = styles.SHORT[style] if rng.random() < 0.6 else rng.choice(styles.PROFILES[style][2] or [styles.SHORT[style]]).lower()
    return (short + " of", "") if rng.random() < 0.5 else ("", short + (" style" if rng.random() < 0.4 else ""))


def caption(spec, rng, spoiled=""):
    """-> (text, mentions): mentions holds the label or -1 for colour, setting, time, weather."""
    tags = rng.random() < 0.25
    colour = spec.colour
    say_setting = rng.random() < 0.93
    say_time = spec.setting not in ("space", "cave", "underwater", "studio") and (rng.random() < (0.35 if spec.time == "day" else 0.95))
    say_weather = spec.weather != "clear" and rng.random() < 0.95
    front, behind = _style_words(spec.style, rng) if spec.style else ("", "")
    setting, time, weather = SETTINGS[spec.setting], TIMES[spec.time], WEATHERS[spec.weather]
    if tags:
        bits = [_phrase(spec.subject, colour, spec.count, spec.size, rng, spec.count > 1 or rng.random() < 0.3)]
        if spec.other:
            bits.append(_phrase(spec.other[0], spec.other[1], 1, "", rng, False))
        rest = ([spec.setting] if say_setting else []) + ([spec.time] if say_time else []) + (
            [{"snowfall": "snowing", "cloudy": "cloudy"}.get(spec.weather, spec.weather)] if say_weather else [])
        if spec.where:
            rest.append(spec.where)
        rng.shuffle(rest)
        text = ", ".join(bits + rest)
    else:
        text = _phrase(spec.subject, colour, spec.count, spec.size, rng, spec.count > 1 or rng.random() < 0.92)
        if spec.other:
            relation = spec.other[2]
            relation = {"left of": rng.choice(["left of", "to the left of"]), "right of": rng.choice(["right of", "to the right of"]),
                        "next to": rng.choice(["next to", "beside", "and"])}[relation]
            text += " " + relation + " " + _phrase(spec.other[0], spec.other[1], 1, "", rng)
        if spec.where:
            text += " " + {"left": "on the left", "right": "on the right", "center": rng.choice(["in the center", "in the middle"])}[spec.where]
        bits = ([rng.choice(setting)] if say_setting else []) + ([rng.choice(time)] if say_time else []) + ([rng.choice(weather)] if say_weather else [])
        if rng.random() < 0.15:
            rng.shuffle(bits)
        glue = ", " if rng.random() < 0.2 else " "
        text = glue.join([text] + bits)
        if not front and rng.random() < 0.12:
            text = rng.choice(PREFIXES) + " " + text
    parts = [(front + " " + text).strip()]
    if behind:
        parts.append(behind)
    if spec.style and rng.random() < 0.12:
        parts.append(rng.choice(BY_STYLE.get(spec.style, ["picture"])))
    if rng.random() < 0.08:
        parts.append(", ".join(rng.sample(QUALITY, rng.randint(1, 3))))
    if rng.random() < 0.03:
        parts.append("".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 7))))
    if spoiled:
        parts.append(rng.choice(SPOILED[spoiled]))
    text = ", ".join(parts)
    text = text[0].upper() + text[1:] if rng.random() < 0.2 else text
    return text, {"colour": COLOUR_NAMES.index(colour) if colour else -1,
                  "setting": SETTING_NAMES.index(spec.setting) if say_setting else -1,
                  "time": TIME_NAMES.index(spec.time) if say_time else -1,
                  "weather": WEATHER_NAMES.index(spec.weather) if say_weather else -1,
                  "subject": SUBJECT_NAMES.index(spec.subject), "count": spec.count - 1,
                  "style": styles.NAMES.index(spec.style) + 1 if spec.style else 0}


NOTHING_SAID = {"subject": -1, "colour": -1, "count": -1, "setting": -1, "style": -1, "time": -1, "weather": -1}


def negative_caption(style, rng):
    """A profile's negative words over a picture that they may name, so that a negative prompt is something the model has
    seen: -> (text, what to spoil the picture with or "")."""
    named = set(BY_STYLE.get(style, ()))
    words = list(rng.choice([n for n in NEGATIVES if named.intersection(n)] or NEGATIVES))
    if rng.random() < 0.4:
        rng.shuffle(words)
        words = words[:rng.randint(1, len(words))]
    flaws = [SPOILED_BY_WORD[w] for w in words if w in SPOILED_BY_WORD]
    return ", ".join(words), rng.choice(flaws) if flaws and rng.random() < 0.6 else ""


def terse_caption(spec, rng):
    """One or two facts and nothing else, as people type negatives (and prompts): -> (text, mentions)."""
    facts = {"subject": _noun(spec.subject, rng), "setting": rng.choice([spec.setting] + SETTINGS[spec.setting]), "time": spec.time,
             "weather": {"snowfall": "snowing"}.get(spec.weather, spec.weather)}
    if spec.colour:
        facts["colour"] = spec.colour
    if spec.weather == "clear":
        del facts["weather"]
    if spec.count > 1:
        facts["subject"] = plural(facts["subject"])
        facts["count"] = rng.choice(COUNT_WORDS[spec.count])
    names = rng.sample(sorted(facts), rng.randint(1, 2))
    said = dict(NOTHING_SAID)
    labels = {"subject": SUBJECT_NAMES.index(spec.subject), "setting": SETTING_NAMES.index(spec.setting), "time": TIME_NAMES.index(spec.time),
              "weather": WEATHER_NAMES.index(spec.weather), "count": spec.count - 1,
              "colour": COLOUR_NAMES.index(spec.colour) if spec.colour else -1}
    for name in names:
        said[name] = labels[name]
    return ", ".join(facts[name] for name in names), said
