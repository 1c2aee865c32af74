"""What the engine gives to Satterthwaite's and to Kenward and Roger's degrees of freedom."""

from __future__ import annotations

import numpy as np
import pytest

from mixedmodels import _engine, lmer, load_dyestuff, load_insteval
from mixedmodels.fit.state import fitted_of
from oracles import dense_engine


def arrays(n=70, p=3, weighted=True):
    rng = np.random.default_rng(8)
    x = np.column_stack([np.ones(n), rng.normal(3, 1, size=(n, 2))])[:, :p]
    codes = [rng.integers(0, levels, n).astype(np.uint32) for levels in (9, 6)]
    slope = np.column_stack([np.ones(n), rng.normal(2, 1, size=n)])
    terms = [(codes[0], 9, slope, "us", None), (codes[1], 6, slope, "diag", None)]
    y = rng.normal(size=9)[codes[0]] + rng.normal(size=6)[codes[1]] + rng.normal(size=n)
    if not weighted:
        return y, x, terms
    return y, x, terms, rng.uniform(0.5, 2, n), rng.normal(size=n)


THETAS = {"regular": [0.8, 0.3, 0.5, 0.7, 0.4], "singular": [0.8, 0.3, 0.0, 0.7, 0.0]}


@pytest.mark.parametrize("theta", THETAS.values(), ids=THETAS)
@pytest.mark.parametrize("weighted", [True, False], ids=["weights", "no weights"])
def test_everything_agrees_with_dense_formulas(theta, weighted):
    given = arrays(weighted=weighted)
    engine, dense = _engine.Lmm(*given), dense_engine.Lmm(*given)
    theta = np.array(theta)
    slopes, wanted = engine.covariance_slopes(theta), dense.covariance_slopes(theta)
    np.testing.assert_allclose(slopes, wanted, rtol=1e-8, atol=1e-9 * np.abs(wanted).max())
    ours, wanted = engine.kenward_roger(theta), dense.kenward_roger(theta)
    assert not ours.pop("undetermined").any()
    assert ours.keys() == wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-8, atol=1e-9 * np.abs(values).max())


def test_models_without_fixed_effects():
    y, x, terms = arrays(p=0, weighted=False)
    theta = np.array(THETAS["regular"])
    engine = _engine.Lmm(y, x, terms)
    assert engine.covariance_slopes(theta).shape == (5, 0, 0)
    parts = engine.kenward_roger(theta)
    assert {name: part.shape for name, part in parts.items()} == {
        "adjusted": (0, 0),
        "phi": (0, 0),
        "p": (6, 0, 0),
        "w": (6, 6),
        "undetermined": (6, 6),
    }


def test_a_term_twice_counts_once():
    y, x, terms = arrays(weighted=False)
    half = np.array([0.8, 0.3, 0.5])
    twice = _engine.Lmm(y, x, [terms[0], terms[0]]).kenward_roger(np.tile(half, 2))
    once = _engine.Lmm(y, x, [terms[0]]).kenward_roger(np.sqrt(2) * half)
    for name in ("adjusted", "phi"):
        np.testing.assert_allclose(twice[name], once[name], rtol=1e-8)
    # Sums of equal elements are the elements of the one term.
    total = np.hstack([np.eye(4)[:, :3], np.eye(4)])
    np.testing.assert_allclose(total @ twice["w"] @ total.T, once["w"], rtol=1e-7, atol=1e-9)
    directions = twice["undetermined"][twice["undetermined"].any(axis=1)]
    assert len(directions) == 3
    np.testing.assert_allclose(directions @ total.T, 0, atol=1e-8 * np.abs(directions).max())


def test_a_theta_of_another_length_is_refused():
    engine = _engine.Lmm(*arrays())
    for method in (engine.covariance_slopes, engine.kenward_roger):
        with pytest.raises(ValueError, match="theta has length 2, but 5 is needed"):
            method(np.ones(2))


def test_the_balanced_one_way_layout():
    """There the estimates are those of the analysis of variance: independent mean squares."""
    fitted = fitted_of(lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()))
    parts = fitted.engine.kenward_roger(fitted.estimates.theta)
    batches, per_batch = 6, 5
    within = fitted.estimates.sigma**2
    between = within * (1 + per_batch * fitted.estimates.theta[0] ** 2)
    of_within = 2 * within**2 / (batches * (per_batch - 1))
    of_between = 2 * between**2 / (batches - 1)
    w = np.array(
        [
            [(of_between + of_within) / per_batch**2, -of_within / per_batch],
            [-of_within / per_batch, of_within],
        ]
    )
    np.testing.assert_allclose(parts["w"], w, rtol=1e-10)
    # The mean's estimate does not depend on the variances, so its covariance needs no adjustment.
    np.testing.assert_allclose(parts["phi"], [[between / (batches * per_batch)]], rtol=1e-10)
    np.testing.assert_allclose(parts["adjusted"], parts["phi"], rtol=1e-10)


def test_the_parts_add_up_where_no_dense_matrix_fits():
    """V = Σ s G is linear: Σ s P = -Φ⁻¹ and s'(2 W⁻¹)s = tr(P V P V) = n - p."""
    data = load_insteval()
    fitted = fitted_of(lmer("y ~ service + (1 | s) + (1 | d)", data))
    theta, sigma = fitted.estimates.theta, fitted.estimates.sigma
    parts = fitted.engine.kenward_roger(theta)
    s = sigma**2 * np.append(theta**2, 1.0)
    np.testing.assert_allclose(np.tensordot(s, parts["p"], 1), -np.linalg.inv(parts["phi"]), rtol=1e-7)
    trace = 2 * s @ np.linalg.solve(parts["w"], s)
    assert trace == pytest.approx(len(data) - 2, rel=1e-9)
