"""
How often the tests of quantile residuals reject: under the true model, and with planted faults.

``python benches/quantile_residuals.py [replicates]`` prints the tables of docs/checks.md.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

import mixedmodels as mm

ALPHA = 0.05
HOW = ("true parameters", "given the data", "refits", "estimates")


def grouped(
    rng: np.random.Generator, groups: int, rows: int, sd: float = 0.5
) -> tuple[pd.DataFrame, np.ndarray]:
    """A predictor within groups, and what the groups have in common."""
    g = np.repeat(np.arange(groups), rows)
    data = pd.DataFrame({"g": g, "x": rng.normal(size=groups * rows)})
    return data, rng.normal(0.0, sd, groups)[g]


def gaussian(rng: np.random.Generator) -> tuple[str, pd.DataFrame, str | None, dict]:
    data, b = grouped(rng, 30, 6)
    data["y"] = 1 + 0.5 * data["x"] + b + rng.normal(size=len(data))
    return "y ~ x + (1 | g)", data, None, {"(Intercept)": 1.0, "x": 0.5, "sd__(Intercept)": 0.5, "sigma": 1.0}


def poisson(rng: np.random.Generator) -> tuple[str, pd.DataFrame, str | None, dict]:
    data, b = grouped(rng, 30, 6)
    data["y"] = rng.poisson(np.exp(1 + 0.5 * data["x"] + b))
    return "y ~ x + (1 | g)", data, "poisson", {"(Intercept)": 1.0, "x": 0.5, "sd__(Intercept)": 0.5}


def binary(rng: np.random.Generator) -> tuple[str, pd.DataFrame, str | None, dict]:
    data, b = grouped(rng, 30, 10)
    data["y"] = rng.binomial(1, 1 / (1 + np.exp(-(0.3 + 0.5 * data["x"] + b))))
    return "y ~ x + (1 | g)", data, "binomial", {"(Intercept)": 0.3, "x": 0.5, "sd__(Intercept)": 0.5}


def few(rng: np.random.Generator, rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Many small groups, whose conditional modes are far from their random effects."""
    data, b = grouped(rng, 200 // rows, rows, 0.7)
    return data, 0.3 * data["x"] + b


Made = tuple[str, pd.DataFrame, str | None, dict]


def triples_gaussian(rng: np.random.Generator) -> Made:
    data, eta = few(rng, 3)
    data["y"] = eta + rng.normal(size=len(data))
    return "y ~ x + (1 | g)", data, None, {}


def triples_poisson(rng: np.random.Generator, rows: int = 3) -> Made:
    data, eta = few(rng, rows)
    data["y"] = rng.poisson(np.exp(0.5 + eta))
    return "y ~ x + (1 | g)", data, "poisson", {}


def single_poisson(rng: np.random.Generator) -> Made:
    return triples_poisson(rng, 1)


def triples_binary(rng: np.random.Generator) -> Made:
    data, eta = few(rng, 3)
    data["y"] = rng.binomial(1, 1 / (1 + np.exp(-eta)))
    return "y ~ x + (1 | g)", data, "binomial", {}


def overdispersed(rng: np.random.Generator):
    data, b = grouped(rng, 40, 10)
    mu = np.exp(1 + 0.5 * data["x"] + b)
    data["y"] = rng.poisson(mu * rng.gamma(3.0, 1 / 3.0, len(data)))
    return mm.glmer("y ~ x + (1 | g)", data, "poisson")


def zero_inflated(rng: np.random.Generator):
    data, b = grouped(rng, 40, 10)
    mu = np.exp(1 + 0.5 * data["x"] + b)
    data["y"] = rng.poisson(mu) * (rng.random(len(data)) > 0.15)
    return mm.glmer("y ~ x + (1 | g)", data, "poisson")


def wrong_link(rng: np.random.Generator):
    data, b = grouped(rng, 40, 20)
    data["x"] = rng.uniform(-1.5, 1.5, len(data))
    data["y"] = rng.poisson(np.square(3 + 1.5 * data["x"] + 0.5 * b))
    return mm.glmer("y ~ x + (1 | g)", data, "poisson")


def missing_slope(rng: np.random.Generator):
    data, b = grouped(rng, 40, 10)
    data["y"] = 1 + 0.3 * data["x"] + b + rng.normal(size=len(data))
    return mm.lmer("y ~ 1 + (1 | g)", data)


def missing_random_slope(rng: np.random.Generator):
    data, b = grouped(rng, 40, 20)
    slope = rng.normal(0.0, 1.0, 40)[data["g"]]
    data["y"] = 1 + (0.5 + slope) * data["x"] + b + rng.normal(size=len(data))
    return mm.lmer("y ~ x + (1 | g)", data)


FAULTS = {
    "overdispersion: negative binomial, size 3; 40 groups of 10": (
        overdispersed,
        lambda m, r: m.quantile_residuals(conditional=True, rng=r).test_dispersion("greater"),
    ),
    "the same, new random effects": (
        overdispersed,
        lambda m, r: m.quantile_residuals(rng=r).test_dispersion("greater"),
    ),
    "the same, refits": (
        overdispersed,
        lambda m, r: m.quantile_residuals(100, refit=True, rng=r).test_dispersion("greater"),
    ),
    "15 % extra zeros, mean 2.7; 40 groups of 10": (
        zero_inflated,
        lambda m, r: m.quantile_residuals(conditional=True, rng=r).test_zero_inflation("greater"),
    ),
    "wrong link: log for sqrt; 40 groups of 20": (
        wrong_link,
        lambda m, r: m.quantile_residuals(rng=r).test_predictor(),
    ),
    "missing slope of 0.3 residual sd; 40 groups of 10": (
        missing_slope,
        lambda m, r: m.quantile_residuals(rng=r).test_predictor("x"),
    ),
    "missing random slope, of the residual sd; 40 groups of 20": (
        missing_random_slope,
        lambda m, r: m.quantile_residuals(conditional=True, rng=r).test_predictor("x"),
    ),
}


def level(make: Callable, n: int, how: str) -> np.ndarray:
    """P-values of the tests of uniformity and dispersion in n data sets of the true model."""
    found = []
    for i in range(n):
        formula, data, family, truth = make(np.random.default_rng([7, i]))
        fixed = truth if how == "true parameters" else None
        fit = (
            mm.lmer(formula, data, fixed=fixed, REML=False)
            if family is None
            else mm.glmer(formula, data, family, fixed=fixed)
        )
        options = {"refits": {"refit": True, "nsim": 100}, "given the data": {"conditional": True}}
        q = fit.quantile_residuals(rng=i, **options.get(how, {}))
        found.append((q.test_uniformity().p_value, q.test_dispersion().p_value, q.test_predictor().p_value))
    return np.array(found)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    warnings.simplefilter("ignore")
    small = (triples_gaussian, triples_poisson, triples_binary, single_poisson)
    for make in (gaussian, poisson, binary, *small):
        for how in ("given the data",) if make in small else HOW:
            start = time.perf_counter()
            p = level(make, n, how)
            shares = (p <= ALPHA).mean(axis=0)
            uniform = [stats.kstest(p[:, j], "uniform").pvalue for j in range(2)]
            seconds = time.perf_counter() - start
            print(
                f"{make.__name__:16s} {how:16s} rejected: uniformity {shares[0]:.3f}, dispersion "
                f"{shares[1]:.3f}, predictor {shares[2]:.3f}; uniform: "
                f"p = {uniform[0]:.2f}, {uniform[1]:.2f} ({seconds:.0f} s)",
                flush=True,
            )
    for name, (make, test) in FAULTS.items():
        start = time.perf_counter()
        found = [test(make(np.random.default_rng([11, i])), i).verdict == "attention" for i in range(n)]
        print(f"{name:70s} {np.mean(found):.2f}  ({time.perf_counter() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
