"""The package's front: light import, exported names, versions for bug reports."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mixedmodels


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_importing_is_light():
    heavy = ("numpy", "pandas", "scipy", "formulaic")
    code = f"import sys, mixedmodels; print([m for m in {heavy} if m in sys.modules])"
    assert run("-c", code).strip() == "[]"


def test_fitting_loads_no_plotting():
    code = (
        "import sys; from mixedmodels import lmer, load_dyestuff; "
        "str(lmer('Yield ~ 1 + (1 | Batch)', load_dyestuff()).summary()); "
        "print([m for m in ('matplotlib', 'statsmodels', 'scipy.stats') if m in sys.modules])"
    )
    assert run("-c", code).strip() == "[]"


@pytest.mark.parametrize("name", mixedmodels.__all__)
def test_every_exported_name_exists(name):
    assert getattr(mixedmodels, name) is not None
    assert name in dir(mixedmodels)


def test_only_public_names_are_listed():
    code = "import mixedmodels; mixedmodels.lmer; print([n for n in dir(mixedmodels) if n[0] != '_'])"
    assert run("-c", code).strip() == str(sorted(mixedmodels.__all__))


def test_unknown_names():
    with pytest.raises(AttributeError, match="lmre"):
        _ = mixedmodels.lmre


def test_versions():
    shown = run("-m", "mixedmodels")
    assert f"mixedmodels {mixedmodels.__version__}" in shown
    for name in ("python", "numpy", "formulaic"):
        assert name in shown
