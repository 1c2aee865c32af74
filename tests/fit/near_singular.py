"""Random generalized linear mixed models near singular covariances: small, and hard for an optimizer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

# Family, link, and how often to draw it.
FAMILIES: tuple[tuple[str, str, int], ...] = (
    ("binomial", "logit", 5),
    ("binomial", "probit", 4),
    ("binomial", "cloglog", 4),
    ("trials", "logit", 3),
    ("poisson", "log", 4),
    ("gamma", "log", 1),
    ("nbinom2", "log", 1),
)
# Effects of each term; a second term is crossed with the first or nests it.
SHAPES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("one", (1,)),
    ("one", (2,)),
    ("one", (3,)),
    ("one", (4,)),
    ("crossed", (2, 2)),
    ("crossed", (2, 1)),
    ("nested", (2, 2)),
    ("nested", (1, 2)),
)


@dataclass(frozen=True, eq=False)
class NearSingular:
    """A model and its data."""

    name: str
    formula: str
    family: str
    link: str
    data: pd.DataFrame
    n_groups: tuple[int, ...]
    n_effects: int

    @property
    def is_within_reach(self) -> bool:
        """Whether there are fewer random effects than rows; otherwise variances may run off to infinity."""
        return self.n_effects < len(self.data)


def near_singular(seed: int) -> NearSingular:
    """The model of this number, always the same."""
    rng = np.random.default_rng([20, seed])
    kinds = [family for family in FAMILIES for _ in range(family[2])]
    family, link, _ = kinds[rng.integers(len(kinds))]
    structure, columns = SHAPES[rng.integers(len(SHAPES))]
    n = int(np.exp(rng.uniform(np.log(60), np.log(500))))
    n_groups = int(min(np.exp(rng.uniform(np.log(5), np.log(60))), n / 2))
    codes = [rng.permutation(np.arange(n) % n_groups)]
    if structure == "crossed":
        codes.append(rng.permutation(np.arange(n) % int(rng.integers(5, 31))))
    if structure == "nested":
        codes.append(codes[0] * 4 + rng.integers(0, int(rng.integers(2, 5)), n))
    n_slopes = max(columns) - 1
    x = _covariates(rng, n, n_slopes)
    size = 0.5 if family in ("poisson", "nbinom2") else rng.uniform(0.3, 1.5)
    eta = rng.uniform(-0.7, 0.7) + x @ rng.uniform(-0.6, 0.6, n_slopes)
    z = np.column_stack([np.ones(n), x])
    for code, k in zip(codes, columns, strict=True):
        effects = rng.standard_normal((code.max() + 1, k)) @ _factor(rng, k, size).T
        eta = eta + (z[:, :k] * effects[code]).sum(axis=1)
    data = pd.DataFrame({f"x{j + 1}": x[:, j] for j in range(n_slopes)})
    for name, code in zip(("g", "h"), codes, strict=False):
        data[name] = [f"{name}{c}" for c in code]
    fixed = " + ".join(["1", *(f"x{j + 1}" for j in range(n_slopes))])
    random = [
        f"({' + '.join(['1', *(f'x{j + 1}' for j in range(k - 1))])} | {group})"
        for k, group in zip(columns, ("g", "h"), strict=False)
    ]
    left = _response(rng, data, eta, family, link)
    formula = f"{left} ~ {' + '.join([fixed, *random])}"
    shown = "binomial" if family == "trials" else family
    counts = tuple(int(data[g].nunique()) for g in ("g", "h") if g in data)
    name = f"{seed}: {family} {link} {structure} {'+'.join(map(str, columns))}, {n} rows, {counts}"
    n_effects = sum(k * levels for k, levels in zip(columns, counts, strict=True))
    return NearSingular(name, formula, shown, link, data, counts, n_effects)


def _covariates(rng: np.random.Generator, n: int, k: int) -> NDArray[np.float64]:
    kind = rng.integers(3)
    if kind == 0:
        return rng.standard_normal((n, k))
    if kind == 1:
        return rng.integers(0, 5, (n, k)).astype(float)
    return rng.integers(0, 2, (n, k)) - 0.5


def _factor(rng: np.random.Generator, k: int, size: float) -> NDArray[np.float64]:
    """A covariance factor: of low rank, with tiny variances or correlations at their bounds, seldom full."""
    kind = rng.integers(5)
    factor = rng.standard_normal((k, k)) * size / np.sqrt(k)
    if kind == 0:  # of rank one: every correlation at its bound
        factor[:, 1:] = 0.0
    elif kind == 1:  # a variance of zero
        factor[rng.integers(k)] = 0.0
    elif kind == 2:  # tiny variances
        factor *= 10.0 ** rng.uniform(-3, 0, (k, 1))
    elif kind == 3:  # nearly of rank one
        factor[:, 1:] *= 0.03
    return factor


def _response(
    rng: np.random.Generator, data: pd.DataFrame, eta: NDArray[np.float64], family: str, link: str
) -> str:
    """Adds the response to the data and gives the left side of the formula."""
    n = len(eta)
    if family in ("binomial", "trials"):
        mean = _inverse_link(eta, link)
        if family == "binomial":
            y = (rng.random(n) < mean).astype(int)
            y[:2] = 0, 1
            data["y"] = y
            return "y"
        trials = rng.integers(2, 9, n)
        data["y"] = rng.binomial(trials, mean)
        data["f"] = trials - data["y"]
        return "cbind(y, f)"
    mean = np.exp(np.clip(eta, -6, 4))
    if family == "gamma":
        data["y"] = rng.gamma(2.0, mean / 2.0) + 1e-9
    elif family == "nbinom2":
        data["y"] = rng.negative_binomial(2.0, 2.0 / (2.0 + mean))
    else:
        data["y"] = rng.poisson(mean)
    return "y"


def _inverse_link(eta: NDArray[np.float64], link: str) -> NDArray[np.float64]:
    if link == "cloglog":
        return 1.0 - np.exp(-np.exp(np.clip(eta, -30, 3)))
    if link == "probit":
        return np.asarray(ndtr(eta))
    return 1.0 / (1.0 + np.exp(-eta))
