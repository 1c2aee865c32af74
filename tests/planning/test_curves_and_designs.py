"""Power curves, and the data of planned studies: copies of a study, and designs from nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import mixedmodels as mm
from mixedmodels import crossed_design, extend, power, power_curve
from mixedmodels.errors import (
    ArgumentError,
    DataError,
    InterruptedWarning,
    MissingColumnError,
    MixedModelsWarning,
)
from shared_fits import fits

EFFECT = {"Days": 5.0}


def test_curve_along_subjects():
    model = fits("sleepstudy")
    curve = power_curve(model, "Days", 40, along="Subject", values=[6, 18, 30], params=EFFECT, rng=1)
    assert curve.along == "levels of Subject"
    assert curve.values == (6, 18, 30)
    assert [own.groups["Subject"] for own in curve.powers] == [6, 18, 30]
    assert [own.n_obs for own in curve.powers] == [60, 180, 300]
    assert curve.powers[0].power < curve.powers[2].power
    frame = curve.to_frame()
    assert frame["value"].tolist() == [6, 18, 30]
    assert frame["along"].unique().tolist() == ["levels of Subject"]
    assert "levels of Subject" in str(curve)


def test_a_point_of_the_curve_is_the_power_of_its_study():
    model = fits("sleepstudy")
    curve = power_curve(model, "Days", 300, along="Subject", values=[9], params=EFFECT, rng=1)
    data = extend(model.data, 9, along="Subject")
    alone = power(model, "Days", 300, params=EFFECT, data=data, rng=2)
    error = np.sqrt(2 * 0.25 / 300)
    assert curve.powers[0].power == pytest.approx(alone.power, abs=4 * error)


def test_curves_along_rows_covariates_and_parameters():
    model = fits("sleepstudy")
    within = power_curve(model, "Days", 20, within="Subject", values=[4, 20], params=EFFECT, rng=1)
    assert [own.n_obs for own in within.powers] == [72, 360]
    days = power_curve(model, "Days", 20, along="Days", values=[3, 12], params=EFFECT, rng=1)
    assert [own.n_obs for own in days.powers] == [54, 216]
    effects = power_curve(model, "Days", 60, along=("parameter", "Days"), values=[0, 10], rng=1)
    assert [own.effect for own in effects.powers] == [0.0, 10.0]
    assert effects.powers[0].power < 0.2 < 0.9 < effects.powers[1].power
    noise = power_curve(model, "Days", 60, along="sigma", values=[5, 200], params=EFFECT, rng=1)
    assert noise.along == "true value of sigma"
    assert noise.powers[0].power > noise.powers[1].power


def test_curves_of_formulas():
    data = crossed_design(8, within={"x": [-0.5, 0.5]})
    params = {"(Intercept)": 0.0, "x": 1.0, "sd__(Intercept)": 1.0, "sigma": 1.0}
    curve = power_curve(
        "y ~ x + (1 | subject)", "x", 40, along="subject", values=[4, 40], data=data, params=params, rng=1
    )
    assert [own.groups["subject"] for own in curve.powers] == [4, 40]
    assert curve.powers[0].power < curve.powers[1].power


def test_weights_and_offsets_stay_with_their_rows():
    """Trials by a column, by an array, and by the response; arrays of a fit."""
    data = crossed_design(8, within={"x": [-0.5, 0.5]}).assign(n=np.arange(16) % 5 + 1)
    params = {"(Intercept)": 0.0, "x": 1.0, "sd__(Intercept)": 1.0}
    options = {"along": "subject", "values": [4, 16], "data": data, "params": params, "family": "binomial"}
    column, array, ratio = (
        power_curve(f"{left} ~ x + (1 | subject)", "x", 30, rng=1, weights=weights, **options)
        for left, weights in (("y", "n"), ("y", data["n"].to_numpy()), ("a / n", None))
    )
    for other in (array, ratio):
        for one, two in zip(column.powers, other.powers, strict=True):
            np.testing.assert_array_equal(one.p_values, two.p_values)
    sleep = mm.load_sleepstudy().assign(w=np.linspace(0.5, 2.0, 180), o=np.linspace(0.0, 50.0, 180))
    named = mm.lmer("Reaction ~ Days + (1 | Subject)", sleep, weights="w", offset="o")
    given = mm.lmer("Reaction ~ Days + (1 | Subject)", sleep, weights=sleep["w"], offset=sleep["o"])
    by_name, by_array = (
        power_curve(own, "Days", 20, along="Subject", values=[6, 20], params=EFFECT, rng=1)
        for own in (named, given)
    )
    for one, two in zip(by_name.powers, by_array.powers, strict=True):
        np.testing.assert_allclose(one.p_values, two.p_values, rtol=1e-9)
        assert one.failures == 0


def test_a_study_that_cannot_be_fitted_is_named():
    data = crossed_design(6, between_subjects={"group": ["a", "b"]}, repetitions=3)
    data = data.sort_values("group").reset_index(drop=True)
    data["subject"] = data["subject"].cat.set_categories(data["subject"].unique().tolist())
    params = {"(Intercept)": 0.0, "group[T.b]": 1.0, "sd__(Intercept)": 1.0, "sigma": 1.0}
    with pytest.raises(DataError, match="power_curve: with 3 levels of subject: factor 'group' has"):
        power_curve(
            "y ~ group + (1 | subject)", None, 5, along="subject", values=[3], data=data, params=params
        )


def test_progress_of_a_curve_runs_over_all_values_and_ends_on_interruption():
    seen = []
    model = fits("sleepstudy")
    options = {"along": "Subject", "values": [6, 9, 12], "params": EFFECT, "rng": 1}
    power_curve(model, "Days", 10, progress=lambda done, total: seen.append((done, total)), **options)
    assert seen[-1] == (30, 30)
    assert sorted(seen) == seen

    def stop(done, total):
        if done > 400:
            raise KeyboardInterrupt

    with pytest.warns(InterruptedWarning):
        short = power_curve(model, "Days", 400, progress=stop, **options)
    assert len(short.powers) == 2


def test_plot():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    model = fits("sleepstudy")
    curve = power_curve(model, "Days", 20, along="Subject", values=[12, 6], params=EFFECT, rng=1)
    axes = curve.plot()
    line, _, (bars,) = axes.containers[0]
    np.testing.assert_array_equal(line.get_xdata(), [6, 12])
    np.testing.assert_allclose(line.get_ydata(), [curve.powers[1].power, curve.powers[0].power])
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, [curve.powers[1].limits, curve.powers[0].limits])
    assert [own.get_ydata()[0] for own in axes.lines if own.get_linestyle() == "--"] == [0.8]
    assert axes.get_xlabel() == "levels of Subject"
    axes.figure.canvas.draw()
    few = power_curve(model, "Days", 5, along="Subject", values=[6, 7], params=EFFECT, rng=1).plot()
    few.figure.canvas.draw()
    assert all(float(label.get_text()).is_integer() for label in few.get_xticklabels() if label.get_text())
    effects = power_curve(model, "Days", 5, along=("parameter", "Days"), values=[1, 2], rng=1)
    assert effects.plot().get_xlabel() == "true value of Days"
    own = pyplot.subplots()[1]
    assert curve.plot(own, target=None) is own
    assert not [line for line in own.lines if line.get_linestyle() == "--"]
    with pytest.raises(ArgumentError, match="ax must be Axes"):
        curve.plot(3)
    with pytest.raises(ArgumentError, match="target must be a number between 0 and 1"):
        curve.plot(target=80)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": [5]}, "give either along= .* or within="),
        ({"along": "Subject", "values": [0]}, "whole numbers of at least 1"),
        ({"along": "Subject", "values": [2.5]}, "whole numbers of at least 1"),
        ({"along": "Subject", "values": []}, "at least one"),
        ({"along": "Subject", "values": "abc"}, "values must be a list of numbers"),
        ({"along": "Subject", "values": [6, 6]}, "values must be different numbers"),
        (
            {"along": "Subjects", "values": [5]},
            "along='Subjects' is neither a column of the data nor a parameter; did you mean 'Subject'?",
        ),
        ({"along": ("parameter", "Dayz"), "values": [5]}, "there is no such parameter; did you mean 'Days'?"),
        ({"along": ("param", "Days"), "values": [5]}, r"or \('parameter', name\) for a parameter"),
        ({"along": "Subject", "values": [5], "weights": "w"}, "weights= of a fitted model needs data="),
        ({"along": 3, "values": [5]}, "along must be the name of a column or a parameter"),
        ({"within": "Subjects", "values": [5]}, "power_curve: the data has no column 'Subjects'"),
    ],
)
def test_wrong_arguments_of_curves(options, message):
    with pytest.raises((ArgumentError, MissingColumnError), match=message):
        power_curve(fits("sleepstudy"), "Days", 5, **options)


# --- extend ---


@pytest.mark.parametrize("kind", ["pandas", "polars", "polars categories"])
def test_new_levels_are_copies(kind):
    data = pd.DataFrame({"subject": ["s01", "s01", "s02", "s02", "s03"], "x": [1.0, 2.0, 3.0, 4.0, 5.0]})
    given = data if kind == "pandas" else pl.DataFrame(data.to_dict("list"))
    if kind == "polars categories":
        given = given.with_columns(pl.col("subject").cast(pl.Enum(["s01", "s02", "s03"])))
    larger = extend(given, 8, along="subject")
    assert type(larger) is type(given)
    columns = {name: list(larger[name]) for name in ("subject", "x")}
    assert columns["subject"][5:] == ["s04", "s04", "s05", "s05", "s06", "s07", "s07", "s08", "s08"]
    assert columns["x"] == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4]
    assert list(extend(given, 2, along="subject")["x"]) == [1, 2, 3, 4]
    assert list(extend(given, 3, within="subject")["x"]) == [1, 2, 1, 3, 4, 3, 5, 5, 5]
    assert list(extend(given, 1, within=["subject"])["x"]) == [1, 3, 5]


def test_labels_are_continued():
    names = pd.DataFrame({"g": ["Ann", "Bob"], "y": [1, 2]})
    assert extend(names, 5, along="g")["g"].tolist() == ["Ann", "Bob", "Ann_2", "Bob_2", "Ann_3"]
    codes = pd.DataFrame({"g": [10, 20, 30], "y": [1, 2, 3]})
    assert extend(codes, 5, along="g")["g"].tolist() == [10, 20, 30, 40, 50]
    assert extend(codes, 5, along="g")["g"].dtype == np.int64
    ordered = names.assign(g=pd.Categorical(["Bob", "Ann"], ["Bob", "Ann", "Cid"], ordered=True))
    larger = extend(ordered, 3, along="g")["g"]
    assert larger.cat.categories.tolist() == ["Bob", "Ann", "Bob_2"]
    assert larger.cat.ordered


def nested(cask):
    return pd.DataFrame({"batch": np.repeat(list("abcd"), 6), "cask": np.repeat(cask, 2)})


@pytest.mark.parametrize("kind", [list, pd.Categorical])
def test_whole_numbers_may_label_parts_of_levels(kind):
    data = nested(kind(np.arange(12).tolist()))
    larger = extend(data, 8, along="batch")
    assert larger["cask"].nunique() == 24
    assert larger["cask"].dtype.kind == data["cask"].dtype.kind
    assert larger.groupby("cask", observed=True)["batch"].nunique().max() == 1
    polars_too = extend(pl.DataFrame({name: list(own) for name, own in data.items()}), 8, along="batch")
    assert polars_too["cask"].n_unique() == 24


def test_measurements_are_copied_and_numbers_that_may_be_labels_are_mentioned(recwarn):
    data = nested(np.arange(12)).assign(cask=np.arange(24) ** 2, age=np.repeat([30, 41, 55, 62], 6))
    larger = extend(data, 8, along="batch")
    assert larger["cask"].tolist() == [*data["cask"], *data["cask"]]
    assert larger["age"].tolist() == [*data["age"], *data["age"]]
    assert not recwarn.list
    with pytest.warns(
        MixedModelsWarning, match="each number in column 'cask' occurs in one level of 'batch'"
    ):
        assert extend(nested(10 * np.arange(12)), 8, along="batch")["cask"].nunique() == 12
    tens = nested(pd.Categorical(10 * np.arange(12)))
    assert extend(tens, 8, along="batch")["cask"].nunique() == 24


def test_rows_without_a_level_stay_unless_levels_are_left_out():
    data = pd.DataFrame({"g": ["a", "b", None, "c"], "x": [1.0, 2.0, 3.0, 4.0]})
    assert [len(extend(data, n, along="g")) for n in (2, 3, 4)] == [2, 4, 5]


def test_parts_of_levels_get_labels_of_their_own():
    larger = extend(mm.load_pastes(), 15, along="batch")
    assert larger["sample"].nunique() == 45
    assert larger.groupby("sample", observed=True)["batch"].nunique().max() == 1
    # A factor between the levels is none of their parts.
    groups = crossed_design(6, between_subjects={"group": ["a", "b"]}, repetitions=2)
    assert extend(groups, 10, along="subject").groupby("group", observed=True).size().tolist() == [10, 10]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 3}, "either along= .* or within="),
        ({"n": 3, "along": "a", "within": "b"}, "either along= .* or within="),
        ({"n": 0, "along": "g"}, "n must be a whole number of at least 1"),
        ({"n": 3, "along": "h"}, "no column 'h'"),
        ({"n": 3, "along": ["g"]}, "along must be the name of a column"),
        ({"n": 3, "within": 1}, "within must be the name of a column or a list"),
        ({"n": 3, "along": "flag"}, "True or False and cannot have more levels"),
        ({"n": 3, "along": "empty"}, "has no values"),
    ],
)
def test_wrong_arguments_of_extend(options, message):
    data = pd.DataFrame({"g": ["a", "b"], "flag": [True, False], "empty": [None, None]})
    with pytest.raises((ArgumentError, MissingColumnError), match=message):
        extend(data, **options)


# --- crossed_design ---


def test_factors_are_between_or_within_as_they_are_called():
    design = crossed_design(
        12,
        8,
        between_subjects={"group": ["a", "b"], "site": ["x", "y", "z"]},
        between_items={"frequency": ["low", "high"]},
        within={"condition": ["p", "q"], "time": [0, 1, 2]},
        repetitions=2,
    )
    assert len(design) == 12 * 8 * 6 * 2
    assert design.groupby("subject", observed=True)[["group", "site"]].nunique().max().tolist() == [1, 1]
    assert design.groupby("item", observed=True)["frequency"].nunique().max() == 1
    subjects = design.drop_duplicates("subject")
    assert pd.crosstab(subjects["group"], subjects["site"]).to_numpy().tolist() == [[2] * 3] * 2
    cells = design.groupby(["subject", "item", "condition", "time"], observed=True).size()
    assert (cells == 2).all()
    assert design["time"].dtype == np.int64
    assert design["condition"].cat.categories.tolist() == ["p", "q"]
    assert design["subject"].cat.categories[[0, 11]].tolist() == ["S01", "S12"]


def test_counterbalanced_designs_confound_nothing():
    design = crossed_design(
        12,
        12,
        between_subjects={"group": ["a", "b"]},
        between_items={"frequency": ["low", "high"]},
        within={"condition": ["p", "q", "r"]},
        counterbalanced=True,
    )
    assert len(design) == 144
    for one in ("subject", "item"):
        assert (pd.crosstab(design[one], design["condition"]) == 4).all(axis=None)
    cells = design.groupby(["group", "frequency", "condition"], observed=True).size()
    assert (cells == 12).all()
    each = design.groupby(["subject", "frequency", "condition"], observed=True).size()
    assert (each == 2).all()


def test_covariates_and_missing_rows():
    design = crossed_design(
        50,
        10,
        subject_covariates={"age": "normal", "score": np.arange(50)},
        item_covariates={"length": lambda rng, n: rng.integers(3, 9, n)},
        row_covariates={"noise": "uniform"},
        missing=0.1,
        rng=1,
    )
    assert len(design) == 450
    assert design.groupby("subject", observed=True)[["age", "score"]].nunique().max().tolist() == [1, 1]
    assert design.groupby("item", observed=True)["length"].nunique().max() == 1
    assert design["noise"].between(0, 1).all()
    assert design["noise"].nunique() == 450
    pd.testing.assert_frame_equal(
        crossed_design(5, 4, row_covariates={"x": "normal"}, missing=0.2, rng=3),
        crossed_design(5, 4, row_covariates={"x": "normal"}, missing=0.2, rng=3),
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subjects": 1}, "subjects must be a whole number of at least 2"),
        ({"items": 1}, "items must be a whole number of at least 2"),
        ({"between_items": {"f": ["a", "b"]}}, "between_items needs items"),
        ({"within": {"f": ["a"]}}, "within: 'f' must be a list of two or more levels, and has 1"),
        ({"within": {"f": [1, "1"]}}, "a level of 'f' occurs twice"),
        ({"subjects": 2, "missing": 0.9}, "missing=0.9 leaves none of the 2 rows"),
        ({"within": {"f": "ab"}}, "within: 'f' must be a list of two or more levels"),
        ({"within": {"f": ["a", "a"]}}, "a level of 'f' occurs twice"),
        ({"within": ["a", "b"]}, "within must map names of columns"),
        ({"within": {"subject": ["a", "b"]}}, "two columns would be called 'subject'"),
        ({"subject": "id", "item": "id", "items": 3}, "two columns would be called 'id'"),
        ({"within": {"f": ["a", "b"]}, "counterbalanced": True}, "counterbalanced=True needs items"),
        ({"missing": 1.0}, "missing must be the share of missing rows"),
        ({"subject_covariates": {"x": "cauchy"}}, "the covariate 'x' must be one of 'normal', 'uniform'"),
        ({"subject_covariates": {"x": [1, 2]}}, "the covariate 'x' needs 30 numbers"),
        ({"subject": 3}, "subject must be the name of a column"),
    ],
)
def test_wrong_designs(options, message):
    with pytest.raises(ArgumentError, match=message):
        crossed_design(**options)
