"""
The engine's interface in dense textbook formulas: an independent reference for the Rust engine.

Everything follows from the marginal covariance matrix σ²V, V = W⁻¹ + ZΛΛ'Z', written out as an n × n
matrix (Searle, Casella & McCulloch 1992, chapter 6; Bates et al. 2015, section 3), so it shares no
algebra with the blocked factorisation and serves for n up to a few hundred.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg, optimize

from oracles.dense_inference import DenseInference

LOG_2PI = np.log(2 * np.pi)


class DenseTerms:
    """What a model's ``terms`` (codes, number of levels, z, template) say of Λ and of its random effects."""

    def covariance_factor(self, theta):
        """Λ, shape (q, q)."""
        blocks, start = [], 0
        for _, n_levels, z, kind in self.terms:
            k = z.shape[1]
            template = np.zeros((k, k))
            for i, j in entries(k, kind):
                template[i, j] = theta[start]
                start += 1
            blocks.append(np.kron(np.eye(n_levels), template))
        return linalg.block_diag(*blocks)

    def diagonal(self):
        """One for entries of theta on the diagonal of a template, else zero."""
        return np.array([float(i == j) for _, _, z, kind in self.terms for i, j in entries(z.shape[1], kind)])

    def by_term(self, stacked):
        result, start = [], 0
        for _, n_levels, z, _ in self.terms:
            k = z.shape[1]
            result.append(stacked[start : start + n_levels * k].reshape(n_levels, k))
            start += n_levels * k
        return result

    def same_codes(self):
        """Positions of the terms that share a grouping factor."""
        groups: list[list[int]] = []
        for t, (codes, *_) in enumerate(self.terms):
            for group in groups:
                if np.array_equal(self.terms[group[0]][0], codes):
                    group.append(t)
                    break
            else:
                groups.append([t])
        return groups


class Lmm(DenseTerms, DenseInference):
    """A linear mixed model; arguments and results as those of ``mixedmodels._engine.Lmm``."""

    def __init__(self, y, x, terms, weights=None, offset=None):
        self.y, self.x = np.asarray(y, float), np.asarray(x, float)
        self.n = len(self.y)
        self.weights = np.ones(self.n) if weights is None else np.asarray(weights, float)
        self.offset = np.zeros(self.n) if offset is None else np.asarray(offset, float)
        self.terms = [
            (np.asarray(c, np.int64), int(m), np.asarray(z, float), kind) for c, m, z, kind, _ in terms
        ]
        self.kept = independent_columns(self.x)
        self.rank = len(self.kept)
        self.z = np.hstack([expand(codes, m, z) for codes, m, z, _ in self.terms])
        self.n_theta = sum(len(entries(z.shape[1], kind)) for _, _, z, kind in self.terms)

    def with_response(self, y):
        terms = [(*term, None) for term in self.terms]
        return Lmm(y, self.x, terms, self.weights, self.offset)

    def evaluate(self, theta, reml):
        x, response = self.x[:, self.kept], self.y - self.offset
        factor = self.covariance_factor(theta)
        v = self.marginal(factor)
        root = linalg.cholesky(v, lower=True)
        wx = linalg.solve_triangular(root, x, lower=True)
        wy = linalg.solve_triangular(root, response, lower=True)
        xtvx = wx.T @ wx
        inverse = np.linalg.inv(xtvx) if self.rank else np.zeros((0, 0))
        beta = inverse @ (wx.T @ wy)
        residual = wy - wx @ beta
        pwrss = float(residual @ residual)
        # log|V| = log|Λ'Z'WZΛ + I| - Σ log w
        log_det_v = 2 * np.sum(np.log(np.diag(root)))
        log_det_x = float(np.linalg.slogdet(xtvx)[1]) if self.rank else 0.0
        df = self.n - self.rank if reml else self.n
        objective = log_det_v + df * (1 + LOG_2PI + np.log(pwrss / df)) + (log_det_x if reml else 0.0)
        # u = Λ'Z'V⁻¹(y - Xβ)
        u = factor.T @ self.z.T @ linalg.solve_triangular(root.T, residual, lower=False)
        b = factor @ u
        return {
            "objective": float(objective),
            "log_det_z": float(log_det_v + np.sum(np.log(self.weights))),
            "log_det_x": log_det_x,
            "pwrss": pwrss,
            "sigma": float(np.sqrt(pwrss / df)),
            "beta": beta,
            "xtvx_inv": inverse,
            "b": self.by_term(b),
            "u": self.by_term(u),
            "fitted": x @ beta + self.z @ b + self.offset,
        }

    def gradient(self, theta, reml):
        """∂objective/∂θ = tr(Q ∂V) - (df/r²) e'V⁻¹ ∂V V⁻¹e, with Q = V⁻¹ (ML) or P (REML)."""
        theta = np.asarray(theta, float)
        x, response = self.x[:, self.kept], self.y - self.offset
        factor = self.covariance_factor(theta)
        inverse = np.linalg.inv(self.marginal(factor))
        vx = inverse @ x
        projector = inverse - vx @ np.linalg.inv(x.T @ vx) @ vx.T if self.rank else inverse
        py = projector @ response
        df = self.n - self.rank if reml else self.n
        weight = df / float(response @ py)
        middle = (projector if reml else inverse) - weight * np.outer(py, py)
        zf = self.z @ factor
        result = np.empty(self.n_theta)
        for i in range(self.n_theta):
            unit = np.zeros(self.n_theta)
            unit[i] = 1.0
            half = (self.z @ self.covariance_factor(unit)) @ zf.T
            result[i] = 2.0 * np.sum(middle * half)
        return result

    def hessian(self, theta, reml):
        """
        -tr(Q ∂ᵢV Q ∂ⱼV) + tr(Q ∂ᵢⱼV) + (df/r²)(2 e'∂ᵢV P ∂ⱼV e - e'∂ᵢⱼV e - hᵢhⱼ/r²),
        with e = Py and hᵢ = e'∂ᵢV e.
        """
        theta = np.asarray(theta, float)
        x, response = self.x[:, self.kept], self.y - self.offset
        zf = self.z @ self.covariance_factor(theta)
        inverse = np.linalg.inv(self.marginal(self.covariance_factor(theta)))
        vx = inverse @ x
        projector = inverse - vx @ np.linalg.inv(x.T @ vx) @ vx.T if self.rank else inverse
        py = projector @ response
        r2 = float(response @ py)
        weight = (self.n - self.rank if reml else self.n) / r2
        q = projector if reml else inverse
        moved = [self.z @ self.covariance_factor(unit) for unit in np.eye(self.n_theta)]
        first = [half @ zf.T + zf @ half.T for half in moved]
        slopes = [py @ v @ py for v in first]
        result = np.empty((self.n_theta, self.n_theta))
        for i in range(self.n_theta):
            for j in range(self.n_theta):
                second = moved[i] @ moved[j].T + moved[j] @ moved[i].T
                determinants = np.sum(q * second) - np.sum((q @ first[i]) * (q @ first[j]).T)
                squares = 2 * py @ first[i] @ projector @ first[j] @ py - py @ second @ py
                result[i, j] = determinants + weight * (squares - slopes[i] * slopes[j] / r2)
        return result

    def conditional_variances(self, theta, reml):
        """Λ(Λ'Z'WZΛ + I)⁻¹Λ', the blocks of each level of each grouping factor."""
        factor = self.covariance_factor(theta)
        zf = self.z @ factor
        inner = zf.T @ (self.weights[:, None] * zf) + np.eye(zf.shape[1])
        full = factor @ np.linalg.inv(inner) @ factor.T
        starts = np.concatenate([[0], np.cumsum([m * z.shape[1] for _, m, z, _ in self.terms])])
        blocks = []
        for members in self.same_codes():
            n_levels = self.terms[members[0]][1]
            places = [
                starts[t] + np.arange(n_levels)[:, None] * self.terms[t][2].shape[1]
                + np.arange(self.terms[t][2].shape[1])
                for t in members
            ]  # fmt: skip
            index = np.hstack(places)
            blocks.append((members, np.stack([full[np.ix_(row, row)] for row in index])))
        return blocks

    def fit(self, reml, optimizer="trust_region", start=None, control=None) -> dict[str, Any]:
        """The best of L-BFGS-B from a few starting points, whatever the optimizer is called."""
        diagonal = self.diagonal()
        bounds = [(0.0, None) if is_diagonal else (None, None) for is_diagonal in diagonal]
        starts = (
            [size * diagonal for size in (1.0, 0.1, 5.0)] if start is None else [np.asarray(start, float)]
        )
        log: list[tuple[np.ndarray, float]] = []

        def value_and_gradient(theta):
            value = self.evaluate(theta, reml)["objective"]
            log.append((theta.copy(), value))
            return value, self.gradient(theta, reml)

        options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": (control or {}).get("max_evaluations", 500)}
        runs = [
            optimize.minimize(
                value_and_gradient, point, jac=True, method="L-BFGS-B", bounds=bounds, options=options
            )
            for point in starts
        ]
        theta = min(runs, key=lambda run: run.fun).x
        gradient = self.gradient(theta, reml)
        return {
            **self.evaluate(theta, reml),
            "theta": theta,
            "gradient": gradient,
            "status": "converged",
            "converged": True,
            "message": "dense reference",
            "n_evaluations": len(log),
            "n_gradients": len(log),
            "log": {
                "theta": np.array([point for point, _ in log]),
                "objective": np.array([value for _, value in log]),
                "gradient_norm": np.full(len(log), np.nan),
            },
        }

    def marginal(self, factor):
        """V = W⁻¹ + ZΛΛ'Z'."""
        zf = self.z @ factor
        return np.diag(1 / self.weights) + zf @ zf.T


def entries(k, kind):
    """Rows and columns of a template's parameters, column by column."""
    if kind == "diag":
        return [(j, j) for j in range(k)]
    return [(i, j) for j in range(k) for i in range(j, k)]


def expand(codes, n_levels, z):
    """Columns of Z for one term: level by level, the k columns of a level together."""
    n, k = z.shape
    result = np.zeros((n, n_levels * k))
    for j in range(k):
        result[np.arange(n), codes * k + j] = z[:, j]
    return result


def independent_columns(x, tol=1e-9):
    """Columns of x that are no linear combination of those to their left."""
    kept: list[int] = []
    basis = np.zeros((len(x), 0))
    for j in range(x.shape[1]):
        column = x[:, j]
        rest = column - basis @ (basis.T @ column)
        rest = rest - basis @ (basis.T @ rest)
        norm = np.linalg.norm(rest)
        if norm > tol * max(np.linalg.norm(column), 1e-300):
            kept.append(j)
            basis = np.column_stack([basis, rest / norm])
    return np.array(kept, dtype=np.int64)
