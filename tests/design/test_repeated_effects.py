"""Random effects that the formula has twice; criteria of the merged models by lme4 1.1-31."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pandas as pd
import pytest

from design.building import build_design
from mixedmodels import fit_many, glmer, lmer, load_cbpp, load_pastes, load_sleepstudy, ranova
from mixedmodels.design.repeated_effects import overlapping_terms, repeated_effects
from mixedmodels.errors import FormulaWarning

SLEEP = load_sleepstudy()
SLEEP["f"] = np.where(SLEEP["Days"] > 4, "b", "a")
SLEEP["h"] = np.where(SLEEP["Days"] % 3 == 0, "u", "v")
SLEEP["half"] = SLEEP["Days"] / 2
SLEEP["person"] = pd.Categorical(
    "p" + SLEEP["Subject"].astype(str), sorted(set("p" + SLEEP["Subject"].astype(str)))[::-1]
)
SLOPES, ONE, SPLIT = "(Days | Subject)", "(1 | Subject)", "(Days || Subject)"
LEVELS = "(0 + f | Subject)"

# What is written, and what it amounts to.
EQUAL = [
    (f"{ONE} + {SLOPES}", SLOPES),
    (f"{SLOPES} + {ONE}", SLOPES),
    (f"{ONE} + {ONE}", ONE),
    (f"{ONE} + {ONE} + {SLOPES}", SLOPES),
    (f"{SPLIT} + {ONE}", SPLIT),
    (f"{ONE} + {SPLIT}", SPLIT),
    (f"{SPLIT} + {SLOPES}", SLOPES),
    (f"{SPLIT} + {SPLIT}", SPLIT),
    ("(0 + Days | Subject) + (0 + half | Subject) + (1 | Subject)", SPLIT),
    ("(half | Subject) + (0 + Days | Subject)", "(half | Subject)"),
    (f"{LEVELS} + {ONE}", LEVELS),
    ("(f | Subject) + (0 + f | Subject)", "(f | Subject)"),
    ("(f | Subject) + (0 + f || Subject)", "(f | Subject)"),
    (f"{SPLIT} + (0 + half + Days:f | Subject)", "(1 | Subject) + (0 + half + Days:f | Subject)"),
    ("(1 | Subject) + (1 | person)", ONE),
    ("(Days | person) + (1 | Subject)", "(Days | person)"),
    ("(poly(Days, 2) | Subject) + (Days | Subject)", "(poly(Days, 2) | Subject)"),
]
# Models of the same groups in which nothing is repeated.
DIFFERENT = [
    f"{ONE} + (0 + Days | Subject)",
    "(0 + f || Subject) + (1 | Subject)",
    "(0 + f | Subject) + (0 + Days | Subject)",
    "(f | Subject) + (0 + Days | Subject)",
    "(1 | Subject) + (1 | Days)",
    "(0 + f | Subject) + (0 + I(h == 'u') | Subject)",
]


def quiet(function, *arguments, **options):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)


@pytest.mark.filterwarnings("ignore:.*the double bar makes all:mixedmodels.errors.FormulaWarning")
@pytest.mark.parametrize(("written", "plain"), EQUAL)
def test_the_model_is_the_plain_one(written, plain):
    with pytest.warns(FormulaWarning, match=r"(is|are) left out, as .*covariance parameter"):
        build_design(f"Reaction ~ Days + {written}", SLEEP)
    model = quiet(lmer, f"Reaction ~ Days + {written}", SLEEP)
    wanted = quiet(lmer, f"Reaction ~ Days + {plain}", SLEEP)
    assert model.df == wanted.df
    assert model.objective == pytest.approx(wanted.objective, rel=1e-9)
    assert model.AIC() == pytest.approx(wanted.AIC(), rel=1e-9)
    np.testing.assert_allclose(model.predict(re_form=f"~ {written}"), model.fitted(), rtol=1e-12)
    np.testing.assert_allclose(model.predict(SLEEP, re_form=f"~ {written}"), model.fitted(), rtol=1e-9)
    assert written in model.formula
    np.testing.assert_allclose(
        model.summary().coefficients["df"], wanted.summary().coefficients["df"], rtol=1e-4, equal_nan=True
    )


@pytest.mark.parametrize("written", DIFFERENT)
def test_nothing_is_merged_that_differs(written):
    design = quiet(build_design, f"Reaction ~ Days + {written}", SLEEP)
    assert not repeated_effects(design.terms)
    assert not overlapping_terms(design.terms)
    assert not design.recipe.left_out


def test_the_warning_names_the_terms_and_the_numbers_of_parameters():
    message = (
        "(1 | Subject) is left out, as (Days | Subject) contains it; the model stays the same, with 3 "
        "covariance parameters where 4 were written"
    )
    with pytest.warns(FormulaWarning, match=re.escape(message)):
        model = lmer(f"Reaction ~ Days + {ONE} + {SLOPES}", SLEEP)
    assert model.df == 6
    assert model.objective == pytest.approx(1743.6282719, abs=1e-6)
    np.testing.assert_allclose(model.summary().coefficients["df"], 17, atol=1e-5)
    assert "Random effects: (1 | Subject) is left out, as (Days | Subject) contains it" in str(
        model.summary()
    )
    with pytest.warns(FormulaWarning, match="the effect I.2 . Days. of .* as it repeats others of the term"):
        lmer("Reaction ~ Days + (Days + I(2 * Days) || Subject)", SLEEP)
    with pytest.warns(FormulaWarning, match="'Subject' and 'person' have the same groups"):
        build_design("Reaction ~ Days + (1 | Subject) + (Days | person)", SLEEP)
    with pytest.warns(FormulaWarning, match=r"the effects \(Intercept\), Days of .* are left out"):
        build_design("Reaction ~ Days + (Days + I(Days^2) || Subject) + (Days | Subject)", SLEEP)


def test_columns_of_factor_levels_span_the_constant():
    model = quiet(lmer, f"Reaction ~ Days + {ONE} + {LEVELS}", SLEEP)
    assert model.objective == pytest.approx(1749.704, abs=5e-4)
    assert model.AIC() == pytest.approx(1761.704, abs=5e-4)
    np.testing.assert_allclose(model.summary().coefficients["df"], [17.70746, 88.01172], rtol=1e-4)


def test_nesting_that_expands_to_a_term_written_beside_it():
    data = load_pastes()
    with pytest.warns(FormulaWarning, match=r"\(1 \| batch\) is left out, as the formula has it twice"):
        model = lmer("strength ~ 1 + (1 | batch/cask) + (1 | batch)", data)
    assert model.df == 4
    assert model.objective == pytest.approx(246.9907, abs=5e-5)
    # The column of samples makes the same groups as the casks within batches.
    with pytest.warns(
        FormulaWarning, match="'batch:cask' and 'sample' have the same groups|'sample' and 'batch:cask'"
    ):
        model = lmer("strength ~ 1 + (1 | batch/cask) + (1 | sample)", data)
    assert model.df == 4
    np.testing.assert_allclose(
        model.predict(re_form="~(1 | batch/cask)"), model.predict(re_form="~(1 | batch) + (1 | sample)")
    )
    with pytest.warns(FormulaWarning, match="left out"):
        assert lmer("strength ~ 1 + (1 | batch:cask) + (1 | cask:batch)", data).df == 3


def test_part_of_a_double_bar_is_left_out():
    with pytest.warns(FormulaWarning, match="effect Days of"):
        model = lmer("Reaction ~ Days + (Days || Subject) + (0 + Days + I(Days^2) | Subject)", SLEEP)
    term = model._fitted.design.terms[0]
    assert term.names == ("(Intercept)",)
    assert "Days" not in model._fitted.design.recipe.random[0][0].names
    np.testing.assert_allclose(model.predict(SLEEP), model.fitted(), rtol=1e-10)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(restored.predict(SLEEP), model.fitted(), rtol=1e-10)


@pytest.mark.parametrize(
    ("written", "surplus", "total"),
    [
        ("(Days | Subject) + (0 + Days + I(Days^2) | Subject)", 1, 6),
        ("(Days | Subject) + (I(Days^2) | Subject)", 1, 6),
        ("(0 + f | Subject) + (0 + h | Subject)", 1, 6),
        ("(Days | Subject) + (I(Days^2) | Subject) + (0 + Days + I(Days^2) | Subject)", 3, 9),
    ],
)
def test_overlapping_terms_count_what_is_determined(written, surplus, total):
    with pytest.warns(FormulaWarning, match=f"only {total - surplus} of their {total} covariance parameters"):
        design = build_design(f"Reaction ~ Days + {written}", SLEEP)
    assert design.surplus_parameters == surplus
    model = quiet(lmer, f"Reaction ~ Days + {written}", SLEEP)
    assert model.df == 2 + total - surplus + 1
    assert f"only {total - surplus} of their {total}" in str(model.summary())
    np.testing.assert_allclose(model.predict(re_form=f"~ {written}"), model.fitted(), rtol=1e-10)


def test_leaving_out_an_overlapping_term_counts_what_is_determined():
    model = quiet(lmer, "Reaction ~ Days + (0 + f | Subject) + (0 + h | Subject)", SLEEP)
    table = ranova(model)
    assert table.loc["<none>", "npar"] == model.df == 2 + 5 + 1
    # (1 | Subject) takes the place of (0 + f | Subject) only where no other term spans the constant.
    for label, npar in table["npar"].iloc[1:].items():
        assert npar < model.df, label


def test_a_chain_of_repetitions():
    """Days is within the second term, of which Days goes into the third."""
    written = "(0 + Days | Subject) + (Days + h || Subject) + (0 + Days + I(Days^2) | Subject)"
    model = quiet(lmer, f"Reaction ~ Days + {written}", SLEEP)
    design = model._fitted.design
    assert [term.names for term in design.terms] == [("(Intercept)", "h[T.v]"), ("Days", "I(Days^2)")]
    assert [part.within for part in design.recipe.left_out] == [(1,), (1,)]
    np.testing.assert_allclose(model.predict(re_form=f"~ {written}"), model.fitted(), rtol=1e-12)
    np.testing.assert_allclose(
        model.predict(SLEEP, re_form="~(0 + Days + I(Days^2) | Subject)"),
        model.predict(re_form="~(0 + Days + I(Days^2) | Subject)"),
        rtol=1e-9,
    )


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_generalized_models(family):
    data = load_cbpp()
    left = "cbind(incidence, size - incidence)" if family == "binomial" else "incidence"
    plain = quiet(glmer, f"{left} ~ period + (1 | herd)", data, family)
    with pytest.warns(FormulaWarning, match="the formula has it twice"):
        model = glmer(f"{left} ~ period + (1 | herd) + (1 | herd)", data, family)
    assert model.df == plain.df
    assert model.objective == pytest.approx(plain.objective, rel=1e-10)
    np.testing.assert_allclose(model.predict(re_form="~(1 | herd) + (1 | herd)"), model.predict())


def test_many_responses_and_missing_rows():
    y = np.column_stack([SLEEP["Reaction"], np.log(SLEEP["Reaction"])])
    with pytest.warns(FormulaWarning, match="left out"):
        fits = fit_many(f"~ Days + {ONE} + {SLOPES}", SLEEP, y)
    np.testing.assert_allclose(fits.objective, fit_many(f"~ Days + {SLOPES}", SLEEP, y).objective, rtol=1e-10)
    holes = SLEEP.assign(Days=SLEEP["Days"].where(SLEEP.index % 7 != 3), w=1.0 + SLEEP.index % 3)
    for options in ({"weights": "w"}, {"offset": "w"}, {"na_action": "exclude"}):
        with pytest.warns(FormulaWarning, match="left out"):
            model = lmer(f"Reaction ~ Days + {ONE} + {SLOPES}", holes, **options)
        wanted = lmer(f"Reaction ~ Days + {SLOPES}", holes, **options)
        assert model.objective == pytest.approx(wanted.objective, rel=1e-10)
        assert model.df == wanted.df


def test_update_knows_the_formula_as_written():
    model = quiet(lmer, f"Reaction ~ Days + {ONE} + {SLOPES}", SLEEP)
    assert model.update(f". ~ . - {ONE}").formula == f"Reaction ~ Days + {SLOPES}"
    assert model.update(f". ~ . - {SLOPES}").df == 4


def test_columns_of_zeros_are_let_be():
    data = SLEEP.assign(h=np.where(SLEEP["f"] == "a", "u", SLEEP["h"]))
    design = quiet(build_design, "Reaction ~ Days + (0 + f:h || Subject)", data)
    assert len(design.terms[0].names) == 4
    assert not design.recipe.left_out


def test_a_double_bar_with_a_factor_depends_on_its_contrasts():
    with pytest.warns(FormulaWarning, match="with other contrasts, other columns are independent"):
        build_design("Reaction ~ Days + (f || Subject)", SLEEP)
    # Here the columns are the levels themselves.
    with pytest.warns(FormulaWarning, match=r"\(a single bar has 3\)$"):
        build_design("Reaction ~ Days + (0 + f || Subject)", SLEEP)
    for random, same in (("(f || Subject)", False), ("(0 + f || Subject)", True)):
        one, other = (
            quiet(lmer, f"Reaction ~ Days + {random}", SLEEP, contrasts=contrasts).objective
            for contrasts in ({"f": "treatment"}, {"f": "sum"})
        )
        assert (abs(one - other) < 1e-6) is same
