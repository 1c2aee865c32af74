"""Every example in a docstring runs; every public name has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import mixedmodels

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(mixedmodels.__path__, "mixedmodels.")
    if not module.name.endswith(("._engine", ".__main__"))
)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_the_examples_of_a_module_run(name):
    result = doctest.testmod(
        importlib.import_module(name),
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(mixedmodels.__all__))
def test_a_public_name_is_documented(name):
    value = getattr(mixedmodels, name)
    assert inspect.getdoc(value) or not callable(value)
