"""New responses drawn from a fitted model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag, random_generator, whole_number
from ..design import Design
from ..design.used_rows import labels_of_results
from ..fit.draws import draw
from ..fit.state import FittedModel


def simulate(
    fitted: FittedModel,
    nsim: int = 1,
    rng: int | np.random.Generator | None = None,
    use_u: bool = False,
) -> pd.DataFrame:
    """
    Draw responses, see `MixedModel.simulate`.

    Returns
    -------
    DataFrame
        A column for each simulation; two for each where the response is successes and failures.
    """
    nsim, use_u = whole_number("nsim", nsim, 1), flag("use_u", use_u)
    generator = random_generator(rng)
    drawn = [draw(fitted, generator, use_u) for _ in range(nsim)]
    frame = _as_given(drawn, fitted.design)
    labels = labels_of_results(fitted.design, fitted.arguments)
    return frame if labels is None else frame.set_index(pd.Index(labels))


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
