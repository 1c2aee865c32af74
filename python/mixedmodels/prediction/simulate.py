"""New responses drawn from a fitted generalized model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import random_generator, whole_number
from ..covariance.theta import factors
from ..design import Design
from ..design.used_rows import labels_of_results
from ..fit.fitted_generalized import FittedGeneralized


def simulate(fitted: FittedGeneralized, nsim: int = 1, seed: Any = None, use_u: bool = False) -> pd.DataFrame:
    """
    Draw responses, see `GeneralizedLinearMixedModel.simulate`.

    Returns
    -------
    DataFrame
        A column for each simulation; two for each where the response is successes and failures.
    """
    nsim = whole_number("nsim", nsim, 1)
    rng = random_generator(seed)
    family, weights = fitted.family, fitted.design.unit_weights
    drawn = []
    for _ in range(int(nsim)):
        eta = fitted.estimates.eta if use_u else _fixed_part(fitted) + _new_effects(fitted, rng)
        drawn.append(family.draw(rng, family.mean(eta), weights, fitted.dispersion))
    frame = _as_given(drawn, fitted.design)
    labels = labels_of_results(fitted.design, fitted.arguments)
    return frame if labels is None else frame.set_index(pd.Index(labels))


def _fixed_part(fitted: FittedGeneralized) -> NDArray[np.float64]:
    design, estimates = fitted.design, fitted.estimates
    eta = design.x[:, estimates.kept] @ estimates.beta[estimates.kept]
    return eta if design.offset is None else eta + design.offset


def _new_effects(fitted: FittedGeneralized, rng: np.random.Generator) -> NDArray[np.float64]:
    """Zb with b drawn from its distribution."""
    total = np.zeros(fitted.n_obs)
    for term, factor in zip(fitted.design.terms, factors(fitted.design, fitted.estimates.theta), strict=True):
        b = rng.standard_normal((len(term.group.levels), len(factor))) @ factor.T
        total += np.einsum("ij,ij->i", term.z, b[term.group.codes])
    return total


def _as_given(drawn: list[NDArray[np.float64]], design: Design) -> pd.DataFrame:
    """The simulations in the form in which the response was written, so that `refit` takes them."""
    names = [f"sim_{i + 1}" for i in range(len(drawn))]
    form, pad = design.form, design.missing.pad
    if form.kind == "counts":
        columns = {}
        for name, values in zip(names, drawn, strict=True):
            successes = np.round(values * design.unit_weights)
            columns[name, "successes"] = pad(successes)
            columns[name, "failures"] = pad(design.unit_weights - successes)
        return pd.DataFrame(columns)
    if form.kind == "labels" and design.weights is None:
        labels = np.array([*form.labels, None], dtype=object)
        codes = [np.nan_to_num(pad(values), nan=2.0).astype(np.int64) for values in drawn]
        return pd.DataFrame({n: labels[code] for n, code in zip(names, codes, strict=True)})
    if form.kind == "bool" and design.weights is None and not design.missing.n_dropped:
        return pd.DataFrame({n: values.astype(bool) for n, values in zip(names, drawn, strict=True)})
    return pd.DataFrame({n: pad(values) for n, values in zip(names, drawn, strict=True)})
