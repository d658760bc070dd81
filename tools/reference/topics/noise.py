"""torch.randn in float32: calls of several sizes on one generator, one after the other.

noise.json  cases: rng, seed (as text: it has 64 bits), and for each call n and numbers of it as
            [index, value]: all of a short call, else some spread over it and the last five

torch-cpu is what torch computes here. torch-cuda needs a GPU, so it is computed below by the
published algorithm (Salmon et al. 2011, and the way that PyTorch's kernel uses it), written in numpy
independently of the C source, and must agree with the numbers in H100, which torch 2.11 drew on one.
"""
import json

import numpy as np
import torch

SEEDS = [0, 1, 42, 2**32 + 7, 2**63, 2**64 - 1]
CPU_CALLS = [[16384, 5, 17, 65536, 1, 3, 16, 15, 31, 33], [5], [16], [17], [1, 1, 1], [3, 65541, 4]]
CUDA_CALLS = [16384, 5, 17, 65536, 1, 270336, 270337, 300000, 1200000, 16]

# The last two numbers of each of CUDA_CALLS.
H100 = {
    42: [[-0.952674925327301, 0.08298859000205994], [0.756648600101471, 0.3714880645275116],
         [0.10478829592466354, -1.5612664222717285], [0.5829277634620667, -0.042851053178310394],
         [-1.2682214975357056], [-0.907073438167572, -0.8509829640388489],
         [-0.39218300580978394, -0.07439909875392914], [-1.609055757522583, 0.7947791218757629],
         [0.1031598374247551, 0.4082493782043457], [1.394974708557129, 1.0233080387115479]],
    2**63: [[0.4853430986404419, 0.5084841251373291], [-0.860968291759491, 0.7281279563903809],
            [-0.9144842624664307, 0.6357136368751526], [-0.24365495145320892, -0.37345874309539795],
            [0.48608365654945374], [-0.5197750329971313, -0.27164024114608765],
            [0.04470410943031311, -1.0960445404052734], [-0.829765260219574, -0.956911027431488],
            [0.6046395897865295, 1.569026231765747], [-0.07886892557144165, 0.89326411485672]],
}


def philox(key, counter):
    """counter: [n, 4] of 32-bit words in uint64; ten rounds."""
    low = np.uint64(0xFFFFFFFF)
    k = np.array([key & 0xFFFFFFFF, key >> 32], dtype=np.uint64)
    for _ in range(10):
        product = counter[:, [2, 0]] * np.array([0xCD9E8D57, 0xD2511F53], dtype=np.uint64)
        high = (product >> np.uint64(32)) ^ counter[:, [1, 3]] ^ k
        counter = np.stack([high[:, 0], product[:, 0] & low, high[:, 1], product[:, 1] & low], axis=1)
        k = (k + np.array([0x9E3779B9, 0xBB67AE85], dtype=np.uint64)) & low
    return counter


def box_muller(x, y):
    """curand's, in single precision: float64 serves for the fused multiply-adds."""
    scale, two_pi = np.float32(2.0**-32), np.float32(2 * np.pi)
    u, v = ((word.astype(np.float32).astype(np.float64) * step + np.float64(step / 2)).astype(np.float32)
            for word, step in ((x, scale), (y, scale * two_pi)))
    radius = np.sqrt(-2 * np.log(u.astype(np.float64)))
    return radius * np.sin(v.astype(np.float64)), radius * np.cos(v.astype(np.float64))


def randn_cuda(seed, sizes, resident=132 * 2048):
    """Element thread + i * threads of a round is the i-th number of a thread's draw."""
    calls, rounds = [], 0
    for n in sizes:
        threads = min(-(-n // 256) * 256, resident)
        out = []
        while sum(map(len, out)) < n:
            counter = np.zeros((threads, 4), dtype=np.uint64)
            counter[:, 0] = rounds
            counter[:, 2] = np.arange(threads)
            words = philox(seed, counter)
            out += [*box_muller(words[:, 0], words[:, 1]), *box_muller(words[:, 2], words[:, 3])]
            rounds += 1
        calls.append(np.concatenate(out)[:n])
    return calls


def randn_cpu(seed, sizes):
    generator = torch.Generator().manual_seed(seed if seed < 2**63 else seed - 2**64)
    return [torch.randn(n, generator=generator).numpy() for n in sizes]


def case(rng, seed, calls):
    rows = []
    for numbers in calls:
        n = len(numbers)
        some = {i * (n - 1) // 12 for i in range(13)} | set(range(max(0, n - 5), n))
        indices = range(n) if n <= 33 else sorted(some)
        rows.append({"n": n, "numbers": [[i, float(np.float32(numbers[i]))] for i in indices]})
    return {"rng": rng, "seed": str(seed), "calls": rows}


def make(out):
    for seed, tails in H100.items():
        for numbers, tail in zip(randn_cuda(seed, CUDA_CALLS), tails, strict=True):
            np.testing.assert_allclose(numbers[-len(tail):], tail, atol=2e-6, rtol=0)
    cases = [case("torch-cpu", seed, randn_cpu(seed, sizes)) for seed in SEEDS for sizes in CPU_CALLS]
    cases += [case("torch-cuda", seed, randn_cuda(seed, CUDA_CALLS)) for seed in SEEDS]
    text = json.dumps({"cases": cases}).replace('{"rng"', '\n{"rng"')
    (out / "noise.json").write_text(text + "\n")
