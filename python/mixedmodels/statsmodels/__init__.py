"""The interface of statsmodels' mixed linear model on this package's engine."""

from __future__ import annotations

from .model import MixedLM, mixedlm
from .params import MixedLMParams
from .spec import VCSpec

__all__ = ["MixedLM", "MixedLMParams", "VCSpec", "mixedlm"]
