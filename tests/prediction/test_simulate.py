"""Simulation from generalized models: forms, reproducibility, moments, and that refit takes what it gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import glmer, load_bacteria, load_cbpp, load_dietox, load_epil
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
