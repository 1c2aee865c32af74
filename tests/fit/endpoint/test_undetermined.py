"""Covariances that the data do not determine: left out of inference and named, whatever the spelling."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from design.building import build_design
from mixedmodels import (
    UndeterminedWarning,
    anova,
    checkConv,
    emmeans,
    glmer,
    linear_hypothesis,
    lmer,
    load_cake,
    load_sleepstudy,
    tidy,
)
from mixedmodels.design import build
from mixedmodels.errors import MixedModelsWarning
from mixedmodels.fit.endpoint import undetermined
from mixedmodels.fit.endpoint.curvature import covariance_from
from mixedmodels.fit.endpoint.term_roots import (
    term_roots,
)
from mixedmodels.fit.endpoint.undetermined import structural_directions
from mixedmodels.inference.basis.choice import basis_of

SPELLINGS = ["(0 + cat || word)", "(0 + cat | word)", "(cat | word)"]
BY_SUM = {"cat": "sum"}


def words(levels="at", n_words=24, n_subjects=20):
    """Each word is of one category, read by every subject."""
    rng = np.random.default_rng(79)
    data = pd.DataFrame([(w, s) for w in range(n_words) for s in range(n_subjects)], columns=["word", "subj"])
    per_level = n_words // len(levels)
    data["cat"] = [levels[min(w // per_level, len(levels) - 1)] for w in data["word"]]
    effects = rng.normal(size=n_words)[data["word"]] + rng.normal(size=n_subjects)[data["subj"]]
    data["rt"] = effects + rng.normal(size=len(data))
    data["hit"] = rng.binomial(1, 1 / (1 + np.exp(-0.8 * effects)))
    data["count"] = rng.poisson(np.exp(0.5 * effects))
    return data


WORDS = words()


def quiet(fit, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return fit(*arguments, **options)


@pytest.fixture(scope="module")
def linear():
    return {text: quiet(lmer, f"rt ~ cat + {text} + (1 | subj)", WORDS) for text in SPELLINGS}


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
def test_three_spellings_of_one_model(linear, ddf):
    tables = [linear[text].summary(ddf=ddf).coefficients for text in SPELLINGS]
    # lmerTest and pbkrtest for the first spelling.
    np.testing.assert_allclose(tables[0]["df"], [24.186, 21.743], atol=5e-4)
    for table in tables[1:]:
        np.testing.assert_allclose(table, tables[0], rtol=1e-6)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
def test_three_categories_and_weights(ddf):
    data = words("abc").assign(w=lambda d: 1 + d["subj"] % 3)
    tables = [
        anova(quiet(lmer, f"rt ~ cat + {text} + (1 | subj)", data, weights="w", contrasts=BY_SUM), ddf=ddf)
        for text in SPELLINGS[:2]
    ]
    np.testing.assert_allclose(tables[1], tables[0], rtol=1e-4)
    named = "the covariances of cat[a] and cat[b], of cat[a] and cat[c], of cat[b] and cat[c] within word"
    assert named in tables[1].notes[0]


@pytest.mark.parametrize(("response", "family"), [("hit", "binomial"), ("count", "poisson")])
def test_standard_errors_of_generalized_models(response, family):
    models = [quiet(glmer, f"{response} ~ cat + {text} + (1 | subj)", WORDS, family) for text in SPELLINGS]
    for model in models[1:]:
        assert "from the Hessian in all parameters" in model.summary().errors
        np.testing.assert_allclose(model.se, models[0].se, rtol=2e-4)
        assert "word" in model.summary().notes[-1]
        assert "word" in anova(model).notes[0]


@pytest.mark.parametrize("seed", range(8))
def test_spellings_agree_at_singular_and_imprecise_optima(seed):
    rng = np.random.default_rng(seed)
    levels, n_words, n_subjects = ("at", "abc")[seed % 2], int(rng.integers(10, 30)), int(rng.integers(6, 20))
    data = pd.DataFrame([(w, s) for w in range(n_words) for s in range(n_subjects)], columns=["word", "subj"])
    data["cat"] = [levels[w % len(levels)] for w in data["word"]]
    size = rng.uniform(0.1, 1.5)
    effects = size * rng.normal(size=n_words)[data["word"]] + 0.7 * rng.normal(size=n_subjects)[data["subj"]]
    data["rt"] = effects + rng.normal(size=len(data))
    data["hit"] = rng.binomial(1, 1 / (1 + np.exp(-effects)))
    for ddf in ("satterthwaite", "kenward-roger"):
        found = [
            quiet(lmer, f"rt ~ cat + {text} + (1 | subj)", data).summary(ddf=ddf).coefficients
            for text in SPELLINGS
        ]
        for table in found[1:]:
            np.testing.assert_allclose(table["df"], found[0]["df"], rtol=1e-3)
    models = [quiet(glmer, f"hit ~ cat + {text} + (1 | subj)", data, "binomial") for text in SPELLINGS]
    for model in models[1:]:
        assert model._fitted.joint
        np.testing.assert_allclose(model.se, models[0].se, rtol=1e-3)


@pytest.mark.parametrize("optimizer", ["bobyqa", "nelder_mead"])
def test_other_optimizers(optimizer):
    model = quiet(lmer, "rt ~ cat + (0 + cat | word) + (1 | subj)", WORDS, optimizer=optimizer)
    np.testing.assert_allclose(model.summary().coefficients["df"], [24.186, 21.743], atol=0.02)


def test_it_is_named_at_the_fit():
    with pytest.warns(
        UndeterminedWarning, match=r"do not determine the covariance of cat\[a\] and cat\[t\] within word"
    ):
        lmer("rt ~ cat + (0 + cat | word) + (1 | subj)", WORDS)
    with pytest.warns(UndeterminedWarning, match="within word only in combination"):
        glmer("hit ~ cat + (cat | word) + (1 | subj)", WORDS, "binomial")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndeterminedWarning)
        quiet(lmer, "rt ~ cat + (cat | subj) + (1 | word)", WORDS)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "inf"])
def test_it_is_named_with_the_tests(linear, ddf):
    named = "The data do not determine the covariance of cat[a] and cat[t] within word"
    model = linear["(0 + cat | word)"]
    assert named in str(model.summary(ddf=ddf))
    assert named in str(anova(model, ddf=ddf))
    assert named in str(emmeans(model, "~ cat", ddf=ddf))
    assert any(named in note for note in checkConv(model).notes)


def test_the_covariance_matrix_of_theta(linear):
    plain = linear["(0 + cat || word)"].vcov_theta()
    with pytest.warns(UndeterminedWarning, match="covariance of"):
        found = linear["(0 + cat | word)"].vcov_theta()
    assert found.loc["word.cat[t].cat[a]"].isna().all()
    np.testing.assert_allclose(found.drop("word.cat[t].cat[a]", axis=1).dropna(), plain, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("spelling", ["(recipe | replicate)", "(0 + recipe | replicate)"])
def test_a_variance_that_a_larger_term_holds(spelling):
    with_it = quiet(lmer, f"angle ~ recipe + {spelling} + (1 | replicate:recipe)", load_cake())
    without = quiet(lmer, f"angle ~ recipe + {spelling}", load_cake())
    table = with_it.summary(ddf="kenward-roger").coefficients
    # pbkrtest: 14 for all.
    np.testing.assert_allclose(table["df"], 14, atol=1e-3)
    np.testing.assert_allclose(table, without.summary(ddf="kenward-roger").coefficients, rtol=1e-3)
    means = emmeans(with_it, "~ recipe", ddf="kenward-roger")
    np.testing.assert_allclose(means.to_frame()["df"], 14, atol=1e-3)
    assert "within replicate:recipe" in str(means)


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
def test_a_factor_that_spans_the_intercept(ddf):
    """A shift of all entries of the covariance matrix of f is one of the variance of the intercept."""
    data = load_sleepstudy().assign(f=lambda d: np.where(d["Days"] % 2 == 0, "even", "odd"))
    model = quiet(lmer, "Reaction ~ Days + (1 | Subject) + (0 + f | Subject)", data)
    plain = quiet(lmer, "Reaction ~ Days + (0 + f | Subject)", data)
    found, wanted = (m.summary(ddf=ddf).coefficients for m in (model, plain))
    np.testing.assert_allclose(found, wanted, rtol=1e-3)


METHODS = ["satterthwaite", "kenward-roger", "residual", "inf"]


@pytest.mark.parametrize("ddf", METHODS)
def test_tests_that_depend_on_what_is_undetermined(ddf):
    """Groups are fixed effects and random ones: nothing is known of their variance."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(list("abcd"), 10), "x": rng.normal(size=40)})
    data["y"] = data["x"] + rng.normal(size=40)
    plain = fixed_groups(data)
    for start in (0.3, 3.0):
        model = quiet(lmer, "y ~ x + g + (1 | g)", data, start=[start], optimizer=None)
        table = model.summary(ddf=ddf).coefficients
        unknown = [True, False, True, True, True]
        for column in table.columns.drop(["Estimate", "df"] if ddf == "residual" else ["Estimate"]):
            assert table[column].isna().tolist() == unknown
        assert table.loc["x", "Std. Error"] == pytest.approx(plain, rel=1e-6)
        if ddf != "inf":
            assert table.loc["x", "df"] == pytest.approx(35, rel=1e-6)
        for shown in (model.summary(ddf=ddf), anova(model, ddf=ddf), emmeans(model, "~ g", ddf=ddf)):
            text = " ".join(str(shown).split())
            assert "determine the variance of (Intercept) within g: NaN for standard errors and" in text
            assert "left out" not in text
            assert "singular" not in text
        limits = model.confint(ddf=ddf).loc[table.index]
        assert limits.isna().all(axis=1).tolist() == unknown
        assert tidy(model, effects="fixed", ddf=ddf)["std.error"].isna().tolist() == unknown
        means = emmeans(model, "~ g", ddf=ddf)
        for found in (means.to_frame(), means.pairs().to_frame()):
            assert found["SE"].isna().all()
            assert found.iloc[:, -1].isna().all()
        tests = anova(model, ddf=ddf)
        assert np.isnan(tests.loc["g", ["F value", "Pr(>F)"]]).all()
        assert np.isfinite(tests.loc["x", ["F value", "Pr(>F)"]]).all()
        joint = linear_hypothesis(model, [f"{name} = 0" for name in table.index[2:4]], ddf=ddf)
        assert joint.iloc[:, -1].isna().all()
        # A contrast of the slope does not depend on it.
        assert np.isfinite(linear_hypothesis(model, "x = 1", ddf=ddf).iloc[:, -1]).all()


def fixed_groups(data):
    """The standard error of the slope with groups as fixed effects only."""
    x = np.column_stack([data["x"] - data["x"].mean(), pd.get_dummies(data["g"]).astype(float)])
    residual = data["y"] - x @ np.linalg.lstsq(x, data["y"], rcond=None)[0]
    return np.sqrt(residual @ residual / (len(x) - 5) * np.linalg.inv(x.T @ x)[0, 0])


def test_effects_that_are_fixed_and_random_are_named_at_the_fit():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.tile(list("abcd"), 800), "x": rng.normal(size=3200)})
    data["y"] = data["x"] + rng.normal(size=3200)
    with pytest.warns(UndeterminedWarning, match=r"explain all random effects of \(Intercept\) within g: "):
        lmer("y ~ x + g + (1 | g)", data, start=[0.7], optimizer=None)
    with pytest.warns(UndeterminedWarning, match="explain all random effects of x within g: "):
        lmer("y ~ x * g + (0 + x | g)", data, start=[0.7], optimizer=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndeterminedWarning)
        quietly = {"start": [0.7], "optimizer": None}
        lmer("y ~ x + g + (1 | g)", data, REML=False, **quietly)
        lmer("y ~ x + I(x**2) + I(x**3) + (1 | g)", data, **quietly)
        # The last level is in the later rows alone.
        lmer("y ~ x + f + (1 | g)", data.assign(f=np.where(data.index < 3000, data["g"], "a")), **quietly)


@pytest.mark.parametrize("ddf", ["residual", "inf"])
def test_standard_errors_by_maximum_likelihood_do_not_depend(ddf):
    """It determines the variance as zero."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(list("abcd"), 10), "x": rng.normal(size=40)})
    data["y"] = data["x"] + rng.normal(size=40)
    model = quiet(lmer, "y ~ x + g + (1 | g)", data, REML=False)
    assert np.isfinite(model.summary(ddf=ddf).coefficients.to_numpy()).all()
    assert not basis_of(model._fitted, ddf).notes


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_units_and_large_variances_are_no_reason(unit, size):
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.repeat(np.arange(30), 8), "x": rng.normal(size=240) * unit})
    data["y"] = size * rng.normal(size=30)[data["g"]] + data["x"] / unit + rng.normal(size=240)
    model = quiet(lmer, "y ~ x + (x | g)", data, optimizer=None, start=[size, 0.1, 0.5 / unit])
    assert not len(basis_of(model._fitted).undetermined)


class TestStructuralDirections:
    def directions(self, term, data):
        design = quiet(build_design, f"rt ~ 1 + {term}", data)
        return structural_directions(design, term_roots(design, None))

    @pytest.mark.parametrize(
        ("term", "count"),
        [
            ("(1 | word)", 0),
            ("(cat | word)", 1),
            ("(0 + cat | word)", 1),
            ("(0 + cat || word)", 0),
            ("(cat | subj)", 0),
            # Four effects in all, two in a level: ten elements less two times three.
            ("(cat * subj | word)", 4),
            ("(subj | word)", 0),
        ],
    )
    def test_their_number(self, term, count):
        data = WORDS.assign(subj=WORDS["subj"].astype(float))
        found = self.directions(term, data)
        assert len(found) == count

    def test_they_leave_the_distribution_as_it_is(self):
        data = words("abc").sample(frac=1, random_state=2)
        design = build_design("rt ~ 1 + (cat + subj | word) + (1 | subj)", data)
        found = structural_directions(design, term_roots(design, None))
        # Four effects, of which a level shows two: the intercept with its category, and subj.
        assert len(found) == 10 - (3 + 2 + 2)
        for direction in found:
            for term, change in zip(design.terms, direction, strict=True):
                for level in range(len(term.group.levels)):
                    rows = np.unique(term.z[term.group.codes == level], axis=0)
                    assert np.abs(rows @ change @ rows.T).max() < 1e-7 * max(1.0, np.abs(change).max())

    @pytest.mark.parametrize("constant", [0.0, 1e5, 1e7, 1e9])
    @pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
    def test_constants_and_units_are_no_reason(self, constant, unit):
        data = WORDS.assign(x=unit * (WORDS["subj"] + constant))
        assert not self.directions("(x | word)", data)
        assert not self.directions("(x + I(x^2) | word)", data)
        # Only the covariance with the category is undetermined.
        assert len(self.directions("(0 + cat + x | word)", data)) == 1

    def test_many_levels(self):
        data = words(n_words=6000, n_subjects=2)
        assert len(self.directions("(cat | word)", data)) == 1
        # A single word with both categories tells.
        data.loc[data.index[-1], "cat"] = "a"
        assert len(self.directions("(cat | word)", data)) == 0

    @pytest.mark.parametrize("n_words", [5_000, 60_000])
    @pytest.mark.parametrize("categories", ["ab", "abc", "abcd"])
    def test_many_levels_of_random_categories(self, n_words, categories):
        rng = np.random.default_rng(len(categories))
        own = rng.choice(list(categories), size=n_words)
        data = pd.DataFrame({"word": np.repeat(np.arange(n_words), 2), "cat": np.repeat(own, 2)})
        data["subj"] = np.arange(len(data)) % 7
        data["rt"] = rng.normal(size=len(data))
        pairs = len(categories) * (len(categories) - 1) // 2
        for term in ("(cat | word)", "(0 + cat | word)"):
            assert len(self.directions(term, data)) == pairs


class TestCovarianceFrom:
    def test_directions_are_projected_out(self):
        rng = np.random.default_rng(1)
        root = rng.normal(size=(4, 6))
        units = np.array([1.0, 1e3, 1e-3, 1.0])
        full = root @ root.T
        flat = np.array([1.0, -2.0, 0.5, 0.0])
        project = np.eye(4) - np.outer(flat, flat) / (flat @ flat)
        hessian = project @ full @ project * np.outer(units, units)
        found = covariance_from(hessian, np.ones(4, dtype=bool), np.diag(units))
        assert found.undetermined.shape == (1, 4)
        direction = found.undetermined[0] * units
        np.testing.assert_allclose(np.abs(direction @ flat), np.linalg.norm(flat), rtol=1e-9)
        np.testing.assert_allclose(hessian @ found.matrix @ hessian, 2 * hessian, rtol=1e-7, atol=1e-6)
        assert found.moved.tolist() == [True, True, True, False]
        assert np.isfinite(found.determined).sum() == 1

    def test_a_regular_matrix_is_inverted(self):
        hessian = np.array([[4.0, 1.0], [1.0, 3.0]])
        found = covariance_from(hessian, np.ones(2, dtype=bool), np.eye(2))
        np.testing.assert_allclose(found.matrix, 2 * np.linalg.inv(hessian))
        assert not found.undetermined.size

    @pytest.mark.parametrize("hessian", [np.diag([1.0, -1.0]), np.full((2, 2), np.nan), np.zeros((2, 2))])
    def test_no_minimum(self, hessian):
        found = covariance_from(hessian, np.ones(2, dtype=bool), np.eye(2))
        assert np.isnan(found.matrix).all()
        assert not found.undetermined.size


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_what_depends_on_the_design_alone_is_worked_out_once(monkeypatch):
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": np.repeat([f"g{i}" for i in range(20)], 6), "x": rng.normal(size=120)})
    data["f"] = np.where(data["g"].str[1:].astype(int) % 2, "a", "b")
    data["y"] = np.repeat(rng.normal(size=20), 6) + rng.normal(size=120)
    data["c"] = rng.poisson(np.exp(np.repeat(rng.normal(size=20), 6)))
    linear = lmer("y ~ x + (0 + f | g)", data)
    generalized = glmer("c ~ x + (0 + f | g)", data, "poisson")
    models = [linear, generalized]
    sizes = [model.df for model in models]

    def again(*_):
        raise AssertionError("worked out again")

    monkeypatch.setattr(undetermined, "_of_term", again)
    monkeypatch.setattr(build, "overlapping_terms", again)
    for model, y in zip(models, (data["y"] + data["x"], data["c"] + 1), strict=True):
        other = model.refit(y)
        told = [text for text in other.convergence.messages if "do not determine" in text]
        assert told == [text for text in model.convergence.messages if "do not determine" in text]
        assert len(told) == 1
    assert [
        model.refit(y).df for model, y in zip(models, (data["y"] - data["x"], data["c"] + 1), strict=True)
    ] == sizes
    with pytest.raises(AssertionError, match="worked out again"):
        linear.update(". ~ . - x")


def test_other_weights_have_directions_of_their_own():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": np.repeat(range(10), 6), "x": rng.normal(size=60), "y": rng.normal(size=60)})
    design = build_design("y ~ x + (1 + x | g)", data.assign(x=(data["g"] % 2) * 1.0))
    for weights in (None, rng.uniform(1, 2, size=60)):
        roots = term_roots(design, weights)
        (found,) = structural_directions(design, roots)
        z = design.terms[0].z
        for level in range(10):
            rows = z[design.terms[0].group.codes == level]
            np.testing.assert_allclose(rows @ found[0] @ rows.T, 0.0, atol=1e-12)


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
@pytest.mark.parametrize("kind", ["lmer", "glmer"])
def test_effects_of_a_column_of_zeros_are_named(kind):
    if kind == "lmer":
        model = mm.lmer("Reaction ~ 1 + (zero | Subject)", mm.load_sleepstudy().assign(zero=0.0))
    else:
        counts = "cbind(incidence, size - incidence)"
        model = mm.glmer(f"{counts} ~ period + (zero | herd)", mm.load_cbpp().assign(zero=0.0), "binomial")
    said = str(model.summary()).split("The data do not determine the ")[1]
    assert "covariance of (Intercept) and zero within" in said
    assert np.isfinite(model.coef_test().iloc[:, -1]).all()
