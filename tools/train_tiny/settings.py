"""Backgrounds. Each paints sky and land with depth and returns the height of the horizon and the line of
the ground."""
import math

from brush import dark, light, mix
from sky import ground, mist, trees, water, paint_sky


def sea(g, sky, ar, rng):
    y = rng.uniform(0.45, 0.58)
    sx, _ = paint_sky(g, sky, ar, y, rng)
    if rng.random() < 0.4:
        g.ridge(y, 0.04, rng.uniform(5, 8), 0.2, sky.far((0.3, 0.4, 0.45), 0.5), rng.random() * 20)
    water(g, sky, ar, y, (0.05, 0.28, 0.52))
    if sky.weather == "clear" and sky.time != "day":
        g.trap(sx, (1 + y) / 2, 0.16, 0.05, (1 - y) / 2, mix(sky.sun, sky.low, 0.2), soft=0.1, alpha=0.45, shade=0, ident=False)
    return y, rng.uniform(0.74, 0.86)


def lake(g, sky, ar, rng):
    y = rng.uniform(0.42, 0.5)
    paint_sky(g, sky, ar, y, rng)
    g.ridge(y - 0.02, 0.1, rng.uniform(3, 5), 0.9, sky.far((0.35, 0.42, 0.5), 0.45), rng.random() * 20)
    mist(g, sky, ar, y - 0.03)
    trees(g, sky, ar, y + 0.01, 9, rng, 0.6)
    water(g, sky, ar, y, (0.10, 0.42, 0.45))
    shore = rng.uniform(0.70, 0.78)
    g.depth = 0.55
    g.ridge(shore, 0.02, rng.uniform(3, 6), 0.0, sky.on((0.36, 0.50, 0.22)), rng.random() * 20, col2=sky.on((0.20, 0.34, 0.12)), pat=1)
    for _ in range(7):
        x = rng.uniform(0, ar)
        g.cap(x, shore + 0.06, x + rng.uniform(-0.02, 0.02), shore - 0.07, 0.006, 0.003, sky.on((0.25, 0.4, 0.15)))
    return y, shore + 0.12


def beach(g, sky, ar, rng):
    y = rng.uniform(0.38, 0.46)
    paint_sky(g, sky, ar, y, rng)
    water(g, sky, ar, y, (0.05, 0.48, 0.62))
    shore = rng.uniform(0.58, 0.66)
    g.depth = 0.55
    g.ridge(shore - 0.02, 0.015, rng.uniform(4, 7), 0.0, sky.on((0.97, 0.98, 1.0)), 3.0)
    g.ridge(shore, 0.015, rng.uniform(4, 7), 0.0, sky.on((0.95, 0.83, 0.58)), 3.0, col2=sky.on((0.82, 0.66, 0.40)), pat=1, noise=0.04, freq=60)
    x = rng.choice([0.08, 0.92]) * ar
    s = 1 if x < ar / 2 else -1
    g.curve((x, 0.9), (x - 0.02 * s, 0.6), (x + 0.1 * s, 0.34), 0.028, 0.018, sky.on((0.5, 0.34, 0.2)), n=3)
    for a in (-2.8, -2.2, -1.4, -0.6, 0.1):
        ex, ey = x + 0.1 * s + math.cos(a) * 0.17, 0.34 + math.sin(a) * 0.1 + 0.07
        g.curve((x + 0.1 * s, 0.34), (x + 0.1 * s + math.cos(a) * 0.1, 0.3 + math.sin(a) * 0.08), (ex, ey), 0.02, 0.006, sky.on((0.15, 0.48, 0.2)), n=3)
    return y, rng.uniform(0.82, 0.9)


def desert(g, sky, ar, rng):
    y = rng.uniform(0.45, 0.55)
    paint_sky(g, sky, ar, y, rng)
    for k, c in enumerate(((0.90, 0.66, 0.40), (0.93, 0.70, 0.40), (0.96, 0.75, 0.44))):
        g.depth, g.ident = 0.9 - 0.12 * k, 0.1 + 0.02 * k
        g.ridge(y + 0.09 * k, 0.05, rng.uniform(2, 4), 0.15, sky.far(c, 0.4 - 0.18 * k), rng.random() * 20,
                col2=sky.on((0.72, 0.42, 0.20)), pat=1, extent=(1, 0.35), shade=0, noise=0.02, freq=50)
    if rng.random() < 0.5:
        x = rng.uniform(0.1, 0.9) * ar
        for sgn in (0, 1):
            g.tri(x + 0.16 * sgn, y - 0.02, 0.13 - 0.04 * sgn, 0.1 - 0.03 * sgn, sky.far((0.85, 0.62, 0.35), 0.3), pat=9, col2=sky.far((0.5, 0.33, 0.18), 0.3))
    return y, rng.uniform(0.8, 0.9)


def forest(g, sky, ar, rng):
    y = rng.uniform(0.5, 0.58)
    paint_sky(g, sky, ar, y, rng)
    g.depth, g.ident = 0.95, 0.05
    g.ridge(y - 0.12, 0.05, 6, 0.3, sky.far((0.14, 0.36, 0.2), 0.55), rng.random() * 20)
    for row, far in ((0, 0.7), (1, 0.4), (2, 0.1)):
        if row == 1:
            mist(g, sky, ar, y)
        g.depth, g.ident = 0.9 - 0.1 * row, 0.06 + 0.02 * row
        for i in range(6 - row):
            x = (i + rng.uniform(0.1, 0.9)) / (6 - row) * ar
            h = rng.uniform(0.26, 0.36) + 0.1 * row
            c = sky.far(rng.choice([(0.08, 0.34, 0.16), (0.14, 0.42, 0.18), (0.06, 0.27, 0.17)]), far)
            base = y + 0.02 + 0.05 * row
            if row == 2 and 0.3 < x / ar < 0.7:
                continue
            g.cap(x, base, x, base - h * 0.4, 0.018, 0.012, sky.far((0.30, 0.2, 0.12), far))
            for k in range(3 if row else 1):
                g.tri(x, base - h * (0.4 + 0.25 * k), h * (0.30 - 0.06 * k), h * 0.28, c, round=0.3, shade=0.5, noise=0.1)
        if row == 0:
            ground(g, ar, y, sky.on((0.14, 0.24, 0.09)), sky.on((0.22, 0.42, 0.16)))
    for _ in range(6):
        x, yy = rng.uniform(0, ar), rng.uniform(0.7, 0.98)
        g.blob(x, yy, 0.05, 0.025, 0.2, 7, sky.on((0.16, 0.38, 0.14)), ident=False)
    return y, rng.uniform(0.8, 0.88)


def city(g, sky, ar, rng):
    y = rng.uniform(0.62, 0.68)
    paint_sky(g, sky, ar, y, rng)
    lamp = (1.0, 0.88, 0.5) if sky.time != "day" else (0.75, 0.88, 0.98)
    for row in (0, 1):
        n = 7 - row
        g.depth, g.ident = 0.92 - 0.15 * row, 0.05 + 0.03 * row
        for i in range(n):
            x = (i + 0.5) / n * ar + rng.uniform(-0.03, 0.03)
            if row and 0.35 < x / ar < 0.65 and rng.random() < 0.6:
                continue
            h = rng.uniform(0.14, 0.28) * (1.25 - 0.3 * row)
            w = ar / n * rng.uniform(0.38, 0.52)
            c = sky.far(rng.choice([(0.45, 0.47, 0.55), (0.55, 0.42, 0.38), (0.35, 0.40, 0.5), (0.6, 0.56, 0.5)]), 0.5 - 0.4 * row)
            g.box(x, y - h, w, h, c, pat=2, fu=2, fv=5, col2=mix(c, lamp, 0.75 if sky.time != "day" else 0.4), ph=rng.random() * 9, shade=0.2)
    mist(g, sky, ar, y, 0.35)
    ground(g, ar, y, sky.on((0.28, 0.28, 0.31)), sky.on((0.40, 0.40, 0.43)))
    g.box(ar / 2, y + 0.025, ar, 0.025, sky.on((0.6, 0.59, 0.57)))
    for k in range(4):
        g.box((k + 0.5) / 4 * ar, 0.94, 0.06, 0.01, sky.on((0.92, 0.85, 0.45)), ident=False)
    return y, rng.uniform(0.82, 0.9)


def space(g, sky, ar, rng):
    g.depth, g.ident = 1.0, 0.02
    a, b = rng.choice([((0.02, 0.02, 0.08), (0.10, 0.05, 0.22)), ((0.01, 0.03, 0.08), (0.03, 0.12, 0.24)), ((0.04, 0.01, 0.08), (0.22, 0.05, 0.18))])
    g.place(0, 0, 1)
    g.box(ar / 2, 0.5, ar, 0.6, a, col2=b, pat=7, fu=2.5, fv=2.5, ph=rng.random() * 9, shade=0)
    for _ in range(3):
        g.blob(rng.uniform(0, ar), rng.uniform(0, 1), rng.uniform(0.2, 0.4), rng.uniform(0.12, 0.25), 0.2, 3,
               rng.choice([(0.55, 0.2, 0.65), (0.15, 0.35, 0.75), (0.75, 0.25, 0.4)]), soft=0.25, alpha=0.4, shade=0, ident=False)
    for _ in range(20):
        g.ball(rng.uniform(0, ar), rng.uniform(0, 1), rng.uniform(0.003, 0.009), (1, 1, rng.uniform(0.7, 1)), shade=0, ident=False)
    for _ in range(2):
        g.star(rng.uniform(0, ar), rng.uniform(0, 0.7), rng.uniform(0.02, 0.04), 4, 0.2, (1, 1, 0.95), shade=0, ident=False)
    if rng.random() < 0.6:
        r = rng.uniform(0.08, 0.16)
        g.ident = 0.08
        g.ball(rng.choice([0.15, 0.85]) * ar, rng.uniform(0.12, 0.3), r, rng.choice([(0.8, 0.5, 0.35), (0.35, 0.6, 0.8), (0.7, 0.65, 0.55)]),
               pat=3, fu=0.4, fv=2.5, col2=(0.35, 0.3, 0.35), shade=1.3)
    if rng.random() < 0.5:
        g.depth, g.ident = 0.6, 0.1
        g.ell(ar / 2, 1.32, ar * 0.95, 0.5, rng.choice([(0.55, 0.55, 0.6), (0.2, 0.42, 0.7), (0.6, 0.35, 0.25)]), pat=7, fu=9, fv=5, col2=(0.35, 0.38, 0.4), shade=0.8)
    return 0.5, 0.84


def mountains(g, sky, ar, rng):
    y = rng.uniform(0.5, 0.58)
    paint_sky(g, sky, ar, y, rng)
    for k in range(3):
        x = rng.uniform(0.0, 1.0) * ar if k else rng.uniform(0.3, 0.7) * ar
        h = rng.uniform(0.15, 0.21) * (1 - 0.18 * k)
        c = sky.far((0.40, 0.42, 0.52), 0.4 - 0.15 * k)
        g.depth, g.ident = 0.97 - 0.03 * k, 0.05 + 0.02 * k
        g.tri(x, y - h + 0.05, h * 1.3, h, c, pat=9, col2=dark(c, 0.45), noise=0.08, freq=40)
        g.tri(x, y - 2 * h + 0.05 + h * 0.32, h * 0.42, h * 0.33, sky.far((0.97, 0.98, 1.0), 0.1), pat=9, col2=sky.far((0.68, 0.74, 0.86), 0.2))
    mist(g, sky, ar, y - 0.02, 0.4)
    g.depth, g.ident = 0.85, 0.12
    g.ridge(y + 0.02, 0.04, rng.uniform(4, 6), 0.5, sky.far((0.25, 0.40, 0.25), 0.25), rng.random() * 20)
    trees(g, sky, ar, y + 0.08, 6, rng, 0.5)
    g.depth, g.ident = 0.6, 0.14
    g.ridge(y + 0.1, 0.03, rng.uniform(2, 4), 0.0, sky.on((0.42, 0.52, 0.27)), rng.random() * 20, col2=sky.on((0.25, 0.34, 0.16)), pat=1, noise=0.04, freq=40)
    return y, rng.uniform(0.82, 0.9)


def meadow(g, sky, ar, rng):
    y = rng.uniform(0.46, 0.55)
    paint_sky(g, sky, ar, y, rng)
    for k, c in enumerate(((0.42, 0.66, 0.36), (0.38, 0.68, 0.28), (0.36, 0.70, 0.24))):
        g.depth, g.ident = 0.9 - 0.12 * k, 0.06 + 0.03 * k
        g.ridge(y + 0.07 * k, 0.05, rng.uniform(2, 4), 0.0, sky.far(c, 0.35 - 0.17 * k), rng.random() * 20,
                col2=sky.on((0.16, 0.42, 0.12)), pat=1, noise=0.03, freq=60)
    for _ in range(20):
        yy = rng.uniform(y + 0.18, 0.99)
        s = 0.006 + 0.022 * (yy - y)
        g.ball(rng.uniform(0, ar), yy, s, sky.on(rng.choice([(1, 0.3, 0.35), (1, 0.9, 0.3), (0.98, 0.98, 1), (0.75, 0.4, 0.95)])), ident=False)
    return y, rng.uniform(0.8, 0.9)


def snow(g, sky, ar, rng):
    y = rng.uniform(0.48, 0.56)
    paint_sky(g, sky, ar, y, rng)
    for k in range(3):
        g.depth, g.ident = 0.9 - 0.12 * k, 0.06 + 0.03 * k
        g.ridge(y + 0.07 * k, 0.045, rng.uniform(2, 4), 0.0, sky.far((0.90, 0.94, 1.0), 0.3 - 0.14 * k), rng.random() * 20,
                col2=sky.on((0.66, 0.76, 0.92)), pat=1)
        if k < 2:
            for _ in range(3):
                x, h = rng.uniform(0, ar), rng.uniform(0.07, 0.12) * (1 + 0.6 * k)
                for q in (0, 1):
                    g.tri(x, y + 0.07 * k - h * (0.4 + 0.6 * q), h * (0.5 - 0.14 * q), h * 0.55, sky.far((0.16, 0.34, 0.30), 0.3))
                    g.tri(x, y + 0.07 * k - h * (0.62 + 0.62 * q), h * (0.32 - 0.1 * q), h * 0.33, sky.on((0.95, 0.97, 1.0)))
    return y, rng.uniform(0.8, 0.9)


def room(g, sky, ar, rng):
    y = rng.uniform(0.62, 0.7)
    wall = rng.choice([(0.82, 0.72, 0.56), (0.58, 0.68, 0.70), (0.76, 0.58, 0.54), (0.62, 0.66, 0.52)])
    dim = 0.62 if sky.night else 1.0
    wall = tuple(a * dim for a in wall)
    g.place(0, 0, 1)
    g.depth, g.ident = 0.95, 0.04
    g.box(ar / 2, y / 2, ar, y / 2 + 0.02, light(wall, 0.1), col2=dark(wall, 0.18), pat=5, shade=0)
    g.depth, g.ident = 0.9, 0.08
    x = rng.choice([0.22, 0.78]) * ar
    g.box(x, 0.3, 0.15, 0.19, dark((0.5, 0.32, 0.2), 0.1))
    g.box(x, 0.3, 0.13, 0.17, sky.top, col2=sky.low, pat=1, shade=0)
    g.box(x, 0.3, 0.008, 0.17, (0.5, 0.32, 0.2))
    g.box(x, 0.3, 0.13, 0.008, (0.5, 0.32, 0.2))
    for s in (-1, 1):
        g.box(x + s * 0.16, 0.3, 0.045, 0.22, tuple(a * dim for a in (0.72, 0.25, 0.25)), pat=3, fu=2, col2=(0.5, 0.15, 0.18))
    x2 = ar - x
    g.box(x2, 0.27, 0.11, 0.085, (0.72, 0.55, 0.25))
    g.box(x2, 0.27, 0.09, 0.065, (0.45, 0.62, 0.72), col2=(0.35, 0.5, 0.3), pat=1)
    g.ident = 0.1
    ground(g, ar, y, tuple(a * dim for a in (0.40, 0.24, 0.13)), tuple(a * dim for a in (0.58, 0.38, 0.22)))
    g.box(ar / 2, (1 + y) / 2, ar, (1 - y) / 2, (0.3, 0.18, 0.1), pat=8, fu=7, fv=4, alpha=0.25, shade=0, ident=False,
          col2=(0.1, 0.05, 0.03))
    g.ell(ar / 2, 0.88, ar * 0.36, 0.085, tuple(a * dim for a in (0.55, 0.2, 0.28)), shade=0.1)
    g.ell(ar / 2, 0.88, ar * 0.3, 0.065, tuple(a * dim for a in (0.85, 0.7, 0.5)), shade=0.1)
    g.box(ar / 2, y, ar, 0.014, tuple(a * dim for a in (0.9, 0.86, 0.8)))
    return y, rng.uniform(0.85, 0.91)


def cave(g, sky, ar, rng):
    g.place(0, 0, 1)
    g.depth, g.ident = 1.0, 0.03
    rock = rng.choice([(0.30, 0.26, 0.27), (0.24, 0.25, 0.32), (0.34, 0.25, 0.20)])
    g.box(ar / 2, 0.5, ar, 0.6, light(rock, 0.12), col2=dark(rock, 0.55), pat=7, fu=7, fv=5, ph=rng.random() * 9, shade=0)
    x = rng.uniform(0.3, 0.7) * ar
    glow = rng.choice([(0.45, 0.7, 0.95), (1.0, 0.72, 0.35), (0.5, 0.9, 0.75)])
    g.blob(x, 0.42, 0.36, 0.34, 0.08, 5, glow, soft=0.45, alpha=0.75, shade=0, ident=False)
    g.depth, g.ident = 0.8, 0.06
    for i in range(7):
        xx = (i + rng.uniform(0.2, 0.8)) / 7 * ar
        h = rng.uniform(0.06, 0.16) * (1 + 1.2 * abs(xx / ar - 0.5))
        g.tri(xx, h - 0.02, 0.06, h, dark(rock, 0.2), rot=math.pi, noise=0.12, freq=50)
    g.depth, g.ident = 0.6, 0.1
    for s in (0, 1):
        g.blob(s * ar, 0.5, 0.2, 0.6, 0.15, 9, dark(rock, 0.4), noise=0.15, freq=30, shade=0.3)
    g.ridge(0.72, 0.025, 6, 0.4, light(rock, 0.08), rng.random() * 20, col2=dark(rock, 0.5), pat=1, noise=0.1, freq=50)
    for _ in range(3):
        xx, h = rng.choice([rng.uniform(0, 0.25), rng.uniform(0.75, 1)]) * ar, rng.uniform(0.05, 0.11)
        g.tri(xx, 0.8 - h, 0.05, h, dark(rock, 0.1), noise=0.12, freq=50)
    return 0.6, rng.uniform(0.84, 0.9)


def underwater(g, sky, ar, rng):
    g.place(0, 0, 1)
    g.depth, g.ident = 1.0, 0.02
    g.box(ar / 2, 0.45, ar, 0.6, (0.20, 0.72, 0.86), col2=(0.02, 0.20, 0.46), pat=1, shade=0)
    for k in range(4):
        x = (k + rng.uniform(0.2, 0.8)) / 4 * ar
        g.trap(x, 0.35, 0.14, 0.035, 0.45, (0.75, 0.97, 1.0), shear=rng.uniform(0, 0.2), soft=0.08, alpha=0.2, shade=0, ident=False)
    g.depth, g.ident = 0.8, 0.05
    g.ridge(0.72, 0.06, rng.uniform(4, 7), 0.4, (0.06, 0.34, 0.52), rng.random() * 20)
    g.depth, g.ident = 0.6, 0.1
    g.ridge(0.8, 0.02, rng.uniform(4, 7), 0.0, (0.70, 0.74, 0.56), rng.random() * 20, col2=(0.36, 0.50, 0.50), pat=1, extent=(1, 0.2))
    for _ in range(3):
        x = rng.choice([rng.uniform(0, 0.28), rng.uniform(0.72, 1)]) * ar
        c = rng.choice([(0.95, 0.45, 0.5), (0.95, 0.6, 0.25), (0.7, 0.4, 0.85)])
        for a in (-0.5, -0.1, 0.35):
            g.cap(x, 0.9, x + math.sin(a) * 0.11, 0.9 - math.cos(a) * 0.14, 0.022, 0.014, c)
    for _ in range(2):
        x = rng.uniform(0, 1) * ar
        g.curve((x, 0.92), (x + 0.05, 0.78), (x - 0.02, 0.58), 0.016, 0.008, (0.15, 0.5, 0.3), n=4)
    for _ in range(6):
        q = rng.uniform(0.008, 0.018)
        x, y = rng.uniform(0, ar), rng.uniform(0.05, 0.7)
        g.ball(x, y, q, (0.8, 0.97, 1.0), alpha=0.5, shade=0, ident=False)
    return 0.6, rng.uniform(0.84, 0.9)


def volcano(g, sky, ar, rng):
    y = rng.uniform(0.6, 0.66)
    paint_sky(g, sky, ar, y, rng)
    x = rng.uniform(0.3, 0.7) * ar
    for k in range(4):
        g.ball(x + rng.uniform(-0.06, 0.06) + 0.03 * k, 0.16 - 0.06 * k, 0.08 + 0.03 * k, (0.25, 0.21, 0.22), soft=0.08, alpha=0.8, shade=0.3, ident=False)
    g.ball(x, 0.2, 0.2, (1, 0.45, 0.1), soft=0.18, alpha=0.7, shade=0, ident=False)
    g.depth, g.ident = 0.92, 0.06
    g.trap(x, y - 0.2, 0.46, 0.075, 0.22, (0.24, 0.17, 0.18), pat=9, col2=(0.12, 0.08, 0.1), noise=0.15, freq=40)
    for dx in (-0.05, 0.0, 0.04):
        g.curve((x + dx * 0.6, y - 0.41), (x + dx, y - 0.3), (x + dx * rng.uniform(2, 4), y - rng.uniform(0.02, 0.16)), 0.016, 0.01, (1.0, 0.45, 0.08), n=3, lit=False, shade=0, ident=False)
    g.ell(x, y - 0.415, 0.075, 0.016, (1, 0.75, 0.25), shade=0)
    g.depth, g.ident = 0.6, 0.1
    g.ridge(y, 0.03, 5, 0.6, (0.25, 0.18, 0.18), rng.random() * 20, col2=(0.12, 0.09, 0.1), pat=1, noise=0.15, freq=50)
    g.curve((x, y + 0.06), (x + 0.25, y + 0.16), (rng.choice([0.0, ar]), y + 0.2), 0.012, 0.03, (1.0, 0.4, 0.06), n=4, lit=False, shade=0, ident=False)
    return y, rng.uniform(0.84, 0.9)


def clouds(g, sky, ar, rng):
    paint_sky(g, sky, ar, 1.05, rng)
    base = mix(sky.low, (1, 1, 1), 0.65 if not sky.night else 0.15)
    for row in range(3):
        g.depth, g.ident = 0.95 - 0.12 * row, 0.05
        c = mix(base, sky.top, 0.3 - 0.15 * row)
        for i in range(5):
            x = (i + rng.uniform(0, 1)) / 5 * ar
            g.ell(x, 0.74 + 0.12 * row, rng.uniform(0.16, 0.26), rng.uniform(0.09, 0.13), c, soft=0.05, shade=0.5, ident=False)
    return 0.6, 0.84


def alien_planet(g, sky, ar, rng):
    y = rng.uniform(0.5, 0.58)
    a, b, land = rng.choice([((0.25, 0.06, 0.30), (0.95, 0.45, 0.55), (0.62, 0.24, 0.36)), ((0.05, 0.2, 0.25), (0.45, 0.85, 0.65), (0.25, 0.42, 0.38)),
                             ((0.32, 0.12, 0.06), (0.96, 0.66, 0.38), (0.72, 0.34, 0.18))])
    dim = 0.55 if sky.night else 1.0
    a, b, land = (tuple(q * dim for q in z) for z in (a, b, land))
    g.place(0, 0, 1)
    g.depth, g.ident = 1.0, 0.02
    g.box(ar / 2, y / 2, ar, y / 2 + 0.05, a, col2=b, pat=1, shade=0)
    for _ in range(8):
        g.ball(rng.uniform(0, ar), rng.uniform(0, y * 0.6), rng.uniform(0.003, 0.007), (1, 1, 1), shade=0, ident=False)
    for k, q in enumerate((0.13, 0.055)):
        g.ident = 0.05
        g.ball(rng.uniform(0.1, 0.9) * ar, rng.uniform(0.12, 0.3), q, light(b, 0.3), pat=7, fu=5, fv=5, col2=dark(b, 0.3), shade=1.0)
    g.depth, g.ident = 0.9, 0.08
    for _ in range(5):
        x, h = rng.uniform(0, ar), rng.uniform(0.06, 0.14)
        g.trap(x, y - h + 0.04, h * 0.5, h * 0.14, h, mix(land, b, 0.4), shear=rng.uniform(-0.05, 0.05), noise=0.1, freq=50)
    g.depth, g.ident = 0.6, 0.1
    g.ridge(y, 0.03, 5, 0.3, light(land, 0.1), rng.random() * 20, col2=dark(land, 0.45), pat=1, noise=0.06, freq=40)
    for _ in range(6):
        yy = rng.uniform(y + 0.12, 0.97)
        q = 0.02 + 0.07 * (yy - y)
        x = rng.uniform(0, ar)
        g.ell(x, yy, q * 1.6, q * 0.5, dark(land, 0.5), ident=False, shade=0)
        g.ell(x, yy + q * 0.14, q * 1.4, q * 0.4, dark(land, 0.15), ident=False, shade=0)
    return y, rng.uniform(0.84, 0.9)


def garden(g, sky, ar, rng):
    y = rng.uniform(0.55, 0.62)
    paint_sky(g, sky, ar, y, rng)
    g.depth, g.ident = 0.92, 0.05
    trees(g, sky, ar, y + 0.02, 5, rng, 0.15, "round")
    g.depth, g.ident = 0.85, 0.07
    g.box(ar / 2, y - 0.035, ar, 0.055, sky.on((0.16, 0.42, 0.18)), noise=0.18, freq=90, r=0.02)
    for k in range(11):
        g.box((k + 0.5) / 11 * ar, y - 0.01, 0.022, 0.06, sky.on((0.96, 0.95, 0.92)), r=0.015)
    g.box(ar / 2, y - 0.01, ar, 0.012, sky.on((0.9, 0.89, 0.86)))
    ground(g, ar, y + 0.04, sky.on((0.22, 0.50, 0.16)), sky.on((0.40, 0.68, 0.28)))
    g.trap(ar / 2, (1.04 + y) / 2 + 0.01, 0.34, 0.09, (0.96 - y) / 2, sky.on((0.78, 0.68, 0.54)), pat=8, fu=4, fv=6, col2=sky.on((0.6, 0.5, 0.4)), ident=False)
    for _ in range(12):
        x = rng.choice([rng.uniform(0, 0.3), rng.uniform(0.7, 1)]) * ar
        g.star(x, rng.uniform(y + 0.1, 0.97), 0.022, 5, 0.6, sky.on(rng.choice([(1, 0.35, 0.5), (1, 0.85, 0.3), (0.98, 0.98, 1), (0.7, 0.45, 0.95)])), ident=False)
    return y, rng.uniform(0.82, 0.9)


def studio(g, sky, ar, rng):
    c = rng.choice([(0.85, 0.86, 0.88), (0.92, 0.88, 0.82), (0.74, 0.82, 0.88), (0.88, 0.78, 0.80), (0.66, 0.70, 0.74), (0.80, 0.86, 0.76)])
    g.place(0, 0, 1)
    g.depth, g.ident = 0.95, 0.04
    g.box(ar / 2, 0.5, ar, 0.6, light(c, 0.45), col2=dark(c, 0.2), pat=5, shade=0)
    g.ell(ar / 2, 1.0, ar * 0.9, 0.28, light(c, 0.3), soft=0.2, alpha=0.8, shade=0, ident=False)
    return 0.6, rng.uniform(0.82, 0.88)


PAINTERS = {"sea": sea, "beach": beach, "desert": desert, "forest": forest, "city": city, "space": space,
            "mountains": mountains, "meadow": meadow, "snow": snow, "room": room, "cave": cave,
            "underwater": underwater, "lake": lake, "volcano": volcano, "clouds": clouds,
            "alien planet": alien_planet, "garden": garden, "studio": studio}
