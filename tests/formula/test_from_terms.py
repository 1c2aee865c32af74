"""Formulas that a program puts together."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from mixedmodels import Formula, describe_blocks, fit_many, lmer, load_sleepstudy
from mixedmodels.errors import FormulaError, MissingColumnError
from shared_fits import fits


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("y", ["x", "z"], "(1 | g)"), "y ~ x + z + (1 | g)"),
        (("y", "x", ["(1 | g)", "(0 + x | h)"]), "y ~ x + (1 | g) + (0 + x | h)"),
        (("y", [], ("1", "g")), "y ~ (1 | g)"),
        (("y", (), ()), "y ~ 1"),
        (("y", "x"), "y ~ x"),
        ((None, ["0", "x"], "(1 | g)"), "~ 0 + x + (1 | g)"),
        (("log(y)", ["x", "-1"], (["1", "x"], "a/b")), "log(y) ~ x - 1 + (1 + x | a/b)"),
        (("y", ["a * b", "offset(z)"], [("cs", ["0", "f"], "g")]), "y ~ a * b + offset(z) + cs(0 + f | g)"),
        (("y", "x", ("zerocorr", ["1", "x"], "g")), "y ~ x + zerocorr(1 + x | g)"),
        (("y", "x", [("x", "g"), ("1", "h")]), "y ~ x + (x | g) + (1 | h)"),
        (("y", "x", ("(1 | g)", "(1 | h)")), "y ~ x + (1 | g) + (1 | h)"),
        (("y", (name for name in "ab"), (part for part in ["(1 | g)"])), "y ~ a + b + (1 | g)"),
        (("y", "x", [([], "g")]), "y ~ x + (1 | g)"),
        # A bar alone would take all before it.
        (("y", "x", "1 | g"), "y ~ x + (1 | g)"),
        (("y", "x", ["x || g", "zerocorr(1 + x | h)"]), "y ~ x + (x || g) + zerocorr(1 + x | h)"),
    ],
)
def test_text(parts, text):
    formula = Formula.from_terms(*parts)
    assert formula == text
    assert isinstance(formula, Formula)
    assert repr(formula) == f"Formula({text!r})"


def test_names_that_are_no_words():
    assert Formula.column("x") == "x"
    assert Formula.column("body mass") == "`body mass`"
    data = load_sleepstudy().rename(columns={"Days": "days (24 h)", "Reaction": "in"})
    name = Formula.column("days (24 h)")
    formula = Formula.from_terms(Formula.column("in"), [name], (["1", name], "Subject"))
    assert lmer(formula, data).objective == pytest.approx(fits("sleepstudy").objective)
    for bad in ("a`b", "", 3):
        with pytest.raises(FormulaError, match="cannot name the column"):
            Formula.column(bad)


def test_a_formula_is_taken_wherever_its_text_is():
    data, expected = load_sleepstudy(), fits("sleepstudy")
    formula = Formula.from_terms("Reaction", ["Days"], (["Days"], "Subject"))
    assert formula == expected.formula
    model = lmer(formula, data)
    assert model.theta.tolist() == expected.theta.tolist()
    changed = model.update(Formula.from_terms(".", [".", "I(Days^2)"]))
    assert changed.formula == "Reaction ~ Days + I(Days^2) + (Days | Subject)"
    only = Formula.from_terms(None, ["0"], ("1", "Subject"))
    np.testing.assert_array_equal(
        model.predict(data, re_form=only), model.predict(data, re_form="~ 0 + (1|Subject)")
    )
    assert len(describe_blocks(formula, data).blocks) > 0
    many = fit_many(Formula.from_terms(None, "Days", (["Days"], "Subject")), data, responses=["Reaction"])
    assert np.ravel(many.theta) == pytest.approx(model.theta, rel=1e-5)


def test_copies():
    formula = Formula.from_terms("y", "x", "(1 | g)")
    for other in (pickle.loads(pickle.dumps(formula)), copy.deepcopy(formula)):
        assert (other, type(other)) == (formula, Formula)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("y", "(1 | g)"), "has a bar; random-effects terms go into random="),
        (("y", "x", "x"), "has no bar"),
        (("y ~ x", "z"), "is a whole formula"),
        (("y", "x) + (z"), "parentheses"),
        (("y", "(x"), "parenthesis|parentheses"),
        (("y", ["x", 3]), "text"),
        (("y", 3), "sequence of text"),
        (("y", [""]), "text"),
        ((3, "x"), "text"),
        (("y", "x", [("1",)]), r"\(effects, group\)"),
        (("y", "x", [("a b", "1", "g")]), "covariance structure"),
        (("y", "x", ("css", ["1", "x"], "g")), "css"),
        (("y", "x", None), "random: terms must be text"),
        (("y", None), "fixed: terms must be text"),
        (("y", "x", ("1", "x", "g")), r"several effects come in a list, \(\['1', 'x'\], 'g'\)"),
        (("y", "x", [("1 | h", "g")]), "bar"),
        (("y", ["body mass"]), "fixed: 'body mass' has no operator before 'mass'; .* backticks: `body mass`"),
        (("body mass", "x"), "response: 'body mass' has no operator"),
        (("y", ["x 2"]), "`x 2`"),
        (("y", ["a log(x)"]), r"no operator before 'log\(x\)'"),
        (("y", "x", "(body mass | g)"), "random: .* before 'mass'; .* backticks, see"),
        (("y", "x", (["1", "body mass"], "g")), "`body mass`"),
        (("y", "x", ("1", "my group")), "`my group`"),
        (("y", ["`a b` c"]), "no operator before 'c'; .* backticks, see"),
    ],
)
def test_parts_stay_in_their_places(parts, message):
    with pytest.raises(FormulaError, match=message):
        Formula.from_terms(*parts)


def test_columns_are_looked_up_later():
    formula = Formula.from_terms("Reaction", ["Dayz"], "(1 | Subject)")
    with pytest.raises(MissingColumnError, match="Days"):
        lmer(formula, load_sleepstudy())
