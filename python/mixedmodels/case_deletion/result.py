"""The result of case deletion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import one_of
from ..errors import ArgumentError
from ..render.frame_table import table_of
from ..render.page import Page
from ..render.printed import Printed
from ..render.style import Style
from ..wording import counted

Values = NDArray[np.float64]
_COLUMNS = {
    "cooks_distance": "cooksd",
    "mdffits": "mdffits",
    "covtrace": "covtrace",
    "covratio": "covratio",
    "rstudent": "rstudent",
    "dffits": "dffits",
    "leverage": "hat",
}
# Measures with a column for each parameter.
_TABLES = ("dfbeta", "dfbetas", "variance_change")
_LABELS = {
    "cooks_distance": "Cook's distance",
    "mdffits": "MDFFITS",
    "covtrace": "COVTRACE",
    "covratio": "COVRATIO",
    "rstudent": "studentised residual",
    "dffits": "DFFITS",
}
_SHOWN = 10


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Influence(Printed):
    """
    The estimates and measures of influence without each of m sets of rows.

    Every measure is a Series or DataFrame whose index holds the levels, or the labels of the rows; NaN where
    there is no fit, and for rows that the fit did not use (``na_action="exclude"``).

    Attributes
    ----------
    by : str
        The factor; "rows" for single rows.
    method : {"exact", "one-step"}
    names : tuple of str
        The p coefficients that are estimated.
    n_rows : Series of int
        Rows deleted in each set.
    sigma : Series
        Sigma without each set.
    messages : Series of str
        Why there is no fit, or none that converged; otherwise empty.
    singular : Series of bool
        Whether each fit is singular.
    """

    by: str
    method: str
    names: tuple[str, ...]
    n_rows: pd.Series
    sigma: pd.Series
    messages: pd.Series
    singular: pd.Series
    _estimate: Values
    _measures: dict[str, Any]

    @property
    def cooks_distance(self) -> pd.Series:
        """Cook's distances d'V⁻¹d/p: d the change of the coefficients, V their covariance."""
        return self._series("cooks_distance")

    @property
    def dfbeta(self) -> pd.DataFrame:
        """Changes of the coefficients, without the set less with it; m × p."""
        return self._measures["dfbeta"].copy()

    @property
    def dfbetas(self) -> pd.DataFrame:
        """The changes in standard errors of the fit without the set."""
        return self._measures["dfbetas"].copy()

    @property
    def mdffits(self) -> pd.Series:
        """Like Cook's distances with the covariance without the set, d'V₍ᵢ₎⁻¹d/p."""
        return self._series("mdffits")

    @property
    def covtrace(self) -> pd.Series:
        """Change of precision ``|tr(V⁻¹V₍ᵢ₎) - p|``; 0 for none."""
        return self._series("covtrace")

    @property
    def covratio(self) -> pd.Series:
        """Change of precision ``|V₍ᵢ₎|/|V|``; 1 for none."""
        return self._series("covratio")

    @property
    def rstudent(self) -> pd.Series:
        """Studentised residuals with sigma without the row; of single rows only."""
        return self._series("rstudent")

    @property
    def dffits(self) -> pd.Series:
        """Changes of the fitted values in their standard errors; of single rows only."""
        return self._series("dffits")

    @property
    def leverage(self) -> pd.Series:
        """Leverages; of single rows only."""
        return self._series("leverage")

    @property
    def variance_change(self) -> pd.DataFrame:
        """Relative changes of the variances, without the set over with it less 1; NaN or infinite from 0."""
        return self._measures["variance_change"].copy()

    @property
    def fixef(self) -> pd.DataFrame:
        """The coefficients without each set; m × p."""
        return self._measures["dfbeta"] + self._estimate

    @property
    def _single(self) -> bool:
        return "rstudent" in self._measures

    def _series(self, name: str) -> pd.Series:
        found = self._measures.get(name)
        if found is None:
            raise ArgumentError(f"{name} is a measure of single rows; call influence() without groups")
        return found.copy()

    def to_frame(self) -> pd.DataFrame:
        """
        All measures, a row for each set.

        Returns
        -------
        DataFrame
            ``n``, the number of rows deleted, ``cooksd``, ``mdffits``, ``covtrace``, ``covratio``; for single
            rows ``rstudent``, ``dffits`` and ``hat``; then ``dfbeta`` and ``dfbetas`` of each coefficient and
            the relative change of each variance, as ``dfbeta.Days``.

        Examples
        --------
        >>> from mixedmodels import influence, lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
        >>> influence(m, groups="Subject").to_frame().columns[:3].tolist()
        ['n', 'cooksd', 'mdffits']
        """
        columns: dict[str, Any] = {"n": self.n_rows}
        columns |= {short: self._measures[name] for name, short in _COLUMNS.items() if name in self._measures}
        for name, prefix in (("dfbeta", "dfbeta"), ("dfbetas", "dfbetas"), ("variance_change", "rvc")):
            table = self._measures[name]
            columns |= {f"{prefix}.{own}": table[own] for own in table.columns}
        return pd.DataFrame(columns)

    def plot(
        self,
        ax: Any = None,
        *,
        kind: Literal["index", "bubble"] = "index",
        measure: str = "cooks_distance",
    ) -> Any:
        """
        A measure of each set by position, or residuals against leverages; the largest are named.

        Parameters
        ----------
        ax : matplotlib Axes, or sequence of these for a table, optional
            Where to draw; by default a new figure.
        kind : {"index", "bubble"}, default "index"
            "index": a stem for each set. "bubble", of single rows: studentised residuals against leverages,
            in circles whose areas are the measure.
        measure : str, default "cooks_distance"
            "cooks_distance", "mdffits", "covtrace", "covratio", "rstudent", "dffits" or "leverage"; or, with
            a panel for each column, "dfbeta", "dfbetas" or "variance_change".

        Returns
        -------
        matplotlib Axes, or Panels for a table
            Panels of "dfbetas" have dashed lines at ± 2/√m for m sets.

        Raises
        ------
        ArgumentError
            Without matplotlib; for "bubble" and for measures of single rows when sets have several.

        References
        ----------
        Belsley, Kuh & Welsch (1980), Regression Diagnostics, chapter 2. Nieuwenhuis, te Grotenhuis & Pelzer
        (2012), influence.ME: tools for detecting influential data in mixed effects models, The R Journal 4.

        Examples
        --------
        >>> from mixedmodels import influence, lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
        >>> influence(m, groups="Subject").plot().get_ylabel()
        "Cook's distance"
        """
        from ..plot.influence import bubble_plot, index_plot, index_plots

        one_of("plot: kind", kind, ("index", "bubble"))
        one_of("plot: measure", measure, (*_COLUMNS, *_TABLES))
        names = [str(name) for name in self.sigma.index]
        by = "row" if self._single else self.by
        if measure in _TABLES:
            if kind != "index":
                raise ArgumentError(f"plot: {measure} has several columns; kind='bubble' needs one measure")
            cutoff = 2.0 / np.sqrt(len(names)) if measure == "dfbetas" and names else None
            return index_plots(self._measures[measure], names, (by, _label(measure)), cutoff, axes=ax)
        values = self._series(measure).to_numpy()
        if kind == "index":
            return index_plot(values, names, (by, _label(measure)), none=float(measure == "covratio"), ax=ax)
        hat, residuals = self._series("leverage").to_numpy(), self._series("rstudent").to_numpy()
        labels = ("leverage", _label("rstudent"), _label(measure))
        return bubble_plot(hat, residuals, values, names, labels, ax=ax)

    def _notes(self) -> list[str]:
        notes = [] if self.names else ["No coefficients are estimated, so there are no changes of them"]
        without = int(self.sigma.isna().sum() - (self.n_rows == 0).sum())
        if without:
            notes.append(
                f"{counted(without, 'deletion')} without a fit: {_few(self.sigma.isna() & (self.n_rows > 0))}"
            )
        partly = self._measures["dfbeta"].isna().any(axis=1) & self.sigma.notna()
        if partly.any():
            notes.append(
                "Without some sets the other rows do not determine all coefficients, and measures of all of "
                f"them are NaN: {_few(partly)}"
            )
        unsettled = (self.messages != "") & self.sigma.notna()
        if unsettled.any():
            count = counted(int(unsettled.sum()), "deletion")
            notes.append(f"{count} did not converge: {_few(unsettled)}; see messages")
        if self.singular.any():
            notes.append(f"{counted(int(self.singular.sum()), 'singular fit')}")
        return notes

    def _page(self, style: Style) -> Page:
        table = self.to_frame()
        if self.names:
            ranks, largest, hidden = self._measures["cooks_distance"], "Cook's distances", ("dfbeta.", "rvc.")
        else:
            ranks = self._measures["variance_change"].abs().max(axis=1)
            largest, hidden = "changes of variances", ("cooksd", "mdffits", "covtrace", "covratio")
        order = ranks.fillna(-1.0).to_numpy().argsort(kind="stable")[::-1]
        shown = [c for c in table.columns if not c.startswith(hidden)]
        top = table.iloc[order[:_SHOWN]][shown]
        if isinstance(top.index, pd.RangeIndex) or top.index.dtype.kind in "iu":
            top.index = top.index.map(str)
        what = "rows" if self._single else "sets" if self.by == "set" else f"the levels of {self.by}"
        how = "refits" if self.method == "exact" else "closed form, covariance parameters held"
        heading = [f"Influence of {what} ({how})"]
        more = len(table) - len(top)
        tail = [f"The {_SHOWN} of {len(table)} with the largest {largest}"] if more > 0 else []
        return Page.of(table_of(top, style), heading, [*tail, *self._notes()])


def _label(measure: str) -> str:
    """What a figure calls a measure."""
    named = {"cooks_distance": "Cook's distance", "rstudent": "studentised residual", "leverage": "leverage"}
    named["variance_change"] = "relative change of variance"
    return named.get(measure, measure.upper())


def _few(chosen: pd.Series) -> str:
    """The names of some."""
    names = [str(name) for name in chosen.index[chosen.to_numpy()]]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
