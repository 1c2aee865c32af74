"""New responses drawn from a fitted model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag, random_generator, whole_number
from ..design import ResponseForm
from ..design.matrix import check_memory
from ..design.used_rows import labels_of_results
from ..errors import ArgumentError, MixedModelsWarning
from ..families import Family
from ..fit.parameters import parameters_with
from ..fit.sources import ResponseSource, source_of
from ..fit.state import FittedModel
from ..frame import Frame
from ..notices import warn_user
from .new_source import new_responses
from .selection import select_effects

Values = NDArray[np.float64]


def simulate(
    fitted: FittedModel,
    nsim: int = 1,
    rng: int | np.random.Generator | None = None,
    *,
    re_form: Any = "~0",
    newdata: Any = None,
    params: Any = None,
    use_u: bool = False,
    weights: Any = None,
    offset: Any = None,
) -> pd.DataFrame:
    """
    Draw responses, see `MixedModel.simulate`.

    Returns
    -------
    DataFrame
        A column for each simulation; two for each where the response is successes and failures.
    """
    nsim, generator = whole_number("nsim", nsim, 1), random_generator(rng)
    if flag("use_u", use_u):
        if not isinstance(re_form, str) or re_form != "~0":
            raise ArgumentError("simulate: use_u=True is the same as re_form=None; give only one of them")
        re_form = None
    kept, own = select_effects(fitted, re_form), parameters_with(fitted, params)
    design = fitted.design
    if newdata is None:
        if weights is not None or offset is not None:
            name = "offset" if weights is None else "weights"
            raise ArgumentError(
                f"simulate: {name}= needs newdata; responses in the data of the fit have its own {name}"
            )
        source, labels = source_of(fitted, own, kept), labels_of_results(design, fitted.arguments)
        warn_of_weights(fitted.family, design.weights)
        drawn = draws(source, nsim, generator)
        complete = not design.missing.n_dropped or design.missing.action != "exclude"
        frame = as_given(drawn, design.form, design.weights, design.missing.pad, complete)
    else:
        given = Frame.from_any(newdata, what="newdata")
        rows = new_responses(fitted, given, own, kept, weights, offset, unknown_levels=True)
        labels = given.index
        warn_of_weights(fitted.family, rows.weights)
        drawn = draws(rows.source, nsim, generator)
        frame = as_given(drawn, design.form, rows.weights, rows.pad, bool(rows.complete.all()))
    return frame if labels is None else frame.set_index(pd.Index(labels))


def draws(source: ResponseSource, nsim: int, rng: np.random.Generator) -> list[Values]:
    """Responses one after the other, so that the first do not depend on how many there are."""
    # They are in memory twice: as drawn, and in the result.
    check_memory(len(source.eta), 2 * nsim, "the simulations")
    return [source.draw(rng) for _ in range(nsim)]


def warn_of_weights(family: Family, weights: Values | None, what: str = "simulated responses") -> None:
    """Say where prior weights have no meaning for a single response; `what` is made without them."""
    if weights is not None and not family.weighted_draws and (weights != 1.0).any():
        warn_user(
            f"prior weights are ignored in {what}: those of family {family.name} multiply the "
            "log-likelihood of a row and do not change the distribution of its response",
            MixedModelsWarning,
        )


def as_given(
    drawn: list[Values],
    form: ResponseForm,
    weights: Values | None,
    pad: Callable[[Values], Values],
    complete: bool,
) -> pd.DataFrame:
    """
    The simulations in the form in which the response was written, so that `refit` takes them.

    Parameters
    ----------
    drawn : list of ndarray, shape (n,)
    form : ResponseForm
    weights : ndarray, shape (n,), or None
    pad : callable
        Adds the rows without a response.
    complete : bool
        Whether there are none.
    """
    names = [f"sim_{i + 1}" for i in range(len(drawn))]
    if form.kind == "counts":
        columns = {}
        for name, values in zip(names, drawn, strict=True):
            trials = np.ones(len(values)) if weights is None else weights
            successes = np.round(values * trials)
            columns[name, "successes"] = pad(successes)
            columns[name, "failures"] = pad(trials - successes)
        return pd.DataFrame(columns)
    if form.kind == "labels" and weights is None:
        labels = np.array([*form.labels, None], dtype=object)
        codes = [np.nan_to_num(pad(values), nan=2.0).astype(np.int64) for values in drawn]
        return pd.DataFrame({n: labels[code] for n, code in zip(names, codes, strict=True)})
    if form.kind == "bool" and weights is None and complete:
        return pd.DataFrame({n: values.astype(bool) for n, values in zip(names, drawn, strict=True)})
    return pd.DataFrame({n: pad(values) for n, values in zip(names, drawn, strict=True)})
