"""Functions and methods are one thing, with one signature and one docstring; names are explained."""

from __future__ import annotations

import ast
import inspect
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels.means.emmeans import Emmeans
from mixedmodels.models.base import MixedModel
from shared_fits import fits

PACKAGE = Path(mm.__file__).parent
METHODS = sorted(
    name for name, value in inspect.getmembers(MixedModel, inspect.isroutine) if not name.startswith("_")
)
# Functions of the package whose first argument is not a fitted model.
MAKERS = {"lmer", "glmer", "fit_many", "describe_blocks", "dataset_names", "power", "power_curve"}
MAKERS |= {"load", "restore_optimum", "crossed_design", "extend", "parameter_names", "simulate_formula"}
OF_MEANS = {"contrast", "eff_size", "pairs"}
OF_PROPERTIES = {"sigma", "nobs", "ngrps"}
FUNCTIONS = sorted(
    name
    for name in mm.__all__
    if inspect.isfunction(getattr(mm, name)) and name not in MAKERS and not name.startswith("load_")
)
OF_TABLES = {"eta_squared", "omega_squared", "epsilon_squared"}


def model_of(kind):
    return fits("sleepstudy") if kind == "linear" else fits("cbpp")


def test_every_method_is_a_function():
    # `plot` is the name of a room; its function is plot_diagnostics.
    no_functions = {"describe_blocks", "power", "power_curve", "plot"}
    assert {*METHODS} - no_functions == {*FUNCTIONS} - OF_MEANS - OF_PROPERTIES


def test_every_function_is_a_method_or_an_attribute():
    for name in FUNCTIONS:
        owner = Emmeans if name in OF_MEANS else MixedModel
        assert hasattr(owner, name), name


@pytest.mark.parametrize("kind", ["linear", "generalized"])
def test_functions_do_what_methods_do(kind):
    model = model_of(kind)
    slow_or_random = {
        "bootstrap",
        "pb_compare",
        "cross_validate",
        "permutation_test",
        "exact_lrt",
        "exact_rlrt",
        "quantile_residuals",
        "simulate",
        "allFit",
    }
    for name in sorted({*FUNCTIONS} - OF_MEANS - OF_PROPERTIES - slow_or_random - {"getME"}):
        # What figures show is compared in tests/figures.
        if name.startswith("plot_") or needs_arguments(getattr(model, name)):
            continue
        by_function, by_method = outcome(getattr(mm, name), model), outcome(getattr(model, name))
        assert by_function == by_method, name


def needs_arguments(method):
    parameters = inspect.signature(method).parameters.values()
    return any(own.default is own.empty and own.kind is own.POSITIONAL_OR_KEYWORD for own in parameters)


def outcome(function, *arguments):
    """What a call gives, in a form that can be compared."""
    try:
        result = function(*arguments)
    except mm.MixedModelError as error:
        return type(error), str(error)
    if isinstance(result, (np.ndarray, pd.DataFrame, pd.Series)):
        return type(result), np.array2string(np.asarray(result), threshold=10_000)
    return type(result), str(result)


@pytest.mark.parametrize("name", METHODS)
def test_a_misspelt_keyword_gets_the_nearest_name(name):
    method = getattr(model_of("linear"), name)
    by_name = [
        own.name
        for own in inspect.signature(method).parameters.values()
        if own.kind is not own.VAR_POSITIONAL
    ]
    wrong = f"{by_name[-1]}x" if by_name else "anything"
    with pytest.raises(mm.UnknownArgumentError) as caught:
        method(**{wrong: 1})
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, mm.ArgumentError)
    assert caught.value.name == wrong
    said = f"did you mean {by_name[-1]!r}?" if by_name else "it has no arguments"
    assert said in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("maker", [mm.lmer, mm.glmer, mm.fit_many, mm.describe_blocks])
def test_makers_explain_misspelt_keywords(maker):
    with pytest.raises(mm.UnknownArgumentError, match="did you mean 'weights'"):
        maker("y ~ x + (1 | g)", {}, wieghts=1)


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("bootstrap", "nsim", "n"),
        ("bootstrap", "seed", "rng"),
        ("simulate", "n", "nsim"),
        ("predict", "n_boot", "nsim"),
        ("profile", "parm", "which"),
        ("confint", "which", "parm"),
    ],
)
def test_names_of_the_same_thing_elsewhere_are_understood(name, given, meant):
    with pytest.raises(mm.UnknownArgumentError, match=f"no argument '{given}'; did you mean '{meant}'"):
        getattr(model_of("linear"), name)(**{given: 1})


LEVELS = [("tidy", "conf_level"), ("eta_squared", "ci"), ("omega_squared", "ci"), ("epsilon_squared", "ci")]


@pytest.mark.parametrize(("name", "old"), LEVELS)
def test_old_names_of_levels_still_work(name, old):
    model = fits("cake")
    options = {"conf_int": True} if name == "tidy" else {}
    for call in (getattr(model, name), partial(getattr(mm, name), model)):
        with pytest.warns(DeprecationWarning, match=f"{old} is now called level") as caught:
            result = call(**{old: 0.8}, **options)
        assert caught[0].filename == __file__
        pd.testing.assert_frame_equal(result.to_frame(), call(level=0.8, **options).to_frame())
        assert not result.to_frame().equals(call(**options).to_frame())
        with pytest.raises(mm.ArgumentError, match=f"{old} is the old name of level"):
            call(**{old: 0.8}, level=0.8)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("simulate", {}),
        ("exact_rlrt", {"nsim": 10}),
        ("allFit", {"optimizers": "trust_region", "starts": 1}),
        ("pb_compare", {"nsim": 1}),
    ],
)
def test_seeds_still_work(name, options):
    model = fits("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    others = [fits("sleepstudy", "Reaction ~ 1 + (1 | Subject)")] if name == "pb_compare" else []
    rng = np.random.default_rng(1)
    with pytest.warns(DeprecationWarning, match="seed is now called rng"):
        getattr(model, name)(*others, seed=rng, **options)
    # Something was drawn from it.
    assert rng.bit_generator.state != np.random.default_rng(1).bit_generator.state


@pytest.mark.parametrize("kind", ["linear", "generalized"])
def test_a_misspelt_attribute_gets_the_nearest_name(kind):
    model = model_of(kind)
    for wrong, near in (
        ("fixeff", "fixef"),
        ("vcovs", "vcov"),
        ("coverged", "converged"),
        ("loglik", "logLik"),
    ):
        with pytest.raises(AttributeError, match=f"did you mean '{near}'"):
            getattr(model, wrong)
    with pytest.raises(AttributeError, match="did you mean 'lmer'"):
        _ = mm.lmerr


@pytest.mark.parametrize("kind", ["linear", "generalized"])
def test_what_users_of_statsmodels_look_for(kind):
    model = model_of(kind)
    assert model.llf == float(model.logLik())
    assert model.aic == model.AIC()
    assert model.bic == model.BIC()
    assert model.df_resid == model.nobs - model.rank
    assert model.converged is True
    assert model.n_evaluations == model.convergence.n_evaluations > 0
    np.testing.assert_array_equal(model.resid, model.residuals())
    np.testing.assert_array_equal(model.fittedvalues, model.fitted())
    name = model.fixef().index[1]
    f_test, chisq = model.f_test(f"{name} = 0"), model.wald_test(f"{name} = 0")
    assert list(chisq)[-1] == "Pr(>Chisq)"
    statistic = f_test.iloc[0, 0]
    assert chisq["Chisq"].iloc[0] == pytest.approx(statistic, rel=1e-9)


@pytest.mark.parametrize("value", [None, 1, "model", pd.DataFrame({"x": [1]}), object()])
@pytest.mark.parametrize("name", sorted({*FUNCTIONS} - OF_MEANS - OF_TABLES))
def test_functions_refuse_what_is_not_a_model(name, value):
    with pytest.raises(mm.ArgumentError, match=r"lmer\(\) or glmer\(\)"):
        getattr(mm, name)(value)


def test_the_stub_lists_what_is_exported():
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imported = {
        alias.asname: f"{node.module or ''}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(imported) == mm.__all__
    for name in {*mm.__all__} - {"families"}:
        assert imported[name] == mm._HOMES[name], name


def test_functions_can_be_pickled():
    for name in FUNCTIONS:
        assert pickle.loads(pickle.dumps(getattr(mm, name))) is getattr(mm, name)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "inf"])
def test_degrees_of_freedom_as_the_method_of_confint_still_work(ddf):
    model = fits("sleepstudy")
    with pytest.warns(DeprecationWarning, match=f"is now ddf='{ddf}'"):
        old = model.confint(method=ddf)
    pd.testing.assert_frame_equal(old.to_frame(), model.confint(ddf=ddf).to_frame())


def test_positional_mistakes_name_the_function():
    model = fits("sleepstudy")
    with pytest.raises(TypeError, match=r"^AIC\(\) takes no further arguments by position"):
        mm.AIC(model, model)
    with pytest.raises(TypeError, match=r"^emmeans\(\) missing 1 required"):
        model.emmeans()
    with pytest.raises(TypeError, match=r"^kr_compare\(\) needs its first argument, full"):
        mm.kr_compare(reduced=model)


def test_confint_takes_one_way_to_say_degrees_of_freedom():
    with (
        pytest.warns(DeprecationWarning, match="is now ddf="),
        pytest.raises(mm.ArgumentError, match="give only ddf"),
    ):
        fits("sleepstudy").confint(method="kenward-roger", ddf="inf")
