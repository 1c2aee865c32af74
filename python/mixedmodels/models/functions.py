"""The methods of a model as functions, for those who write ``fixef(model)``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..fit.endpoint.certificate import TOLERANCE as CONVERGENCE_TOLERANCE
from ..fit.endpoint.singularity import TOLERANCE as SINGULAR_TOLERANCE
from ..fit.state import fitted_of, not_a_model
from ..inference.estimates.convergence import ConvergenceCheck, check_convergence
from ..inference.estimates.criteria import LogLik
from ..inference.estimates.random_effects import RandomEffects
from ..not_here import refuses_arguments
from ..render.numbers import DIGITS, PStyle
from ..render.result_table import ResultTable
from ..report.summary import Summary
from ..report.varcorr import VarianceComponents
from .all_fit import AllFit
from .base import MixedModel
from .generalized import GeneralizedLinearMixedModel
from .linear import LinearMixedModel


def checkConv(model: MixedModel, tol: float = CONVERGENCE_TOLERANCE) -> ConvergenceCheck:
    """
    Judge a fit by the exact gradient g and Hessian H of its objective.

    Parameters
    ----------
    model : MixedModel
    tol : float
        Largest predicted fall g'H⁻¹g/2 of the objective, in units of -2 log-likelihood, that passes.
        It does not depend on the units of the data.

    Returns
    -------
    ConvergenceCheck
        With ``ok``, ``messages``, ``gradient``, ``hessian``, ``hessian_eigenvalues``, ``predicted_fall``.

    Examples
    --------
    >>> from mixedmodels import checkConv, lmer, load_sleepstudy
    >>> checkConv(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())).ok
    True
    """
    return check_convergence(fitted_of(model), tol)


def allFit(
    model: MixedModel, data: Any = None, *, optimizers: Any = None, starts: int = 0, seed: Any = None
) -> AllFit:
    """
    Fit a model by every optimizer, and from random starts, and compare where they end.

    Parameters
    ----------
    model : MixedModel
    data : data frame, optional
        Other data to fit to; by default the design of the model is used again.
    optimizers : sequence of str, optional
        All by default.
    starts : int
        So many further fits from random covariance parameters, by the first of the optimizers; 0 by
        default. They show whether the criterion has several optima.
    seed : int or Generator, optional
        Of the random starts, see :func:`numpy.random.default_rng`.

    Returns
    -------
    AllFit
        With ``fits`` (by optimizer or ``"start 1"``, ``"start 2"``, ...), ``table`` and ``summary()``.

    Raises
    ------
    ArgumentError
        If an optimizer is unknown or ``starts`` is not a whole number of at least 0.

    Examples
    --------
    >>> from mixedmodels import allFit, lmer, load_sleepstudy
    >>> model = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> table = allFit(model, optimizers="trust_region", starts=3, seed=1).table
    >>> list(table.index)
    ['trust_region', 'start 1', 'start 2', 'start 3']
    >>> bool(table["excess"].max() < 1e-6)
    True
    """
    return _model(model).allFit(data, optimizers=optimizers, starts=starts, seed=seed)


def fixef(model: MixedModel, add_dropped: bool = True) -> pd.Series:
    """Fixed-effects coefficients, see `LinearMixedModel.fixef`."""
    return _model(model).fixef(add_dropped)


def ranef(model: MixedModel, condVar: bool = False) -> RandomEffects:
    """Conditional modes of the random effects, see `LinearMixedModel.ranef`."""
    return _model(model).ranef(condVar)


def coef(model: MixedModel) -> dict[str, pd.DataFrame]:
    """Coefficients of each level, see `LinearMixedModel.coef`."""
    return _model(model).coef()


def VarCorr(model: MixedModel) -> VarianceComponents:
    """Standard deviations and correlations of the random effects, see `LinearMixedModel.VarCorr`."""
    return _model(model).VarCorr()


def vcov(model: MixedModel, complete: bool = True, **options: Any) -> pd.DataFrame:
    """Covariance matrix of the fixed effects, see `LinearMixedModel.vcov`."""
    return _model(model).vcov(complete, **options)


def confint(
    model: MixedModel, level: float = 0.95, method: Any = "wald", *, ddf: Any = None, vcov: Any = None
) -> ResultTable:
    """Confidence limits, see `LinearMixedModel.confint`."""
    return _model(model).confint(level, method, ddf=ddf, vcov=vcov)


def fitted(model: MixedModel) -> NDArray[np.float64]:
    """Fitted values with the random effects, see `LinearMixedModel.fitted`."""
    return _model(model).fitted()


def residuals(model: MixedModel, type: str | None = None, scaled: bool = False) -> NDArray[np.float64]:
    """Residuals of the model's default type or another, see `LinearMixedModel.residuals`."""
    given = {} if type is None else {"type": type}
    return _model(model).residuals(scaled=scaled, **given)


@refuses_arguments
def predict(
    model: MixedModel,
    newdata: Any = None,
    re_form: Any = None,
    allow_new_levels: bool = False,
    *,
    offset: Any = None,
    type: str | None = None,
) -> NDArray[np.float64]:
    """Predictions of the model's default type or another, see `LinearMixedModel.predict`."""
    given = {} if type is None else {"type": type}
    return _model(model).predict(newdata, re_form, allow_new_levels, offset=offset, **given)


def simulate(model: MixedModel, nsim: int = 1, seed: Any = None, **options: Any) -> pd.DataFrame:
    """New responses drawn from the model, see `GeneralizedLinearMixedModel.simulate`."""
    found = _model(model)
    if not isinstance(found, GeneralizedLinearMixedModel):
        raise ArgumentError("simulate: a model fitted by glmer() is needed here")
    return found.simulate(nsim, seed, **options)


def refit(model: MixedModel, y: Any = None, **options: Any) -> MixedModel:
    """The same design fitted to another response, see `LinearMixedModel.refit`."""
    return _model(model).refit(y, **options)


def refitML(model: MixedModel) -> MixedModel:
    """The model fitted by maximum likelihood; itself when it already is."""
    found = _model(model)
    return found.refit(REML=False) if isinstance(found, LinearMixedModel) and found.REML else found


def update(model: MixedModel, *changes: Any, **options: Any) -> MixedModel:
    """The model with some arguments changed, see `LinearMixedModel.update`."""
    return _model(model).update(*changes, **options)


def summary(
    model: MixedModel,
    correlation: bool | None = None,
    ddf: Any = None,
    vcov: Any = None,
    *,
    digits: int = DIGITS,
    p_style: PStyle = "exact",
) -> Summary:
    """The fit at a glance, see `LinearMixedModel.summary`."""
    return _model(model).summary(correlation, ddf, vcov, digits=digits, p_style=p_style)


def logLik(model: MixedModel, REML: bool | None = None) -> LogLik:
    """Log-likelihood, see `LinearMixedModel.logLik`."""
    return _model(model).logLik(REML)


def deviance(model: MixedModel, REML: bool | None = None) -> float:
    """-2 log-likelihood or REML criterion, see `LinearMixedModel.deviance`."""
    return _model(model).deviance(REML)


def REMLcrit(model: MixedModel) -> float:
    """REML criterion of a fit by REML."""
    return _model(model).REMLcrit()


def AIC(model: MixedModel) -> float:
    """Akaike's criterion."""
    return _model(model).AIC()


def AICc(model: MixedModel) -> float:
    """Akaike's criterion corrected for small samples."""
    return _model(model).AICc()


def BIC(model: MixedModel) -> float:
    """Schwarz's criterion."""
    return _model(model).BIC()


def sigma(model: MixedModel) -> float:
    """Residual standard deviation."""
    return _model(model).sigma


def nobs(model: MixedModel) -> int:
    """Number of observations used."""
    return _model(model).nobs


def ngrps(model: MixedModel) -> dict[str, int]:
    """Number of levels of each grouping factor."""
    return _model(model).ngrps


def is_singular(model: MixedModel, tol: float = SINGULAR_TOLERANCE) -> bool:
    """Whether some covariance matrix of random effects is singular, see `LinearMixedModel.is_singular`."""
    return _model(model).is_singular(tol)


isSingular = is_singular  # noqa: N816, the name in lme4


def getME(model: MixedModel, name: Any) -> Any:
    """A piece of the model by lme4's name, see `LinearMixedModel.getME`."""
    return _model(model).getME(name)


def _model(value: Any) -> Any:
    if isinstance(value, MixedModel):
        return value
    raise not_a_model(value)
