"""What is not available yet is refused by name, and listed in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mixedmodels as mm
from mixedmodels import not_here
from mixedmodels.errors import ArgumentError, FormulaError, MixedModelError, NotAvailableError
from shared_fits import fits

SLEEP = mm.load_sleepstudy()
LINEAR = fits("sleepstudy", "Reaction ~ Days + (1 | Subject)")
COUNTS = fits("epil", "y ~ trt + (1 | subject)", "poisson")
PAGE = (Path(__file__).parents[2] / "docs" / "not-here-yet.md").read_text(encoding="utf-8")


def refused(call, feature, name):
    with pytest.raises(NotAvailableError, match=f"^not available yet: {re.escape(feature)}") as caught:
        call()
    error = caught.value
    assert name in str(error)
    assert error.feature == feature
    assert error.instead in str(error)
    # Whoever catches what it used to be still does.
    for kind in (ArgumentError, FormulaError, MixedModelError, NotImplementedError, ValueError):
        assert isinstance(error, kind)


@pytest.mark.parametrize("name", not_here.COVARIANCES)
def test_covariance_structures(name):
    feature = not_here.COVARIANCES[name].feature
    for term in (f"{name}(1 | Subject)", f"{name}(Days | Subject)", f"{name}(0 + factor(Days) | Subject)"):
        refused(lambda t=term: mm.lmer(f"Reaction ~ Days + {t}", SLEEP), feature, f"{name}()")
        refused(lambda t=term: mm.glmer(f"Reaction ~ Days + {t}", SLEEP, "gamma"), feature, f"{name}()")
    refused(lambda: LINEAR.update(f". ~ . + {name}(Days | Subject)"), feature, f"{name}()")


@pytest.mark.parametrize("name", not_here.SMOOTHS)
def test_smooths(name):
    feature = not_here.SMOOTHS[name].feature
    refused(lambda: mm.lmer(f"Reaction ~ {name}(Days) + (1 | Subject)", SLEEP), feature, f"{name}()")
    own = mm.lmer(f"Reaction ~ {name}(Days) + (1 | Subject)", SLEEP, functions={name: lambda x: x})
    assert own.objective == pytest.approx(LINEAR.objective)


@pytest.mark.parametrize("name", not_here.GLMER_ARGUMENTS)
def test_arguments_of_fits(name):
    feature, given = not_here.ARGUMENTS[name].feature, {name: "~ 1"}
    refused(
        lambda: mm.glmer("y ~ trt + (1 | subject)", mm.load_epil(), "poisson", **given), feature, f"{name}="
    )
    refused(lambda: COUNTS.update(**given), feature, f"{name}=")
    refused(lambda: mm.update(COUNTS, **given), feature, f"{name}=")


@pytest.mark.parametrize("name", not_here.FIT_ARGUMENTS)
def test_arguments_of_linear_fits(name):
    feature, given = not_here.ARGUMENTS[name].feature, {name: "~ 1"}
    refused(lambda: mm.lmer("Reaction ~ Days + (1 | Subject)", SLEEP, **given), feature, f"{name}=")
    refused(lambda: LINEAR.update(**given), feature, f"{name}=")
    refused(lambda: mm.fit_many("~ Days + (1 | Subject)", SLEEP, "Reaction", **given), feature, f"{name}=")


@pytest.mark.parametrize("name", not_here.PREDICT_ARGUMENTS)
def test_arguments_of_predictions(name):
    feature, given = not_here.ARGUMENTS[name].feature, {name: True}
    for model in (LINEAR, COUNTS):
        refused(lambda model=model: model.predict(**given), feature, f"{name}=")
        refused(lambda model=model: mm.predict(model, **given), feature, f"{name}=")


@pytest.mark.parametrize("name", not_here.ARGUMENTS)
def test_functions_that_never_have_the_argument_say_so(name):
    for function in (mm.fixef, mm.ranova, mm.vif):
        with pytest.raises(mm.UnknownArgumentError, match=f"has no argument '{name}'"):
            function(LINEAR, **{name: True})


def test_unknown_arguments_are_still_errors():
    with pytest.raises(TypeError, match="no_such_argument"):
        mm.lmer("Reaction ~ Days + (1 | Subject)", SLEEP, no_such_argument=1)


@pytest.mark.parametrize("name", not_here.FAMILIES)
def test_families(name):
    feature = not_here.FAMILIES[name].feature
    for spelling in (name, name.upper(), f"{name[:1]}-{name[1:]}"):
        refused(
            lambda s=spelling: mm.glmer("Reaction ~ Days + (1 | Subject)", SLEEP, s),
            feature,
            f"family={spelling!r}",
        )


@pytest.mark.parametrize("name", not_here.FUNCTIONS)
def test_functions(name):
    with pytest.raises(AttributeError, match="not available yet: ") as caught:
        getattr(mm, name)
    assert not_here.FUNCTIONS[name].instead in str(caught.value)
    assert not hasattr(mm, name)


@pytest.mark.parametrize(
    ("name", "model"),
    [(name, model) for model in (LINEAR, COUNTS) for name in not_here.FUNCTIONS if name not in dir(model)],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_functions_looked_for_as_methods(name, model):
    with pytest.raises(AttributeError, match=f"no attribute {name!r}; not available yet: ") as caught:
        getattr(model, name)
    assert not_here.FUNCTIONS[name].instead in str(caught.value)
    with pytest.raises(AttributeError, match=r"no attribute 'nonsense'$"):
        _ = model.nonsense


def test_no_name_is_both_here_and_not():
    from mixedmodels.families.lookup import spellings
    from mixedmodels.formula.function_table import FUNCTIONS

    assert not {*not_here.COVARIANCES, *not_here.SMOOTHS} & FUNCTIONS.keys()
    assert not not_here.FAMILIES.keys() & spellings().keys()
    assert not not_here.FUNCTIONS.keys() & set(mm.__all__)


@pytest.mark.parametrize(
    ("heading", "table"),
    [
        ("Covariance structures", not_here.COVARIANCES),
        ("Smooths", not_here.SMOOTHS),
        ("Arguments", not_here.ARGUMENTS),
        ("Families", not_here.FAMILIES),
        ("Functions", not_here.FUNCTIONS),
    ],
)
def test_the_page_lists_every_name(heading, table):
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    listed = [
        name
        for cell in re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", cell)
    ]
    assert sorted(listed) == sorted(table)
