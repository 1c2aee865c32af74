"""One model by every optimizer and from random starts: do they agree?"""

# pyright: basic
# pandas and scipy leave types open.
from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..checks import random_generator, several_texts, whole_number
from ..design.theta import random_start, theta_names
from ..errors import ArgumentError, MixedModelError, NoDataError
from ..fit.changes import fit_new, refitted
from ..fit.control import OPTIMIZERS, as_control, check_optimizer
from ..fit.state import FittedModel
from ..repeat.chunks import run_chunks
from .all_fit_summary import AllFitSummary, Comparison, summarized
from .arguments import Executor, Rng, ShowProgress


@dataclass(frozen=True, eq=False, repr=False)
class AllFit(Comparison):
    """
    The fits of one model by several optimizers and from random starts.

    Attributes
    ----------
    fits : dict
        Optimizer, or ``"start 1"``, ``"start 2"``, ..., to model, or to the error that ended the fit.
    table : DataFrame
        A row for each fit: objective, its excess over the lowest, whether converged, theta,
        numbers of evaluations, seconds, messages.
    own_objective : float
        That of the model itself; NaN for a fit to other data.
    """

    fits: Mapping[str, Any]
    table: pd.DataFrame
    own_objective: float

    def summary(self) -> AllFitSummary:
        """
        The comparison, whether the fits agree, and their estimates.

        Returns
        -------
        AllFitSummary
            With ``table``, ``agree``, ``verdict``, ``differences``, ``fixef``, ``sd`` and ``theta``; fits
            that ended with an error are in the table only.
        """
        return summarized(self.fits, self.table, self.own_objective)


def all_fit(
    fitted: FittedModel,
    data: Any,
    optimizers: Sequence[str] | None,
    starts: int,
    rng: Rng,
    executor: Executor,
    progress: ShowProgress,
    wrap: Callable[[Any], Any],
) -> AllFit:
    """
    Fit a model by several optimizers and from random starts.

    Parameters
    ----------
    fitted : FittedModel
    data : data frame or None
        None for the design of the fit.
    optimizers : sequence of str, optional
        All by default.
    starts : int
        So many fits from random covariance parameters, by the first of the optimizers.
    rng : int, Generator or None
        Of the random starts.
    executor, progress
        As everywhere.
    wrap : callable
        Makes a public model of a `FittedModel`.
    """
    names = several_texts("optimizers", OPTIMIZERS if optimizers is None else optimizers)
    if not names:
        raise ArgumentError("allFit: optimizers is empty; name at least one, or None for all")
    for name in names:
        if check_optimizer(name) is None:
            raise ArgumentError("allFit: None is not an optimizer")
    starts = whole_number("starts", starts, 0)
    base = fitted
    if data is not None:
        base = fit_new(dataclasses.replace(fitted.arguments, data=data))
    # Only the trust region has several starts.
    single = dataclasses.replace(as_control(base.arguments.control), starts=None)
    changes: dict[str, dict[str, Any]] = {
        name: {"optimizer": name} if name == "trust_region" else {"optimizer": name, "control": single}
        for name in names
    }
    generator = random_generator(rng)
    for i in range(int(starts)):
        drawn = random_start(base.design, base.term_roots, generator)
        changes[f"start {i + 1}"] = {**changes[names[0]], "start": drawn}
    work = _Fits(base, list(changes.values()))
    chunks = run_chunks(_fit, work, len(changes), size=1, executor=executor, progress=progress, what="fits")
    fits: dict[str, Any] = {}
    rows = []
    for (start, _), (found, seconds) in zip(chunks.spans, chunks.results, strict=True):
        name = list(changes)[start]
        if isinstance(found, MixedModelError):
            fits[name] = found
            rows.append({"objective": np.nan, "converged": False, "message": str(found)})
        else:
            fits[name] = wrap(found)
            rows.append(_row(found))
        rows[-1]["seconds"] = seconds
    columns = ["objective", "converged", *(f"theta: {n}" for n in theta_names(base.design))]
    columns += ["evaluations", "gradients", "seconds", "message"]
    table = pd.DataFrame(rows, index=pd.Index(list(fits), name="optimizer", dtype=object), columns=columns)
    table.insert(1, "excess", table["objective"] - table["objective"].min())
    own = fitted.estimates.objective if data is None else np.nan
    return AllFit(fits, table, own)


@dataclass(frozen=True, eq=False)
class _Fits:
    """The model, and the options of each fit."""

    base: FittedModel
    changes: list[dict[str, Any]]


def _fit(work: _Fits, start: int, stop: int) -> tuple[FittedModel | MixedModelError, float]:
    """One fit, or its error, and the seconds that it took."""
    before = time.perf_counter()
    try:
        found: FittedModel | MixedModelError = refitted(work.base, work.changes[start], quiet=True)
    except NoDataError:
        raise
    except MixedModelError as error:
        found = error
    return found, time.perf_counter() - before


def _row(state: FittedModel) -> dict[str, Any]:
    convergence = state.convergence
    thetas = {f"theta: {n}": v for n, v in zip(theta_names(state.design), state.estimates.theta, strict=True)}
    return {
        "objective": state.estimates.objective,
        "converged": convergence.converged,
        **thetas,
        "evaluations": convergence.n_evaluations,
        "gradients": convergence.n_gradients,
        "message": "; ".join(convergence.messages),
    }
