"""What the styles are made from: a batch of canvases taken apart, noise, blur, outlines, colour arithmetic."""
import math

import torch
import torch.nn.functional as F


class Ctx:
    """One batch: the canvas taken apart, coordinates x and y in 256ths of the height, col and row in pixels, and
    random numbers."""

    def __init__(self, canvas, generator):
        self.rgb, self.depth, self.id = canvas[:, :3], canvas[:, 3:4], canvas[:, 4:5]
        self.n, _, self.h, self.w = canvas.shape
        self.dev, self.gen = canvas.device, generator
        self.k = self.h / 256.0
        y = (torch.arange(self.h, device=self.dev, dtype=torch.float32) + 0.5) / self.k
        x = (torch.arange(self.w, device=self.dev, dtype=torch.float32) + 0.5) / self.k
        self.y, self.x = y[None, None, :, None], x[None, None, None, :]
        self.ar = self.w / self.h
        self.row = torch.arange(self.h, device=self.dev, dtype=torch.float32).view(1, 1, -1, 1)
        self.col = torch.arange(self.w, device=self.dev, dtype=torch.float32).view(1, 1, 1, -1)

    def rand(self, *shape):
        return torch.rand(*shape, generator=self.gen, device=self.dev)

    def waves(self, across, down):
        """-1..1 waves in pixels: so many periods in 16 pixels across and down (whole or half numbers keep to the grid)."""
        return torch.cos(((self.col + 0.5) * across + (self.row + 0.5) * down) * (2 * math.pi / 16))

    def dots(self):
        """0..1, highest in the middle of dots on a lattice at 45 degrees: (0, 0) and (4, 4), repeated each 8 pixels."""
        return 0.5 + 0.5 * self.waves(2, 0) * self.waves(0, 2)

    def spots(self):
        """0..1, highest in the middle of dots that fill one block of 8 x 8 pixels each."""
        return (1 - self.waves(2, 0)) * (1 - self.waves(0, 2)) / 4

    def whole(self, share, step=8):
        """A share of the height in pixels, rounded to the grid."""
        return max(step, round(share * self.h / step) * step)

    def one(self, lo=0.0, hi=1.0):
        """A number for each picture, [n, 1, 1, 1]."""
        return lo + (hi - lo) * self.rand(self.n, 1, 1, 1)

    def noise(self, cell=1.0, channels=1):
        """Smooth noise of -1..1, cells in 256ths."""
        h, w = max(2, round(256 / cell)), max(2, round(256 * self.ar / cell))
        z = self.rand(self.n, channels, h, w) * 2 - 1
        return F.interpolate(z, size=(self.h, self.w), mode="bilinear", align_corners=False)

    def blur(self, z, sigma):
        """Gaussian, sigma in 256ths."""
        s = sigma * self.k
        r = max(1, int(2.5 * s + 0.5))
        t = torch.arange(-r, r + 1, device=self.dev, dtype=torch.float32)
        g = torch.exp(-t * t / (2 * s * s + 1e-6))
        g = (g / g.sum()).to(z.dtype)
        c = z.shape[1]
        if r >= self.h or r >= self.w:
            return z
        z = F.conv2d(F.pad(z, (r, r, 0, 0), mode="replicate"), g.view(1, 1, 1, -1).expand(c, 1, 1, -1), groups=c)
        return F.conv2d(F.pad(z, (0, 0, r, r), mode="replicate"), g.view(1, 1, -1, 1).expand(c, 1, -1, 1), groups=c)

    def edges(self, width=1.0, luma=0.0):
        """Outlines 0..1 of objects, and of brightness with weight luma."""
        d = max(1, round(width * self.k))
        planes = torch.cat([self.id * 3, (self.rgb * luma * 1.2)], 1) if luma else self.id * 3
        p = F.pad(planes, (d, d, d, d), mode="replicate")
        h, w = self.h, self.w
        gx = (p[:, :, d:d + h, 2 * d:2 * d + w] - p[:, :, d:d + h, :w]).abs()
        gy = (p[:, :, 2 * d:2 * d + h, d:d + w] - p[:, :, :h, d:d + w]).abs()
        e = (gx + gy).amax(1, keepdim=True)
        return ((e - 0.12) * 4).clamp(0, 1)

    def warp(self, z, amount, cell):
        """Displace by smooth noise."""
        d = self.noise(cell, 2) * amount
        gx = (self.x + d[:, :1]) / (256 * self.ar) * 2 - 1
        gy = (self.y + d[:, 1:]) / 256 * 2 - 1
        grid = torch.stack([gx.squeeze(1).expand(self.n, self.h, self.w), gy.squeeze(1).expand(self.n, self.h, self.w)], -1)
        return F.grid_sample(z, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def vignette(self, strength):
        dx, dy = self.x / (256 * self.ar) - 0.5, self.y / 256 - 0.5
        return 1 - strength * ((dx * dx + dy * dy) * 2).clamp(0, 1)

    def shift(self, z, dx, dy=0.0):
        return torch.roll(z, (round(dy * self.k), round(dx * self.k)), (2, 3))


def luma(z):
    return 0.30 * z[:, :1] + 0.59 * z[:, 1:2] + 0.11 * z[:, 2:3]


def sat(z, amount):
    y = luma(z)
    return y + (z - y) * amount


def contrast(z, amount, centre=0.5):
    return (z - centre) * amount + centre


def colour(c, *rgb):
    return torch.tensor(rgb, device=c.dev).view(1, 3, 1, 1)


def ramp(c, y, stops):
    """Gradient map: y [n, 1, h, w] through (position, r, g, b) stops."""
    out = colour(c, *stops[0][1:]).expand(c.n, 3, c.h, c.w)
    for (p0, *_), (p1, *rgb) in zip(stops, stops[1:]):
        out = torch.lerp(out, colour(c, *rgb).expand_as(out), ((y - p0) / (p1 - p0)).clamp(0, 1).expand_as(out))
    return out


def exposed(y, mean=0.42, most=2.2):
    """Brightness as a camera would meter it: dark pictures are lifted towards a mean."""
    return y * (mean / y.mean((1, 2, 3), keepdim=True).clamp(min=0.02)).clamp(1.0, most)


def mixin(a, b, m):
    return a + (b - a) * m


def focus(c, sigma):
    """Blur what is far."""
    m = ((c.blur(c.depth, 1.0) - 0.4) * 4).clamp(0, 1)
    return mixin(c.rgb, c.blur(c.rgb, sigma), m)
