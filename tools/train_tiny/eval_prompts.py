"""What is asked for: prompts, and the scenes that the renderer would draw for the same words, so that the judge is
measured on the same kind of pictures. All at random from the generator given."""
from dataclasses import dataclass

import styles
from scene import Spec
from world import COLOUR_NAMES, COUNT_WORDS, OUTDOOR, SETTING_NAMES, SETTINGS, SUBJECT_NAMES, SUBJECTS, held_out, plural

RELATIONS = ("left of", "right of")
OPEN_AIR = [name for name in SETTING_NAMES if name in OUTDOOR]  # where a time of day can be seen


@dataclass
class Ask:
    """One prompt and what belongs into the picture."""
    text: str
    spec: Spec
    negative: str = ""

    def labels(self):
        """Indices of subject, colour, count, setting."""
        s = self.spec
        return (SUBJECT_NAMES.index(s.subject), COLOUR_NAMES.index(s.shown_colour), s.count - 1, SETTING_NAMES.index(s.setting))


def phrase(subject, colour="", count=1):
    """"three red cats"; articles as in training."""
    words = (colour + " " + (plural(subject) if count > 1 else subject)).strip()
    return ("an" if count == 1 and words[0] in "aeiou" else COUNT_WORDS[count][0]) + " " + words


def _spec(rng, subject, colour, count, setting, **more):
    shown = colour or SUBJECTS[subject][2][0]
    return Spec(subject, colour, shown, count, setting, "day", "clear", seed=rng.getrandbits(32), **more)


def unseen(n, rng, counts=(1, 1, 2, 3)):
    """Combinations of subject, colour and setting that training never saw."""
    asks = []
    while len(asks) < n:
        subject, colour, setting = rng.choice(SUBJECT_NAMES), rng.choice(COLOUR_NAMES), rng.choice(SETTING_NAMES)
        if held_out(subject, colour, setting):
            count = rng.choice(counts)
            asks.append(Ask(f"{phrase(subject, colour, count)} {SETTINGS[setting][0]}", _spec(rng, subject, colour, count, setting)))
    return asks


def relations(n, rng):
    """Two different things in two different colours, one left or right of the other; half of them name a setting."""
    asks = []
    for i in range(n):
        one, two = rng.sample(SUBJECT_NAMES, 2)
        colours, side, setting = rng.sample(COLOUR_NAMES, 2), RELATIONS[i % 2], rng.choice(SETTING_NAMES)
        text = f"{phrase(one, colours[0])} {side} {phrase(two, colours[1])}"
        if i % 4 < 2:
            text += " " + SETTINGS[setting][0]
        asks.append(Ask(text, _spec(rng, one, colours[0], 1, setting, other=(two, colours[1], side))))
    return asks


def uncoloured(n, rng):
    """Prompts without a colour; the negative is the first usual colour of the subject."""
    asks = []
    for _ in range(n):
        subject, setting = rng.choice(SUBJECT_NAMES), rng.choice(SETTING_NAMES)
        spec = _spec(rng, subject, "", 1, setting)
        asks.append(Ask(f"{phrase(subject)} {SETTINGS[setting][0]}", spec, spec.shown_colour))
    return asks


def timeless(n, rng):
    """Outdoor prompts with a colour and without a time of day."""
    asks = []
    for _ in range(n):
        subject, colour, setting = rng.choice(SUBJECT_NAMES), rng.choice(COLOUR_NAMES), rng.choice(OPEN_AIR)
        asks.append(Ask(f"{phrase(subject, colour)} {SETTINGS[setting][0]}", _spec(rng, subject, colour, 1, setting), "night"))
    return asks


def styled(n_each, rng):
    """Each style n_each times: "prompt, suffix" and the style's negative words, as the lab composes them."""
    asks = []
    for style in styles.NAMES:
        for _ in range(n_each):
            subject, setting = rng.choice(SUBJECT_NAMES), rng.choice(SETTING_NAMES)
            suffix, negative = styles.PROFILES[style][:2]
            asks.append(Ask(f"{phrase(subject)} {SETTINGS[setting][0]}, {suffix}", _spec(rng, subject, "", 1, setting, style=style), negative))
    return asks
