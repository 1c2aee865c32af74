"""A saved optimum restores the model without a search, and refuses any other model and data."""

from __future__ import annotations

import io
import json
import warnings
from functools import cache

import numpy as np
import pytest

from fit.saved_optima import FOLDER, MODELS
from mixedmodels import (
    ArgumentError,
    DataError,
    GeneralizedLinearMixedModel,
    LinearMixedModel,
    families,
    lmer,
    load_dataset,
    load_sleepstudy,
    restore_optimum,
    save_optimum,
)

SLEEP = "Reaction ~ Days + (Days | Subject)"


@cache
def unfitted(name):
    return MODELS[name]()


@cache
def fitted(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return unfitted(name).fit()


def content(model):
    file = io.StringIO()
    save_optimum(model, file)
    return json.loads(file.getvalue())


def as_file(changed):
    return io.StringIO(json.dumps(changed))


@pytest.mark.parametrize("name", MODELS)
def test_restoring_gives_the_same_model(name, tmp_path):
    model, path = fitted(name), tmp_path / "optimum.json"
    model.save_optimum(path)
    again = restore_optimum(unfitted(name), path)
    assert type(again) is type(model)
    assert again.objective == model.objective
    np.testing.assert_array_equal(again.optimum.final, model.optimum.final)
    np.testing.assert_allclose(again.fixef(), model.fixef(), rtol=1e-9)
    np.testing.assert_allclose(again.fitted(), model.fitted(), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(again.vcov(), model.vcov(), rtol=1e-5, atol=1e-12)
    assert str(again.convergence) == str(model.convergence)
    assert again.optimum.log.to_frame().equals(model.optimum.log.to_frame())
    assert again.n_evaluations == model.n_evaluations
    # What is saved again is the same file, but for the rounding of what follows from the parameters.
    first, second = content(model), content(again)
    for name in ("beta", "dispersion"):
        np.testing.assert_allclose(second.pop(name), first.pop(name), rtol=1e-11)
    assert second == first


@pytest.mark.parametrize("name", MODELS)
def test_files_that_were_written_by_earlier_versions_still_load(name):
    path = FOLDER / f"{name}.json"
    saved = json.loads(path.read_text())
    again = restore_optimum(unfitted(name), path)
    assert again.objective == saved["objective"]
    assert again.convergence.n_evaluations == saved["search"]["n_evaluations"]
    np.testing.assert_allclose(again.fixef(), saved["beta"], rtol=1e-9)


def test_every_kept_file_is_tested():
    assert {path.stem for path in FOLDER.glob("*.json")} == {*MODELS}


def test_the_restored_model_needs_no_search(monkeypatch):
    file = io.StringIO()
    fitted("sleepstudy").save_optimum(file)
    file.seek(0)
    model = unfitted("sleepstudy")

    class NoSearch:
        def __getattr__(self, name):
            assert name != "fit"
            return getattr(model._engine, name)

    other = LinearMixedModel.from_formula(SLEEP, load_sleepstudy())
    vars(other)["_engine"] = NoSearch()
    assert other.restore_optimum(file).REML


def test_what_a_restored_model_can_do():
    model = restore_optimum(unfitted("sleepstudy"), as_file(content(fitted("sleepstudy"))))
    assert str(model.summary()) == str(fitted("sleepstudy").summary())
    np.testing.assert_allclose(
        model.confint(method="profile"), fitted("sleepstudy").confint(method="profile"), rtol=1e-6
    )
    assert model.update("~ . - Days").converged


def changed_data(change):
    data = load_sleepstudy()
    change(data)
    return data


def set_one_response(data):
    data.loc[17, "Reaction"] += 1e-3


def swap_two_responses(data):
    data.loc[[3, 4], "Reaction"] = data.loc[[4, 3], "Reaction"].to_numpy()


def set_one_day(data):
    data["Days"] = data["Days"].astype(float)
    data.loc[100, "Days"] += 1e-3


def swap_two_subjects(data):
    data.loc[[9, 10], "Subject"] = data.loc[[10, 9], "Subject"].to_numpy()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_one_response, "the response differs"),
        (swap_two_responses, "the response differs"),
        (set_one_day, "the column Days of the fixed part differs"),
        (swap_two_subjects, "other levels of"),
        (
            lambda data: data.__setitem__("Reaction", data["Reaction"].where(data.index > 0)),
            "and this model 179",
        ),
        (lambda data: data.__setitem__("Subject", data["Subject"].astype(str) + "a"), "the levels of"),
    ],
)
def test_other_data_are_refused(change, said):
    model = LinearMixedModel.from_formula(SLEEP, changed_data(change))
    with pytest.raises(DataError, match=said):
        model.restore_optimum(as_file(content(fitted("sleepstudy"))))


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"REML": False}, ArgumentError, "REML was True in the fit, and is False"),
        ({"fixed": {"sigma": 25.0}}, ArgumentError, "fixed was"),
        ({"weights": np.linspace(1.0, 2.0, 180)}, DataError, "made without weights"),
        ({"offset": np.linspace(1.0, 2.0, 180)}, DataError, "made without offset"),
        ({"formula": "Reaction ~ Days + (1 | Subject)"}, ArgumentError, r"that of Reaction ~ Days \+ \(Days"),
        ({"formula": "Reaction ~ Days + cs(Days | Subject)"}, ArgumentError, "and this model is"),
    ],
)
def test_other_models_are_refused(options, error, said):
    model = LinearMixedModel.from_formula(**{"formula": SLEEP, "data": load_sleepstudy(), **options})
    with pytest.raises(error, match=said):
        model.restore_optimum(as_file(content(fitted("sleepstudy"))))


def test_other_weights_and_another_family_are_refused():
    data = load_sleepstudy()
    ones = np.linspace(1.0, 2.0, 180)
    file = as_file(content(lmer(SLEEP, data, weights=ones)))
    with pytest.raises(DataError, match="the weights differ"):
        LinearMixedModel.from_formula(SLEEP, data, weights=ones[::-1].copy()).restore_optimum(file)
    file = as_file(content(fitted("sleepstudy")))
    with pytest.raises(ArgumentError, match="kind was 'linear' in the fit, and is 'generalized'"):
        GeneralizedLinearMixedModel.from_formula(SLEEP, data, "gamma", "log").restore_optimum(file)


def test_the_formula_may_be_spelt_differently():
    saved = content(fitted("sleepstudy"))
    saved["model"]["formula"] = "Reaction~1+Days+(Days|Subject)"
    model = LinearMixedModel.from_formula("Reaction ~ 1 + Days + (Days | Subject)", load_sleepstudy())
    assert model.restore_optimum(as_file(saved)).objective == saved["objective"]


def edited(**changes):
    return as_file({**content(fitted("sleepstudy")), **changes})


def edited_parameters(**changes):
    return edited(parameters={**content(fitted("sleepstudy"))["parameters"], **changes})


@pytest.mark.parametrize(
    ("file", "error", "said"),
    [
        (lambda: io.StringIO("not JSON"), ArgumentError, "is no JSON"),
        (lambda: io.StringIO("[1, 2]"), ArgumentError, "not written by save_optimum"),
        (lambda: edited(version=2), ArgumentError, "reads versions up to 1"),
        (lambda: edited(theta=[0.5, 0.0, 0.2]), DataError, "the objective at the saved parameters is"),
        (lambda: edited(theta=[0.5]), ArgumentError, "damaged"),
        (lambda: edited(theta=["a", 0.0, 0.2]), ArgumentError, "damaged"),
        (lambda: edited(search={}), ArgumentError, "damaged"),
        (lambda: edited(parameters=3), ArgumentError, "damaged"),
        (lambda: edited_parameters(final=[0.5, 0.0, 0.2]), ArgumentError, "damaged"),
        (lambda: edited_parameters(start=[1.0]), ArgumentError, "damaged"),
        (lambda: edited_parameters(names=[1, 2, 3]), ArgumentError, "damaged"),
        (lambda: edited(data={}), ArgumentError, "damaged"),
        (lambda: 7, ArgumentError, "file must be a path or an open file, not 7"),
    ],
)
def test_other_files_are_refused(file, error, said):
    with pytest.raises(error, match=said):
        unfitted("sleepstudy").restore_optimum(file())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("converged", "no"), ("converged", 1), ("n_evaluations", 2.5), ("n_gradients", True)),
        *(("status", None), ("message", 3), ("optimizer", []), ("messages", 3), ("messages", [3])),
        *(("gradient", [[1.0]]), ("predicted_fall", None), ("log", {"objective": [1.0]})),
    ],
)
def test_a_record_of_the_search_that_is_none_is_refused(name, value):
    saved = content(fitted("sleepstudy"))
    saved["search"][name] = {**saved["search"]["log"], **value} if name == "log" else value
    with pytest.raises(ArgumentError, match="the file is damaged"):
        unfitted("sleepstudy").restore_optimum(as_file(saved))


def test_restoring_needs_a_model_without_estimates():
    with pytest.raises(
        ArgumentError, match=r"made by from_formula\(\) or from_arrays\(\), not LinearMixedModel"
    ):
        restore_optimum(fitted("sleepstudy"), "file.json")


def test_files_may_be_binary_or_paths_as_text(tmp_path):
    model = fitted("sleepstudy")
    binary, path = io.BytesIO(), str(tmp_path / "optimum.json")
    model.save_optimum(binary)
    model.save_optimum(path)
    binary.seek(0)
    assert unfitted("sleepstudy").restore_optimum(binary).objective == model.objective
    assert unfitted("sleepstudy").restore_optimum(path).objective == model.objective
    with pytest.raises(ArgumentError, match="save_optimum: file must be"):
        model.save_optimum(3)


def test_rounding_on_another_computer_does_not_make_other_data():
    saved = content(fitted("sleepstudy"))
    saved["data"]["y"] = [float(np.nextafter(value, np.inf)) for value in saved["data"]["y"]]
    assert unfitted("sleepstudy").restore_optimum(as_file(saved)).objective == saved["objective"]


def test_the_optimum_shows_start_end_and_search():
    model = fitted("cbpp")
    optimum = model.optimum
    assert optimum.names == unfitted("cbpp").theta_names
    np.testing.assert_allclose(optimum.start, unfitted("cbpp").start)
    np.testing.assert_allclose(optimum.final[1:], model.fixef())
    assert optimum.start_objective == pytest.approx(unfitted("cbpp").objective(optimum.start))
    assert optimum.objective == model.objective < optimum.start_objective
    assert optimum.gradient_norm == np.abs(optimum.gradient).max() < 1e-3
    assert (optimum.return_code, optimum.n_evaluations) == ("converged", model.n_evaluations)
    assert len(optimum.log.to_frame()) == optimum.n_evaluations
    assert list(optimum.to_frame().columns) == ["start", "final", "gradient"]
    assert optimum.message == model.convergence.message


def poisson_of_the_user(shift=0.0):
    return families.user(
        lambda y, eta, w: w * (y * eta - np.exp(eta)) + shift,
        lambda y, eta, w: w * (y - np.exp(eta)),
        lambda y, eta, w: w * np.exp(eta),
        lambda y, eta, w: w * np.exp(eta),
        link="log",
    )


def test_a_family_of_the_user_is_known_by_its_objective():
    """Functions have no fingerprint."""
    data = load_dataset("grouseticks")
    make = GeneralizedLinearMixedModel.from_formula
    model = make("TICKS ~ YEAR + (1 | BROOD)", data, poisson_of_the_user())
    fitted = model.fit()
    assert model.restore_optimum(as_file(content(fitted))).objective == fitted.objective
    other = make("TICKS ~ YEAR + (1 | BROOD)", data, poisson_of_the_user(1e-3))
    with pytest.raises(DataError, match="the objective at the saved parameters is"):
        other.restore_optimum(as_file(content(fitted)))


@pytest.mark.parametrize(
    "fixed",
    [
        {"sd__Days": 5.0},
        {"sd__(Intercept)": 30.0, "Days": 10.0},
        {"cor__(Intercept).Days": 0.2},
        {"sigma": 25.0, "sd__Days": 5.0},
        {"sd__Days": 0.0},
    ],
)
@pytest.mark.parametrize("reml", [True, False])
def test_optima_with_covariance_parameters_that_are_held(fixed, reml):
    """They decide on sigma, which is not the best one at theta."""
    model = LinearMixedModel.from_formula(SLEEP, load_sleepstudy(), reml, fixed=fixed)
    fit = model.fit()
    again = model.restore_optimum(as_file(content(fit)))
    assert str(again.summary()) == str(fit.summary())
    assert again.objective == fit.objective
