"""All parameters of a model in the order of `confint`: variance parameters, scale, coefficients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...fit.refits import Refits
from ...fit.state import FittedModel
from ...wording import unique_names
from .variance_components import variance_components


def variance_names(fitted: FittedModel) -> list[str]:
    """Names of standard deviations and correlations, as lme4 writes them on request."""
    names: list[str] = []
    for part in variance_components(fitted):
        names += [f"{own.kind}_{'.'.join(reversed(own.effects))}|{part.group}" for own in part.parameters]
    return unique_names(names)


def scale_name(fitted: FittedModel) -> list[str]:
    """The name of the scale or of the family's own parameter, if the model estimates one."""
    return [fitted.family.scale_name] if fitted.family.estimates_dispersion else []


def parameter_names(fitted: FittedModel) -> list[str]:
    """The names of all parameters."""
    return [*variance_names(fitted), *scale_name(fitted), *fitted.design.x_names]


def parameter_values(fitted: FittedModel) -> NDArray[np.float64]:
    """Their estimates; NaN for dropped columns."""
    values = [own.value for part in variance_components(fitted) for own in part.parameters]
    values += [fitted.sigma for _ in scale_name(fitted)]
    return np.concatenate([values, fitted.estimates.beta])


def refitted_values(fitted: FittedModel, refits: Refits) -> NDArray[np.float64]:
    """The estimates of refits of the model, shape (m, number of parameters)."""
    scale = [refits.sigma[:, None] for _ in scale_name(fitted)]
    return np.hstack([*refits.natural(fitted), *scale, refits.beta])
