"""Whatever is no formula, or asks for more than a formula may, is refused with the place and the reason."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, strategies as st

from mixedmodels.errors import FormulaError, MissingColumnError, MixedModelError
from mixedmodels.formula import parse_formula
from search_depth import examples

COLUMNS = ("y", "x", "z", "f", "g", "a b", "xcov")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("y", "no '~'"),
        ("y x", "no '~'"),
        ("~ x + (1 | g)", "no response"),
        ("y ~", "nothing after"),
        ("y ~ x ~ z", "more than one '~'"),
        ("y ~ x", "ordinary regression"),
        ("y ~ (1 |)", "nothing after the bar"),
        ("y ~ (| g)", "nothing before the bar"),
        ("y ~ (|)", "nothing before"),
        ("y ~ ()", "parentheses are empty"),
        ("y ~ x + (1 | g", "not closed"),
        ("y ~ x + 1 | g)", "no opening"),
        ("y ~ log(x + (1 | g)", "not closed"),
        ("y ~ `x + (1 | g)", "not closed"),
        ("y ~ x | g", "parentheses"),
        ("y ~ x:(1 | g)", "parentheses"),
        ("y ~ (1 | g)^2", "parentheses"),
        ("y ~ x - (1 | g)", "cannot be subtracted"),
        ("y ~ (1 | g | f)", "one bar"),
        ("y ~ ((1 | g) | f)", "parentheses"),
        ("y ~ log((1 | g))", "cannot appear inside a call"),
        ("y ~ x + (1 | f + g)", "one grouping factor"),
        ("y ~ x + (1 | f * g)", "not allowed in a grouping factor"),
        ("y ~ x + (1 | 1)", "cannot be a grouping factor"),
        ("y ~ x + (0 | g)", "has no columns"),
        ("y ~ x + (. | g)", "fixed part only"),
        ("y ~ x + + (1 | g) +", "a term is missing at the end"),
        ("y ~ x z + (1 | g)", "missing"),
        ("y ~ x * + (1 | g)", "missing"),
        ("y ~ 2 + (1 | g)", "cannot be a term"),
        ("y ~ 2*x + (1 | g)", "write I"),
        ("y ~ 1/x + (1 | g)", r"does not divide.*write I"),
        ("y ~ x/2 + (1 | g)", r"does not divide.*write I"),
        ("y ~ (1 | g) + (x/1 | g)", r"does not divide.*write I"),
        ("y ~ x^z + (1 | g)", "power"),
        ("y ~ (x + z)^0 + (1 | g)", "power"),
        ("y ~ (x + z)^1.5 + (1 | g)", "power"),
        ("y ~ 'x' + (1 | g)", "text"),
        ("y ~ x %% z + (1 | g)", "no operator"),
        ("y ~ x & + (1 | g)", "operator or a variable is missing"),
        ("y ~ log (x) + (1 | g)", "without a space"),
        ("y ~ floog(x) + (1 | g)", "formulas have no function"),
        ("y ~ lg(x) + (1 | g)", "did you mean"),
        ("y ~ log() + (1 | g)", "needs an argument"),
        ("y ~ log(x, 2, 3) + (1 | g)", "at most 2"),
        ("y ~ scale(x, nonsense=1) + (1 | g)", "no option 'nonsense'"),
        ("y ~ ns(x, df=z) + (1 | g)", "must be a constant"),
        ("y ~ ns(x, 3, df=3) + (1 | g)", "twice"),
        ("y ~ C(f, fancy) + (1 | g)", "codings"),
        ("y ~ x:offset(z) + (1 | g)", "as a whole"),
        ("y ~ x - offset(z) + (1 | g)", "only be added to the fixed part"),
        ("y ~ x + (offset(z) | g)", "only be added to the fixed part"),
        ("y ~ cbind(x, z) + (1 | g)", "response"),
        ("log(cbind(y, x)) ~ z + (1 | g)", "inside another"),
        ("y ~ I(x = 2) + (1 | g)", "no option|=="),
        ("y ~ I(x^1e9) + (1 | g)", "exponents above"),
    ],
)
def test_bad_formulas(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        parse_formula(text, COLUMNS)


def test_the_place_is_shown() -> None:
    with pytest.raises(FormulaError) as caught:
        parse_formula("y ~ x + floog(z) + (1 | g)", COLUMNS)
    line, caret = str(caught.value).splitlines()[1:]
    assert line[caret.index("^") :].startswith("floog(z)")


def test_a_long_formula_is_cut_around_the_place() -> None:
    text = "y ~ " + " + ".join(["x"] * 200) + " + nothere + (1 | g)"
    with pytest.raises(MissingColumnError) as caught:
        parse_formula(text, COLUMNS)
    line, caret = str(caught.value).splitlines()[1:]
    assert line[caret.index("^") :].startswith("nothere")
    assert len(line) < 90


@pytest.mark.parametrize("thing", [None, 3, b"y ~ x", ["y ~ x"]])
def test_a_formula_is_text(thing: object) -> None:
    with pytest.raises(FormulaError, match="must be text"):
        parse_formula(thing, COLUMNS)  # type: ignore[arg-type]


ATTACKS = [
    "__import__('os').system('true')",
    "open('attack', 'w')",
    "eval('1')",
    "exec('1')",
    "exit()",
    "getattr(x, 'tofile')",
    "np.ones(1).tofile('attack')",
    "np.load('attack')",
    "np.fromfile('attack')",
    "np.lib.npyio.load(x)",
    "np.__loader__(x)",
    "xcov.to_csv('attack')",
    "xcov.values",
    "x.__class__",
    "x.__class__.__mro__",
    "(x).__class__",
    "x[0]",
    "x['a']",
    "[i for i in x]",
    "{x: 1}",
    "{x + 1}",
    "lambda: 1",
    "(lambda: 1)()",
    "f'{x}'",
    "print(x)",
    "log(x)(z)",
    "log(*x)",
    "log(**x)",
    "log(x, out=z)",
    "np.log(x, out=z)",
    "x if z else y",
    "x := 3",
    "x; z",
    "x @ z",
    "x // z",
    "log(x).tofile('a')",
    "`__import__('os')`",
    "globals()",
    "system('true')",
    "\\x",
    "x\x00z",
]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "place", ["y ~ {} + (1 | g)", "y ~ I({}) + (1 | g)", "y ~ ({} | g)", "y ~ (1 | {})", "{} ~ (1 | g)"]
)
def test_arbitrary_code_is_refused(attack: str, place: str) -> None:
    with pytest.raises((FormulaError, MissingColumnError)):
        parse_formula(place.format(attack), COLUMNS)


V = [f"v{i}" for i in range(12_000)]


@pytest.mark.parametrize(
    "text",
    [
        "(" + " + ".join(V[:10]) + ")^10",
        "(" + " + ".join(V[:900]) + ")^2",
        "*".join(V[:40]),
        "(" + " + ".join(V) + "):v0",
        ":".join(V[:9000]),
        "(" * 60_000,
        "I(" + "(" * 50_000 + ")",
        "I(" + "-" * 90_000 + "v0)",
        "I(" + "+".join(V[:9000]) + ")",
        "I(v0^9^9^9)",
        "I(9**9**9**9)",
        "v0^" + "9" * 50_000,
        "v0 + " * 30_000 + "v0",
    ],
)
def test_monstrous_formulas_end_quickly(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(FormulaError):
        parse_formula(f"v0 ~ (1 | v1) + {text}", V)
    assert time.perf_counter() - start < 20


def test_many_plain_terms_are_fine() -> None:
    parsed = parse_formula("v0 ~ " + " + ".join(V[1:8000]) + " + (1 | v9000)", V)
    assert len(parsed.fixed_terms.terms) == 8000


_pieces = st.sampled_from(
    [
        *"yxzfg01259.+-*/:^|~()[]{},=<>!&`'\"%@$\\;#\n ",
        *("**", "||", "%in%", "log(", "I(", "poly(x, 2)", "factor(", "C(f,", "offset(", "`a b`", "np."),
        *("x", "g", " | g)", "(1 | g)", "y ~ ", "é", "__", "not ", " in ", "1e9", "c(", "TRUE"),
    ]
)


@examples(500)
@given(st.lists(_pieces, max_size=25).map("".join))
def test_random_text_gives_a_formula_or_our_own_error(text: str) -> None:
    for whole in (text, f"y ~ {text} + (1 | g)", f"y ~ ({text} | g)"):
        try:
            parsed = parse_formula(whole, COLUMNS)
        except MixedModelError:
            continue
        assert parse_formula(parsed.text, COLUMNS).text == parsed.text


@examples(200)
@given(st.text(max_size=40))
def test_any_characters_give_a_formula_or_our_own_error(text: str) -> None:
    for whole in (text, f"y ~ {text} + (1 | g)"):
        with contextlib.suppress(MixedModelError):
            parse_formula(whole, COLUMNS)


@examples(200)
@given(st.text(st.characters(exclude_characters="`"), min_size=1, max_size=20))
def test_any_name_works_in_backticks(name: str) -> None:
    columns = ("y", "g", name)
    if name in ("y", "g"):
        return
    parsed = parse_formula(f"y ~ `{name}` + I(`{name}` * 2) + (1 | g)", columns)
    assert parsed.variables == ("y", name, "g")
