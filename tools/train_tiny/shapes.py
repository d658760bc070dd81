"""Primitives and their rasteriser.

A scene is a list of rows of K floats, painted back to front. Coordinates: unit = picture height, x to the
right, y down. Two drivers share the same formulas: `paint_one` crops and dispatches by kind (quick on a
CPU), `paint_batch` walks all scenes of a batch in step and selects by kind.

The canvas has 5 planes: red, green, blue (0..1, display space), depth (0 near .. 1 far), id (random in
0..1 for each object; outlines are found from it).
"""
import math

import torch

(KIND, CX, CY, COS, SIN, A, B, C, D, R1, G1, B1, R2, G2, B2, PAT, FU, FV, PH, SOFT, ALPHA, SHADE, ROUND,
 RIM, NAMP, NFREQ, DEPTH, ID, LX, LY, EX, EY) = range(32)
K = 32
ELL, BOX, CAP, TRAP, STAR, ARC, RIDGE, BLOB, CRES, CUT = range(10)
P_NONE, P_VERT, P_GRID, P_STRIPE, P_SPOT, P_RADIAL, P_WAVE, P_NOISE, P_BRICK, P_HORZ = range(10)


def wobble(x, y, ph):
    """Cheap smooth noise of about -1..1 from sines."""
    a = torch.sin(x * 1.7 + 1.3 * torch.sin(y * 2.3 + ph)) * torch.sin(y * 1.9 + 1.1 * torch.sin(x * 1.3 - ph))
    b = torch.sin(x * 4.1 + 1.7 * torch.sin(y * 3.7 - ph)) * torch.sin(y * 4.7 + 1.2 * torch.sin(x * 5.3 + ph))
    return 0.65 * a + 0.35 * b


def _ell(u, v, p):
    rx, ry = p[A], p[B]
    k0 = torch.sqrt((u / rx) ** 2 + (v / ry) ** 2 + 1e-9)
    k1 = torch.sqrt((u / (rx * rx)) ** 2 + (v / (ry * ry)) ** 2 + 1e-9)
    return k0 * (k0 - 1) / k1


def _box(u, v, p):
    r = p[C]
    qx, qy = u.abs() - p[A] + r, v.abs() - p[B] + r
    return torch.sqrt(qx.clamp(min=0) ** 2 + qy.clamp(min=0) ** 2 + 1e-12) + torch.maximum(qx, qy).clamp(max=0) - r


def _cap(u, v, p):
    h = ((u + p[A]) / (2 * p[A] + 1e-6)).clamp(0, 1)
    du = u + p[A] - 2 * p[A] * h
    return torch.sqrt(du * du + v * v + 1e-12) - (p[B] + (p[C] - p[B]) * h)


def _trap(u, v, p):
    t = (v + p[C]) / (2 * p[C] + 1e-6)
    w = p[B] + (p[A] - p[B]) * t
    slope = (p[A] - p[B]) / (2 * p[C] + 1e-6)
    return torch.maximum(((u - p[D] * (t - 0.5)).abs() - w) / torch.sqrt(1 + slope * slope), v.abs() - p[C])


def _star(u, v, p, ang):
    sector = 2 * math.pi / p[B]
    a = torch.remainder(ang + math.pi / 2, 2 * math.pi)
    f = torch.remainder(a, sector)
    f = torch.minimum(f, sector - f)
    length = torch.sqrt(u * u + v * v + 1e-12)
    x, y = length * torch.cos(f), length * torch.sin(f)
    ix, iy = p[A] * p[C] * torch.cos(sector / 2), p[A] * p[C] * torch.sin(sector / 2)
    ex, ey = ix - p[A], iy
    return ((x - p[A]) * ey - y * ex) / torch.sqrt(ex * ex + ey * ey + 1e-9)


def _arc(u, v, p, ang):
    length = torch.sqrt(u * u + v * v + 1e-12)
    inside = (length - p[A]).abs() - p[B]
    px, py = p[A] * torch.cos(p[C]), p[A] * torch.sin(p[C])
    end = torch.sqrt((u - px) ** 2 + (v.abs() - py) ** 2 + 1e-12) - p[B]
    return torch.where(ang.abs() < p[C], inside, end)


def _ridge(u, v, p):
    x = u * p[B] + p[PH]
    smooth = 0.6 * torch.sin(x) + 0.3 * torch.sin(2.3 * x + 1.0) + 0.1 * torch.sin(5.1 * x)
    jag = 0.0
    for k, (f, w) in enumerate(((0.35, 0.55), (0.8, 0.3), (2.1, 0.12), (5.3, 0.05))):
        jag = jag + w * (1 - 4 * (torch.remainder(x * f * 0.5 + 0.37 * k, 1.0) - 0.5).abs())
    return (p[A] * (smooth + (jag - smooth) * p[D]) - v) * 0.7


def _blob(u, v, p, ang):
    wave = 1 + p[C] * (torch.sin(p[D] * ang + p[PH]) + 0.5 * torch.sin((p[D] + 2) * ang + 2 * p[PH]))
    k0 = torch.sqrt((u / p[A]) ** 2 + (v / p[B]) ** 2 + 1e-9) / wave
    return (k0 - 1) * torch.minimum(p[A], p[B])


def _cres(u, v, p):
    outer = torch.sqrt(u * u + v * v + 1e-12) - p[A]
    inner = torch.sqrt((u - p[B]) ** 2 + v * v + 1e-12) - p[C]
    return torch.maximum(outer, -inner)


def _cut(u, v, p):
    return torch.maximum(_ell(u, v, p), v - p[C])


def distance_of(kind, u, v, p):
    """Signed distance, negative inside, for one kind. u, v: [h, w]; p: sequence of K scalars (tensors)."""
    if kind in (STAR, ARC, BLOB):
        return (_star, _arc, _blob)[(STAR, ARC, BLOB).index(kind)](u, v, p, torch.atan2(v, u))
    return {ELL: _ell, BOX: _box, CAP: _cap, TRAP: _trap, RIDGE: _ridge, CRES: _cres, CUT: _cut}[kind](u, v, p)


def _distance_select(kind, u, v, p):
    """As distance_of for a batch; kind: [n, 1, 1]. Everything is computed, one is taken."""
    ang = torch.atan2(v, u)
    d = _ell(u, v, p)
    d = torch.where(kind == CUT, torch.maximum(d, v - p[C]), d)
    d = torch.where(kind == BOX, _box(u, v, p), d)
    d = torch.where(kind == CAP, _cap(u, v, p), d)
    d = torch.where(kind == TRAP, _trap(u, v, p), d)
    d = torch.where(kind == STAR, _star(u, v, p, ang), d)
    d = torch.where(kind == ARC, _arc(u, v, p, ang), d)
    d = torch.where(kind == RIDGE, _ridge(u, v, p), d)
    d = torch.where(kind == BLOB, _blob(u, v, p, ang), d)
    return torch.where(kind == CRES, _cres(u, v, p), d)


def _fract(x):
    return x - torch.floor(x)


def _pattern(pat, s, t, p):
    """Share of the second colour. pat: a number or [n, 1, 1]; s, t: local coordinates, about -1..1."""
    fu, fv, ph = p[FU], p[FV], p[PH]
    cu, cv = s * fu + 0.5, t * fv + 0.5
    row = torch.floor(cv)
    brick_u = cu + 0.5 * torch.remainder(row, 2.0)
    lit = _fract(torch.sin(torch.floor(cu) * 12.99 + row * 78.23 + ph) * 43.76)
    grid = ((_fract(cu) - 0.5).abs() < 0.3) & ((_fract(cv) - 0.5).abs() < 0.32)
    choices = (
        (P_VERT, lambda: ((t + 1) / 2).clamp(0, 1)),
        (P_HORZ, lambda: ((s + 1) / 2).clamp(0, 1)),
        (P_GRID, lambda: grid.to(s.dtype) * (0.25 + 0.75 * (lit > 0.35).to(s.dtype))),
        (P_STRIPE, lambda: ((torch.sin(s * fu * 3.14159 + t * fv * 3.14159 + ph) * 4) + 0.5).clamp(0, 1)),
        (P_SPOT, lambda: ((torch.sin(s * fu * 3.14159 + ph) * torch.sin(t * fv * 3.14159 + 2 * ph) - 0.35) * 5).clamp(0, 1)),
        (P_RADIAL, lambda: torch.sqrt(s * s + t * t + 1e-9).clamp(0, 1)),
        (P_WAVE, lambda: (0.5 + 0.5 * torch.sin(fv * torch.log(t.clamp(min=-0.97) + 1.03) * 6 + 1.5 * torch.sin(s * fu + ph + t * 9))) ** 3),
        (P_NOISE, lambda: (0.5 + 0.6 * wobble(s * fu, t * fv, ph)).clamp(0, 1)),
        (P_BRICK, lambda: ((_fract(brick_u) < 0.12) | (_fract(cv) < 0.16)).to(s.dtype)),
    )
    if isinstance(pat, int):
        for number, make in choices:
            if pat == number:
                return make()
        return torch.zeros_like(s)
    m = torch.zeros_like(s)
    for number, make in choices:
        m = torch.where(pat == number, make(), m)
    return m


def shade(kind, pat, x, y, p, px, planes):
    """One primitive over the planes. x, y: [..., h, w]; p: K values that broadcast; px: one pixel's side;
    planes: 5 tensors [..., h, w]. Returns new planes. kind and pat are ints (one scene) or tensors."""
    dx, dy = x - p[CX], y - p[CY]
    u, v = dx * p[COS] + dy * p[SIN], dy * p[COS] - dx * p[SIN]
    single = isinstance(kind, int)
    d = distance_of(kind, u, v, p) if single else _distance_select(kind, u, v, p)
    width = torch.clamp(p[SOFT], min=px)
    cover = (0.5 - d / width).clamp(0, 1)
    cover = cover * cover * (3 - 2 * cover) * p[ALPHA]
    s, t = u / p[EX], v / p[EY]
    m = _pattern(pat, s, t, p)
    # A pillow: the surface tilts outwards towards the edge; a sphere tilts in proportion to the radius.
    r2 = (s * s + t * t).clamp(max=1.0)
    edge = (1 + d / (0.55 * torch.minimum(p[EX], p[EY]))).clamp(0, 1)
    tilt = edge * edge * (1 - p[ROUND]) + torch.sqrt(r2 + 1e-9) * p[ROUND]
    inv = 1 / torch.sqrt(s * s + t * t + 1e-6)
    nx, ny = s * inv * tilt, t * inv * tilt
    wx, wy = nx * p[COS] - ny * p[SIN], nx * p[SIN] + ny * p[COS]
    nz = torch.sqrt((1 - tilt * tilt).clamp(min=0.0) + 1e-6)
    lit = wx * p[LX] + wy * p[LY] + 0.62 * nz
    light = 1 + p[SHADE] * (1.15 * lit - 0.62) + p[NAMP] * wobble(u * p[NFREQ], v * p[NFREQ], p[PH])
    gloss = p[RIM] * ((lit - 0.8).clamp(min=0) * 4) ** 3
    out = []
    for i in range(3):
        colour = p[R1 + i] + (p[R2 + i] - p[R1 + i]) * m
        colour = (colour * light + gloss).clamp(0, 1)
        out.append(planes[i] + (colour - planes[i]) * cover)
    solid = (cover > 0.5)
    out.append(torch.where(solid & (p[DEPTH] >= 0), p[DEPTH].expand_as(d), planes[3]))
    out.append(torch.where(solid & (p[ID] >= 0), p[ID].expand_as(d), planes[4]))
    return out


def _reach(row):
    """Half side of the square that a primitive can touch."""
    kind, a, b, c = int(row[KIND]), row[A], row[B], row[C]
    if kind == RIDGE:
        return 9.0
    if kind == BLOB:
        return max(a, b) * (1 + 1.6 * c) + row[SOFT]
    if kind == CAP:
        return a + max(b, c) + row[SOFT]
    if kind == TRAP:
        return math.hypot(max(a, b) + abs(row[D]), c) + row[SOFT]
    if kind in (ARC, STAR, CRES):
        return a + b * (kind == ARC) + row[SOFT]
    return math.hypot(a, b) + row[SOFT]


def paint_one(rows, height, width, view=None):
    """rows: list of K floats each; view: (original height, top, left) in pixels of a crop, or None
    -> [5, height, width] float32. CPU driver."""
    original, top, left = (float(q) for q in view) if view is not None else (float(height), 0.0, 0.0)
    px = 1.0 / original
    canvas = torch.zeros(5, height, width)
    canvas[3] = 1.0
    ys = (torch.arange(height) + 0.5 + top) * px
    xs = (torch.arange(width) + 0.5 + left) * px
    for row in rows:
        if row[ALPHA] <= 0:
            continue
        reach = _reach(row) + 2 * px
        x0, x1 = max(0, int((row[CX] - reach) * original - left)), min(width, int((row[CX] + reach) * original - left) + 1)
        y0, y1 = max(0, int((row[CY] - reach) * original - top)), min(height, int((row[CY] + reach) * original - top) + 1)
        if x0 >= x1 or y0 >= y1:
            continue
        p = torch.tensor(row)
        crop = canvas[:, y0:y1, x0:x1]
        new = shade(int(row[KIND]), int(row[PAT]), xs[None, x0:x1], ys[y0:y1, None], p, px, list(crop))
        for plane, value in zip(crop, new):
            plane.copy_(value)
    return canvas


def _paint_step(canvas, rows, x, y, px):
    """canvas: [n, 5, h, w]; rows: [n, K] -> new canvas."""
    p = [rows[:, i, None, None] for i in range(K)]
    new = shade(p[KIND].round(), p[PAT].round(), x, y, p, px, [canvas[:, i] for i in range(5)])
    return torch.stack(new, 1)


def paint_batch(rows, height, width, view=None):
    """rows: [n, P, K], unused rows transparent; view: [n, 3] original height in pixels, top and left of the crop, or
    None -> [n, 5, height, width]. The plain reference of shapes_triton.paint."""
    n, count, _ = rows.shape
    if view is None:
        view = torch.tensor([[height, 0, 0]], device=rows.device, dtype=torch.float32).expand(n, 3)
    px = (1.0 / view[:, 0])[:, None, None]
    y = ((torch.arange(height, device=rows.device) + 0.5)[None, :, None] + view[:, 1, None, None]) * px
    x = ((torch.arange(width, device=rows.device) + 0.5)[None, None, :] + view[:, 2, None, None]) * px
    canvas = torch.zeros(n, 5, height, width, device=rows.device)
    canvas[:, 3] = 1.0
    columns = rows.transpose(0, 1).contiguous()
    for i in range(count):
        canvas = _paint_step(canvas, columns[i], x, y, px)
    return canvas
