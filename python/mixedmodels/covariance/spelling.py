"""How formulas spell covariance structures: ``cs(0 + f | g)``, ``ar1(0 + time | g, hom=FALSE)``."""

from __future__ import annotations

# glmmTMB's exp() decays with the distance between points; along a line that is ou(). zerocorr() is what
# MixedModels.jl calls independent effects.
_ALIASES = {"exp": "ou", "zerocorr": "diag"}


def structure_names() -> tuple[str, ...]:
    """The names that may precede the parentheses of a random-effects term."""
    from .._engine import COVARIANCES

    return (*COVARIANCES, *_ALIASES)


def structure_name(word: str, hom: bool | None = None) -> str | None:
    """
    The structure that a formula asks for; None when there is no such form of it.

    Parameters
    ----------
    word : str
        One of `structure_names`.
    hom : bool, optional
        lme4's argument: whether all columns have the same variance.
    """
    from .._engine import COVARIANCES

    name = _ALIASES.get(word, word)
    if hom is None:
        return name
    # Of the two forms of a structure one has the plain name, the other the prefix.
    wanted, other = ("hom", "het") if hom else ("het", "hom")
    if wanted + name in COVARIANCES:
        return wanted + name
    return name if other + name in COVARIANCES else None
