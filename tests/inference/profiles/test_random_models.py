"""
Random models: every profile ends, and every limit is where a constrained refit has the objective it should
have.

``MIXEDMODELS_EXAMPLES=thorough`` looks at 200 models, some of each kind, without it at a few.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels.errors import DataError, InternalError, MixedModelError
from mixedmodels.inference.estimates.parameter_rows import ParameterRow, parameter_rows
from mixedmodels.inference.profiles.base import base_of, profilable
from mixedmodels.inference.profiles.limits import quantile
from mixedmodels.inference.profiles.walks import Curve, walk
from mixedmodels.wording import unique_names
from search_depth import THOROUGH

Z = quantile(0.95)
TERMS = (
    *("(1 | g)", "(x | g)", "(x || g)", "(x + w | g)", "(1 | g) + (1 | h)", "(x | g) + (1 | h)"),
    *("diag(0 + f | g)", "cs(0 + f | g)", "homcs(0 + f | g)", "ar1(0 + f | g)", "hetar1(0 + f | g)"),
    *("toep(0 + f | g)", "homtoep(0 + f | g)", "ante(0 + f | g)", "(1 | g:h) + (1 | g)", "(0 + f | g)"),
)
FIXED = ("x", "x + w", "1", "x * w", "x + twice + f", "0 + f")
FAMILIES = (
    *(("binomial", "binary", "logit"), ("binomial", "binary", "probit"), ("binomial", "binary", "cloglog")),
    *(("poisson", "count", "log"), ("nbinom2", "spread", "log"), ("gamma", "positive", "log")),
)
# By how much the objective of a refit may differ from the one at the limit, and a refit may be better.
EXACT = 1e-5


def random_data(rng: np.random.Generator) -> pd.DataFrame:
    n, n_g, n_h = int(rng.integers(40, 140)), int(rng.integers(5, 14)), int(rng.integers(3, 9))
    g, h, t = rng.integers(0, n_g, n), rng.integers(0, n_h, n), rng.integers(0, 3, n)
    x, w = rng.normal(size=(2, n))
    sizes = rng.choice([0.0, 0.4, 1.0, 2.0], size=2)
    u = rng.normal(size=(n_g, 3)) @ np.triu(rng.normal(size=(3, 3))) * sizes[0]
    slopes = rng.integers(0, 2, 2)
    eta = 0.5 + 0.3 * x + u[g, 0] + slopes[0] * u[g, 1] * x + slopes[1] * u[g, 2] * w
    eta += sizes[1] * rng.normal(size=n_h)[h]
    mean = np.exp(np.clip(0.4 * eta, -3, 3))
    return pd.DataFrame(
        {
            "g": g.astype(str),
            "h": h.astype(str),
            "f": pd.Categorical(np.array(list("abc"))[t]),
            "x": x,
            "w": w,
            "twice": 2 * x,
            "weight": rng.uniform(0.3, 3.0, n),
            "offset": 0.3 * rng.normal(size=n),
            "y": eta + rng.normal(size=n),
            "binary": (rng.uniform(size=n) < mean / (1 + mean)).astype(float),
            "count": rng.poisson(mean),
            "spread": rng.negative_binomial(2, 2 / (2 + mean)),
            "positive": rng.gamma(2.0, mean / 2) + 1e-6,
        }
    )


def random_model(seed: int, generalized: bool) -> tuple[Any, Any]:
    """A model, and the function that fits it again with values held fixed."""
    rng = np.random.default_rng(seed)
    data = random_data(rng)
    right = f"{FIXED[rng.integers(len(FIXED))]} + {TERMS[rng.integers(len(TERMS))]}"
    options: dict[str, Any] = {"offset": "offset"} if rng.uniform() < 0.3 else {}
    if generalized:
        family, response, link = FAMILIES[rng.integers(len(FAMILIES))]
        options |= {"family": family, "link": link}

        def fit(**more: Any) -> Any:
            return mm.glmer(f"{response} ~ {right}", data, **options, **more)
    else:
        if rng.uniform() < 0.4:
            options["weights"] = "weight"

        def fit(**more: Any) -> Any:
            return mm.lmer(f"y ~ {right}", data, REML=False, **options, **more)

    return fit(), fit


def key_of(model: Any, row: ParameterRow) -> Any:
    """A parameter as the argument `fixed` names it."""
    family, terms = model.family, model._fitted.design.terms
    if row.kind == "coefficient":
        return "fixed", row.name
    if row.kind == "scale":
        return "sigma" if family.has_scale else family.parameter
    term = terms[row.place[0]]
    kind, effects = list(term.structure.effects(term.names))[row.place[1]]
    return unique_names([t.group.label for t in terms])[row.place[0]], f"{kind}__{'.'.join(effects)}"


def check(model: Any, fit: Any, curve: Curve) -> None:
    dropped = {("fixed", name): 0.0 for name in model.dropped_columns}
    for i, limit in enumerate(curve.limits[Z]):
        what = f"{model.formula} {curve.row.name} {('lower', 'upper')[i]} {limit}"
        # There always is an end, with a reason.
        assert limit.end in ("met", "bound", "flat", "jump", "not computable", "better"), what
        if limit.end not in ("met", "bound", "jump"):
            continue

        def refit(value: float) -> Any:
            return fit(fixed={key_of(model, curve.row): value, **dropped}, control={"starts": 4})

        try:
            held = refit(limit.value)
        except DataError:
            # The argument `fixed` does not take a correlation of a higher lag, nor a scale of zero.
            assert curve.row.name.startswith("cor_lag") or limit.value == 0.0, what
            continue
        rise = held.objective - model.objective
        if limit.end == "jump":
            near = 1e-4 * (limit.value - curve.estimate)
            assert refit(limit.value - near).objective - model.objective <= Z * Z + EXACT, what
            assert refit(limit.value + near).objective - model.objective >= Z * Z - EXACT, what
        elif limit.end == "bound":
            if rise > Z * Z:
                # Such a refit may end in a minimum that is not the lowest; one beside it may not.
                inside = limit.value + 1e-4 * (curve.estimate - limit.value)
                rise = min(rise, refit(inside).objective - model.objective)
            assert rise <= Z * Z + EXACT, what
        else:
            # A refit from scratch may end in a minimum that is not the lowest.
            assert rise >= Z * Z - EXACT, f"{what}: {rise - Z * Z:.3g}"
            assert rise == pytest.approx(Z * Z, abs=EXACT) or not _is_best(held, rise), what


def _is_best(held: Any, rise: float) -> bool:
    """Whether a refit that is worse than the limit says cannot be bettered from other starts."""
    with_more = held.update(control={"starts": 25})
    return bool(with_more.objective - held.objective > -1e-9) and rise < Z * Z


# Models whose criteria have several minima, beside any.
HARD = [
    *((seed, False) for seed in (1006, 1032, 1045, 1101)),
    *((seed, True) for seed in (1020, 2034, 3044)),
]
# Searches from nine starts miss the lowest minimum of these.
MISSED = [
    pytest.param(seed, True, marks=pytest.mark.xfail(reason="a lower minimum exists", strict=True))
    for seed in (1055, 2080)
]


@pytest.mark.parametrize(
    ("seed", "generalized"),
    [*((seed, kind) for seed in range(100 if THOROUGH else 6) for kind in (False, True)), *HARD, *MISSED],
)
def test_every_limit_is_a_constrained_optimum(seed, generalized):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model, fit = random_model(seed, generalized)
        except InternalError:
            raise
        except MixedModelError:
            return
        fitted = model._fitted
        if fitted.convergence.unbounded or not fitted.convergence.converged:
            return
        if fit(control={"starts": 6}).objective < model.objective - EXACT:
            # Profiles of a local optimum are those of its neighbourhood.
            return
        curves = walk(base_of(fitted), profilable(fitted, parameter_rows(fitted), False), [(Z, True)])
        for curve in curves:
            assert not curve.failure, curve.failure
            check(model, fit, curve)
