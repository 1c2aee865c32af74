"""Tests of quantile residuals that need no other variable."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...checks import one_of
from ..check import Check, not_applicable, tested
from .counts import Counts
from .ranks import largest_deviation, relative_zeros
from .source import Source, Values
from .statistics import p_value

_ALTERNATIVES = ("two-sided", "greater", "less")


def uniformity(source: Source, counts: Counts, residuals: Values) -> Check:
    """The test of Kolmogorov and Smirnov, calibrated by the simulated responses."""
    n = len(residuals)
    ordered = np.sort(residuals)
    steps = np.arange(n + 1) / n
    distance = float(np.maximum(steps[1:] - ordered, ordered - steps[:-1]).max())
    own = largest_deviation(source.observed[None, :], source.standard, source.discrete, source.ties())[0]
    p = p_value(float(own), counts.deviation)
    bad = tested(p) == "attention"
    return Check(
        name="uniformity",
        measure="largest distance from uniformity",
        value=distance,
        p_value=p,
        verdict=tested(p),
        text=f"quantile residuals are {'not uniform' if bad else 'compatible with uniformity'}",
        advice="look at dispersion, zeros and residuals by predictor for the reason" if bad else "",
    )


def dispersion(source: Source, counts: Counts, alternative: str) -> Check:
    """The weighted sum of squares within groups, against those of simulated responses."""
    one_of("alternative", alternative, _ALTERNATIVES)
    own = float(source.standard.squares(source.observed[None, :])[0].mean())
    usual = float(counts.squares.mean())
    ratio = own / usual if usual > 0 else np.nan
    p = p_value(own, counts.squares, alternative)
    verdict = tested(p)
    text = f"observed over expected variation: {ratio:.3g}"
    advice = ""
    if verdict == "attention":
        text = f"{'over' if ratio > 1 else 'under'}dispersion: {text}"
        advice = (
            "add predictors or random effects, or a family with a dispersion parameter such as 'nbinom2'"
            if ratio > 1
            else "the model allows for more variation than there is; standard errors are too large"
        )
    return Check(
        name="dispersion",
        measure="observed / expected variation",
        value=ratio,
        p_value=p,
        verdict=verdict,
        text=text,
        advice=advice,
    )


def outside(source: Source, counts: Counts) -> NDArray[np.bool_]:
    """Rows whose response is outside all simulated ones."""
    y = source.observed
    return (y < counts.low.value) | (-y < counts.high.value)


def outliers(source: Source, counts: Counts, method: str) -> Check:
    """The number of responses outside all simulated ones."""
    one_of("method", method, ("simulation", "binomial"))
    y, m = source.observed, len(counts)
    own = int(np.count_nonzero(outside(source, counts)))
    if method == "binomial":
        from scipy.special import bdtrc

        share = 2.0 / (m + 1)
        usual = share * len(y)
        p = float(bdtrc(own - 1, len(y), share)) if own else 1.0
    else:
        n = int(counts.numbers.max()) + 1
        each = counts.low.per_replicate(y, n) + counts.high.per_replicate(-y, n)
        each = each[counts.numbers]
        usual = float(each.mean())
        p = p_value(own, each.astype(float))
    verdict = tested(p)
    return Check(
        name="outliers",
        measure="outliers",
        value=float(own),
        p_value=p,
        verdict=verdict,
        text=f"{own} responses outside all simulated ones, {usual:.3g} expected",
        advice="look at these rows (.outlier): errors in the data, or a family with longer tails"
        if verdict == "attention"
        else "",
    )


def zero_inflation(source: Source, counts: Counts, alternative: str) -> Check:
    """The number of zeros, against those of simulated responses."""
    one_of("alternative", alternative, _ALTERNATIVES)
    fitted = source.fitted
    if not fitted.family.discrete:
        return not_applicable("zero inflation", f"responses of family {fitted.family.name} have no zeros")
    own = int(np.count_nonzero(fitted.observed == 0.0))
    usual = float(counts.zeros.mean())
    excess = float(relative_zeros(fitted.observed[None, :], source.standard)[0])
    p = p_value(excess, counts.relative_zeros, alternative)
    verdict = tested(p)
    ratio = own / usual if usual > 0 else (np.inf if own else np.nan)
    return Check(
        name="zero inflation",
        measure="observed / expected zeros",
        value=ratio,
        p_value=p,
        verdict=verdict,
        text=f"{own} zeros, {usual:.4g} expected",
        advice=""
        if verdict != "attention"
        else "'nbinom2' accommodates many zeros; or model separately whether the response is zero"
        if ratio > 1
        else "zeros are rarer than the model expects: are they excluded by design?",
    )
