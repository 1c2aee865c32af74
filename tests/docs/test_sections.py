"""Docstrings have the sections that readers look for, and functions those of the methods of the same name."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from docstrings import RESULTS, classes, documented, sections_of

import mixedmodels as mm

# Work lists, which only get shorter: a name whose docstring is complete must leave its list.
NOT_YET: tuple[str, ...] = (
    "Control",
    "Control.for_engine",
    "fit_many",
)
NOT_EXPORTED: tuple[str, ...] = ()
NOT_ALIKE: tuple[str, ...] = ()
ITEMS = {item.name: item for item in documented()}
# It also takes a formula and data.
OF_ITS_OWN = {"describe_blocks"}


def later(names: Any, unfinished: tuple[str, ...]) -> list[Any]:
    """The names as parameters, of which the unfinished must fail."""
    must_fail = pytest.mark.xfail(strict=True, reason="not yet")
    return [pytest.param(name, marks=[must_fail] if name in unfinished else []) for name in sorted(names)]


def listed(*lists: tuple[str, ...]) -> list[str]:
    return [name for names in lists for name in names]


@pytest.mark.parametrize("name", later(ITEMS, NOT_YET))
def test_a_docstring_is_complete(name):
    assert not ITEMS[name].faults()


@pytest.mark.parametrize("name", later(RESULTS, NOT_EXPORTED))
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


@pytest.mark.parametrize("name", later(TWINS, NOT_ALIKE))
def test_a_function_is_like_its_method(name):
    function, method = TWINS[name]
    ours, theirs = (list(inspect.signature(one).parameters.values())[1:] for one in TWINS[name])
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]
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
    assert methods <= set(functions)
    # Plain facts are attributes of the model: `model.sigma`, `sigma(model)`.
    assert of_models <= set(members)


def test_the_work_lists_name_what_there_is():
    known = {*ITEMS, *RESULTS, *TWINS}
    assert not [name for name in listed(NOT_YET, NOT_EXPORTED, NOT_ALIKE) if name not in known]
