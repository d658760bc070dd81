"""Buildings, plants and objects."""
from brush import dark, light, mix

INK, GLASS = (0.06, 0.05, 0.09), (0.62, 0.85, 0.95)
WOOD, LEAF, GOLD = (0.5, 0.32, 0.17), (0.22, 0.55, 0.22), (0.98, 0.78, 0.25)
WHITE, STEEL, LAMP = (0.95, 0.95, 0.95), (0.7, 0.73, 0.78), (1.0, 0.9, 0.5)


def house(g, c, r):
    g.box(0.45, -0.45, 0.1, 0.3, dark(c, 0.5))
    g.box(0, 0.45, 0.72, 0.55, mix(c, WHITE, 0.12), shade=0.5, pat=8, fu=4, fv=6, col2=dark(c, 0.12))
    g.trap(0, -0.38, 0.95, 0.25, 0.36, dark(mix(c, (0.5, 0.2, 0.12), 0.6), 0.25), pat=3, fu=0, fv=5, col2=(0.25, 0.12, 0.1))
    g.box(0, 0.66, 0.15, 0.34, dark(WOOD, 0.2), r=0.02)
    g.ball(0.09, 0.68, 0.03, GOLD)
    for s in (-1, 1):
        g.box(s * 0.44, 0.35, 0.17, 0.17, WHITE)
        g.box(s * 0.44, 0.35, 0.135, 0.135, LAMP, lit=False, shade=0.2)
        g.box(s * 0.44, 0.35, 0.015, 0.15, WHITE)


def castle(g, c, r):
    stone = c
    for s in (-1, 1):
        g.box(s * 0.72, 0.3, 0.24, 0.7, stone, pat=8, fu=2, fv=8, col2=dark(stone, 0.2))
        g.tri(s * 0.72, -0.66, 0.32, 0.28, (0.25, 0.3, 0.55) if c[2] < 0.5 else (0.65, 0.2, 0.2))
    g.box(0, 0.12, 0.26, 0.88, light(stone, 0.08), pat=8, fu=2, fv=9, col2=dark(stone, 0.15))
    g.tri(0, -0.98, 0.34, 0.24, (0.25, 0.3, 0.55) if c[2] < 0.5 else (0.65, 0.2, 0.2))
    g.box(0, 0.6, 0.62, 0.4, dark(stone, 0.1), pat=8, fu=5, fv=4, col2=dark(stone, 0.3))
    for x in (-0.45, -0.22, 0.0, 0.22, 0.45):
        g.box(x, 0.17, 0.07, 0.08, dark(stone, 0.1))
    g.cut(0, 0.8, 0.18, 0.38, 0.6, dark(WOOD, 0.5))
    for x, y in ((-0.72, 0.05), (0.72, 0.05), (0, -0.35)):
        g.box(x, y, 0.06, 0.12, LAMP, r=0.05, lit=False, shade=0.1)


def lighthouse(g, c, r):
    g.ball(0, -0.72, 0.5, (1, 0.95, 0.6), soft=0.4 * g.s, alpha=0.5, shade=0, lit=False, ident=False)
    g.blob(0, 0.98, 0.55, 0.14, 0.12, 7, (0.4, 0.38, 0.36))
    g.trap(0, 0.2, 0.33, 0.19, 0.76, WHITE, pat=3, fu=0, fv=2.6, col2=c, round=0.4, ph=1.5)
    g.box(0, -0.58, 0.29, 0.05, dark(c, 0.4), r=0.02)
    g.box(0, -0.74, 0.15, 0.14, LAMP, lit=False, shade=0.1)
    g.cut(0, -0.86, 0.23, 0.22, 0.0, c)
    g.box(0, 0.8, 0.08, 0.15, dark(WOOD, 0.4), r=0.05)


def windmill(g, c, r):
    g.trap(0, 0.35, 0.45, 0.26, 0.65, c, round=0.4, pat=8, fu=3, fv=6, col2=dark(c, 0.15))
    g.cut(0, -0.28, 0.31, 0.3, 0.0, dark(WOOD, 0.1))
    g.box(0, 0.8, 0.11, 0.2, dark(WOOD, 0.4), r=0.08)
    g.ball(0, 0.25, 0.09, LAMP, lit=False)
    t = r.random() * 1.57
    import math
    for k in range(4):
        a = t + k * math.pi / 2
        g.cap(0, -0.32, math.cos(a) * 0.85, -0.32 + math.sin(a) * 0.85, 0.03, 0.025, dark(WOOD, 0.2))
        x, y = math.cos(a + 0.16) * 0.55, -0.32 + math.sin(a + 0.16) * 0.55
        g.box(x, y, 0.32, 0.1, light(c, 0.75), rot=a, pat=2, fu=4, fv=2, col2=WHITE)
    g.ball(0, -0.32, 0.08, INK)


def skyscraper(g, c, r):
    g.cap(0, -0.9, 0, -1.15, 0.025, 0.01, STEEL)
    g.box(0, -0.75, 0.22, 0.2, light(c, 0.1), pat=2, fu=2, fv=2, col2=mix(light(c, 0.5), LAMP, 0.5))
    g.box(0.4, 0.4, 0.3, 0.6, dark(c, 0.25), pat=2, fu=2, fv=4, col2=mix(light(c, 0.4), LAMP, 0.4), ph=1.0)
    g.box(-0.05, 0.2, 0.38, 0.8, c, pat=2, fu=3, fv=6, col2=mix(light(c, 0.5), LAMP, 0.5), ph=r.random() * 9, rim=0.2)


def tree(g, c, r):
    for s in (-1, 1):
        g.cap(0, 0.4, s * 0.3, 0.05, 0.09, 0.05, WOOD)
    g.cap(0, 1.0, 0, 0.1, 0.17, 0.11, WOOD, noise=0.15)
    for x, y, q in ((-0.42, -0.1, 0.42), (0.42, -0.1, 0.42), (0, 0.02, 0.4), (0, -0.5, 0.5)):
        g.blob(x, y, q, q * 0.92, 0.06, 8, dark(c, 0.3 if y > 0 else 0.1), noise=0.2, freq=24 / max(g.s, 0.02) * 0.25)
    g.blob(-0.12, -0.55, 0.34, 0.26, 0.08, 7, light(c, 0.15), noise=0.2, freq=24 / max(g.s, 0.02) * 0.25)


def pine(g, c, r):
    g.cap(0, 1.0, 0, 0.5, 0.12, 0.1, WOOD)
    for y, w, h in ((0.45, 0.62, 0.38), (0.02, 0.5, 0.36), (-0.38, 0.37, 0.34), (-0.72, 0.24, 0.28)):
        g.tri(0, y, w, h, mix(dark(c, 0.22), c, (0.45 - y) / 1.2), noise=0.15, round=0.2)


def cactus(g, c, r):
    g.cap(-0.5, 0.1, -0.5, -0.2, 0.14, 0.13, c, pat=3, fu=5, col2=dark(c, 0.25))
    g.cap(-0.5, 0.15, -0.1, 0.25, 0.13, 0.13, c)
    g.cap(0.48, -0.1, 0.48, -0.45, 0.13, 0.12, c, pat=3, fu=5, col2=dark(c, 0.25))
    g.cap(0.48, -0.05, 0.1, 0.05, 0.12, 0.12, c)
    g.box(0, 0.12, 0.24, 0.9, c, r=0.22, pat=3, fu=3.5, col2=dark(c, 0.3), round=0.3)
    for x, y in ((0, -0.8), (-0.5, -0.34), (0.48, -0.58)):
        g.star(x, y, 0.12, 6, 0.55, (1.0, 0.45, 0.65))


def flower(g, c, r):
    import math
    g.curve((0, 1.0), (0.12, 0.5), (0, -0.2), 0.055, 0.045, LEAF)
    g.ell(0.26, 0.55, 0.27, 0.1, LEAF, rot=-0.5)
    g.ell(-0.24, 0.7, 0.25, 0.1, dark(LEAF, 0.2), rot=0.5)
    for k in range(7):
        a = k * 2 * math.pi / 7
        g.ell(math.cos(a) * 0.4, -0.38 + math.sin(a) * 0.4, 0.28, 0.18, c, rot=a, pat=9, col2=light(c, 0.3))
    g.ball(0, -0.38, 0.22, GOLD if c[0] < 0.9 or c[1] < 0.6 else (0.45, 0.25, 0.1), noise=0.15)


def mushroom(g, c, r):
    g.trap(0, 0.55, 0.3, 0.19, 0.45, (0.96, 0.91, 0.82), round=0.5)
    g.ell(0, 0.12, 0.6, 0.12, dark((0.96, 0.91, 0.82), 0.3))
    g.cut(0, 0.12, 0.85, 0.92, 0.05, c, rim=0.3)
    for x, y, q in ((-0.38, -0.22, 0.15), (0.1, -0.45, 0.17), (0.48, -0.12, 0.13), (0.02, -0.05, 0.11)):
        g.ell(x, y, q, q * 0.85, (0.98, 0.97, 0.94), shade=0.4)


def pumpkin(g, c, r):
    g.cap(0, -0.25, 0.12, -0.6, 0.1, 0.07, (0.35, 0.4, 0.15))
    for x in (-0.52, 0.52, -0.27, 0.27, 0):
        g.ell(x, 0.35, 0.42, 0.63, dark(c, abs(x) * 0.35))
    for s in (-1, 1):
        g.tri(s * 0.32, 0.18, 0.16, 0.14, LAMP, lit=False, shade=0)
    g.cut(0, 0.5, 0.48, 0.26, 0.0, LAMP, rot=3.14159, lit=False, shade=0)
    g.box(0.08, 0.54, 0.07, 0.06, c)


def ball(g, c, r):
    g.ball(0, 0.1, 0.88, c, rim=0.4, shade=0.9)
    g.ell(0.02, 0.62, 0.55, 0.24, light(c, 0.3), soft=0.3 * g.s, alpha=0.4, shade=0, ident=False)
    g.ell(-0.3, -0.3, 0.24, 0.17, light(c, 0.85), rot=-0.6, soft=0.12 * g.s, alpha=0.9, shade=0, ident=False)


def cube(g, c, r):
    g.trap(0, -0.42, 0.78, 0.78, 0.28, light(c, 0.35), shear=-0.4, shade=0.3)
    g.box(-0.2, 0.42, 0.78, 0.57, c, shade=0.4)
    g.trap(0.78, 0.15, 0.57, 0.57, 0.2, dark(c, 0.4), rot=-1.5708, shear=0.56, shade=0.2)


def teapot(g, c, r):
    g.arc(-0.72, 0.3, 0.3, 0.08, 2.2, dark(c, 0.1), rot=3.14159)
    g.cap(0.5, 0.5, 0.95, 0.0, 0.18, 0.08, c)
    g.ell(0.98, -0.05, 0.12, 0.06, dark(c, 0.25), rot=-0.3)
    g.ell(0, 0.95, 0.42, 0.07, dark(c, 0.4))
    g.ell(0, 0.38, 0.7, 0.58, c, rim=0.5)
    g.cut(0, -0.08, 0.42, 0.24, 0.0, light(c, 0.12), rim=0.5)
    g.ell(0, -0.08, 0.44, 0.045, dark(c, 0.3), shade=0.2)
    g.ball(0, -0.37, 0.12, dark(c, 0.15), rim=0.6)
    g.ell(-0.26, 0.12, 0.2, 0.12, light(c, 0.7), rot=-0.5, soft=0.1 * g.s, alpha=0.8, shade=0, ident=False)


def cup(g, c, r):
    g.arc(0.6, 0.35, 0.28, 0.075, 2.0, dark(c, 0.1))
    g.trap(0, 0.38, 0.42, 0.62, 0.58, c, round=0.5, rim=0.5)
    g.ell(0, -0.2, 0.62, 0.15, light(c, 0.4), shade=0.2)
    g.ell(0, -0.19, 0.53, 0.11, (0.3, 0.17, 0.08), shade=0.2)
    for k in (-0.2, 0.15):
        g.curve((k, -0.35), (k + 0.2, -0.6), (k, -0.95), 0.05, 0.03, WHITE, alpha=0.45, soft=0.06 * g.s, shade=0, ident=False)


def lantern(g, c, r):
    g.ball(0, 0.3, 1.1, (1, 0.85, 0.4), soft=0.8 * g.s, alpha=0.35, shade=0, lit=False, ident=False)
    g.arc(0, -0.66, 0.25, 0.055, 3.14, dark(c, 0.15))
    g.trap(0, -0.32, 0.58, 0.16, 0.26, c, rim=0.3)
    g.box(0, 0.33, 0.46, 0.48, c, r=0.03)
    for s in (-1, 1):
        g.box(s * 0.2, 0.32, 0.13, 0.35, (1.0, 0.88, 0.45), r=0.03, lit=False, shade=0.1)
    g.box(0, 0.88, 0.58, 0.13, c, r=0.04, rim=0.3)


def guitar(g, c, r):
    g.box(0, -0.5, 0.075, 0.55, dark(WOOD, 0.3))
    g.box(0, -1.02, 0.14, 0.14, dark(WOOD, 0.5), r=0.03)
    g.ell(0, 0.15, 0.42, 0.35, c, rim=0.5)
    g.ell(0, 0.6, 0.56, 0.42, c, rim=0.6)
    g.ball(0, 0.3, 0.17, INK)
    g.box(0, 0.72, 0.22, 0.04, dark(WOOD, 0.4))
    for x in (-0.03, 0.03):
        g.box(x, -0.15, 0.008, 0.86, WHITE, shade=0)


def clock(g, c, r):
    import math
    for s in (-1, 1):
        g.ball(s * 0.52, -0.72, 0.27, dark(c, 0.12), rim=0.5)
        g.cap(s * 0.5, 0.75, s * 0.66, 0.95, 0.1, 0.08, dark(c, 0.3))
    g.cap(0, -0.8, 0, -0.9, 0.08, 0.08, dark(c, 0.4))
    g.ball(0, 0.12, 0.84, c, rim=0.5)
    g.ball(0, 0.12, 0.6, (0.98, 0.97, 0.92), shade=0.15)
    for k in range(4):
        a = k * math.pi / 2
        g.cap(math.cos(a) * 0.45, 0.12 + math.sin(a) * 0.45, math.cos(a) * 0.54, 0.12 + math.sin(a) * 0.54, 0.05, 0.05, INK, shade=0)
    a = r.choice((-2.6, -0.5, 0.6, 2.5))
    g.cap(0, 0.12, 0, -0.28, 0.055, 0.045, INK)
    g.cap(0, 0.12, math.cos(a) * 0.3, 0.12 + math.sin(a) * 0.3, 0.07, 0.055, INK)
    g.ball(0, 0.12, 0.08, c)


def book(g, c, r):
    for s in (-1, 1):
        g.trap(s * 0.52, 0.42, 0.54, 0.54, 0.56, c, rot=s * 0.12)
        g.trap(s * 0.44, 0.34, 0.38, 0.38, 0.42, (0.97, 0.94, 0.85), rot=s * 0.12, pat=3, fu=0, fv=5, col2=(0.82, 0.79, 0.72))
    g.box(0, 0.48, 0.05, 0.56, dark(c, 0.35))
    g.box(0.12, 0.72, 0.05, 0.27, c)


def umbrella(g, c, r):
    g.box(0, 0.3, 0.035, 0.62, WOOD)
    g.arc(0.12, 0.86, 0.12, 0.035, 1.57, WOOD, rot=1.57)
    g.cut(0, 0.05, 0.95, 0.85, 0.0, c, pat=3, fu=3, col2=light(c, 0.5), rim=0.3)
    for x in (-0.63, -0.21, 0.21, 0.63):
        g.ell(x, 0.06, 0.2, 0.07, dark(c, 0.3))
    g.cap(0, -0.8, 0, -0.95, 0.03, 0.02, INK)


def chair(g, c, r):
    for x in (-0.28, 0.3):
        g.box(x, 0.58, 0.06, 0.3, dark(c, 0.5))
    g.box(-0.1, -0.42, 0.5, 0.48, c, r=0.1, shade=0.6)
    for x in (-0.32, -0.1, 0.12):
        g.box(x, -0.38, 0.065, 0.34, dark(c, 0.3), r=0.04, shade=0.3)
    for x in (-0.52, 0.52):
        g.box(x, 0.66, 0.085, 0.34, dark(c, 0.18), r=0.02)
    g.trap(0, 0.24, 0.66, 0.5, 0.14, light(c, 0.14), shade=0.3)
    g.box(0, 0.41, 0.66, 0.07, c, r=0.03)


def crown(g, c, r):
    for x in (-0.62, -0.31, 0.0, 0.31, 0.62):
        g.trap(x, 0.12, 0.2, 0.01, 0.48 if x == 0 else 0.4, c, rim=0.6)
        g.ball(x, -0.36 if x == 0 else -0.28, 0.1, light(c, 0.5), rim=0.8)
    g.box(0, 0.62, 0.8, 0.22, c, r=0.05, rim=0.7)
    for x, col in ((-0.5, (0.9, 0.1, 0.2)), (0, (0.15, 0.4, 0.95)), (0.5, (0.1, 0.75, 0.35))):
        g.ell(x, 0.62, 0.12, 0.12, col, rim=0.9)


def sword(g, c, r):
    blade = mix(light(c, 0.25), STEEL, 0.3)
    g.trap(0, -0.3, 0.17, 0.14, 0.62, blade, rim=0.6)
    g.tri(0, -1.03, 0.14, 0.14, light(blade, 0.2))
    g.trap(0.075, -0.3, 0.09, 0.07, 0.62, dark(blade, 0.25), shade=0.3)
    g.box(0, 0.38, 0.46, 0.09, c, r=0.07, rim=0.5)
    g.box(0, 0.65, 0.09, 0.22, dark(c, 0.35), pat=3, fu=0, fv=3, col2=dark(c, 0.55))
    g.ball(0, 0.9, 0.14, c, rim=0.8)


def potion(g, c, r):
    g.ball(0, 0.35, 1.0, c, soft=0.7 * g.s, alpha=0.25, shade=0, lit=False, ident=False)
    g.box(0, -0.45, 0.17, 0.32, GLASS, r=0.03, rim=0.5)
    g.box(0, -0.82, 0.15, 0.13, WOOD, r=0.03)
    g.ball(0, 0.35, 0.64, light(GLASS, 0.3), rim=0.6)
    g.cut(0, 0.35, 0.6, 0.6, 0.3, c, rot=3.14159, rim=0.3)
    g.ell(0, 0.06, 0.5, 0.08, light(c, 0.4), shade=0)
    for x, y, q in ((-0.2, 0.5, 0.08), (0.15, 0.62, 0.1), (0.2, 0.4, 0.06)):
        g.ball(x, y, q, light(c, 0.6))
    g.ell(-0.3, 0.1, 0.09, 0.2, WHITE, rot=0.5, alpha=0.8, shade=0)


def vase(g, c, r):
    for x, t in ((-0.28, -0.35), (0, 0.0), (0.28, 0.35)):
        g.cap(0, 0.0, x, -0.6, 0.03, 0.03, LEAF)
        g.star(x * 1.15, -0.72, 0.24, 6, 0.6, r.choice([(1, 0.5, 0.6), (1, 0.85, 0.3), (0.95, 0.95, 1.0)]))
    g.ell(0, 0.45, 0.45, 0.52, c, rim=0.7, pat=3, fu=0, fv=2.5, col2=light(c, 0.5))
    g.trap(0, -0.05, 0.22, 0.32, 0.14, c, rim=0.4)
    g.ell(0, 0.95, 0.28, 0.06, dark(c, 0.4))


def apple(g, c, r):
    g.blob(0, 0.28, 0.76, 0.7, 0.05, 2, c, ph=0.0, rim=0.9, round=1.0)
    g.ell(0, -0.38, 0.24, 0.1, dark(c, 0.45), shade=0)
    g.cap(0, -0.36, 0.1, -0.68, 0.05, 0.045, WOOD)
    g.ell(0.32, -0.58, 0.26, 0.11, LEAF, rot=-0.45)


def cake(g, c, r):
    g.ell(0, 0.92, 0.92, 0.1, WHITE)
    g.box(0, 0.55, 0.72, 0.34, c, r=0.06, round=0.2)
    g.box(0, 0.05, 0.48, 0.24, light(c, 0.2), r=0.06, round=0.2)
    for k in range(6):
        g.ell(-0.6 + 0.24 * k, 0.28, 0.13, 0.11, WHITE)
    for x in (-0.25, 0, 0.25):
        g.ell(x * 1.4, -0.16, 0.12, 0.09, WHITE)
        g.box(x, -0.38, 0.04, 0.2, (0.95, 0.4, 0.5), pat=3, fu=0, fv=3, col2=WHITE)
        g.blob(x, -0.68, 0.06, 0.12, 0.05, 3, LAMP, lit=False, shade=0)


def gift(g, c, r):
    ribbon = GOLD if c[0] < 0.85 or c[1] < 0.5 else (0.85, 0.15, 0.25)
    for s in (-1, 1):
        g.arc(s * 0.24, -0.5, 0.22, 0.07, 3.14, ribbon)
    g.box(0, 0.4, 0.72, 0.58, c, r=0.03)
    g.box(0, -0.15, 0.82, 0.17, light(c, 0.12), r=0.03)
    g.box(0, 0.3, 0.13, 0.66, ribbon)


def hat(g, c, r):
    g.ell(0, 0.82, 0.98, 0.17, dark(c, 0.12))
    g.trap(0, 0.15, 0.56, 0.5, 0.65, c, round=0.5)
    g.box(0, 0.62, 0.56, 0.12, light(c, 0.7))
    g.ell(0, -0.5, 0.5, 0.1, light(c, 0.1))


def candle(g, c, r):
    g.ball(0, -0.55, 0.75, (1, 0.8, 0.35), soft=0.6 * g.s, alpha=0.5, shade=0, lit=False, ident=False)
    g.ell(0, 0.92, 0.55, 0.1, GOLD, rim=0.6)
    g.box(0, 0.35, 0.24, 0.56, c, r=0.05, round=0.4)
    g.ell(0, -0.2, 0.24, 0.06, light(c, 0.4))
    g.blob(0, -0.55, 0.14, 0.32, 0.04, 3, (1, 0.55, 0.1), lit=False, shade=0)
    g.ell(0, -0.48, 0.07, 0.17, (1, 0.95, 0.7), lit=False, shade=0)


def planet(g, c, r):
    band = {"pat": 3, "fu": 0.5, "fv": 3.2, "col2": dark(c, 0.3)}
    ring = r.random() < 0.75
    if ring:
        g.ell(0, 0.0, 1.15, 0.3, light(c, 0.45), rot=-0.35, shade=0.1)
        g.ell(0, 0.0, 0.86, 0.2, dark(c, 0.7), rot=-0.35, shade=0)
    g.ball(0, 0.0, 0.68, c, shade=1.0, rim=0.2, **band)
    if ring:
        g.cut(0, 0.0, 1.15, 0.3, 0.0, light(c, 0.45), rot=2.79, shade=0.1)
        g.cut(0, 0.0, 0.69, 0.14, 0.004, dark(c, 0.18), rot=2.79, shade=0)


def crystal(g, c, r):
    g.ball(0, 0.1, 1.1, c, soft=0.8 * g.s, alpha=0.3, shade=0, lit=False, ident=False)
    for x, h, t in ((-0.45, 0.5, -0.4), (0.45, 0.55, 0.4), (0, 0.85, 0.0)):
        y = 1 - h
        g.trap(x, y + 0.1, 0.2, 0.24, h * 0.85, c, rot=t, rim=0.5, pat=9, col2=dark(c, 0.4))
        import math
        g.tri(x + math.sin(t) * h * 1.0, y + 0.1 - math.cos(t) * h * 1.0, 0.24, h * 0.18, light(c, 0.4), rot=t)
        g.trap(x - 0.05, y + 0.1, 0.06, 0.07, h * 0.8, light(c, 0.6), rot=t, alpha=0.8)
    g.blob(0, 0.98, 0.75, 0.12, 0.1, 7, (0.35, 0.33, 0.38))


def heart(g, c, r):
    for s in (-1, 1):
        g.ball(s * 0.37, -0.24, 0.505, c, shade=0.25)
    g.box(0, 0.12, 0.515, 0.515, c, rot=0.7854, shade=0.25)
    g.ell(0, -0.05, 0.5, 0.42, light(c, 0.18), soft=0.5 * g.s, alpha=0.7, shade=0, ident=False)
    g.ell(-0.45, -0.4, 0.17, 0.11, light(c, 0.8), rot=-0.6, soft=0.05 * g.s, shade=0)


def star(g, c, r):
    g.ball(0, 0.05, 1.2, c, soft=0.9 * g.s, alpha=0.3, shade=0, lit=False, ident=False)
    g.star(0, 0.08, 0.98, 5, 0.48, dark(c, 0.15), shade=0.35)
    g.star(0, 0.08, 0.8, 5, 0.48, light(c, 0.12), shade=0.3)


def chest(g, c, r):
    g.cut(0, 0.12, 0.82, 0.62, 0.0, c, pat=3, fu=4, col2=dark(c, 0.3))
    g.box(0, 0.1, 0.76, 0.09, GOLD, lit=False, shade=0.3)
    g.box(0, 0.58, 0.82, 0.4, c, pat=3, fu=0, fv=3, col2=dark(c, 0.3))
    for x in (-0.66, 0.66):
        g.box(x, 0.35, 0.09, 0.65, GOLD, rim=0.5)
    g.box(0, 0.3, 0.14, 0.17, GOLD, r=0.03, rim=0.7)
    g.ball(0, 0.3, 0.05, INK)
