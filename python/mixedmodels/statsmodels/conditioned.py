"""
The model in coordinates in which its information matrix is well-conditioned.

Columns far from zero, such as calendar years, are nearly alike: their squares cancel in all digits. With the
triangular R of X = QR and R₂ of Z = Q₂R₂, the coefficients of Q are Rβ, and the covariance matrix of the
effects of Q₂ is R₂ψR₂'. Standard errors are worked out there and turned back by products only, never by
differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .params import MixedLMParams, lower_root
from .products import Products

Array = NDArray[np.float64]
# Columns with a smaller share of their own beside the others are linearly dependent.
_DEPENDENT = 1e-10
# Columns whose mean squares lie within these limits, and whose correlations leave this share apart, stay.
_MODERATE, _APART = 1e3, 1e-2


@dataclass(frozen=True, eq=False)
class Conditioned:
    """
    A model whose columns are orthogonal with mean square one.

    Parameters
    ----------
    model : MixedLM
        The model as it was written; p = k_fe + k_re2 + k_vc.
    inner : ndarray of bool, shape (k_re,)
        The random coefficients to turn; the others, and all where the columns are dependent, stay.
    estimated : ndarray of int, shape (f,)
        The fixed effects that are neither held nor dropped. Those that are held are known: the response is
        what is left without them, and REML takes account of the others only.
    """

    model: Any
    inner: NDArray[np.bool_]
    estimated: NDArray[np.intp]

    @cached_property
    def x(self) -> tuple[Array, Array]:
        """Orthogonal columns for those of X that are estimated, (n, f), and R, (f, f)."""
        exog = np.asarray(self.model.exog, dtype=np.float64)
        return _orthogonal(exog if len(self.estimated) == exog.shape[1] else exog[:, self.estimated])

    @cached_property
    def re(self) -> tuple[Any, Array]:
        """The columns of the random coefficients, (n, k_re), and R₂, (k_re, k_re)."""
        z, root = self.model.exog_re, np.eye(self.model.k_re)
        if not self.inner.any() or _tame(z[:, self.inner]) or dependent(z[:, self.inner]).any():
            return z, root
        z = np.array(z)
        z[:, self.inner], root[np.ix_(self.inner, self.inner)] = _orthogonal(z[:, self.inner])
        return z, root

    @cached_property
    def written(self) -> bool:
        """Whether all columns are as in the model."""
        whole = len(self.estimated) == self.model.k_fe and self.x[0] is self.model.exog
        return whole and (not self.model.k_re or self.re[0] is self.model.exog_re)

    def twin(self, params: MixedLMParams) -> Any:
        """What the likelihood and the engine ask a model for, its response without effects that are held."""
        if self.written:
            return self.model
        model, names = self.model, [f"x{j}" for j in range(len(self.estimated))]
        held = np.setdiff1d(model.kept, self.estimated)
        return SimpleNamespace(
            endog=model.endog - model.exog[:, held] @ np.asarray(params.fe_params, dtype=np.float64)[held],
            endog_names="y",
            exog=self.x[0],
            exog_names=names,
            exog_re=self.re[0],
            exog_re_given=model.exog_re_given,
            data=SimpleNamespace(exog_re_names=[f"z{j}" for j in range(model.k_re)]),
            kept=np.arange(len(names)),
            components=model.components,
            groups_of_rows=model.groups_of_rows,
            groups_name=model.groups_name,
            n_groups=model.n_groups,
            k_fe=len(names),
            k_re=model.k_re,
            k_re2=model.k_re2,
            k_vc=model.k_vc,
            reml=model.reml,
            products=Products(self.re[0] if model.k_re else None, model.components, model.groups_of_rows),
        )

    def params(self, params: MixedLMParams) -> MixedLMParams:
        """Parameters of the twin."""
        root = self.re[1] @ lower_root(np.asarray(params.cov_re, dtype=np.float64))
        fixed = self.x[1] @ np.asarray(params.fe_params, dtype=np.float64)[self.estimated]
        return MixedLMParams.from_components(fixed, cov_re=root @ root.T, vcomp=params.vcomp)

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """The parameters of the model that the twin has."""
        p = self.model.k_fe + self.model.k_re2 + self.model.k_vc
        return np.concatenate([self.estimated, np.arange(self.model.k_fe, p)]).astype(np.intp)

    @cached_property
    def turn(self) -> Array:
        """Derivatives of the twin's parameters in those of the model at `places`."""
        return _turn(self.x[1], self.re[1], self.model.k_vc)

    @cached_property
    def back(self) -> Array:
        """The inverse of `turn`."""
        return _turn(_inverse(self.x[1]), _inverse(self.re[1]), self.model.k_vc)


def dependent(columns: Array) -> NDArray[np.bool_]:
    """Which of the columns, shape (n, k), take part in a linear dependence among them."""
    if _tame(columns):
        return np.zeros(columns.shape[1], dtype=bool)
    sizes = np.linalg.norm(columns, axis=0)
    root: Any = np.linalg.qr(columns / np.where(sizes > 0.0, sizes, 1.0), mode="r")
    if len(root) == len(sizes) and (np.abs(root.diagonal()) > _DEPENDENT).all():
        return np.zeros(len(sizes), dtype=bool)
    _, values, vectors = np.linalg.svd(root)
    rank = int(np.count_nonzero(values > _DEPENDENT * values[0]))
    return np.any(np.abs(vectors[rank:]) > np.sqrt(_DEPENDENT), axis=0)


def repeated(columns: Array) -> NDArray[np.bool_]:
    """Which of the columns, shape (n, k), depend linearly on those before them."""
    if _tame(columns):
        return np.zeros(columns.shape[1], dtype=bool)
    sizes = np.linalg.norm(columns, axis=0)
    root: Any = np.linalg.qr(columns / np.where(sizes > 0.0, sizes, 1.0), mode="r")
    rest, found = root.copy(), np.zeros(len(sizes), dtype=bool)
    for j in range(len(sizes)):
        length = float(np.linalg.norm(rest[:, j]))
        found[j] = length <= _DEPENDENT
        if not found[j]:
            unit = rest[:, j] / length
            rest[:, j + 1 :] -= np.outer(unit, unit @ rest[:, j + 1 :])
    return found


def _tame(columns: Array) -> bool:
    """Whether columns are of moderate size and far from dependent, and so as good as orthogonal ones."""
    if not columns.shape[1]:
        return True
    with np.errstate(all="ignore"):
        products = columns.T @ columns / len(columns)
        sizes = np.sqrt(np.diag(products))
        if not (np.isfinite(sizes).all() and sizes.min() > 1.0 / _MODERATE and sizes.max() < _MODERATE):
            return False
    return bool(np.linalg.eigvalsh(products / np.outer(sizes, sizes))[0] > _APART)


def _orthogonal(columns: Array) -> tuple[Array, Array]:
    if _tame(columns):
        return columns, np.eye(columns.shape[1])
    unit = np.sqrt(len(columns))
    q, r = np.linalg.qr(columns)
    return np.ascontiguousarray(q * unit), r / unit


def _inverse(root: Array) -> Array:
    return np.asarray(np.linalg.inv(root), dtype=np.float64)


def _turn(x: Array, re: Array, k_vc: int) -> Array:
    """The block matrix of x, of what re makes of a lower triangle C by re C re', and the identity."""
    lower = [(i, j) for i in range(len(re)) for j in range(i + 1)]
    parts: Sequence[Array] = [x, np.array([[_change(re, i, j) for j in lower] for i in lower]), np.eye(k_vc)]
    sizes = np.cumsum([0, len(x), len(lower), k_vc])
    found = np.zeros((sizes[-1], sizes[-1]))
    for part, start, stop in zip(parts, sizes[:-1], sizes[1:], strict=True):
        found[start:stop, start:stop] = part.reshape(stop - start, stop - start)
    return found


def _change(re: Array, to: tuple[int, int], of: tuple[int, int]) -> float:
    (a, b), (i, j) = to, of
    twice = re[a, j] * re[b, i] if i != j else 0.0
    return float(re[a, i] * re[b, j] + twice)
