"""
How many examples a property test looks at.

``MIXEDMODELS_EXAMPLES=thorough`` searches longer and anew on every run; without it the examples are few and
always the same.
"""

from __future__ import annotations

import os

from hypothesis import settings

USUAL = 30
THOROUGH = os.environ.get("MIXEDMODELS_EXAMPLES", "quick") == "thorough"


def examples(count: int) -> settings:
    """A test looks at ``count`` examples in a quick run, and at ten times as many in a thorough one."""
    return settings(max_examples=_number(count))


def load_profile() -> None:
    """The settings of tests that do not say how many examples they want."""
    settings.register_profile(
        "mixedmodels", max_examples=_number(USUAL), deadline=None, derandomize=not THOROUGH
    )
    settings.load_profile("mixedmodels")


def _number(quick: int) -> int:
    return max(1000, 10 * quick) if THOROUGH else quick
