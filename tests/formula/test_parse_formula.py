"""Formulas are read into the right parts."""

from __future__ import annotations

import pickle

import pytest

from mixedmodels.errors import MissingColumnError
from mixedmodels.formula import ModelFormula, parse_formula

COLUMNS = (*"yxznabcfgh", "a b", "total.fruits", "é", "if", "__import__('os')")


def parse(text: str, **options: bool) -> ModelFormula:
    return parse_formula(text, COLUMNS, **options)


def terms(text: str) -> list[str]:
    """The fixed-effects terms of a formula as text; "1" is the intercept."""
    parsed = parse(f"y ~ {text} + (1 | g)").fixed_terms
    names = [str(getattr(node, "name", node)) for node in parsed.factors]
    return [":".join(names[i] for i in term) or "1" for term in parsed.terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", ["1"]),
        ("0", []),
        ("-1", []),
        ("x", ["1", "x"]),
        ("x - 1", ["x"]),
        ("x + 0", ["x"]),
        ("0 + x", ["x"]),
        ("x - 0", ["1", "x"]),
        ("-1 + x + 1", ["1", "x"]),
        ("x + x", ["1", "x"]),
        ("a*b", ["1", "a", "b", "a:b"]),
        ("a:b + c", ["1", "c", "a:b"]),
        ("(a + b + c)^2", ["1", "a", "b", "c", "a:b", "a:c", "b:c"]),
        ("(a + b + c)**2", ["1", "a", "b", "c", "a:b", "a:c", "b:c"]),
        ("(a + b)^99", ["1", "a", "b", "a:b"]),
        ("a*b*c - a:b:c", ["1", "a", "b", "c", "a:b", "a:c", "b:c"]),
        ("a*b - a", ["1", "b", "a:b"]),
        ("a & b", ["1", "a:b"]),
        ("a + b & (c + a)", ["1", "a", "b:c", "b:a"]),
        ("a*b & c", ["1", "a", "b:c", "a:b:c"]),
        ("a/b", ["1", "a", "a:b"]),
        ("a/b/c", ["1", "a", "a:b", "a:b:c"]),
        ("(a + b)/c", ["1", "a", "b", "a:b:c"]),
        ("a %in% b", ["1", "a:b"]),
        ("b + a %in% b", ["1", "b", "a:b"]),
        ("(1 + a)*b", ["1", "a", "b", "a:b"]),
        ("(0 + a)*b", ["1", "a", "b", "a:b"]),
        ("(a - 1):b", ["1", "a:b"]),
        ("a - (b + a)", ["1"]),
        ("a:a", ["1", "a"]),
        ("a:b + b:a", ["1", "a:b"]),
        ("`a b`*é", ["1", "a b", "é", "a b:é"]),
        ("total.fruits + if", ["1", "total.fruits", "if"]),
        ("`__import__('os')`", ["1", "__import__('os')"]),
        ("x\n\t+ z", ["1", "x", "z"]),
    ],
)
def test_terms_of_the_fixed_part(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("y~x+(x|g)", "y ~ x + (x | g)"),
        ("y ~ (1|g) + x", "y ~ x + (1 | g)"),
        ("y~(1|g)", "y ~ (1 | g)"),
        ("y~-1+x+(0+x||g)", "y ~ -1 + x + (0 + x || g)"),
        ("y ~ a*b:c-1+(1|a/b)", "y ~ a * b:c - 1 + (1 | a/b)"),
        ("y~(a+b)^2+offset(log(n))+(1|g)", "y ~ (a + b)^2 + offset(log(n)) + (1 | g)"),
        ("log( y+1 )~ns(x,df = 3)+`a b`+(1|g)", "log(y + 1) ~ ns(x, df=3) + `a b` + (1 | g)"),
        ("y~I((x+1)*2)+I(-x^2)+I((-x)^2)+(1|g)", "y ~ I((x + 1) * 2) + I(-x^2) + I((-x)^2) + (1 | g)"),
        ("y ~ I(x - (z - n)) + I(x-z-n) + (1|g)", "y ~ I(x - (z - n)) + I(x - z - n) + (1 | g)"),
        ("y~a&b+(1+a & b|g & h)", "y ~ a:b + (1 + a:b | g:h)"),
        ("y~I(a>1 & b<2)+(1|g)", "y ~ I(a > 1 & b < 2) + (1 | g)"),
        ("y~zerocorr(1+x|a/b)", "y ~ diag(1 + x | a/b)"),
        ("y~x+(1+fulldummy(a)|g)", "y ~ x + (1 + fulldummy(a) | g)"),
        ("y~a %in% b+(1|g:h)", "y ~ a %in% b + (1 | g:h)"),
        ("y ~ ((1|g) + (x|h))", "y ~ (1 | g) + (x | h)"),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    parsed = parse(text)
    assert parsed.text == str(parsed) == canonical
    assert parse(canonical).text == canonical
    assert parse(canonical).fixed_terms == parsed.fixed_terms


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("(1 | g)", [("g",)]),
        ("(1 | a:b)", [("a", "b")]),
        ("(1 | a & b)", [("a", "b")]),
        ("(1 | (a:b))", [("a", "b")]),
        ("(1 | a/b)", [("a", "b"), ("a",)]),
        ("(1 | a/b/c)", [("a", "b", "c"), ("a", "b"), ("a",)]),
        ("(1 | a/(b:c))", [("a", "b", "c"), ("a",)]),
        ("(1 | factor(g))", [("factor(g)",)]),
        ("(1 | `a b`:g)", [("`a b`", "g")]),
        ("(x | g) + (0 + z | g)", [("g",), ("g",)]),
    ],
)
def test_grouping(text: str, groups: list[tuple[str, ...]]) -> None:
    assert [spec.group for spec in parse(f"y ~ x + {text}").random] == groups


def test_nested_terms_have_texts_of_their_own() -> None:
    assert [spec.text for spec in parse("y ~ (x || a/b)").random] == ["(x || a:b)", "(x || a)"]
    assert all(spec.uncorrelated for spec in parse("y ~ (x || a/b)").random)


def test_parts() -> None:
    parsed = parse("log(y) ~ x + offset(log(n)) + offset(z) + (1 + x | g)")
    assert parsed.response == "log(y)"
    assert parsed.fixed == "x"
    assert parsed.offsets == ("log(n)", "z")
    assert parsed.random[0].lhs == "1 + x"
    assert parsed.variables == ("y", "x", "n", "z", "g")


def test_left_side_of_a_bar_has_an_intercept_unless_taken_out() -> None:
    def count(text: str) -> int:
        return len(parse(f"y ~ {text}").random[0].terms.terms)

    assert count("(x | g)") == 2
    assert [count("(0 + x | g)"), count("(x - 1 | g)"), count("(-1 + x | g)")] == [1, 1, 1]


def test_dot_is_every_column_without_another_role() -> None:
    columns = ("y", "x", "z", "g", "w", "n")
    parsed = parse_formula("y ~ . + offset(n) + (1 | g)", columns, used=("w",))
    assert parsed.text == "y ~ x + z + offset(n) + (1 | g)"
    squared = parse_formula("y ~ .^2 - z + (1 | g)", ("y", "x", "z", "g"))
    assert squared.fixed_terms.terms == ((), (0,), (0, 1))
    with pytest.raises(ValueError, match="means no column"):
        parse_formula("y ~ . + (1 | g)", ("y", "g"))


def test_column_names_win_over_dots_and_flags() -> None:
    parsed = parse_formula("y ~ I(T + np.log) + (1 | g)", ("y", "T", "np.log", "g"))
    assert parsed.variables == ("y", "T", "np.log", "g")


def test_cbind_is_read_for_binomial_models() -> None:
    parsed = parse("cbind(a, n - a) ~ x + (1 | g)")
    assert parsed.response == "cbind(a, n - a)"
    assert parsed.variables[:2] == ("a", "n")


def test_one_sided_and_fixed_only_formulas_on_request() -> None:
    assert parse("~ (1 | g)", need_response=False).text == "~ (1 | g)"
    assert parse("y ~ x", need_random=False).random == ()


def test_own_functions_are_known_by_name() -> None:
    parsed = parse_formula("y ~ twice(x, k=2) + (1 | g)", ("y", "x", "g"), {"twice": lambda x, k: k * x})
    assert parsed.text == "y ~ twice(x, k=2) + (1 | g)"


def test_parsed_formulas_are_cached_and_picklable() -> None:
    parsed = parse("y ~ ns(x, 3) + C(f, sum) + (x | a/b)")
    assert parse("y ~ ns(x, 3) + C(f, sum) + (x | a/b)") is parsed
    assert pickle.loads(pickle.dumps(parsed)) == parsed


def test_a_missing_column_is_a_key_error_with_a_hint() -> None:
    with pytest.raises(MissingColumnError, match=r"did you mean total\.fruits") as caught:
        parse("y ~ totalfruits + (1 | g)")
    assert isinstance(caught.value, KeyError)
    assert str(caught.value).endswith("^")
