"""How far pictures are from each other: PSNR, SSIM and GMSD.

distance.json  pairs: [{width, height, noise, shift, psnr, ssim, gmsd}]: of a pattern and of the same with noise of
               that strength and all bytes shifted, both made of whole numbers (picture() here and in
               tests/unit/test_distance.c); psnr null: infinite. SSIM is scikit-image's
               structural_similarity with the paper's window; where it refuses a picture that is smaller,
               the same sums over all pixels. GMSD follows the paper with scipy's convolution.
"""
import json

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.signal import convolve2d
from skimage.metrics import structural_similarity

CASES = [  # width, height, noise, shift
    (64, 48, 4, 0), (64, 48, 40, 0), (64, 48, 300, 0), (64, 48, 0, 9), (33, 65, 12, -20), (256, 192, 6, 0),
    (11, 11, 30, 0), (12, 40, 30, 3), (5, 7, 30, 0), (7, 64, 30, 0), (3, 2, 60, 0), (1, 1, 0, 5), (1, 30, 50, 0),
    (48, 48, 0, 0), (257, 129, 100, 0), (64, 64, 0, 200),
]
WINDOW, RADIUS = 11, 5


def picture(width, height, noise, shift):
    """[height, width, 3] of bytes."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3].astype(np.int64)
    values = (x * x // 9 + y * 5 + c * 40 + (x // 8 + y // 8) % 2 * 60) % 512
    values = np.where(values > 255, 511 - values, values).reshape(-1)
    state = (width << 16 | height) & 0xFFFFFFFF
    for i in range(values.size):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values[i] += (state >> 16) * noise // 65536 - noise // 2 + shift
    return np.clip(values, 0, 255).astype(np.uint8).reshape(height, width, 3)


def luma(image):
    return image.astype(np.float64) @ np.array([0.299, 0.587, 0.114])


def psnr(a, b):
    error = np.mean((a.astype(np.float64) - b) ** 2)
    return 10 * np.log10(255**2 / error) if error else None


def ssim(a, b):
    if min(a.shape) >= WINDOW:
        return structural_similarity(a, b, data_range=255, gaussian_weights=True, sigma=1.5,
                                     use_sample_covariance=False)

    def mean(v):
        return gaussian_filter(v, 1.5, mode="reflect", radius=RADIUS)

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = mean(a), mean(b)
    va, vb, vab = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    s = (2 * ma * mb + c1) * (2 * vab + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    for axis, n in enumerate(s.shape):
        if n >= WINDOW:
            s = np.take(s, range(RADIUS, n - RADIUS), axis)
    return s.mean()


def gmsd(a, b):
    def half(v):
        return convolve2d(v, np.full((2, 2), 0.25))[1::2, 1::2]

    def strength(v):
        prewitt = np.array([[1, 0, -1]] * 3) / 3
        return np.hypot(convolve2d(v, prewitt, "same"), convolve2d(v, prewitt.T, "same"))

    p, q = strength(half(a)), strength(half(b))
    similarity = (2 * p * q + 170) / (p**2 + q**2 + 170)
    return similarity.std(ddof=1) if similarity.size > 1 else 0.0


def make(out):
    rows = []
    for width, height, noise, shift in CASES:
        a, b = picture(width, height, 0, 0), picture(width, height, noise, shift)
        rows.append({"width": width, "height": height, "noise": noise, "shift": shift, "psnr": psnr(a, b),
                     "ssim": float(ssim(luma(a), luma(b))), "gmsd": float(gmsd(luma(a), luma(b)))})
    (out / "distance.json").write_text("{\"pairs\": [\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]}\n")
