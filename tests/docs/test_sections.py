"""Docstrings have the sections that readers look for, and functions those of the methods of the same name."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from docstrings import RESULTS, Documented, classes, documented, sections_of

import mixedmodels as mm

ITEMS = {item.name: item for item in documented()}
# It also takes a formula and data.
OF_ITS_OWN = {"describe_blocks", "power", "power_curve"}
# As a function it is `plot_diagnostics`: `mixedmodels.plot` are the modules that draw.
METHODS_ONLY = {"plot"}


@pytest.mark.parametrize("name", sorted(ITEMS))
def test_a_docstring_is_complete(name):
    assert not ITEMS[name].faults()


@pytest.mark.parametrize("name", RESULTS)
def test_what_functions_return_is_exported(name):
    assert name in mm.__all__


def twins() -> dict[str, tuple[Any, Any]]:
    """Functions of the package that take a model or marginal means, with the method of the same name."""
    models = [owner for name, owner in classes().items() if name.endswith("MixedModel")]
    owners = {"model": models, "full": models, "means": [classes()["Emmeans"]]}
    found = {}
    for name in sorted(set(mm.__all__) - OF_ITS_OWN):
        function = getattr(mm, name)
        first = next(iter(inspect.signature(function).parameters), "") if inspect.isfunction(function) else ""
        for owner in owners.get(first, []):
            method = getattr(owner, name, None)
            if inspect.isfunction(method):
                found[f"{owner.__name__}.{name}"] = function, method
    return found


TWINS = twins()


@pytest.mark.parametrize("name", sorted(TWINS))
def test_a_function_is_like_its_method(name):
    function, method = TWINS[name]
    ours, theirs = (list(inspect.signature(one).parameters.values())[1:] for one in TWINS[name])
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]
    assert [p.annotation for p in ours] == [p.annotation for p in theirs]
    ours, theirs = (inspect.signature(one) for one in TWINS[name])
    assert ours.return_annotation == theirs.return_annotation
    assert next(iter(ours.parameters.values())).kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert function.__name__ == method.__name__
    ours, theirs = (sections_of(inspect.getdoc(one) or "") for one in (function, method))
    # The function describes one parameter more: the model.
    parameters = theirs.pop("Parameters", "").strip()
    assert ours.pop("Parameters", "").strip().endswith(parameters)
    assert {heading: text.strip() for heading, text in ours.items()} == {
        heading: text.strip() for heading, text in theirs.items()
    }


def test_every_method_is_a_function_and_every_function_a_method():
    members = {name: getattr(mm.MixedModel, name) for name in dir(mm.MixedModel) if name[0] != "_"}
    methods = {name for name, member in members.items() if inspect.isfunction(member)}
    functions = {name: getattr(mm, name) for name in mm.__all__ if inspect.isfunction(getattr(mm, name))}
    of_models = {
        n for n, one in functions.items() if {"model", "full"} & {*inspect.signature(one).parameters}
    }
    assert methods - METHODS_ONLY <= set(functions)
    # Plain facts are attributes of the model: `model.sigma`, `sigma(model)`.
    assert of_models <= set(members)


def test_faults_are_found():
    def function(first: int, second: int = 2, fourth: int = 4, fifth: int = 5, sixth: int = 6):
        """
        Summary of it

        that is long.

        Parameters
        ----------
        third : int
        first
            Without a type.
        fourth : int, default 3
            Another default.
        fifth : int
            Without one.
        sixth : int, optional

        Raises
        ------
        NoSuchError
        """

    assert Documented("function", function).faults() == [
        "the summary is no sentence",
        "parameter second is not described",
        "describes third, which is no parameter",
        "parameter first has no type",
        "parameter third has no description",
        "parameter sixth has no description",
        "the default of fifth is not stated",
        "the default of fourth is 4",
        "the type of the result is not annotated",
        "no Returns",
        "unknown exception NoSuchError",
        "no Examples",
    ]
