"""
Families of distributions for :func:`mixedmodels.glmer`.

>>> from mixedmodels import families
>>> families.NegativeBinomial(size=2)
nbinom2 (log, size held at 2)
"""

from __future__ import annotations

from .beta import Beta as Beta
from .binomial import Binomial as Binomial
from .family import FAMILIES as FAMILIES, Family as Family
from .gamma import Gamma as Gamma
from .gaussian import Gaussian as Gaussian
from .inverse_gaussian import InverseGaussian as InverseGaussian
from .links import LINKS as LINKS, Link as Link
from .lognormal import LogNormal as LogNormal
from .lookup import as_family as as_family
from .negative_binomial import NegativeBinomial as NegativeBinomial, NegativeBinomial1 as NegativeBinomial1
from .poisson import Poisson as Poisson
from .user import UserFamily as UserFamily, user as user
