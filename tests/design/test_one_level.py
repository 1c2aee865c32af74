"""Terms with a single level whose parameters it determines."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from mixedmodels import ArrayTerm, LinearMixedModel, NewLevelsError, glmer, lmer
from mixedmodels.covariance import structure_of

RNG = np.random.default_rng(1)
N, K = 120, 8
Z = RNG.normal(size=(N, K))
NAMES = [f"x{j}" for j in range(K)]
DATA = pd.DataFrame(Z, columns=NAMES).assign(
    y=Z @ (0.5 * RNG.normal(size=K)) + RNG.normal(size=N), count=RNG.poisson(3.0, N), one="a"
)
TERM = f"homdiag(0 + {' + '.join(NAMES)} | one)"


def criterion(s2, tau2):
    """-2 log-likelihood by the matrix of the responses."""
    v = s2 * np.eye(N) + tau2 * Z @ Z.T
    beta = np.linalg.solve(v, np.ones(N)) @ DATA["y"] / np.linalg.solve(v, np.ones(N)).sum()
    r = DATA["y"] - beta
    return np.linalg.slogdet(v)[1] + r @ np.linalg.solve(v, r) + N * np.log(2 * np.pi)


def test_a_ridge_regression():
    model = lmer(f"y ~ 1 + {TERM}", DATA, REML=False)
    s2 = model.sigma**2
    tau2 = s2 * model.theta[0] ** 2
    assert_allclose(-2 * model.logLik(), criterion(s2, tau2), rtol=1e-9)
    assert all(criterion(s2, tau2 * factor) > criterion(s2, tau2) for factor in (0.8, 1.25))
    effects = np.linalg.solve(Z.T @ Z + s2 / tau2 * np.eye(K), Z.T @ (DATA["y"] - model.fixef().iloc[0]))
    assert_allclose(np.ravel(model.ranef()["one"]), effects, rtol=1e-5)
    assert_allclose(model.predict(DATA.head(3)), model.fitted()[:3])
    with pytest.raises(NewLevelsError, match="'b'"):
        model.predict(DATA.head(3).assign(one="b"))
    assert model.simulate(2, rng=1).shape == (N, 2)


def test_arrays_and_generalized_models():
    model = LinearMixedModel.from_arrays(
        DATA["y"], np.ones((N, 1)), ArrayTerm(np.ones(N), Z, structure="homdiag")
    ).fit()
    assert_allclose(model.logLik(), lmer(f"y ~ 1 + {TERM}", DATA).logLik())
    assert glmer(f"count ~ 1 + {TERM}", DATA, "poisson").theta.shape == (1,)


def test_fixed_effects_of_some_columns_leave_the_variance_determined(recwarn):
    model = lmer(f"y ~ 1 + x0 + {TERM}", DATA)
    assert not [str(w.message) for w in recwarn if "explain" in str(w.message)]
    assert np.isfinite(model.confint(method="profile").loc["sigma"]).all()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        *(("homdiag", True), ("ar1", True), ("ou", True)),
        *((name, False) for name in ("us", "diag", "cs", "homcs", "hetar1", "toep", "homtoep", "ante")),
    ],
)
def test_structures_that_one_level_tells(name, told):
    structure = structure_of(name, 5, (0.0, 1.0, 2.0, 3.0, 4.0) if name == "ou" else None)
    assert structure.told_by_one_level is told
    assert not structure_of("us", 1).told_by_one_level
