"""The result: frames, summary, limits, files, figures, and what is said of replicates that failed."""

from __future__ import annotations

import pickle
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    ArgumentError,
    Bootstrap,
    MixedModelsWarning,
    RankDeficiencyWarning,
    SingularFitWarning,
    glmer,
    lmer,
    load_dyestuff2,
    load_sleepstudy,
)
from mixedmodels.resampling.intervals import KINDS
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


def test_tables_say_why_there_are_no_bca_limits():
    with pytest.warns(SingularFitWarning):
        singular = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    limits = singular.bootstrap(200, rng=1).confint(kind="bca")
    assert np.isnan(limits.loc["sd_(Intercept)|Batch"]).all()
    assert np.isfinite(limits.loc[["sigma", "(Intercept)"]]).all(axis=None)
    (note,) = [note for note in limits.notes if note.startswith("No BCa limits")]
    assert "sd_(Intercept)|Batch:" in note
    assert "sigma" not in note


def test_values_held_fixed_have_no_limits(tmp_path):
    model = lmer(
        "Reaction ~ Days + (Days | Subject)", load_sleepstudy(), fixed={"Days": 10.0, "sd__Days": 5.0}
    )
    for type in ("parametric", "cases"):
        boot = model.bootstrap(50, type=type, rng=1)
        for name, value in (("Days", 10.0), ("sd_Days|Subject", 5.0)):
            assert boot.replicates[name].nunique() == 1
            assert boot.replicates[name].iloc[0] == pytest.approx(value, rel=1e-14)
            assert boot.summary().loc[name, ["bias", "std.error"]].tolist() == [0.0, 0.0]
            for kind in KINDS:
                limits = boot.confint(kind=kind)
                assert limits.loc[name].isna().all()
                assert np.isfinite(limits.loc["sigma"]).all()
                assert "Held fixed, without limits: sd_Days|Subject, Days" in limits.notes
    pytest.importorskip("pyarrow")
    boot.save(tmp_path / "held.parquet")
    assert str(Bootstrap.load(tmp_path / "held.parquet").confint()) == str(boot.confint())


@pytest.mark.parametrize("multipliers", ["mammen", "rademacher"])
def test_the_wild_bootstrap_has_no_limits_of_variance_parameters(multipliers):
    boot = fits("sleepstudy").bootstrap(50, type="wild", multipliers=multipliers, rng=1)
    for kind in KINDS:
        limits = boot.confint(kind=kind)
        assert limits.loc[NAMES[:4]].isna().all(axis=None)
        assert np.isfinite(limits.loc[NAMES[4:]]).all(axis=None)
        assert any("The wild bootstrap is for coefficients" in note for note in limits.notes)
        assert not any("is for coefficients" in note for note in boot.confint(kind=kind, parm="beta_").notes)
    assert any("The wild bootstrap is for coefficients" in note for note in boot.summary().notes)


def test_columns_without_an_estimate_have_no_limits():
    data = load_sleepstudy().assign(twice=lambda d: 2 * d["Days"])
    with pytest.warns(RankDeficiencyWarning):
        model = lmer("Reaction ~ Days + twice + (1 | Subject)", data)
    boot = model.bootstrap(20, rng=1)
    for kind in ("bca", "percentile", "normal"):
        limits = boot.confint(kind=kind)
        assert limits.isna().all(axis=1).sum() == 1
        assert any(note.startswith("No limits of twice: there is no estimate") for note in limits.notes)


def test_bca_limits_beyond_the_replicates_are_mentioned():
    boot = fits("sleepstudy").bootstrap(60, rng=1)
    limits, values = boot.confint(kind="bca"), boot.replicates
    ends = [name for name in NAMES if limits.loc[name].isin([values[name].min(), values[name].max()]).any()]
    assert 0 < len(ends) < len(NAMES)
    assert f"Too few replicates for this level: limits of {', '.join(ends)} are" in " ".join(limits.notes)
    assert not any("Too few" in note for note in boot.confint(kind="percentile").notes)


@pytest.mark.parametrize("statistic", [None, work.named])
def test_deletions_run_anywhere_and_tell_their_progress(statistic):
    model = fits("cbpp") if statistic is None else fits("sleepstudy")
    told = []
    boot = model.bootstrap(20, rng=1, statistic=statistic)
    with ThreadPoolExecutor(2) as executor:
        limits = boot.confint(kind="bca", executor=executor, progress=lambda *done: told.append(done))
    n = len(next(iter(model.ranef().values())))
    assert told[-1] == (n, n)
    again = model.bootstrap(20, rng=1, statistic=statistic).confint(kind="bca")
    assert limits.equals(again)


def test_the_acceleration_leaves_out_independent_units():
    model = fits("pastes")
    label = next(term.group.label for term in model._fitted.design.terms if term.group.label != "batch")
    sigma = {}
    for unit in ("batch", label):
        codes = next(t.group.codes for t in model._fitted.design.terms if t.group.label == unit)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SingularFitWarning)
            without = [model.update(subset=codes != level).sigma for level in range(int(codes.max()) + 1)]
        influence = np.mean(without) - np.array(without)
        sigma[unit] = np.sum(influence**3) / (6 * np.sum(influence**2) ** 1.5)
    assert abs(sigma["batch"] - sigma[label]) > 0.01
    for options, unit in [
        ({}, "batch"),
        ({"type": "wild"}, "batch"),
        ({"type": "cases"}, "batch"),
        ({"type": "cases", "cases": label}, label),
    ]:
        boot = model.bootstrap(20, rng=1, **options)
        assert boot.acceleration[boot.names.index("sigma")] == pytest.approx(sigma[unit], rel=1e-3)
        assert f"Acceleration by deletion of the levels of {unit}" in boot.confint(kind="bca").notes
    crossed = fits("penicillin").bootstrap(20, rng=1).confint(kind="bca")
    assert "Acceleration by deletion of the levels of plate" in crossed.notes


def test_a_statistic_that_raises_without_some_level_still_has_an_acceleration():
    def unless_309_is_left_out(model):
        if "309" not in model.ranef()["Subject"].index:
            raise RuntimeError("309")
        return model.sigma

    boot = fits("sleepstudy").bootstrap(20, statistic=unless_309_is_left_out, rng=1)
    data = load_sleepstudy()
    without = [
        lmer("Reaction ~ Days + (Days | Subject)", data[data["Subject"] != level]).sigma
        for level in data["Subject"].cat.categories
        if level != "309"
    ]
    influence = np.mean(without) - np.array(without)
    expected = np.sum(influence**3) / (6 * np.sum(influence**2) ** 1.5)
    assert boot.acceleration[0] == pytest.approx(expected, rel=1e-3)


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
    whole = (boot.save(path), path.read_bytes())[1]
    for content in (b"replicate,status\n1,converged\n", b"", whole[: len(whole) // 2], b"PAR1" * 20):
        path.write_bytes(content)
        with pytest.raises(ArgumentError, match=r"not written by Bootstrap\.save\(\), or it is damaged"):
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


def test_pickles_without_a_statistic_that_cannot_be_sent(boot):
    own = fits("sleepstudy").bootstrap(20, statistic=lambda m: m.sigma, rng=1)
    again = pickle.loads(pickle.dumps(own))
    np.testing.assert_array_equal(again.values, own.values)
    assert again.confint().equals(own.confint())
    with pytest.raises(ArgumentError, match="before you save"):
        again.confint(kind="bca")
    limits = own.confint(kind="bca")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(own)).confint(kind="bca"), limits)


def test_figures(boot):
    pyplot = pytest.importorskip("matplotlib.pyplot")
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


def test_figures_of_values_without_variation():
    pytest.importorskip("matplotlib")
    held = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), fixed={"sd__Days": 5.0, "Days": 8.0})
    sparse = fits("pastes").bootstrap(20, type="wild", multipliers="rademacher", rng=1)
    for boot in (held.bootstrap(20, rng=1), sparse):
        for ax in boot.plot():
            area = sum(patch.get_width() * patch.get_height() for patch in ax.patches)
            assert area == pytest.approx(1.0)


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
    assert "without a finite optimum" in text
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


@pytest.mark.parametrize(
    "statistic",
    [
        lambda m: {f"k{int(m.sigma)}": 1.0, "s": m.sigma},
        lambda m: np.ones(int(m.sigma) - 20),
    ],
)
def test_replicates_with_other_names_or_lengths_say_so(statistic):
    model = fits("sleepstudy")
    with pytest.warns(MixedModelsWarning, match="where the model itself gives"):
        boot = model.bootstrap(20, statistic=statistic, rng=1)
    other = model.bootstrap(20, rng=1).replicates["sigma"].astype(int) != int(model.sigma)
    assert [status == "failed" for status in boot.status] == other.tolist()
    assert np.isnan(boot.values[other]).all()
    assert np.isfinite(boot.values[~other]).all()


def test_parts_that_a_replicate_does_not_name_are_missing():
    def sometimes(model):
        return {"a": 1.0, "b": 2.0} if model.sigma < 26 else {"a": 1.0}

    boot = fits("sleepstudy").bootstrap(20, statistic=sometimes, rng=1)
    assert boot.n_failed == 0
    assert 0 < boot.summary()["n"]["b"] < boot.summary()["n"]["a"] == 20


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
