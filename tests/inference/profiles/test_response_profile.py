"""Box-Cox and Yeo-Johnson transformations by profile likelihood."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

import mixedmodels as mm
from mixedmodels.inference.profiles.transformations import BoxCox, YeoJohnson
from shared_fits import fits

SLEEP = mm.load_sleepstudy()


def ml() -> mm.MixedModel:
    return fits("sleepstudy", "Reaction ~ Days + (Days | Subject)", REML=False)


def refitted_deviance(lam: float, reml: bool = False) -> float:
    """-2 log-likelihood of the response by a fit of its own, with the Jacobian."""
    y = SLEEP["Reaction"].to_numpy()
    z = (y**lam - 1) / lam
    m = mm.lmer("z ~ Days + (Days | Subject)", SLEEP.assign(z=z), REML=reml)
    count = len(y) - 2 if reml else len(y)
    return m.objective - 2 * (lam - 1) * count * float(np.mean(np.log(y)))


@pytest.mark.parametrize("reml", [False, True])
def test_profile_is_the_likelihood_of_refits(reml: bool) -> None:
    found = ml().box_cox(REML=reml)
    for i in (0, 10, 25, 41):
        assert found.deviance[i] == pytest.approx(refitted_deviance(found.values[i], reml), rel=1e-9)
    least = minimize_scalar(lambda lam: refitted_deviance(lam, reml), bounds=(-2, 1), method="bounded")
    assert found.estimate == pytest.approx(least.x, abs=1e-4)
    assert found.REML is reml
    for limit in (found.lower, found.upper):
        assert refitted_deviance(limit, reml) - least.fun == pytest.approx(3.841459, abs=1e-4)


def group_without_variance(data: pd.DataFrame, **options: object) -> mm.MixedModel:
    m = mm.lmer("y ~ Days + (1 | g)", data.assign(g=np.resize(list("abcdefghij"), 180)), **options)
    assert m.is_singular()
    return m


@pytest.mark.filterwarnings("ignore::mixedmodels.SingularFitWarning")
def test_without_a_variance_it_is_that_of_regression() -> None:
    found = group_without_variance(SLEEP.assign(y=SLEEP["Reaction"])).box_cox()
    # R 4, MASS::boxcox(lm(Reaction ~ Days), lambda = seq(-2, 2, 1e-4)): the points on this grid.
    for value, expected in zip(
        (found.estimate, found.lower, found.upper), (-0.034, -0.7126, 0.6322), strict=True
    ):
        assert value == pytest.approx(expected, abs=2e-4)
    shifted = group_without_variance(SLEEP.assign(y=SLEEP["Reaction"] - 300)).yeo_johnson()
    # R 4, car::powerTransform(lm(Reaction - 300 ~ Days), family = "yjPower").
    assert shifted.estimate == pytest.approx(0.9537709957, abs=1e-4)


@pytest.mark.parametrize("unit", [1e-150, 1e-9, 1e9, 1e150])
@pytest.mark.parametrize("fixed", ["Days", "0 + factor(Days)"])
def test_the_unit_of_the_response_does_not_matter(unit: float, fixed: str) -> None:
    found, own = (
        mm.lmer(f"y ~ {fixed} + (1 | Subject)", SLEEP.assign(y=SLEEP["Reaction"] * u)).box_cox()
        for u in (unit, 1.0)
    )
    for name in ("estimate", "lower", "upper"):
        assert getattr(found, name) == pytest.approx(getattr(own, name), abs=1e-5)
    shift = 2 * len(SLEEP) * math.log(unit)
    np.testing.assert_allclose([v[2] for v in found._special], [v[2] for v in own._special], 1e-6)
    assert found.deviance.min() - shift == pytest.approx(own.deviance.min(), abs=1e-6)


def test_without_an_intercept_the_constant_of_the_transformation_counts() -> None:
    found = mm.lmer("Reaction ~ 0 + Days + (1 | Subject)", SLEEP).box_cox()
    y = SLEEP["Reaction"].to_numpy()
    for i in (3, 30):
        lam = found.values[i]
        z = SLEEP.assign(z=(y**lam - 1) / lam)
        m = mm.lmer("z ~ 0 + Days + (1 | Subject)", z, REML=False)
        assert found.deviance[i] == pytest.approx(m.objective - 2 * (lam - 1) * np.log(y).sum(), rel=1e-9)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_responses_of_one_sign_by_yeo_and_johnson_are_those_of_box_and_cox(sign: float) -> None:
    data = SLEEP.assign(y=SLEEP["Reaction"] * 1e6, z=sign * (SLEEP["Reaction"] * 1e6 - 1.0))
    one = mm.lmer("y ~ Days + (1 | Subject)", data).box_cox()
    other = mm.lmer("z ~ Days + (1 | Subject)", data).yeo_johnson()
    expected = [one.estimate, one.lower, one.upper]
    if sign < 0:
        expected = [2 - one.estimate, 2 - one.upper, 2 - one.lower]
    np.testing.assert_allclose([other.estimate, other.lower, other.upper], expected, atol=1e-5)


def test_a_response_far_from_zero_says_so() -> None:
    m = mm.lmer("y ~ Days + (1 | Subject)", SLEEP.assign(y=SLEEP["Reaction"] + 1e6))
    with pytest.raises(mm.DataError, match="subtract a constant"):
        m.box_cox()


def test_weights() -> None:
    data = SLEEP.assign(w=np.resize([1.0, 2.0, 0.5], 180))
    found = mm.lmer("Reaction ~ Days + (1 | Subject)", data, weights="w").box_cox()
    y = data["Reaction"].to_numpy()
    for lam, deviance in [(found.values[3], found.deviance[3]), (found.estimate, found.deviance.min())]:
        z = data.assign(z=(y**lam - 1) / lam)
        m = mm.lmer("z ~ Days + (1 | Subject)", z, weights="w", REML=False)
        assert deviance == pytest.approx(m.objective - 2 * (lam - 1) * np.log(y).sum(), rel=1e-9)


def test_refit_to_the_transformed_response() -> None:
    m = ml()
    found = m.box_cox()
    y = SLEEP["Reaction"].to_numpy()
    again = m.refit(found.transform(y))
    jacobian = (found.estimate - 1) * np.log(y).sum()
    assert again.objective - 2 * jacobian == pytest.approx(found.deviance.min(), rel=1e-10)
    np.testing.assert_allclose(found.inverse(found.transform(y)), y, 1e-10)


@pytest.mark.parametrize("kind", [BoxCox(), YeoJohnson()])
@pytest.mark.parametrize("lam", [-1.3, 0.0, 1e-12, 0.4, 1.0, 2.0, 3.1])
def test_transformations(kind: BoxCox | YeoJohnson, lam: float) -> None:
    y = np.array([0.2, 0.9, 1.0, 3.0, 20.0])
    if kind.name == "yeo_johnson":
        y = np.concatenate([-y, [0.0], y])
    z = kind.forward(y, lam)
    np.testing.assert_allclose(kind.inverse(z, lam), y, 1e-7, 1e-12)
    step = 1e-6
    slopes = (kind.forward(y + step, lam) - kind.forward(y - step, lam)) / (2 * step)
    scaled = z / np.exp(np.mean(np.log(slopes)))
    np.testing.assert_allclose(kind.scaled(y, lam, False), scaled, 1e-5, 1e-6)
    shift = kind.scaled(y, lam, True) - scaled
    np.testing.assert_allclose(shift, shift[0], atol=1e-5 * np.abs(scaled).max())


def test_one_moves_the_response_only() -> None:
    y = np.array([-2.0, 0.0, 3.0])
    np.testing.assert_allclose(YeoJohnson().forward(y, 1.0), y)
    np.testing.assert_allclose(BoxCox().forward(np.array([2.0, 3.0]), 1.0), [1.0, 2.0])


def test_yeo_johnson_of_a_simulated_power() -> None:
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(60), 20)
    z = 0.5 + rng.normal(size=60)[g] * 0.5 + rng.normal(size=1200)
    data = pd.DataFrame({"y": YeoJohnson().inverse(z * 0.5, 0.5), "g": g})
    found = mm.lmer("y ~ 1 + (1 | g)", data).yeo_johnson()
    assert found.lower < 0.5 < found.upper
    assert found.upper - found.lower < 0.4


def test_printed_and_drawn() -> None:
    found = ml().box_cox(level=0.9)
    text = str(found)
    for part in ("90 % interval", "λ = 0 (logarithm)", "maximum likelihood"):
        assert part in text
    for written in (found.to_html(), found.to_latex(), found.to_markdown()):
        assert written
    frame = found.to_frame()
    assert list(frame) == ["lambda", "deviance", "zeta"]
    assert (np.diff(frame["zeta"]) > 0).all()
    ax = found.plot()
    np.testing.assert_allclose(ax.lines[0].get_xdata(), found.values)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), -found.deviance / 2)
    assert found.plot(ax) is ax


def test_refusals() -> None:
    data = SLEEP.assign(Reaction=SLEEP["Reaction"] - 250)
    m = mm.lmer("Reaction ~ Days + (1 | Subject)", data)
    with pytest.raises(mm.DataError, match="response Reaction is not positive in 36 of 180 rows"):
        m.box_cox()
    assert math.isfinite(m.yeo_johnson().estimate)
    with pytest.raises(mm.ArgumentError, match="linear mixed models"):
        fits("cbpp").box_cox()
    with pytest.raises(mm.ArgumentError, match="offset"):
        mm.lmer("Reaction ~ Days + offset(Days) + (1 | Subject)", SLEEP).box_cox()
    with pytest.raises(mm.ArgumentError, match="fixed"):
        mm.lmer("Reaction ~ Days + (1 | Subject)", SLEEP, fixed={"sigma": 30.0}).yeo_johnson()
    with pytest.raises(mm.ArgumentError, match="level"):
        ml().box_cox(level=2)


def test_single_values_and_other_things() -> None:
    found = ml().box_cox()
    assert found.inverse(found.transform(300.0)) == pytest.approx(300.0)
    with pytest.raises(mm.DataError, match="not positive"):
        found.transform(-1)
    best = (
        ml()
        .refit(found.transform(SLEEP["Reaction"]))
        .predict({"Days": [0, 9]}, re_form="NA", interval="confidence")
    )
    with pytest.raises(mm.ArgumentError, match="standard errors"):
        found.inverse(best)
    limits = found.inverse(best[["fit", "lower", "upper"]])
    assert limits.shape == (2, 3)
    assert (limits[:, 1] < limits[:, 0]).all()
    assert (limits[:, 0] < limits[:, 2]).all()
    for call in (found.transform, found.inverse):
        with pytest.raises(mm.ArgumentError, match="must be numbers, not 'a'"):
            call("a")
