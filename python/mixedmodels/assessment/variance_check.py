"""Check whether the variance changes with the fitted value."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..diagnostics.check import Check, not_applicable, tested
from ..diagnostics.randomized import randomized_quantiles
from ..diagnostics.simulated.given_data import predictor_given_data
from ..fit.state import FittedModel

Values = NDArray[np.float64]
# Random effects are drawn given the data with this seed: a check says the same each time.
_SEED = 1


def check_heteroscedasticity(fitted: FittedModel) -> Check:
    """Score tests of the variance, see :func:`mixedmodels.check_heteroscedasticity`."""
    from scipy.special import chdtrc

    name, family = "heteroscedasticity", fitted.family
    if not (fitted.exact_likelihood or family.has_scale):
        return not_applicable(
            name,
            f"the variance of family {family.name} follows from its mean; "
            "quantile_residuals().test_predictor() looks for another dependence",
        )
    residuals, x = _residuals(fitted)
    squares = np.square(residuals)
    if not squares.mean() > 0 or np.ptp(x) == 0:
        return not_applicable(name, "residuals or fitted values do not vary")
    scaled, centred = squares / squares.mean(), x - x.mean()
    # The variance of a squared normal residual is 2; that of others is taken from them (Koenker 1981).
    spread = 2.0 if fitted.exact_likelihood else float(np.var(scaled))
    statistic = float((centred @ scaled) ** 2 / (centred @ centred) / spread)
    p = float(chdtrc(1, statistic))
    verdict = tested(p)
    grows = bool(centred @ scaled > 0)
    return Check(
        name=name,
        measure="score statistic, df 1",
        value=statistic,
        p_value=p,
        verdict=verdict,
        text=f"the variance {'grows' if grows else 'falls'} with the fitted value"
        if verdict == "attention"
        else "no change of the variance with the fitted value",
        advice=""
        if verdict == "ok"
        else "a transformed response or another family, weights=, or vcov=vcov_cluster() for robust errors"
        if fitted.exact_likelihood
        else "another family or link",
        table=pd.DataFrame({"statistic": [statistic], "Df": [1]}),
    )


def _residuals(fitted: FittedModel) -> tuple[Values, Values]:
    """
    Residuals of unit variance, and the fitted values on the scale of the linear predictor.

    Those of other responses than normal ones are skewed, and a large one pulls the conditional mode of its
    level: their squares grow with the fitted value though the variance does not. So they are quantile
    residuals with random effects drawn given the data, which are normal and independent of the effects.
    """
    if fitted.exact_likelihood:
        return fitted.scaled_residuals(), fitted.linear_predictor
    generator = np.random.default_rng(_SEED)
    eta = predictor_given_data(fitted, generator)
    return randomized_quantiles(fitted, generator, eta), eta
