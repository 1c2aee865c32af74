"""A function of the user as optimizer: what it gets, and how what it returns is judged."""

from __future__ import annotations

import contextlib
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from mixedmodels import (
    ArgumentError,
    ConvergenceError,
    ConvergenceWarning,
    SingularFitWarning,
    glmer,
    lmer,
    load_cbpp,
    load_dataset,
    load_sleepstudy,
)
from shared_fits import USUAL, fits

SLEEP, CBPP = USUAL["sleepstudy"][0], USUAL["cbpp"][0]


def lbfgs(objective, gradient, start, bounds):
    options = {"ftol": 1e-14, "gtol": 1e-7}
    return minimize(objective, start, jac=gradient, bounds=bounds, method="L-BFGS-B", options=options)


def simplex(objective, gradient, start, bounds):
    return minimize(
        objective, start, bounds=bounds, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}
    ).x


def sleep(optimizer, **options):
    return lmer(SLEEP, load_sleepstudy(), optimizer=optimizer, **options)


@pytest.mark.parametrize("optimizer", [lbfgs, simplex])
def test_the_optimum_is_that_of_the_default(optimizer):
    model = sleep(optimizer)
    assert model.objective == pytest.approx(fits("sleepstudy").objective, abs=1e-6)
    found = model.convergence
    assert found.converged
    assert found.checked
    assert found.optimizer == f"{optimizer.__name__}()"
    assert found.n_evaluations == len(found.log.objective) > 3
    assert (found.n_gradients > 0) == (optimizer is lbfgs)
    np.testing.assert_allclose(model.vcov(), fits("sleepstudy").vcov(), rtol=1e-3)


@pytest.mark.parametrize("n_agq", [0, 1, 5])
def test_generalized_models(n_agq):
    model = glmer(CBPP, load_cbpp(), "binomial", nAGQ=n_agq, optimizer=lbfgs)
    other = glmer(CBPP, load_cbpp(), "binomial", nAGQ=n_agq)
    assert model.converged
    assert model.objective == pytest.approx(other.objective, abs=1e-6)
    np.testing.assert_allclose(model.fixef(), other.fixef(), rtol=1e-3)


def test_a_family_with_a_dispersion_and_a_partial_start():
    seen = []

    def noting(objective, gradient, start, bounds):
        seen.append(start)
        return lbfgs(objective, gradient, start, bounds)

    data, formula = load_dataset("grouseticks"), "TICKS ~ YEAR + (1 | BROOD)"
    model = glmer(formula, data, "nbinom2", optimizer=noting, start={"theta": [0.7], "dispersion": 2.0})
    assert (seen[0][0], seen[0][-1]) == (0.7, np.log(2.0))
    assert model.objective == pytest.approx(glmer(formula, data, "nbinom2").objective, abs=1e-5)


def test_a_known_sigma_and_a_coefficient_that_is_held():
    held = {"sigma": 25.0, "Days": 10.0}
    assert sleep(lbfgs, fixed=held).objective == pytest.approx(
        sleep("trust_region", fixed=held).objective, abs=1e-6
    )


def test_covariance_parameters_cannot_be_held():
    with pytest.raises(ArgumentError, match=r"lbfgs\(\) searches all of theta, and sd__Days = 5"):
        sleep(lbfgs, fixed={"sd__Days": 5.0})


def test_the_start_of_the_user():
    seen = []
    sleep(lambda o, g, s, b: seen.append(s) or lbfgs(o, g, s, b), start=[1.0, 0.1, 0.2])
    np.testing.assert_array_equal(seen[0], [1.0, 0.1, 0.2])


def test_the_end_is_never_trusted():
    with pytest.warns(ConvergenceWarning, match="curves downwards"):
        model = sleep(lambda o, g, s, b: s)
    assert not model.converged
    with pytest.warns(ConvergenceWarning, match="would still fall by about"):
        assert not sleep(lambda o, g, s, b: lbfgs(o, g, s, b).x * 1.1).converged


def test_a_search_that_calls_itself_a_failure_is_judged_by_its_end():
    def modest(*arguments):
        return SimpleNamespace(x=lbfgs(*arguments).x, success=False, message="no idea")

    model = sleep(modest)
    assert model.converged
    assert (model.optimum.return_code, model.optimum.message) == ("no_progress", "modest() says: no idea")


def test_singular_fits_are_noticed():
    with pytest.warns(SingularFitWarning):
        lmer("Yield ~ 1 + (1 | Batch)", load_dataset("dyestuff2"), optimizer=lbfgs)


@pytest.mark.parametrize(
    ("optimizer", "error", "said"),
    [
        (lambda *a: None, ArgumentError, r"<lambda>\(\) must return 3 parameters, .*; it returned None"),
        (lambda *a: [1.0, 2.0], ArgumentError, "must return 3 parameters"),
        (lambda o, g, s, b: s * np.nan, ArgumentError, r"returned nan for Subject.\(Intercept\)"),
        (lambda o, g, s, b: -s, ArgumentError, "must be between 0 and inf; the fourth argument holds"),
        (lambda *a: 1 / 0, ConvergenceError, "raised ZeroDivisionError: division by zero"),
        (lambda o, g, s, b: o([1.0]), ArgumentError, "objective takes a vector of 3 parameters"),
        ("lbfgs", ArgumentError, "a function that minimizes, or None"),
        (7, ArgumentError, "unknown optimizer 7"),
    ],
)
def test_what_goes_wrong_is_explained(optimizer, error, said):
    with pytest.raises(error, match=said):
        sleep(optimizer)


def test_the_cause_of_an_error_is_kept():
    with pytest.raises(ConvergenceError) as caught:
        sleep(lambda *a: 1 / 0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_interrupt_passes():
    def interrupted(objective, gradient, start, bounds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sleep(interrupted)


def test_a_search_along_a_line_may_return_a_number():
    def along(objective, gradient, start, bounds):
        return minimize_scalar(lambda t: objective([t]), bounds=(0.0, 5.0), method="bounded")

    model = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy(), optimizer=along)
    other = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    assert model.objective == pytest.approx(other.objective, rel=1e-8)


def test_a_limit_holds_in_a_function_that_catches_everything():
    def deaf(objective, gradient, start, bounds):
        for i in range(10):
            with contextlib.suppress(BaseException):
                objective(start * (1.0 - 0.01 * i))
        return 0.5 * start

    with pytest.warns(ConvergenceWarning, match="the limit of evaluations was reached"):
        model = sleep(deaf, control={"max_evaluations": 3})
    assert model.optimum.return_code == "max_evaluations"
    assert model.objective == min(model.optimum.log.objective)


@pytest.mark.parametrize(("limit", "value"), [("max_evaluations", 4), ("max_time", 1e-9)])
def test_limits_end_the_search_at_the_best_point(limit, value):
    def stubborn(objective, gradient, start, bounds):
        while True:
            try:
                start = start + 0.01
                objective(start)
            except Exception:
                pass

    with pytest.warns(ConvergenceWarning, match=f"allow more by control=Control\\({limit}="):
        model = sleep(stubborn, control={limit: value})
    assert model.convergence.status == limit
    assert model.objective == pytest.approx(model.convergence.log.objective.min(), rel=1e-12)


def test_progress_and_several_starts():
    seen = []
    model = sleep(lbfgs, control={"progress": seen.append})
    assert [own.evaluation for own in seen] == [*range(1, model.n_evaluations + 1)]
    with pytest.raises(ArgumentError, match=r"starts=2 is for optimizer='trust_region', not 'lbfgs\(\)'"):
        sleep(lbfgs, control={"starts": 2})


def test_points_out_of_bounds_are_infinite():
    seen = []

    def outside(objective, gradient, start, bounds):
        seen.append((objective([-1.0, 0.0, 1.0]), gradient([-1.0, 0.0, 1.0])))
        return lbfgs(objective, gradient, start, bounds)

    sleep(outside)
    assert seen[0][0] == np.inf
    assert np.isnan(seen[0][1]).all()


def test_fits_made_from_the_model():
    calls = []

    def counted(*arguments):
        calls.append(1)
        return lbfgs(*arguments)

    model = sleep(counted)
    model.refit(model.simulate(rng=1).iloc[:, 0])
    assert len(calls) == 2
    model.update("~ . - Days")
    assert len(calls) == 3
    # Many fits are made by the engine; a function of the user does not travel in a pickle.
    assert len(model.bootstrap(3, rng=1).to_frame())
    again = pickle.loads(pickle.dumps(sleep(lambda *a: lbfgs(*a))))
    assert again.refit(load_sleepstudy()["Reaction"]).convergence.optimizer == "trust_region"
