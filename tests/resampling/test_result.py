"""The result: frames, summary, limits, files, figures, and what is said of replicates that failed."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pandas as pd
import pytest

from mixedmodels import ArgumentError, Bootstrap, MixedModelsWarning, glmer, lmer, load_sleepstudy
from resampling import work
from shared_fits import fits

NAMES = [
    "sd_(Intercept)|Subject",
    "sd_Days|Subject",
    "cor_Days.(Intercept)|Subject",
    "sigma",
    "(Intercept)",
    "Days",
]


@pytest.fixture(scope="module")
def boot():
    return fits("sleepstudy").bootstrap(200, rng=1)


def small_binary():
    """Few rows, so that some samples have no variation and others are separated."""
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(5), 4)
    data = pd.DataFrame({"y": rng.random(20) < 0.2, "x": np.tile([0.0, 0.0, 1.0, 1.0], 5), "g": g})
    return glmer("y ~ x + (1 | g)", data, "binomial")


def test_the_parameters_are_those_of_confint_and_the_model(boot):
    model = fits("sleepstudy")
    assert list(boot.names) == NAMES == list(model.confint().index)
    component = model.VarCorr()["Subject"]
    expected = [*component.sd, component.corr[0, 1], model.sigma, *model.fixef()]
    np.testing.assert_allclose(boot.estimate, expected)


def test_frames(boot):
    wide, long = boot.replicates, boot.to_frame()
    assert wide.shape == (200, 6)
    assert list(wide.columns) == NAMES
    assert list(wide.index) == list(range(1, 201))
    assert list(long.columns) == ["replicate", "parameter", "value"]
    again = long.pivot(index="replicate", columns="parameter", values="value")[NAMES]
    np.testing.assert_array_equal(again.to_numpy(), wide.to_numpy())
    wide.iloc[0, 0] = 7.0
    assert boot.values[0, 0] != 7.0
    with pytest.raises(ValueError, match="read-only"):
        boot.values[0, 0] = 7.0


def test_summary(boot):
    table = boot.summary()
    np.testing.assert_allclose(table["bias"], boot.replicates.mean() - boot.estimate)
    np.testing.assert_allclose(table["std.error"], boot.replicates.std())
    assert (table["n"] == 200).all()
    assert "Parametric bootstrap, 200 replicates" in str(boot)
    assert str(boot) == str(table)


def test_limits(boot):
    table = boot.confint(level=0.9, kind="shortest", parm=["sd_*", "Days"])
    assert list(table.columns) == ["5 %", "95 %"]
    assert list(table.index) == [*NAMES[:2], "Days"]
    inside = boot.replicates["Days"].between(*table.loc["Days"])
    assert inside.sum() == 180
    for kind in ("percentile", "basic", "normal", "bca"):
        limits = boot.confint(kind=kind)
        assert (limits["2.5 %"] < limits["97.5 %"]).all()
        assert any("replicates" in note for note in limits.notes)
    assert boot.confint(parm="Days").equals(boot.confint().loc[["Days"]])
    with pytest.raises(ArgumentError, match="no parameter 'Dais'; did you mean 'Days'"):
        boot.confint(parm="Dais")
    with pytest.raises(ArgumentError, match="parm must be a string or a list"):
        boot.confint(parm=3)
    with pytest.raises(ArgumentError, match="kind must be one of"):
        boot.confint(kind="student")
    with pytest.raises(ArgumentError, match="level must be"):
        boot.confint(level=95)


def test_confint_of_the_model(boot):
    model = fits("sleepstudy")
    assert model.confint(method="boot", nsim=200, rng=1).equals(boot.confint())
    limits = model.confint(0.9, "Boot", nsim=200, rng=1, kind="normal", parm="theta_")
    assert limits.equals(boot.confint(0.9, "normal", "theta_"))
    assert list(limits.index) == NAMES[:4]
    for options, match in [
        ({"nsim": 0}, "nsim must be"),
        ({"kind": "t"}, "kind must be one of"),
        ({"parm": "nothing"}, "no parameter"),
    ]:
        with pytest.raises(ArgumentError, match=match):
            model.confint(method="boot", **options)


def test_few_replicates_are_mentioned():
    few = fits("sleepstudy").bootstrap(20, rng=1).confint()
    assert any("Too few replicates" in note for note in few.notes)
    assert few.loc["Days"].tolist() == pytest.approx(
        [f(fits("sleepstudy").bootstrap(20, rng=1).replicates["Days"]) for f in (min, max)]
    )


def test_the_acceleration_is_that_of_fits_without_each_level(boot):
    data, formula = load_sleepstudy(), "Reaction ~ Days + (Days | Subject)"
    without = [
        lmer(formula, data[data["Subject"] != level]).sigma for level in data["Subject"].cat.categories
    ]
    influence = np.mean(without) - np.array(without)
    expected = np.sum(influence**3) / (6 * np.sum(influence**2) ** 1.5)
    assert boot.acceleration[3] == pytest.approx(expected, rel=1e-4)
    own = fits("sleepstudy").bootstrap(20, statistic=work.named, rng=1)
    assert own.acceleration == pytest.approx(boot.acceleration[[5, 3]], rel=1e-3)
    generalized = fits("cbpp").bootstrap(20, rng=1)
    assert np.isfinite(generalized.acceleration).all()


def test_files(boot, tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "boot.parquet"
    boot.save(path)
    again = Bootstrap.load(str(path))
    np.testing.assert_array_equal(again.values, boot.values)
    np.testing.assert_array_equal(again.estimate, boot.estimate)
    assert str(again) == str(boot)
    for kind in ("percentile", "basic", "normal", "shortest"):
        assert again.confint(kind=kind).equals(boot.confint(kind=kind))
    fresh = fits("sleepstudy").bootstrap(50, rng=1)
    fresh.save(path)
    with pytest.raises(ArgumentError, match="needs the model"):
        Bootstrap.load(path).confint(kind="bca")
    limits = fresh.confint(kind="bca")
    fresh.save(path)
    assert Bootstrap.load(path).confint(kind="bca").equals(limits)
    frame = pd.read_parquet(path)
    assert list(frame.columns) == ["replicate", "status", "message", "singular", *NAMES]
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(ArgumentError, match="not written by Bootstrap"):
        Bootstrap.load(path)
    with pytest.raises(FileNotFoundError):
        Bootstrap.load(tmp_path / "none.parquet")


def test_names_that_the_file_has_already(tmp_path):
    pytest.importorskip("pyarrow")
    result = fits("sleepstudy").bootstrap(10, statistic=lambda m: {"status": m.sigma, "n": 1.0}, rng=1)
    result.save(tmp_path / "b.parquet")
    np.testing.assert_array_equal(Bootstrap.load(tmp_path / "b.parquet").values, result.values)


def test_without_pyarrow(boot, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ArgumentError, match=r"mixedmodels\[pyarrow\]"):
        boot.save(tmp_path / "boot.parquet")


def test_pickles(boot):
    again = pickle.loads(pickle.dumps(boot))
    np.testing.assert_array_equal(again.values, boot.values)
    assert again.confint(kind="bca").equals(boot.confint(kind="bca"))


def test_figures(boot):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    try:
        axes = boot.plot()
        assert [ax.get_title() for ax in axes] == NAMES
        limits = boot.confint(level=0.9, kind="basic")
        ax = boot.plot(pyplot.subplots()[1], parm="sigma", level=0.9, kind="basic")
        bar = ax.lines[-1]
        np.testing.assert_allclose(bar.get_xdata(), limits.loc["sigma"])
        np.testing.assert_allclose(ax.lines[0].get_xdata(), boot.estimate[3])
        area = sum(patch.get_width() * patch.get_height() for patch in ax.patches)
        assert area == pytest.approx(1.0)
        with pytest.raises(ArgumentError, match="ax= is for one parameter"):
            boot.plot(ax)
        with pytest.raises(ArgumentError, match="Axes"):
            boot.plot(3, parm="sigma")
    finally:
        pyplot.close("all")


def test_failed_and_separated_replicates_are_counted_and_kept():
    with pytest.warns(MixedModelsWarning):
        model = small_binary()
    with pytest.warns(MixedModelsWarning, match="replicates have no estimates"):
        boot = model.bootstrap(300, rng=1)
    assert boot.n == 300
    assert 0 < boot.n_failed < 150
    failed = np.array([status == "failed" for status in boot.status])
    assert np.isnan(boot.values[failed]).all()
    assert all(message for message, bad in zip(boot.messages, failed, strict=True) if bad)
    assert np.isfinite(boot.values[~failed]).all()
    assert boot.n_unbounded > 0
    infinite = np.array([status == "unbounded" for status in boot.status])
    assert all("separate" in message for message, bad in zip(boot.messages, infinite, strict=True) if bad)
    assert abs(boot.replicates["x"][infinite]).min() > abs(boot.replicates["x"][~infinite & ~failed]).max()
    table = boot.summary()
    assert (table["n"] == 300 - boot.n_failed - boot.n_unbounded).all()
    assert table["std.error"].max() < 5
    text = str(boot)
    assert f"{boot.n_failed} replicates without a fit" in text
    assert "separation" in text
    assert boot.n_singular == boot.singular.sum() > 0


def test_singular_fits_are_those_without_variance():
    boot = fits("dyestuff").bootstrap(300, rng=1)
    zero = boot.replicates["sd_(Intercept)|Batch"] < 1e-4
    assert 0 < boot.n_singular == zero.sum() < 300
    assert "singular fits" in str(boot)


def test_a_statistic_that_fails_sometimes():
    with pytest.warns(MixedModelsWarning, match="too steep"):
        boot = fits("sleepstudy").bootstrap(60, statistic=work.failing, rng=1)
    slopes = fits("sleepstudy").bootstrap(60, rng=1).replicates["Days"]
    assert boot.n_failed == (slopes > 10.4673).sum()
    assert "statistic: ConvergenceError: too steep" in boot.messages


def test_when_nothing_can_be_fitted():
    model, calls = fits("sleepstudy"), []

    def never(model):
        calls.append(1)
        if len(calls) > 1:
            raise ValueError("no more")
        return 1.0

    with pytest.raises(ArgumentError, match=r"none of 10 replicates could be fitted.*no more"):
        model.bootstrap(10, statistic=never, rng=1)


@pytest.mark.parametrize(
    ("statistic", "names"),
    [
        (lambda m: m.sigma, ("statistic",)),
        (lambda m: np.array([1.0, m.sigma]), ("statistic 1", "statistic 2")),
        (lambda m: m.fixef(), ("(Intercept)", "Days")),
        (lambda m: {"a": m.sigma, "b": 2}, ("a", "b")),
        (lambda m: [1, 2], ("statistic 1", "statistic 2")),
    ],
)
def test_what_statistics_may_return(statistic, names):
    boot = fits("sleepstudy").bootstrap(5, statistic=statistic, rng=1)
    assert boot.names == names
    assert boot.values.shape == (5, len(names))


@pytest.mark.parametrize("value", ["text", None, np.eye(2), [], {"a": "b"}])
def test_what_statistics_may_not_return(value):
    with pytest.raises(ArgumentError, match="statistic must return"):
        fits("sleepstudy").bootstrap(5, statistic=lambda m: value)


def test_errors_of_a_statistic_on_the_model_itself_come_through():
    with pytest.raises(ZeroDivisionError):
        fits("sleepstudy").bootstrap(5, statistic=lambda m: 1 / 0)


def test_statistics_of_samples_see_the_copies():
    def levels(model):
        group = model.ranef()["Subject"]
        return {"levels": len(group), "copies": sum("(2)" in str(name) for name in group.index)}

    boot = fits("sleepstudy").bootstrap(20, type="cases", statistic=levels, rng=1)
    assert (boot.replicates["levels"] == 18).all()
    assert (boot.replicates["copies"] > 0).all()
    assert boot.estimate.tolist() == [18.0, 0.0]


def test_dropped_columns_of_samples_are_missing_values():
    data = load_sleepstudy()
    data["rare"] = (data["Subject"] == data["Subject"].iloc[0]).astype(float)
    model = lmer("Reaction ~ Days + rare + (1 | Subject)", data)
    boot = model.bootstrap(100, type="cases", rng=1)
    assert boot.n_failed == 0
    assert 20 < boot.summary()["n"]["rare"] < 90
    assert boot.summary()["n"]["Days"] == 100
