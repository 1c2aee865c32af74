"""Clusters of rows that are independent of each other by the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError
from ...fit.state import FittedModel
from ..estimates.variance_components import variance_components
from .row_labels import row_labels


@dataclass(frozen=True, eq=False)
class Clusters:
    """
    A partition of the rows used.

    Attributes
    ----------
    label : str
    rows : tuple of ndarray of int
        The rows of each cluster.
    """

    label: str
    rows: tuple[NDArray[np.intp], ...]


def find_clusters(fitted: FittedModel, cluster: Any = None, argument: str = "cluster") -> Clusters:
    """
    An argument that defines clusters as a partition of the rows used.

    Parameters
    ----------
    fitted : FittedModel
    cluster : str or array-like, optional
        A grouping factor of the model, a column of its data, or a label for each row (used, or of the data).
        By default the grouping factor that contains all others.
    argument : str
        Its name in messages.

    Raises
    ------
    ArgumentError
        When there is none, or a random effect is shared by several clusters.
    """
    if cluster is None:
        groups = {term.group.label: term.group.codes for term in fitted.design.terms}
        for label, codes in groups.items():
            if _first_shared_group(fitted, codes) is None:
                return _partition(label, codes, argument)
        raise ArgumentError(
            f"none of the grouping factors {', '.join(groups)} contains the others: observations of "
            "different groups share random effects, so they form no independent clusters; "
            f"name a coarser factor with {argument}=, if there is one"
        )
    labels = row_labels(fitted, cluster, argument)
    label, codes = labels.name, labels.codes
    shared = _first_shared_group(fitted, codes)
    if shared is not None:
        raise ArgumentError(
            f"{argument}: levels of the grouping factor {shared!r} occur in several clusters of {label!r}, "
            "which are then not independent; each group must lie within one cluster"
        )
    return _partition(label, codes, argument)


def cluster_covariance(fitted: FittedModel, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Covariance matrix of the responses of a cluster by the model, shape (n_j, n_j)."""
    weights = fitted.design.weights
    variance = np.full(len(rows), fitted.estimates.sigma**2)
    result = np.diag(variance if weights is None else variance / weights[rows])
    for term, part in zip(fitted.design.terms, variance_components(fitted), strict=True):
        z, codes = term.z[rows], term.group.codes[rows]
        result += np.where(codes[:, None] == codes, z @ part.cov @ z.T, 0.0)
    return result


def _first_shared_group(fitted: FittedModel, codes: NDArray[Any]) -> str | None:
    """A grouping factor with a level in more than one cluster."""
    for term in fitted.design.terms:
        pairs = np.unique(np.column_stack([term.group.codes, codes]), axis=0)
        if len(pairs) > len(term.group.levels):
            return term.group.label
    return None


def _partition(label: str, codes: NDArray[Any], argument: str) -> Clusters:
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order].astype(np.int64))) + 1
    rows = tuple(np.split(order, starts))
    if len(rows) < 2:
        raise ArgumentError(f"{argument}: {label!r} defines only one cluster")
    return Clusters(label, rows)
