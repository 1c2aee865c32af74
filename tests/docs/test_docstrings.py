"""Every example in a docstring runs; every public name has one."""

import doctest
import importlib
import inspect
import pkgutil
import sys

import pytest

import mixedmodels

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(mixedmodels.__path__, "mixedmodels.")
    if not module.name.endswith(("._engine", ".__main__"))
)


class Finder(doctest.DocTestFinder):
    """Finds the examples of decorated functions, too."""

    def _from_module(self, module, object):
        return super()._from_module(module, inspect.unwrap(object) if callable(object) else object)


def examples(name):
    return Finder(exclude_empty=True).find(importlib.import_module(name))


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_the_examples_of_a_module_run(name):
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    try:
        for found in examples(name):
            runner.run(found)
    finally:
        # Figures of all examples together are more than Matplotlib keeps open without a warning.
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
    assert runner.failures == 0


def test_examples_of_decorated_functions_are_found():
    assert "mixedmodels.models.lmer.lmer" in [found.name for found in examples("mixedmodels.models.lmer")]


@pytest.mark.parametrize("name", sorted(mixedmodels.__all__))
def test_a_public_name_is_documented(name):
    value = getattr(mixedmodels, name)
    assert inspect.getdoc(value) or not callable(value)
