"""Inference does not depend on where a covariate has its zero, or on its unit."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import anova, cAIC, checkConv, emtrends, glmer, lmer
from mixedmodels.errors import MixedModelsWarning
from mixedmodels.fit.endpoint.coordinates import of_theta

# x -> a + b x, up to a mean of 10,000 standard deviations.
MAPS = [(2010.0, 1.0), (-3e4, 1.0), (50.0, -2.5), (1e-3, 1e-7), (1e8, 1e4)]
SPELLINGS = ["(0 + cat || word)", "(0 + cat | word)", "(cat | word)"]


def quiet(fit, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return fit(*arguments, **options)


def longitudinal(seed):
    """Groups over years, with a second grouping factor that crosses the first."""
    rng = np.random.default_rng(seed)
    n_groups, n_years = int(rng.integers(12, 26)), int(rng.integers(6, 12))
    data = pd.DataFrame({"g": np.repeat(np.arange(n_groups), n_years)})
    data["x"] = np.tile(np.arange(n_years) - (n_years - 1) / 2, n_groups)
    data["h"] = rng.integers(0, 8, len(data))
    data["z"] = rng.normal(size=len(data))
    sd = rng.uniform(0.2, 0.5)
    effect = rng.normal(size=n_groups)[data["g"]] + sd * rng.normal(size=n_groups)[data["g"]] * data["x"]
    data["y"] = effect + 0.5 * rng.normal(size=8)[data["h"]] + rng.normal(size=len(data))
    data["hit"] = rng.binomial(1, 1 / (1 + np.exp(-0.8 * effect)))
    data["count"] = rng.poisson(np.exp(0.3 * effect))
    data["w"] = rng.uniform(0.5, 2.0, len(data))
    return data


def moved(data, shift, unit):
    return data.assign(x=shift + unit * data["x"])


FORMULAS = [
    "y ~ x + (x | g)",
    "y ~ x + (x | g) + (1 | h)",
    "y ~ x + z + (z + x | g) + (1 | h)",
    "y ~ x * z + (x | g) + (x | h)",
]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("reml", [True, False])
def test_linear_models(formula, seed, reml):
    data = longitudinal(seed)
    options = {"REML": reml, "weights": "w" if seed == 1 else None}
    plain = quiet(lmer, formula, data, **options)
    rows = [name for name in plain.summary().coefficients.index if name == "x" or ":" in name]
    for shift, unit in MAPS:
        model = quiet(lmer, formula, moved(data, shift, unit), **options)
        if not reml:
            assert model.logLik() == pytest.approx(plain.logLik(), abs=1e-4)
        check = checkConv(model)
        assert check.ok
        assert not any("determine" in note for note in check.notes)
        np.testing.assert_allclose(float(cAIC(model)), float(cAIC(plain)), rtol=1e-5)
        for ddf in ("satterthwaite", "kenward-roger"):
            found, wanted = (m.summary(ddf=ddf).coefficients.loc[rows] for m in (model, plain))
            np.testing.assert_allclose(found["df"], wanted["df"], rtol=2e-4)
            np.testing.assert_allclose(found["Std. Error"] * abs(unit), wanted["Std. Error"], rtol=1e-5)
            tests, before = (anova(m, ddf=ddf).loc[rows[-1]] for m in (model, plain))
            np.testing.assert_allclose(tests["DenDF"], before["DenDF"], rtol=2e-4)
            np.testing.assert_allclose(tests["F value"], before["F value"], rtol=1e-4)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
@pytest.mark.parametrize("seed", range(12))
def test_years_as_they_are(ddf, seed):
    """A balanced design with a regular optimum: lmerTest has 24 degrees of freedom."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"g": np.repeat(np.arange(25), 11), "year": np.tile(np.arange(2005, 2016), 25)})
    centred = data["year"] - 2010
    data["y"] = rng.normal(size=25)[data["g"]] + 0.4 * rng.normal(size=25)[data["g"]] * centred
    data["y"] += rng.normal(size=len(data))
    model = quiet(lmer, "y ~ year + (year | g)", data)
    assert model.summary(ddf=ddf).coefficients.loc["year", "df"] == pytest.approx(24, abs=0.5)
    assert np.isfinite(emtrends(model, "~ 1", var="year", ddf=ddf).to_frame()["df"]).all()


@pytest.mark.parametrize(("response", "family"), [("hit", "binomial"), ("count", "poisson")])
@pytest.mark.parametrize("seed", range(3))
def test_standard_errors_of_generalized_models(response, family, seed):
    data = longitudinal(seed)
    formula = f"{response} ~ x + (x | g)"
    plain = quiet(glmer, formula, data, family)
    for shift, unit in MAPS[:3]:
        model = quiet(glmer, formula, moved(data, shift, unit), family)
        assert model._fitted.joint == plain._fitted.joint
        assert model.se["x"] * abs(unit) == pytest.approx(plain.se["x"], rel=1e-4)
        assert [n for n in checkConv(model).notes if "determine" in n] == []


def test_covariates_that_are_nearly_the_same():
    """With a correlation of 1 - 5e-7 there are 28 degrees of freedom by Kenward and Roger's method, too."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        {"g": np.repeat(np.arange(30), 20), "a": rng.normal(size=600), "d": rng.normal(size=600)}
    )
    data["b"] = data["a"] + 1e-3 * data["d"]
    b = rng.normal(size=(3, 30))[:, data["g"]]
    data["y"] = b[0] + (1 + b[1]) * data["a"] + b[2] * data["d"] + rng.normal(size=600)
    found = quiet(lmer, "y ~ a + b + (a + b | g)", data).summary().coefficients
    wanted = quiet(lmer, "y ~ a + d + (a + d | g)", data).summary().coefficients
    assert found.loc["b", "df"] == pytest.approx(wanted.loc["d", "df"], rel=1e-3)


@pytest.mark.parametrize("shift", [0.0, 2010.0, 3e4])
class TestUndeterminedDirections:
    def data(self, shift):
        rng = np.random.default_rng(79)
        data = pd.DataFrame([(w, s) for w in range(24) for s in range(16)], columns=["word", "subj"])
        data["cat"] = np.where(data["word"] < 12, "a", "t")
        data["x"] = rng.normal(size=len(data)) + shift
        effects = rng.normal(size=24)[data["word"]] + rng.normal(size=16)[data["subj"]]
        slopes = 0.5 * (rng.normal(size=16)[data["subj"]] + rng.normal(size=24)[data["word"]])
        slopes = (1 + slopes) * (data["x"] - shift)
        data["rt"] = effects + slopes + rng.normal(size=len(data))
        data["hit"] = rng.binomial(1, 1 / (1 + np.exp(-0.8 * (effects + slopes))))
        return data

    @pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
    def test_linear(self, shift, ddf):
        data = self.data(shift)
        models = [quiet(lmer, f"rt ~ cat + x + {text} + (x | subj)", data) for text in SPELLINGS]
        tables = [model.summary(ddf=ddf).coefficients.drop("(Intercept)") for model in models]
        for model, table in zip(models[1:], tables[1:], strict=True):
            np.testing.assert_allclose(table, tables[0], rtol=1e-3)
            notes = [note for note in checkConv(model).notes if "determine" in note]
            assert len(notes) == 1
            assert "within word" in notes[0]
            assert "subj" not in notes[0]
        assert not any("determine" in note for note in checkConv(models[0]).notes)

    def test_with_a_slope_in_the_term(self, shift):
        data = self.data(shift)
        model = quiet(lmer, "rt ~ cat + x + (0 + cat + x | word) + (1 | subj)", data)
        notes = [note for note in checkConv(model).notes if "determine" in note]
        assert len(notes) == 1
        assert "covariance of cat[a] and cat[t] within word" in notes[0]
        assert model.summary().coefficients["df"].notna().all()

    def test_redundant_terms(self, shift):
        """A variance in two terms, with slopes beside it."""
        data = self.data(shift)
        model = quiet(lmer, "rt ~ cat + x + (x | subj) + (1 | word) + (0 + x | subj)", data)
        plain = quiet(lmer, "rt ~ cat + x + (x | subj) + (1 | word)", data)
        for ddf in ("satterthwaite", "kenward-roger"):
            found, wanted = (m.summary(ddf=ddf).coefficients.drop("(Intercept)") for m in (model, plain))
            np.testing.assert_allclose(found["df"], wanted["df"], rtol=5e-3)

    def test_generalized(self, shift):
        data = self.data(shift)
        models = [
            quiet(glmer, f"hit ~ cat + x + {text} + (x | subj)", data, "binomial") for text in SPELLINGS
        ]
        for model in models[1:]:
            assert model._fitted.joint
            np.testing.assert_allclose(model.se.iloc[1:], models[0].se.iloc[1:], rtol=1e-3)
            assert any("within word" in note for note in checkConv(model).notes)


class TestCoordinates:
    @pytest.mark.parametrize("theta", [[0.8, 0.3, 0.5], [4.0, -2.0, 0.1], [0.8, 0.3, 0.0]])
    def test_they_are_those_of_the_centred_model(self, theta):
        """The derivatives, by differences, of the triangular factor for the uncorrelated columns."""
        data = longitudinal(0)
        model = quiet(lmer, "y ~ x + (x | g)", moved(data, 7.0, 2.0), start=theta, optimizer=None)
        design, root = model._fitted.design, model._fitted.term_roots[0]
        found = of_theta(design, [root], np.array(theta))

        def factor(values):
            lower = root @ np.array([[values[0], 0.0], [values[1], values[2]]])
            upper = np.linalg.qr(lower.T, mode="r")
            lower = (upper * np.where(np.diag(upper) < 0, -1.0, 1.0)[:, None]).T
            return lower[[0, 1, 1], [0, 0, 1]]

        lower = factor(theta)
        size = np.maximum(1.0, [lower[0], np.hypot(*lower[1:]), np.hypot(*lower[1:])])
        count = 3 if theta[2] else 2
        for j in range(count):
            step = np.zeros(3)
            step[j] = 1e-6
            wanted = (factor(theta + step) - factor(theta - step)) / 2e-6 / size
            np.testing.assert_allclose(found[:count, j], wanted[:count], rtol=1e-6, atol=1e-7)
        if not theta[2]:
            assert not found[2, :2].any()
            assert not found[:2, 2].any()
            assert found[2, 2] > 0

    def test_uncorrelated_columns_keep_theta(self):
        model = quiet(lmer, "y ~ x + (x | g)", longitudinal(0), start=[0.5, 0.1, 0.2], optimizer=None)
        found = model._fitted.coordinates()
        np.testing.assert_allclose(found, np.diag(np.diag(found)), atol=1e-12)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "inf"])
def test_groups_that_are_fixed_effects_too(ddf):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(list("abcd"), 10), "x": rng.normal(size=40)})
    data["y"] = data["x"] + rng.normal(size=40)
    tables = [
        quiet(lmer, "y ~ x + g + (1 | g)", moved(data, shift, 1.0), start=[0.7], optimizer=None)
        .summary(ddf=ddf)
        .coefficients.drop("(Intercept)")
        for shift in (0.0, 2000.0, 3e4)
    ]
    assert tables[0]["Std. Error"].isna().tolist() == [False, True, True, True]
    for table in tables[1:]:
        np.testing.assert_allclose(table, tables[0], rtol=1e-5)
