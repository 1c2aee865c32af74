"""What a model takes in parameters, time and memory, judged before anything is allocated for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..covariance import Structure, without_correlations
from ..errors import DataError, MemoryLimitError
from ..formula import RandomTermSpec
from .covariance_size import check_covariance_size, independent, remedies
from .grouping import GroupingFactor

# Seconds of an evaluation with derivatives for each product of working variates, of a step for each entry of
# a decomposition, and of the elimination of a level: measured on one core at about 2 GHz.
_VARIATES, _STEP, _LEVEL = 2e-9, 1e-9, 4e-9
# Evaluations of a typical fit of many parameters.
_EVALUATIONS = 30
# A fit that takes less may be tried whatever it has to estimate; one that takes more is of no use.
_SOON, _TOO_LONG = 20.0, 2 * 3600.0
# Memory that is there without asking.
_LITTLE = 1e9


@dataclass(frozen=True)
class TermSize:
    """
    A random-effects term before its columns are built.

    Attributes
    ----------
    text : str
        As messages name it.
    structure : Structure
        Of the covariance matrix of its columns.
    group : str
        Grouping factor.
    levels : int
    factors : tuple of str
        Factors among its variables.
    """

    text: str
    structure: Structure
    group: str
    levels: int
    factors: tuple[str, ...]

    @property
    def k(self) -> int:
        """Number of its columns."""
        return self.structure.k

    @property
    def parameters(self) -> int:
        """Parameters of its covariance matrix."""
        return self.structure.n_parameters

    @property
    def effects(self) -> int:
        """Random effects of all levels."""
        return self.k * self.levels

    @property
    def unstructured(self) -> bool:
        """Whether each of several effects has variances and covariances of its own."""
        return self.k > 1 and self.structure.name == "us"

    @property
    def correlated(self) -> bool:
        """Whether effects of a level have covariances."""
        return self.structure.correlated

    @property
    def simpler(self) -> str | None:
        """The term with independent effects; None where they are independent already."""
        if not self.correlated:
            return None
        name = None if self.unstructured else without_correlations(self.structure)
        return independent(self.text, name or "diag")


class Sizes:
    """
    The terms of a model, checked one after the other before their columns are built.

    Parameters
    ----------
    check_effects : {"error", "warning", "ignore"}
        "ignore" refuses for lack of memory only.
    """

    def __init__(self, check_effects: str) -> None:
        self._tries_all = check_effects == "ignore"
        self._terms: list[TermSize] = []

    def add(
        self, spec: RandomTermSpec, structure: Structure, group: GroupingFactor, factors: Sequence[str]
    ) -> None:
        """Check the terms so far and one more of this structure, with these factors among its variables."""
        n = len(group.codes)
        term = TermSize(spec.text, structure, group.label, len(group.levels), tuple(factors))
        if term.unstructured and not self._tries_all:
            check_covariance_size(term.text, term.k, (term.group, term.levels), factors, n)
        self._terms.append(term)
        check_model_size(self._terms, n, tries_all=self._tries_all)


def predicted_seconds(terms: Sequence[TermSize]) -> float:
    """About how long a fit takes where the number of covariance parameters is what makes it slow."""
    parameters = float(sum(term.parameters for term in terms))
    effects = float(sum(term.effects for term in terms))
    levels = math.fsum(float(term.levels) * float(term.k) ** 3 for term in terms)
    return _EVALUATIONS * (_VARIATES * effects * parameters**2 + _STEP * parameters**3 + _LEVEL * levels)


def predicted_bytes(terms: Sequence[TermSize], n: int) -> float:
    """The least memory of a fit: its columns twice, the blocks of its levels, and what derivatives take."""
    parameters = float(sum(term.parameters for term in terms))
    columns = math.fsum(16.0 * n * term.k for term in terms)
    levels = math.fsum(32.0 * term.levels * float(term.k) ** 2 for term in terms)
    return columns + levels + 16.0 * parameters * sum(term.effects for term in terms) + 40.0 * parameters**2


def check_model_size(terms: Sequence[TermSize], n: int, *, tries_all: bool = False) -> None:
    """
    Refuse a model whose fit would not end, or end with nothing to show, naming its largest term.

    Small models are tried whatever they ask of the data, and what they leave undetermined is said after the
    fit. A model that takes long is refused when its data cannot carry it: more covariance parameters than
    observations, as many effects of a term as observations, or fewer levels than effects, whose covariance
    matrix is singular then. The last two hold for unstructured covariance matrices only: a few levels
    determine the few parameters of ``cs(f | g)`` or ``ar1(0 + f | g)``.

    Parameters
    ----------
    terms : sequence of TermSize
    n : int
        Number of rows.
    tries_all : bool
        Refuse for lack of memory only.

    Raises
    ------
    DataError, MemoryLimitError
    """
    if sum(term.parameters for term in terms) < 100 and n * sum(term.k for term in terms) < _LITTLE / 16:
        # Nearly every model; levels alone cannot make one too large that its rows do not.
        return
    seconds = predicted_seconds(terms)
    term = max(terms, key=lambda one: (one.parameters, one.effects))
    if not tries_all and seconds > _SOON:
        reason = _reason(terms, term, n, seconds)
        if reason:
            raise DataError(_message(terms, term, reason))
    size = predicted_bytes(terms, n)
    if size > _LITTLE:
        from .._engine import has_room_for

        if not has_room_for(size):
            reason = f"and the fit needs at least {size / 2**30:,.1f} GiB of memory, more than there is"
            raise MemoryLimitError(_message(terms, term, reason))


def _reason(terms: Sequence[TermSize], term: TermSize, n: int, seconds: float) -> str:
    parameters = sum(one.parameters for one in terms)
    long = f"the fit would take about {_duration(seconds)}"
    if parameters > n:
        return f"more than {n:,} observations can determine"
    if term.unstructured and term.effects >= n:
        return f"and there are {term.effects:,} random effects for {n:,} observations; {long}"
    if term.unstructured and term.k > term.levels:
        return f"which {term.levels:,} levels cannot determine, and {long}"
    return f"and {long}" if seconds > _TOO_LONG else ""


def _message(terms: Sequence[TermSize], term: TermSize, reason: str) -> str:
    effects = "correlated effects" if term.correlated else "effects"
    kind = "variances and covariances" if term.correlated else "variances"
    total = sum(one.parameters for one in terms)
    whole = f" ({total:,} in the whole model)" if total > term.parameters else ""
    advice = remedies(term.simpler, term.factors, term.group)
    return (
        f"{term.text}: {term.k:,} {effects} for each of {term.levels:,} levels of {term.group!r} have "
        f"{term.parameters:,} {kind}{whole}, {reason}; use {advice}"
    )


def _duration(seconds: float) -> str:
    for size, unit in ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} seconds"
