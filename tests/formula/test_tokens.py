"""Tokens and products of terms against formulaic's tokenizer and algebra."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence

import pytest
from formulaic.errors import FormulaicError
from formulaic.parser.algos.tokenize import tokenize as by_formulaic
from hypothesis import assume, given, strategies as st

from mixedmodels.errors import FormulaError
from mixedmodels.formula.formulaic_compat import expand
from mixedmodels.formula.term_list import multiply_out
from mixedmodels.formula.tokens import Token, tokenize

_QUOTED = re.compile(r"""`[^`]+`|"[^"]*"|'[^']*'""")

pieces = st.sampled_from(
    [
        *"yxzfg01259.+-*/:^|~()[]{},=<>!&`'\"%@$;#\n ",
        *("**", "||", "%in%", "% in %", "log(", "I(", "poly(x, 2)", "factor(", "C(f,", "offset(", "`a b`"),
        *("np.", "x", "g", " | g)", "(1 | g)", "y ~ ", "é", "__", "not ", " in ", "1e9", "c(", "TRUE", "1.5"),
        *("ar1(0 + t | g)", "f('a)')", 'f("(")', "`(`", "f(`)`)", "f(x)[1]", "f(x)(z)"),
    ]
)


def reference(source: str) -> list[Token] | None:
    """What formulaic's tokenizer finds, in single operators; None for what no formula can have."""
    try:
        # Quoted text is data: nothing inside it counts.
        hidden = _QUOTED.sub(lambda m: m[0][0] + "_" * (len(m[0]) - 2) + m[0][0], source)
        rest = re.sub(f"{_QUOTED.pattern}|%[^%]+%", "q", source)
        if set(rest) & set("\"'`"):
            # Empty names, and quotes that are not closed inside a call, are nothing or text to formulaic.
            return None
        raw = list(by_formulaic(hidden))
    except FormulaicError:
        return None
    found: list[Token] = []
    for token in raw:
        assert token.kind is not None
        start = token.source_start or 0
        end = (token.source_end if token.source_end is not None else start) + 1
        kind, text = token.kind.value, token.token
        if source[start] in "{%\"'[]":
            if source[start] != "%" or text.strip() != "in":
                return None
            end = source.index("%", start + 1) + 1
            found.append(Token("operator", "in", start, end))
        elif kind == "operator":
            for match in re.finditer(r"\*\*|\|\||\S", source[start:end]):
                if match[0] not in ("**", "||", *"~+-*/:^|"):
                    return None
                found.append(Token("operator", match[0], start + match.start(), start + match.end()))
        elif source[start] == "`":
            end = source.index("`", start + 1) + 1
            found.append(Token("name", source[start + 1 : end - 1], start, end))
        elif text == ".":
            found.append(Token("operator", ".", start, end))
        else:
            kind = {"python": "call", "context": "bracket"}.get(kind, kind)
            found.append(Token(kind, source[start:end], start, end))
    return found


def ours(source: str) -> list[Token] | None:
    try:
        return tokenize(source)
    except FormulaError:
        return None


@given(st.lists(pieces, max_size=25).map("".join))
def test_tokens_are_those_of_formulaic(source: str) -> None:
    # formulaic passes over an operator without a name.
    assume("%%" not in source)
    assert ours(source) == reference(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x + f(a, (b)", r"parenthesis '\(' is not closed"),
        ("x + f(a, [b)", r"bracket '\[' is not closed"),
        ("x + `a", "quote ` is not closed"),
        ("f('a)", "quote ' is not closed"),
        ("x + ``", "quotes are empty"),
        ("x + 'a'", "quoted text is not allowed"),
        ("{x}", "braces"),
        ("x + [1]", "square brackets"),
        ("a %o% b", "no operator '%o%'"),
        ("a % b", "'%' is not an operator"),
    ],
)
def test_what_is_no_token_is_shown(source: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message) as caught:
        tokenize(source)
    assert "^" in str(caught.value).splitlines()[-1]


@pytest.mark.parametrize("first", range(9))
def test_a_part_has_places_of_the_whole(first: int) -> None:
    source = "a + b + (1 | g)"
    assert tokenize(source, first) == [token for token in tokenize(source) if token.start >= first]
    assert tokenize(source, 0, first) == tokenize(source[:first])


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_a_product_of_variables_is_that_of_formulaic(variables: Sequence[int]) -> None:
    written = ":".join(f"v{i}" for i in variables).replace(":", " : ").split()
    assert multiply_out(written, "", 0) == expand(written, "", 0)


def test_a_plain_model_needs_no_formulaic() -> None:
    # Its import takes longer than such a fit, and brings scipy and narwhals.
    code = (
        "import sys; from mixedmodels import lmer, load_sleepstudy\n"
        "lmer('log(Reaction) ~ Days + (1 + Days | Subject)', load_sleepstudy())\n"
        "print(sorted({'formulaic', 'scipy', 'narwhals', 'matplotlib', 'statsmodels'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
