"""The cells of a table of models: coefficients, variance parameters, and facts about the fit."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ..checks import flag, probability, some_of
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..inference.basis.degrees_of_freedom import DegreesOfFreedom
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
from ..render.style import Style
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

    def changed(self, style: Style) -> CellStyle:
        """This style with the digits and p-values of another one, where that has any."""
        return dataclasses.replace(
            self, digits=style.digits or self.digits, p_style=style.p_style or self.p_style
        )

    def legend(self, what: str) -> str:
        """Legend of the coefficients; `what` says what they are."""
        meanings = {
            "std.error": "standard errors in parentheses",
            "conf.int": f"{100 * self.level:.4g} % confidence limits in brackets",
            "p.value": "p-values" if len(self.show) > 1 else "p-values in parentheses",
        }
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


class Cell(Protocol):
    """A cell of the table, as a value."""

    def text(self, style: CellStyle) -> str:
        """The printed cell."""
        ...


@dataclass(frozen=True)
class Coefficient:
    """A coefficient with its uncertainty."""

    estimate: float
    error: float
    limits: tuple[float, float]
    p: float

    def text(self, style: CellStyle) -> str:
        """The estimate, marked by stars, and what is shown beside it."""
        low, high = map(style.number, self.limits)
        several = len(style.show) > 1
        parts = {
            "std.error": f"({style.number(self.error)})",
            "conf.int": f"[{low}, {high}]",
            "p.value": p_statement(self.p, style.p_style)
            if several
            else f"({format_p_value(self.p, style.p_style)})",
        }
        mark = next((mark for mark, bound in style.stars if self.p < bound), "")
        return " ".join([style.number(self.estimate) + mark, *(parts[part] for part in style.show)])


@dataclass(frozen=True)
class Number:
    """A number without uncertainty; its decimals are its own or come from the style."""

    value: float
    decimals: int | None = None
    held: bool = False

    def text(self, style: CellStyle) -> str:
        """The number, marked when it is held."""
        if self.decimals is not None:
            return format_decimals(self.value, self.decimals)
        return style.number(self.value) + (" (fixed)" if self.held else "")


@dataclass(frozen=True)
class Share:
    """A number between 0 and 1, with the decimals of the style."""

    value: float

    def text(self, style: CellStyle) -> str:
        """The number with fixed decimals."""
        return format_decimals(self.value, style.digits)


@dataclass(frozen=True)
class Words:
    """A text."""

    words: str

    def text(self, style: CellStyle) -> str:
        """The text."""
        return self.words


def estimates_name(models: Sequence[FittedModel], exponentiate: bool) -> str:
    """The name of what is shown: estimates or ratios."""
    if not exponentiate:
        return "Estimates"
    names = {ratio_name(model) for model in models}
    return names.pop().capitalize() if len(names) == 1 else "Exponentials of estimates"


def fixed_cells(fitted: FittedModel, basis: DegreesOfFreedom, style: CellStyle) -> dict[str, Cell]:
    """The estimated coefficients, and the ones held fixed, which have no test."""
    if style.exponentiate:
        ratio_name(fitted)
    rows = fixed_rows(fitted, style.level, basis, style.exponentiate)
    result: dict[str, Cell] = {}
    held = fitted.estimates.held.tolist()
    for j in fitted.estimates.kept.tolist():
        estimate, error, p, low, high = (
            float(rows[name][j]) for name in ("estimate", "std.error", "p.value", "conf.low", "conf.high")
        )
        whole = Number(estimate, held=True) if j in held else Coefficient(estimate, error, (low, high), p)
        result[rows["term"][j]] = whole
    return result


def random_cells(fitted: FittedModel) -> dict[str, Cell]:
    """Standard deviations, correlations, and the family's own parameter."""
    result: dict[str, Cell] = {}
    table = tidy_table(fitted, "ran_pars")
    own = own_parameter(fitted)
    for group, term, estimate in zip(table["group"], table["term"], table["estimate"], strict=True):
        kind, _, name = term.partition("__")
        if own is not None and term == own[0]:
            label = term.capitalize()
        else:
            label = "SD residual" if name == "Observation" else f"{kind.upper()} {name} | {group}"
        result[label] = Number(float(estimate))
    return result


def default_facts(models: Sequence[FittedModel]) -> tuple[str, ...]:
    """Family and link are shown if any model is generalized."""
    generalized = not all(model.exact_likelihood for model in models)
    return ("nobs", "groups", *(("family",) if generalized else ()), "logLik", "AIC", "BIC")


def check_facts(facts: Any) -> tuple[str, ...]:
    """The ``facts`` argument."""
    return some_of("facts", facts, FACTS)


def fact_cells(fitted: FittedModel, name: str) -> tuple[dict[str, Cell], str]:
    """The rows of one fact; for a model without it no rows and a note."""
    try:
        return _fact(fitted, name), ""
    except ArgumentError as error:
        return {}, f"no {name}: {error}"


def _fact(fitted: FittedModel, name: str) -> dict[str, Cell]:
    if name == "nobs":
        return {"Observations": Words(str(fitted.n_obs))}
    if name == "groups":
        return {f"Groups of {label}": Words(str(count)) for label, count in numbers_of_levels(fitted).items()}
    if name == "family":
        return {"Family": Words(family_text(fitted))}
    if name == "logLik":
        label = "Log-likelihood (REML)" if fitted.restricted else "Log-likelihood"
        return {label: Number(-fitted.estimates.objective / 2, 2)}
    if name == "R2":
        shares = r_squared(fitted)
        return {"R² marginal": Share(shares.marginal), "R² conditional": Share(shares.conditional)}
    if name == "ICC":
        return {"ICC": Share(intraclass_correlation(fitted).adjusted)}
    criterion = {"AIC": criteria.aic, "AICc": criteria.aicc, "BIC": criteria.bic}[name]
    return {name: Number(criterion(fitted), 2)}
