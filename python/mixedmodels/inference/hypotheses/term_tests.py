"""Tests of the terms of one model, of types I, II and III, and the choice between these and comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from ...checks import flag, one_of
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...render.anova_table import AnovaTable, anova_table
from ...wording import one_line
from ..basis.choice import DdfName, Vcov, basis_of, check_ddf, large_samples
from ..basis.degrees_of_freedom import DegreesOfFreedom, JointTest, by_method, notes_on_tests, standard_root
from ..basis.testable import refuse_held_coefficients
from ..likelihood.likelihood_ratio import likelihood_ratio_table
from ..terms.term_hypotheses import TermHypotheses, contained, marginal

AnovaType = Literal[1, 2, 3]
_TYPES: dict[Any, AnovaType] = {1: 1, 2: 2, 3: 3, "I": 1, "II": 2, "III": 3, "1": 1, "2": 2, "3": 3}
_ROMAN = {1: "I", 2: "II", 3: "III"}


def term_table(
    fitted: FittedModel,
    type: Any = 3,
    test: str | None = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> AnovaTable:
    """
    Test the terms of the fixed part.

    Parameters
    ----------
    fitted : FittedModel
    type : {3, 2, 1}
        Which hypothesis each term is tested for, see
        :mod:`~mixedmodels.inference.terms.term_hypotheses`.
    test : {"F", "Chisq"}, optional
        By default F tests for linear mixed models and χ² tests for generalized ones.
    ddf, vcov
        See :func:`~mixedmodels.inference.basis.choice.basis_of`.

    Returns
    -------
    AnovaTable
        Columns Sum Sq, Mean Sq, NumDF, DenDF, F value, Pr(>F), or Chisq, Df, Pr(>Chisq).
    """
    if isinstance(type, bool) or not isinstance(type, (int, str)) or type not in _TYPES:
        raise ArgumentError(f"anova: type must be 1, 2 or 3, not {type!r}")
    if _TYPES[type] != 3:
        refuse_held_coefficients(fitted, f"anova(type={type!r})", "take type=3, or anova(m1, m2)")
    kind = check_test(fitted, test)
    if kind == "F":
        return _f_table(fitted, _TYPES[type], basis_of(fitted, ddf, vcov))
    if ddf is not None and check_ddf(fitted, ddf) != "inf":
        raise ArgumentError(
            f"anova: a χ² test has no denominator degrees of freedom; ddf={ddf!r} needs test='F'"
        )
    basis = basis_of(fitted, "inf") if vcov is None else large_samples(basis_of(fitted, ddf, vcov))
    return _chisq_table(fitted, _TYPES[type], basis)


def check_test(fitted: FittedModel, test: Any) -> str:
    """The ``test`` argument: "F" or "Chisq", by default whichever suits the model."""
    linear = fitted.exact_likelihood
    if test is None:
        return "F" if linear else "Chisq"
    if one_of("test", test, ("F", "Chisq")) == "F" and not linear:
        raise ArgumentError(
            "test='F': tests of a generalized model rest on large samples and have no denominator degrees of "
            "freedom; take test='Chisq'"
        )
    return test


def f_columns(tests: Sequence[JointTest], sigma: float) -> dict[str, list[float]]:
    """The columns of a table of F tests, in the units of a residual variance."""
    return {
        "Sum Sq": [test.wald * test.df1 * sigma**2 for test in tests],
        "Mean Sq": [test.wald * sigma**2 for test in tests],
        "NumDF": [test.df1 for test in tests],
        "DenDF": [test.df2 for test in tests],
        "F value": [test.statistic for test in tests],
        "Pr(>F)": [test.p_value for test in tests],
    }


def _f_table(fitted: FittedModel, kind: AnovaType, basis: DegreesOfFreedom) -> AnovaTable:
    terms = TermHypotheses(fitted)
    hypotheses = {1: terms.type_1, 2: lambda: terms.type_2(contained), 3: terms.type_3}[kind]()
    heading = [
        by_method(f"Type {_ROMAN[kind]} tests of terms", basis),
        f"Model: {one_line(fitted.design.formula.text)}",
    ]
    tests = [basis.joint(rows) for rows in hypotheses]
    columns = f_columns(tests, fitted.estimates.sigma)
    notes = [*notes_on_tests(basis, tests), *_untested(terms.labels, columns["NumDF"]), *terms.notes]
    return anova_table(columns, terms.labels, heading, notes)


def _chisq_table(fitted: FittedModel, kind: AnovaType, basis: DegreesOfFreedom) -> AnovaTable:
    terms = TermHypotheses(fitted)
    root = None if kind == 3 else standard_root(basis.covariance)
    if kind == 3:
        tests = [basis.joint(rows) for rows in terms.type_3()]
    elif root is None:
        counts = map(len, terms.type_1() if kind == 1 else terms.type_2(marginal))
        tests = [JointTest(math.nan, math.nan, count, math.nan) for count in counts]
    else:
        hypotheses = terms.type_1(root) if kind == 1 else terms.type_2(marginal, root)
        tests = [basis.joint(rows) for rows in hypotheses]
    heading = [
        f"Type {_ROMAN[kind]} Wald χ² tests of terms (infinite denominator degrees of freedom)",
        f"Model: {one_line(fitted.design.formula.text)}",
    ]
    columns = {
        "Chisq": [test.wald * test.df1 for test in tests],
        "Df": [test.df1 for test in tests],
        "Pr(>Chisq)": [test.p_value for test in tests],
    }
    notes = [*notes_on_tests(basis, tests), *_untested(terms.labels, columns["Df"]), *terms.notes]
    return anova_table(columns, terms.labels, heading, notes)


def _untested(labels: list[str], df: list[float]) -> list[str]:
    empty = [one_line(label) for label, count in zip(labels, df, strict=True) if not count]
    return [f"Not testable: {', '.join(empty)}"] if empty else []


def anova_of(
    models: Sequence[FittedModel],
    refit: bool | None = None,
    names: Any = None,
    type: Any = None,
    test: Any = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> AnovaTable:
    """Tests of the terms of one model, or a comparison of several, see :func:`mixedmodels.anova`."""
    if not models:
        raise ArgumentError("anova() needs a model, or two or more to compare their likelihoods")
    if len(models) == 1:
        _refuse("one model", refit=refit, names=names)
        return term_table(models[0], 3 if type is None else type, test, ddf, vcov)
    _refuse("several models", type=type, test=test, ddf=ddf, vcov=vcov)
    return likelihood_ratio_table(models, names, True if refit is None else flag("refit", refit))


def _refuse(given: str, **arguments: Any) -> None:
    strange = [name for name, value in arguments.items() if value is not None]
    if strange:
        raise ArgumentError(f"anova() of {given} has no argument {strange[0]}=")
