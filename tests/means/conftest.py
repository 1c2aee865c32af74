"""Models that tests of contrasts share."""

from __future__ import annotations

from typing import Any

import pytest

from mixedmodels import emmeans
from shared_fits import fits


@pytest.fixture(scope="module")
def ham() -> Any:
    return emmeans(
        fits("ham", "Informed.liking ~ Product * Information + (1 | Consumer)"),
        "~ Product * Information",
    )


@pytest.fixture(scope="module")
def periods() -> Any:
    model = fits("cbpp")
    return emmeans(model, "~ period", type="response")


@pytest.fixture(scope="module")
def machines() -> Any:
    return emmeans(fits("machines", "score ~ Machine + (1 | Worker/Machine)"), "~ Machine")
