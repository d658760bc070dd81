"""The rasteriser as one Triton kernel: the formulas of shapes.py, a tile of one picture a program, primitives
that do not touch the tile skipped. check_paint.py compares the two."""
import torch
import triton
import triton.language as tl

import shapes as S

K = tl.constexpr(S.K)


@triton.jit
def _floor_mod(x, y):
    return x - y * tl.floor(x / y)


@triton.jit
def _atan2(y, x):
    ax, ay = tl.abs(x), tl.abs(y)
    a = tl.minimum(ax, ay) / (tl.maximum(ax, ay) + 1e-20)
    s = a * a
    r = ((((0.0208351 * s - 0.085133) * s + 0.180141) * s - 0.3302995) * s + 0.999866) * a
    r = tl.where(ay > ax, 1.57079637 - r, r)
    r = tl.where(x < 0, 3.14159274 - r, r)
    return tl.where(y < 0, -r, r)


@triton.jit
def _wobble(x, y, ph):
    a = tl.sin(x * 1.7 + 1.3 * tl.sin(y * 2.3 + ph)) * tl.sin(y * 1.9 + 1.1 * tl.sin(x * 1.3 - ph))
    b = tl.sin(x * 4.1 + 1.7 * tl.sin(y * 3.7 - ph)) * tl.sin(y * 4.7 + 1.2 * tl.sin(x * 5.3 + ph))
    return 0.65 * a + 0.35 * b


@triton.jit
def _ell(u, v, a, b):
    k0 = tl.sqrt((u / a) * (u / a) + (v / b) * (v / b) + 1e-9)
    ua, vb = u / (a * a), v / (b * b)
    return k0 * (k0 - 1) / tl.sqrt(ua * ua + vb * vb + 1e-9)


@triton.jit
def _clamp01(x):
    return tl.minimum(tl.maximum(x, 0.0), 1.0)


@triton.jit
def _distance(kind, u, v, a, b, c, d, ph):
    out = u * 0.0 + 1.0
    if kind == 0:
        out = _ell(u, v, a, b)
    elif kind == 1:
        qx, qy = tl.abs(u) - a + c, tl.abs(v) - b + c
        mx, my = tl.maximum(qx, 0.0), tl.maximum(qy, 0.0)
        out = tl.sqrt(mx * mx + my * my + 1e-12) + tl.minimum(tl.maximum(qx, qy), 0.0) - c
    elif kind == 2:
        h = _clamp01((u + a) / (2 * a + 1e-6))
        du = u + a - 2 * a * h
        out = tl.sqrt(du * du + v * v + 1e-12) - (b + (c - b) * h)
    elif kind == 3:
        t = (v + c) / (2 * c + 1e-6)
        w = b + (a - b) * t
        slope = (a - b) / (2 * c + 1e-6)
        out = tl.maximum((tl.abs(u - d * (t - 0.5)) - w) / tl.sqrt(1 + slope * slope), tl.abs(v) - c)
    elif kind == 4:
        sector = 6.2831855 / b
        f = _floor_mod(_floor_mod(_atan2(v, u) + 1.57079637, 6.2831855), sector)
        f = tl.minimum(f, sector - f)
        length = tl.sqrt(u * u + v * v + 1e-12)
        x, y = length * tl.cos(f), length * tl.sin(f)
        ex, ey = a * c * tl.cos(sector / 2) - a, a * c * tl.sin(sector / 2)
        out = ((x - a) * ey - y * ex) / tl.sqrt(ex * ex + ey * ey + 1e-9)
    elif kind == 5:
        length = tl.sqrt(u * u + v * v + 1e-12)
        px, py = a * tl.cos(c), a * tl.sin(c)
        qy = tl.abs(v) - py
        end = tl.sqrt((u - px) * (u - px) + qy * qy + 1e-12) - b
        out = tl.where(tl.abs(_atan2(v, u)) < c, tl.abs(length - a) - b, end)
    elif kind == 6:
        x = u * b + ph
        smooth = 0.6 * tl.sin(x) + 0.3 * tl.sin(2.3 * x + 1.0) + 0.1 * tl.sin(5.1 * x)
        jag = 0.55 * (1 - 4 * tl.abs(_floor_mod(x * 0.175, 1.0) - 0.5))
        jag += 0.3 * (1 - 4 * tl.abs(_floor_mod(x * 0.4 + 0.37, 1.0) - 0.5))
        jag += 0.12 * (1 - 4 * tl.abs(_floor_mod(x * 1.05 + 0.74, 1.0) - 0.5))
        jag += 0.05 * (1 - 4 * tl.abs(_floor_mod(x * 2.65 + 1.11, 1.0) - 0.5))
        out = (a * (smooth + (jag - smooth) * d) - v) * 0.7
    elif kind == 7:
        ang = _atan2(v, u)
        wave = 1 + c * (tl.sin(d * ang + ph) + 0.5 * tl.sin((d + 2) * ang + 2 * ph))
        out = (tl.sqrt((u / a) * (u / a) + (v / b) * (v / b) + 1e-9) / wave - 1) * tl.minimum(a, b)
    elif kind == 8:
        inner = tl.sqrt((u - b) * (u - b) + v * v + 1e-12) - c
        out = tl.maximum(tl.sqrt(u * u + v * v + 1e-12) - a, -inner)
    else:
        out = tl.maximum(_ell(u, v, a, b), v - c)
    return out


@triton.jit
def _pattern(pat, s, t, fu, fv, ph):
    m = s * 0.0
    if pat == 1:
        m = _clamp01((t + 1) / 2)
    elif pat == 9:
        m = _clamp01((s + 1) / 2)
    elif pat == 5:
        m = _clamp01(tl.sqrt(s * s + t * t + 1e-9))
    elif pat == 3:
        m = _clamp01(tl.sin(s * fu * 3.14159 + t * fv * 3.14159 + ph) * 4 + 0.5)
    elif pat == 4:
        m = _clamp01((tl.sin(s * fu * 3.14159 + ph) * tl.sin(t * fv * 3.14159 + 2 * ph) - 0.35) * 5)
    elif pat == 6:
        m = 0.5 + 0.5 * tl.sin(fv * tl.log(tl.maximum(t, -0.97) + 1.03) * 6 + 1.5 * tl.sin(s * fu + ph + t * 9))
        m = m * m * m
    elif pat == 7:
        m = _clamp01(0.5 + 0.6 * _wobble(s * fu, t * fv, ph))
    elif pat == 2:
        cu, cv = s * fu + 0.5, t * fv + 0.5
        lit = tl.sin(tl.floor(cu) * 12.99 + tl.floor(cv) * 78.23 + ph) * 43.76
        lit = lit - tl.floor(lit)
        inside = (tl.abs(cu - tl.floor(cu) - 0.5) < 0.3) & (tl.abs(cv - tl.floor(cv) - 0.5) < 0.32)
        m = tl.where(inside, tl.where(lit > 0.35, 1.0, 0.25), 0.0)
    elif pat == 8:
        cv = t * fv + 0.5
        cu = s * fu + 0.5 + 0.5 * _floor_mod(tl.floor(cv), 2.0)
        m = tl.where((cu - tl.floor(cu) < 0.12) | (cv - tl.floor(cv) < 0.16), 1.0, 0.0)
    return m


@triton.jit
def _paint(rows, counts, boxes, view, out, P, H, W, TH: tl.constexpr, TW: tl.constexpr):
    image, ty, tx = tl.program_id(2), tl.program_id(1), tl.program_id(0)
    original = tl.load(view + image * 3)
    px = 1.0 / original
    top, left = tl.load(view + image * 3 + 1), tl.load(view + image * 3 + 2)
    iy = ty * TH + tl.arange(0, TH)[:, None]
    ix = tx * TW + tl.arange(0, TW)[None, :]
    y = (iy.to(tl.float32) + 0.5 + top) * px + ix.to(tl.float32) * 0.0
    x = (ix.to(tl.float32) + 0.5 + left) * px + iy.to(tl.float32) * 0.0
    y0, y1 = (ty * TH + top) * px, (ty * TH + TH + top) * px
    x0, x1 = (tx * TW + left) * px, (tx * TW + TW + left) * px
    red, green, blue, ident = x * 0.0, x * 0.0, x * 0.0, x * 0.0
    depth = red + 1.0
    count = tl.load(counts + image)
    for i in range(count):
        p = rows + (image * P + i) * K
        q = boxes + (image * P + i) * 4
        if (tl.load(q) < x1) & (tl.load(q + 1) > x0) & (tl.load(q + 2) < y1) & (tl.load(q + 3) > y0):
            dx, dy = x - tl.load(p + 1), y - tl.load(p + 2)
            co, si = tl.load(p + 3), tl.load(p + 4)
            u, v = dx * co + dy * si, dy * co - dx * si
            ph = tl.load(p + 18)
            d = _distance(tl.load(p).to(tl.int32), u, v, tl.load(p + 5), tl.load(p + 6), tl.load(p + 7), tl.load(p + 8), ph)
            cover = _clamp01(0.5 - d / tl.maximum(tl.load(p + 19), px))
            cover = cover * cover * (3 - 2 * cover) * tl.load(p + 20)
            ex, ey = tl.load(p + 30), tl.load(p + 31)
            s, t = u / ex, v / ey
            m = _pattern(tl.load(p + 15).to(tl.int32), s, t, tl.load(p + 16), tl.load(p + 17), ph)
            r2 = s * s + t * t
            edge = _clamp01(1 + d / (0.55 * tl.minimum(ex, ey)))
            ro = tl.load(p + 22)
            tilt = edge * edge * (1 - ro) + tl.sqrt(tl.minimum(r2, 1.0) + 1e-9) * ro
            inv = tilt / tl.sqrt(r2 + 1e-6)
            nx, ny = s * inv, t * inv
            nz = tl.sqrt(tl.maximum(1 - tilt * tilt, 0.0) + 1e-6)
            lit = (nx * co - ny * si) * tl.load(p + 28) + (nx * si + ny * co) * tl.load(p + 29) + 0.62 * nz
            light = 1 + tl.load(p + 21) * (1.15 * lit - 0.62)
            amp = tl.load(p + 24)
            if amp != 0.0:
                freq = tl.load(p + 25)
                light += amp * _wobble(u * freq, v * freq, ph)
            g = tl.maximum(lit - 0.8, 0.0) * 4
            gloss = tl.load(p + 23) * g * g * g
            c1, c2 = tl.load(p + 9), tl.load(p + 12)
            red += (_clamp01((c1 + (c2 - c1) * m) * light + gloss) - red) * cover
            c1, c2 = tl.load(p + 10), tl.load(p + 13)
            green += (_clamp01((c1 + (c2 - c1) * m) * light + gloss) - green) * cover
            c1, c2 = tl.load(p + 11), tl.load(p + 14)
            blue += (_clamp01((c1 + (c2 - c1) * m) * light + gloss) - blue) * cover
            dep, idn = tl.load(p + 26), tl.load(p + 27)
            depth = tl.where(cover > 0.5, tl.where(dep >= 0, dep, depth), depth)
            ident = tl.where(cover > 0.5, tl.where(idn >= 0, idn, ident), ident)
    at = out + image * 5 * H * W + iy * W + ix
    ok = (iy < H) & (ix < W)
    tl.store(at, red, mask=ok)
    tl.store(at + H * W, green, mask=ok)
    tl.store(at + 2 * H * W, blue, mask=ok)
    tl.store(at + 3 * H * W, depth, mask=ok)
    tl.store(at + 4 * H * W, ident, mask=ok)


def boxes_of(rows):
    """rows: [n, P, K] -> [n, P, 4]: x0, x1, y0, y1 that a primitive can touch (see shapes._reach)."""
    kind, a, b, c = (rows[..., i] for i in (S.KIND, S.A, S.B, S.C))
    soft = rows[..., S.SOFT]
    reach = torch.sqrt(a * a + b * b) + soft
    reach = torch.where(kind == S.BLOB, torch.maximum(a, b) * (1 + 1.6 * c) + soft, reach)
    reach = torch.where(kind == S.CAP, a + torch.maximum(b, c) + soft, reach)
    wide = torch.maximum(a, b) + rows[..., S.D].abs()
    reach = torch.where(kind == S.TRAP, torch.sqrt(wide * wide + c * c) + soft, reach)
    reach = torch.where((kind == S.STAR) | (kind == S.CRES), a + soft, reach)
    reach = torch.where(kind == S.ARC, a + b + soft, reach)
    reach = torch.where(kind == S.RIDGE, torch.full_like(a, 9.0), reach) + 0.012
    x, y = rows[..., S.CX], rows[..., S.CY]
    return torch.stack([x - reach, x + reach, y - reach, y + reach], -1).contiguous()


def paint(rows, height, width, view=None, tile=(16, 32)):
    """As shapes.paint_batch."""
    n, count, _ = rows.shape
    if view is None:
        view = torch.tensor([[float(height), 0.0, 0.0]], device=rows.device).expand(n, 3)
    out = torch.empty(n, 5, height, width, device=rows.device)
    counts = (rows[..., S.ALPHA] > 0).sum(1).to(torch.int32)
    th, tw = tile
    grid = (triton.cdiv(width, tw), triton.cdiv(height, th), n)
    _paint[grid](rows.contiguous(), counts, boxes_of(rows), view.contiguous(), out, count, height, width, TH=th, TW=tw, num_warps=4)
    return out
