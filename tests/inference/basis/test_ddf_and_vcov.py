"""
``ddf`` takes names, ``vcov`` covariance matrices of this model, in every function that has them.

The functions are found by their signatures: a new one without a call in `CALLS` fails.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import pickle
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels import lmer, load_cake, vcov_cluster
from mixedmodels.errors import ArgumentError
from mixedmodels.inference.basis.choice import basis_of
from mixedmodels.inference.basis.kinds import Infinite, Residual
from mixedmodels.interop.marginaleffects import covariance_for
from mixedmodels.means.emmeans import Emmeans
from shared_fits import fits

CAKE = load_cake()
FORMULA = "angle ~ temp + recipe + (1 | recipe:replicate)"
# How each function is called, after the model (or its means), for linear models and for generalized ones.
CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "anova": ((), {}),
    "anova_type3": ((), {}),
    "coef_test": ((), {}),
    "conf_int": ((), {}),
    "confint": ((), {}),
    "contrast": (("pairwise",), {}),
    "drop1": ((), {"test": "F"}),
    "emmeans": (("~ factor",), {}),
    "emtrends": (("~ 1", "covariate"), {}),
    "epsilon_squared": ((), {}),
    "eta_squared": ((), {}),
    "f_test": (("first = 0",), {}),
    "joint_tests": ((), {}),
    "linear_hypothesis": (("first = 0",), {}),
    "model_table": ((), {"show": ["std.error", "p.value"]}),
    "omega_squared": ((), {}),
    "pairs": ((), {}),
    "plot_coef": ((), {}),
    "plot_effects": (("factor",), {}),
    "plot_emmeans": (("~ factor",), {}),
    "plot_interaction": (("factor", "covariate"), {}),
    "power": (("first = 0",), {"nsim": 2, "rng": 1}),
    "power_curve": (("first = 0", 2), {"along": "group", "values": [12], "rng": 1}),
    "predict": ((), {"re_form": "~0", "interval": "confidence"}),
    "predict_effects": (("factor",), {}),
    "predictions": ((), {"re_form": "~0"}),
    "summary": ((), {}),
    "t_test": (("first = 0",), {}),
    "tidy": ((), {"conf_int": True}),
    "wald_test": (("first = 0",), {}),
}
LINEAR_ONLY = {
    "drop1": "test='F': tests of a generalized model rest on large samples",
    **{
        f"{name}_squared": f"{name}_squared: a generalized model has no F tests"
        for name in ("epsilon", "eta", "omega")
    },
}


def takes(function: Any, name: str) -> bool:
    return (
        callable(function)
        and not inspect.isclass(function)
        and name in inspect.signature(function).parameters
    )


def found(name: str) -> Iterator[tuple[str, str]]:
    """Where the argument is: functions of the package, methods of models and of means."""
    for place, owner in (("function", mm), ("method", mm.LinearMixedModel), ("means", Emmeans)):
        listed = mm.__all__ if owner is mm else [m for m in dir(owner) if not m.startswith("_")]
        yield from ((place, own) for own in sorted(listed) if takes(getattr(owner, own), name))


def of_generalized() -> set[str]:
    owner = mm.GeneralizedLinearMixedModel
    return {name for name in dir(owner) if not name.startswith("_") and takes(getattr(owner, name), "vcov")}


WITH_VCOV, WITH_DDF = list(found("vcov")), list(found("ddf"))
EITHER = sorted({*WITH_VCOV, *WITH_DDF})


def call(where: tuple[str, str], model: Any, **options: Any) -> Any:
    place, name = where
    names = {"factor": "recipe", "covariate": "temp", "first": "temp", "group": "replicate"}
    if isinstance(model, mm.GeneralizedLinearMixedModel):
        names = {"factor": "trt", "covariate": "age", "first": "age", "group": "ID"}
    arguments, fixed = CALLS[name]
    for word, meant in names.items():
        arguments = tuple(v.replace(word, meant) if isinstance(v, str) else v for v in arguments)
        fixed = {key: meant if value == word else value for key, value in fixed.items()}
    subject: Any = model.emmeans(f"~ {names['factor']}") if name in ("contrast", "pairs") else model
    function: Callable[..., Any] = getattr(mm, name) if place == "function" else getattr(type(subject), name)
    return function(subject, *arguments, **{**fixed, **options})


def text(result: Any) -> str:
    """The result as it is printed; a plain data frame with its attributes."""
    return " ".join([*str(result).split(), *map(str, getattr(result, "attrs", {}).values())])


def is_figure(where: tuple[str, str]) -> bool:
    """Figures do not print: the results that they show do."""
    return where[1].startswith("plot_")


def numbers(result: Any) -> list[list[str]]:
    """All cells of a result, or all points of a figure."""
    if hasattr(result, "figure"):
        return [[*map(repr, points)] for points in drawn_points(result)]
    frame = result if isinstance(result, pd.DataFrame) else getattr(result, "frame", None)
    frame = result.to_frame() if frame is None else frame
    return [[*map(repr, row)] for row in pd.DataFrame(frame).to_numpy(dtype=object).tolist()]


def drawn_points(axes: Any) -> list[list[float]]:
    lines = [line.get_xydata() for line in axes.lines]
    areas = [path.vertices for collection in axes.collections for path in collection.get_paths()]
    return [np.asarray(part, dtype=float).ravel().tolist() for part in [*lines, *areas]]


@pytest.fixture(scope="module")
def model():
    return lmer(FORMULA, CAKE)


@pytest.fixture(scope="module")
def others():
    return {
        "other data": lmer(FORMULA, CAKE.assign(angle=3 * CAKE["angle"] + 7)),
        "other formula": lmer("angle ~ temp + recipe + (1 | replicate)", CAKE),
        "other criterion": lmer(FORMULA, CAKE, REML=False),
    }


def test_every_function_has_a_call():
    assert {name for _, name in EITHER} == set(CALLS)
    assert of_generalized() <= set(CALLS)
    # What has one has the other; a Wald test by χ² has no degrees of freedom.
    assert {name for _, name in WITH_VCOV} - {name for _, name in WITH_DDF} == {"wald_test"}
    # Every simulation of a power analysis has a covariance matrix of its own.
    planning = {"power", "power_curve"}
    assert {name for _, name in WITH_DDF} - planning <= {name for _, name in WITH_VCOV}


@pytest.mark.parametrize("other", ["other data", "other formula", "other criterion"])
@pytest.mark.parametrize("where", WITH_VCOV, ids="-".join)
def test_another_models_covariance_is_refused(model, others, where, other):
    for given in (vcov_cluster(others[other]), basis_of(others[other]._fitted)):
        with pytest.raises(ArgumentError, match="vcov belongs to another model") as caught:
            call(where, model, vcov=given)
        message = str(caught.value)
        assert others[other].formula in message
        assert f"{others[other].objective:.7g}" in message
        assert f"{model.objective:.7g}" in message


FRAMES: dict[str, Callable[[Any], pd.DataFrame]] = {
    "vcov": lambda m: m.vcov(),
    "vcov(complete=False)": lambda m: m.vcov(complete=False),
    "cov_params": lambda m: m.cov_params(),
    "to_frame": lambda m: vcov_cluster(m).to_frame(),
    "corr_fixef": lambda m: m.corr_fixef(),
}
CHANGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "nothing": lambda v: v,
    "copy": copy.deepcopy,
    "pickle": lambda v: pickle.loads(pickle.dumps(v)),
    "a factor": lambda v: 2 * v,
    "a quotient": lambda v: v / 2,
    "the mean with its transpose": lambda v: (v + v.T) / 2,
    "another order": lambda v: v.iloc[::-1, ::-1],
    "attributes through JSON": lambda v: through_json(v),
    "no names": lambda v: v.set_axis(range(len(v)), axis=0).set_axis(range(len(v)), axis=1),
}


def through_json(frame: pd.DataFrame) -> pd.DataFrame:
    """As a Parquet file stores the attributes."""
    result = pd.DataFrame(frame.to_numpy(), index=frame.index, columns=frame.columns)
    result.attrs.update(json.loads(json.dumps(frame.attrs)))
    return result


@pytest.mark.parametrize("where", WITH_VCOV, ids="-".join)
def test_data_frames_of_another_model_are_refused(model, others, where):
    for make in FRAMES.values():
        with pytest.raises(ArgumentError, match="vcov belongs to another model: it was computed from"):
            call(where, model, vcov=make(others["other data"]))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("frame", FRAMES)
def test_data_frames_remember_their_model(model, others, frame, change):
    """The same names in a model of another response, and of a rescaled predictor with the same likelihood."""
    make, changed = FRAMES[frame], CHANGES[change]
    mm.coef_test(model, vcov=changed(make(model)))
    rescaled = lmer(FORMULA, CAKE.assign(temp=2 * CAKE["temp"]), REML=False)
    pairs = [(model, other) for other in others.values() if other.formula == FORMULA]
    for own, other in [*pairs, (others["other criterion"], rescaled)]:
        with pytest.raises(ArgumentError, match="vcov belongs to another model") as caught:
            mm.coef_test(own, vcov=changed(make(other)))
        assert f"{other.objective:.7g}" in str(caught.value)


def test_attributes_of_others_are_no_origin(model):
    frame = model.vcov()
    for given in ("my model", 3, {"formula": FORMULA}):
        frame.attrs["model"] = given
        mm.coef_test(model, vcov=frame)


def test_arrays_cannot_be_checked(model, others):
    mm.coef_test(model, vcov=others["other data"].vcov().to_numpy())


@pytest.mark.parametrize("where", WITH_VCOV, ids="-".join)
def test_names_of_another_models_coefficients_are_refused(model, where):
    frame = fits("machines").vcov()
    with pytest.raises(
        ArgumentError, match=r"vcov belongs to another model: .*Machine\[T.B\].*recipe\[T.B\]"
    ):
        call(where, model, vcov=frame)


@pytest.mark.parametrize("where", WITH_VCOV, ids="-".join)
def test_copies_and_pickles_are_the_same_model(model, where):
    robust = vcov_cluster(model)
    wanted = numbers(call(where, model, vcov=robust))
    again, its_own = pickle.loads(pickle.dumps((model, robust)))
    for one, given in (
        (again, its_own),
        (model, its_own),
        (again, robust),
        (copy.deepcopy(model), copy.copy(robust)),
    ):
        assert numbers(call(where, one, vcov=given)) == wanted


@pytest.mark.parametrize("where", WITH_DDF, ids="-".join)
def test_ddf_takes_names_only(model, where):
    robust = vcov_cluster(model)
    for given in (
        robust,
        robust.covariance,
        robust.to_frame(),
        robust.covariance.tolist(),
        basis_of(model._fitted),
    ):
        with pytest.raises(
            ArgumentError, match=r"^ddf takes the name of a method .*pass a covariance matrix as vcov="
        ):
            call(where, model, ddf=given)
    with pytest.raises(ArgumentError, match="did you mean 'satterthwaite'"):
        call(where, model, ddf="satterthwait")
    for given in (3, True, {"name": "inf"}):
        with pytest.raises(ArgumentError, match="ddf must be one of"):
            call(where, model, ddf=given)


def negative_eigenvalue(matrix: Any) -> Any:
    root = np.sqrt(np.diag(matrix))
    return np.outer(root, root) * (2 * np.eye(len(matrix)) - 1)


def asymmetric(matrix: Any) -> Any:
    changed = matrix.copy()
    changed[0, 1] *= 1.001
    return changed


NO_COVARIANCE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "too small": (
        lambda v: v[:-1, :-1],
        r"each of the 4 coefficients.*shape \(3, 3\)",
    ),
    "a vector": (np.diag, r"shape \(4,\)"),
    "not a number": (lambda v: np.where(np.eye(len(v)) > 0, np.nan, v), "finite numbers"),
    "infinite": (lambda v: v + np.inf, "finite numbers"),
    "asymmetric": (asymmetric, "not symmetric"),
    "a negative eigenvalue": (negative_eigenvalue, "negative eigenvalue"),
    "a negative variance": (lambda v: -v, r"the variance of '.*' is negative"),
    "a text": (lambda v: "CR2", "result of vcov_cluster"),
    "an object": (lambda v: object(), "result of vcov_cluster"),
    "ragged": (lambda v: [[1.0], [1.0, 2.0]], "result of vcov_cluster"),
}


@pytest.mark.parametrize("what", NO_COVARIANCE)
@pytest.mark.parametrize("where", WITH_VCOV, ids="-".join)
def test_what_is_no_covariance_matrix_is_refused(model, where, what):
    make, message = NO_COVARIANCE[what]
    with pytest.raises(ArgumentError, match=message):
        call(where, model, vcov=make(model.vcov().to_numpy()))


@pytest.mark.parametrize("what", [w for w in NO_COVARIANCE if w not in ("a text", "an object", "ragged")])
@pytest.mark.parametrize("where", WITH_VCOV, ids="-".join)
def test_rules_made_by_hand_hold_a_covariance_matrix(model, where, what):
    make, message = NO_COVARIANCE[what]
    matrix = make(model.vcov().to_numpy())
    for rule in (
        Infinite(model.beta, matrix),
        Residual(model.beta, matrix, 10),
        dataclasses.replace(vcov_cluster(model), covariance=matrix),
    ):
        with pytest.raises(ArgumentError, match=message):
            call(where, model, vcov=rule)


@pytest.mark.parametrize("what", ["a text", "an object", "ragged"])
def test_rules_made_by_hand_hold_numbers(model, what):
    make, _ = NO_COVARIANCE[what]
    with pytest.raises(ArgumentError, match="Infinite: covariance must be an array of numbers"):
        Infinite(model.beta, make(None))
    with pytest.raises(ArgumentError, match="Infinite: beta must be an array of numbers"):
        Infinite(make(None), model.vcov())


def test_arrays_of_a_rule_are_closed_to_writing(model):
    robust, matrix = vcov_cluster(model), model.vcov().to_numpy().copy()
    rule = Infinite(model.beta, matrix)
    wanted = numbers(mm.coef_test(model, vcov=rule))
    matrix[0, 0] = 0.0
    for basis in (robust, rule, basis_of(model._fitted), basis_of(model._fitted, "kenward-roger")):
        for array in (basis.beta, basis.covariance):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0.0
    frame = robust.to_frame()
    frame.iloc[0, 0] = 0.0
    assert robust.covariance[0, 0] > 0
    assert numbers(mm.coef_test(model, vcov=rule)) == wanted


@pytest.mark.parametrize("where", WITH_VCOV, ids="-".join)
def test_rounded_and_singular_matrices_are_taken(model, where):
    matrix = model.vcov().to_numpy().copy()
    matrix[0, 1] *= 1 + 1e-12
    options = {} if where[1] == "wald_test" else {"ddf": "residual"}
    text(call(where, model, vcov=matrix, **options))
    root = np.sqrt(np.diag(matrix))
    text(call(where, model, vcov=np.outer(root, root), **options))


@pytest.mark.parametrize("where", WITH_VCOV, ids="-".join)
def test_numbers_follow_the_matrix(model, where):
    robust = vcov_cluster(model)
    own, changed = call(where, model), call(where, model, vcov=robust)
    assert numbers(own) != numbers(changed)
    if not is_figure(where):
        assert "CR2 covariance matrix (45 clusters of recipe:replicate)" in text(changed)
    # A rule of one's own, a matrix and a data frame in another order.
    for given in (
        Infinite(model.beta, 4 * model.vcov().to_numpy()),
        4 * model.vcov().to_numpy(),
        4 * model.vcov().iloc[::-1, ::-1],
    ):
        if where[1].endswith("_squared"):
            with pytest.raises(ArgumentError, match="infinite degrees of freedom"):
                call(where, model, vcov=given)
            continue
        again = numbers(call(where, model, vcov=given))
        assert again != numbers(own)
        assert again != numbers(changed)


LABELS = {
    "satterthwaite": "satterthwaite's degrees of freedom",
    "kenward-roger": "kenward and roger's degrees of freedom",
    "residual": "residual degrees of freedom",
    "inf": "infinite degrees of freedom",
}


@pytest.mark.parametrize("ddf", LABELS)
@pytest.mark.parametrize("where", [w for w in WITH_DDF if not is_figure(w)], ids="-".join)
def test_the_degrees_of_freedom_are_named(model, where, ddf):
    if where[1].endswith("_squared") and ddf == "inf":
        with pytest.raises(ArgumentError, match="infinite degrees of freedom"):
            call(where, model, ddf=ddf)
        return
    found = call(where, model, ddf=ddf)
    assert LABELS[ddf] in text(found).lower()
    # The names of the others are absent, so that one label cannot pass for all.
    assert not any(label in text(found).lower() for name, label in LABELS.items() if name != ddf)


@pytest.mark.parametrize("where", WITH_VCOV, ids="-".join)
def test_a_method_that_does_not_go_with_the_matrix(model, where):
    if where[1] == "wald_test":
        return
    with pytest.raises(ArgumentError, match="brings its own degrees of freedom"):
        call(where, model, vcov=vcov_cluster(model), ddf="residual")
    with pytest.raises(ArgumentError, match="needs the model's own covariance matrix"):
        call(where, model, vcov=model.vcov(), ddf="kenward-roger")


@pytest.mark.parametrize("name", sorted(of_generalized()))
def test_generalized_models(name):
    model = fits("epil", "y ~ trt + age + (1 | subject)", "poisson")
    where = ("method", name)
    if name in LINEAR_ONLY:
        with pytest.raises(ArgumentError, match=f"^{LINEAR_ONLY[name]}"):
            call(where, model, vcov=4 * model.vcov())
        return
    own, changed = call(where, model), call(where, model, vcov=4 * model.vcov())
    assert numbers(own) != numbers(changed)
    # The same test by a quarter of the statistic.
    if isinstance(own, pd.DataFrame) and "Chisq" in own:
        np.testing.assert_allclose(4 * changed["Chisq"], own["Chisq"])
    if name != "wald_test":
        with pytest.raises(ArgumentError, match="take ddf='inf'"):
            call(where, model, ddf="satterthwaite")
    with pytest.raises(ArgumentError, match="belongs to another model"):
        call(where, model, vcov=lmer(FORMULA, CAKE).vcov())


def test_tests_of_terms_by_chi_square(model):
    """Types II and III with another matrix, also for linear models."""
    for kind in (2, 3):
        own = mm.anova(model, type=kind, test="Chisq")
        changed = mm.anova(model, type=kind, test="Chisq", vcov=4 * model.vcov())
        np.testing.assert_allclose(4 * changed["Chisq"], own["Chisq"])
        robust = mm.anova(model, type=kind, test="Chisq", vcov=vcov_cluster(model))
        assert "CR2" in str(robust)
    wald = mm.wald_test(model, "temp = 0", vcov=vcov_cluster(model))
    error = vcov_cluster(model).to_frame().loc["temp", "temp"]
    assert wald["Chisq"].item() == pytest.approx(model.fixef()["temp"] ** 2 / error)


def test_several_models(model, others):
    other = others["other criterion"]
    with pytest.raises(ArgumentError, match="several models has no argument vcov="):
        mm.anova(model, other, vcov=vcov_cluster(model))
    table = mm.model_table(model, other, vcov=[vcov_cluster(model), None], show="p.value")
    assert "CR2" in text(table)
    plain = mm.model_table(model, other, show="p.value")
    cells, before = zip(*numbers(table), strict=True), zip(*numbers(plain), strict=True)
    assert [one == two for one, two in zip(cells, before, strict=True)] == [False, True]
    for given in (vcov_cluster(model), [vcov_cluster(model)], model.vcov(), [None] * 3):
        with pytest.raises(ArgumentError, match=r"a list with .* for each of the 2 models"):
            mm.model_table(model, other, vcov=given)
    with pytest.raises(ArgumentError, match="belongs to another model"):
        mm.model_table(model, other, vcov=[None, vcov_cluster(model)])


def test_contrasts_take_another_basis_than_their_means(model):
    means = model.emmeans("~ recipe")
    robust = vcov_cluster(model)
    np.testing.assert_array_equal(
        means.pairs(vcov=robust).vcov(), model.emmeans("~ recipe", vcov=robust).pairs().vcov()
    )
    wanted = str(model.emmeans("~ recipe", ddf="kenward-roger").contrast("eff"))
    assert str(means.contrast("eff", ddf="kenward-roger")) == wanted
    sizes = means.eff_size(5.0, 40)
    changed = sizes.contrast("identity", vcov=robust)
    wanted = model.emmeans("~ recipe", vcov=robust).eff_size(5.0, 40)
    np.testing.assert_allclose(changed.vcov(), wanted.vcov())
    np.testing.assert_array_equal(changed.functions.df, wanted.functions.df)


def test_a_matrix_of_a_model_with_dropped_columns():
    data = CAKE.assign(twice=2 * CAKE["temp"])
    with pytest.warns(mm.errors.RankDeficiencyWarning):
        model = lmer("angle ~ temp + twice + recipe + (1 | recipe:replicate)", data)
    whole = model.vcov()
    assert whole.isna().to_numpy().any()
    wanted = mm.coef_test(model, vcov=whole.dropna(how="all").dropna(axis=1, how="all"))
    pd.testing.assert_frame_equal(pd.DataFrame(mm.coef_test(model, vcov=whole)), pd.DataFrame(wanted))


def test_covariance_matrices_for_marginaleffects(model, others):
    fitted, robust = model._fitted, vcov_cluster(model)
    np.testing.assert_array_equal(covariance_for(fitted, True), model.vcov())
    assert covariance_for(fitted, False) is None
    assert covariance_for(fitted, None) is None
    for given in (robust, robust.to_frame(), robust.covariance, "CR2"):
        np.testing.assert_allclose(covariance_for(fitted, given), robust.covariance)
    with pytest.raises(ArgumentError, match="belongs to another model"):
        covariance_for(fitted, vcov_cluster(others["other data"]))
    with pytest.raises(ArgumentError, match="not a covariance matrix"):
        covariance_for(fitted, -robust.covariance)


@pytest.mark.parametrize("where", [own for own in WITH_DDF if own in WITH_VCOV], ids="-".join)
def test_docstrings_say_what_goes_with_a_matrix(where):
    """A matrix alone turns t and F tests into z and χ² tests: the description of ``vcov`` says so."""
    place, name = where
    owner = {"function": mm, "method": mm.LinearMixedModel, "means": Emmeans}[place]
    lines = inspect.getdoc(getattr(owner, name)).split("\n")
    starts = [i for i, line in enumerate(lines) if line.startswith("vcov : ")]
    if not starts:
        assert any(re.match(r"[\w, ]*\bvcov\b[\w, ]* : as for `\w+`(, optional)?$", line) for line in lines)
        return
    described = [line for line in lines[starts[0] + 1 : starts[0] + 5] if line.startswith("    ")]
    text = " ".join(" ".join(described).split()).lower()
    assert re.search(r"a matrix,? .*normal .*unless ``ddf=\"residual\"``", text)
