"""
Features of other packages that are not available here yet, by the names their users know.

This is the one home of these names: errors quote it, and the page "What is not here (yet)" lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .errors import NotAvailableError


class NotHere(NamedTuple):
    """
    A feature that is not available yet.

    Attributes
    ----------
    feature : str
        Its name in statistics.
    instead : str
        A substitute.
    """

    feature: str
    instead: str


def _zero_inflation(instead: str = "family='nbinom2' allows for many zeros") -> NotHere:
    return NotHere("zero inflation", instead)


_WALD = "confint() gives Wald limits of the coefficients"

CONFINT_METHODS: dict[str, NotHere] = {
    "profile": NotHere(
        "profile-likelihood intervals",
        f"{_WALD}; anova(m1, m2) and ranova(m) test variances by likelihood ratios",
    ),
    "boot": NotHere("bootstrap intervals", f"{_WALD}; pb_compare(m1, m0) tests by parametric bootstrap"),
}

COVARIANCES: dict[str, NotHere] = {
    "mat": NotHere("Matérn covariance", "(1 | region) has independent effects of regions"),
    "gau": NotHere("Gaussian spatial covariance", "(1 | region) has independent effects of regions"),
    "rr": NotHere("reduced-rank covariance", "(x | g) estimates the full covariance matrix"),
    "propto": NotHere("known relationship matrices", "the levels of (1 | g) are independent"),
    "equalto": NotHere("known covariance matrices", "weights= takes variances known up to a factor"),
}

SMOOTHS: dict[str, NotHere] = {
    name: NotHere("penalised smooths", "ns(x, df) and bs(x, df) are regression splines")
    for name in ("s", "te", "ti", "t2")
}

ARGUMENTS: dict[str, NotHere] = {
    "correlation": NotHere(
        "residual correlation structures",
        "random effects correlate the rows of a group: (1 | g), or ar1(0 + time | g)",
    ),
    "ziformula": _zero_inflation(),
    "dispformula": NotHere(
        "a formula for the dispersion",
        "weights= takes variances known up to a factor; glmer() has the families 'nbinom1', 'nbinom2' and "
        "'beta' with one dispersion for all rows",
    ),
    "REML": NotHere("REML for generalized models", "glmer() fits by maximum likelihood; leave REML out"),
    "prior": NotHere("priors and penalties", "lmer() and glmer() maximise the likelihood alone"),
    "priors": NotHere("priors and penalties", "lmer() and glmer() maximise the likelihood alone"),
    "se_fit": NotHere(
        "standard errors of predictions", "emmeans() has standard errors and limits of population means"
    ),
    "interval": NotHere(
        "intervals of predictions", "emmeans() has standard errors and limits of population means"
    ),
}

# Names without blanks, dots, hyphens, underscores and capitals.
FAMILIES: dict[str, NotHere] = {
    "tweedie": NotHere(
        "the Tweedie family", "'gamma' is for positive responses; zeros need a binomial model of their own"
    ),
    "betabinomial": NotHere(
        "the beta-binomial family",
        "'binomial' with a random effect of each row, (1 | row), allows for overdispersion",
    ),
    "compois": NotHere("the Conway-Maxwell-Poisson family", "'nbinom1' and 'nbinom2' are overdispersed"),
    "genpois": NotHere("the generalized Poisson family", "'nbinom1' and 'nbinom2' are overdispersed"),
    "truncatedpoisson": NotHere("zero-truncated families", "'poisson' does not exclude zeros"),
    "truncatednbinom1": NotHere("zero-truncated families", "'nbinom1' does not exclude zeros"),
    "truncatednbinom2": NotHere("zero-truncated families", "'nbinom2' does not exclude zeros"),
    "zip": _zero_inflation("'nbinom2' allows for many zeros"),
    "zinb": _zero_inflation("'nbinom2' allows for many zeros"),
    "zeroinflatedpoisson": _zero_inflation("'nbinom2' allows for many zeros"),
    "zeroinflatednegbinomial": _zero_inflation("'nbinom2' allows for many zeros"),
    "cumulative": NotHere("models of ordered categories", "'binomial' is for a response cut in two"),
    "ordinal": NotHere("models of ordered categories", "'binomial' is for a response cut in two"),
    "multinomial": NotHere("models of several categories", "'binomial' compares two of them"),
    "categorical": NotHere("models of several categories", "'binomial' compares two of them"),
    "t": NotHere("the t family", "lmer() is for normal responses"),
    "studentt": NotHere("the t family", "lmer() is for normal responses"),
    "student": NotHere("the t family", "lmer() is for normal responses"),
    "skewnormal": NotHere("the skew-normal family", "lmer() is for normal responses"),
    "ordbeta": NotHere("ordered beta regression", "'beta' is for responses strictly between 0 and 1"),
}

FUNCTIONS: dict[str, NotHere] = {
    "bootMer": NotHere("the parametric bootstrap", "pb_compare(m1, m0) compares models by it"),
    "profile": CONFINT_METHODS["profile"],
    "influence": NotHere(
        "refits without each group or row", "augment(m, influence=True) has leverages and Cook's distances"
    ),
    "lmList": NotHere("separate regressions for each group", "(x | g) fits them with partial pooling"),
    "nlmer": NotHere("nonlinear mixed models", "poly(), ns() and bs() bend the curve of a linear predictor"),
    "glmmTMB": NotHere("glmmTMB()", "lmer() and glmer() fit its models without ziformula and dispformula"),
}


def not_available(name: str, entry: NotHere) -> NotAvailableError:
    """The error for a feature by the name it was asked for."""
    return NotAvailableError(
        f"not available yet: {entry.feature}, {name}; {entry.instead}", entry.feature, entry.instead
    )


def hint(name: str) -> str:
    """The end of the message for a name that users of other packages look for; empty for others."""
    entry = FUNCTIONS.get(name)
    return "" if entry is None else f"; not available yet: {entry.feature}; {entry.instead}"


def refuse_not_here(table: Mapping[str, NotHere], name: str, shown: str) -> None:
    """
    Raise the error for a name of the table; nothing for any other.

    Parameters
    ----------
    table : mapping
        One of this module.
    name : str
    shown : str
        How the user wrote it.

    Raises
    ------
    NotAvailableError
    """
    if name in table:
        raise not_available(shown, table[name])
