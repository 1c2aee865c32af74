"""What tests of fixed effects need of the engine, in dense textbook formulas."""

from __future__ import annotations

import numpy as np


class DenseInference:
    """
    Methods of the dense engine (`dense_engine.Lmm`), from V = W⁻¹ + ZΛΛ'Z' and its derivatives.

    Kenward & Roger (1997); for the derivatives Searle, Casella & McCulloch (1992), chapter 6.
    """

    def covariance_slopes(self, theta, reml=False):
        """∂(X'V⁻¹X)⁻¹/∂θ = C X'V⁻¹ ∂V V⁻¹X C."""
        x = self.x[:, self.kept]
        factor = self.covariance_factor(theta)
        vx = np.linalg.solve(self.marginal(factor), x)
        inverse = np.linalg.inv(x.T @ vx)
        half = vx @ inverse
        slopes = []
        for unit in np.eye(self.n_theta):
            moved = self.z @ self.covariance_factor(unit) @ factor.T @ self.z.T
            slopes.append(half.T @ (moved + moved.T) @ half)
        return np.array(slopes)

    def joint_hessian(self, theta, reml):
        """
        Of log|V| + m log σ² + r²/σ² (and log|X'V⁻¹X|) in θ and log σ, at the profiled σ.

        The profiled Hessian lacks the term of the profile, m ∂ᵢlog r² ∂ⱼlog r².
        """
        theta = np.asarray(theta, float)
        x, response = self.x[:, self.kept], self.y - self.offset
        factor = self.covariance_factor(theta)
        inverse = np.linalg.inv(self.marginal(factor))
        vx = inverse @ x
        py = inverse @ response - vx @ np.linalg.solve(x.T @ vx, vx.T @ response)
        m = self.n - self.rank if reml else self.n
        r2 = float(response @ py)
        zf = self.z @ factor
        changes = np.array([-2 * (py @ self.z @ self.covariance_factor(unit)) @ (zf.T @ py) / r2
                            for unit in np.eye(self.n_theta)])  # fmt: skip
        result = np.empty((self.n_theta + 1, self.n_theta + 1))
        result[:-1, :-1] = self.hessian(theta, reml) + m * np.outer(changes, changes)
        result[-1, :-1] = result[:-1, -1] = -2 * m * changes
        result[-1, -1] = 4 * m
        return result

    def kenward_roger(self, theta):
        """P, Q and the expected information of V = Σ s G, at the REML σ of θ."""
        x = self.x[:, self.kept]
        sigma2 = self.evaluate(theta, True)["sigma"] ** 2
        inverse = np.linalg.inv(sigma2 * self.marginal(self.covariance_factor(theta)))
        vx = inverse @ x
        phi = np.linalg.inv(x.T @ vx)
        parts = [*self.variance_directions(), np.diag(1 / self.weights)]
        p = np.array([-vx.T @ g @ vx for g in parts])
        r = len(parts)
        moved = [inverse @ g for g in parts]
        q = np.array([[vx.T @ g @ inverse @ h @ vx for h in parts] for g in parts])
        information = np.empty((r, r))
        for i in range(r):
            for j in range(r):
                information[i, j] = (
                    np.sum(moved[i] * moved[j].T)
                    - 2 * np.trace(phi @ q[i, j])
                    + np.trace(phi @ p[i] @ phi @ p[j])
                )
        w = 2 * np.linalg.inv(information)
        middle = sum(w[i, j] * (q[i, j] - p[i] @ phi @ p[j]) for i in range(r) for j in range(r))
        return {"adjusted": phi + 2 * phi @ middle @ phi, "phi": phi, "p": p, "w": w}

    def variance_directions(self):
        """Z E Z' for the distinct elements of each term's covariance matrix, column by column."""
        found, start = [], 0
        for _, n_levels, z, kind in self.terms:
            k = z.shape[1]
            part = self.z[:, start : start + n_levels * k]
            start += n_levels * k
            for j in range(k):
                for i in range(j, k) if kind != "diag" else [j]:
                    element = np.zeros((k, k))
                    element[i, j] = element[j, i] = 1.0
                    found.append(part @ np.kron(np.eye(n_levels), element) @ part.T)
        return found
