"""What the engine computes for tests of fixed effects, against dense formulas."""

from __future__ import annotations

import numpy as np
import pytest

from design.building import build_design
from mixedmodels import _engine
from mixedmodels.fit.engine_terms import engine_terms
from oracles import dense_engine

N = 90


def data(seed: int):
    rng = np.random.default_rng(seed)
    return {
        "y": rng.normal(size=N),
        "x": rng.normal(size=N),
        "z": rng.normal(size=N) * 10,
        "f": rng.choice(list("abc"), N),
        "g": rng.integers(0, 9, N).astype(str),
        "h": rng.integers(0, 6, N).astype(str),
        "w": rng.uniform(0.5, 3, N),
        "o": rng.normal(size=N),
    }


CASES = {
    "intercept": ("y ~ x + f + (1 | g)", {}),
    "slope": ("y ~ x * f + (x | g)", {}),
    "diagonal": ("y ~ x + (x + z || g)", {}),
    "crossed": ("y ~ f + (x | g) + (1 | h)", {}),
    "nested": ("y ~ x + (1 | h / g)", {}),
    "two terms": ("y ~ x + (1 | g) + (0 + x + z | g)", {}),
    "weights and offset": ("y ~ x + (x | g) + (1 | h)", {"weights": "w", "offset": "o"}),
    "rank deficient": ("y ~ x + I(2 * x) + f + (1 | g)", {}),
}


@pytest.fixture(params=CASES, scope="module")
def pair(request):
    formula, options = CASES[request.param]
    design = build_design(formula, data(len(request.param)), **options)
    arguments = design.y, design.x, engine_terms(design), design.weights, design.offset
    return _engine.Lmm(*arguments), dense_engine.Lmm(*arguments)


def points(engine) -> list[np.ndarray]:
    """An ordinary point, and one where some factors are singular."""
    rng = np.random.default_rng(1)
    ordinary = rng.uniform(0.3, 1.2, engine.n_theta)
    singular = ordinary.copy()
    singular[-1] = 0.0
    return [ordinary, singular]


def close(got, wanted):
    np.testing.assert_allclose(got, wanted, rtol=1e-8, atol=1e-9 * np.abs(wanted).max())


def test_slopes_of_the_covariance(pair):
    fast, dense = pair
    for theta in points(fast):
        for reml in (False, True):
            close(fast.covariance_slopes(theta, reml), dense.covariance_slopes(theta, reml))


def test_kenward_roger(pair):
    fast, dense = pair
    for theta in points(fast):
        got, wanted = fast.kenward_roger(theta), dense.kenward_roger(theta)
        for key in ("phi", "p", "w", "adjusted"):
            close(got[key], wanted[key])


@pytest.mark.parametrize("reml", [False, True])
def test_joint_hessian(pair, reml):
    fast, dense = pair
    for theta in points(fast):
        close(fast.joint_hessian(theta, reml), dense.joint_hessian(theta, reml))
