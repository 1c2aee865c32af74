"""
Families of distributions for :func:`mixedmodels.glmer`.

>>> from mixedmodels import families
>>> families.NegativeBinomial(size=2)
nbinom2 (log, size held at 2)
"""

from __future__ import annotations

from .beta import Beta
from .binomial import Binomial
from .family import Family
from .gamma import Gamma
from .gaussian import Gaussian
from .inverse_gaussian import InverseGaussian
from .links import LINKS, Link
from .lookup import FAMILIES, as_family
from .negative_binomial import NegativeBinomial, NegativeBinomial1
from .poisson import Poisson
from .user import UserFamily, user

__all__ = [
    "FAMILIES",
    "LINKS",
    "Beta",
    "Binomial",
    "Family",
    "Gamma",
    "Gaussian",
    "InverseGaussian",
    "Link",
    "NegativeBinomial",
    "NegativeBinomial1",
    "Poisson",
    "UserFamily",
    "as_family",
    "user",
]
