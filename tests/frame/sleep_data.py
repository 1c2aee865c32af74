"""The sleep study with a factor, weights and an offset, and a model of it, for tests of what models keep."""

from __future__ import annotations

import numpy as np

import mixedmodels as mm

FORMULA = "Reaction ~ Days + f + (1 | Subject)"
SLEEP = mm.load_sleepstudy().assign(
    f=lambda d: np.where(d.Days > 4, "late", "early"),
    w=lambda d: 1.0 + d.Days,
    extra=lambda d: np.cos(d.Days),
)
