"""Covariance structures in formulas: spellings, errors, and what is printed."""

import pytest

from mixedmodels.errors import FormulaError, MissingColumnError, NotAvailableError
from mixedmodels.formula import parse_formula
from mixedmodels.formula.change import update_formula

COLUMNS = ["y", "x", "f", "t", "g", "h", "a|b", "cs", "us"]


def parse(formula, **options):
    return parse_formula(formula, COLUMNS, **options)


@pytest.mark.parametrize(
    ("written", "structure", "text"),
    [
        ("(x | g)", "us", "(x | g)"),
        ("(x || g)", "diag", "(x || g)"),
        ("us(x|g)", "us", "us(x | g)"),
        ("diag(x | g)", "diag", "diag(x | g)"),
        ("cs( 0+f | g )", "cs", "cs(0 + f | g)"),
        ("cs(f + 0 | g)", "cs", "cs(f + 0 | g)"),
        ("cs(0 + f | g, hom = TRUE)", "homcs", "homcs(0 + f | g)"),
        ("cs(0 + f | g, hom=False)", "cs", "cs(0 + f | g)"),
        ("homcs(0 + f | g)", "homcs", "homcs(0 + f | g)"),
        ("diag(0 + f | g, hom=True)", "homdiag", "homdiag(0 + f | g)"),
        ("ar1(0 + f | g)", "ar1", "ar1(0 + f | g)"),
        ("ar1(0 + f | g, hom=TRUE)", "ar1", "ar1(0 + f | g)"),
        ("ar1(0 + f | g, hom=F)", "hetar1", "hetar1(0 + f | g)"),
        ("toep(0 + f | g, hom=T)", "homtoep", "homtoep(0 + f | g)"),
        ("ou(0 + numFactor(t) | g)", "ou", "ou(0 + numFactor(t) | g)"),
        ("exp(0 + numFactor(t) | g)", "ou", "ou(0 + numFactor(t) | g)"),
        ("cs (0 + f | g)", "cs", "cs(0 + f | g)"),
        ("cs(`a|b` | g)", "cs", "cs(`a|b` | g)"),
        ("cs(I(x > 1 | t > 2) | g)", "cs", "cs(I(x > 1 | t > 2) | g)"),
        ("cs(us | cs)", "cs", "cs(us | cs)"),
    ],
)
def test_spellings(written, structure, text):
    parsed = parse(f"y ~ x + {written}")
    (term,) = parsed.random
    assert (term.structure, term.text) == (structure, text)
    assert parsed.text == f"y ~ x + {text}"
    # What is printed is read as the same.
    again = parse(parsed.text)
    assert (again.text, again.random[0].structure) == (parsed.text, structure)


def test_nested_groups():
    parsed = parse("y ~ cs(0 + f | g/h) + ar1(0 + t | g:h)")
    assert [(t.structure, t.text) for t in parsed.random] == [
        ("cs", "cs(0 + f | g:h)"),
        ("cs", "cs(0 + f | g)"),
        ("ar1", "ar1(0 + t | g:h)"),
    ]
    assert parsed.text == "y ~ cs(0 + f | g/h) + ar1(0 + t | g:h)"


def test_terms_keep_their_own_structures():
    parsed = parse("y ~ x + (1 | g) + cs(0 + f | h) + (x || g) + toep(0 + f | g)")
    assert [t.structure for t in parsed.random] == ["us", "cs", "diag", "toep"]


def test_a_function_is_no_structure_without_a_bar():
    assert parse("y ~ exp(x) + (1 | g)").fixed == "exp(x)"
    assert parse("exp(y) ~ x + (1 | g)").response == "exp(y)"
    own = parse("y ~ cs(x, t) + (1 | g)", functions={"cs": max})
    assert own.fixed == "cs(x, t)"
    with pytest.raises(FormulaError, match=r"cs\(\) is a covariance structure .* needs a bar"):
        parse("y ~ cs(x) + (1 | g)")


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("arr1(0 + f | g)", "did you mean ar1 or hetar1.*Structures: us, diag, "),
        ("CS(f | g)", "did you mean cs"),
        ("foo(f | g)", "neither a covariance structure nor a function"),
        ("cs(f || g)", "takes a single bar"),
        ("cs(f | g | h)", "has one bar"),
        ("us(f | g, hom=TRUE)", "no form with hom=TRUE"),
        ("ou(f | g, hom=FALSE)", "no form with hom=FALSE"),
        ("homcs(f | g, hom=FALSE)", "no form with hom=FALSE"),
        ("cs(f | g, ho=TRUE)", "only option of cs\\(\\) is hom=TRUE or hom=FALSE"),
        ("cs(f | g, hom=1)", "only option of cs"),
        ("cs(f | g, hom=TRUE, hom=TRUE)", "only option of cs"),
        ("cs(f | g, )", "only option of cs"),
        ("cs(f |)", "nothing after the bar"),
        ("cs(| g)", "nothing before the bar"),
        ("cs(0 | g)", "has no columns"),
        ("cs(f | g):x", "in its own parentheses"),
        ("-cs(f | g)", "cannot be subtracted"),
        ("cs(cs(f | g) | h)", "needs a bar"),
        ("cs(f | g + h)", "one grouping factor"),
        ("cs(f[1] | g)", "square brackets|subscripts"),
        ("cs(lambda x: x | g)", "not allowed|not an operator|has no column"),
        ("cs(__import__('os').system('true') | g)", "no function|not allowed|is not"),
        ("__import__('os') (f | g)", "."),
    ],
)
def test_errors(term, message):
    with pytest.raises((FormulaError, MissingColumnError), match=message):
        parse(f"y ~ x + {term}")


def test_the_error_shows_the_place():
    with pytest.raises(MissingColumnError) as caught:
        parse("y ~ x + cs(0 + missing | g)")
    line, caret = str(caught.value).splitlines()[-2:]
    assert line[caret.index("^") :].startswith("missing")


@pytest.mark.parametrize("name", ["mat", "rr", "propto"])
def test_structures_of_other_packages(name):
    with pytest.raises(NotAvailableError, match=f"{name}\\(\\)"):
        parse(f"y ~ x + {name}(0 + f | g)")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (". ~ . + cs(0 + f | g)", "y ~ x + (1 | g) + ar1(0 + t | h) + cs(0 + f | g)"),
        (". ~ . - ar1(0 + t | h)", "y ~ x + (1 | g)"),
        (". ~ . - (1 | g)", "y ~ x + ar1(0 + t | h)"),
        (". ~ . - ar1(0+t|h) + toep(0 + t | h, hom=TRUE)", "y ~ x + (1 | g) + homtoep(0 + t | h)"),
        (". ~ . - x", "y ~ (1 | g) + ar1(0 + t | h)"),
    ],
)
def test_update(change, text):
    old = parse("y ~ x + (1 | g) + ar1(0 + t | h)")
    new = parse(update_formula(old, change, COLUMNS))
    assert new.text.replace("y ~ 1 + (", "y ~ (") == text


def test_update_of_a_term_that_is_not_there():
    old = parse("y ~ x + ar1(0 + t | h)")
    with pytest.raises(FormulaError, match="not a random-effects term of the model"):
        update_formula(old, ". ~ . - cs(0 + t | h)", COLUMNS)
