"""Families made of the caller's functions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import mixedmodels as mm
from mixedmodels import families
from mixedmodels.errors import ArgumentError


def log_density(y, eta, weights):
    return weights * (y * eta - np.exp(eta))


def score(y, eta, weights):
    return weights * (y - np.exp(eta))


def information(y, eta, weights):
    return weights * np.exp(eta)


def wrong(y, eta, weights):
    return weights * np.exp(eta) * 1.01


def test_a_poisson_of_ones_own():
    family = families.user(log_density, score, information, information, link="log", variance=lambda mu: mu)
    y, eta, weights = np.array([0.0, 3.0]), np.array([0.1, 0.5]), np.ones(2)
    poisson = families.Poisson()
    np.testing.assert_allclose(family.mean(eta), np.exp(eta))
    np.testing.assert_allclose(family.pearson(y, eta, weights, 1.0), poisson.pearson(y, eta, weights, 1.0))
    engine = family.for_engine()
    assert engine["name"] == "user"
    with np.errstate(all="raise"):
        assert engine["slope"](y, np.array([0.0, 1e3]), weights)[1] == np.inf
    # Without a variance the score takes the place of the Pearson residual: the same for this link.
    plain = families.user(log_density, score, information, information, link="log")
    np.testing.assert_allclose(plain.pearson(y, eta, weights, 1.0), poisson.pearson(y, eta, weights, 1.0))
    with pytest.raises(ArgumentError, match="variance="):
        plain.variance(eta, 1.0)
    with pytest.raises(ArgumentError, match="draw="):
        plain.draw(np.random.default_rng(1), eta, weights, 1.0)
    with pytest.raises(ArgumentError, match="deviance"):
        plain.deviance(y, eta, weights, 1.0)


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        (
            (log_density, wrong, information, information),
            "score is not the derivative of log_density: at y = ",
        ),
        ((log_density, score, score, information), "information is not minus the derivative of score"),
        ((log_density, score, information, wrong), "third is not the derivative of information"),
        ((log_density, score, information, 3), "third must be a function"),
        ((log_density, lambda y, eta, w: 0.0, information, information), "one value for each row"),
        ((log_density, lambda y, eta, w: 1 / 0, information, information), "score raised ZeroDivisionError"),
        ((lambda y, eta, w: y + np.nan, score, information, information), "check_y="),
    ],
)
def test_errors(functions, message):
    with pytest.raises(ArgumentError, match=message):
        families.user(*functions, link="log")


def test_links():
    with pytest.raises(ArgumentError, match="unknown link"):
        families.user(log_density, score, information, information, link="loglog")
    with pytest.raises(ArgumentError, match="inverse_slope="):
        families.user(log_density, score, information, information, link="own", inverse_link=np.exp)
    own = families.user(
        log_density, score, information, information, link="own", inverse_link=np.exp, inverse_slope=np.exp
    )
    np.testing.assert_allclose(own.mean(np.array([0.0, 1.0])), [1.0, np.e])
    assert repr(own) == "user (own)"


@pytest.mark.parametrize("weights", [None, "size"])
def test_leverages_are_those_of_the_family(weights):
    data = mm.load_epil().assign(size=lambda d: 1.0 + d["V4"])
    own = families.user(log_density, score, information, information, link="log", variance=lambda mu: mu)
    fits = [mm.glmer("y ~ trt + (1 | subject)", data, f, weights=weights) for f in (own, "poisson")]
    mine, theirs = [fit.augment(influence=True)[[".hat", ".cooksd"]].to_numpy() for fit in fits]
    np.testing.assert_allclose(mine, theirs, rtol=1e-5)


def test_the_functions_of_a_user_hide_nothing_of_a_family():
    fields = {field.name for field in dataclasses.fields(families.UserFamily)}
    inherited = {name for name in vars(families.Family) if callable(getattr(families.Family, name))}
    assert not fields & inherited


def test_another_link_needs_other_functions():
    own = families.user(log_density, score, information, information, link="log")
    model = mm.glmer("y ~ trt + (1 | subject)", mm.load_epil(), own)
    with pytest.raises(ArgumentError, match="create it again"):
        model.update(link="identity")
