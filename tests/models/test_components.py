"""getME: the pieces fit together as the theory says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from mixedmodels import lmer, load_dyestuff2, load_penicillin, load_sleepstudy
from mixedmodels.errors import ArgumentError, RankDeficiencyWarning, SingularFitWarning
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


def agrees(model):
    """The identities of the penalised system, with tolerances for rounding."""
    get = model.getME
    factor, order, scaled = get("L"), get("perm"), get("A")
    q, p = get("q"), get("p")
    system = (get("Lambdat") @ scaled[:q, :q] @ get("Lambda") + sparse.identity(q)).tocsc()
    np.testing.assert_allclose(
        (factor @ factor.T).toarray(), system[order][:, order].toarray(), rtol=1e-10, atol=1e-10
    )
    assert sparse.triu(factor, 1).nnz == 0
    assert sorted(order) == list(range(q))
    gram = scaled[q : q + p, q : q + p].toarray()
    np.testing.assert_allclose(
        get("RZX").T @ get("RZX") + get("RX").T @ get("RX"), gram, rtol=1e-8, atol=1e-8
    )


def test_factor_of_the_system(model):
    agrees(model)
    get = model.getME
    assert 2 * np.log(get("L").diagonal()).sum() == pytest.approx(get("devcomp")["cmp"]["ldL2"])
    weights, y = get("weights"), get("y") - get("offset")
    assert get("A")[-1, -1] == pytest.approx(weights @ np.square(y))
    np.testing.assert_allclose(get("A")[-1, : get("q")].toarray()[0], get("Zt") @ (weights * y))


def test_factor_beside_lme4():
    # lme4 1.1-31: getME(m, "RZX")[1:2, ] and the factor of the first subject
    get = fits("sleepstudy").getME
    np.testing.assert_allclose(get("RZX")[:2], [[3.02182011, 13.9635663], [0.26891264, 8.6312028]], rtol=3e-5)
    np.testing.assert_array_equal(get("perm"), np.arange(36))
    first = get("L")[:2, :2].toarray()
    np.testing.assert_allclose(first, [[3.425096, 0], [3.224326, 2.408267]], rtol=3e-5)


def test_factor_of_a_generalized_model():
    model = fits("cbpp")
    agrees(model)
    parts = model.getME("devcomp")["cmp"]
    # lme4 1.1-31: getME(g, "devcomp")$cmp, whose optimum is 6e-4 above ours
    assert parts["wrss"] == pytest.approx(63.067427495, rel=5e-4)
    assert parts["ussq"] == pytest.approx(9.725211159, rel=5e-4)
    assert parts["pwrss"] == pytest.approx(72.792638654, rel=5e-4)
    np.testing.assert_allclose(
        model.getME("RZX")[0], [2.0270319, 0.50845970, 0.34511307, 0.13405847], rtol=5e-4
    )


def test_factor_of_crossed_factors_with_dropped_columns():
    data = load_penicillin()
    data["twice"] = 2.0 * (data["sample"] == "A")
    data["once"] = data["twice"] / 2
    with pytest.warns(RankDeficiencyWarning):
        model = lmer("diameter ~ twice + once + (1 | plate) + (1 | sample)", data)
    agrees(model)
    assert model.getME("A").shape == (24 + 6 + 2 + 1,) * 2


def test_factor_of_a_singular_model():
    with pytest.warns(SingularFitWarning):
        model = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    agrees(model)
    np.testing.assert_allclose(model.getME("L").toarray(), np.eye(6))


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
