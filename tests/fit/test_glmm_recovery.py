"""Data simulated from known parameters: what is estimated is what was put in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedmodels import families, glmer
from mixedmodels.families import Family

pytestmark = pytest.mark.timeout(60)

REPLICATES = 20
LEVELS, PER_LEVEL = 40, 40
INTERCEPT, SLOPE, SD = 0.4, 0.5, 0.5
# So many standard errors of the mean may the mean of the replicates be off. The bias of the Laplace
# approximation and of maximum likelihood is allowed for where it is of that size.
ERRORS = 3.5


def simulated(family: Family, dispersion: float, seed: int, per_level: int = PER_LEVEL) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(LEVELS), per_level)
    x = rng.normal(size=len(g))
    eta = INTERCEPT + SLOPE * x + SD * rng.normal(size=LEVELS)[g]
    y = family.draw(rng, family.mean(eta), np.ones(len(g)), dispersion)
    return pd.DataFrame({"y": y, "x": x, "g": g})


def refits(family: Family, dispersion: float, **options: Any) -> pd.DataFrame:
    """Estimates of all parameters of all replicates, the dispersion and the deviation as logarithms."""
    rows = []
    for seed in range(REPLICATES):
        data = simulated(family, dispersion, seed)
        model = glmer("y ~ x + (1 | g)", data, family, **options)
        assert model.convergence.converged
        rows.append((*model.beta, np.log(model.theta[0]), np.log(model.dispersion)))
    return pd.DataFrame(rows, columns=["intercept", "slope", "log_sd", "log_dispersion"])


def check(estimates: pd.DataFrame, name: str, truth: float, bias: float = 0.0) -> None:
    values = estimates[name]
    error = values.std(ddof=1) / np.sqrt(len(values))
    off = abs(values.mean() - truth)
    assert off < ERRORS * error + bias, f"{name}: {values.mean():.4f} for {truth:.4f} ± {error:.4f}"


WITH_DISPERSION = [
    *[(families.Gamma("log"), d) for d in (0.1, 0.5, 2.0, 5.0)],
    *[(families.InverseGaussian("log"), d) for d in (0.1, 1.0, 5.0)],
    *[(families.NegativeBinomial(), d) for d in (0.3, 1.0, 5.0)],
    *[(families.NegativeBinomial1(), d) for d in (0.3, 1.0, 5.0)],
    *[(families.Beta(), d) for d in (0.5, 2.0, 5.0)],
    *[(families.Gaussian("log"), d) for d in (0.1, 1.0, 5.0)],
]


@pytest.mark.parametrize(("family", "dispersion"), WITH_DISPERSION, ids=str)
def test_dispersion_families(family, dispersion):
    # Skewed as it is, a large dispersion of inverse Gaussian data is beyond the Laplace approximation.
    points = 9 if family.name == "inverse_gaussian" and dispersion > 1 else 1
    estimates = refits(family, dispersion, nAGQ=points)
    check(estimates, "intercept", INTERCEPT)
    check(estimates, "slope", SLOPE)
    # Maximum likelihood takes the deviation too small by about 1/(2 levels).
    check(estimates, "log_sd", np.log(SD), bias=1.0 / LEVELS)
    check(estimates, "log_dispersion", np.log(dispersion), bias=1.0 / (LEVELS * PER_LEVEL))


@pytest.mark.parametrize(
    ("family", "n_agq"),
    [(families.Poisson(), 1), (families.Binomial(), 9), (families.Binomial("probit"), 9)],
    ids=str,
)
def test_families_without_dispersion(family, n_agq):
    estimates = refits(family, 1.0, nAGQ=n_agq)
    check(estimates, "intercept", INTERCEPT)
    check(estimates, "slope", SLOPE)
    check(estimates, "log_sd", np.log(SD), bias=1.0 / LEVELS)


@pytest.mark.parametrize("shape", [0.1, 0.25, 0.5, 1.0, 2.0, 5.0])
def test_shapes_of_the_gamma_family(shape):
    """61. The shape 1/sigma² within 10 % of the one put in, for shapes from 0.1 to 5."""
    data = simulated(families.Gamma("log"), 1.0 / shape, seed=1, per_level=100)
    model = glmer("y ~ x + (1 | g)", data, "gamma", link="log")
    assert model.convergence.converged
    assert model.sigma**-2 == pytest.approx(shape, rel=0.1)
