"""Simulation: forms, reproducibility, moments, and that refit takes what it gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import glmer, lmer, load_bacteria, load_cbpp, load_dietox, load_epil
from mixedmodels.errors import ArgumentError
from shared_fits import fits

CBPP = load_cbpp()


@pytest.fixture(scope="module")
def counts():
    return fits("cbpp")


def test_counts(counts):
    drawn = counts.simulate(2, rng=1)
    assert list(drawn.columns) == [(f"sim_{i}", part) for i in (1, 2) for part in ("successes", "failures")]
    np.testing.assert_array_equal(drawn["sim_1"].sum(axis=1), CBPP["size"])
    assert drawn["sim_1"].equals(counts.simulate(1, rng=1)["sim_1"])
    assert not drawn["sim_1"].equals(drawn["sim_2"])
    refitted = counts.refit(drawn["sim_1"])
    assert refitted.nobs == 56
    assert not np.allclose(refitted.beta, counts.beta)


def test_proportions():
    data = CBPP.assign(share=CBPP["incidence"] / CBPP["size"])
    model = glmer("share ~ period + (1 | herd)", data, "binomial", weights="size")
    drawn = model.simulate(2, rng=3)
    successes = drawn["sim_2"] * CBPP["size"]
    np.testing.assert_allclose(successes, successes.round(), atol=1e-9)
    assert model.refit(drawn["sim_2"]).nobs == 56


def test_labels_and_truth_values():
    data = load_bacteria()
    labels = glmer("y ~ week + (1 | ID)", data, "binomial").simulate(1, rng=1)["sim_1"]
    assert set(labels) == {"n", "y"}
    truth = data.assign(y=data["y"] == "y")
    drawn = glmer("y ~ week + (1 | ID)", truth, "binomial").simulate(1, rng=1)["sim_1"]
    assert drawn.dtype == bool
    np.testing.assert_array_equal(drawn, labels == "y")


@pytest.mark.parametrize("family", ["poisson", "nbinom2", "nbinom1"])
def test_numbers(family):
    model = glmer("y ~ lbase + (1 | subject)", load_epil(), family)
    drawn = model.simulate(400, rng=2, use_u=True)
    assert drawn.shape == (236, 400)
    variance = model.family.variance(model.fitted(), model.dispersion)
    z = (drawn.to_numpy().mean(axis=1) - model.fitted()) / np.sqrt(variance / 400)
    assert np.abs(z).max() < 5.5
    assert model.refit(drawn["sim_1"]).nobs == 236


def test_new_effects_have_the_estimated_variance():
    model = fits("dietox", "Weight ~ Time + (1 | Pig)", "gamma")
    drawn = np.log(model.simulate(60, rng=4))
    by_pig = drawn.groupby(load_dietox()["Pig"].to_numpy()).mean()
    kept = np.log(model.simulate(60, rng=4, use_u=True))
    spread = by_pig.to_numpy().std(axis=0).mean()
    assert spread == pytest.approx(model.VarCorr()["Pig"].sd[0], rel=0.25)
    # With the modes kept, the mean of a pig varies between simulations by the residuals only.
    between = kept.groupby(load_dietox()["Pig"].to_numpy()).mean().std(axis=1).mean()
    assert between < 0.5 * by_pig.std(axis=1).mean()


def test_row_labels_and_padding(counts):
    labelled = CBPP.set_axis([f"r{i}" for i in range(56)])
    model = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", labelled, "binomial")
    assert list(model.simulate(1, rng=1).index[:2]) == ["r0", "r1"]
    gap = CBPP.assign(size=CBPP["size"].astype(float).where(np.arange(56) != 3))
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    padded = glmer(formula, gap, "binomial", na_action="exclude").simulate(1, rng=1)
    assert pd.isna(padded.iloc[3]).all()
    assert not pd.isna(padded.drop(index=3)).any(axis=None)


@pytest.mark.parametrize("nsim", [0, -1, 1.5, True, "2"])
def test_wrong_numbers(counts, nsim):
    with pytest.raises(ArgumentError, match="nsim"):
        counts.simulate(nsim)


LINEAR_OPTIONS = {
    "plain": {},
    "weights": {"weights": "w"},
    "offset": {"offset": "o"},
    "missing": {"weights": "w", "na_action": "exclude"},
}


def linear_model(name):
    rng = np.random.default_rng(8)
    g = np.arange(60) % 6
    data = pd.DataFrame(
        {"x": rng.standard_normal(60), "g": g.astype(str), "h": (np.arange(60) // 15).astype(str)}
    )
    data["w"], data["o"] = rng.uniform(0.3, 3.0, 60), rng.standard_normal(60)
    data["y"] = rng.standard_normal(60) + data["x"] * (1 + rng.standard_normal(6)[g]) + 2 * (g % 2)
    if name == "missing":
        data.loc[[3, 40], "x"] = np.nan
    return lmer("y ~ x + (x | g) + (1 | h)", data, **LINEAR_OPTIONS[name])


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")
@pytest.mark.parametrize("name", LINEAR_OPTIONS)
def test_linear_models_have_their_mean_and_covariance(name):
    model = linear_model(name)
    n, drawn = 6000, model.simulate(6000, rng=11)
    if name == "missing":
        assert drawn.isna().any(axis=1).to_numpy().nonzero()[0].tolist() == [3, 40]
        drawn = drawn.dropna()
    values = drawn.to_numpy()
    mean = model.predict(re_form="~0")
    mean = mean[~np.isnan(mean)]
    z, factor = model.getME("Z").toarray(), model.getME("Lambda").toarray()
    covariance = model.sigma**2 * (z @ factor @ factor.T @ z.T + np.diag(1 / model.getME("weights")))
    sd = np.sqrt(np.diag(covariance))
    np.testing.assert_array_less(np.abs(values.mean(axis=1) - mean) / sd, 5 / np.sqrt(n))
    scale = np.outer(sd, sd)
    np.testing.assert_allclose(np.cov(values) / scale, covariance / scale, atol=6 / np.sqrt(n))


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")
@pytest.mark.parametrize("name", LINEAR_OPTIONS)
def test_linear_models_keep_their_modes_on_request(name):
    model = linear_model(name)
    values = model.simulate(4000, rng=12, use_u=True).dropna().to_numpy()
    fitted = model.fitted()[~np.isnan(model.fitted())]
    sd = model.sigma / np.sqrt(model.getME("weights"))
    np.testing.assert_array_less(np.abs(values.mean(axis=1) - fitted) / sd, 5 / np.sqrt(4000))
    np.testing.assert_allclose(values.std(axis=1) / sd, 1.0, atol=5 / np.sqrt(2 * 4000))


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")
def test_linear_models_can_be_refitted_to_what_they_draw():
    model = linear_model("missing")
    drawn = model.simulate(2, rng=5)
    for name in drawn:
        assert model.refit(drawn[name]).nobs == 58


def test_arguments_of_simulate():
    with pytest.raises(ArgumentError, match="nsim must be a whole number of at least 1, not 0"):
        linear_model("plain").simulate(0)
    with pytest.raises(ArgumentError, match="rng must be a whole number"):
        linear_model("plain").simulate(1, rng="a")
