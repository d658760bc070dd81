"""Sky, light and weather of a background, and the pieces of land that several backgrounds share."""
from brush import dark, mix


class Sky:
    """top, low: colours of the sky; sun: its colour; tint: what daylight does to things; haze: colour."""

    TABLE = {
        "day": ((0.22, 0.50, 0.88), (0.72, 0.87, 0.97), (1.0, 0.97, 0.80), (1.0, 1.0, 1.0)),
        "sunset": ((0.30, 0.20, 0.46), (1.0, 0.55, 0.25), (1.0, 0.78, 0.40), (1.0, 0.86, 0.74)),
        "sunrise": ((0.45, 0.58, 0.85), (1.0, 0.80, 0.72), (1.0, 0.92, 0.70), (1.0, 0.94, 0.90)),
        "night": ((0.02, 0.03, 0.13), (0.10, 0.15, 0.34), (0.93, 0.95, 1.0), (0.66, 0.70, 0.90)),
    }

    def __init__(self, time, weather, rng):
        self.time, self.weather = time, weather
        self.top, self.low, self.sun, self.tint = self.TABLE[time]
        jitter = [rng.uniform(-0.04, 0.04) for _ in range(3)]
        self.top = tuple(min(1, max(0, a + b)) for a, b in zip(self.top, jitter))
        gray = {"cloudy": 0.45, "rain": 0.65, "storm": 0.75, "fog": 0.6, "snowfall": 0.5}.get(weather, 0.0)
        level = {"day": 0.72, "sunset": 0.55, "sunrise": 0.72, "night": 0.16}[time] * (0.6 if weather == "storm" else 1.0)
        cloud = (level, level * 1.01, level * 1.05)
        self.top, self.low = mix(self.top, dark(cloud, 0.25), gray), mix(self.low, cloud, gray)
        self.tint = mix(self.tint, (0.85 * level + 0.2,) * 3, gray * 0.4)
        self.haze = mix(self.low, (0.75, 0.77, 0.8) if time != "night" else (0.16, 0.18, 0.28), 0.3)
        self.night = time == "night"

    def on(self, c):
        """A colour of the land in this light."""
        return tuple(a * t for a, t in zip(c, self.tint))

    def far(self, c, amount):
        return mix(self.on(c), self.haze, min(1.0, amount * (1.6 if self.weather == "fog" else 1.0)))


def paint_sky(g, sky, ar, horizon, rng):
    g.tint, g.haze = (1, 1, 1), ((0, 0, 0), 0.0)
    g.depth, g.ident = 1.0, 0.02
    g.place(ar / 2, horizon / 2, 1)
    g.put(1, ar / 2, horizon / 2, 0, (ar, horizon / 2 + 0.05, 0), sky.top, (ar, horizon / 2 + 0.05), col2=sky.low, pat=1, shade=0)
    g.place(0, 0, 1)
    clear = sky.weather in ("clear",)
    x = rng.uniform(0.12, 0.88) * ar
    y = {"day": 0.2, "sunset": 0.82, "sunrise": 0.78, "night": 0.22}[sky.time] * horizon + rng.uniform(-0.05, 0.05)
    if sky.night and sky.weather not in ("rain", "storm", "fog"):
        for _ in range(12):
            g.ball(rng.uniform(0, ar), rng.uniform(0, horizon), rng.uniform(0.003, 0.008), (1, 1, 0.95), shade=0, ident=False)
    if clear or sky.weather == "cloudy":
        r = 0.05 if not sky.night else 0.06
        r *= 1.5 if sky.time in ("sunset", "sunrise") else 1.0
        g.ball(x, y, r * 4.5, sky.sun, soft=r * 4, alpha=0.2 if sky.night else 0.42, shade=0, ident=False)
        g.ball(x, y, r, mix(sky.sun, (1, 1, 1), 0.4), shade=0)
        if sky.night:
            g.ball(x + r * 0.35, y - r * 0.2, r * 0.22, (0.78, 0.8, 0.88), shade=0, ident=False)
    if sky.time in ("sunset", "sunrise") and sky.weather in ("clear", "cloudy"):
        g.ell(x, horizon, ar * 0.75, 0.12, mix(sky.sun, sky.low, 0.3), soft=0.22, alpha=0.5, shade=0, ident=False)
    n = {"clear": rng.choice([0, 2, 3]), "cloudy": 6, "rain": 7, "storm": 8, "snowfall": 5, "fog": 0}[sky.weather]
    for _ in range(n):
        cloud(g, rng.uniform(0, ar), rng.uniform(0.05, 0.75) * horizon, rng.uniform(0.05, 0.12),
              dark(mix(sky.low, (1, 1, 1), 0.55 if not sky.night else 0.12), 0.35 if sky.weather in ("storm", "rain") else 0), rng)
    return x, y


def mist(g, sky, ar, y, alpha=0.3):
    """Air between what is far and what is near."""
    g.put(0, ar / 2, y, 0, (ar * 0.9, 0.035), sky.haze, (ar * 0.9, 0.035), soft=0.09, alpha=alpha, shade=0, ident=False, lit=False)


def cloud(g, x, y, s, c, rng):
    for dx, dy, q in ((-1.1, 0.1, 0.6), (0, -0.15, 0.9), (1.0, 0.12, 0.65)):
        g.ell(x + dx * s, y + dy * s, q * s * 1.2, q * s * 0.8, c, soft=0.35 * s, alpha=0.85, shade=0.25, ident=False)


def ground(g, ar, y, near, far, **k):
    """The land from line y to the lower edge."""
    g.depth, g.ident = 0.6, k.pop("ident", 0.1)
    k.setdefault("noise", 0.05)
    k.setdefault("freq", 45)
    h = (1 - y) / 2 + 0.02
    g.put(1, ar / 2, y + h, 0, (ar, h, 0), far, (ar, h), col2=near, pat=k.pop("pat", 1), shade=0, **k)


def water(g, sky, ar, y, deep):
    ground(g, ar, y, sky.on(deep), mix(sky.low, sky.on(deep), 0.35), noise=0.0)
    h = (1 - y) / 2
    g.put(1, ar / 2, y + h, 0, (ar, h, 0), sky.on(deep), (0.35, h), col2=mix(sky.low, (1, 1, 1), 0.3), pat=6,
          fu=3.0, fv=4.0, ph=g.rng.random() * 6, alpha=0.5, shade=0, ident=False)


def trees(g, sky, ar, y, n, rng, far, kind="pine"):
    for i in range(n):
        x = (i + rng.uniform(0.1, 0.9)) / n * ar
        h = rng.uniform(0.12, 0.22) * (1.6 - far)
        c = sky.far(rng.choice([(0.10, 0.32, 0.15), (0.14, 0.40, 0.18), (0.08, 0.28, 0.2)]), far * 0.7)
        if kind == "pine":
            g.tri(x, y - h * 0.75, h * 0.34, h * 0.75, c, round=0.3, shade=0.5)
        else:
            g.cap(x, y, x, y - h * 0.6, h * 0.08, h * 0.05, sky.far((0.35, 0.22, 0.12), far))
            g.blob(x, y - h, h * 0.5, h * 0.48, 0.07, 7, c, shade=0.6, noise=0.12)
