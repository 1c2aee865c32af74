"""A True/False predictor is tested as the factor of two levels that it is."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import anova, drop1, glmer, joint_tests, lmer, load_ham
from mixedmodels.errors import MixedModelsWarning

HAM = load_ham().assign(
    info=lambda d: d["Information"].astype(str) == "1",
    as_text=lambda d: np.where(d["info"], "yes", "no"),
    number=lambda d: d["info"].astype(int),
    old=lambda d: d["Age"] > 40,
    as_text_old=lambda d: np.where(d["old"], "old", "young"),
    likes=lambda d: (d["Informed.liking"] > 5).astype(int),
)
RIGHT_SIDES = [
    "Product * {info}",
    "{info} * Product",
    "Product * {info} * Gender",
    "Product * {info} * {old}",
    "{info} * {old}",
    "Age * {info}",
    "0 + Product * {info}",
    "Product + {info} + {old}",
]
TRUTHS = {"info": "info", "old": "old"}
TEXTS = {"info": "as_text", "old": "as_text_old"}


def linear(right):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return lmer(f"`Informed.liking` ~ {right} + (1 | Consumer)", HAM)


@pytest.mark.parametrize("right", RIGHT_SIDES)
@pytest.mark.parametrize("type", [1, 2, 3])
def test_tests_of_terms(right, type):
    found, wanted = (anova(linear(right.format(**names)), type=type) for names in (TRUTHS, TEXTS))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_the_value():
    # lmerTest with a factor.
    table = anova(linear("Product * info"))
    assert table.loc["Product", "F value"] == pytest.approx(6.990, abs=1e-3)
    assert joint_tests(linear("Product * info"))["F.ratio"].iloc[0] == pytest.approx(6.990, abs=1e-3)


@pytest.mark.parametrize("condition", ["I(Age > 40)", "I(!young)"])
def test_conditions_are_truth_values(condition):
    data = HAM.assign(young=~HAM["old"])
    model = lmer(f"`Informed.liking` ~ Product * {condition} + (1 | Consumer)", data)
    np.testing.assert_allclose(anova(model), anova(linear("Product * old")), rtol=1e-6)


def test_zeros_and_ones_stay_numbers():
    table = anova(linear("Product * number"))
    # The products at zero.
    assert table.loc["Product", "F value"] == pytest.approx(3.11, abs=0.01)


def test_without_the_other_levels_column_it_stays_a_number():
    table = anova(linear("Product : info"))
    assert list(table["NumDF"]) == [4]


@pytest.mark.parametrize("test", ["F", "Chisq"])
def test_leaving_out_terms(test):
    found, wanted = (drop1(linear(r), test=test) for r in ("Product * info + old", "Product * as_text + old"))
    pd.testing.assert_frame_equal(
        pd.DataFrame(found).reset_index(drop=True), pd.DataFrame(wanted).reset_index(drop=True), rtol=1e-6
    )


@pytest.mark.parametrize("type", [1, 2, 3])
def test_generalized_models(type):
    models = [
        glmer(f"likes ~ Gender * {name} + (1 | Consumer)", HAM, "binomial") for name in ("info", "as_text")
    ]
    np.testing.assert_allclose(*(anova(model, type=type) for model in models), rtol=1e-4)
