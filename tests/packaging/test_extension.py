"""What is in the compiled module and beside it."""

from __future__ import annotations

from importlib.metadata import requires, version
from pathlib import Path

import mixedmodels
from mixedmodels import _engine


def test_nlopt_is_built_without_its_lgpl_part():
    content = Path(_engine.__file__).read_bytes()
    # NLopt says this when one of the methods by Luksan is asked for and they were left out.
    assert b"Luksan code disabled" in content
    assert b"luksan_pl" not in content


def test_the_versions_agree():
    assert mixedmodels.__version__ == _engine.__version__ == version("mixedmodels")


def test_the_package_is_typed():
    package = Path(mixedmodels.__file__).parent
    assert (package / "py.typed").exists()
    assert (package / "_engine.pyi").exists()


def test_only_the_declared_packages_are_needed():
    needed = {line.split(">")[0].strip() for line in requires("mixedmodels") or () if "extra ==" not in line}
    assert needed == {"formulaic", "narwhals", "numpy", "pandas", "scipy"}
