"""A fit to hard data must be finite and say what is wrong with it."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mixedmodels import glmer
from mixedmodels.errors import MixedModelsWarning

N_LEVELS, PER_LEVEL = 20, 10
N = N_LEVELS * PER_LEVEL


class Fit(NamedTuple):
    """A model with the warnings of its making and of its summary."""

    model: Any
    warned: set[type]
    messages: str


class Sample(NamedTuple):
    """A grouping factor with its effects, a covariate, and a source of more."""

    rng: np.random.Generator
    g: Any
    x: Any
    b: Any

    def frame(self, y: Any, **columns: Any) -> pd.DataFrame:
        return pd.DataFrame({"y": y, "x": self.x, "g": self.g.astype(str), **columns})

    def bernoulli(self, eta: Any) -> Any:
        return (self.rng.uniform(size=N) < 1.0 / (1.0 + np.exp(-eta))).astype(int)


def sample(seed: int, sd: float = 0.7) -> Sample:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(N_LEVELS), PER_LEVEL)
    return Sample(rng, g, rng.normal(size=N), sd * rng.normal(size=N_LEVELS)[g])


def fit(formula: str, data: Any, family: Any, **options: Any) -> Fit:
    """Fits and looks at every number; only warnings of the package may come."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = glmer(formula, data, family, **options)
        errors, text = model.se, " ".join(str(model.summary()).split())
    foreign = [str(w.message) for w in caught if not issubclass(w.category, MixedModelsWarning)]
    assert not foreign, foreign
    warned = {w.category for w in caught}
    estimated = ~np.isnan(model.beta)
    assert estimated.sum() == model.rank
    for values in (model.theta, model.beta[estimated], model.fitted(), model.objective, model.dispersion):
        assert np.isfinite(values).all()
    assert np.isfinite(errors[estimated]).all() or MixedModelsWarning in warned
    assert model.convergence.converged or " ".join(model.convergence.problem.split()) in text
    return Fit(model, warned, "\n".join(str(w.message) for w in caught))
