"""anova(): likelihood-ratio tables."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedmodels import (
    aic_table,
    anova,
    families,
    glmer,
    kr_compare,
    lmer,
    load_epil,
    load_machines,
    load_sleepstudy,
    model_selection,
    model_table,
    pb_compare,
)
from mixedmodels.errors import ArgumentError, DataError
from shared_fits import fits

DATA = load_sleepstudy()


@pytest.fixture(scope="module")
def full():
    return lmer("Reaction ~ Days + (Days | Subject)", DATA, REML=False)


@pytest.fixture(scope="module")
def intercept():
    return fits("sleepstudy", "Reaction ~ Days + (1 | Subject)", REML=False)


def test_against_lme4(full, intercept):
    # lme4 1.1-31 (inference.json, inf_sleep_ml)
    table = anova(full, intercept)
    columns = ["npar", "AIC", "BIC", "logLik", "-2*log(L)", "Chisq", "Df", "Pr(>Chisq)"]
    assert list(table.columns) == columns
    # In the order of the numbers of parameters.
    assert list(table.index) == ["model 2", "model 1"]
    assert table["Chisq"].iloc[1] == pytest.approx(42.1392985420282, rel=1e-8)
    assert table["Df"].iloc[1] == 2
    assert table["Pr(>Chisq)"].iloc[1] == pytest.approx(7.07241254718822e-10, rel=1e-6)
    np.testing.assert_allclose(table["AIC"], [1802.07864300523, 1763.9393444632], rtol=1e-9)
    assert np.isnan(table["Chisq"].iloc[0])


def test_fixed_effects(full):
    table = anova(full.update(". ~ . - Days"), full)
    assert table["Chisq"].iloc[1] == pytest.approx(23.5365374978774, rel=1e-8)
    assert table["Pr(>Chisq)"].iloc[1] == pytest.approx(1.22563995718966e-06, rel=1e-6)
    assert not any("random parts differ" in line for line in table.heading)


def test_reml_fits_are_fitted_again(full, intercept):
    table = anova(intercept.refit(REML=True), full.refit(REML=True))
    np.testing.assert_allclose(table["Chisq"].iloc[1], 42.1392985420282, rtol=1e-8)
    assert "ML" in table.heading[0]
    mixed = anova(intercept.refit(REML=True), full)
    assert "model 1" in mixed.heading[0]
    np.testing.assert_allclose(mixed["Chisq"].iloc[1], 42.1392985420282, rtol=1e-8)


def test_reml_criteria_as_they_are(full, intercept):
    one, two = intercept.refit(REML=True), full.refit(REML=True)
    table = anova(one, two, refit=False)
    assert table["Chisq"].iloc[1] == pytest.approx(one.objective - two.objective)
    with pytest.raises(ArgumentError, match="different fixed effects"):
        anova(two, two.update(". ~ . - Days"), refit=False)
    with pytest.raises(ArgumentError, match="REML with ML"):
        anova(one, full, refit=False)


def test_equal_numbers_of_parameters(full):
    table = anova(full, full)
    assert table["Df"].iloc[1] == 0
    assert np.isnan(table["Pr(>Chisq)"].iloc[1])


def test_printing(full, intercept):
    table = anova(intercept, full, names=["parallel", "slopes"])
    text = str(table)
    assert "42.1" in text
    assert "parallel: Reaction ~ Days + (1 | Subject)" in text
    assert "7.07" in text
    assert "nan" not in text.lower()
    assert "<table" in table._repr_html_()
    assert pickle.loads(pickle.dumps(table)).heading == table.heading
    assert type(table[["Chisq"]]).__name__ == "DataFrame"
    assert "conservative" in text
    # One random effect more, with one covariance: half of chi2(1) and half of chi2(2).
    assert "50:50 mixture of χ² with 1 and 2 degrees of freedom p = 3.961e-10" in " ".join(text.split())


@pytest.mark.parametrize("names", ["one", ["one"], ["one", "one"], ["a", "b", "c"]])
def test_bad_names(full, intercept, names):
    with pytest.raises(ArgumentError, match="2 different names"):
        anova(intercept, full, names=names)


def test_what_cannot_be_compared(full):
    with pytest.raises(TypeError, match="needs its first argument, model"):
        anova()
    with pytest.raises(ArgumentError, match="several models has no argument ddf="):
        anova(full, full, ddf="inf")
    with pytest.raises(ArgumentError, match="one model has no argument refit="):
        full.anova(refit=False)
    with pytest.raises(DataError, match="180 rows and model 2 to 144"):
        anova(full, full.update(subset="Days > 1"))
    with pytest.raises(DataError, match="different responses"):
        anova(full, full.update("log(.) ~ ."))
    with pytest.raises(ArgumentError, match="int"):
        anova(full, 3)


def test_models_that_are_not_nested():
    noise = np.random.default_rng(1).normal(size=180)
    data = DATA.assign(noise=noise, other=noise[::-1])
    small = lmer("Reaction ~ Days + (1 | Subject)", data, REML=False)
    large = lmer("Reaction ~ noise + other + (1 | Subject)", data, REML=False)
    table = anova(small, large)
    assert table["Chisq"].iloc[1] == 0.0
    assert any("not nested" in line for line in table.heading)


@pytest.mark.parametrize("compare", [anova, aic_table, model_selection])
def test_the_same_response_in_other_rows(compare):
    data = load_sleepstudy()
    data["z"] = np.where(data["Days"] == 3, np.nan, np.cos(data["Days"]))
    first = lmer("Reaction ~ Days + (1 | Subject)", data)

    def message(other):
        with pytest.raises(DataError) as caught:
            compare(first, other)
        text = str(caught.value)
        assert text.startswith(
            "model 1 and model 2 have the same response Reaction, but not in the same rows"
        )
        return text

    lost = message(lmer("Reaction ~ Days + z + (1 | Subject)", data))
    assert "180 rows and model 2 to 162 (of 180; 18 with missing z)" in lost
    assert lost.endswith("fit both to the complete rows, data.dropna(subset=['z'])")
    # The advice serves.
    complete = data.dropna(subset=["z"])
    compare(first.update(data=complete), lmer("Reaction ~ Days + z + (1 | Subject)", complete))
    zero = message(first.update(weights=np.where(data["Days"] == 2, 0.0, 1.0)))
    assert "(of 180; 18 with weight zero)" in zero
    chosen = message(first.update(subset="Days > 4"))
    assert "to 90 (of 180; 90 left out by subset=); fit both with the same subset=" in chosen
    assert "180 rows and model 2 to 170; fit both to the same data" in message(
        first.update(data=data.iloc[10:])
    )
    assert "the same in another order" in message(first.update(data=data.iloc[::-1]))
    first = first.update(subset="Days != 1")
    assert "of other values" in message(first.update(subset="Days != 2"))


def test_a_response_given_to_refit_is_another_one():
    model = fits("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    with pytest.raises(DataError, match="different responses"):
        anova(model, model.refit(load_sleepstudy()["Reaction"] + load_sleepstudy()["Days"]))


EPIL = load_epil()
COUNTS = "y ~ trt + lbase + (1 | subject)"


@pytest.fixture(scope="module")
def poisson():
    return glmer(COUNTS, EPIL, "poisson")


@pytest.mark.parametrize(("family", "parameter"), [("nbinom2", "size"), ("nbinom1", "dispersion")])
def test_poisson_is_on_the_boundary_of_the_negative_binomial(poisson, family, parameter):
    larger = poisson.update(family=family)
    table = anova(poisson, larger)
    text = str(table)
    assert f"model 1: {COUNTS}, family poisson (log)" in text
    assert f"model 2: {COUNTS}, family {family} (log)" in text
    assert f"model 1 (poisson) is model 2 ({family}) with its {parameter} on the boundary" in text
    chisq = poisson.objective - larger.objective
    assert table["Chisq"].iloc[1] == pytest.approx(chisq)
    assert table["Df"].iloc[1] == 1


def test_the_p_value_on_the_boundary_is_halved():
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(30), 5)
    mu = np.exp(1 + 0.4 * rng.normal(size=30)[group])
    data = pd.DataFrame({"g": group, "y": rng.poisson(mu * rng.gamma(6, 1 / 6, size=150))})
    smaller = glmer("y ~ 1 + (1 | g)", data, "poisson")
    table = anova(smaller, smaller.update(family="nbinom2"))
    p = table["Pr(>Chisq)"].iloc[1]
    assert p == pytest.approx(stats.chi2.sf(table["Chisq"].iloc[1], 1))
    (shown,) = [line for line in table.heading if "halved" in line]
    assert float(shown.split("p = ")[-1]) == pytest.approx(p / 2, rel=1e-3)
    # With another difference besides, the mixture is another one.
    both = anova(smaller.update("y ~ 1 + (1 | g)"), glmer("y ~ g + (1 | g)", data, "nbinom2"))
    assert any("conservative" in line and "halved" not in line for line in both.heading)


def test_families_that_are_not_nested_have_no_p_value(poisson):
    for other in (poisson.update(family="nbinom2", link="sqrt"), poisson.update(". ~ . + age", link="sqrt")):
        table = anova(poisson, other)
        assert np.isnan(table["Pr(>Chisq)"]).all()
        assert any("not nested: no p-value; compare AIC or BIC" in line for line in table.heading)
        assert np.isfinite(table["AIC"]).all()


def test_a_parameter_held_fixed_is_nested(poisson):
    free = poisson.update(family="nbinom2")
    held = poisson.update(family=families.NegativeBinomial(size=3))
    table = anova(held, free)
    assert table["Pr(>Chisq)"].iloc[1] == pytest.approx(stats.chi2.sf(held.objective - free.objective, 1))
    assert any("size held at 3" in line for line in table.heading)
    assert not any("boundary" in line for line in table.heading)


@pytest.mark.parametrize("table", [anova, aic_table, model_selection])
def test_what_differs_is_listed(table):
    data = DATA.assign(
        w=1 + DATA["Days"], off=0.5 * DATA["Days"], late=np.where(DATA["Days"] > 4, "yes", "no")
    )
    base = lmer("Reaction ~ late + (1 | Subject)", data, REML=False)
    models = [
        base,
        base.update(weights="w"),
        base.update(offset="off"),
        base.update(contrasts={"late": "sum"}),
        base.update(weights=np.where(DATA["Days"] > 4, 2.0, 1.0)),
        base.update(data=data.assign(late=data["late"].to_numpy()[::-1])),
    ]
    names = ["plain", "weighted", "offset", "sum", "by values", "other data"]
    shown = table(*models, names=names)
    lines = {
        line.split(":")[0]: line for line in (*shown.heading, *shown.notes) if line.split(":")[0] in names
    }
    assert set(lines) == set(names)
    assert "weights w" in lines["weighted"]
    assert "no weights" in lines["plain"]
    assert "offset off" in lines["offset"]
    assert "contrasts {'late': 'sum'}" in lines["sum"]
    assert "weights given as values" in lines["by values"]
    assert "other values of late[T.yes]" in lines["other data"]
    assert "family" not in lines["plain"]


def test_reml_is_told_from_ml(full):
    table = kr_compare(full.refit(REML=True), full.update(". ~ . - Days"))
    assert "full: Reaction ~ Days + (Days | Subject), REML" in table.heading
    assert "reduced: Reaction ~ (Days | Subject), ML" in [
        line.replace("~ 1 + ", "~ ") for line in table.heading
    ]


# Weights and offsets that differ


def test_models_with_other_weights_are_not_nested():
    weights = np.random.default_rng(2).uniform(0.2, 5.0, len(DATA))
    small = lmer("Reaction ~ 1 + (1 | Subject)", DATA, REML=False, weights=weights)
    for large in (
        fits("sleepstudy", "Reaction ~ Days + (1 | Subject)", REML=False),
        lmer("Reaction ~ Days + (1 | Subject)", DATA, REML=False, weights=weights[::-1]),
        # One random effect more, too: the mixture is no test either.
        lmer("Reaction ~ 1 + (1 | Subject) + (1 | Days)", DATA, REML=False),
    ):
        table = anova(small, large)
        assert np.isnan(table["Pr(>Chisq)"].iloc[1])
        assert table["Chisq"].notna().iloc[1]
        lines = [line for line in table.heading if "differ in weights" in line]
        assert lines == [
            "model 1 and model 2 differ in weights and are not nested: no p-value; compare AIC or BIC"
        ]
        assert not any("mixture" in line for line in table.heading)


def test_weights_up_to_a_factor_are_the_same_model():
    weights = np.random.default_rng(2).uniform(0.2, 5.0, len(DATA))
    small = lmer("Reaction ~ 1 + (1 | Subject)", DATA, REML=False, weights=weights)
    large = [
        lmer("Reaction ~ Days + (1 | Subject)", DATA, REML=False, weights=factor * weights)
        for factor in (1.0, 7.0)
    ]
    own, scaled = (anova(small, model)["Pr(>Chisq)"].iloc[1] for model in large)
    assert scaled == pytest.approx(own, rel=1e-6)
    assert 0 < own < 1e-6
    ones = small.update(weights=np.ones(len(DATA)))
    assert anova(ones, large[0])["Pr(>Chisq)"].isna().all()
    assert anova(ones, large[0].update(weights=None))["Pr(>Chisq)"].notna().iloc[1]


def test_prior_weights_of_a_generalized_model(poisson):
    weights = np.random.default_rng(2).uniform(0.5, 2.0, poisson.nobs)
    table = anova(poisson.update(". ~ . - base", weights=weights), poisson)
    assert np.isnan(table["Pr(>Chisq)"].iloc[1])
    assert any(line.endswith("differ in weights and are not nested: no p-value") for line in table.heading)
    # A factor makes another likelihood of counts.
    table = anova(poisson.update(". ~ . - base", weights=np.full(poisson.nobs, 2.0)), poisson)
    assert np.isnan(table["Pr(>Chisq)"].iloc[1])


@pytest.mark.parametrize("generalized", [False, True])
def test_an_offset_that_coefficients_make_up_for_is_nested(generalized, poisson):
    data = (load_epil() if generalized else DATA).copy()
    x, group = ("lbase", "subject") if generalized else ("Days", "Subject")
    if generalized and x not in data:
        data["lbase"] = np.log(data["base"] / 4)
    y = poisson.formula.split("~")[0].strip() if generalized else "Reaction"
    data["half"], data["noise"] = 0.5 * data[x], np.random.default_rng(1).normal(size=len(data))

    def fit(formula, **options):
        formula = f"{y} ~ {formula} + (1 | {group})"
        if generalized:
            return glmer(formula, data, "poisson", **options)
        return lmer(formula, data, REML=False, **options)

    # The slope is held at one half.
    held, free = fit("1", offset="half"), fit(x)
    table = anova(held, free)
    assert table["Pr(>Chisq)"].iloc[1] == pytest.approx(stats.chi2.sf(held.objective - free.objective, 1))
    assert anova(held, fit(x, offset="half"))["Pr(>Chisq)"].notna().iloc[1]
    other = anova(fit("1", offset="noise"), free)
    assert np.isnan(other["Pr(>Chisq)"].iloc[1])
    assert any("differ in offset and are not nested" in line for line in other.heading)


# Contrasts in every form


@pytest.mark.parametrize(
    ("contrasts", "shown"),
    [
        ("sum", "contrasts 'sum'"),
        ({"Machine": "sum"}, "contrasts {'Machine': 'sum'}"),
        ({"Machine": np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])}, "contrasts {'Machine': [["),
        ({"Machine": pd.DataFrame(np.eye(3)[:, 1:], index=list("ABC"))}, "contrasts {'Machine': [["),
    ],
    ids=["text", "names", "array", "frame"],
)
def test_contrasts_in_any_form_can_be_compared(contrasts, shown):
    data = load_machines()
    full = lmer("score ~ Machine + (1 | Worker)", data, REML=False, contrasts=contrasts)
    plain = lmer("score ~ Machine + (1 | Worker)", data, REML=False)
    null = lmer("score ~ 1 + (1 | Worker)", data, REML=False)
    for table in (
        anova(full, null),
        aic_table(full, null),
        model_selection(full, null),
        kr_compare(full, null),
        pb_compare(full, null, nsim=2, rng=1),
    ):
        lines = [*table.heading, *table.notes]
        assert any(shown in line for line in lines), lines
        assert any("default contrasts" in line for line in lines)
        assert not any("\n" in line for line in lines)
    assert model_table(full, full).notes
    assert any(shown in note for note in model_table(full, plain).notes)


@pytest.mark.parametrize("matrix", [np.array, lambda values: pd.DataFrame(values, index=list("ABC"))])
def test_a_matrix_of_contrasts_is_one_line_of_the_heading(matrix):
    data = load_machines()
    formula = "score ~ Machine + (1 | Worker)"
    own = matrix(np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]))
    table = anova(lmer(formula, data), lmer(formula, data, contrasts={"Machine": own}))
    (line,) = [line for line in table.heading if "Machine'" in line]
    assert line.endswith("contrasts {'Machine': [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]}")
    (line,) = [
        line
        for line in anova(lmer(formula, data), lmer(formula, data, contrasts="sum")).heading
        if "'sum'" in line
    ]
    assert line.endswith("contrasts 'sum'")


@pytest.mark.parametrize("refit", ["no", 0, 1, [True]])
def test_refit_is_true_or_false(full, refit):
    with pytest.raises(ArgumentError, match="refit must be True or False"):
        anova(full, full.update(". ~ . - Days"), refit=refit)
