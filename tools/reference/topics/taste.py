"""Statistics of favourites: what SciPy and statsmodels say.

stats.json  quantiles: [[p, z]]; wilson: [[k, n, confidence, low, high]]; fisher: [[k, m, K, n, p]]: of n rows K are
            loved, a level has m rows and k loved ones, two-sided; poisson: [[k, mean, P(X >= k)]];
            spread: [[k, mean, shape, P(X >= k)]], negative binomial;
            ridge: cells {levels: [[coefficient or null of each factor]], made, loved}, the variance of the prior,
            beta and covariance (the intercept first) at the maximum that scipy.optimize finds, the derivatives
            written out once more here; plain: the same without a prior, by statsmodels' GLM on treatment-coded
            columns: log(odds) of each cell; choices: wins, variance, strength and error of Bradley and Terry's
            model, likewise.
"""
import json

import numpy as np
import statsmodels.api as sm
from scipy import optimize, special, stats
from statsmodels.stats.proportion import proportion_confint


def quantiles():
    chances = (1e-300, 1e-20, 1e-6, 0.001, 0.02, 0.0243, 0.25, 0.5, 0.7, 0.975, 0.99, 1 - 1e-9)
    return [[p, stats.norm.ppf(p)] for p in chances]


def wilson():
    cases = [(0, 10), (1, 10), (5, 10), (10, 10), (31, 120), (400, 20000), (0, 1), (1, 1), (2, 3), (7, 1000000)]
    return [[k, n, c, *proportion_confint(k, n, alpha=1 - c, method="wilson")]
            for k, n in cases for c in (0.8, 0.95, 0.99)]


def fisher():
    cases = [(31, 120, 400, 20000), (0, 120, 400, 20000), (2, 120, 400, 20000), (3, 120, 400, 20000), (5, 5, 5, 10),
             (0, 5, 5, 10), (2, 5, 5, 10), (3, 7, 4, 9), (1, 1, 1, 2), (90, 2000, 400, 20000), (10, 2000, 400, 20000),
             (40, 2000, 400, 20000), (300, 15000, 400, 20000), (280, 15000, 400, 20000),
             (1200, 50000, 20000, 1000000),
             (5, 6, 90, 100), (2, 6, 90, 100), (12, 12, 12, 12), (0, 7, 3, 300), (3, 3, 3, 300)]
    rows = []
    for k, m, loved, n in cases:
        table = [[k, m - k], [loved - k, n - m - loved + k]]
        rows.append([k, m, loved, n, stats.fisher_exact(table).pvalue])
    return rows


def poisson():
    cases = [(0, 1.5), (1, 0.01), (3, 0.3), (5, 0.36), (10, 10), (31, 2.4), (9, 20.5), (200, 150.25), (20, 300)]
    return [[k, mean, stats.poisson.sf(k - 1, mean)] for k, mean in cases]


def spread():
    cases = [(0, 1.5, 2), (1, 0.01, 0.5), (3, 0.3, 4), (13, 1.9, 2.5), (70, 39, 12), (9, 20.5, 3), (5, 5, 0.3),
             (8, 2, 1e7)]
    return [[k, mean, shape, stats.nbinom.sf(k - 1, shape, shape / (shape + mean))] for k, mean, shape in cases]


def ridge():
    rng = np.random.default_rng(7)
    sizes = [4, 6, 3]
    cells = [(a, b, c) for a in range(4) for b in range(6) for c in range(3) if rng.random() < 0.8]
    first = np.cumsum([0] + sizes)
    made = rng.integers(1, 60, len(cells))
    effect = rng.normal(0, 0.8, first[-1])
    levels, design = [], np.zeros((len(cells), 1 + first[-1]))
    design[:, 0] = 1
    odds = np.full(len(cells), -2.0)
    for i, cell in enumerate(cells):
        row = [int(first[f] + cell[f]) for f in range(3)]
        if rng.random() < 0.1:
            row[2] = None
        for c in row:
            if c is not None:
                design[i, c + 1] = 1
                odds[i] += effect[c]
        levels.append(row)
    loved = rng.binomial(made, special.expit(odds))
    variance = 0.7
    penalty = np.full(design.shape[1], 1 / variance)
    penalty[0] = 0

    def loss(beta):
        x = design @ beta
        return -(loved * x - made * np.logaddexp(0, x)).sum() + (penalty * beta**2).sum() / 2

    def slope(beta):
        return -design.T @ (loved - made * special.expit(design @ beta)) + penalty * beta

    def curve(beta):
        p = special.expit(design @ beta)
        return design.T @ (design * (made * p * (1 - p))[:, None]) + np.diag(penalty)

    found = optimize.minimize(loss, np.zeros(design.shape[1]), jac=slope, hess=curve, method="trust-exact",
                              options={"gtol": 1e-10})
    return {"levels": levels, "sizes": sizes, "made": made.tolist(), "loved": loved.tolist(), "variance": variance,
            "beta": found.x.tolist(), "covariance": np.linalg.inv(curve(found.x)).tolist()}


def plain():
    rng = np.random.default_rng(11)
    sizes = [3, 4]
    cells = [(a, b) for a in range(3) for b in range(4)]
    made = rng.integers(40, 200, len(cells))
    design = np.zeros((len(cells), 6))
    for i, (a, b) in enumerate(cells):
        design[i, 0] = 1
        if a:
            design[i, a] = 1
        if b:
            design[i, 2 + b] = 1
    loved = rng.binomial(made, special.expit(design @ np.array([-1.5, 0.7, -0.4, 0.3, -0.8, 1.1])))
    fit = sm.GLM(np.stack([loved, made - loved], 1), design, family=sm.families.Binomial()).fit(tol=1e-12)
    return {"levels": [[a, 3 + b] for a, b in cells], "sizes": sizes, "made": made.tolist(), "loved": loved.tolist(),
            "log_odds": (design @ fit.params).tolist(),
            "error": np.sqrt(np.einsum("ij,jk,ik->i", design, fit.cov_params(), design)).tolist()}


def choices():
    rng = np.random.default_rng(3)
    n, variance = 6, 1.0
    true = rng.normal(0, 1, n)
    wins = np.zeros((n, n), int)
    for _ in range(150):
        a, b = rng.choice(n - 1, 2, replace=False)  # the last one is never shown
        wins[(a, b) if rng.random() < special.expit(true[a] - true[b]) else (b, a)] += 1

    def loss(s):
        return (wins * np.logaddexp(0, s[None, :] - s[:, None])).sum() + (s**2).sum() / (2 * variance)

    def slope(s):
        p = special.expit(s[None, :] - s[:, None]) * wins  # of those that a lost to chance
        return p.sum(0) - p.sum(1) + s / variance

    def curve(s):
        p = special.expit(s[:, None] - s[None, :])
        w = (wins + wins.T) * p * (1 - p)
        return np.diag(w.sum(1) + 1 / variance) - w

    found = optimize.minimize(loss, np.zeros(n), jac=slope, hess=curve, method="trust-exact", options={"gtol": 1e-10})
    return {"wins": wins.tolist(), "variance": variance, "strength": found.x.tolist(),
            "error": np.sqrt(np.diag(np.linalg.inv(curve(found.x)))).tolist()}


def make(out):
    data = {"quantiles": quantiles(), "wilson": wilson(), "fisher": fisher(),
            "poisson": poisson(), "spread": spread(), "ridge": ridge(),
            "plain": plain(), "choices": choices()}
    lines = [f"{json.dumps(key)}: {json.dumps(value, default=float)}" for key, value in data.items()]
    (out / "stats.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
