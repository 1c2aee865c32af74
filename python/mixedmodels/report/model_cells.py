"""The cells of a table of models: coefficients, variance parameters, and facts about the fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..checks import flag, probability, some_of
from ..errors import ArgumentError
from ..fit.fitted_generalized import FittedGeneralized
from ..fit.fitted_linear import FittedLinear
from ..fit.state import FittedModel
from ..inference.basis.kinds import DegreesOfFreedom
from ..inference.effect_sizes.variance_shares import intraclass_correlation, r_squared
from ..inference.estimates import criteria
from ..inference.estimates.random_effects import numbers_of_levels
from ..inference.likelihood.model_differences import family_text
from ..render.numbers import (
    PStyle,
    check_digits,
    check_p_style,
    format_decimals,
    format_number,
    format_p_value,
    p_statement,
)
from .tidy import fixed_rows, own_parameter, ratio_name, tidy_table

Show = Literal["std.error", "conf.int", "p.value"]
SHOWN: tuple[Show, ...] = ("std.error", "conf.int", "p.value")
FACTS = ("nobs", "groups", "family", "logLik", "AIC", "AICc", "BIC", "R2", "ICC")
STARS = {"***": 0.001, "**": 0.01, "*": 0.05}


@dataclass(frozen=True)
class CellStyle:
    """
    Content and format of the cells.

    Attributes
    ----------
    show : tuple of str
        Shown beside an estimate.
    stars : tuple of (str, float)
        Marks and the p-values below which they are set, the smallest first.
    level : float
        Of confidence limits.
    exponentiate : bool
        Whether coefficients, their errors and limits are exponentials.
    digits : int
        Decimals, or significant digits of very small and large numbers.
    p_style : {"exact", "apa"}
    """

    show: tuple[Show, ...]
    stars: tuple[tuple[str, float], ...]
    level: float
    exponentiate: bool
    digits: int
    p_style: PStyle

    @classmethod
    def of(
        cls,
        show: Any = "std.error",
        stars: Any = False,
        level: float = 0.95,
        exponentiate: bool = False,
        digits: int = 3,
        p_style: PStyle = "exact",
    ) -> CellStyle:
        """From the arguments of :func:`mixedmodels.model_table`."""
        return cls(
            show=some_of("show", show, SHOWN),
            stars=_marks(stars),
            level=probability("level", level),
            exponentiate=flag("exponentiate", exponentiate),
            digits=check_digits(digits),
            p_style=check_p_style(p_style),
        )

    @property
    def tests(self) -> bool:
        """Whether degrees of freedom matter to what is shown."""
        return bool(self.stars) or "conf.int" in self.show or "p.value" in self.show

    def number(self, value: float) -> str:
        """With fixed decimals; small and large numbers with significant digits."""
        if math.isnan(value) or (value != 0 and not 10.0**-self.digits <= abs(value) < 1e6):
            return format_number(value, self.digits).strip()
        return format_decimals(value, self.digits)

    def coefficient(self, estimate: float, error: float, limits: tuple[float, float], p: float) -> str:
        """The cell of a coefficient."""
        parts = {
            "std.error": f"({self.number(error)})",
            "conf.int": f"[{self.number(limits[0])}, {self.number(limits[1])}]",
            "p.value": p_statement(p, self.p_style)
            if len(self.show) > 1
            else f"({format_p_value(p, self.p_style)})",
        }
        mark = next((mark for mark, bound in self.stars if p < bound), "")
        return " ".join([self.number(estimate) + mark, *(parts[part] for part in self.show)])

    def legend(self, models: Sequence[FittedModel]) -> str:
        """Legend of the coefficients."""
        meanings = {
            "std.error": "standard errors in parentheses",
            "conf.int": f"{100 * self.level:.4g} % confidence limits in brackets",
            "p.value": "p-values" if len(self.show) > 1 else "p-values in parentheses",
        }
        what = "Estimates"
        if self.exponentiate:
            names = {ratio_name(model) for model in models}
            what = names.pop().capitalize() if len(names) == 1 else "Exponentials of estimates"
        parts = [meanings[part] for part in self.show]
        beside = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + "".join(parts[-1:])
        text = f"{what} with {beside}" if parts else what
        if not self.stars:
            return text
        bounds = [f"{bound:g}".removeprefix("0" if self.p_style == "apa" else "") for _, bound in self.stars]
        marks = [f"{mark} p < {bound}" for (mark, _), bound in zip(self.stars, bounds, strict=True)]
        return f"{text}; {', '.join(marks)}"


def _marks(stars: Any) -> tuple[tuple[str, float], ...]:
    if stars is False or stars is None:
        return ()
    marks = STARS if stars is True else stars
    if not isinstance(marks, Mapping) or not all(
        isinstance(mark, str) and isinstance(bound, (int, float)) and 0 < bound < 1
        for mark, bound in marks.items()
    ):
        raise ArgumentError(
            f"stars must be True, False or a mapping of marks to p-values, such as {STARS!r}, not {stars!r}"
        )
    return tuple(sorted(((mark, float(bound)) for mark, bound in marks.items()), key=lambda pair: pair[1]))


def fixed_cells(fitted: FittedModel, basis: DegreesOfFreedom, style: CellStyle) -> dict[str, str]:
    """The coefficients that are kept; those that are held without what tests need."""
    if style.exponentiate:
        ratio_name(fitted)
    rows = fixed_rows(fitted, style.level, basis, style.exponentiate)
    result = {}
    held = fitted.estimates.held.tolist()
    for j in fitted.estimates.kept.tolist():
        if j in held:
            result[rows["term"][j]] = f"{style.number(float(rows['estimate'][j]))} (fixed)"
            continue
        estimate, error, p = (float(rows[name][j]) for name in ("estimate", "std.error", "p.value"))
        limits = (float(rows["conf.low"][j]), float(rows["conf.high"][j]))
        result[rows["term"][j]] = style.coefficient(estimate, error, limits, p)
    return result


def random_cells(fitted: FittedModel, style: CellStyle) -> dict[str, str]:
    """Standard deviations, correlations, and the family's own parameter."""
    result = {}
    table = tidy_table(fitted, "ran_pars")
    own = own_parameter(fitted)
    for group, term, estimate in zip(table["group"], table["term"], table["estimate"], strict=True):
        kind, _, name = term.partition("__")
        if own is not None and term == own[0]:
            label = term.capitalize()
        else:
            label = "SD residual" if name == "Observation" else f"{kind.upper()} {name} | {group}"
        result[label] = style.number(estimate)
    return result


def default_facts(models: Sequence[FittedModel]) -> tuple[str, ...]:
    """Family and link are shown if some model is a generalized one."""
    generalized = any(isinstance(model, FittedGeneralized) for model in models)
    return ("nobs", "groups", *(("family",) if generalized else ()), "logLik", "AIC", "BIC")


def check_facts(facts: Any) -> tuple[str, ...]:
    """The ``facts`` argument."""
    return some_of("facts", facts, FACTS)


def fact_cells(fitted: FittedModel, name: str, style: CellStyle) -> tuple[dict[str, str], str]:
    """The rows of one fact, or none and a note for a model that does not have it."""
    try:
        return _fact(fitted, name, style), ""
    except ArgumentError as error:
        return {}, f"no {name}: {error}"


def _fact(fitted: FittedModel, name: str, style: CellStyle) -> dict[str, str]:
    if name == "nobs":
        return {"Observations": str(fitted.n_obs)}
    if name == "groups":
        return {f"Groups of {label}": str(count) for label, count in numbers_of_levels(fitted).items()}
    if name == "family":
        return {"Family": family_text(fitted)}
    if name == "logLik":
        restricted = isinstance(fitted, FittedLinear) and fitted.reml
        label = "Log-likelihood (REML)" if restricted else "Log-likelihood"
        return {label: format_decimals(-fitted.estimates.objective / 2, 2)}
    if name == "R2":
        shares = r_squared(fitted)
        return {
            "R² marginal": format_decimals(shares.marginal, style.digits),
            "R² conditional": format_decimals(shares.conditional, style.digits),
        }
    if name == "ICC":
        return {"ICC": format_decimals(intraclass_correlation(fitted).adjusted, style.digits)}
    criterion = {"AIC": criteria.aic, "AICc": criteria.aicc, "BIC": criteria.bic}[name]
    return {name: format_decimals(criterion(fitted), 2)}
