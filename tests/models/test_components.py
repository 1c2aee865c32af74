"""getME: the pieces fit together as the theory says."""

from __future__ import annotations

import numpy as np
import pytest

from mixedmodels import lmer, load_sleepstudy
from mixedmodels.errors import ArgumentError
from mixedmodels.models.components import LINEAR
from shared_fits import fits


@pytest.fixture(scope="module", params=["Days | Subject", "Days || Subject"])
def model(request):
    data = load_sleepstudy()
    data["half"] = np.array(["a", "b", "c"])[np.arange(180) % 3]
    data["Reaction"] += 30 * (np.arange(180) % 3)
    weights = np.linspace(0.5, 1.5, 180)
    formula = f"Reaction ~ Days + (1 | half) + ({request.param})"
    return lmer(formula, data, weights=weights, offset=np.arange(180.0))


def test_linear_predictor(model):
    get = model.getME
    mu = get("X") @ get("beta") + get("Z") @ get("b") + get("offset")
    np.testing.assert_allclose(mu, get("mu"), rtol=1e-10)
    np.testing.assert_allclose(get("Lambda") @ get("u"), get("b"), atol=1e-8)
    np.testing.assert_array_equal(get("Zt").toarray(), get("Z").toarray().T)
    np.testing.assert_array_equal(get("Lambdat").toarray(), get("Lambda").toarray().T)


def test_linear_index(model):
    stored = model.getME("Lambda").toarray().T
    index = model.getME("Lind")
    assert index.max() == len(model.theta) - 1
    positions = np.flatnonzero(stored.ravel())
    np.testing.assert_allclose(stored.ravel()[positions], model.theta[index])


def test_deviance_components(model):
    parts = model.getME("devcomp")
    cmp, dims = parts["cmp"], parts["dims"]
    assert cmp["wrss"] + cmp["ussq"] == pytest.approx(cmp["pwrss"])
    df = dims["n"] - dims["p"]
    objective = cmp["ldL2"] + cmp["ldRX2"] + df * (1 + np.log(2 * np.pi * cmp["pwrss"] / df))
    objective -= np.sum(np.log(model.getME("weights")))
    assert objective == pytest.approx(model.objective)
    assert cmp["sigmaREML"] == pytest.approx(model.sigma)


def test_fixed_factor(model):
    factor = model.getME("RX")
    np.testing.assert_allclose(model.sigma**2 * np.linalg.inv(factor.T @ factor), model.vcov(), rtol=1e-8)


def test_sizes(model):
    get = model.getME
    assert get("q") == get("Z").shape[1] == get("Gp")[-1] == 39
    assert get("Tp")[-1] == len(model.theta)
    assert get("n_rtrms") == get("k") == 2
    assert list(get("flist").columns) == ["Subject", "half"]
    assert get("cnms") == [("Subject", ("(Intercept)", "Days")), ("half", ("(Intercept)",))]
    assert len(get("lower")) == len(get("theta_names")) == get("m")


def test_objective_as_a_function():
    model = fits("dyestuff")
    objective = model.getME("devfun")
    assert objective([1.0]) == pytest.approx(319.792389042)
    assert objective(model.theta) == pytest.approx(model.objective)


def test_zt_of_dyestuff():
    transposed = fits("dyestuff").getME("Zt")
    assert transposed.shape == (6, 30)
    np.testing.assert_array_equal(transposed.toarray(), np.kron(np.eye(6), np.ones((1, 5))))


def test_names(model):
    assert set(model.getME("ALL")) == set(LINEAR)
    assert set(model.getME(["n", "p"])) == {"n", "p"}
    with pytest.raises(ArgumentError, match="did you mean 'Lambda'"):
        model.getME("lambda")
    with pytest.raises(ArgumentError, match="devcomp"):
        model.getME("nonsense")
    with pytest.raises(ArgumentError, match="must be a string or a list of strings"):
        model.getME(3)
