"""Changes of the data and of the formula that must not change a fit, and those that must in a known way."""

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    DataError,
    MixedModelsWarning,
    lmer,
    load_machines,
    load_pastes,
    load_penicillin,
    load_sleepstudy,
)

SLOPE = "Reaction ~ Days + (Days | Subject)"


def assert_same_fit(one, other, rel=1e-7):
    assert other.objective == pytest.approx(one.objective, rel=1e-10)
    assert other.sigma == pytest.approx(one.sigma, rel=rel)
    np.testing.assert_allclose(other.theta, one.theta, rtol=rel, atol=rel)
    np.testing.assert_allclose(other.beta, one.beta, rtol=rel, atol=rel)
    np.testing.assert_allclose(other.vcov(), one.vcov(), rtol=10 * rel, atol=1e-12)


@pytest.fixture(scope="module")
def sleep():
    return load_sleepstudy()


@pytest.fixture(scope="module")
def slope(sleep):
    return lmer(SLOPE, sleep)


def test_the_order_of_rows(sleep, slope):
    order = np.random.default_rng(1).permutation(len(sleep))
    other = lmer(SLOPE, sleep.iloc[order])
    assert_same_fit(slope, other)
    np.testing.assert_allclose(other.fitted(), slope.fitted()[order], rtol=1e-8)


def test_the_labels_of_levels(sleep, slope):
    names = {level: f"é {i:02d}" for i, level in enumerate(sleep["Subject"].cat.categories)}
    other = lmer(SLOPE, sleep.assign(Subject=sleep["Subject"].astype(str).map(names)))
    assert_same_fit(slope, other)
    assert list(other.ranef()["Subject"].index) == list(names.values())


@pytest.mark.parametrize("kind", [int, str, float])
def test_the_type_of_a_grouping_column(sleep, slope, kind):
    assert_same_fit(slope, lmer(SLOPE, sleep.assign(Subject=sleep["Subject"].astype(int).astype(kind))))


def test_a_level_without_rows(sleep, slope):
    more = sleep.assign(Subject=sleep["Subject"].cat.add_categories(["nobody"]))
    other = lmer(SLOPE, more)
    assert_same_fit(slope, other)
    assert other.ngrps == {"Subject": 18}


@pytest.mark.parametrize(("of_y", "of_x"), [(1e-9, 1.0), (1e9, 1e-9), (1.0, 1e6)])
def test_units(sleep, slope, of_y, of_x):
    other = lmer(SLOPE, sleep.assign(Reaction=sleep["Reaction"] * of_y, Days=sleep["Days"] * of_x))
    n, p = slope.nobs, 2
    # -2 log-likelihood moves by the Jacobian of y, the REML criterion also by that of X.
    moved = 2 * (n - p) * np.log(of_y) + 2 * np.log(of_x)
    assert other.objective == pytest.approx(slope.objective + moved, rel=1e-9)
    np.testing.assert_allclose(other.beta, slope.beta * [of_y, of_y / of_x], rtol=1e-7)
    np.testing.assert_allclose(other.fitted(), slope.fitted() * of_y, rtol=1e-8)
    sd = other.VarCorr()["Subject"].sd
    np.testing.assert_allclose(sd, slope.VarCorr()["Subject"].sd * [of_y, of_y / of_x], rtol=1e-6)


@pytest.mark.parametrize("constant", [1e3, 1e5, 1e7])
def test_a_constant_added_to_response_and_covariate(sleep, slope, constant):
    moved = sleep.assign(Reaction=sleep["Reaction"] + constant, Days=sleep["Days"] + constant)
    other = lmer(SLOPE, moved)
    precision = 1e-7 + 1e-14 * constant
    assert other.objective == pytest.approx(slope.objective, rel=precision)
    assert other.beta[1] == pytest.approx(slope.beta[1], rel=precision)
    assert other.se["Days"] == pytest.approx(slope.se["Days"], rel=10 * precision)
    np.testing.assert_allclose(other.fitted() - constant, slope.fitted(), atol=1e-5)


def test_another_basis_of_the_fixed_effects():
    machines = load_machines()
    treatment = lmer("score ~ Machine + (1 | Worker)", machines, REML=False)
    for contrast in ("sum", "helmert", "poly"):
        other = lmer("score ~ Machine + (1 | Worker)", machines, REML=False, contrasts={"Machine": contrast})
        assert other.objective == pytest.approx(treatment.objective, rel=1e-11)
        np.testing.assert_allclose(other.fitted(), treatment.fitted(), rtol=1e-9)


def test_another_basis_of_the_random_effects(sleep):
    centred = lmer("Reaction ~ Days + (I(Days - 4.5) | Subject)", sleep, REML=False)
    other = lmer("Reaction ~ Days + (Days | Subject)", sleep, REML=False)
    assert other.objective == pytest.approx(centred.objective, rel=1e-11)
    np.testing.assert_allclose(other.fitted(), centred.fitted(), rtol=1e-8)


def test_nesting_is_its_two_parts():
    pastes = load_pastes()
    nested = lmer("strength ~ (1 | batch/cask)", pastes)
    assert_same_fit(nested, lmer("strength ~ (1 | batch) + (1 | batch:cask)", pastes))
    assert_same_fit(nested, lmer("strength ~ (1 | sample) + (1 | batch)", pastes))


def test_the_order_of_terms():
    penicillin = load_penicillin()
    one = lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", penicillin)
    assert_same_fit(one, lmer("diameter ~ 1 + (1 | sample) + (1 | plate)", penicillin))


def test_the_double_bar_is_two_terms(sleep):
    double = lmer("Reaction ~ Days + (Days || Subject)", sleep)
    assert_same_fit(double, lmer("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", sleep))


def test_weights_of_one_offset_of_zero_and_all_rows_change_nothing(sleep, slope):
    n = len(sleep)
    other = lmer(SLOPE, sleep, weights=np.ones(n), offset=np.zeros(n), subset=np.ones(n, bool))
    assert_same_fit(slope, other)


def test_a_row_of_weight_zero_is_no_row(sleep):
    weights = np.ones(len(sleep))
    weights[[3, 50, 51]] = 0.0
    zero = lmer(SLOPE, sleep, weights=weights)
    assert_same_fit(zero, lmer(SLOPE, sleep[weights > 0]))


def test_a_common_factor_of_the_weights_scales_sigma_only(sleep):
    weights = np.random.default_rng(2).uniform(0.5, 2, len(sleep))
    one = lmer(SLOPE, sleep, weights=weights)
    other = lmer(SLOPE, sleep, weights=100 * weights)
    assert other.sigma == pytest.approx(10 * one.sigma, rel=1e-8)
    assert other.objective == pytest.approx(one.objective, rel=1e-10)
    np.testing.assert_allclose(other.beta, one.beta, rtol=1e-8)
    np.testing.assert_allclose(other.vcov(), one.vcov(), rtol=1e-6)


def test_means_with_weights_are_not_the_rows_they_summarise():
    # The means keep the coefficients of a balanced design, but not what the rows say of the residual.
    rng = np.random.default_rng(3)
    cells = pd.DataFrame([(g, x) for g in range(12) for x in (0.0, 1.0, 2.0)], columns=["g", "x"])
    rows = cells.loc[cells.index.repeat(4)].reset_index(drop=True)
    rows["y"] = rows["x"] + rng.normal(size=12)[rows["g"]] + rng.normal(size=len(rows))
    means = rows.groupby(["g", "x"], as_index=False)["y"].mean().assign(w=4.0)
    full = lmer("y ~ x + (1 | g)", rows)
    short = lmer("y ~ x + (1 | g)", means, weights="w")
    np.testing.assert_allclose(short.beta, full.beta, rtol=1e-9)
    assert abs(short.sigma / full.sigma - 1) > 1e-3


def test_an_offset_is_taken_from_the_response(sleep):
    offset = np.random.default_rng(4).normal(size=len(sleep))
    with_offset = lmer(SLOPE, sleep, offset=offset)
    without = lmer(SLOPE, sleep.assign(Reaction=sleep["Reaction"] - offset))
    assert_same_fit(with_offset, without)
    np.testing.assert_allclose(with_offset.fitted() - offset, without.fitted(), rtol=1e-9)


def test_an_effect_for_each_row_of_some_is_their_own_residual_variance(sleep):
    late = (sleep["Days"] >= 5).astype(float)
    data = sleep.assign(row=np.arange(len(sleep)), late=late)
    with pytest.warns(MixedModelsWarning, match="180 random effects"):
        own = lmer("Reaction ~ Days + (1 | Subject) + (0 + late | row)", data)
    extra = own.theta[0]
    assert extra > 0.1
    weighted = lmer("Reaction ~ Days + (1 | Subject)", sleep, weights=1 / (1 + extra**2 * late))
    assert own.objective == pytest.approx(weighted.objective, rel=1e-10)
    np.testing.assert_allclose(own.beta, weighted.beta, rtol=1e-7)
    assert own.sigma == pytest.approx(weighted.sigma, rel=1e-7)
    with pytest.raises(DataError, match="'row' has as many levels"):
        lmer("Reaction ~ Days + (1 | Subject) + (1 | row)", data)
