"""Settings of the whole suite."""

from __future__ import annotations

import os
import sys

import pytest

from search_depth import load_profile

load_profile()

os.environ["MPLBACKEND"] = "Agg"  # no screen


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
