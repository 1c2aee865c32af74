"""The ladder from the random effects of a model to those that the data support."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..checks import probability
from ..fit.endpoint.singularity import singular_terms
from ..fit.state import FittedModel
from ..inference.basis.testable import (
    have_optimum,
    no_optimum_note,
    refuse_evaluated,
    refuse_held_covariances,
)
from ..inference.estimates.criteria import aic, bic
from ..notices import silent
from ..render.frame_table import table_of
from ..render.page import Page
from ..render.result_table import ResultTable, result_table
from ..render.style import Style
from ..wording import one_line
from .random_effects_pca import random_effects_pca
from .reductions import Reduced, best, reduced_fits

ALPHA = 0.2


class Simplification(ResultTable):
    """
    The models from the one given to simpler ones, with the reason for each step.

    Attributes
    ----------
    recommended : str
        The formula of the simplest model that the data do not speak against.
    """

    _metadata: ClassVar[list[str]] = [*ResultTable._metadata, "recommended"]
    recommended: str = ""

    def _page(self, style: Style) -> Page:
        steps = [
            f"{step}  {effects} ({reason})"
            for step, effects, reason in zip(
                self["step"], self["random effects"], self["reason"], strict=True
            )
        ]
        shown = self.to_frame().drop(columns=["random effects", "reason"])
        return Page.of(table_of(shown, style), [*self.heading, *steps], self.notes)


def simplify(fitted: FittedModel, alpha: float = ALPHA) -> Simplification:
    """See :func:`mixedmodels.simplify`."""
    alpha = probability("alpha", alpha)
    refuse_evaluated(fitted, "simplify")
    refuse_held_covariances(fitted, "simplify", "compare the model with others by anova(m1, m2)")
    rows = [_row(fitted, None, "the model")]
    current, refused = fitted, False
    with silent():
        while (step := best(reduced_fits(current))) is not None:
            refused = step.p_value <= alpha
            rows.append(_row(step.fitted, step, _reason(step, alpha)))
            if refused:
                break
            current = step.fitted
    recommended = len(rows) - 1 - refused if have_optimum(fitted) else None
    columns: dict[str, Any] = {"step": [_mark(i, recommended) for i in range(len(rows))]}
    columns |= {name: [row[name] for row in rows] for name in rows[0]}
    left = singular_terms(
        current.design,
        current.estimates.theta,
        current.term_roots,
        scale=current.scale,
        known=current.known_singularities(),
    )
    text = current.design.formula.text
    notes = [
        f"Recommended: {one_line(text)}" + ("" if recommended else ", the model itself"),
        f"Steps by likelihood-ratio tests at alpha = {alpha:g}, which keep what the data leave in doubt "
        "(Matuschek et al. 2017); a test of a variance has a p-value that is too large",
        *(f"This model is still singular: {part}" for part in left),
        "Keep random effects that the design needs for the test at hand (Barr et al. 2013); nothing is "
        "changed: fit the model that you choose with update()",
    ]
    table = result_table(
        columns,
        heading=["From the random effects of the model to simpler ones"],
        notes=notes if have_optimum(fitted) else [no_optimum_note()],
        kind=Simplification,
    )
    table.recommended = text
    return table


def _mark(i: int, recommended: int | None) -> str:
    return f"{i}{' *' if i == recommended else ''}"


def _row(fitted: FittedModel, step: Reduced | None, reason: str) -> dict[str, Any]:
    design = fitted.design
    parts = random_effects_pca(fitted).groups
    singular = singular_terms(design, fitted.estimates.theta, fitted.term_roots)
    return {
        "random effects": " + ".join(term.text for term in design.recipe.formula.random),
        "npar": fitted.n_parameters,
        "objective": fitted.estimates.objective,
        "AIC": aic(fitted),
        "BIC": bic(fitted),
        "LRT": np.nan if step is None else step.ratio,
        "Df": np.nan if step is None else step.df,
        "p.value": np.nan if step is None else step.p_value,
        "singular": "yes" if singular else "no",
        "dimension": ", ".join(f"{part.dimension}/{len(part.sdev)}" for part in parts),
        "reason": reason,
    }


def _reason(step: Reduced, alpha: float) -> str:
    what = step.reduction.what
    if "in" not in what.split():
        what = what if step.reduction.term in what else f"{what} in {step.reduction.term}"
    if step.p_value <= alpha:
        return f"{what}: too much is lost"
    return what
