"""The lines of tables that say how tests and limits were computed."""

from __future__ import annotations

from ...wording import capital
from .kinds import DegreesOfFreedom, NoOptimum
from .robust import RobustCovariance


def by_method(what: str, basis: DegreesOfFreedom, start: str = "") -> str:
    """
    Tests and where their degrees of freedom come from: "t tests by Satterthwaite's degrees of freedom".

    Parameters
    ----------
    what : str
        The kind of tests.
    basis : DegreesOfFreedom
    start : str
        The beginning of the line.
    """
    if isinstance(basis, NoOptimum):
        return start + basis.label if start else capital(basis.label)
    between = "; " if isinstance(basis, RobustCovariance) else " by "
    return start + what + between + basis.label


def limits_note(basis: DegreesOfFreedom, level: float) -> str:
    """How confidence limits were computed."""
    limits = f"{100 * level:.4g} % Wald limits"
    if isinstance(basis, NoOptimum):
        return f"{limits}: none, the likelihood has no finite optimum"
    if basis.infinite:
        return f"{limits}: normal quantiles"
    between = "; " if isinstance(basis, RobustCovariance) else " with "
    return f"{limits}: t quantiles{between}{basis.label}"
