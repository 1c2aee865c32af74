"""Fits of one model side by side: whether they agree, and by how much they differ."""

# pyright: basic
# pandas leaves types open.
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design import theta as theta_layout
from ..fit.state import FittedModel, fitted_of
from ..inference.estimates.fixed_effects import standard_errors
from ..render.numbers import format_fixed
from ..render.page import Page, Table
from ..render.printed import Printed
from ..render.style import Style
from ..wording import listed

# An objective (-2 log-likelihood) that is so little above the lowest one has reached it.
SAME_OBJECTIVE = 1e-3
# Estimates agree when coefficients differ by at most this share of their standard errors,
SAME_COEFFICIENTS = 0.01
# and standard deviations by at most this share of themselves; of small ones by that share of 1% of the unit
# of the covariance factors (sigma for a linear model).
SAME_DEVIATIONS = 0.01
_SMALL = 0.01


class Comparison(Printed):
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
        columns = [*_columns(self.table, style), *self._more(style)]
        if self.table["message"].astype(bool).any():
            columns.append(("message", list(map(str, self.table["message"]))))
        text = {i for i, (name, _) in enumerate(columns) if name in ("optimizer", "converged", "message")}
        return Page.of(Table.from_columns(columns, text), notes=self._notes())

    def _more(self, style: Style) -> list[tuple[str, list[str]]]:
        return []

    def _notes(self) -> list[str]:
        spread = np.nanmax(self.table["excess"].to_numpy(dtype=float), initial=0.0)
        return [f"The objectives differ by up to {spread:.2g}"]


def _columns(table: pd.DataFrame, style: Style) -> list[tuple[str, list[str]]]:
    return [
        ("optimizer", list(map(str, table.index))),
        ("objective", format_fixed(table["objective"], style.digits or 6)),
        ("excess", _powers(table["excess"])),
        ("converged", ["yes" if v else "no" for v in table["converged"]]),
        ("evaluations", ["" if np.isnan(v) else f"{v:.0f}" for v in table["evaluations"]]),
        ("seconds", format_fixed(table["seconds"], 3)),
    ]


def _powers(values: pd.Series) -> list[str]:
    return ["" if np.isnan(v) else f"{v:.1e}" for v in values]


@dataclass(frozen=True, eq=False, repr=False)
class AllFitSummary(Comparison):
    """
    The result of `AllFit.summary`.

    Attributes
    ----------
    table : DataFrame
        As `AllFit.table`.
    fixef, sd, theta : DataFrame
        Fixed effects, standard deviations of random effects and covariance parameters: fits by parameters.
    differences : DataFrame
        For each fit its largest difference from the one with the lowest objective: ``coefficients``, in
        standard errors, and ``sd``, relative.
    agree : bool
        Whether every fit reaches the lowest objective within 0.001 with coefficients within 0.01 standard
        errors and standard deviations within 1 % (of those below 1 % of the unit of the covariance factors,
        within 1 % of that).
    verdict : tuple of str
        The same in words: which fits reach the lowest objective, whether these agree, what the others do.
    """

    table: pd.DataFrame
    fixef: pd.DataFrame
    sd: pd.DataFrame
    theta: pd.DataFrame
    differences: pd.DataFrame
    agree: bool
    verdict: tuple[str, ...]

    def _more(self, style: Style) -> list[tuple[str, list[str]]]:
        shown = self.differences.reindex(self.table.index)
        return [
            ("coefficients", _powers(shown["coefficients"])),
            ("sd", _powers(shown["sd"])),
        ]

    def _notes(self) -> list[str]:
        return [
            "coefficients: largest difference from the best fit in standard errors; sd: relative",
            *self.verdict,
        ]


def summarized(fits: Mapping[str, Any], table: pd.DataFrame, own: float) -> AllFitSummary:
    """
    Compare fits.

    Parameters
    ----------
    fits : mapping of str to model or error
    table : DataFrame
        As `AllFit.table`.
    own : float
        The objective of the model that was fitted again; NaN with other data.
    """
    states = {name: fitted_of(fit) for name, fit in fits.items() if not isinstance(fit, Exception)}
    good = list(states)
    fixef = pd.DataFrame({name: fits[name].fixef() for name in good}).T
    sd = pd.DataFrame({name: _deviations(state) for name, state in states.items()}).T
    theta = table.loc[good, [c for c in table.columns if c.startswith("theta: ")]]
    differences = _differences(states, table)
    agree, verdict = _verdict(table, differences, own)
    return AllFitSummary(table, fixef, sd, theta, differences, agree, tuple(verdict))


def _deviations(state: FittedModel) -> pd.Series:
    """The standard deviations of the random effects, by the names of theta."""
    names, values = [], []
    parts = theta_layout.natural(state.design, state.estimates.theta)
    for term, part in zip(state.design.terms, parts, strict=True):
        for own, value in zip(term.structure.effects(term.names), part.tolist(), strict=True):
            kind, effects = own
            if kind == "sd":
                names.append(".".join((term.group.label, *effects)))
                values.append(value * state.scale)
    return pd.Series(values, index=names, dtype=float)


def _differences(states: Mapping[str, FittedModel], table: pd.DataFrame) -> pd.DataFrame:
    """How far the estimates of each fit are from those of the best one."""
    columns = ["coefficients", "sd"]
    if not states:
        return pd.DataFrame(columns=columns, dtype=float)
    best = states[str(table.loc[list(states), "objective"].astype(float).idxmin())]
    errors = standard_errors(best).to_numpy(dtype=float)
    rows = {}
    for name, state in states.items():
        gap = np.abs(state.estimates.beta - best.estimates.beta)
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = np.where(gap == 0.0, 0.0, gap / errors)
        rows[name] = [_largest(scaled), _largest(_relative(state, best))]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _relative(state: FittedModel, best: FittedModel) -> NDArray[np.float64]:
    """Differences of standard deviations relative to those of the best fit."""
    one, other = _deviations(state).to_numpy(), _deviations(best).to_numpy()
    units = _effect_units(best)
    return np.abs(one - other) / np.maximum(other, _SMALL * best.scale / units)


def _effect_units(state: FittedModel) -> NDArray[np.float64]:
    """The change of the response or linear predictor by one unit of each random effect, by column."""
    sizes = []
    for term, root in zip(state.design.terms, state.term_roots, strict=True):
        own = np.linalg.norm(root, axis=0)
        for part in term.structure.parameters:
            if part.kind == "sd":
                sizes.append(float(np.mean(own[list(part.columns)])) or 1.0)
    return np.array(sizes)


def _largest(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else 0.0


def _verdict(table: pd.DataFrame, differences: pd.DataFrame, own: float) -> tuple[bool, list[str]]:
    objective, excess = table["objective"].astype(float), table["excess"].astype(float)
    ended = [name for name in table.index if name not in differences.index]
    if not len(differences):
        return False, [f"Without a fit: {listed(ended)}"]
    reached = [name for name in differences.index if excess[name] <= SAME_OBJECTIVE]
    short = [name for name in differences.index if name not in reached]
    best, n = objective.idxmin(), len(table)
    among = differences.loc[reached]
    close = bool(
        (among["coefficients"] <= SAME_COEFFICIENTS).all() and (among["sd"] <= SAME_DEVIATIONS).all()
    )
    agree = len(reached) == n and close and bool(table.loc[best, "converged"])
    if agree:
        who = "There is only one fit" if n == 1 else "Both fits agree" if n == 2 else f"All {n} fits agree"
        lines = [
            f"{who}: objectives within {SAME_OBJECTIVE:g}, coefficients within {SAME_COEFFICIENTS:g} "
            f"standard errors, standard deviations within {SAME_DEVIATIONS:.0%}"
        ]
    else:
        verb = "reaches" if len(reached) == 1 else "reach"
        also = " and agree in their estimates" if len(reached) > 1 and close else ""
        lines = [f"{len(reached)} of {n} fits {verb} the lowest objective within {SAME_OBJECTIVE:g}{also}"]
    if not close:
        lines.append(
            f"These differ in their estimates, coefficients by up to {among['coefficients'].max():.2g} "
            f"standard errors and standard deviations by up to {among['sd'].max():.1%}: the "
            "objective is flat, or has several optima of one height"
        )
    if not table.loc[best, "converged"]:
        lines.append("The fit with the lowest objective has not converged: there may be a lower one")
    if short:
        gaps = [f"{name} (by {excess[name]:.2g})" for name in short]
        lines.append(f"Above the lowest objective: {listed(gaps)}; do not use these fits")
    if ended:
        lines.append(f"Without a fit: {listed(ended)}")
    if own - objective[best] > SAME_OBJECTIVE:
        lines.append(
            f"The objective of the model itself is {own - objective[best]:.2g} above the lowest: its search "
            f"stopped short or found another optimum; use fits[{best!r}]"
        )
    return agree, lines
