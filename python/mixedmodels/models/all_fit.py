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
from ..errors import ArgumentError, MixedModelError
from ..fit.changes import fit_new, refitted
from ..fit.control import OPTIMIZERS, as_control, check_optimizer
from ..fit.state import FittedModel
from ..render.numbers import format_fixed
from ..render.page import Page, Table
from ..render.printed import Printed
from ..render.style import Style
from .arguments import Rng


class _Comparison(Printed):
    """Fits side by side: a row of `table` for each."""

    table: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """
        The comparison as a data frame.

        Returns
        -------
        DataFrame
            A copy of `table`.
        """
        return self.table.copy()

    def _page(self, style: Style) -> Page:
        table = self.table
        columns = [
            ("optimizer", list(map(str, table.index))),
            ("objective", format_fixed(table["objective"], style.digits or 6)),
            ("excess", ["" if np.isnan(v) else f"{v:.1e}" for v in table["excess"]]),
            ("converged", ["yes" if v else "no" for v in table["converged"]]),
            ("evaluations", ["" if np.isnan(v) else f"{v:.0f}" for v in table["evaluations"]]),
            ("seconds", format_fixed(table["seconds"], 3)),
        ]
        if table["message"].astype(bool).any():
            columns.append(("message", list(map(str, table["message"]))))
        spread = np.nanmax(table["excess"].to_numpy(dtype=float), initial=0.0)
        return Page.of(
            Table.from_columns(columns, (0, 3, 6)), notes=[f" The objectives differ by up to {spread:.2g}"]
        )


@dataclass(frozen=True, eq=False, repr=False)
class AllFit(_Comparison):
    """
    The fits of one model by several optimizers and from random starts.

    Attributes
    ----------
    fits : dict
        Optimizer, or ``"start 1"``, ``"start 2"``, ..., to model, or to the error that ended the fit.
    table : DataFrame
        A row for each fit: objective, its excess over the lowest, whether converged, theta,
        numbers of evaluations, seconds, messages.
    """

    fits: Mapping[str, Any]
    table: pd.DataFrame

    def summary(self) -> AllFitSummary:
        """
        The comparison, with fixed effects and covariance parameters by optimizer.

        Returns
        -------
        AllFitSummary
            With ``table``, ``fixef`` and ``theta``; fits that ended with an error are in the table only.
        """
        good = {name: fit for name, fit in self.fits.items() if not isinstance(fit, Exception)}
        frames = [pd.DataFrame({name: fit.fixef() for name, fit in good.items()}).T]
        frames.append(self.table.loc[list(good), [c for c in self.table.columns if c.startswith("theta: ")]])
        return AllFitSummary(self.table, *frames)


@dataclass(frozen=True, eq=False, repr=False)
class AllFitSummary(_Comparison):
    """
    The result of `AllFit.summary`.

    Attributes
    ----------
    table : DataFrame
        As `AllFit.table`.
    fixef : DataFrame
        Fixed effects, fits by coefficients.
    theta : DataFrame
        Covariance parameters, fits by parameters.
    """

    table: pd.DataFrame
    fixef: pd.DataFrame
    theta: pd.DataFrame


def all_fit(
    fitted: FittedModel,
    data: Any,
    optimizers: Sequence[str] | None,
    starts: int,
    rng: Rng,
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
    wrap : callable
        Makes a public model of a `FittedModel`.
    """
    names = several_texts("optimizers", OPTIMIZERS if optimizers is None else optimizers)
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
    fits: dict[str, Any] = {}
    rows = []
    for name, change in changes.items():
        start = time.perf_counter()
        try:
            state = refitted(base, change, quiet=True)
        except MixedModelError as error:
            fits[name] = error
            rows.append({"objective": np.nan, "converged": False, "message": str(error)})
        else:
            fits[name] = wrap(state)
            rows.append(_row(state))
        rows[-1]["seconds"] = time.perf_counter() - start
    columns = ["objective", "converged", *(f"theta: {n}" for n in theta_names(base.design))]
    columns += ["evaluations", "gradients", "seconds", "message"]
    table = pd.DataFrame(rows, index=pd.Index(list(changes), name="optimizer", dtype=object), columns=columns)
    table.insert(1, "excess", table["objective"] - table["objective"].min())
    return AllFit(fits, table)


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
