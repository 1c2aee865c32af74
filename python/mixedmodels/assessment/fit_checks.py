"""Checks of the fit: convergence, singularity, separation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..checks import positive_number
from ..design.theta import factors
from ..diagnostics.check import Check, not_applicable
from ..errors import MixedModelError
from ..fit.endpoint.certificate import TOLERANCE
from ..fit.endpoint.separation import separation_of
from ..fit.endpoint.singularity import TOLERANCE as SINGULAR, singular_terms
from ..fit.state import FittedModel
from ..inference.estimates.convergence import check_convergence as certified
from ..render.numbers import p_statement
from .reductions import best, reduced_fits
from .undetermined import undetermined_variances

_ROUNDING = 1e-12


def check_convergence(fitted: FittedModel, tol: float = TOLERANCE) -> Check:
    """How far the objective would still fall, see :func:`mixedmodels.check_convergence`."""
    found = certified(fitted, tol)
    if found.ok:
        text = f"converged: the objective would still fall by {found.predicted_fall:.2g}"
        advice = ""
    else:
        text = "; ".join(found.messages)
        advice = "allFit() compares optimizers; rescale predictors, or simplify() the random effects"
        if fitted.convergence.unbounded:
            advice = "there are no finite estimates: leave out what separates or determines the outcome"
    return Check(
        name="convergence",
        measure="remaining fall of the objective",
        value=found.predicted_fall,
        verdict="ok" if found.ok else "attention",
        text=text,
        advice=advice,
        table=found.to_frame(),
    )


def check_singularity(fitted: FittedModel, tol: float = SINGULAR) -> Check:
    """Which directions have no variance, see :func:`mixedmodels.check_singularity`."""
    tol = positive_number("tol", tol)
    known = fitted.known_singularities()
    found = singular_terms(fitted.design, fitted.estimates.theta, fitted.term_roots, tol, fitted.scale, known)
    table = _least_sizes(fitted)
    least = float(table["least sd"].min())
    undetermined = undetermined_variances(fitted)
    if undetermined and all(part.fixed for part in found):
        return Check(
            name="singularity",
            measure="least relative standard deviation",
            value=least,
            verdict="attention",
            text="; ".join(text.partition(". ")[0] for text in undetermined),
            advice="; ".join(_remedy(text) for text in undetermined if ". " in text)
            or "do not interpret these variances; a structure with fewer parameters fits as well",
            table=table,
        )
    if not found:
        return Check(
            name="singularity",
            measure="least relative standard deviation",
            value=least,
            text=f"not singular: the least standard deviation of a direction is {least:.2g} of "
            f"{'the residual one' if fitted.exact_likelihood else 'the linear predictor unit'}",
            table=table,
        )
    free = [part for part in found if not part.fixed]
    if not free:
        return Check(
            name="singularity",
            measure="least relative standard deviation",
            value=least,
            text="singular by values held fixed: " + "; ".join(map(str, found)),
            table=table,
        )
    advice = _simpler(fitted, {part.text for part in free})
    return Check(
        name="singularity",
        measure="least relative standard deviation",
        value=least,
        verdict="attention",
        text="singular: " + "; ".join([*(f"{part.text}: {part.reason}" for part in free), *undetermined]),
        advice=advice or "; ".join(part.remedy for part in free),
        table=table,
    )


def _remedy(text: str) -> str:
    """The second sentence of a text, as a part of another one."""
    remedy = text.partition(". ")[2]
    return f"{remedy[0].lower()}{remedy[1:]}"


def _least_sizes(fitted: FittedModel) -> pd.DataFrame:
    """For each term the least standard deviation of a direction, on the scale of the response."""
    parts = zip(factors(fitted.design, fitted.estimates.theta), fitted.term_roots, strict=True)
    sizes = [np.linalg.svd(root @ factor, compute_uv=False) for factor, root in parts]
    # Below a share of the largest only rounding is left.
    least = [float(own[-1]) if own[-1] > _ROUNDING * own[0] else 0.0 for own in sizes]
    terms = fitted.design.terms
    return pd.DataFrame(
        {"term": [t.text for t in terms], "effects": [len(t.names) for t in terms], "least sd": least}
    )


def _simpler(fitted: FittedModel, terms: set[str]) -> str:
    """The advice to fit the best of the next simpler models that reduce one of some terms."""
    try:
        simpler = best(reduced_fits(fitted, terms))
    except MixedModelError:
        return ""
    if simpler is None:
        return ""
    return (
        f"the next simpler model is {simpler.fitted.design.formula.text}, with a likelihood ratio of "
        f"{simpler.ratio:.2g} ({simpler.df} df, {p_statement(simpler.p_value)}); simplify() shows the way on"
    )


def check_separation(fitted: FittedModel) -> Check:
    """Whether predictors separate the outcomes, see :func:`mixedmodels.check_separation`."""
    family = fitted.family
    if fitted.exact_likelihood or not family.discrete:
        return not_applicable(
            "separation", f"no outcome of family {family.name} is certain, so that none can be separated"
        )
    found = separation_of(fitted.design, family, fitted.estimates)
    if found is None:
        return Check(
            name="separation",
            measure="unbounded coefficients",
            value=0.0,
            text="the data bound all coefficients",
        )
    return Check(
        name="separation",
        measure="unbounded coefficients",
        value=float(len(found.names)),
        verdict="attention",
        text=str(found),
        advice="leave out or merge levels of these predictors; their standard errors mean nothing",
    )
