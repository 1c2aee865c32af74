"""Checks of the distribution of the responses: dispersion, zeros, variances, normality, outliers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.theta import factors
from ..design.used_rows import names_of_rows_used
from ..diagnostics.check import Check, not_applicable, tested
from ..diagnostics.leverage import complement
from ..diagnostics.simulated.given_data import predictor_given_data
from ..fit.state import FittedModel
from ..wording import counted

# Shapiro and Wilk's test is known to be accurate up to here; larger samples are thinned evenly.
_MOST_ROWS = 5000
_LEAST_VALUES = 5
_SHOWN = 10
# Random effects that take a larger share of the degrees of freedom make residuals small.
_FOLLOWED = 0.05
# Random effects are drawn given the data with this seed: a check says the same each time.
_SEED = 1


def check_overdispersion(fitted: FittedModel) -> Check:
    """Pearson's statistic over its degrees of freedom, see :func:`mixedmodels.check_overdispersion`."""
    from scipy.special import chdtrc

    name, family = "overdispersion", fitted.family
    if fitted.exact_likelihood or family.has_scale or (family.parameter and not family.discrete):
        return not_applicable(name, f"family {family.name} estimates its variance")
    if family.trials and fitted.prior_weights.max() <= 1.0:
        return not_applicable(name, "single yes-no outcomes cannot be overdispersed")
    df = fitted.n_obs - fitted.n_parameters
    if df <= 0:
        return not_applicable(name, "there are not more rows than parameters")
    statistic = float(np.square(fitted.scaled_residuals()).sum())
    ratio, p = statistic / df, float(chdtrc(df, statistic))
    verdict = tested(p)
    return Check(
        name=name,
        measure="Pearson statistic / df",
        value=ratio,
        p_value=p,
        verdict=verdict,
        text=f"Pearson statistic {statistic:.4g} on {df} degrees of freedom, ratio {ratio:.3g}",
        advice=_sharper(fitted)
        if verdict == "ok"
        else "add a random effect for each row, (1 | row)"
        if family.trials
        else "family 'nbinom2' or 'nbinom1', or a random effect for each row, (1 | row)",
        table=pd.DataFrame({"statistic": [statistic], "Df": [df], "ratio": [ratio]}),
    )


def _sharper(fitted: FittedModel) -> str:
    """Advice where the residuals are small because random effects follow the rows."""
    share = float(np.nan_to_num(fitted.leverages()).sum() - fitted.n_coefficients) / fitted.n_obs
    if share < _FOLLOWED:
        return ""
    return (
        f"this test is conservative: the random effects follow the rows, with {100 * share:.0f} % of the "
        "degrees of freedom; quantile_residuals(conditional=True).test_dispersion() allows for that"
    )


def check_zeroinflation(fitted: FittedModel) -> Check:
    """Zeros expected given the random effects, see :func:`mixedmodels.check_zeroinflation`."""
    from scipy.special import ndtr

    name, family = "zero inflation", fitted.family
    if family.support != "counts":
        return not_applicable(name, f"family {family.name} is not for counts")
    shares = _share_of_zeros(fitted, fitted.linear_predictor)
    observed, predicted = int(np.count_nonzero(fitted.observed == 0.0)), float(shares.sum())
    drawn = _share_of_zeros(fitted, predictor_given_data(fitted, np.random.default_rng(_SEED)))
    expected, spread = float(drawn.sum()), float(np.sqrt((drawn * (1.0 - drawn)).sum()))
    p = float(2.0 * ndtr(-abs(observed - expected) / spread)) if spread > 0 else np.nan
    table = pd.DataFrame({"observed": [observed], "predicted": [predicted], "expected": [expected]})
    if observed == 0:
        return Check(
            name=name, text=f"no zeros, {expected:.3g} expected", p_value=p, verdict=tested(p), table=table
        )
    verdict = tested(p)
    return Check(
        name=name,
        measure="predicted / observed zeros",
        value=predicted / observed,
        p_value=p,
        verdict=verdict,
        text=f"{observed} zeros, {expected:.4g} expected by the model, {predicted:.4g} at the modes of the "
        "random effects",
        advice=""
        if verdict == "ok"
        else "family 'nbinom2' accommodates many zeros; or model separately whether the response is zero"
        if observed > expected
        else "fewer zeros than expected: are they excluded by design?",
        table=table,
    )


def _share_of_zeros(fitted: FittedModel, eta: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of a zero in each row."""
    zero = np.zeros(fitted.n_obs)
    return np.exp(fitted.family.log_likelihood(zero, eta, fitted.prior_weights, fitted.dispersion))


def check_normality(fitted: FittedModel) -> Check:
    """The test of Shapiro and Wilk on residuals, see :func:`mixedmodels.check_normality`."""
    name, family = "normality of residuals", fitted.family
    if not (fitted.exact_likelihood or family.name in ("gaussian", "lognormal")):
        return not_applicable(
            name, f"residuals of family {family.name} are not normal; see quantile_residuals()"
        )
    residuals = fitted.scaled_residuals()
    return _normality(name, {"residuals": residuals}, "a transformed response, or bootstrap() for intervals")


def check_normality_of_effects(fitted: FittedModel) -> Check:
    """The test of Shapiro and Wilk on the conditional modes, each in units of its standard deviation."""
    samples = {}
    for positions, covariances in fitted.level_variances():
        start = 0
        for t in positions:
            term, b = fitted.design.terms[t], fitted.estimates.b[t]
            k = len(term.names)
            given = np.diagonal(covariances, axis1=1, axis2=2)[:, start : start + k]
            start += k
            for j, effect in enumerate(term.names):
                scaled = _standardized(fitted, t, j, b[:, j], given[:, j])
                if scaled is not None:
                    samples[f"{effect} | {term.group.label}"] = scaled
    name = "normality of random effects"
    if not samples:
        return not_applicable(name, "no random effect has a variance and at least five levels")
    return _normality(
        name, samples, "look at plot_ranef(): a predictor of the levels may be missing, or a few stand out"
    )


def _standardized(
    fitted: FittedModel, t: int, j: int, b: NDArray[np.float64], given: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Modes over their standard deviations by the model; None without variation."""
    factor = fitted.scale * factors(fitted.design, fitted.estimates.theta)[t]
    variance = float(np.square(factor[j]).sum()) - given
    good = variance > 1e-8 * np.maximum(given, np.finfo(float).tiny)
    if good.sum() < _LEAST_VALUES or not np.isfinite(b).all():
        return None
    return b[good] / np.sqrt(variance[good])


def _normality(name: str, samples: dict[str, NDArray[np.float64]], advice: str) -> Check:
    from scipy.stats import kurtosis, shapiro, skew

    rows = []
    for label, values in samples.items():
        values = values[np.isfinite(values)]
        if len(values) < 3 or np.ptp(values) <= 1e-12 * np.abs(values).max(initial=0.0):
            continue
        some = np.sort(values)
        if len(some) > _MOST_ROWS:
            some = some[np.linspace(0, len(some) - 1, _MOST_ROWS).round().astype(int)]
        found = shapiro(some)
        rows.append(
            (
                label,
                len(values),
                float(found.statistic),
                float(found.pvalue),
                float(skew(values)),
                float(kurtosis(values)),
            )
        )
    if not rows:
        return not_applicable(name, "the values do not vary, or there are too few")
    table = pd.DataFrame(rows, columns=["of", "nobs", "W", "p.value", "skewness", "excess kurtosis"])
    worst = table.loc[table["p.value"].idxmin()]
    p = min(1.0, float(worst["p.value"]) * len(table))
    verdict = tested(p)
    outcome = "not normal" if verdict == "attention" else "compatible with normality"
    shape = f"skewness {worst['skewness']:.2g}, excess kurtosis {worst['excess kurtosis']:.2g}"
    return Check(
        name=name,
        measure="Shapiro-Wilk W",
        value=float(worst["W"]),
        p_value=p,
        verdict=verdict,
        text=f"{worst['of']} {outcome}: {shape}",
        advice=advice if verdict == "attention" else "",
        table=table,
    )


def check_outliers(fitted: FittedModel) -> Check:
    """Cook's distances of the fitted values above the median of F, see :func:`mixedmodels.check_outliers`."""
    from scipy.special import fdtri

    name, hat = "outliers", fitted.leverages()
    effective = float(hat.sum())
    df = fitted.n_obs - effective
    if not (effective > 0 and df > 1e-6 * fitted.n_obs):
        return not_applicable(name, "the model fits every row, or none: no row can stand out")
    residual = fitted.scaled_residuals()
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.square(residual / complement(hat)) * hat / effective
    if not np.isfinite(distance).any():
        return not_applicable(name, "Cook's distances cannot be computed: all leverages are 1")
    limit = float(fdtri(effective, df, 0.5))
    above = np.flatnonzero(distance > limit)
    order = np.argsort(-np.where(np.isfinite(distance), distance, -1.0))[: max(len(above), 1)][:_SHOWN]
    rows = names_of_rows_used(fitted.design, fitted.arguments)[order].tolist()
    return Check(
        name=name,
        measure="largest Cook's distance, fitted values",
        value=float(np.nanmax(distance)),
        verdict="attention" if len(above) else "ok",
        text=f"{counted(len(above), 'row')} with a Cook's distance of the fitted values above {limit:.3g}",
        advice="fit without these rows (table) and compare" if len(above) else "",
        table=pd.DataFrame({"row": rows, "Cook's distance": distance[order], "residual": residual[order]}),
    )
