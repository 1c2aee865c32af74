"""The argument `test`: what is tested in each simulation."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..design import Response, r_names
from ..design.matrix import INTERCEPT
from ..errors import ArgumentError, MixedModelError
from ..fit.changes import by_ml, refitted
from ..fit.refits import UNBOUNDED, Refits, refit_responses
from ..fit.state import FittedModel
from ..fit.update import updated
from ..formula import NoRandomEffectsError
from ..inference.basis.choice import DdfName, basis_of, check_ddf
from ..inference.hypotheses.coefficient_tests import test_ratios, two_sided_t
from ..inference.hypotheses.linear_hypothesis import read_hypotheses
from ..inference.likelihood.likelihood_ratio import check_same_approximation, check_same_data
from ..inference.likelihood.nesting import refuse_not_nested
from ..inference.terms.term_hypotheses import TermHypotheses
from ..notices import silent
from ..wording import listed

Values = NDArray[np.float64]
_LABELS = ["the model", "the smaller model"]


class Outcome(NamedTuple):
    """
    The test of one simulation; NaN for what there is not.

    Attributes
    ----------
    p_value : float
    statistic : float
    estimate : float
        Of the function of the coefficients that is tested, where it is a single one.
    """

    p_value: float = math.nan
    statistic: float = math.nan
    estimate: float = math.nan


class NoTestError(MixedModelError):
    """There is no test of one simulation."""


@dataclass(frozen=True, eq=False)
class Test(ABC):
    """
    A test that is made in each simulation.

    Attributes
    ----------
    label : str
    fitted : FittedModel
        The model that is fitted to each response.
    """

    # For pytest, which collects classes of this name.
    __test__ = False

    label: str
    fitted: FittedModel

    @property
    def parallel(self) -> bool:
        """Whether several simulations may be tested at once."""
        return not self.fitted.family.sequential

    def prepared(self, responses: Values) -> Any:
        """What the tests of a block of responses share."""
        return None

    @abstractmethod
    def outcome(self, j: int, refits: Refits, prepared: Any, state: Callable[[], FittedModel]) -> Outcome:
        """
        The test of response j.

        Parameters
        ----------
        j : int
        refits : Refits
            Of `fitted`.
        prepared : object
        state : callable
            Makes the fit to the response.
        """

    def effect(self, beta: Values) -> float:
        """The value of what is tested at these coefficients, shape (p,); NaN unless it is a single one."""
        return math.nan


@dataclass(frozen=True, eq=False)
class LinearTest(Test):
    """
    The test of linear functions of the coefficients, Lβ = rhs.

    Attributes
    ----------
    rows : ndarray, shape (m, rank)
    rhs : ndarray, shape (m,)
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}
    joint : bool
        Whether the rows are a hypothesis as a whole, whose scale means nothing.
    """

    rows: Values
    rhs: Values
    ddf: DdfName
    joint: bool

    def outcome(self, j: int, refits: Refits, prepared: Any, state: Callable[[], FittedModel]) -> Outcome:
        basis = basis_of(state(), self.ddf)
        if self.joint:
            test = basis.joint(self.rows, self.rhs)
            return Outcome(test.p_value, test.statistic)
        estimate = self.rows @ basis.beta
        ratio = test_ratios(basis, estimate - self.rhs, basis.standard_errors(self.rows))
        p_value = two_sided_t(ratio, basis.df(self.rows))
        return Outcome(float(p_value[0]), float(ratio[0]), float(estimate[0]))

    def effect(self, beta: Values) -> float:
        if self.joint:
            return math.nan
        return float(self.rows[0] @ beta[self.fitted.estimates.kept])


@dataclass(frozen=True, eq=False)
class Comparison(Test):
    """
    The likelihood-ratio test against a smaller model, both by maximum likelihood.

    Attributes
    ----------
    smaller : FittedModel
    df : int
    """

    smaller: FittedModel
    df: int

    def prepared(self, responses: Values) -> Any:
        return refit_responses(self.smaller, responses)

    def outcome(self, j: int, refits: Refits, prepared: Any, state: Callable[[], FittedModel]) -> Outcome:
        from scipy.special import chdtrc

        ratio = float(prepared.objective[j] - refits.objective[j])
        if not math.isfinite(ratio) or UNBOUNDED in (refits.status[j], prepared.status[j]):
            return Outcome()
        return Outcome(float(chdtrc(self.df, max(ratio, 0.0))), max(ratio, 0.0))


@dataclass(frozen=True, eq=False)
class Called(Test):
    """
    The caller's own test.

    Attributes
    ----------
    function : callable
        Of a fitted model; gives the p-value.
    wrap : callable
        Makes the public model from a state.
    """

    function: Callable[[Any], Any]
    wrap: Callable[[FittedModel], Any]

    @property
    def parallel(self) -> bool:
        return False

    def outcome(self, j: int, refits: Refits, prepared: Any, state: Callable[[], FittedModel]) -> Outcome:
        try:
            value = self.function(self.wrap(state()))
        except Exception as error:  # The user's function: what it says of one simulation ends no other.
            raise NoTestError(f"{self.label}: {type(error).__name__}: {error}") from error
        try:
            if value is None:
                raise TypeError
            p_value = float(np.asarray(value, dtype=np.float64).item())
        except (TypeError, ValueError):
            raise ArgumentError(
                f"test: the function must return a p-value, a single number, not {type(value).__name__}"
            ) from None
        if not math.isnan(p_value) and not 0.0 <= p_value <= 1.0:
            raise ArgumentError(f"test: the function must return a p-value between 0 and 1, not {p_value:g}")
        return Outcome(p_value)


def read_test(
    fitted: FittedModel, test: Any, ddf: DdfName | None, wrap: Callable[[FittedModel], Any]
) -> Test:
    """
    The test that the argument `test` describes.

    Parameters
    ----------
    fitted : FittedModel
    test : str, mapping, array-like, callable or None
        See :func:`mixedmodels.power`.
    ddf : str, optional
    wrap : callable
        Makes the public model from a state.

    Raises
    ------
    ArgumentError
        When it names nothing that can be tested.
    """
    if callable(test):
        _refuse_ddf(ddf, "a function")
        return Called(getattr(test, "__name__", "test"), fitted, test, wrap)
    if isinstance(test, str) and "~" in test:
        _refuse_ddf(ddf, "a comparison of models")
        return _comparison(fitted, test)
    method = check_ddf(fitted, ddf)
    if test is None:
        test = _only_coefficient(fitted)
    if isinstance(test, tuple) and len(test) == 2 and test[0] == "term":
        return _term(fitted, test[1], method)
    if isinstance(test, str):
        names = fitted.design.x_names
        known = r_names(fitted.design.recipe)
        if test in names or test in known:
            # A name may look like an expression.
            test = {known.get(test, test) if test not in names else test: 1.0}
        elif test in TermHypotheses(fitted).labels:
            return _term(fitted, test, method)
    try:
        found = read_hypotheses(fitted, test)
    except ArgumentError as error:
        if not isinstance(test, str):
            raise
        terms = TermHypotheses(fitted).labels
        raise ArgumentError(
            f"test={test!r} is not a coefficient ({listed(list(fitted.design.x_names), most=20)}), a term "
            f"({listed(terms, most=20)}), a hypothesis such as 'a - b = 0', or the formula of a smaller "
            f"model. As a hypothesis: {error}"
        ) from None
    if not found.estimable.all():
        raise ArgumentError("test: the data do not determine what is to be tested")
    free = np.isin(fitted.estimates.kept, fitted.estimates.free)
    for label, row in zip(found.labels, found.rows, strict=True):
        if not row[free].any():
            raise ArgumentError(
                f"test: {label} is about fixed coefficients only, which have no error; fit without fixed="
            )
    return LinearTest("; ".join(found.labels), fitted, found.rows, found.rhs, method, len(found.rows) > 1)


def _refuse_ddf(ddf: Any, what: str) -> None:
    if ddf is not None:
        raise ArgumentError(f"ddf={ddf!r}: {what} as test has no degrees of freedom to choose")


def _only_coefficient(fitted: FittedModel) -> str:
    names = [name for name in fitted.design.x_names if name != INTERCEPT]
    if len(names) == 1:
        return names[0]
    terms = TermHypotheses(fitted).labels
    raise ArgumentError(
        f"say what to test by test=: a coefficient ({listed(names, most=20)}), a term "
        f"({listed(terms, most=20)}), a hypothesis, the formula of a smaller model, or a function"
    )


def _term(fitted: FittedModel, label: Any, ddf: DdfName) -> LinearTest:
    terms = TermHypotheses(fitted)
    label = terms.named(label)
    if label not in terms.labels:
        raise ArgumentError(
            f"test: there is no term {label!r}; the terms are {listed(terms.labels, most=20)}"
        )
    rows = terms.type_3()[terms.labels.index(label)]
    if not len(rows):
        raise ArgumentError(f"test: the data do not determine the term {label!r}")
    return LinearTest(f"{label} (type III)", fitted, rows, np.zeros(len(rows)), ddf, joint=True)


def _comparison(fitted: FittedModel, formula: str) -> Comparison:
    """The comparison with the model of a formula, whose response is that of the fit."""
    full = by_ml(fitted)
    right = formula.rpartition("~")[2]
    try:
        with silent():
            # Its fit to the data that there are, if any, is of no interest.
            smaller = by_ml(updated(full, {"formula": f". ~ {right}"}))
    except NoRandomEffectsError:
        exact = full.exact_likelihood and len(full.design.terms) == 1
        advice = " For the only variance use test=lambda m: m.exact_rlrt().iloc[0, -1]" if exact else ""
        raise ArgumentError(
            f"test={formula!r}: the smaller model has no random effects, and likelihood ratios are of mixed "
            f"models.{advice}"
        ) from None
    design = full.design
    if design.new_response and smaller.n_obs == full.n_obs:
        smaller = refitted(smaller, response=Response(design.y, design.weights, design.form), quiet=True)
    check_same_data([full, smaller], _LABELS)
    if not full.exact_likelihood:
        check_same_approximation([full, smaller], _LABELS)
    refuse_not_nested(smaller, full, "test")
    df = full.n_parameters - smaller.n_parameters
    if df <= 0:
        raise ArgumentError(
            f"test: {smaller.design.formula.text!r} has no fewer parameters than the model of the simulations"
        )
    text = smaller.design.formula.text
    return Comparison(f"likelihood ratio against {text[text.index('~') :]}", full, smaller, df)
