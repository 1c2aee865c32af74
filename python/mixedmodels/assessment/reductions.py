"""The next simpler random effects of a model, as formulas that can be fitted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..covariance import without_correlations
from ..design.matrix import INTERCEPT, MatrixPlan, label_of
from ..errors import MixedModelError, NoDataError
from ..fit.state import FittedModel
from ..fit.update import updated
from ..formula.nodes import write
from ..inference.basis.testable import have_optimum
from ..notices import silent

# Objectives that differ by less are those of the same model.
_SAME = 1e-4
_ROUNDING = 1e-12


class Reduction(NamedTuple):
    """
    A change of the random effects.

    Attributes
    ----------
    term : str
        The term that it makes smaller.
    change : str
        As `update` takes it.
    what : str
        In words.
    """

    term: str
    change: str
    what: str


class Reduced(NamedTuple):
    """
    A fit with smaller random effects.

    Attributes
    ----------
    reduction : Reduction
    fitted : FittedModel
    ratio : float
        Likelihood ratio statistic.
    df : int
    p_value : float
        By the chi-squared distribution, which makes it too large where a variance is tested.
    """

    reduction: Reduction
    fitted: FittedModel
    ratio: float
    df: int
    p_value: float


def reductions(fitted: FittedModel, terms: set[str] | None = None) -> Iterator[Reduction]:
    """
    Each way to take away the least: the correlations of a term, one of its effects, or a term of one effect.

    Effects are left out before those that are marginal to them, the intercept last.
    """
    design = fitted.design
    texts = [term.text for term in design.terms]
    # Parts of the formula that repeat effects of a term, which has taken them in.
    repeated = [part.text for part in design.recipe.formula.random if part.text not in texts]
    without = ". ~ . - " + "".join(f"{text} - " for text in repeated)
    for t, term in enumerate(design.terms):
        if terms is not None and term.text not in terms:
            continue
        drop, bar = without + term.text, term.text[term.text.index("(") :]
        if texts.count(term.text) > 1:
            if t == texts.index(term.text):
                yield Reduction(term.text, f"{drop} + {term.text}", f"{term.text} only once")
            continue
        alone = len(design.terms) == 1
        if term.structure.correlated:
            simpler = without_correlations(term.structure) if not term.blocks else "diag"
            if term.blocks:
                yield Reduction(term.text, f"{drop} + {_with_double_bar(bar)}", "no correlations")
            elif simpler is not None:
                yield Reduction(term.text, f"{drop} + {simpler}{bar}", "no correlations")
            common = f"(1 | {bar[1:-1].rpartition('|')[2].strip()})"
            if not term.blocks and common not in texts and _spans_constant(term.z):
                # Where all correlations are one and the standard deviations alike.
                yield Reduction(term.text, f"{drop} + {common}", f"{common} for all effects")
        if term.blocks:
            plan = design.recipe.random[t][0]
            labels = [_written(label, plan) for label, part in plan.terms if part.stop > part.start]
            if len(labels) > 1:
                yield from _without_effects(term.text, drop, labels)
                continue
        if not alone:
            yield Reduction(term.text, drop, f"without {term.text}")


def _spans_constant(z: NDArray[np.float64]) -> bool:
    """Whether the effects of a level, if they are the same ones, are those of an intercept."""
    return bool((z == 1.0).all(axis=0).any() or np.allclose(z.sum(axis=1), 1.0))


def _without_effects(text: str, drop: str, labels: list[str]) -> Iterator[Reduction]:
    structure, _, inner = text[:-1].partition("(")
    line = "||" if "||" in inner else "|"
    group = inner.rpartition(line)[2].strip()
    for label in labels:
        if label == INTERCEPT or any(_inside(label, other) for other in labels):
            continue
        rest = [name for name in labels if name not in (label, INTERCEPT)]
        first = "1" if INTERCEPT in labels or not rest else "0"
        left = " + ".join([first, *rest])
        term = f"(1 | {group})" if left == "1" else f"{structure}({left} {line} {group})"
        yield Reduction(text, f"{drop} + {term}", f"without {label} in {text}")


def _written(label: str, plan: MatrixPlan) -> str:
    """A term by its label as formulas write it, with names in backticks where they need them."""
    texts = {label_of(node): write(node) for node in plan.nodes}
    return texts.get(label) or ":".join([texts.get(part, part) for part in label.split(":")])


def _with_double_bar(bar: str) -> str:
    left, _, right = bar.rpartition("|")
    return f"{left.rstrip('| ')} || {right.strip()}"


def _inside(label: str, other: str) -> bool:
    return set(label.split(":")) < set(other.split(":"))


def reduced_fits(fitted: FittedModel, terms: set[str] | None = None) -> list[Reduced]:
    """The fits of all reductions that can be fitted and compared; none without a finite optimum."""
    from scipy.special import chdtrc

    if not have_optimum(fitted):
        return []
    found = []
    for reduction in reductions(fitted, terms):
        try:
            with silent():
                fit = updated(fitted, {"formula": reduction.change})
        except NoDataError:
            raise
        except MixedModelError:
            continue
        df = fitted.n_parameters - fit.n_parameters
        ratio = fit.estimates.objective - fitted.estimates.objective
        # What rounding leaves of the objective is no difference.
        ratio = ratio if ratio > _ROUNDING * max(1.0, abs(fitted.estimates.objective)) else 0.0
        fewer = len(fit.estimates.theta) < len(fitted.estimates.theta)
        # The same model with fewer parameters: the data do not determine the others.
        same = df == 0 and fewer and ratio < _SAME
        if (df <= 0 and not same) or fit.n_obs != fitted.n_obs or not have_optimum(fit):
            continue
        found.append(Reduced(reduction, fit, ratio, df, 1.0 if same else float(chdtrc(df, ratio))))
    return found


def best(fits: list[Reduced]) -> Reduced | None:
    """The fit that the data speak against least; of fits that they do not distinguish the simplest."""
    if not fits:
        return None
    return max(fits, key=lambda part: (np.round(part.p_value, 6), part.df))
