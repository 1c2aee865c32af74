"""
The interface of the engine's generalized models in dense textbook formulas: an independent reference.

Log-densities are written for complex linear predictors, so that scores are exact by the complex step and
information is a difference of exact scores. Modes come from Newton's method with the whole matrix
Λ'Z'WZΛ + I, marginal likelihoods from the formulas of the Laplace approximation and of adaptive
Gauss-Hermite quadrature (Pinheiro & Chao 2006), gradients and Hessians from differences of these values.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from scipy import linalg, optimize, special

from oracles.dense_engine import DenseTerms, entries, expand, independent_columns

COMPLEX_STEP = 1e-30
STEP = 1e-3


class Glmm(DenseTerms):
    """A generalized linear mixed model; arguments and results as those of ``mixedmodels._engine.Glmm``."""

    def __init__(self, y, x, terms, family, weights=None, offset=None, n_agq=1, information="observed"):
        self.y, self.x = np.asarray(y, float), np.asarray(x, float)
        self.n = len(self.y)
        self.given = (terms, family, offset, n_agq, information)
        self.weights = np.ones(self.n) if weights is None else np.asarray(weights, float)
        self.offset = np.zeros(self.n) if offset is None else np.asarray(offset, float)
        self.terms = [(np.asarray(c, np.int64), int(m), np.asarray(z, float), k) for c, m, z, k, _ in terms]
        self.family, self.n_agq, self.information = dict(family), n_agq, information
        self.kept = frozen(independent_columns(self.x))
        self.rank = len(self.kept)
        self.z = np.hstack([expand(codes, m, z) for codes, m, z, _ in self.terms])
        self.n_theta = sum(len(entries(z.shape[1], kind)) for _, _, z, kind in self.terms)
        self.n_dispersion = int(family["name"] in DISPERSED and family.get("dispersion") is None)
        self.n_bytes = 0.0
        self.start_u = np.zeros(self.z.shape[1])

    def describe_blocks(self):
        return {"blocks": [], "n_bytes": 0.0}

    def with_response(self, y, weights=None):
        terms, family, offset, n_agq, information = self.given
        return Glmm(y, self.x, terms, family, weights, offset, n_agq, information)

    # Densities

    def dispersion(self, log_dispersion):
        fixed = self.family.get("dispersion")
        if self.family["name"] not in DISPERSED:
            return np.nan
        return float(np.exp(log_dispersion)) if fixed is None else fixed

    def log_density(self, eta, d):
        if self.family["name"] == "user":
            return self.family["log_density"](self.y, np.real(eta), self.weights)
        with np.errstate(all="ignore"):
            return DENSITIES[self.family["name"]](
                self.y, INVERSE[self.family["link"]](eta), self.weights, d, eta, self.family["link"]
            )

    def score(self, eta, d):
        if self.family["name"] == "user":
            return self.family["score"](self.y, eta, self.weights)
        return np.imag(self.log_density(eta + 1j * COMPLEX_STEP, d)) / COMPLEX_STEP

    def observed(self, eta, d):
        h = 1e-3
        near = [self.score(eta + k * h, d) for k in (-3, -2, -1, 1, 2, 3)]
        return (near[0] - 9 * near[1] + 45 * near[2] - 45 * near[3] + 9 * near[4] - near[5]) / (60 * h)

    def weighing(self, eta, d):
        """The information in the log-determinant."""
        if self.information == "observed" or self.family["name"] in ("user", "nbinom1", "beta"):
            return self.observed(eta, d)
        link = INVERSE[self.family["link"]]
        mu = link(eta)
        slope = np.imag(link(eta + 1j * COMPLEX_STEP)) / COMPLEX_STEP
        return self.weights * slope**2 / VARIANCES[self.family["name"]](mu, d)

    # Modes

    def value(self, theta, beta, log_dispersion):
        """Objective, modes and what belongs to them."""
        d = self.dispersion(log_dispersion)
        zl = self.z @ self.covariance_factor(theta)
        joint = self.n_agq == 0
        design = np.hstack([zl, self.x[:, self.kept]]) if joint else zl
        fixed = self.offset if joint else self.offset + self.x[:, self.kept] @ beta
        q, start = zl.shape[1], np.concatenate([self.start_u, beta]) if joint else self.start_u
        unknowns = self.modes(design, fixed, start, q, d)
        u = unknowns[:q]
        beta = unknowns[q:] if joint else np.asarray(beta, float)
        eta = fixed + design @ unknowns
        w = self.weighing(eta, d)
        m = zl.T @ (w[:, None] * zl) + np.eye(q)
        sign, log_det = np.linalg.slogdet(m)
        if sign <= 0:
            return np.inf, u, beta, eta, w, m, d
        if self.n_agq <= 1:
            objective = -2 * self.log_density(eta, d).sum() + u @ u + log_det
        else:
            objective = self.quadrature(zl, fixed, u, m, d)
        return float(np.real(objective)), u, beta, eta, w, m, d

    def modes(self, design, fixed, start, q, d):
        """The u (and beta) of the largest penalised likelihood, by Newton's method with halved steps."""
        penalty = np.concatenate([np.ones(q), np.zeros(design.shape[1] - q)])

        def target(point):
            value = self.log_density(fixed + design @ point, d).sum() - penalty @ point**2 / 2
            return value if np.isfinite(value) else -np.inf

        point = start.copy()
        best = target(point)
        for _ in range(200):
            eta = fixed + design @ point
            slope = design.T @ self.score(eta, d) - penalty * point
            curvature = design.T @ (self.observed(eta, d)[:, None] * design) + np.diag(penalty)
            if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0:
                w = np.maximum(np.abs(np.nan_to_num(self.observed(eta, d))), 1e-6)
                curvature = design.T @ (w[:, None] * design) + np.diag(penalty) + 1e-9 * np.eye(len(penalty))
            step = np.linalg.solve(curvature, slope)
            size = 1.0
            while (new := target(point + size * step)) < best - 1e-12 * abs(best) and size > 1e-10:
                size /= 2
            point, best = point + size * step, max(new, best)
            if abs(slope @ step) < 1e-22:
                break
        return point

    def quadrature(self, zl, fixed, u, m, d):
        codes, n_levels = self.terms[0][:2]
        starts = np.concatenate([[0], np.cumsum([n_levels * z.shape[1] for _, _, z, _ in self.terms])])
        widths = [z.shape[1] for _, _, z, _ in self.terms]
        nodes, weights = np.polynomial.hermite_e.hermegauss(self.n_agq)
        log_weights = np.log(weights / weights.sum())
        grid = list(product(range(self.n_agq), repeat=sum(widths)))
        total = 0.0
        for level in range(n_levels):
            rows = codes == level
            own = np.concatenate([starts[t] + level * k + np.arange(k) for t, k in enumerate(widths)])
            block = m[np.ix_(own, own)]
            root = linalg.cholesky(block, lower=True)
            logs = []
            for picked in grid:
                z = nodes[list(picked)]
                moved = u.copy()
                moved[own] += linalg.solve_triangular(root.T, z, lower=False)
                log_density = self.log_density(fixed + zl @ moved, d)[rows].sum()
                logs.append(
                    log_weights[list(picked)].sum() + log_density - (moved[own] @ moved[own] - z @ z) / 2
                )
            total += 2 * np.sum(np.log(np.diag(root))) - 2 * special.logsumexp(np.real(logs))
        return total

    # The interface

    def evaluate(self, theta, beta, log_dispersion):
        objective, u, beta, eta, w, m, d = self.value(np.asarray(theta, float), beta, log_dispersion)
        factor = self.covariance_factor(theta)
        zl, x = self.z @ factor, self.x[:, self.kept]
        wx = w[:, None] * x
        xtvx = x.T @ wx - wx.T @ zl @ np.linalg.solve(m, zl.T @ wx)
        return {
            "theta": frozen(theta),
            "beta": frozen(beta),
            "dispersion": d,
            "objective": objective,
            "log_det_z": float(np.linalg.slogdet(m)[1]),
            "b": [frozen(part) for part in self.by_term(factor @ u)],
            "u": [frozen(part) for part in self.by_term(u)],
            "eta": frozen(eta),
            "xtvx_inv": frozen(np.linalg.inv(xtvx)),
        }

    def objective(self, parameters):
        return self.value(*self.unpack(parameters))[0]

    def gradient(self, theta, beta, log_dispersion):
        return frozen(self.slopes(self.pack(theta, beta, log_dispersion)))

    def slopes(self, point):
        """Differences of sixth order."""
        result = np.empty(len(point))
        for i, unit in enumerate(np.eye(len(point))):
            near = [self.objective(point + k * STEP * unit) for k in (-3, -2, -1, 1, 2, 3)]
            weights = np.array([-1, 9, -45, 45, -9, 1]) / (60 * STEP)
            result[i] = weights @ near
        return result

    def hessian(self, theta, beta, log_dispersion):
        point, h = self.pack(theta, beta, log_dispersion), 2 * STEP
        units = np.eye(len(point))
        rows = [
            (
                self.slopes(point - 2 * h * unit)
                - 8 * self.slopes(point - h * unit)
                + 8 * self.slopes(point + h * unit)
                - self.slopes(point + 2 * h * unit)
            )
            / (12 * h)
            for unit in units
        ]
        matrix = np.array(rows)
        return frozen((matrix + matrix.T) / 2)

    def conditional_variances(self, theta, beta, log_dispersion):
        factor = self.covariance_factor(theta)
        m = self.value(np.asarray(theta, float), beta, log_dispersion)[5]
        full = factor @ np.linalg.inv(m) @ factor.T
        starts = np.concatenate([[0], np.cumsum([m * z.shape[1] for _, m, z, _ in self.terms])])
        blocks = []
        for members in self.same_codes():
            n_levels = self.terms[members[0]][1]
            index = np.hstack(
                [
                    starts[t] + np.arange(n_levels)[:, None] * self.terms[t][2].shape[1]
                    + np.arange(self.terms[t][2].shape[1])
                    for t in members
                ]
            )  # fmt: skip
            blocks.append((members, np.stack([full[np.ix_(row, row)] for row in index])))
        return blocks

    def fit(self, optimizer="trust_region", start=None, control=None) -> dict[str, Any]:
        """L-BFGS-B followed by Newton steps, whatever the optimizer is called."""
        start = start or {}
        theta = np.asarray(start.get("theta", 0.5 * self.diagonal()), float)
        beta = np.asarray(start.get("beta", self.glm()), float)
        self.beta0 = beta
        point = self.pack(theta, beta, start.get("log_dispersion", 0.0))
        log: list[tuple[np.ndarray, float]] = []

        def value(parameters):
            result = self.objective(parameters)
            log.append((parameters.copy(), result))
            return result if np.isfinite(result) else 1e10

        bounds = [(0.0, None) if i < self.n_theta and self.diagonal()[i] else (None, None)
                  for i in range(len(point))]  # fmt: skip
        run = optimize.minimize(
            value, point, jac=self.slopes, method="L-BFGS-B", bounds=bounds,
            options={"ftol": 1e-14, "gtol": 1e-8, "maxiter": 300},
        )  # fmt: skip
        point = run.x
        gradient = self.slopes(point)
        final = self.evaluate(*self.unpack(point))
        return {
            **final,
            "gradient": frozen(gradient),
            "status": "converged",
            "converged": True,
            "message": "dense reference",
            "n_evaluations": len(log),
            "n_gradients": len(log),
            "n_factorisations": 0,
            "log": {
                "theta": frozen(np.array([parameters for parameters, _ in log])),
                "objective": frozen(np.array([result for _, result in log])),
                "gradient_norm": frozen(np.full(len(log), np.nan)),
                "second_start": None,
            },
        }

    def glm(self):
        """Coefficients of the model without random effects."""
        x, link = self.x[:, self.kept], self.family["link"]
        mean = np.clip(self.y.sum() / self.weights.sum(), 1e-3, None)
        target = START.get(link, np.log)(mean) if self.family["name"] != "user" else 0.0
        beta = np.linalg.lstsq(x, np.full(self.n, target) - self.offset, rcond=None)[0]
        return self.modes(x, self.offset, beta, 0, 1.0)

    def pack(self, theta, beta, log_dispersion):
        parts = [np.asarray(theta, float)]
        if self.n_agq > 0:
            parts.append(np.asarray(beta, float))
        else:
            self.beta0 = np.asarray(beta, float)
        return np.concatenate([*parts, [log_dispersion] * self.n_dispersion])

    def unpack(self, parameters):
        theta, rest = parameters[: self.n_theta], parameters[self.n_theta :]
        log_dispersion = rest[-1] if self.n_dispersion else 0.0
        beta = rest[: self.rank] if self.n_agq > 0 else self.glm()
        return theta, beta, log_dispersion


def frozen(array):
    result = np.array(array)
    result.flags.writeable = False
    return result


# Means and log-densities, for complex linear predictors.

INVERSE = {
    "logit": lambda eta: 1 / (1 + np.exp(-eta)),
    "probit": lambda eta: special.ndtr(eta) if np.isrealobj(eta) else np.exp(special.log_ndtr(eta)),
    "cloglog": lambda eta: 1 - np.exp(-np.exp(eta)),
    "log": np.exp,
    "identity": lambda eta: eta,
    "sqrt": lambda eta: eta**2,
    "inverse": lambda eta: 1 / eta,
    "1/mu^2": lambda eta: eta**-0.5,
}
START = {
    "logit": lambda mu: np.log(mu / (1 - mu)),
    "probit": special.ndtri,
    "cloglog": lambda mu: np.log(-np.log1p(-mu)),
    "log": np.log,
    "identity": lambda mu: mu,
    "sqrt": np.sqrt,
    "inverse": lambda mu: 1 / mu,
    "1/mu^2": lambda mu: mu**-2,
}


def binomial(y, mu, n, d, eta, link):
    constant = special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
    if link == "probit":
        return constant + y * special.log_ndtr(eta) + (n - y) * special.log_ndtr(-eta)
    if link == "logit":
        # log p = min(eta, 0) - log(1 + exp(-|eta|)), by the sign of the real part
        sign = np.where(np.real(eta) >= 0, 1.0, -1.0)
        common = np.log1p(np.exp(-sign * eta))
        return constant + y * np.where(sign > 0, 0, eta) - (n - y) * np.where(sign > 0, eta, 0) - n * common
    return constant + y * np.log(mu) + (n - y) * np.log(1 - mu)


def poisson(y, mu, w, d, eta, link):
    log_mu = eta if link == "log" else np.log(mu)
    return w * (y * log_mu - mu - special.gammaln(y + 1))


def gaussian(y, mu, w, d, eta, link):
    return -((y - mu) ** 2) * w / (2 * d) - np.log(2 * np.pi * d / w) / 2


def gamma(y, mu, w, d, eta, link):
    shape = w / d
    return shape * np.log(shape * y / mu) - shape * y / mu - np.log(y) - special.gammaln(shape)


def inverse_gaussian(y, mu, w, d, eta, link):
    return -w * (y - mu) ** 2 / (2 * d * mu**2 * y) - np.log(2 * np.pi * d * y**3 / w) / 2


def nbinom2(y, mu, w, k, eta, link):
    constant = special.gammaln(y + k) - special.gammaln(k) - special.gammaln(y + 1)
    return w * (constant + k * np.log(k / (mu + k)) + y * np.log(mu / (mu + k)))


def nbinom1(y, mu, w, d, eta, link):
    size = mu / d
    constant = special.loggamma(y + size) - special.loggamma(size) - special.gammaln(y + 1)
    return w * (constant - size * np.log1p(d) + y * np.log(d / (1 + d)))


def beta(y, mu, w, phi, eta, link):
    a, b = mu * phi, (1 - mu) * phi
    constant = special.gammaln(phi) - special.loggamma(a) - special.loggamma(b)
    return w * (constant + (a - 1) * np.log(y) + (b - 1) * np.log1p(-y))


DENSITIES = {
    "binomial": binomial,
    "poisson": poisson,
    "gaussian": gaussian,
    "gamma": gamma,
    "inverse_gaussian": inverse_gaussian,
    "nbinom2": nbinom2,
    "nbinom1": nbinom1,
    "beta": beta,
}
DISPERSED = {"gaussian", "gamma", "inverse_gaussian", "nbinom2", "nbinom1", "beta"}
VARIANCES = {
    "binomial": lambda mu, d: mu * (1 - mu),
    "poisson": lambda mu, d: mu,
    "gaussian": lambda mu, d: d,
    "gamma": lambda mu, d: d * mu**2,
    "inverse_gaussian": lambda mu, d: d * mu**3,
    "nbinom2": lambda mu, d: mu + mu**2 / d,
}
