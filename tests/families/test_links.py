"""Links against scipy's distribution functions, differences and their own inverses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from mixedmodels.families import LINKS

PROBABILITIES = np.array([1e-12, 1e-5, 0.02, 0.3, 0.5, 0.8, 0.999, 1 - 1e-9])
POSITIVE = np.array([1e-8, 0.03, 0.9, 1.0, 7.0, 3e4])
OF_PROBABILITIES = ("logit", "probit", "cloglog", "cauchit")


def means(name: str) -> np.ndarray:
    return PROBABILITIES if name in OF_PROBABILITIES else POSITIVE


@pytest.mark.parametrize("name", LINKS)
def test_inverse(name):
    link, mu = LINKS[name], means(name)
    np.testing.assert_allclose(link.inverse(link.link(mu)), mu, rtol=1e-9)


@pytest.mark.parametrize("name", LINKS)
def test_slope(name):
    link = LINKS[name]
    eta = link.link(means(name)[1:-1])
    h = 1e-5 * np.maximum(np.abs(eta), 1e-3)
    near = [link.inverse(eta + k * h) for k in (-2, -1, 1, 2)]
    wanted = (near[0] - 8 * near[1] + 8 * near[2] - near[3]) / (12 * h)
    np.testing.assert_allclose(link.slope(eta), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "inverse"),
    [
        ("logit", special.expit),
        ("probit", stats.norm.cdf),
        ("cauchit", stats.cauchy.cdf),
        ("cloglog", lambda eta: -np.expm1(-np.exp(eta))),
    ],
)
def test_against_distribution_functions(name, inverse):
    eta = np.array([-30.0, -6.0, -0.5, 0.0, 0.7, 3.0])
    np.testing.assert_allclose(LINKS[name].inverse(eta), inverse(eta), rtol=1e-13)


@pytest.mark.parametrize("name", OF_PROBABILITIES)
def test_extremes(name):
    with np.errstate(all="raise", under="ignore"):
        far = LINKS[name].inverse(np.array([-1e30, -1e3, 1e3, 1e30]))
        slopes = LINKS[name].slope(np.array([-1e30, -1e3, 1e3, 1e30]))
    assert np.all((far >= 0) & (far <= 1))
    assert np.all(far[:2] < 1e-3)
    assert np.all(far[2:] > 1 - 1e-3)
    assert np.all((slopes >= 0) & (slopes < 1e-5))


def test_the_tail_of_the_cauchit_keeps_its_digits():
    mu = np.array([1e-15, 1e-9])
    np.testing.assert_allclose(LINKS["cauchit"].link(mu), -1 / (np.pi * mu), rtol=1e-12)
    np.testing.assert_allclose(LINKS["cauchit"].inverse(-1 / (np.pi * mu)), mu, rtol=1e-12)
