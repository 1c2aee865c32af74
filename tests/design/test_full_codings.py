"""fulldummy(): all levels of a factor, whatever else a random-effects term contains."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from design.building import build_design
from mixedmodels import lmer
from mixedmodels.errors import FormulaError, FormulaWarning, NewLevelsError

N = 48
RNG = np.random.default_rng(4)
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=N),
        "f": pd.Categorical(np.array(["lo", "mid", "hi"])[np.arange(N) % 3], ["lo", "mid", "hi", "unused"]),
        "h": np.array(["u", "v"])[np.arange(N) // 3 % 2],
        "x": RNG.normal(size=N),
        "number": np.arange(N) % 3,
        "two words": np.array(["p", "q"])[np.arange(N) % 2],
        "g": np.repeat(list("abcdefgh"), 6),
    }
)
INDICATORS = {f"f[{level}]": np.asarray(DATA["f"] == level, dtype=float) for level in ("lo", "mid", "hi")}


def term(left: str, **options):
    (found,) = build_design(f"y ~ x + ({left} | g)", DATA, **options).terms
    return dict(zip(found.names, found.z.T, strict=True))


def test_an_intercept_takes_no_level_away():
    columns = term("1 + fulldummy(f)")
    assert list(columns) == ["(Intercept)", *INDICATORS]
    for name, values in INDICATORS.items():
        np.testing.assert_array_equal(columns[name], values)
    assert list(term("0 + fulldummy(f)")) == list(INDICATORS)


@pytest.mark.parametrize("contrasts", ["sum", {"f": "helmert"}, {"fixed": {"f": "sum"}}])
def test_contrasts_do_not_matter(contrasts):
    (found,) = build_design("y ~ f + (1 + fulldummy(f) | g)", DATA, contrasts=contrasts).terms
    assert found.names == ("(Intercept)", *INDICATORS)


@pytest.mark.parametrize(
    ("left", "names"),
    [
        # In products it is like a number: its partner is coded by contrasts beside it, else by all levels.
        ("fulldummy(h) * x", ["(Intercept)", "h[u]", "h[v]", "x", "h[u]:x", "h[v]:x"]),
        ("1 + fulldummy(h):x", ["(Intercept)", "h[u]:x", "h[v]:x"]),
        ("x + x:fulldummy(h)", ["(Intercept)", "x", "x:h[u]", "x:h[v]"]),
        ("0 + fulldummy(h)/f", ["h[u]", "h[v]", *(f"h[{a}]:f[T.{b}]" for b in ("mid", "hi") for a in "uv")]),
        ("0 + fulldummy(h):f", [f"h[{a}]:f[{b}]" for b in ("lo", "mid", "hi") for a in "uv"]),
        (
            "fulldummy(relevel(f, 'hi'))",
            ["(Intercept)", *(f'relevel(f, "hi")[{b}]' for b in ("hi", "lo", "mid"))],
        ),
        ("fulldummy(C(h, sum))", ["(Intercept)", "C(h, sum)[u]", "C(h, sum)[v]"]),
        ("fulldummy(number)", ["(Intercept)", "number[0]", "number[1]", "number[2]"]),
        ("fulldummy(`two words`)", ["(Intercept)", "two words[p]", "two words[q]"]),
    ],
)
def test_columns(left, names):
    assert list(term(left)) == names


def test_products_have_the_values_of_their_factors():
    columns = term("1 + fulldummy(f):x")
    for name, values in INDICATORS.items():
        np.testing.assert_array_equal(columns[f"{name}:x"], values * DATA["x"])


def test_structures_take_the_levels_as_their_order():
    columns = build_design("y ~ f + ar1(0 + fulldummy(f) | g)", DATA)
    assert columns.terms[0].names == tuple(INDICATORS)
    assert columns.terms[0].covariance == "ar1"
    both = build_design("y ~ f + cs(1 + fulldummy(f) | g)", DATA).terms[0]
    assert (both.covariance, len(both.names)) == ("cs", 4)


def test_independent_levels_are_what_the_call_says():
    """The double bar with a factor warns, as lme4 does something else there; with fulldummy() it need not."""
    assert build_design("y ~ x + (1 + fulldummy(f) || g)", DATA).terms[0].covariance == "diag"
    with pytest.warns(FormulaWarning, match="double bar"):
        build_design("y ~ x + (1 + f || g)", DATA)


def test_new_data_and_pickles():
    with pytest.warns(match="."):
        model = lmer("y ~ f + zerocorr(1 + fulldummy(h) | g)", DATA)
    for copy in (model, pickle.loads(pickle.dumps(model))):
        np.testing.assert_allclose(copy.predict(DATA.iloc[7:9]), model.fitted()[7:9])
        with pytest.raises(NewLevelsError, match="h"):
            copy.predict(DATA.iloc[:2].assign(h="w"))
    pair = ["h[u]", "h[v]"]
    only = model.predict(DATA, re_form="~ diag(0 + fulldummy(h) | g)")
    modes = model.ranef()["g"].loc[DATA["g"], pair].to_numpy()
    chosen = np.where(DATA["h"] == "u", modes[:, 0], modes[:, 1])
    np.testing.assert_allclose(only, model.predict(DATA, re_form="~0") + chosen)


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ fulldummy(f) + (1 | g)",
        "y ~ x:fulldummy(f) + (1 | g)",
        "fulldummy(y) ~ x + (1 | g)",
        "y ~ x + offset(fulldummy(f)) + (1 | g)",
        "y ~ x + (1 | fulldummy(g))",
        "y ~ x + (1 + factor(fulldummy(f)) | g)",
        "y ~ x + (1 + (fulldummy(f) == 'lo') | g)",
    ],
)
def test_elsewhere_it_is_refused(formula):
    with pytest.raises(FormulaError):
        build_design(formula, DATA)


def test_the_message_says_where_it_belongs():
    with pytest.raises(FormulaError, match=r"is a term of random effects.*\(1 \+ fulldummy\(f\) \| group\)"):
        build_design("y ~ fulldummy(f) + (1 | g)", DATA)
