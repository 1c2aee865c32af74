"""
How hard the property tests search.

``MIXEDMODELS_EXAMPLES=thorough`` searches longer and anew on every run; without it the examples are few and
always the same.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("quick", max_examples=30, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("MIXEDMODELS_EXAMPLES", "quick"))
