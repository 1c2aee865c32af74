"""Docstrings of functions with arguments have the sections that readers look for."""

from __future__ import annotations

import inspect

import pytest

import mixedmodels as mm
from mixedmodels.means.estimates import Emmeans
from mixedmodels.render.result_table import ResultTable

DOCUMENTED = [
    mm.contrast,
    mm.pairs,
    mm.omega_squared,
    mm.epsilon_squared,
    mm.allFit,
    Emmeans.pairs,
    Emmeans.contrast,
    Emmeans.eff_size,
    ResultTable.to_html,
    ResultTable.to_latex,
    ResultTable.to_markdown,
    ResultTable.to_text,
    mm.LinearMixedModel.allFit,
    mm.LinearMixedModel.refit,
    mm.LinearMixedModel.update,
    mm.GeneralizedLinearMixedModel.allFit,
    mm.GeneralizedLinearMixedModel.refit,
    mm.GeneralizedLinearMixedModel.update,
]


@pytest.mark.parametrize("function", DOCUMENTED, ids=lambda f: f.__qualname__)
def test_sections(function):
    text = inspect.getdoc(function) or ""
    for section in ("Parameters", "Returns", "Raises"):
        assert f"\n{section}\n{'-' * len(section)}\n" in text, section
    documented = text.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    for name, parameter in inspect.signature(function).parameters.items():
        if name != "self" and parameter.kind is not parameter.VAR_KEYWORD:
            assert name in documented, name


@pytest.mark.parametrize("name", ["pairs", "contrast"])
def test_functions_have_the_options_of_the_methods(name):
    method = inspect.signature(getattr(Emmeans, name)).parameters
    function = inspect.signature(getattr(mm, name)).parameters
    assert list(function)[1:] == list(method)[1:]
