"""The package that this room needs, asked for before anything else is imported."""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("statsmodels") is None:
    raise ImportError(
        "mixedmodels.statsmodels needs the package statsmodels: pip install 'mixedmodels[statsmodels]'"
    )
