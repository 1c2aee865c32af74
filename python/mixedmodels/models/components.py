"""The pieces of a model by the names that lme4's ``getME`` gives them."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .. import theta as theta_layout
from ..errors import ArgumentError
from ..fitted_model import Fitted
from ..inference.random_effects import numbers_of_levels


def get_component(fitted: Fitted, name: Any) -> Any:
    """
    One piece by name, several as a dict, all of them for ``"ALL"``; see `LinearMixedModel.getME`.
    """
    if isinstance(name, str):
        if name == "ALL":
            return {key: make(fitted) for key, make in COMPONENTS.items()}
        if name not in COMPONENTS:
            close = get_close_matches(name, COMPONENTS, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise ArgumentError(f"getME: unknown name {name!r}{hint}; names: {', '.join(COMPONENTS)}, ALL")
        return COMPONENTS[name](fitted)
    if isinstance(name, (list, tuple)):
        return {key: get_component(fitted, key) for key in name}
    raise ArgumentError(f"getME: name must be text or a list of texts, not {type(name).__name__}")


def z_matrix(fitted: Fitted) -> Any:
    """The random-effects model matrix as scipy CSC matrix, shape (n, q): by term, then level, then effect."""
    from scipy import sparse

    return sparse.hstack(_term_matrices(fitted), format="csc")


def lambda_matrix(fitted: Fitted) -> Any:
    """The relative covariance factor Λ as scipy CSC matrix, shape (q, q)."""
    from scipy import sparse

    blocks = [
        sparse.kron(sparse.identity(len(term.group.levels)), factor)
        for term, factor in zip(fitted.design.terms, _factors(fitted), strict=True)
    ]
    return sparse.block_diag(blocks, format="csc")


def _term_matrices(fitted: Fitted) -> list[Any]:
    from scipy import sparse

    n, result = fitted.n_obs, []
    for term in fitted.design.terms:
        k = len(term.names)
        columns = term.group.codes.astype(np.int64)[:, None] * k + np.arange(k)
        starts = np.arange(0, n * k + 1, k)
        shape = (n, k * len(term.group.levels))
        result.append(sparse.csr_matrix((term.z.ravel().copy(), columns.ravel(), starts), shape=shape))
    return result


def _factors(fitted: Fitted) -> list[NDArray[np.float64]]:
    return theta_layout.factors(fitted.design, fitted.estimates.theta)


def _widths(fitted: Fitted) -> NDArray[np.int64]:
    return np.array([len(term.names) for term in fitted.design.terms])


def _levels(fitted: Fitted) -> NDArray[np.int64]:
    return np.array([len(term.group.levels) for term in fitted.design.terms])


def _stacked(parts: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    return np.concatenate([part.ravel() for part in parts])


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)])


def _fixed_factor(fitted: Fitted) -> NDArray[np.float64]:
    """Upper triangular R with R'R = X'V⁻¹X."""
    return np.linalg.cholesky(np.linalg.inv(fitted.estimates.unscaled_covariance)).T


def _linear_index(fitted: Fitted) -> NDArray[np.int64]:
    """For each stored element of Λ, by columns, its position in theta."""
    parts = []
    for term, part in theta_layout.slices(fitted.design):
        parts.append(np.tile(np.arange(part.start, part.stop), len(term.group.levels)))
    return np.concatenate(parts)


def _flist(fitted: Fitted) -> pd.DataFrame:
    factors = {t.group.label: t.group for t in fitted.design.terms}
    columns = {
        name: pd.Categorical.from_codes(group.codes.astype(np.int64), categories=list(group.levels))
        for name, group in factors.items()
    }
    return pd.DataFrame(columns, index=fitted.design.row_labels)


def _names_by_term(fitted: Fitted) -> list[tuple[str, tuple[str, ...]]]:
    return [(term.group.label, term.names) for term in fitted.design.terms]


def _devcomp(fitted: Fitted) -> dict[str, dict[str, Any]]:
    e, n, p = fitted.estimates, fitted.n_obs, fitted.rank
    weighted = np.ones(n) if fitted.design.weights is None else fitted.design.weights
    u = _stacked(e.u)
    cmp = {
        "ldL2": e.log_det_z,
        "ldRX2": e.log_det_x,
        "wrss": float(np.sum(weighted * np.square(fitted.design.y - e.fitted))),
        "ussq": float(u @ u),
        "pwrss": e.pwrss,
        "REML" if fitted.reml else "dev": e.objective,
        "sigmaML": float(np.sqrt(e.pwrss / n)),
        "sigmaREML": float(np.sqrt(e.pwrss / (n - p))),
    }
    dims = {
        "N": n,
        "n": n,
        "p": p,
        "nmp": n - p,
        "q": len(u),
        "nth": len(e.theta),
        "REML": p if fitted.reml else 0,
    }
    return {"cmp": cmp, "dims": dims}


def _objective(fitted: Fitted) -> Callable[[Any], float]:
    """theta to the objective."""

    def objective(theta: Any) -> float:
        point = theta_layout.check_start(theta, fitted.design)
        if point is None:
            raise ArgumentError("theta is missing")
        return float(fitted.engine.evaluate(point, fitted.reml)["objective"])

    return objective


def _kept_x(fitted: Fitted) -> NDArray[np.float64]:
    return fitted.design.x[:, fitted.estimates.kept].copy()


def _kept_beta(fitted: Fitted) -> NDArray[np.float64]:
    return fitted.estimates.beta[fitted.estimates.kept]


COMPONENTS: dict[str, Callable[[Fitted], Any]] = {
    "X": _kept_x,
    "Z": z_matrix,
    "Zt": lambda f: z_matrix(f).T.tocsc(),
    "Ztlist": lambda f: [part.T.tocsc() for part in _term_matrices(f)],
    "mmList": lambda f: [term.z.copy() for term in f.design.terms],
    "y": lambda f: f.design.y.copy(),
    "mu": lambda f: f.estimates.fitted.copy(),
    "u": lambda f: _stacked(f.estimates.u),
    "b": lambda f: _stacked(f.estimates.b),
    "Gp": lambda f: _starts(_widths(f) * _levels(f)),
    "Tp": lambda f: _starts(np.array([len(theta_layout.positions(term)) for term in f.design.terms])),
    "Lambda": lambda_matrix,
    "Lambdat": lambda f: lambda_matrix(f).T.tocsc(),
    "Lind": _linear_index,
    "Tlist": lambda f: dict(zip((term.text for term in f.design.terms), _factors(f), strict=True)),
    "RX": _fixed_factor,
    "sigma": lambda f: f.estimates.sigma,
    "flist": _flist,
    "fixef": _kept_beta,
    "beta": _kept_beta,
    "theta": lambda f: f.estimates.theta.copy(),
    "theta_names": lambda f: list(theta_layout.theta_names(f.design)),
    "lower": lambda f: theta_layout.lower_bounds(f.design),
    "REML": lambda f: f.rank if f.reml else 0,
    "is_REML": lambda f: f.reml,
    "n_rtrms": lambda f: len(f.design.terms),
    "n_rfacs": lambda f: len(numbers_of_levels(f)),
    "N": lambda f: f.n_obs,
    "n": lambda f: f.n_obs,
    "p": lambda f: f.rank,
    "q": lambda f: int(np.sum(_widths(f) * _levels(f))),
    "p_i": _widths,
    "l_i": _levels,
    "q_i": lambda f: _widths(f) * _levels(f),
    "k": lambda f: len(f.design.terms),
    "m_i": lambda f: np.array([len(theta_layout.positions(term)) for term in f.design.terms]),
    "m": lambda f: len(f.estimates.theta),
    "cnms": _names_by_term,
    "devcomp": _devcomp,
    "offset": lambda f: np.zeros(f.n_obs) if f.design.offset is None else f.design.offset.copy(),
    "weights": lambda f: np.ones(f.n_obs) if f.design.weights is None else f.design.weights.copy(),
    "devfun": _objective,
}
