"""Formulas by change of others."""

from __future__ import annotations

import pytest

from mixedmodels.errors import FormulaError
from mixedmodels.formula import parse_formula
from mixedmodels.models.update import update_formula

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
