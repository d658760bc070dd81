"""Brush: what subjects and settings draw with. It keeps a placement (where, how large, mirrored,
stretched), the light of the scene and the depth, and appends primitive rows (see shapes.py)."""
import math

from shapes import (ARC, BLOB, BOX, CAP, CRES, CUT, ELL, K, RIDGE, STAR, TRAP, KIND, CX, CY, COS, SIN, A, B,
                    C, D, R1, R2, PAT, FU, FV, PH, SOFT, ALPHA, SHADE, ROUND, RIM, NAMP, NFREQ, DEPTH, ID,
                    LX, LY, EX, EY)


def mix(a, b, t):
    """Colours: a towards b by t."""
    return tuple(x + (y - x) * t for x, y in zip(a, b))


def dark(c, t=0.35):
    return mix(c, (0.04, 0.03, 0.08), t)


def light(c, t=0.35):
    return mix(c, (1.0, 0.98, 0.94), t)


class Brush:
    """rows: the picture so far. Local units: a subject spans about -1..1, y down, its foot at y = 1."""

    def __init__(self, rng, light_dir=(-0.6, -0.6)):
        self.rng = rng
        self.rows = []
        self.light_dir = light_dir
        self.tint = (1.0, 1.0, 1.0)
        self.haze = ((0.7, 0.75, 0.8), 0.0)
        self.shade = 0.75
        self.place(0, 0, 1)
        self.depth, self.ident = 1.0, -1.0

    def place(self, x, y, scale, flip=False, stretch=(1.0, 1.0), turn=0.0):
        """Where the local origin goes, and the size of one local unit."""
        self.x, self.y, self.s = x, y, scale
        self.f = -1.0 if flip else 1.0
        self.st = stretch
        self.turn = turn
        self.ct, self.sn = math.cos(turn), math.sin(turn)

    def at(self, x, y):
        x, y = x * self.f * self.st[0] * self.s, y * self.st[1] * self.s
        return self.x + x * self.ct - y * self.sn, self.y + x * self.sn + y * self.ct

    def put(self, kind, x, y, rot, abcd, col, extent, col2=None, pat=0, fu=0.0, fv=0.0, ph=0.0, soft=0.0,
            alpha=1.0, shade=1.0, round=0.0, rim=0.0, noise=0.0, freq=30.0, ident=True, lit=True):
        """Append a row; lengths are in picture units already, angles in radians (clockwise on screen)."""
        row = [0.0] * K
        row[KIND] = float(kind)
        row[CX], row[CY] = x, y
        row[COS], row[SIN] = math.cos(rot), math.sin(rot)
        row[A], row[B], row[C], row[D] = (tuple(abcd) + (0.0, 0.0, 0.0, 0.0))[:4]
        for base, c in ((R1, col), (R2, col2 or col)):
            for i in range(3):
                value = c[i] * self.tint[i] if lit else c[i]
                row[base + i] = value + (self.haze[0][i] - value) * (self.haze[1] if lit else 0.0)
        row[PAT], row[FU], row[FV], row[PH] = float(pat), fu, fv, ph
        row[SOFT], row[ALPHA] = soft, alpha
        row[SHADE], row[ROUND], row[RIM] = shade * self.shade, round, rim
        row[NAMP], row[NFREQ] = noise, freq
        row[DEPTH] = self.depth if alpha > 0.5 else -1.0
        row[ID] = self.ident if ident else -1.0
        row[LX], row[LY] = self.light_dir
        row[EX], row[EY] = max(extent[0], 1e-4), max(extent[1], 1e-4)
        self.rows.append(row)

    def _sized(self, w, h):
        return max(w * self.s * self.st[0], 1e-4), max(h * self.s * self.st[1], 1e-4)

    def _rot(self, rot):
        return rot * self.f + self.turn

    def ell(self, x, y, rx, ry, col, rot=0.0, **k):
        a, b = self._sized(rx, ry)
        k.setdefault("round", 1.0)
        self.put(ELL, *self.at(x, y), self._rot(rot), (a, b), col, (a, b), **k)

    def ball(self, x, y, r, col, **k):
        self.ell(x, y, r, r, col, **k)

    def box(self, x, y, hw, hh, col, r=0.0, rot=0.0, **k):
        a, b = self._sized(hw, hh)
        self.put(BOX, *self.at(x, y), self._rot(rot), (a, b, r * self.s), col, (a, b), **k)

    def cap(self, x0, y0, x1, y1, r0, r1, col, **k):
        """A limb from one point to another, with a radius at each."""
        ax, ay = self.at(x0, y0)
        bx, by = self.at(x1, y1)
        half = max(math.hypot(bx - ax, by - ay) / 2, 1e-4)
        s = self.s * self.st[0]
        r = max(r0, r1) * s
        self.put(CAP, (ax + bx) / 2, (ay + by) / 2, math.atan2(by - ay, bx - ax), (half, r0 * s, r1 * s), col,
                 (half + r, r), **k)

    def curve(self, p0, p1, p2, r0, r1, col, n=5, **k):
        """A tapering stroke along a quadratic curve."""
        k.setdefault("shade", 0.45)  # else the pieces show as beads
        last = p0
        for i in range(1, n + 1):
            t = i / n
            now = tuple((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c for a, b, c in zip(p0, p1, p2))
            ra, rb = r0 + (r1 - r0) * (t - 1 / n), r0 + (r1 - r0) * t
            self.cap(*last, *now, ra, rb, col, **k)
            last = now

    def trap(self, x, y, bottom, top, hh, col, shear=0.0, rot=0.0, **k):
        """bottom and top: half widths; shear moves the bottom edge sideways."""
        a, c = self._sized(bottom, hh)
        b, _ = self._sized(top, hh)
        self.put(TRAP, *self.at(x, y), self._rot(rot), (a, b, c, shear * self.s * self.st[0] * self.f), col,
                 (max(a, b), c), **k)

    def tri(self, x, y, hw, hh, col, **k):
        self.trap(x, y, hw, 0.0, hh, col, **k)

    def star(self, x, y, r, points, inner, col, rot=0.0, **k):
        a, _ = self._sized(r, r)
        self.put(STAR, *self.at(x, y), self._rot(rot), (a, float(points), inner), col, (a, a), **k)

    def arc(self, x, y, r, thick, half_angle, col, rot=0.0, **k):
        """A ring segment around the direction rot (0: right)."""
        a, _ = self._sized(r, r)
        rot = rot if self.f > 0 else math.pi - rot
        self.put(ARC, *self.at(x, y), rot + self.turn, (a, thick * self.s, half_angle), col,
                 (a + thick * self.s,) * 2, **k)

    def blob(self, x, y, rx, ry, amp, lobes, col, rot=0.0, **k):
        a, b = self._sized(rx, ry)
        k.setdefault("round", 0.8)
        k.setdefault("ph", self.rng.random() * 6.28)
        self.put(BLOB, *self.at(x, y), self._rot(rot), (a, b, amp, float(lobes)), col, (a, b), **k)

    def cres(self, x, y, r, shift, r2, col, rot=0.0, **k):
        a, b = self._sized(r, abs(shift))
        c, _ = self._sized(r2, r2)
        rot = rot if self.f > 0 else math.pi - rot
        self.put(CRES, *self.at(x, y), rot + self.turn, (a, b, c), col, (a, a), **k)

    def cut(self, x, y, rx, ry, cut, col, rot=0.0, **k):
        """An ellipse of which only the part above the line `cut` (in units of ry) remains; rot = pi for
        the part below."""
        a, b = self._sized(rx, ry)
        k.setdefault("round", 0.7)
        self.put(CUT, *self.at(x, y), self._rot(rot), (a, b, cut * b), col, (a, b), **k)

    def ridge(self, y, amp, waves, jag, col, ph, **k):
        """Everything below a line of hills, in picture units."""
        k.setdefault("shade", 0.0)
        self.put(RIDGE, 0.5, y, 0.0, (amp, waves, 0.0, jag), col, k.pop("extent", (1.0, 1.0 - y + 0.05)), ph=ph, **k)

    def eye(self, x, y, r, iris=(0.05, 0.05, 0.08)):
        self.ball(x, y, r, (1, 1, 1), shade=0.3)
        self.ball(x + r * 0.2, y, r * 0.62, iris, shade=0.2)
        self.ball(x + r * 0.02, y - r * 0.25, r * 0.22, (1, 1, 1), shade=0.0, lit=False)
