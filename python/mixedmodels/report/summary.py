"""The summary of a linear mixed model."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from ..design.rows import ZERO_WEIGHT
from ..diagnostics.residuals import scaled_residuals
from ..errors import ArgumentError
from ..fitted_model import Convergence, Fitted
from ..formatting import TextTable, format_column, format_fixed, format_number, keep_end, one_line
from ..inference import criteria, fixed_effects
from ..inference.random_effects import numbers_of_levels
from ..singularity import singular_terms
from .varcorr import VarCorr, group_line, var_corr

# From this many coefficients on their correlations are printed on request only.
_MOST_CORRELATIONS = 12
_LABEL_WIDTH = 11


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """
    What `LinearMixedModel.summary` returns: printable, with its numbers as attributes.

    Attributes
    ----------
    title, formula : str
    criteria : dict
        Name and value of the fit criteria.
    residual_quantiles : Series
        Minimum, quartiles and maximum of the scaled (Pearson) residuals.
    varcorr : VarCorr
    nobs : int
    ngrps : dict
        Number of levels of each grouping factor.
    data_notes : tuple of str
        Rows left out, weights, offset.
    coefficients : DataFrame, shape (p, 3)
        Columns Estimate, Std. Error, t value; NaN for dropped columns.
    correlation : DataFrame or None
        Of the coefficients; None when it is not printed.
    convergence : Convergence
    notes : tuple of str
        Singular fit, dropped columns, and the like.
    """

    title: str
    formula: str
    criteria: dict[str, float]
    residual_quantiles: pd.Series
    varcorr: VarCorr
    nobs: int
    ngrps: dict[str, int]
    group_line: str
    data_notes: tuple[str, ...]
    coefficients: pd.DataFrame
    correlation: pd.DataFrame | None
    convergence: Convergence
    notes: tuple[str, ...]

    def __str__(self) -> str:
        quantiles = _quantile_table(self.residual_quantiles)
        parts = [
            "\n".join([self.title, f" Formula: {one_line(self.formula)}"]),
            _criteria_text(self.criteria),
            f"Scaled residuals:\n{quantiles.text()}",
            "\n".join(
                ["Random effects:", self.varcorr.table().text(), *(f" {x}" for x in self._data_lines())]
            ),
        ]
        if len(self.coefficients):
            parts.append(f"Fixed effects:\n{coefficient_table(self.coefficients).text()}")
        else:
            parts.append("Fixed effects: none")
        if self.correlation is not None:
            parts.append(f"Correlation of fixed effects:\n{correlation_table(self.correlation).text()}")
        parts.append("\n".join([convergence_line(self.convergence), *self.notes]))
        return "\n\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [
            f"<h4>{escape(self.title)}</h4><p><code>{escape(self.formula)}</code></p>",
            _criteria_table(self.criteria).html(),
            "<h5>Scaled residuals</h5>" + _quantile_table(self.residual_quantiles).html(),
            "<h5>Random effects</h5>" + self.varcorr.table().html(),
            *(f"<p>{escape(line)}</p>" for line in self._data_lines()),
            "<h5>Fixed effects</h5>" + coefficient_table(self.coefficients).html(),
        ]
        if self.correlation is not None:
            parts.append("<h5>Correlation of fixed effects</h5>" + correlation_table(self.correlation).html())
        parts += [f"<p>{escape(line)}</p>" for line in (convergence_line(self.convergence), *self.notes)]
        return "<div>" + "\n".join(parts) + "</div>"

    def _data_lines(self) -> list[str]:
        return [f"Number of obs: {self.nobs}; groups: {self.group_line}", *self.data_notes]


def summarize(fitted: Fitted, correlation: bool | None = None) -> Summary:
    """
    Collect the summary of a fit.

    Parameters
    ----------
    fitted : Fitted
    correlation : bool, optional
        Whether to show the correlations of the coefficients; by default up to 12 coefficients.
    """
    if correlation not in (None, True, False):
        raise ArgumentError(f"correlation must be True, False or None, not {correlation!r}")
    p = fitted.rank
    shown = (2 <= p <= _MOST_CORRELATIONS) if correlation is None else bool(correlation) and p > 1
    notes = _notes(fitted)
    if correlation is None and p > _MOST_CORRELATIONS:
        notes.append(f"Correlations of {p} fixed effects not shown: summary(correlation=True), or vcov()")
    return Summary(
        title=f"Linear mixed model fit by {'REML' if fitted.reml else 'maximum likelihood'}",
        formula=fitted.design.formula.text,
        criteria=criteria_of(fitted),
        residual_quantiles=_quantiles(fitted),
        varcorr=var_corr(fitted),
        nobs=fitted.n_obs,
        ngrps=numbers_of_levels(fitted),
        group_line=group_line(fitted),
        data_notes=tuple(_data_notes(fitted)),
        coefficients=coefficients(fitted),
        correlation=fixed_effects.correlation(fitted, complete=False) if shown else None,
        convergence=fitted.convergence,
        notes=tuple(notes),
    )


def criteria_of(fitted: Fitted) -> dict[str, float]:
    """The criteria that a summary shows."""
    if fitted.reml:
        return {"REML criterion": fitted.estimates.objective}
    return {
        "AIC": criteria.aic(fitted),
        "BIC": criteria.bic(fitted),
        "logLik": float(criteria.log_likelihood(fitted)),
        "-2*log(L)": fitted.estimates.objective,
        "df.resid": fitted.n_obs - fitted.n_parameters,
    }


def coefficients(fitted: Fitted) -> pd.DataFrame:
    """Estimate, standard error and t value by coefficient."""
    estimate, error = fixed_effects.fixed_effects(fitted), fixed_effects.standard_errors(fitted)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = estimate / error
    return pd.DataFrame({"Estimate": estimate, "Std. Error": error, "t value": t})


def coefficient_table(table: pd.DataFrame) -> TextTable:
    """The coefficients as they are printed."""
    return TextTable.from_columns(
        [
            ("", [str(name) for name in table.index]),
            ("Estimate", format_column(table["Estimate"], 5, most_decimals=6)),
            ("Std. Error", format_column(table["Std. Error"], 5, most_decimals=6)),
            ("t value", format_fixed(table["t value"], 3)),
        ]
    )


def correlation_table(matrix: pd.DataFrame) -> TextTable:
    """The lower triangle of a correlation matrix, without its diagonal."""
    names, values = [str(name) for name in matrix.index], matrix.to_numpy()
    columns: list[tuple[str, list[str]]] = [("", names[1:])]
    for j in range(len(names) - 1):
        cells = [f"{values[i, j]:.3f}" if i > j else "" for i in range(1, len(names))]
        columns.append((keep_end(one_line(names[j]), _LABEL_WIDTH), cells))
    return TextTable.from_columns(columns)


def convergence_line(convergence: Convergence) -> str:
    """How the optimisation ended, in one line."""
    gradient = np.abs(convergence.gradient).max(initial=0.0)
    if convergence.optimizer is None:
        return f"Not optimised: evaluated at the given theta; largest |gradient| {gradient:.2g}"
    verdict = "converged" if convergence.converged else f"NOT CONVERGED ({convergence.status})"
    counts = f"{convergence.n_evaluations} evaluations"
    if convergence.n_gradients:
        counts += f", {convergence.n_gradients} gradients"
    line = f"Optimizer {convergence.optimizer}: {verdict} after {counts}; largest |gradient| {gradient:.2g}"
    if not convergence.checked and convergence.optimizer != "trust_region":
        line += "; derivatives not checked"
    return line


def _criteria_table(values: dict[str, float]) -> TextTable:
    cells = [
        (name, [f"{value:g}" if name == "df.resid" else _criterion(value)]) for name, value in values.items()
    ]
    return TextTable.from_columns(cells, left=())


def _criteria_text(values: dict[str, float]) -> str:
    if len(values) > 1:
        return _criteria_table(values).text()
    return "".join(f" {name}: {_criterion(value)}" for name, value in values.items())


def _criterion(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1e9 else format_number(value, 10)


def _quantiles(fitted: Fitted) -> pd.Series:
    values = np.quantile(scaled_residuals(fitted), [0.0, 0.25, 0.5, 0.75, 1.0])
    return pd.Series(values, index=["Min", "1Q", "Median", "3Q", "Max"])


def _quantile_table(quantiles: pd.Series) -> TextTable:
    cells = [
        (str(name), [text]) for name, text in zip(quantiles.index, format_fixed(quantiles, 4), strict=True)
    ]
    return TextTable.from_columns(cells, left=())


def _data_notes(fitted: Fitted) -> list[str]:
    design, notes = fitted.design, []
    missing = design.missing
    if missing.n_dropped:
        columns = ", ".join(f"{one_line(name)} {count}" for name, count in missing.columns.items())
        rows = "1 row" if missing.n_dropped == 1 else f"{missing.n_dropped} rows"
        notes.append(f"{rows} of {missing.n_total} left out for {_reasons(missing.columns)} ({columns})")
    given = [("weights", design.weights), ("offset", design.offset)]
    used = [_argument_name(fitted, name) for name, values in given if values is not None]
    if used:
        notes.append(f"Fitted with {' and '.join(used)}")
    return notes


def _reasons(columns: dict[str, int]) -> str:
    reasons = ["missing values"] if any(name != ZERO_WEIGHT for name in columns) else []
    return " and ".join(reasons + ["zero weights"] * (ZERO_WEIGHT in columns))


def _argument_name(fitted: Fitted, name: str) -> str:
    value = getattr(fitted.arguments, name)
    return f"{name} {value}" if isinstance(value, str) else name


def _notes(fitted: Fitted) -> list[str]:
    notes = [
        f"Singular fit: {part}"
        for part in singular_terms(fitted.design, fitted.estimates.theta, fitted.term_roots)
    ]
    dropped = fixed_effects.dropped_columns(fitted)
    if dropped:
        shown = ", ".join(map(one_line, dropped[:10])) + (", ..." if len(dropped) > 10 else "")
        notes.append(f"Dropped columns of X (linearly dependent on the others): {shown}")
    for term in fitted.design.terms:
        k = len(term.names)
        if term.covariance == "diagonal" and k > 1:
            notes.append(
                f"{term.text}: all {k} effects are independent, {k} variance parameters "
                f"(a single bar has {k * (k + 1) // 2})"
            )
    if fitted.convergence.problem:
        notes.append(fitted.convergence.problem)
    return notes
