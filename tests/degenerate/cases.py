"""Models at the edge of what data can tell: each is a formula, a small data frame and arguments."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from mixedmodels import glmer, lmer
from mixedmodels.errors import MixedModelsWarning


@dataclass(frozen=True)
class Case:
    """
    One degenerate model.

    Attributes
    ----------
    formula : str
        Without the response.
    predictors : callable
        Gives the data frame without the response.
    signal : callable
        The linear predictor by the data, in standard deviations of the noise.
    family : str
        Of the generalized model; the linear one has a normal response.
    arguments : dict
        Further arguments of both functions.
    """

    formula: str
    predictors: Callable[[], pd.DataFrame]
    signal: Callable[[pd.DataFrame], Any] = lambda d: 0.0
    family: str = "poisson"
    arguments: dict[str, Any] = field(default_factory=dict)


def grid(**levels: int) -> pd.DataFrame:
    """All combinations of factors, with the level names a0, a1, ... of factor a."""
    product = pd.MultiIndex.from_product([[f"{name}{i}" for i in range(n)] for name, n in levels.items()])
    return product.to_frame(index=False, name=list(levels))


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


def effect(column: pd.Series, size: float = 1.0, seed: int = 1) -> np.ndarray:
    """A draw for each level of a factor, spread over its rows."""
    codes = pd.Categorical(column).codes
    return size * noise(codes.max() + 1, seed)[codes]


def empty_cell() -> pd.DataFrame:
    d = grid(a=3, b=3, g=6, rep=2)
    return d[~((d.a == "a2") & (d.b == "b1"))].reset_index(drop=True)


def aliased() -> pd.DataFrame:
    d = grid(f=3, g=8, rep=3)
    d["x"] = noise(len(d), 2)
    return d.assign(twice=2.0 * d.x, same=d.f)


def redundant() -> pd.DataFrame:
    return grid(g=8, f=3, rep=3)


def words() -> pd.DataFrame:
    d = grid(word=12, subj=8)
    return d.assign(cat=np.where(d.word.str[4:].astype(int) < 6, "a", "t"))


def slopes() -> pd.DataFrame:
    d = grid(g=6, rep=8)
    return d.assign(x=np.tile(np.linspace(-1, 1, 8), 6))


def separated() -> pd.DataFrame:
    d = grid(a=4, g=8, rep=2)
    return d.assign(x=noise(len(d), 3))


def one_row_a_level() -> pd.DataFrame:
    d = grid(g=8, row=5)
    d["row"] = [f"r{i}" for i in range(len(d))]
    return d.assign(x=noise(len(d), 4))


def nested() -> pd.DataFrame:
    return grid(g=6, h=3, rep=3)


def weighted() -> pd.DataFrame:
    d = slopes()
    return d.assign(w=np.where(np.arange(len(d)) % 5 == 0, 0.0, 1.0 + (d.x > 0)))


def unused() -> pd.DataFrame:
    d = grid(f=3, g=7, rep=3)
    d["f"] = pd.Categorical(d.f, ["f0", "never", "f1", "f2"])
    d["g"] = pd.Categorical(d.g, [*pd.unique(d.g), "nobody"])
    return d


def missing() -> pd.DataFrame:
    d = slopes()
    d["f"] = pd.Series(np.where(d.x > 0, "hi", "lo"), dtype=object)
    d.loc[[0, 11], "x"] = np.nan
    d.loc[5, "f"] = None
    return d


def nearly_all_levels() -> pd.DataFrame:
    g = np.arange(40)
    g[0] = 1
    return pd.DataFrame({"g": [f"g{i}" for i in g], "x": noise(40, 5)})


def few_rows() -> pd.DataFrame:
    return pd.DataFrame({"g": list("aabbcc"), "f": list("pqrpqr"), "x": noise(6, 6)})


def yes_no() -> pd.DataFrame:
    d = grid(f=3, g=8, rep=4)
    return d.assign(yes=np.tile([True, True, False, False], 24))


def no_predictor_left() -> pd.DataFrame:
    return slopes().assign(zero=0.0)


def two_groups() -> pd.DataFrame:
    d = grid(g=2, rep=12)
    return d.assign(x=noise(len(d), 7))


def offsets() -> pd.DataFrame:
    d = slopes()
    return d.assign(o=0.1 * noise(len(d), 8), w=1.0 + (np.arange(len(d)) % 3))


def huge_units() -> pd.DataFrame:
    return slopes().assign(big=lambda d: 1e9 * (d.x + 100.0), tiny=lambda d: 1e-9 * noise(len(d), 9))


CASES: dict[str, Case] = {
    "empty_cell": Case("a * b + (1 | g)", empty_cell, lambda d: effect(d.g)),
    "aliased_columns": Case("x + twice + f + same + (1 | g)", aliased, lambda d: d.x + effect(d.g)),
    "redundant_variances": Case("f + (f | g) + (1 | g:f)", redundant, lambda d: effect(d.g + d.f)),
    "flat_covariance": Case(
        "cat + (0 + cat | word) + (1 | subj)", words, lambda d: effect(d.word) + effect(d.subj)
    ),
    "zero_variance": Case("x + (1 | g)", slopes, lambda d: 2.0 * d.x),
    "correlation_at_bound": Case("x + (x | g)", slopes, lambda d: effect(d.g) * (1.0 + 0.7 * d.x)),
    "separated": Case("a + x + (1 | g)", separated, lambda d: 40.0 * (d.a == "a1") - 20.0, "binomial"),
    "one_row_a_level": Case("x + (1 | g) + (1 | row)", one_row_a_level, lambda d: effect(d.row)),
    "no_fixed_effects": Case("0 + (1 | g / h)", nested, lambda d: effect(d.g) + effect(d.h)),
    "intercept_only": Case("1 + (1 | g)", nested, lambda d: effect(d.g)),
    "zero_weights": Case("x + (1 | g)", weighted, lambda d: effect(d.g), arguments={"weights": "w"}),
    "unused_levels": Case("f + (f | g)", unused, lambda d: effect(d.g) + effect(d.f)),
    "missing_rows": Case(
        "x + f + (1 | g)", missing, lambda d: effect(d.g), arguments={"na_action": "exclude"}
    ),
    "not_optimised": Case("x + (1 | g)", slopes, lambda d: effect(d.g), arguments={"optimizer": None}),
    "infinite_optimum": Case("x + (1 | g)", nearly_all_levels, lambda d: effect(d.g)),
    "few_rows": Case("f + x + (1 | g)", few_rows, lambda d: effect(d.g)),
    "true_or_false": Case("f * yes + (yes | g)", yes_no, lambda d: effect(d.g) * d.yes),
    "no_predictor_left": Case("0 + zero + (1 | g)", no_predictor_left, lambda d: effect(d.g)),
    "two_groups": Case("x + (x | g)", two_groups, lambda d: effect(d.g)),
    "repeated_term": Case("x + (1 | g) + (x | g)", slopes, lambda d: effect(d.g)),
    "offset_and_weights": Case(
        "x + (1 | g)", offsets, lambda d: effect(d.g), arguments={"offset": "o", "weights": "w"}
    ),
    "huge_units": Case("big + tiny + (1 | g)", huge_units, lambda d: effect(d.g)),
    "interaction_only": Case("0 + a:b + (1 | g)", empty_cell, lambda d: effect(d.g)),
    "constant_response": Case("x + (1 | g)", slopes, lambda d: -1e3, "poisson"),
}


def data_of(case: Case, kind: str) -> pd.DataFrame:
    d = case.predictors()
    signal = np.asarray(case.signal(d)) * np.ones(len(d))
    if kind == "lmer":
        noisy = signal + noise(len(d), 10) if signal[0] > -1e3 else np.zeros(len(d))
        return d.assign(y=noisy)
    rng = np.random.default_rng(10)
    if case.family == "binomial":
        return d.assign(y=(rng.random(len(d)) < 1.0 / (1.0 + np.exp(-signal))).astype(int))
    return d.assign(y=rng.poisson(np.exp(0.5 + 0.5 * signal)))


@cache
def fitted_case(name: str, kind: str) -> Any:
    """The fitted model; its warnings are those of the package, nothing else."""
    case = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        formula, data = f"y ~ {case.formula}", data_of(case, kind)
        if kind == "lmer":
            start = {"start": [9.0]} if name == "not_optimised" else {}
            return lmer(formula, data, **case.arguments, **start)
        start = {"start": {"theta": [9.0], "beta": [0.5, 0.1]}} if name == "not_optimised" else {}
        return glmer(formula, data, case.family, **case.arguments, **start)
