"""Models without fitting: their criterion, its derivatives, and the fits made from them."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest

from mixedmodels import (
    ArgumentError,
    GeneralizedLinearMixedModel,
    LargeModelWarning,
    LinearMixedModel,
    NotAvailableError,
    UnfittedModel,
    UnknownArgumentError,
    describe_blocks,
    lmer,
    load_cbpp,
    load_dataset,
    load_sleepstudy,
)
from shared_fits import USUAL, fits

SLEEP = USUAL["sleepstudy"][0]
CBPP = USUAL["cbpp"][0]


def linear(formula=SLEEP, *args, **options):
    return LinearMixedModel.from_formula(formula, load_sleepstudy(), *args, **options)


def generalized(*args, **options):
    return GeneralizedLinearMixedModel.from_formula(CBPP, load_cbpp(), "binomial", *args, **options)


MODELS = {
    "REML": linear,
    "ML": lambda: linear(SLEEP, False),
    "known sigma": lambda: linear(fixed={"sigma": 25.0}),
    "held coefficient": lambda: linear(fixed={"Days": 10.0}),
    "ar1": lambda: linear("Reaction ~ Days + ar1(0 + factor(Days) | Subject)"),
    "rank deficient": lambda: linear("Reaction ~ Days + I(2 * Days) + (1 | Subject)"),
    "Laplace": generalized,
    "quadrature": lambda: generalized(None, 5),
    "rough": lambda: generalized(None, 0),
    "dispersion": lambda: GeneralizedLinearMixedModel.from_formula(
        "TICKS ~ YEAR + (1 | BROOD)", load_dataset("grouseticks"), "nbinom2"
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_derivatives_are_those_of_the_objective(name):
    model = MODELS[name]()
    point = np.array(model.start) * 1.05 + 0.01
    point = np.clip(point, *np.array(model.bounds).T)
    steps = 1e-5 * np.eye(len(point))
    slopes = [(model.objective(point + s) - model.objective(point - s)) / 2e-5 for s in steps]
    np.testing.assert_allclose(model.gradient(point), slopes, rtol=1e-4, atol=1e-4)
    curvature = [(model.gradient(point + s) - model.gradient(point - s)) / 2e-5 for s in steps]
    np.testing.assert_allclose(model.hessian(point), curvature, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_ends_where_the_objective_is_least(name):
    model = MODELS[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit()
    assert fitted.optimum.names == model.theta_names
    assert model.objective(fitted.optimum.final) == pytest.approx(fitted.objective, rel=1e-9)
    assert fitted.objective <= model.objective(model.start)
    np.testing.assert_allclose(fitted.optimum.start, model.start, rtol=1e-8)
    assert np.abs(model.gradient(fitted.optimum.final)).max() < 1e-2


def test_the_fit_is_that_of_lmer_and_glmer():
    assert linear().fit().objective == fits("sleepstudy").objective
    assert generalized().fit().objective == fits("cbpp").objective
    assert linear(SLEEP, False).fit().objective == fits("sleepstudy", SLEEP, REML=False).objective


def test_nothing_changes_the_model():
    model = linear()
    before = model.objective([1.0, 0.0, 1.0])
    first, second = model.fit(), model.fit(start=[1.0, 0.1, 0.3], optimizer="bobyqa")
    assert model.objective([1.0, 0.0, 1.0]) == before
    assert first.objective == pytest.approx(second.objective, abs=1e-5)
    assert second.convergence.optimizer == "bobyqa"
    with pytest.raises(AttributeError, match=r"no attribute 'fixef': fit\(\) returns a model that has it"):
        model.fixef()
    with pytest.raises(AttributeError, match=r"no attribute 'nonsense'$"):
        _ = model.nonsense
    again = pickle.loads(pickle.dumps(model))
    assert again.objective([1.0, 0.0, 1.0]) == before
    with pytest.raises(AttributeError):
        model.start = None
    with pytest.raises(ValueError, match="read-only"):
        model.start[0] = 1.0


def test_options_of_the_fit():
    model = linear()
    with pytest.warns(match="limit on evaluations"):
        assert model.fit(control={"max_evaluations": 3}).n_evaluations == 3
    at = model.fit(start=[0.5, 0.0, 0.2], optimizer=None)
    assert at.objective == pytest.approx(model.objective([0.5, 0.0, 0.2]), rel=1e-14)


def test_facts():
    model = linear()
    assert model.size == (180, 2, 36, 3)
    assert model.theta_names == ("Subject.(Intercept)", "Subject.Days.(Intercept)", "Subject.Days")
    assert model.bounds == [(0.0, np.inf), (-np.inf, np.inf), (0.0, np.inf)]
    assert model.formula == SLEEP
    assert "180 observations, 2 fixed effects, 36 random effects, 3 parameters" in repr(model)
    assert model.model_matrix.equals(fits("sleepstudy").model_matrix)
    costs = describe_blocks(SLEEP, load_sleepstudy())
    assert model.describe_blocks().to_frame().equals(costs.to_frame())
    assert isinstance(model, UnfittedModel)


@pytest.mark.parametrize(
    ("theta", "said"),
    [
        ([1.0, 0.0], r"theta has shape \(2,\), but the model has 3 parameters: Subject.\(Intercept\)"),
        ([-1.0, 0.0, 1.0], r"Subject.\(Intercept\) is -1.0, but must be finite and between 0 and inf"),
        ([1.0, np.nan, 1.0], r"Subject.Days.\(Intercept\) is nan"),
        ("text", "theta must hold numbers"),
    ],
)
def test_bad_parameters_are_refused(theta, said):
    for function in ("objective", "gradient", "hessian"):
        with pytest.raises(ArgumentError, match=f"{function}: {said}"):
            getattr(linear(), function)(theta)


def test_bad_arguments_are_explained():
    with pytest.raises(UnknownArgumentError, match="did you mean 'optimizer'"):
        linear().fit(optimiser="bobyqa")
    with pytest.raises(UnknownArgumentError, match="did you mean 'weights'"):
        LinearMixedModel.from_formula(SLEEP, load_sleepstudy(), wieghts=1)
    with pytest.raises(ArgumentError, match="the formula comes first"):
        LinearMixedModel.from_formula(load_sleepstudy(), SLEEP)
    with pytest.raises(ArgumentError, match=r"LinearMixedModel.from_formula\(\.\.\., REML=False\)"):
        GeneralizedLinearMixedModel.from_formula(SLEEP, load_sleepstudy(), "gaussian")


def test_models_without_modes_are_infinite():
    model = GeneralizedLinearMixedModel.from_formula(
        "y ~ 1 + (1 | g)", {"y": [1.0, 2.0, 3.0, 4.0], "g": list("aabb")}, "gamma", "inverse"
    )
    point = np.array(model.start)
    point[1] = -1.0
    assert model.objective(point) == np.inf


def test_a_large_model_is_announced_before_its_fit(monkeypatch):
    from mixedmodels.fit import block_costs

    model = linear()
    monkeypatch.setattr(block_costs, "LARGE_MODEL", 0)
    with pytest.warns(LargeModelWarning) as caught:
        model.fit()
    assert len(caught) == 1
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_may_start_at_all_parameters(name):
    model = MODELS[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        at = model.fit(start=model.start, optimizer=None)
        assert at.objective == pytest.approx(model.objective(model.start), rel=1e-12)
        assert model.fit(start=model.start).objective == pytest.approx(model.fit().objective, rel=1e-8)


def test_a_start_with_impossible_parameters_is_refused():
    model = generalized()
    with pytest.raises(ArgumentError, match=r"start: period\[T.2\] is nan"):
        model.fit(start=[1.0, -1.0, np.nan, -1.0, -1.0])
    with pytest.raises(ArgumentError, match=r"start has shape \(3,\), but theta has 1 entry"):
        model.fit(start=[1.0, -1.0, 0.0])


@pytest.mark.parametrize(
    "call",
    [
        lambda kind: kind(SLEEP, load_sleepstudy()),
        lambda kind: kind(SLEEP),
        lambda kind: kind(fits("sleepstudy")._fitted, data=load_sleepstudy()),
    ],
)
@pytest.mark.parametrize("kind", [LinearMixedModel, GeneralizedLinearMixedModel])
def test_the_constructor_says_what_makes_a_model(kind, call):
    with pytest.raises(ArgumentError, match=rf"{kind.__name__}.from_formula\(\) and from_arrays\(\)"):
        call(kind)


def test_a_model_cannot_be_changed():
    model = linear()
    with pytest.raises(AttributeError, match="cannot set 'start'"):
        model.start = 3
    with pytest.raises(AttributeError, match="cannot delete '_fitting'"):
        del model._fitting


def test_one_of_each_is_written_in_the_singular():
    text = repr(linear("Reaction ~ 1 + (1 | Subject)"))
    assert text.endswith("180 observations, 1 fixed effect, 18 random effects, 1 parameter>")


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("make", [linear, generalized])
def test_amalgamate_is_refused_with_a_reason(make, value):
    with pytest.raises(NotAvailableError, match=r"as with amalgamate=True in MixedModels\.jl; sep"):
        make(amalgamate=value)


HELD = [{"sd__Days": 5.0}, {"sd__(Intercept)": 30.0, "Days": 10.0}, {"cor__(Intercept).Days": 0.2}]


@pytest.mark.parametrize("fixed", HELD)
def test_the_criterion_is_no_function_of_theta_where_standard_deviations_are_held(fixed):
    model = linear(fixed=fixed)
    assert np.isfinite(model.start).all()
    assert model.fit().converged
    for function in ("objective", "gradient", "hessian"):
        with pytest.raises(ArgumentError, match=rf"{function}: parameters of random effects are held \("):
            getattr(model, function)(model.start)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("initial", "did you mean 'start'"),
        ("max_evals", r"write control={'max_evaluations': \.\.\.}"),
        ("maxiter", r"write control={'max_evaluations': \.\.\.}"),
        ("max_time", r"write control={'max_time': \.\.\.}"),
        ("ftol_rel", r"write control={'tolerance': \.\.\.}"),
    ],
)
def test_names_of_other_packages_are_explained(name, said):
    with pytest.raises(UnknownArgumentError, match=said):
        linear().fit(**{name: 3})
    with pytest.raises(UnknownArgumentError, match=said):
        lmer(SLEEP, load_sleepstudy(), **{name: 3})


def test_limits_by_other_names_are_explained_in_control():
    with pytest.raises(ArgumentError, match=r"unknown option 'maxiter' .did you mean 'max_evaluations'"):
        linear().fit(control={"maxiter": 3})


def test_the_class_of_models_without_fits_says_what_makes_one():
    with pytest.raises(ArgumentError, match=r"from_formula\(\) and from_arrays\(\)"):
        UnfittedModel(SLEEP, load_sleepstudy())
