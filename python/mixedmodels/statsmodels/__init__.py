"""
The interface of statsmodels' ``MixedLM`` on the engine of this package.

``from mixedmodels.statsmodels import MixedLM, mixedlm`` replaces the imports from statsmodels, which must be
installed: models and results are statsmodels' own kinds of objects.
"""

from __future__ import annotations

from . import required as required  # isort: skip
from .model import MixedLM, mixedlm
from .params import MixedLMParams
from .results import MixedLMResults
from .spec import VCSpec
from .wrapper import MixedLMResultsWrapper

__all__ = ["MixedLM", "MixedLMParams", "MixedLMResults", "MixedLMResultsWrapper", "VCSpec", "mixedlm"]
