"""The pieces of a model by the names that lme4's ``getME`` gives them."""

# pyright: basic
# pandas and scipy leave types open.
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design import theta as theta_layout
from ..errors import ArgumentError
from ..fit.at_sigma import at_sigma
from ..fit.fitted_generalized import FittedGeneralized
from ..fit.fitted_linear import FittedLinear
from ..fit.starting_point import check_generalized_start, check_start
from ..fit.state import FittedModel
from ..inference.basis.degrees_of_freedom import standard_root
from ..inference.estimates.random_effects import numbers_of_levels
from ..wording import nearest


def get_component(fitted: FittedModel, name: Any) -> Any:
    """
    One piece by name, several as a dict, all of them for ``"ALL"``; see `MixedModel.getME`.
    """
    table = LINEAR if fitted.exact_likelihood else GENERALIZED
    if isinstance(name, str):
        if name == "ALL":
            return {key: make(fitted) for key, make in table.items()}
        if name not in table:
            hint = nearest(name, table) or "."
            raise ArgumentError(f"getME: unknown name {name!r}{hint} The names are {', '.join(table)}, ALL")
        return table[name](fitted)
    if isinstance(name, (list, tuple)):
        return {key: get_component(fitted, key) for key in name}
    raise ArgumentError(f"getME: name must be a string or a list of strings, not {type(name).__name__}")


def z_matrix(fitted: FittedModel) -> Any:
    """The random-effects model matrix as scipy CSC matrix, shape (n, q): by term, then level, then effect."""
    from scipy import sparse

    return sparse.hstack(_term_matrices(fitted), format="csc")


def lambda_matrix(fitted: FittedModel) -> Any:
    """The relative covariance factor Λ as scipy CSC matrix, shape (q, q)."""
    from scipy import sparse

    blocks = [
        sparse.kron(sparse.identity(len(term.group.levels)), factor)
        for term, factor in zip(fitted.design.terms, _factors(fitted), strict=True)
    ]
    return sparse.block_diag(blocks, format="csc")


def _term_matrices(fitted: FittedModel) -> list[Any]:
    from scipy import sparse

    n, result = fitted.n_obs, []
    for term in fitted.design.terms:
        k = len(term.names)
        columns = term.group.codes.astype(np.int64)[:, None] * k + np.arange(k)
        starts = np.arange(0, n * k + 1, k)
        shape = (n, k * len(term.group.levels))
        result.append(sparse.csr_matrix((term.z.ravel().copy(), columns.ravel(), starts), shape=shape))
    return result


def _factors(fitted: FittedModel) -> list[NDArray[np.float64]]:
    return theta_layout.factors(fitted.design, fitted.estimates.theta)


def _widths(fitted: FittedModel) -> NDArray[np.int64]:
    return np.array([len(term.names) for term in fitted.design.terms])


def _levels(fitted: FittedModel) -> NDArray[np.int64]:
    return np.array([len(term.group.levels) for term in fitted.design.terms])


def _numbers_of_parameters(fitted: FittedModel) -> NDArray[np.int64]:
    return np.array([term.structure.n_parameters for term in fitted.design.terms])


def _stacked(parts: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    return np.concatenate([part.ravel() for part in parts])


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)])


def _fixed_factor(fitted: FittedModel) -> NDArray[np.float64]:
    """
    Upper triangular R with R'R = X'V⁻¹X; for a generalized model at the last step for the modes.

    NaN where the covariance matrix of the coefficients is singular.
    """
    matrix = fitted.conditional_covariance() / fitted.scale**2
    root = standard_root(matrix)
    if root is None:
        return np.full_like(matrix, np.nan)
    upper = np.asarray(np.linalg.qr(root, mode="r"), dtype=np.float64)
    return upper * np.where(np.diag(upper) < 0, -1.0, 1.0)[:, None]


def _linear_index(fitted: FittedModel) -> NDArray[np.int64]:
    """For each stored element of Λ, by columns, its position in theta; -1 where it is no entry."""
    parts = []
    for term, part in theta_layout.slices(fitted.design):
        own = np.arange(part.start, part.stop)
        if term.structure.entries is None:
            own = np.full(np.count_nonzero(term.structure.factor(fitted.estimates.theta[part])), -1)
        parts.append(np.tile(own, len(term.group.levels)))
    return np.concatenate(parts)


def _flist(fitted: FittedModel) -> pd.DataFrame:
    factors = {t.group.label: t.group for t in fitted.design.terms}
    columns = {
        name: pd.Categorical.from_codes(group.codes.astype(np.int64), categories=list(group.levels))
        for name, group in factors.items()
    }
    return pd.DataFrame(columns, index=fitted.design.row_labels)


def _names_by_term(fitted: FittedModel) -> list[tuple[str, tuple[str, ...]]]:
    return [(term.group.label, term.names) for term in fitted.design.terms]


def _devcomp(fitted: FittedLinear) -> dict[str, dict[str, Any]]:
    e, n, p = fitted.estimates, fitted.n_obs, fitted.n_coefficients
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


def _objective(fitted: FittedLinear) -> Callable[[Any], float]:
    """theta to the objective."""

    def objective(theta: Any) -> float:
        point = check_start(theta, fitted.design)
        if point is None:
            raise ArgumentError("theta is missing")
        found, held = fitted.engine.evaluate(point, fitted.reml), fitted.held
        if held.sigma is not None:
            found = at_sigma(found, fitted.engine, fitted.reml, held.sigma)
        return float(found["objective"])

    return objective


def _kept_x(fitted: FittedModel) -> NDArray[np.float64]:
    return fitted.design.x[:, fitted.estimates.kept].copy()


def _kept_beta(fitted: FittedModel) -> NDArray[np.float64]:
    return fitted.estimates.beta[fitted.estimates.kept]


def _generalized_devcomp(fitted: FittedGeneralized) -> dict[str, dict[str, Any]]:
    e, u = fitted.estimates, _stacked(fitted.estimates.u)
    cmp = {"ldL2": e.log_det_z, "ussq": float(u @ u), "dev": e.objective}
    dims = {
        "N": fitted.n_obs,
        "n": fitted.n_obs,
        "p": fitted.n_coefficients,
        "q": len(u),
        "nth": len(e.theta),
        "nAGQ": fitted.arguments.n_agq,
    }
    return {"cmp": cmp, "dims": dims}


def _generalized_objective(fitted: FittedGeneralized) -> Callable[[Any], float]:
    """A mapping of theta, beta and dispersion, as ``start`` takes it, to the objective."""

    def objective(parameters: Any) -> float:
        start = check_generalized_start(parameters, fitted.design, fitted.estimates.free, fitted.family)
        return float(
            fitted.engine.evaluate(*start.complete(fitted.arguments, len(fitted.estimates.free)))["objective"]
        )

    return objective


SHARED: dict[str, Callable[[Any], Any]] = {
    "X": _kept_x,
    "Z": z_matrix,
    "Zt": lambda f: z_matrix(f).T.tocsc(),
    "Ztlist": lambda f: [part.T.tocsc() for part in _term_matrices(f)],
    "mmList": lambda f: [term.z.copy() for term in f.design.terms],
    "u": lambda f: _stacked(f.estimates.u),
    "b": lambda f: _stacked(f.estimates.b),
    "Gp": lambda f: _starts(_widths(f) * _levels(f)),
    "Tp": lambda f: _starts(_numbers_of_parameters(f)),
    "Lambda": lambda_matrix,
    "Lambdat": lambda f: lambda_matrix(f).T.tocsc(),
    "Lind": _linear_index,
    "Tlist": lambda f: dict(zip((term.text for term in f.design.terms), _factors(f), strict=True)),
    "RX": _fixed_factor,
    "flist": _flist,
    "fixef": _kept_beta,
    "beta": _kept_beta,
    "theta": lambda f: f.estimates.theta.copy(),
    "theta_names": lambda f: list(theta_layout.theta_names(f.design)),
    "lower": lambda f: theta_layout.bounds(f.design)[0],
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
    "m_i": _numbers_of_parameters,
    "m": lambda f: len(f.estimates.theta),
    "cnms": _names_by_term,
    "y": lambda f: f.observed.copy(),
    "mu": lambda f: f.mean.copy(),
    "weights": lambda f: f.prior_weights.copy(),
    "sigma": lambda f: f.sigma,
    "offset": lambda f: np.zeros(f.n_obs) if f.design.offset is None else f.design.offset.copy(),
}
LINEAR: dict[str, Callable[[Any], Any]] = {
    **SHARED,
    "REML": lambda f: f.rank if f.reml else 0,
    "is_REML": lambda f: f.reml,
    "devcomp": _devcomp,
    "devfun": _objective,
}
GENERALIZED: dict[str, Callable[[Any], Any]] = {
    **SHARED,
    "eta": lambda f: f.estimates.eta.copy(),
    "dispersion": lambda f: f.dispersion,
    "devcomp": _generalized_devcomp,
    "devfun": _generalized_objective,
}
