"""Collinearity of the fixed-effects model matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...design.matrix import INTERCEPT
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...render.result_table import ResultTable, result_table
from ..basis.testable import refuse_held_coefficients


def variance_inflation(fitted: FittedModel) -> ResultTable:
    """
    Generalized variance inflation factors of the terms (Fox & Monette 1992), see :func:`mixedmodels.vif`.

    Returns
    -------
    ResultTable
        Columns GVIF, Df, GVIF^(1/(2*Df)), a row for each term.
    """
    refuse_held_coefficients(fitted, "vif", "they have no covariance with the others")
    kept = fitted.estimates.kept.tolist()
    terms = {}
    for label, columns in fitted.design.x_terms:
        members = [kept.index(j) for j in range(columns.start, columns.stop) if j in kept]
        if members and label != INTERCEPT:
            terms[label] = members
    if len(terms) < 2:
        raise ArgumentError(f"vif needs at least two terms besides the intercept; the model has {len(terms)}")
    chosen = sorted(i for members in terms.values() for i in members)
    matrix = fitted.covariance()[np.ix_(chosen, chosen)]
    root = np.sqrt(np.diag(matrix))
    whole = matrix / np.outer(root, root)
    rows = []
    for members in terms.values():
        inside = np.isin(chosen, members)
        parts = (whole[np.ix_(inside, inside)], whole[np.ix_(~inside, ~inside)])
        value = float(np.exp(sum(map(_log_det, parts)) - _log_det(whole)))
        rows.append((value, len(members), value ** (0.5 / len(members))))
    columns = dict(zip(["GVIF", "Df", "GVIF^(1/(2*Df))"], zip(*rows, strict=True), strict=True))
    return result_table(columns, list(terms))


def condition_number_of(fitted: FittedModel) -> float:
    """Largest over least singular value of the kept columns, each scaled to length one."""
    if not fitted.rank:
        raise ArgumentError("the model has no fixed effects, so there is no condition number")
    x = fitted.design.x[:, fitted.estimates.kept]
    values = np.linalg.svd(x / np.linalg.norm(x, axis=0), compute_uv=False)
    return float(values[0] / values[-1])


def _log_det(matrix: NDArray[np.float64]) -> float:
    return float(np.linalg.slogdet(matrix)[1])
