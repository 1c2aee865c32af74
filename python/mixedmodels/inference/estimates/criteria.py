"""Log-likelihood and information criteria."""

from __future__ import annotations

import math

from ...checks import optional_flag
from ...errors import ArgumentError
from ...fit.at_sigma import at_sigma
from ...fit.state import FittedModel
from ...render.numbers import format_number


class LogLik(float):
    """
    A log-likelihood: a number that knows its parameters and observations.

    Attributes
    ----------
    df : int
        Number of estimated parameters: coefficients, covariance parameters, dispersion.
    nobs : int
    reml : bool
        Whether it is the restricted log-likelihood.
    """

    df: int
    nobs: int
    reml: bool

    def __new__(cls, value: float, df: int, nobs: int, reml: bool) -> LogLik:
        self = super().__new__(cls, value)
        self.df, self.nobs, self.reml = df, nobs, reml
        return self

    def __getnewargs__(self) -> tuple[float, int, int, bool]:
        return float(self), self.df, self.nobs, self.reml

    def __repr__(self) -> str:
        kind = "restricted log-likelihood" if self.reml else "log-likelihood"
        return f"{format_number(float(self), 7)} ({kind}, df = {self.df}, nobs = {self.nobs})"

    __str__ = __repr__


def deviance(fitted: FittedModel, reml: bool | None = None) -> float:
    """
    The criterion at the estimated theta.

    Parameters
    ----------
    fitted : FittedModel
    reml : bool, optional
        True for the REML criterion, False for -2 log-likelihood; by default the one of the fit.
    """
    wanted = _restricted(fitted, reml)
    if wanted == fitted.restricted:
        return fitted.estimates.objective
    found = fitted.engine.evaluate(fitted.estimates.theta, wanted)
    if fitted.held.variances:
        found = at_sigma(found, fitted.engine, wanted, fitted.estimates.sigma)
    return float(found["objective"])


def reml_criterion(fitted: FittedModel) -> float:
    """The REML criterion of a fit by REML."""
    if not fitted.restricted:
        hint = "; refit with REML=True" if fitted.exact_likelihood else ""
        raise ArgumentError(f"the model was fitted by maximum likelihood and has no REML criterion{hint}")
    return fitted.estimates.objective


def log_likelihood(fitted: FittedModel, reml: bool | None = None) -> LogLik:
    """Minus half the criterion, see `deviance`."""
    wanted = _restricted(fitted, reml)
    return LogLik(-deviance(fitted, wanted) / 2, fitted.n_parameters, fitted.n_obs, wanted)


def _restricted(fitted: FittedModel, reml: bool | None) -> bool:
    """Whether the argument ``REML`` asks for the restricted likelihood."""
    wanted = optional_flag("REML", reml)
    if wanted and not fitted.exact_likelihood:
        raise ArgumentError(
            "REML is for linear mixed models: a generalized model has no restricted likelihood"
        )
    return fitted.restricted if wanted is None else wanted


def aic(fitted: FittedModel) -> float:
    """Criterion + 2 df."""
    return fitted.estimates.objective + 2 * fitted.n_parameters


def aicc(fitted: FittedModel) -> float:
    """AIC + 2 df (df + 1)/(n - df - 1), infinite when n is not above df + 1 (Hurvich & Tsai 1989)."""
    df, n = fitted.n_parameters, fitted.n_obs
    return aic(fitted) + (2 * df * (df + 1) / (n - df - 1) if n > df + 1 else math.inf)


def bic(fitted: FittedModel) -> float:
    """Criterion + df log n, with n the number of observations."""
    return fitted.estimates.objective + fitted.n_parameters * math.log(fitted.n_obs)
