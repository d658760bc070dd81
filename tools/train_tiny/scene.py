"""A scene: drawn at random as a description (Spec), then composed into primitive rows."""
import math
import random
from dataclasses import dataclass, field

from brush import Brush, mix
from settings import PAINTERS
from sky import Sky
from world import (COLOURS, COLOUR_NAMES, OUTDOOR, SETTING_NAMES, SUBJECTS, SUBJECT_NAMES, TIME_NAMES, held_out)

MAX_ROWS = 192
# How often an object looks to the left. With a half, a small model cannot decide early enough and draws both: animals
# with two heads.
MIRRORED = 0.2


@dataclass
class Spec:
    """What is in the picture. colour "" : the usual one, not named. where: "", left, right, center.
    other: None or (subject, colour, relation) of a second object; relation: left of, right of, next to."""
    subject: str
    colour: str
    shown_colour: str
    count: int
    setting: str
    time: str
    weather: str
    where: str = ""
    size: str = ""
    other: tuple = None
    seed: int = 0
    style: str = ""
    extra: dict = field(default_factory=dict)


def draw_spec(rng, style="", allow_held_out=False):
    """A random description; combinations that are held out are drawn again."""
    while True:
        subject = rng.choice(SUBJECT_NAMES)
        stands = SUBJECTS[subject][1]
        named = rng.random() < 0.8
        colour = rng.choice(COLOUR_NAMES) if named else ""
        shown = colour or rng.choice(SUBJECTS[subject][2])
        settings = SETTING_NAMES
        if stands == "sea" and rng.random() < 0.5:
            settings = ["sea", "underwater", "lake", "beach"]
        elif stands == "air" and rng.random() < 0.3:
            settings = ["clouds", "space", "mountains", "sea", "meadow", "city"]
        setting = rng.choice(settings)
        if allow_held_out or not held_out(subject, shown, setting):
            break
    time = rng.choices(TIME_NAMES, (0.45, 0.2, 0.12, 0.23))[0]
    weather = "clear"
    if setting in OUTDOOR and rng.random() < 0.4:
        weather = rng.choice(["cloudy", "rain", "snowfall", "fog", "storm"])
        if weather == "snowfall" and setting in ("desert", "beach", "volcano", "sea"):
            weather = "cloudy"
    count = rng.choices((1, 2, 3, 4, 5), (0.56, 0.2, 0.16, 0.04, 0.04))[0]
    spec = Spec(subject, colour, shown, count, setting, time, weather, seed=rng.getrandbits(32), style=style)
    if count == 1 and rng.random() < 0.3:
        spec.where = rng.choice(["left", "right", "center"])
    if rng.random() < 0.22:
        spec.size = rng.choice(["small", "large"])
    if count <= 2 and rng.random() < 0.2 and not spec.where:
        other = rng.choice([s for s in SUBJECT_NAMES if s != subject])
        spec.other = (other, rng.choice(COLOUR_NAMES), rng.choice(["left of", "right of", "next to"]))
    return spec


def _spots(spec, rng, ar):
    """Places of the main objects: list of (x, size); sizes are half heights in picture units."""
    n = spec.count
    base = {1: rng.uniform(0.235, 0.33), 2: rng.uniform(0.175, 0.21), 3: rng.uniform(0.135, 0.155), 4: 0.112, 5: 0.092}[n]
    base *= {"small": 0.66, "large": 1.25 if n == 1 else 1.1}.get(spec.size, 1.0)
    base *= min(1.0, 0.55 + 0.45 * ar)
    lo, hi = 0.0, 1.0
    if spec.other:
        base *= 0.78 if n == 1 else 0.7
        side = spec.other[2]
        if side == "next to":
            side = rng.choice(["left of", "right of"])
        spec.extra["other_side"] = side
        lo, hi = (0.0, 0.56) if side == "left of" else (0.44, 1.0)
        if n == 2:
            lo, hi = (0.0, 0.66) if side == "left of" else (0.34, 1.0)
    if n == 1:
        x = {"left": 0.24, "right": 0.76, "center": 0.5}.get(spec.where)
        x = (rng.uniform(lo + 0.22, hi - 0.22) if x is None and spec.other else
             rng.uniform(0.36, 0.64) if x is None else x + rng.uniform(-0.03, 0.03))
        return [(x * ar, base)]
    width = hi - lo
    step = width / n
    return [((lo + step * (i + 0.5 + rng.uniform(-0.06, 0.06))) * ar, base * rng.uniform(0.92, 1.08)) for i in range(n)]


def _shadow(g, x, y, w, dim):
    g.depth, g.ident = -1.0, -1.0
    g.place(x, y, 1)
    g.ell(0.02, 0, w, w * 0.2, (0.03, 0.03, 0.06), soft=w * 0.2, alpha=0.42 * dim, shade=0, ident=False, lit=False)


def _stand(g, spec, name, colour, x, size, ground, sky, rng, ar, ident, style):
    """Draw one object at a spot."""
    draw, stands, _, _, tall = SUBJECTS[name]
    sx, sy = style.get("stretch", (1.0, 1.0))
    size = min(size * (0.62 + 0.42 * tall), (ground + 0.01) / (2.15 * max(1.0, sy)))
    reach = min(size * 1.06 * sx, ar / 2)
    x = min(max(x, reach), ar - reach)
    air = stands == "air" and spec.setting not in ("room", "studio") or spec.setting == "space"
    if spec.setting == "clouds" and rng.random() < 0.5:
        air = True
    if spec.setting == "underwater" and stands == "sea":
        air = True
    if air:
        y = rng.uniform(0.34, 0.5) if spec.setting != "underwater" else rng.uniform(0.42, 0.58)
        y = max(y, size * 1.12 * sy + 0.03)
    else:
        y = ground + rng.uniform(-0.02, 0.03) - size
    wet = spec.setting == "sea" and not air
    if wet and stands == "sea":
        y += size * 0.12
    foot = y + size
    if sy > 1 and not air:
        y = foot - size * sy
    if not air and not wet:
        _shadow(g, x, foot, size * 0.85, 0.6 if spec.time == "night" or spec.weather in ("fog", "rain", "storm") else 1.0)
    if wet and stands != "sea":
        g.depth, g.ident = 0.4, 0.2
        g.place(x, foot, 1)
        g.blob(0, 0.03, size * 1.05, size * 0.26, 0.08, 7, (0.42, 0.38, 0.34), noise=0.15, freq=40)
    g.depth, g.ident = 0.3 - 0.05 * ident, 0.4 + 0.12 * ident
    c = COLOURS[colour]
    c = tuple(min(1, max(0, q + rng.uniform(-0.035, 0.035))) for q in c)
    tint = mix((1, 1, 1), sky.tint, 0.45) if spec.setting in OUTDOOR else (1, 1, 1)
    g.tint = tint
    g.haze = (sky.haze, 0.28 if spec.weather == "fog" else 0.0)
    turn = rng.uniform(-0.35, 0.35) if spec.setting == "space" else (rng.uniform(-0.12, 0.12) if air else 0.0)
    g.place(x, y, size, flip=rng.random() < MIRRORED, stretch=(sx, sy), turn=turn)
    draw(g, c, rng)
    if wet or (spec.setting == "lake" and stands == "sea"):
        g.tint = (1, 1, 1)
        g.depth, g.ident = -1.0, -1.0
        g.place(x, foot, 1)
        g.ell(0, 0.015, size * 1.15, size * 0.14, (0.75, 0.9, 0.97), soft=0.05, alpha=0.45, shade=0, ident=False)


def _depth(g, spec, sky, ar, ground, rng):
    """Light where the objects stand and a darker foreground."""
    g.tint, g.haze = (1, 1, 1), ((0, 0, 0), 0.0)
    g.depth, g.ident = -1.0, -1.0
    g.place(0, 0, 1)
    if spec.setting in OUTDOOR and spec.setting not in ("sea", "clouds"):
        bright = {"clear": 0.26, "cloudy": 0.14}.get(spec.weather, 0.08) * (0.5 if sky.night else 1.0)
        g.ell(ar * rng.uniform(0.4, 0.6), ground - 0.02, ar * 0.42, 0.09, mix(sky.sun, (1, 1, 1), 0.2), soft=0.16, alpha=bright,
              shade=0, ident=False)
    if spec.setting not in ("space", "studio", "clouds"):
        g.ell(ar / 2, 1.16, ar * 0.95, 0.2, (0.04, 0.05, 0.1), soft=0.26, alpha=0.38, shade=0, ident=False)


def _weather(g, spec, sky, ar, rng):
    g.tint, g.haze = (1, 1, 1), ((0, 0, 0), 0.0)
    g.depth, g.ident = -1.0, -1.0
    g.place(0, 0, 1)
    w = spec.weather
    if w in ("rain", "storm"):
        for _ in range(22):
            x, y, q = rng.uniform(-0.05, ar), rng.uniform(0, 1), rng.uniform(0.04, 0.08)
            g.cap(x, y, x - q * 0.3, y + q, 0.0028, 0.0028, (0.82, 0.88, 0.96), alpha=0.7, shade=0, ident=False)
    if w == "snowfall":
        for _ in range(26):
            q = rng.uniform(0.005, 0.012)
            g.ball(rng.uniform(0, ar), rng.uniform(0, 1), q, (0.98, 0.99, 1.0), soft=0.004, alpha=0.95, shade=0, ident=False)
    if w == "fog":
        for k in range(3):
            g.ell(rng.uniform(0, ar), 0.5 + 0.17 * k, ar * 0.9, 0.1, sky.haze, soft=0.16, alpha=0.4, shade=0, ident=False)


def _lightning(g, ar, rng):
    g.depth, g.ident = -1.0, -1.0
    g.place(0, 0, 1)
    x, y = rng.uniform(0.15, 0.85) * ar, 0.0
    for _ in range(5):
        nx, ny = x + rng.uniform(-0.07, 0.07), y + rng.uniform(0.06, 0.1)
        g.cap(x, y, nx, ny, 0.008, 0.006, (1.0, 0.98, 0.85), shade=0, ident=False)
        x, y = nx, ny


def compose(spec, ar=1.0, style=None):
    """Spec -> list of rows (at most MAX_ROWS). ar: width / height. style: what a style asks of the scene
    ("stretch", "backdrop")."""
    style = style or {}
    rng = random.Random(spec.seed)
    angle = rng.uniform(-2.5, -0.65)
    g = Brush(rng, (math.cos(angle) * 0.78, math.sin(angle) * 0.78))
    sky = Sky(spec.time, spec.weather, rng)
    _, ground = PAINTERS[spec.setting](g, sky, ar, rng)
    _depth(g, spec, sky, ar, ground, rng)
    if spec.weather == "storm":
        _lightning(g, ar, rng)
    spots = _spots(spec, rng, ar)
    if spec.other:
        side = spec.extra["other_side"]
        x = (rng.uniform(0.76, 0.84) if side == "left of" else rng.uniform(0.16, 0.24)) * ar
        _stand(g, spec, spec.other[0], spec.other[1], x, spots[0][1] * rng.uniform(0.85, 1.0), ground - 0.02, sky, rng, ar, 4, style)
    for i, (x, size) in enumerate(spots):
        _stand(g, spec, spec.subject, spec.shown_colour, x, size, ground, sky, rng, ar, i % 4, style)
    _weather(g, spec, sky, ar, rng)
    return g.rows[:MAX_ROWS]
