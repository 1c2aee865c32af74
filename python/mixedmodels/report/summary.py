"""The summary of a fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import optional_flag
from ..design.rows import ZERO_WEIGHT
from ..errors import MixedModelError
from ..fit.endpoint.singularity import singular_terms
from ..fit.fitted_generalized import FittedGeneralized
from ..fit.record import Convergence
from ..fit.state import FittedModel
from ..inference.basis.choice import DdfName, Vcov
from ..inference.basis.headings import by_method
from ..inference.estimates import criteria, fixed_effects
from ..inference.estimates.fixed_effects import standard_error_line
from ..inference.estimates.random_effects import numbers_of_levels
from ..inference.hypotheses.coefficient_tests import CoefficientTests, coefficient_tests
from ..render.markup import latex_text, markdown_lines, markdown_text
from ..render.numbers import (
    DIGITS,
    PStyle,
    check_digits,
    check_p_style,
    format_column,
    format_decimals,
    format_fixed,
    format_number,
    format_p_value,
)
from ..render.result_table import ResultTable
from ..render.text_table import TextTable
from ..wording import counted, keep_end, one_line
from .fit_notes import fit_notes
from .head import dispersion_line, head_lines
from .varcorr import VarCorr, group_line, var_corr

# From this many coefficients on their correlations are printed on request only.
_MOST_CORRELATIONS = 12
_LABEL_WIDTH = 11


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """
    The summary of a model: printable, with its numbers as attributes.

    Attributes
    ----------
    head : tuple of str
        Kind of model and method, in one line or more.
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
        they are too expensive to compute.
    tests : str
        Where the degrees of freedom come from; empty for generalized models.
    errors : str
        How the standard errors were computed; empty for linear models.
    correlation : DataFrame or None
        Of the coefficients; None when it is not printed.
    convergence : Convergence
    notes : tuple of str
        Singular fit, dropped columns, and the like.
    digits : int
        Significant digits of the smallest estimate when printed.
    p_style : {"exact", "apa"}
        How p-values are printed.
    held : tuple of str
        The coefficients that ``fixed=`` holds.
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
    digits: int = DIGITS
    p_style: PStyle = "exact"
    held: tuple[str, ...] = ()

    def __str__(self) -> str:
        quantiles = _quantile_table(self.residual_quantiles, self.digits)
        parts = [
            "\n".join([*self.head, f" Formula: {one_line(self.formula)}"]),
            _criteria_text(self.criteria, self.digits),
            f"Scaled residuals:\n{quantiles.text()}",
            "\n".join(
                [
                    "Random effects:",
                    self.varcorr.table(self.digits).text(),
                    *(f" {line}" for line in self._data_lines()),
                ]
            ),
        ]
        if len(self.coefficients):
            table = self._coefficient_table().text()
            parts.append("\n".join(["Fixed effects:", table, *self._error_lines()]))
        else:
            parts.append("Fixed effects: none")
        if self.correlation is not None:
            table = correlation_table(self.correlation, self.digits)
            parts.append(f"Correlation of fixed effects:\n{table.text()}")
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
            _criteria_table(self.criteria, self.digits).html(),
            "<h5>Scaled residuals</h5>" + _quantile_table(self.residual_quantiles, self.digits).html(),
            "<h5>Random effects</h5>" + self.varcorr.table(self.digits).html(),
            *(f"<p>{escape(line)}</p>" for line in self._data_lines()),
            "<h5>Fixed effects</h5>" + self._coefficient_table().html(),
            *(f"<p>{escape(line)}</p>" for line in self._error_lines()),
        ]
        if self.correlation is not None:
            table = correlation_table(self.correlation, self.digits)
            parts.append("<h5>Correlation of fixed effects</h5>" + table.html())
        parts += [f"<p>{escape(line)}</p>" for line in (convergence_line(self.convergence), *self.notes)]
        return "<div>" + "\n".join(parts) + "</div>"

    def to_latex(self) -> str:
        """Random and fixed effects as ``tabular`` environments with the rules of the booktabs package."""
        lines = [*self.head, f"Formula: {one_line(self.formula)}"]
        parts = [" \\\\\n".join(map(latex_text, lines))]
        parts.append(self.varcorr.table(self.digits).latex(self._data_lines()))
        parts.append(self._coefficient_table().latex([*self._error_lines(), *self.notes]))
        return "\n\n".join(parts)

    def to_markdown(self) -> str:
        """The tables of the summary in GitHub's flavour of Markdown."""
        parts = [
            markdown_lines([*self.head, f"Formula: {one_line(self.formula)}"]),
            _criteria_table(self.criteria, self.digits).markdown(),
            _markdown_part("Random effects", self.varcorr.table(self.digits), self._data_lines()),
            _markdown_part("Fixed effects", self._coefficient_table(), self._error_lines()),
        ]
        if self.correlation is not None:
            table = correlation_table(self.correlation, self.digits)
            parts.append(_markdown_part("Correlation of fixed effects", table, []))
        parts.append(markdown_lines([convergence_line(self.convergence), *self.notes]))
        return "\n\n".join(parts)

    def _coefficient_table(self) -> TextTable:
        table = self.coefficients
        marked = {name: f"{name} (fixed)" for name in self.held}
        return coefficient_table(table.rename(index=marked) if marked else table, self.digits, self.p_style)

    def _data_lines(self) -> list[str]:
        dispersion = [self.dispersion] if self.dispersion else []
        return [*dispersion, f"Number of obs: {self.nobs}; groups: {self.group_line}", *self.data_notes]

    def _error_lines(self) -> list[str]:
        return [f" {line}" for line in (self.tests, self.errors) if line]


def _markdown_part(heading: str, table: TextTable, lines: list[str]) -> str:
    parts = [f"**{markdown_text(heading)}**", table.markdown(), *([markdown_lines(lines)] if lines else [])]
    return "\n\n".join(parts)


def summarize(
    fitted: FittedModel,
    correlation: bool | None = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
    digits: int = DIGITS,
    p_style: PStyle = "exact",
) -> Summary:
    """
    Collect the summary of a fit.

    Parameters
    ----------
    fitted : FittedModel
    correlation : bool, optional
        Whether to show the correlations of the coefficients; by default up to 12 coefficients.
    ddf, vcov
        See :func:`~mixedmodels.inference.basis.choice.basis_of`.
    digits : int
        Significant digits of the smallest number in a column of estimates.
    p_style : {"exact", "apa"}
    """
    correlation = optional_flag("correlation", correlation)
    digits, p_style = check_digits(digits), check_p_style(p_style)
    p = fitted.rank
    shown = (2 <= p <= _MOST_CORRELATIONS) if correlation is None else bool(correlation) and p > 1
    notes = _notes(fitted)
    if correlation is None and p > _MOST_CORRELATIONS:
        notes.append(f"Correlations of {p} fixed effects not shown: summary(correlation=True), or vcov()")
    generalized = fitted if isinstance(fitted, FittedGeneralized) else None
    tests = _tests(fitted, ddf, vcov)
    notes += [note for note in tests.notes if note not in notes]
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
        dispersion="" if generalized is None else dispersion_line(generalized, digits),
        coefficients=ResultTable(tests.table),
        tests="" if generalized is not None or tests.basis is None else _tests_line(tests),
        errors="" if generalized is None else standard_error_line(generalized),
        correlation=fixed_effects.correlation(fitted, complete=False) if shown else None,
        convergence=fitted.convergence,
        notes=tuple(notes),
        digits=digits,
        p_style=p_style,
        held=tuple([fitted.design.x_names[j] for j in fitted.estimates.held]),
    )


def criteria_of(fitted: FittedModel) -> dict[str, float]:
    """The criteria that a summary shows."""
    if fitted.restricted:
        return {fitted.criterion: fitted.estimates.objective}
    return {
        "AIC": criteria.aic(fitted),
        "BIC": criteria.bic(fitted),
        "logLik": -fitted.estimates.objective / 2,
        fitted.criterion: fitted.estimates.objective,
        "df.resid": fitted.n_obs - fitted.n_parameters,
    }


def _tests(fitted: FittedModel, ddf: DdfName | None, vcov: Vcov | None) -> CoefficientTests:
    """The tests of the coefficients; without degrees of freedom where they fail and were not asked for."""
    try:
        if fitted.rank:
            return coefficient_tests(fitted, ddf, vcov)
        reason = ""
    except MixedModelError as error:
        if ddf is not None or vcov is not None:
            raise
        reason = f"No degrees of freedom: {error}"
    estimate, error = fixed_effects.fixed_effects(fitted), fixed_effects.standard_errors(fitted)
    with np.errstate(divide="ignore", invalid="ignore"):
        table = pd.DataFrame({"Estimate": estimate, "Std. Error": error, "t value": estimate / error})
    return CoefficientTests(table, None, (reason,) if reason else ())


def _tests_line(tests: CoefficientTests) -> str:
    assert tests.basis is not None
    return by_method(f"{'z' if 'z value' in tests.table else 't'} tests", tests.basis)


def coefficient_table(table: pd.DataFrame, digits: int = DIGITS, p_style: PStyle = "exact") -> TextTable:
    """The coefficients as they are printed."""
    columns = [("", [str(name) for name in table.index])]
    for name in table.columns:
        if name.startswith("Pr("):
            cells = [format_p_value(p, p_style, max(1, digits - 1)) for p in table[name]]
        elif name in ("Estimate", "Std. Error"):
            cells = format_column(table[name], digits, most_decimals=digits + 1)
        else:
            cells = format_fixed(table[name], max(1, digits - 3) if name == "df" else max(2, digits - 2))
        columns.append((name, cells))
    return TextTable.from_columns(columns)


def correlation_table(matrix: pd.DataFrame, digits: int = DIGITS) -> TextTable:
    """The lower triangle of a correlation matrix, without its diagonal."""
    names, values = [str(name) for name in matrix.index], matrix.to_numpy()
    columns: list[tuple[str, list[str]]] = [("", names[1:])]
    decimals = max(2, digits - 2)
    for j in range(len(names) - 1):
        cells = [format_decimals(values[i, j], decimals) if i > j else "" for i in range(1, len(names))]
        columns.append((keep_end(one_line(names[j]), _LABEL_WIDTH), cells))
    return TextTable.from_columns(columns)


def convergence_line(convergence: Convergence) -> str:
    """How the optimisation ended, in one line."""
    gradient = np.abs(convergence.gradient).max(initial=0.0)
    if convergence.optimizer is None:
        return f"Not optimised: evaluated at the given theta; largest |gradient| {gradient:.2g}"
    verdict = "converged" if convergence.converged else f"NOT CONVERGED ({convergence.status})"
    if convergence.unbounded:
        verdict = "NO FINITE OPTIMUM"
    counts = counted(convergence.n_evaluations, "evaluation")
    if convergence.n_gradients:
        counts += f", {counted(convergence.n_gradients, 'gradient')}"
    line = f"Optimizer {convergence.optimizer}: {verdict} after {counts}; largest |gradient| {gradient:.2g}"
    if not convergence.checked and convergence.optimizer != "trust_region":
        line += "; derivatives not checked"
    return line


def _criteria_table(values: dict[str, float], digits: int) -> TextTable:
    cells = [
        (name, [f"{value:.0f}" if name == "df.resid" else _criterion(value, digits)])
        for name, value in values.items()
    ]
    return TextTable.from_columns(cells, left=())


def _criteria_text(values: dict[str, float], digits: int) -> str:
    if len(values) > 1:
        return _criteria_table(values, digits).text()
    return "".join(f" {name}: {_criterion(value, digits)}" for name, value in values.items())


def _criterion(value: float, digits: int) -> str:
    return format_decimals(value, digits - 1) if abs(value) < 1e9 else format_number(value, 10)


def _quantiles(fitted: FittedModel) -> pd.Series:
    return pd.Series(fitted.derived(_residual_quantiles).copy(), index=["Min", "1Q", "Median", "3Q", "Max"])


def _residual_quantiles(fitted: FittedModel) -> NDArray[np.float64]:
    residuals = fitted.scaled_residuals()
    # Residuals of a fit that went astray may be infinite.
    with np.errstate(invalid="ignore"):
        return np.quantile(residuals, [0.0, 0.25, 0.5, 0.75, 1.0])


def _quantile_table(quantiles: pd.Series, digits: int) -> TextTable:
    texts = format_fixed(quantiles, digits - 1)
    cells = [(str(name), [text]) for name, text in zip(quantiles.index, texts, strict=True)]
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
    texts = fitted.held.texts
    notes = [f"Fixed, not estimated: {', '.join(map(one_line, texts))}"] if texts else []
    notes += [
        f"Singular fit: {part}"
        for part in singular_terms(
            fitted.design,
            fitted.estimates.theta,
            fitted.term_roots,
            scale=fitted.scale,
            known=fitted.known_singularities(),
        )
    ]
    dropped = fixed_effects.dropped_columns(fitted)
    if dropped:
        shown = ", ".join(map(one_line, dropped[:10])) + (", ..." if len(dropped) > 10 else "")
        notes.append(f"Dropped columns of X (linearly dependent on the others): {shown}")
    for term in fitted.design.terms:
        k = len(term.names)
        if k > 1 and len(term.blocks) == k and term.text.startswith("("):
            notes.append(
                f"{term.text}: all {k} effects are independent, {k} variance parameters "
                f"(a single bar has {k * (k + 1) // 2})"
            )
    notes += fit_notes(fitted)
    if fitted.convergence.problem:
        notes.append(fitted.convergence.problem)
    return notes
