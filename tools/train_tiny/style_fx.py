"""The styles as filters: batches of painted canvases in, pictures out. `apply` is the only entry.
canvas: [n, 5, h, w] (red, green, blue, depth, id), 0..1 -> [n, 3, h, w]. Sizes are in 256ths of the height, so
that a style looks alike at every size; but patterns (dots, hatching, grids, cells) count pixels and repeat each 8 or
16, for the autoencoder keeps 4 numbers of each 8 x 8 pixels: a pattern that sits alike in every such block survives."""
import math

import torch
import torch.nn.functional as F

from style_base import Ctx, colour, contrast, exposed, focus, luma, mixin, ramp, sat


def photoreal(c):
    m = ((c.blur(c.depth, 1.0) - 0.4) * 4).clamp(0, 1)
    y = luma(c.rgb)
    far = c.blur(c.rgb + (y - 0.7).clamp(min=0) * 1.6, 4.5)
    near = sat(c.rgb, 0.86) + (y - c.blur(y, 2.5)) * 0.55
    shadow = c.blur(c.shift(1 - m, 5, 7), 7) * m
    z = mixin(near, sat(far, 0.58) * 0.88 + 0.04, m) * (1 - 0.38 * shadow)
    fall = 1.16 - 0.34 * (c.x / (256 * c.ar) * 0.6 + c.y / 256 * 0.8)
    z = z * fall * colour(c, 1.03, 1.0, 0.95)
    z = z.clamp(0, 1.3) * (1.26 - 0.26 * z.clamp(0, 1.3))
    return contrast(z, 1.2, 0.48)


def cinematic(c):
    z = focus(c, 2.5)
    y = luma(z)
    z = sat(z, 0.8) * mixin(colour(c, 0.72, 0.98, 1.12), colour(c, 1.15, 1.0, 0.82), (y * 1.6 - 0.2).clamp(0, 1))
    z = contrast(z, 1.22, 0.45) * c.vignette(0.6) + c.blur((z - 0.6).clamp(min=0), 9) * 0.5
    bar = c.whole(0.1)
    return torch.where((c.row < bar) | (c.row >= c.h - bar), torch.zeros_like(z), z)


def anime(c):
    y = luma(c.rgb).clamp(0.02, 1)
    step = (torch.floor(y * 4 + 0.5) / 4 + 0.08)
    z = sat(c.rgb / y * mixin(y, step, 0.75), 1.45)
    z = contrast(z, 1.1, 0.4) + c.blur((luma(c.rgb) - 0.75).clamp(min=0), 6) * 0.5
    return z * (1 - 0.88 * c.edges(0.8, 0.22))


def soft_illustration(c):
    z = c.blur(c.warp(c.rgb, 2.0, 18), 1.5)
    z = mixin(sat(z, 0.8), colour(c, 1.0, 0.95, 0.90), 0.38)
    z = z + c.blur(z, 12) * 0.18 - 0.10
    return z + c.noise(3) * 0.018


def r_rated(c):
    z = contrast(exposed(sat(c.rgb, 0.45), 0.38), 1.4, 0.5)
    red = ((c.rgb[:, :1] - torch.maximum(c.rgb[:, 1:2], c.rgb[:, 2:3])) * 2.5).clamp(0, 1)
    z = mixin(z, c.rgb * colour(c, 1.05, 0.5, 0.45), red)
    z = z * colour(c, 1.12, 0.80, 0.74)
    side = c.one()
    fall = torch.where(side < 0.5, c.x / (256 * c.ar), 1 - c.x / (256 * c.ar))
    return z * (0.22 + 1.0 * fall) * c.vignette(0.7) + c.noise(1.3) * 0.045


def _hatch(c, y, strokes):
    """Lines of x period 8; strokes: (direction, the tone below which they are drawn)."""
    out = torch.ones_like(y)
    wob = c.noise(24) * 0.25
    for down, limit in strokes:
        line = (c.waves(2, 2 * down) + wob - 0.25 + (limit - y) * 1.6).clamp(0, 1)
        out = out * (1 - line * ((limit - y) * 4).clamp(0, 0.66))
    return out


def pencil(c):
    y = 0.12 + 0.88 * luma(c.blur(c.rgb, 0.8)).clamp(0, 1) ** 0.7
    paper = 0.96 + c.noise(3) * 0.03
    z = paper * _hatch(c, y, ((1, 0.85), (-1, 0.5))) * (0.62 + 0.38 * (y * 3.2).clamp(0, 1))
    z = z * (1 - 0.8 * c.warp(c.edges(0.8, 0.35), 1.2, 12) * (0.8 + 0.4 * c.noise(5)))
    edge = ((torch.minimum(torch.minimum(c.x, 256 * c.ar - c.x), torch.minimum(c.y, 256 - c.y)) + c.noise(16) * 14 - 14) / 14).clamp(0, 1)
    return mixin(paper, z, edge).expand(-1, 3, -1, -1) * colour(c, 1.0, 1.0, 0.99)


def black_white(c):
    y = exposed(luma(c.rgb * colour(c, 1.1, 1.0, 0.8)), 0.4)
    y = contrast(y, 1.35, 0.47) * c.vignette(0.4) + c.noise(1.2) * 0.03
    return y.expand(-1, 3, -1, -1)


def film35(c):
    z = c.blur(c.rgb, 0.7)
    z = sat(z, 0.82) * 0.84 + colour(c, 0.11, 0.085, 0.05)
    z = z * colour(c, 1.07, 1.0, 0.86) + c.blur((z - 0.62).clamp(min=0), 8) * colour(c, 0.9, 0.35, 0.12)
    pos = c.one()
    leak = torch.exp(-((c.x / (256 * c.ar) - torch.round(pos)) ** 2) / 0.02) * (0.5 + 0.5 * torch.sin(c.y / 60 + pos * 9))
    z = z + leak * colour(c, 0.6, 0.26, 0.05) + c.noise(2.5) * 0.07
    hole = (torch.remainder(c.col, 16) < 8) & (torch.remainder(torch.minimum(c.row, c.h - 1 - c.row) - 4, c.h) < 8)
    strip = torch.where(hole, torch.ones_like(z) * 0.85, torch.zeros_like(z) + 0.05)
    return torch.where((c.row < 16) | (c.row >= c.h - 16), strip, z)


def rotoscope(c):
    z = c.warp(c.rgb, 2.5, 22)
    z = c.blur(z, 2.2)
    z = torch.floor(sat(z, 0.85) * 4 + 0.5) / 4 * 0.86 + 0.08
    edge = c.warp(c.edges(1.3, 0.3), 3.0, 20)
    return mixin(z * colour(c, 1.05, 1.0, 0.9), colour(c, 0.12, 0.08, 0.14), edge * 0.95)


def watercolor(c):
    z = c.warp(c.rgb, 4.0, 14)
    soft = c.blur(z, 2.2)
    wash = mixin(sat(soft, 1.1), torch.ones_like(soft), 0.30 + 0.16 * c.noise(30) + 0.1 * c.noise(9))
    dark = (c.blur(soft, 3) - soft).abs().amax(1, keepdim=True)
    wash = wash * (1 - (dark * 3.0).clamp(0, 0.45))
    wash = wash * (0.97 + 0.05 * c.noise(1.8) + 0.03 * c.noise(4))
    edge = torch.minimum(torch.minimum(c.x, 256 * c.ar - c.x), torch.minimum(c.y, 256 - c.y))
    m = ((edge + c.noise(20) * 16 + c.noise(7) * 6 - 16) / 7).clamp(0, 1)
    return mixin(colour(c, 0.98, 0.97, 0.94).expand_as(wash) + 0.02 * c.noise(1.8), wash, m)


def portrait(c):
    m = ((c.blur(c.depth, 1.2) - 0.42) * 5).clamp(0, 1)
    back = c.blur(c.rgb + (c.rgb - 0.6).clamp(min=0) * 1.5, 11) * 0.8 * colour(c, 0.95, 0.9, 0.88)
    z = mixin(c.rgb, back, m)
    fall = torch.exp(-(((c.x / (256 * c.ar) - 0.42) ** 2) + (c.y / 256 - 0.45) ** 2) / 0.16)
    z = z * (0.62 + 0.72 * fall) * colour(c, 1.06, 0.99, 0.90)
    fine = c.rgb - c.blur(c.rgb, 1.4)
    return contrast(z, 1.1, 0.4) + fine * 0.7 * (1 - m)


def blueprint(c):
    base = colour(c, 0.05, 0.17, 0.48)
    z = base + (luma(c.rgb) - 0.5) * 0.16
    g1 = ((torch.remainder(c.col, 16) < 1) | (torch.remainder(c.row, 16) < 1)).float() * 0.13
    g2 = ((torch.remainder(c.col, 64) < 2) | (torch.remainder(c.row, 64) < 2)).float() * 0.16
    z = z + (g1 + g2) * colour(c, 0.8, 0.9, 1.0)
    line = torch.maximum(c.edges(0.8, 0.3) * 0.7, c.edges(1.3, 0.0))
    return mixin(z, colour(c, 0.90, 0.96, 1.0).expand_as(z), line * 0.95)


def grimdark(c):
    z = contrast(exposed(sat(c.rgb, 0.38), 0.36), 1.25, 0.5) * colour(c, 0.74, 0.84, 0.86)
    fog = ((c.y / 256 - 0.45) * 1.3).clamp(0, 1) * (0.5 + 0.5 * c.noise(40)) * (c.depth.clamp(0, 1) * 0.7 + 0.1)
    z = mixin(z * 0.72, colour(c, 0.38, 0.43, 0.44).expand_as(z), fog * 0.75) * c.vignette(0.95)
    spark = (c.noise(3.2) - 0.80).clamp(min=0) * 8 * (c.y / 256)
    return z + spark.clamp(0, 1) * colour(c, 1.1, 0.45, 0.08) + c.noise(1.5) * 0.025


def soft_cg(c):
    m = ((c.blur(c.depth, 1.2) - 0.42) * 4).clamp(0, 1)
    z = mixin(c.blur(c.rgb, 0.9), c.blur(c.rgb, 5.0) * 1.05 + 0.04, m)
    z = sat(z, 1.28).clamp(0, 2) ** 0.82
    z = z * colour(c, 1.06, 1.0, 0.93) + c.blur((z - 0.55).clamp(min=0), 10) * 0.55
    rim = c.blur(c.edges(1.5), 2.0) * (1 - m)
    return z + rim * colour(c, 0.34, 0.28, 0.16)


def _cells(z, cell, levels):
    """Mean of each cell, in few colours."""
    small = torch.floor(contrast(sat(F.avg_pool2d(z, cell), 1.35), 1.2, 0.45).clamp(0, 1) * levels + 0.5) / levels
    return small.repeat_interleave(cell, 2).repeat_interleave(cell, 3)


def pixel_art(c):
    """Background in cells of a whole latent, sprites in half of that, with a dark rim."""
    back, half = _cells(c.rgb, 8, 4), 4
    share = F.avg_pool2d((c.depth < 0.42).float(), half)
    body = (share > 0.45).float()
    own = F.avg_pool2d(c.rgb * (c.depth < 0.42), half) / share.clamp(min=0.05)
    sprite = torch.floor(contrast(sat(own, 1.35), 1.2, 0.45).clamp(0, 1) * 3 + 0.5) / 3
    rim = (1 - body) * F.max_pool2d(body, 3, 1, 1)
    up = [z.repeat_interleave(half, 2).repeat_interleave(half, 3) for z in (body, sprite, rim)]
    return mixin(back, up[1], up[0]) * (1 - 0.85 * up[2])


def low_poly(c):
    size = 16
    col, row = torch.floor(c.col / size), torch.floor(c.row / size)
    fx, fy = (c.col + 0.5) / size - col, (c.row + 0.5) / size - row
    flip = torch.remainder(row + col, 2.0) > 0.5
    upper = torch.where(flip, fx + fy < 1.0, fx > fy).float()
    cx = (col + torch.where(flip, 0.67 - 0.34 * upper, 0.33 + 0.34 * upper)) * size
    cy = (row + 0.67 - 0.34 * upper) * size
    grid = torch.stack([cx / c.w * 2 - 1, cy / c.h * 2 - 1], -1).squeeze(1).expand(c.n, c.h, c.w, 2)
    soft = c.blur(c.rgb, 2.0)
    flat = F.grid_sample(soft, grid, mode="nearest", padding_mode="border", align_corners=False)
    m = ((c.depth - 0.42) * 6).clamp(0, 1)
    tone = (upper - 0.5) * 0.10 + torch.sin(col * 12.9 + row * 78.2 + upper * 37.7) * 0.03
    light = (luma(flat) - luma(c.blur(c.rgb, 9))).clamp(-0.25, 0.25)
    y = luma(c.rgb).clamp(0.04, 1)
    obj = sat(c.rgb, 1.1) * torch.floor(y * 6 + 0.6) / 6 / y * (1 + (upper - 0.5) * 0.42) + light * 0.35
    return mixin(obj, flat + tone, m)


def product(c):
    m = ((c.blur(c.depth, 1.5) - 0.40) * 6).clamp(0, 1)
    sweep = 0.93 - 0.20 * ((c.y / 256 - 0.62) * 1.6).clamp(0, 1) - 0.12 * ((c.x / (256 * c.ar) - 0.5) ** 2)
    back = mixin(sweep * colour(c, 0.97, 0.98, 1.0), c.blur(c.rgb, 3) * 0.5 + 0.5, 0.30)
    z = mixin(contrast(c.rgb, 1.18, 0.45), back, m)
    gloss = (torch.sin((c.x * 0.8 + c.y) / 22) - 0.85).clamp(min=0) * 2.2 * (1 - m)
    return z + gloss


def tech_diagram(c):
    m = ((c.depth - 0.40) * 6).clamp(0, 1)
    y = luma(c.rgb)
    flat = torch.floor(sat(c.rgb, 1.1) * 3 + 0.5) / 3 * 0.8 + 0.2
    back = ramp(c, torch.floor(y * 4) / 4, ((0.0, 0.66, 0.80, 0.88), (0.6, 0.90, 0.95, 0.97), (1.0, 0.97, 0.99, 1.0)))
    a, b = torch.remainder(c.col + 2 * c.row, 32), torch.remainder(c.col - 2 * c.row, 32)
    back = mixin(back, colour(c, 0.50, 0.74, 0.86).expand_as(back), ((a < 3) | (b < 3)).float() * 0.75)
    z = mixin(flat, back, m)
    return mixin(z, colour(c, 0.08, 0.20, 0.36).expand_as(z), c.edges(0.9, 0.12) * 0.95)


def comic(c):
    y = luma(c.rgb)
    m = ((c.depth - 0.42) * 6).clamp(0, 1)
    flat = mixin(c.rgb, c.blur(c.rgb, 3.0), m)
    ink = torch.floor(sat(contrast(flat, 1.2), 1.7).clamp(0, 1) * 3 + 0.5) / 3
    ink = torch.cat([c.shift(ink[:, :1], 2), ink[:, 1:]], 1)
    tone = c.blur(y, 3.0)
    dots = c.spots()
    paper = colour(c, 1.0, 0.95, 0.80)
    back = mixin(mixin(ink, paper.expand_as(ink), 0.62), ink * 0.85, ((dots + 0.12 - 0.85 * tone) * 6 + 0.5).clamp(0, 1))
    body = mixin(ink, ink * 0.5, ((dots - 0.55 - 0.9 * (tone - 0.2)) * 6 + 0.5).clamp(0, 1))
    line = c.edges(1.6, 0.22)
    return mixin(mixin(body, back, m) * paper, colour(c, 0.05, 0.04, 0.08).expand_as(ink), line)


def synthwave(c):
    y = contrast(luma(c.rgb), 1.2)
    grade = ramp(c, y, ((0.0, 0.07, 0.01, 0.18), (0.35, 0.42, 0.05, 0.55), (0.6, 0.98, 0.20, 0.62), (0.82, 1.0, 0.62, 0.45), (1.0, 0.55, 0.97, 1.0)))
    m = ((c.depth - 0.42) * 5).clamp(0, 1)
    z = mixin(mixin(c.rgb * colour(c, 0.95, 0.62, 1.1), grade, 0.5), grade, m)
    top = c.whole(0.64)
    down = c.row - top
    across = ((c.col + 0.5 - c.w / 2) / (down + 24).clamp(min=8) * 64).abs()
    lines = (torch.remainder(down, 16) < 2) | (torch.remainder(across + 1, 24) < 2)
    grid = lines.float() * (down >= 0).float() * m
    z = mixin(z, colour(c, 0.25, 0.95, 1.0).expand_as(z), grid * 0.75)
    z = z + c.blur(c.edges(1.2), 1.5) * colour(c, 0.1, 0.7, 0.85)
    return z * (0.89 + 0.15 * c.waves(0, 4)) + c.blur((z - 0.6).clamp(min=0), 8) * 0.4


def childrens(c):
    z = c.warp(c.rgb, 2.5, 20)
    z = torch.floor(sat(z, 1.15) * 6 + 0.5) / 6
    z = mixin(z, colour(c, 1.0, 0.95, 0.80), 0.22)
    z = z + c.waves(2, 1) * (0.055 + 0.02 * c.noise(24))
    line = c.warp(c.edges(1.1), 1.5, 10) * (0.7 + 0.5 * c.noise(4)).clamp(0, 1)
    z = mixin(z, colour(c, 0.36, 0.22, 0.18).expand_as(z), line * 0.85)
    dx = (c.x / (256 * c.ar) - 0.5).abs() * 2
    dy = (c.y / 256 - 0.5).abs() * 2
    m = ((1.0 - (dx ** 4 + dy ** 4) + c.noise(14) * 0.12) * 7).clamp(0, 1)
    return mixin(colour(c, 0.99, 0.97, 0.91).expand_as(z), z, m)


def manga(c):
    y = contrast(exposed(luma(c.rgb)), 1.25, 0.48)
    tone = ((c.blur(y, 1.0) * 1.1 - c.dots() * 0.86 - 0.02) * 5).clamp(0, 1)
    z = torch.where(y > 0.78, torch.ones_like(y), tone)
    z = torch.where(y < 0.2, torch.zeros_like(y), z)
    dx, dy = c.x - 128 * c.ar, c.y - 128
    ang = torch.atan2(dy, dx)
    far = (torch.sqrt(dx * dx + dy * dy) / 128 - 0.95 - 0.18 * torch.sin(ang * 37)).clamp(0, 1)
    z = z * (1 - ((torch.sin(ang * 80) > 0.55).float() * (far > 0).float()))
    return (z * (1 - c.edges(1.3, 0.2))).expand(-1, 3, -1, -1)


def vhs(c):
    z = c.blur(c.rgb, 1.3)
    z = torch.cat([c.shift(z[:, :1], 4), z[:, 1:2], c.shift(z[:, 2:3], -4)], 1)
    z = sat(z, 0.65) * colour(c, 0.82, 0.95, 0.86)
    band = torch.exp(-((torch.remainder(c.y - c.one(0, 256), 256) - 20) ** 2) / 60)
    jump = c.shift(z, 12)
    z = mixin(z, jump, band.clamp(0, 1)) + band * (0.25 + 0.3 * c.noise(2.5))
    z = z * (0.82 + 0.25 * c.waves(0, 4)) + 0.04
    low = (c.y > 244).float()
    z = z + low * c.noise(2.5) * 0.5
    return z * c.vignette(0.85) + c.noise(1.6) * 0.07


def archviz(c):
    y = luma(c.rgb)
    z = mixin(c.rgb, sat(c.rgb, 0.55), 0.6)
    z = z.clamp(0, 1) ** 0.72
    t = (1 - c.x / (256 * c.ar)) * 0.6 + (1 - c.y / 256) * 0.5
    z = z * colour(c, 1.05, 1.0, 0.93) + t * colour(c, 0.26, 0.17, 0.06)
    z = z + c.blur((y - 0.6).clamp(min=0), 12) * 0.5
    edge = torch.minimum(torch.minimum(c.col, c.w - 1 - c.col), torch.minimum(c.row, c.h - 1 - c.row))
    z = torch.where(edge < 8, torch.ones_like(z) * 0.985, z)
    return torch.where((edge >= 8) & (edge < 9), torch.ones_like(z) * 0.55, z)


def burton(c):
    m = ((c.blur(c.depth, 0.8) - 0.42) * 5).clamp(0, 1)
    y = luma(c.rgb)
    back = ramp(c, (y + 0.12 * c.noise(50)), ((0.0, 0.05, 0.05, 0.11), (0.5, 0.30, 0.31, 0.43), (1.0, 0.74, 0.76, 0.80)))
    mx, my = c.one(0.25, 0.75) * 256 * c.ar, c.one(50, 85)
    d = torch.sqrt((c.x - mx) ** 2 + (c.y - my) ** 2)
    moon = ((52 - d) / 2).clamp(0, 1) * m
    back = mixin(back, colour(c, 0.90, 0.89, 0.80) * (0.92 + 0.08 * c.noise(12)), moon * 0.85) + torch.exp(-d / 60) * 0.14
    obj = contrast(sat(c.rgb, 0.5), 1.2, 0.55) * 0.8 * colour(c, 0.92, 0.9, 1.06)
    z = mixin(obj, back, m)
    ang = torch.atan2(c.y - 128, c.x - 128 * c.ar)
    r = torch.sqrt((c.x - 128 * c.ar) ** 2 + (c.y - 128) ** 2) / 128
    claw = ((r - 1.02 - 0.14 * torch.sin(ang * 9) - 0.07 * torch.sin(ang * 23)) * 6).clamp(0, 1)
    return mixin(z, colour(c, 0.02, 0.02, 0.05).expand_as(z), claw) * (1 - 0.85 * c.edges(1.1))


def _strokes(c, z, length=7):
    """Paint dragged along a smooth field of directions."""
    ang = c.noise(40) * 3.1
    dx, dy = torch.cos(ang), torch.sin(ang)
    acc = torch.zeros_like(z)
    for k in (-1.0, -0.5, 0.0, 0.5, 1.0):
        gx = (c.x + dx * k * length) / (256 * c.ar) * 2 - 1
        gy = (c.y + dy * k * length) / 256 * 2 - 1
        grid = torch.stack([gx.squeeze(1), gy.squeeze(1)], -1)
        acc = acc + F.grid_sample(z, grid, mode="bilinear", padding_mode="border", align_corners=False)
    t = (-dy * c.x + dx * c.y)
    return acc / 5 + torch.sin(t * 1.5 + c.noise(6) * 3) * 0.045


def frazetta(c):
    z = _strokes(c, c.rgb, 5)
    y = luma(z)
    grade = ramp(c, y, ((0.0, 0.07, 0.03, 0.02), (0.4, 0.45, 0.22, 0.09), (0.75, 0.90, 0.62, 0.28), (1.0, 1.0, 0.92, 0.68)))
    m = ((c.blur(c.depth, 1.0) - 0.42) * 4).clamp(0, 1)
    z = mixin(mixin(z, grade, 0.32), mixin(z, grade, 0.82), m)
    fall = torch.exp(-(((c.x / (256 * c.ar) - 0.5) ** 2) * 1.2 + (c.y / 256 - 0.52) ** 2) / 0.13)
    return contrast(z, 1.25, 0.45) * (0.35 + 0.85 * fall)


def bakshi(c):
    z = c.warp(c.rgb, 2.0, 16)
    m = ((c.depth - 0.42) * 5).clamp(0, 1)
    wash = c.blur(z, 2.0) * (0.82 + 0.25 * c.noise(12) + 0.12 * c.noise(5))
    wash = mixin(wash, ramp(c, luma(wash), ((0, 0.15, 0.12, 0.08), (0.5, 0.52, 0.45, 0.22), (1, 0.88, 0.80, 0.52))), 0.62)
    cel = torch.floor(sat(z, 0.85) * 3 + 0.5) / 3 * 0.85 * colour(c, 1.05, 0.96, 0.78)
    z = mixin(cel, wash, m) * (0.96 + 0.06 * c.noise(2))
    line = c.warp(c.edges(2.0, 0.15), 1.8, 9)
    return mixin(z, colour(c, 0.08, 0.05, 0.03).expand_as(z), line)


def giger(c):
    y = contrast(exposed(luma(c.blur(c.rgb, 0.6))), 1.15, 0.45)
    flow = c.noise(64) * 3
    m = ((c.blur(c.depth, 0.8) - 0.42) * 5).clamp(0, 1)
    bend = 1.5 * torch.sin((c.col + 0.5) * 2 * math.pi / 64)
    rib = torch.sin((c.row + 0.5 + flow) * 2 * math.pi / 16 + bend)
    tube = torch.sin((c.col + 0.5) * 2 * math.pi / 32)
    tex = (0.62 + 0.38 * rib) * (0.66 + 0.34 * tube.abs())
    y = y * mixin(0.75 + 0.3 * tex, tex * 0.98, m)
    y = y * 1.15 * c.vignette(0.6) * (1 - 0.7 * c.edges(1.3))
    return ramp(c, y, ((0.0, 0.02, 0.025, 0.02), (0.5, 0.36, 0.37, 0.31), (1.0, 0.86, 0.86, 0.74)))


FX = {"Photoreal": photoreal, "Cinematic": cinematic, "Anime / Vibrant": anime, "Soft Illustration": soft_illustration,
      "R-Rated": r_rated, "Pencil Sketch": pencil, "Black & White": black_white, "35mm Film": film35, "Rotoscoping": rotoscope,
      "Watercolor": watercolor, "Hyper-Realistic Portrait": portrait, "ISOTOPIA Sci-Fi Blueprint": blueprint,
      "Dark Fantasy / Grimdark": grimdark, "Pixar-ish Soft CG": soft_cg, "Pixel Art / Isometric Game": pixel_art,
      "Low-Poly 3D / PS1": low_poly, "Product Render / Industrial": product, "Isometric Tech Diagram": tech_diagram,
      "Retro Comic / Halftone": comic, "Vaporwave / Synthwave": synthwave, "Children’s Book Illustration": childrens,
      "Ink & Screentone Manga": manga, "Analog Horror / VHS": vhs, "Architectural Visualization": archviz, "Tim Burton": burton,
      "Frank Frazetta": frazetta, "Ralph Bakshi": bakshi, "H.R. Giger": giger}


def apply(name, canvas, generator=None):
    """name: a style, or "" for the plain picture."""
    if not name:
        return canvas[:, :3].clamp(0, 1)
    return FX[name](Ctx(canvas, generator)).clamp(0, 1)
