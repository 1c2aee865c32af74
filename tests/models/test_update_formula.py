"""Formulas by change of others."""

from __future__ import annotations

import pytest

from mixedmodels import glmer, lmer, load_cbpp, load_machines
from mixedmodels.errors import ArgumentError, FormulaError
from mixedmodels.formula import parse_formula
from mixedmodels.formula.change import update_formula

COLUMNS = ["y", "x", "z", "f", "g", "h", "total.fruits", "a name"]


def updated(old: str, change: str) -> str:
    return update_formula(parse_formula(old, COLUMNS), change, COLUMNS)


@pytest.mark.parametrize(
    ("old", "change", "wanted"),
    [
        ("y ~ x + (1 | g)", ". ~ .", "y ~ x + (1 | g)"),
        ("y ~ x + (1 | g)", ". ~ . + z", "y ~ x + (1 | g) + z"),
        ("y ~ x + (1 | g)", "~ . + z", "y ~ x + (1 | g) + z"),
        ("y ~ x + z + (1 | g)", ". ~ . - x", "y ~ z + (1 | g)"),
        ("y ~ x + (1 | g)", ". ~ . - x", "y ~ 1 + (1 | g)"),
        ("y ~ x + (1 | g)", ". ~ . - 1", "y ~ x + (1 | g) - 1"),
        ("y ~ x - 1 + (1 | g)", ". ~ . + 1", "y ~ x + (1 | g) + 1"),
        ("y ~ x * z + (1 | g)", ". ~ . - x:z", "y ~ x * z + (1 | g) - x:z"),
        ("y ~ x + (1 | g)", "log(.) ~ .", "log(y) ~ x + (1 | g)"),
        ("y ~ x + (1 | g)", "z ~ .", "z ~ x + (1 | g)"),
        ("y ~ x + (1 | g)", ". ~ z + (1 | h)", "y ~ z + (1 | h)"),
        ("y ~ x + z + (1 | g)", ". ~ (.)^2 + (1 | g)", "y ~ ((x + z))^2 + (1 | g)"),
        ("y ~ x + (x | g)", ". ~ . - (x | g) + (x || g)", "y ~ x + (x || g)"),
        ("y ~ x + (1|g) + (1|h)", ". ~ . - (1 | h)", "y ~ x + (1 | g)"),
        ("y ~ x + (1 | g/h)", ". ~ . - (1 | g:h)", "y ~ x + (1 | g)"),
        ("y ~ x + (1 | g) + (1 | g:h)", ". ~ . - (1 | g/h) + (1 | f)", "y ~ x + (1 | f)"),
        ("y ~ x + offset(z) + (1 | g)", ". ~ . + f", "y ~ x + offset(z) + (1 | g) + f"),
        ("y ~ total.fruits + (1 | g)", ". ~ . + `a name`", "y ~ total.fruits + (1 | g) + `a name`"),
    ],
)
def test_update(old, change, wanted):
    assert updated(old, change) == wanted
    parse_formula(wanted, COLUMNS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (". ~ . - (1 | h)", r"\(1 \| h\) is not a random-effects term of the model; there are \(1 \| g\)"),
        (". + x", "one '~'"),
        (". ~ x - .", "every term"),
        (3, "not int"),
    ],
)
def test_bad_changes(change, message):
    with pytest.raises(FormulaError, match=message):
        updated("y ~ x + (1 | g)", change)


def test_contrasts_of_factors_that_are_gone():
    data = load_machines().assign(half=lambda d: (d["score"] > 60).map({True: "high", False: "low"}))
    model = lmer(
        "score ~ Machine + half + (1 | Worker)", data, contrasts={"Machine": "sum", "half": "helmert"}
    )
    smaller = model.update(". ~ . - Machine")
    direct = lmer("score ~ half + (1 | Worker)", data, contrasts={"half": "helmert"})
    assert list(smaller.fixef().index) == list(direct.fixef().index) == ["(Intercept)", "half[H.low]"]
    assert smaller.objective == pytest.approx(direct.objective, abs=1e-9)
    assert smaller.update(". ~ . - half").rank == 1
    # Back again the factor has its default.
    assert smaller.update(". ~ . + Machine").fixef().index[-1] == "Machine[T.C]"
    # In a random-effects term it keeps them.
    kept = model.update(". ~ . - Machine - (1 | Worker) + (0 + Machine | Worker)")
    assert kept._fitted.arguments.contrasts == {"Machine": "sum", "half": "helmert"}
    every = lmer("score ~ Machine + (1 | Worker)", data, contrasts="sum").update(". ~ . - Machine + half")
    assert every.fixef().index[-1] == "half[S.high]"


def test_contrasts_of_what_is_no_factor_are_refused():
    data = load_machines()
    with pytest.raises(
        ArgumentError, match="'Worker' is a part of the formula; give its contrasts by factor"
    ):
        lmer("score ~ Machine + (1 | Worker)", data, contrasts={"Worker": "sum"})
    model = lmer("score ~ Machine + (1 | Worker)", data)
    with pytest.raises(ArgumentError, match="'Machine' is not a factor in the terms"):
        model.update(". ~ . - Machine", contrasts={"Machine": "sum"})


def test_contrasts_of_generalized_models():
    model = glmer(
        "incidence / size ~ period + (1 | herd)", load_cbpp(), "binomial", contrasts={"period": "sum"}
    )
    assert model.update(". ~ . - period").rank == 1
