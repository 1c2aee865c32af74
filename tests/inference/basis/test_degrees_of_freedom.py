"""Degrees of freedom where theory knows them, and where there are none."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedmodels import anova, kr_compare, lmer, load_chickweight, load_dyestuff2, load_sleepstudy
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from mixedmodels.inference.basis.choice import basis_of
from mixedmodels.inference.basis.kinds import Infinite, Satterthwaite, df_of_mean_square, kenward_roger_df
from shared_fits import fits

SLEEP = load_sleepstudy()


def quiet(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return lmer(*arguments, **options)


@pytest.fixture(scope="module")
def slope():
    return fits("sleepstudy")


@pytest.fixture(scope="module")
def split_plot():
    """Four blocks, three whole-plot and two subplot treatments."""
    rng = np.random.default_rng(11)
    cells = [(block, a, b) for block in "1234" for a in "xyz" for b in "pq"]
    data = pd.DataFrame(cells, columns=["block", "a", "b"])
    blocks, plots = np.array([-3, 1, 3, -1]), rng.normal(size=12)
    data["y"] = 2 * blocks.repeat(6) + 2 * plots.repeat(2) + rng.normal(size=24)
    return lmer("y ~ a * b + (1 | block) + (1 | block:a)", data)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
def test_sleep_study(slope, ddf):
    # Each subject has the same days: tests are those of 18 independent lines.
    np.testing.assert_allclose(slope.summary(ddf=ddf).coefficients["df"], [17, 17], rtol=1e-9)


def test_a_variance_that_depends_on_no_estimate_has_infinite_degrees_of_freedom():
    """Rounding, of either sign, is no dependence."""
    model = lmer("Reaction ~ Days + (Days | Subject)", SLEEP, fixed={"sigma": 25.0, "sd__Days": 5.0})
    table = model.coef_test()
    assert table["df"].tolist()[1] == np.inf
    assert table["Pr(>|t|)"].iloc[1] == pytest.approx(2.0 * stats.norm.sf(table["t value"].iloc[1]))
    for sign in (1.0, -1.0):
        basis = Satterthwaite(
            np.ones(1), np.eye(1), slopes=np.full((1, 1, 1), 1e-9), parameter_covariance=sign * np.eye(1)
        )
        assert basis.df(np.eye(1)).tolist() == [np.inf]


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
@pytest.mark.parametrize("type", [1, 2, 3])
def test_balanced_split_plot(split_plot, ddf, type):
    table = anova(split_plot, type=type, ddf=ddf)
    np.testing.assert_allclose(table["DenDF"], [6, 9, 9], rtol=1e-8)
    # The F statistics are ratios of mean squares of the analysis of variance.
    np.testing.assert_allclose(table["F value"], split_plot_f(split_plot), rtol=1e-6)


def split_plot_f(model):
    data = model.data
    y = data["y"].to_numpy().reshape(4, 3, 2)
    mean = y.mean()
    a, b, ab = y.mean((0, 2)) - mean, y.mean((0, 1)) - mean, y.mean(0)
    block = y.mean((1, 2)) - mean
    plots = y.mean(2) - mean - a - block[:, None]
    whole = 2 * np.sum(plots**2) / 6
    interaction = ab - mean - a[:, None] - b
    rest = y - y.mean(2)[..., None] - b - interaction
    residual = np.sum(rest**2) / 9
    return [
        8 * np.sum(a**2) / 2 / whole,
        12 * np.sum(b**2) / residual,
        4 * np.sum(interaction**2) / 2 / residual,
    ]


def test_one_row_of_kenward_roger():
    # The general formulas at q = 1, where A1 = A2.
    for a in (0.01, 0.3, 1.7, 2.5):
        assert kenward_roger_df(1, a, a) == (2 / a, 1.0)


def test_exact_f_tests_of_kenward_roger():
    # Near them the formulas are continuous, and at two degrees of freedom they have a limit.
    for q, m in ((2, 7.0), (3, 12.0), (5, 4.5)):
        a2 = 2 * q / m
        assert kenward_roger_df(q, q * a2, a2) == pytest.approx((m, 1.0), rel=1e-12)
        assert kenward_roger_df(q, q * a2 * (1 + 1e-7), a2) == pytest.approx((m, 1.0), rel=1e-5)
    assert kenward_roger_df(3, 9.0, 3.0) == (2.0, 1.0)


def test_the_mean_of_squared_t_variables():
    assert df_of_mean_square(np.array([7.0, 7.0, 7.0])) == 7
    # F(3, m) has the mean m / (m - 2).
    df = np.array([5.0, 8.0, 20.0])
    m = df_of_mean_square(df)
    assert m / (m - 2) == pytest.approx(np.mean(df / (df - 2)))
    # No mean: as little as two degrees of freedom.
    assert df_of_mean_square(np.array([1.9, 30.0])) == 2
    assert df_of_mean_square(np.array([np.inf, np.inf])) == np.inf
    assert np.isnan(df_of_mean_square(np.array([np.nan, 3.0])))


def test_residual_and_infinite(slope):
    table = slope.summary(ddf="residual").coefficients
    assert list(table["df"]) == [178, 178]
    table = slope.summary(ddf="inf").coefficients
    assert list(table) == ["Estimate", "Std. Error", "z value", "Pr(>|z|)"]
    assert table.loc["Days", "Pr(>|z|)"] == pytest.approx(1.2745e-11, rel=1e-3)
    assert "z tests by infinite degrees of freedom" in str(slope.summary(ddf=np.inf))
    assert list(anova(slope, ddf="inf")["DenDF"]) == [np.inf]


def test_slopes_of_the_covariance_matrix():
    model = lmer("weight ~ Time * Diet + (Time | Chick)", load_chickweight())
    fitted = model._fitted
    basis = basis_of(fitted)
    assert isinstance(basis, Satterthwaite)
    step = 1e-5
    for i in range(3):
        moved = [model.theta + sign * step * np.eye(3)[i] for sign in (1, -1)]
        above, below = (model.sigma**2 * fitted.engine.evaluate(t, True)["xtvx_inv"] for t in moved)
        error = np.abs((above - below) / (2 * step) - basis.slopes[i])
        assert error.max() < 1e-6 * np.abs(basis.slopes[i]).max()
    np.testing.assert_array_equal(basis.slopes[-1], 2 * fitted.covariance())


def test_a_variance_of_zero():
    with pytest.warns(MixedModelsWarning):
        model = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    summary = model.summary()
    # As in the linear model.
    assert summary.coefficients["df"].iloc[0] == pytest.approx(29)
    note = "Estimated as zero and left out of the degrees of freedom: the variance of (Intercept)"
    assert note in " ".join(str(summary).split())


def test_a_point_that_is_no_minimum():
    model = quiet("Reaction ~ Days + (Days | Subject)", SLEEP, start=[0.05, 1.0, 0.01], optimizer=None)
    assert np.linalg.eigvalsh(model._fitted.engine.joint_hessian(model.theta, True))[0] < 0
    summary = model.summary()
    assert summary.coefficients[["df", "Pr(>|t|)"]].isna().all(axis=None)
    assert summary.coefficients["t value"].notna().all()
    assert "not positive definite" in str(summary)
    assert np.isfinite(model.summary(ddf="kenward-roger").coefficients["df"]).all()


def test_kenward_roger_fits_by_reml(slope):
    summary = slope.refit(REML=False).summary(ddf="kenward-roger")
    pd.testing.assert_frame_equal(summary.coefficients, slope.summary(ddf="KR").coefficients, rtol=1e-6)
    assert "Refitted by REML" in str(summary)


def test_dropped_columns():
    data = SLEEP.assign(twice=2 * SLEEP["Days"])
    model = quiet("Reaction ~ Days + twice + (Days | Subject)", data)
    table = model.summary().coefficients
    assert table.loc["twice"].isna().all()
    assert table.loc["Days", "df"] == pytest.approx(17)
    tests = anova(model)
    assert tests.loc["twice", "NumDF"] == 0
    assert "Not testable: Days, twice" in str(tests)
    # In order, the first one has it all.
    assert list(anova(model, type=1)["NumDF"]) == [1, 0]


def test_a_basis_of_ones_own(slope):
    """A covariance matrix from elsewhere."""
    basis = Infinite(slope.beta, 4 * slope.vcov().to_numpy())
    table = slope.summary(vcov=basis).coefficients
    np.testing.assert_allclose(table["Std. Error"], 2 * slope.se)
    assert slope.linear_hypothesis("Days = 0", vcov=basis)["Chisq"].iloc[0] == pytest.approx(
        45.853 / 4, rel=1e-4
    )
    other = slope.refit(2 * SLEEP["Reaction"].to_numpy())
    with pytest.raises(ArgumentError, match="belongs to another model: its coefficients differ"):
        other.summary(vcov=basis)


def test_generalized_models_have_no_denominator():
    model = fits("cbpp")
    with pytest.raises(ArgumentError, match="take ddf='inf'"):
        model.summary(ddf="satterthwaite")
    with pytest.raises(ArgumentError, match="take test='Chisq'"):
        anova(model, test="F")
    pd.testing.assert_frame_equal(model.summary().coefficients, model.summary(ddf="inf").coefficients)


@pytest.mark.parametrize("ddf", ["satterthwait", 3, None.__class__, True])
def test_unknown_methods(slope, ddf):
    with pytest.raises(ArgumentError, match="ddf must be one of"):
        slope.summary(ddf=ddf)


def test_no_fixed_effects():
    model = fits("sleepstudy", "Reaction ~ 0 + (1 | Subject)")
    assert "none" in str(model.summary())
    assert len(anova(model)) == 0


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual"])
def test_confidence_intervals(slope, ddf):
    table = slope.summary(ddf=ddf).coefficients
    limits = slope.confint(0.9, ddf=ddf)
    half = stats.t.ppf(0.95, table["df"]) * table["Std. Error"]
    np.testing.assert_allclose(limits.loc[table.index, "5 %"], table["Estimate"] - half)
    np.testing.assert_allclose(limits.loc[table.index, "95 %"], table["Estimate"] + half)
    assert list(limits.index) == list(slope.confint().index)
    for method in ("profil", None, 3):
        with pytest.raises(
            ArgumentError, match=r"^confint: method must be one of 'wald', 'profile', 'boot', not"
        ):
            slope.confint(method=method)


def test_a_variance_that_another_term_contains():
    """A shift of all entries of the covariance matrix of f is one of the variance of the intercept."""
    data = SLEEP.assign(f=np.where(SLEEP["Days"] % 2 == 0, "even", "odd"))
    model = quiet("Reaction ~ Days + (1 | Subject) + (0 + f | Subject)", data)
    plain = quiet("Reaction ~ Days + (0 + f | Subject)", data)
    for ddf in ("satterthwaite", "kenward-roger"):
        got, wanted = model.summary(ddf=ddf).coefficients, plain.summary(ddf=ddf).coefficients
        np.testing.assert_allclose(got, wanted, rtol=1e-10)
        assert np.isfinite(got).all(axis=None)


def test_contrasts_that_tell_nothing():
    data = SLEEP.assign(late=np.where(SLEEP["Days"] > 4, "yes", "no"))
    model = quiet("Reaction ~ late + (1 | Subject)", data, contrasts={"late": np.array([[1.0], [1.0]])})
    with pytest.raises(ArgumentError, match="do not distinguish all its levels"):
        anova(model)


def test_no_joint_test_where_the_moments_are_those_of_no_f_distribution():
    """Six rows and a hypothesis of three: the formulas give negative degrees of freedom."""
    found = np.array(
        [kenward_roger_df(3, a1, a2) for a1 in np.linspace(1, 40, 40) for a2 in (3.0, 7.0, 13.0)]
    )
    none = np.isnan(found).all(axis=1)
    assert none.any()
    assert (found[~none] > 0).all()
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"g": list("aabbcc"), "f": list("pqrpqr"), "x": rng.normal(size=6)})
    data["y"] = np.random.default_rng(1).normal(size=3)[[0, 0, 1, 1, 2, 2]] + rng.normal(size=6)
    model = quiet("y ~ f + x + (1 | g)", data)
    table = kr_compare(model, quiet("y ~ 1 + (1 | g)", data))
    assert table[["F value", "DenDF", "Pr(>F)"]].isna().all(axis=None)
    assert any("too few degrees of freedom for an F" in note for note in table.notes)
