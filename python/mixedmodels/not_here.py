"""
Features of other packages that are not available here yet, under the names that users know.

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


def _zero_inflation(instead: str = "family='nbinom2' accommodates many zeros") -> NotHere:
    return NotHere("zero inflation", instead)


COVARIANCES: dict[str, NotHere] = {
    "mat": NotHere("Matérn covariance", "(1 | region) gives independent region effects"),
    "gau": NotHere("Gaussian spatial covariance", "(1 | region) gives independent region effects"),
    "rr": NotHere("reduced-rank covariance", "(x | g) estimates the full covariance matrix"),
    "propto": NotHere("known relationship matrices", "the levels of (1 | g) are independent"),
    "equalto": NotHere("known covariance matrices", "weights= takes variances known up to a constant"),
}

SMOOTHS: dict[str, NotHere] = {
    name: NotHere("penalised smooths", "ns(x, df) and bs(x, df) fit regression splines")
    for name in ("s", "te", "ti", "t2")
}

FIT_ARGUMENTS: dict[str, NotHere] = {
    "amalgamate": NotHere(
        "a choice of blocks for terms of one grouping factor",
        "such terms always share a block, as with amalgamate=True in MixedModels.jl; separate blocks give "
        "the same estimates in more time",
    ),
    "correlation": NotHere(
        "residual correlation structures",
        "random effects make the rows of a group correlated: (1 | g), or ar1(0 + time | g)",
    ),
    "ziformula": _zero_inflation(),
    "dispformula": NotHere(
        "a formula for the dispersion",
        "weights= takes variances known up to a constant; the families 'nbinom1', 'nbinom2' and 'beta' of "
        "glmer() have one dispersion for all rows",
    ),
    "prior": NotHere("priors and penalties", "lmer() and glmer() maximize the likelihood"),
    "priors": NotHere("priors and penalties", "lmer() and glmer() maximize the likelihood"),
}

GLMER_ARGUMENTS: dict[str, NotHere] = {
    **FIT_ARGUMENTS,
    "REML": NotHere("REML for generalized models", "glmer() fits by maximum likelihood; leave REML out"),
}

# Lower-case names without blanks, dots, hyphens or underscores.
FAMILIES: dict[str, NotHere] = {
    "tweedie": NotHere(
        "the Tweedie family", "'gamma' is for positive responses; model zeros separately with 'binomial'"
    ),
    "betabinomial": NotHere(
        "the beta-binomial family",
        "'binomial' with an observation-level random effect, (1 | row), allows for overdispersion",
    ),
    "compois": NotHere(
        "the Conway-Maxwell-Poisson family", "'nbinom1' and 'nbinom2' allow for overdispersion"
    ),
    "genpois": NotHere("the generalized Poisson family", "'nbinom1' and 'nbinom2' allow for overdispersion"),
    "truncatedpoisson": NotHere("zero-truncated families", "'poisson' does not exclude zeros"),
    "truncatednbinom1": NotHere("zero-truncated families", "'nbinom1' does not exclude zeros"),
    "truncatednbinom2": NotHere("zero-truncated families", "'nbinom2' does not exclude zeros"),
    "zip": _zero_inflation("'nbinom2' accommodates many zeros"),
    "zinb": _zero_inflation("'nbinom2' accommodates many zeros"),
    "zeroinflatedpoisson": _zero_inflation("'nbinom2' accommodates many zeros"),
    "zeroinflatednegbinomial": _zero_inflation("'nbinom2' accommodates many zeros"),
    "cumulative": NotHere("ordinal models", "'binomial' is for a response dichotomized at a cut point"),
    "ordinal": NotHere("ordinal models", "'binomial' is for a response dichotomized at a cut point"),
    "multinomial": NotHere("multinomial models", "'binomial' compares two of the categories"),
    "categorical": NotHere("multinomial models", "'binomial' compares two of the categories"),
    "t": NotHere("the t family", "lmer() is for normal responses"),
    "studentt": NotHere("the t family", "lmer() is for normal responses"),
    "student": NotHere("the t family", "lmer() is for normal responses"),
    "skewnormal": NotHere("the skew-normal family", "lmer() is for normal responses"),
    "ordbeta": NotHere("ordered beta regression", "'beta' is for responses strictly between 0 and 1"),
}

FUNCTIONS: dict[str, NotHere] = {
    "lmList": NotHere("separate regressions for each group", "(x | g) fits them with partial pooling"),
    "nlmer": NotHere("nonlinear mixed models", "poly(), ns() and bs() make the linear predictor a curve"),
    "glmmTMB": NotHere(
        "glmmTMB()", "lmer() and glmer() fit its models, except those with ziformula or dispformula"
    ),
}


def not_available(name: str, entry: NotHere) -> NotAvailableError:
    """The error for a feature, under the name that the user wrote."""
    return NotAvailableError(
        f"not available yet: {entry.feature}, {name}; {entry.instead}", entry.feature, entry.instead
    )


def hint(name: str) -> str:
    """The end of the message about a name known from other packages; empty for other names."""
    entry = FUNCTIONS.get(name)
    return "" if entry is None else f"; not available yet: {entry.feature}; {entry.instead}"


def refuse_not_here(table: Mapping[str, NotHere], name: str, shown: str) -> None:
    """
    Raise the error if the name is in the table.

    Parameters
    ----------
    table : mapping
        One of the tables of this module.
    name : str
    shown : str
        How the user wrote it.

    Raises
    ------
    NotAvailableError
    """
    if name in table:
        raise not_available(shown, table[name])
