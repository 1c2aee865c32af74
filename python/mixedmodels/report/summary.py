"""The summary of a fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.rows import ZERO_WEIGHT
from ..diagnostics.generalized_residuals import generalized_scaled_residuals
from ..diagnostics.residuals import scaled_residuals
from ..errors import ArgumentError, MixedModelError
from ..fitted_generalized import FittedGeneralized
from ..fitted_model import Convergence, Fitted, FittedModel
from ..formatting import (
    TextTable,
    format_column,
    format_fixed,
    format_number,
    format_p_value,
    keep_end,
    one_line,
)
from ..inference import criteria, fixed_effects
from ..inference.coefficient_tests import CoefficientTests, coefficient_tests
from ..inference.degrees_of_freedom import DegreesOfFreedom
from ..inference.random_effects import numbers_of_levels
from ..singularity import singular_terms
from .head import dispersion_line, head_lines, standard_error_line
from .varcorr import VarCorr, group_line, var_corr

# From this many coefficients on their correlations are printed on request only.
_MOST_CORRELATIONS = 12
_LABEL_WIDTH = 11


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """
    What `summary` of a model returns: printable, with its numbers as attributes.

    Attributes
    ----------
    head : tuple of str
        What was fitted and how, in one line or more.
    formula : str
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
    dispersion : str
        The family's own parameter in a line; empty for models without one.
    coefficients : DataFrame, shape (p, 5), (p, 4) or (p, 3)
        Columns Estimate, Std. Error, df, t value, Pr(>|t|), or z value and Pr(>|z|) for infinite degrees of
        freedom (always for generalized models); NaN for dropped columns. Without df and p-value where
        they are too dear to compute.
    tests : str
        Where the degrees of freedom come from; empty for generalized models.
    errors : str
        What the standard errors are; empty for linear models.
    correlation : DataFrame or None
        Of the coefficients; None when it is not printed.
    convergence : Convergence
    notes : tuple of str
        Singular fit, dropped columns, and the like.
    """

    head: tuple[str, ...]
    formula: str
    criteria: dict[str, float]
    residual_quantiles: pd.Series
    varcorr: VarCorr
    nobs: int
    ngrps: dict[str, int]
    group_line: str
    data_notes: tuple[str, ...]
    dispersion: str
    coefficients: pd.DataFrame
    tests: str
    errors: str
    correlation: pd.DataFrame | None
    convergence: Convergence
    notes: tuple[str, ...]

    def __str__(self) -> str:
        quantiles = _quantile_table(self.residual_quantiles)
        parts = [
            "\n".join([*self.head, f" Formula: {one_line(self.formula)}"]),
            _criteria_text(self.criteria),
            f"Scaled residuals:\n{quantiles.text()}",
            "\n".join(
                ["Random effects:", self.varcorr.table().text(), *(f" {x}" for x in self._data_lines())]
            ),
        ]
        if len(self.coefficients):
            table = coefficient_table(self.coefficients).text()
            parts.append("\n".join(["Fixed effects:", table, *self._error_lines()]))
        else:
            parts.append("Fixed effects: none")
        if self.correlation is not None:
            parts.append(f"Correlation of fixed effects:\n{correlation_table(self.correlation).text()}")
        parts.append("\n".join([convergence_line(self.convergence), *self.notes]))
        return "\n\n".join(parts)

    __repr__ = __str__

    @property
    def title(self) -> str:
        """The first line."""
        return self.head[0]

    def _repr_html_(self) -> str:
        parts = [
            f"<h4>{escape(self.title)}</h4>",
            *(f"<p>{escape(line)}</p>" for line in self.head[1:]),
            f"<p><code>{escape(self.formula)}</code></p>",
            _criteria_table(self.criteria).html(),
            "<h5>Scaled residuals</h5>" + _quantile_table(self.residual_quantiles).html(),
            "<h5>Random effects</h5>" + self.varcorr.table().html(),
            *(f"<p>{escape(line)}</p>" for line in self._data_lines()),
            "<h5>Fixed effects</h5>" + coefficient_table(self.coefficients).html(),
            *(f"<p>{escape(line)}</p>" for line in self._error_lines()),
        ]
        if self.correlation is not None:
            parts.append("<h5>Correlation of fixed effects</h5>" + correlation_table(self.correlation).html())
        parts += [f"<p>{escape(line)}</p>" for line in (convergence_line(self.convergence), *self.notes)]
        return "<div>" + "\n".join(parts) + "</div>"

    def _data_lines(self) -> list[str]:
        dispersion = [self.dispersion] if self.dispersion else []
        return [*dispersion, f"Number of obs: {self.nobs}; groups: {self.group_line}", *self.data_notes]

    def _error_lines(self) -> list[str]:
        return [f" {line}" for line in (self.tests, self.errors) if line]


def summarize(
    fitted: FittedModel, correlation: bool | None = None, ddf: str | DegreesOfFreedom | None = None
) -> Summary:
    """
    Collect the summary of a fit.

    Parameters
    ----------
    fitted : FittedModel
    correlation : bool, optional
        Whether to show the correlations of the coefficients; by default up to 12 coefficients.
    ddf : str or DegreesOfFreedom, optional
        See :func:`~mixedmodels.inference.degrees_of_freedom.degrees_of_freedom`.
    """
    if correlation not in (None, True, False):
        raise ArgumentError(f"correlation must be True, False or None, not {correlation!r}")
    p = fitted.rank
    shown = (2 <= p <= _MOST_CORRELATIONS) if correlation is None else bool(correlation) and p > 1
    notes = _notes(fitted)
    if correlation is None and p > _MOST_CORRELATIONS:
        notes.append(f"Correlations of {p} fixed effects not shown: summary(correlation=True), or vcov()")
    generalized = fitted if isinstance(fitted, FittedGeneralized) else None
    tests = _tests(fitted, ddf)
    notes += tests.notes
    return Summary(
        head=tuple(head_lines(fitted)),
        formula=fitted.design.formula.text,
        criteria=criteria_of(fitted),
        residual_quantiles=_quantiles(fitted),
        varcorr=var_corr(fitted),
        nobs=fitted.n_obs,
        ngrps=numbers_of_levels(fitted),
        group_line=group_line(fitted),
        data_notes=tuple(_data_notes(fitted)),
        dispersion="" if generalized is None else dispersion_line(generalized),
        coefficients=tests.table,
        tests="" if generalized is not None or not tests.method else _tests_line(tests),
        errors="" if generalized is None else standard_error_line(generalized),
        correlation=fixed_effects.correlation(fitted, complete=False) if shown else None,
        convergence=fitted.convergence,
        notes=tuple(notes),
    )


def criteria_of(fitted: FittedModel) -> dict[str, float]:
    """The criteria that a summary shows."""
    if isinstance(fitted, Fitted) and fitted.reml:
        return {fitted.criterion: fitted.estimates.objective}
    return {
        "AIC": criteria.aic(fitted),
        "BIC": criteria.bic(fitted),
        "logLik": -fitted.estimates.objective / 2,
        fitted.criterion: fitted.estimates.objective,
        "df.resid": fitted.n_obs - fitted.n_parameters,
    }


def _tests(fitted: FittedModel, ddf: str | DegreesOfFreedom | None) -> CoefficientTests:
    """The tests of the coefficients; without degrees of freedom where nobody asked and they cannot be had."""
    try:
        if fitted.rank:
            return coefficient_tests(fitted, ddf)
        reason = ""
    except MixedModelError as error:
        if ddf is not None:
            raise
        reason = f"No degrees of freedom: {error}"
    estimate, error = fixed_effects.fixed_effects(fitted), fixed_effects.standard_errors(fitted)
    with np.errstate(divide="ignore", invalid="ignore"):
        table = pd.DataFrame({"Estimate": estimate, "Std. Error": error, "t value": estimate / error})
    return CoefficientTests(table, "", (reason,) if reason else ())


def _tests_line(tests: CoefficientTests) -> str:
    return f"{'z' if 'z value' in tests.table else 't'} tests by {tests.method}"


def coefficient_table(table: pd.DataFrame) -> TextTable:
    """The coefficients as they are printed."""
    columns = [
        ("", [str(name) for name in table.index]),
        ("Estimate", format_column(table["Estimate"], 5, most_decimals=6)),
        ("Std. Error", format_column(table["Std. Error"], 5, most_decimals=6)),
    ]
    for name in table.columns[2:]:
        if name.startswith("Pr("):
            columns.append((name, [format_p_value(p) for p in table[name]]))
        else:
            columns.append((name, format_fixed(table[name], 2 if name == "df" else 3)))
    return TextTable.from_columns(columns)


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


def _quantiles(fitted: FittedModel) -> pd.Series:
    return pd.Series(fitted.derived(_residual_quantiles).copy(), index=["Min", "1Q", "Median", "3Q", "Max"])


def _residual_quantiles(fitted: FittedModel) -> NDArray[np.float64]:
    if isinstance(fitted, Fitted):
        residuals = scaled_residuals(fitted)
    else:
        assert isinstance(fitted, FittedGeneralized)
        residuals = generalized_scaled_residuals(fitted)
    # Residuals of a fit that went astray may be infinite.
    with np.errstate(invalid="ignore"):
        return np.quantile(residuals, [0.0, 0.25, 0.5, 0.75, 1.0])


def _quantile_table(quantiles: pd.Series) -> TextTable:
    cells = [
        (str(name), [text]) for name, text in zip(quantiles.index, format_fixed(quantiles, 4), strict=True)
    ]
    return TextTable.from_columns(cells, left=())


def _data_notes(fitted: FittedModel) -> list[str]:
    design, notes = fitted.design, []
    missing = design.missing
    if missing.n_dropped:
        columns = ", ".join(f"{one_line(name)} {count}" for name, count in missing.columns.items())
        rows = "1 row" if missing.n_dropped == 1 else f"{missing.n_dropped} rows"
        notes.append(f"{rows} of {missing.n_total} left out for {_reasons(missing.columns)} ({columns})")
    given = [("weights", fitted.arguments.weights), ("offset", design.offset)]
    used = [_argument_name(fitted, name) for name, values in given if values is not None]
    if used:
        notes.append(f"Fitted with {' and '.join(used)}")
    return notes


def _reasons(columns: dict[str, int]) -> str:
    reasons = ["missing values"] if any(name != ZERO_WEIGHT for name in columns) else []
    return " and ".join(reasons + ["zero weights"] * (ZERO_WEIGHT in columns))


def _argument_name(fitted: FittedModel, name: str) -> str:
    value = getattr(fitted.arguments, name)
    return f"{name} {value}" if isinstance(value, str) else name


def _notes(fitted: FittedModel) -> list[str]:
    notes = [
        f"Singular fit: {part}"
        for part in singular_terms(
            fitted.design, fitted.estimates.theta, fitted.term_roots, scale=fitted.scale
        )
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
