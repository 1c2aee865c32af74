"""
Covariance matrices of the coefficients that do not depend on the model's variances.

Liang & Zeger (1986); the correction CR2 and its degrees of freedom by Bell & McCaffrey (2002) and Pustejovsky
& Tipton (2018), with the fitted model as working model. Everything is computed cluster by cluster.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...checks import one_of
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...render.frame_table import matrix_of
from ...render.page import Page, Section
from ...render.printed import Printed
from ...render.style import Style
from ...wording import capital
from ..estimates.origin import origin_of, signed
from .clusters import cluster_covariance, find_clusters
from .degrees_of_freedom import DegreesOfFreedom

Kind = Literal["CR0", "CR1", "CR2"]
KINDS: tuple[Kind, ...] = ("CR0", "CR1", "CR2")


@dataclass(frozen=True, eq=False, repr=False)
class RobustCovariance(Printed, DegreesOfFreedom):
    """
    A cluster-robust covariance matrix with degrees of freedom; tests take it as ``vcov``.

    Attributes
    ----------
    beta : ndarray, shape (rank,)
        The coefficients.
    covariance : ndarray, shape (rank, rank)
        Their cluster-robust covariance matrix.
    notes : tuple of str
        Remarks for the tables that use it.
    origin : Origin or None
        The model it belongs to; other models refuse it.
    undetermined : None
        Of other kinds of `DegreesOfFreedom`.
    kind : {"CR0", "CR1", "CR2"}
    cluster : str
    n_clusters : int
    names : tuple of str
        Coefficients in the order of `covariance`.
    bread : ndarray, shape (rank, rank)
        The model's own covariance matrix.
    own : ndarray, shape (m, rank, rank)
        G'ΦG of each cluster: Φ is the model's covariance matrix of its responses, and the robust matrix the
        sum of G'ee'G over the clusters, e the residuals.
    shared : ndarray, shape (m, rank, rank)
        X'G of each cluster, by which residuals of different clusters are correlated.
    """

    kind: Kind
    cluster: str
    n_clusters: int
    names: tuple[str, ...]
    bread: NDArray[np.float64]
    own: NDArray[np.float64]
    shared: NDArray[np.float64]

    @property
    def connectives(self) -> tuple[str, str]:
        return "; ", "; "

    @property
    def label(self) -> str:
        return (
            f"{self.kind} covariance matrix with {self.n_clusters} clusters of {self.cluster} and "
            "Satterthwaite-type degrees of freedom"
        )

    def to_frame(self) -> pd.DataFrame:
        """
        The covariance matrix with the names of the coefficients.

        ``DataFrame.attrs`` identify the model, so that other models refuse the matrix as ``vcov``.

        Returns
        -------
        DataFrame, shape (rank, rank)
        """
        names = list(self.names)
        return signed(pd.DataFrame(self.covariance.copy(), index=names, columns=names), self.origin)

    def _page(self, style: Style) -> Page:
        if not self.names:
            return Page((Section((capital(self.label),), notes=("The model has no coefficients",)),))
        return Page.of(matrix_of(self.to_frame(), style.estimates), [capital(self.label)])

    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        # The estimated variance is a quadratic form in the residuals: 2 E² / Var under the working model.
        result = []
        for row in rows:
            own, shared = self._moments(row[None])
            mean = _sum_of_diagonal(own, shared, self.bread, 0, 0)
            square = _sum_of_products(own, shared, self.bread, (0, 0), (0, 0))
            result.append(mean**2 / square if square > 0 else math.nan)
        return np.array(result)

    def joint_df(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        q = len(rows)
        if q == 1:
            return float(self.df(rows)[0]), 1.0
        own, shared = self._moments(rows)
        mean = np.array(
            [[_sum_of_diagonal(own, shared, self.bread, a, b) for b in range(q)] for a in range(q)]
        )
        standard = np.asarray(np.linalg.solve(np.linalg.cholesky(mean), rows), dtype=np.float64)
        own, shared = self._moments(standard)
        # Variances of the matrix's entries over all pairs, matched to a Wishart matrix.
        variances = sum(
            _sum_of_products(own, shared, self.bread, (a, a), (b, b))
            + _sum_of_products(own, shared, self.bread, (a, b), (b, a))
            for a in range(q)
            for b in range(q)
        )
        wishart = q * (q + 1) / variances
        df = wishart - q + 1
        return (df, df / wishart) if df > 0 else (math.nan, math.nan)

    def _moments(self, rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """`own`, shape (m, q, q), and `shared`, shape (m, q, rank), of functions of the coefficients."""
        own = np.einsum("aj,mjk,bk->mab", rows, self.own, rows, optimize=True)
        return own, np.einsum("mij,aj->mai", self.shared, rows)


def robust_covariance(fitted: FittedModel, cluster: Any = None, type: str = "CR2") -> RobustCovariance:
    """See :func:`mixedmodels.vcov_cluster`."""
    kind: Kind = one_of("type", type.upper() if isinstance(type, str) else type, KINDS)
    if not fitted.exact_likelihood:
        raise ArgumentError(
            "vcov_cluster is for linear mixed models: a generalized one has no residuals "
            "whose products could be summed over clusters"
        )
    clusters = find_clusters(fitted, cluster)
    design, kept = fitted.design, fitted.estimates.kept
    fixed = design.x[:, kept] @ fitted.estimates.beta[kept]
    residual = design.y - (fixed if design.offset is None else fixed + design.offset)
    bread = fitted.covariance()
    m, p = len(clusters.rows), len(kept)
    scale = math.sqrt(m / (m - 1)) if kind == "CR1" else 1.0
    own, shared = np.empty((m, p, p)), np.empty((m, p, p))
    scores = np.empty((m, p))
    for j, rows in enumerate(clusters.rows):
        x, phi = design.x[np.ix_(rows, kept)], cluster_covariance(fitted, rows)
        weighted = np.linalg.solve(phi, x)
        if kind == "CR2":
            weighted = _adjustment(phi, x, bread) @ weighted
        g = scale * weighted @ bread
        own[j], shared[j], scores[j] = g.T @ phi @ g, x.T @ g, residual[rows] @ g
    beta, names = fitted.estimates.beta[kept], tuple(design.x_names[i] for i in kept)
    return RobustCovariance(
        beta,
        scores.T @ scores,
        kind,
        clusters.label,
        m,
        names,
        bread,
        own,
        shared,
        origin=origin_of(fitted),
    )


def _adjustment(
    phi: NDArray[np.float64], x: NDArray[np.float64], bread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    The matrix that makes the residuals of a cluster have covariance Φ under the working model.

    D'B^(-1/2)D with D'D = Φ and B = D(Φ - XMX')D', the power of the generalised inverse.
    """
    root = np.linalg.cholesky(phi).T
    values, vectors = np.linalg.eigh(root @ (phi - x @ bread @ x.T) @ root.T)
    good = values > 1e-12 * values[-1]
    half = (vectors[:, good] / np.sqrt(np.sqrt(values[good]))).T @ root
    return half.T @ half


def _sum_of_diagonal(
    own: NDArray[np.float64], shared: NDArray[np.float64], bread: NDArray[np.float64], a: int, b: int
) -> float:
    """Σ over clusters of cov(u_a, u_b), u = c'G'e."""
    return float(own[:, a, b].sum() - np.einsum("mi,ij,mj->", shared[:, a], bread, shared[:, b]))


def _sum_of_products(
    own: NDArray[np.float64],
    shared: NDArray[np.float64],
    bread: NDArray[np.float64],
    first: tuple[int, int],
    second: tuple[int, int],
) -> float:
    """Σ over pairs of clusters j, k of cov(u_aj, u_bk) cov(u_cj, u_dk), without a matrix of all pairs."""
    (a, b), (c, d) = first, second
    one, other = own[:, a, b], own[:, c, d]
    within_one = np.einsum("mi,ij,mj->m", shared[:, a], bread, shared[:, b])
    within_other = np.einsum("mi,ij,mj->m", shared[:, c], bread, shared[:, d])
    across = np.trace(bread @ (shared[:, b].T @ shared[:, d]) @ bread @ (shared[:, c].T @ shared[:, a]))
    return float(np.sum(one * other - one * within_other - other * within_one) + across)
