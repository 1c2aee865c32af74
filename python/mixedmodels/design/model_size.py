"""The parameters, time and memory that a model needs, estimated before anything is allocated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..covariance import Structure, without_correlations
from ..errors import DataError, MemoryLimitError
from ..formula import RandomTermSpec
from .grouping import GroupingFactor

# Seconds of an evaluation with derivatives for each product of working variates, of a step for each entry of
# a decomposition, of the elimination of a level, and of the derivatives of a factor: measured on one core at
# about 2 GHz.
_VARIATES, _STEP, _LEVEL, _FACTOR = 2e-9, 1e-9, 4e-9, 6e-9
# Evaluations of a typical fit of many parameters.
_EVALUATIONS = 30
# A fit that takes less may be tried however much it estimates; one that takes more is useless.
_SOON, _TOO_LONG = 20.0, 2 * 3600.0
# Memory that is assumed to be available.
_LITTLE = 1e9


@dataclass(frozen=True)
class TermSize:
    """
    The size of a random-effects term, before its columns are built.

    Attributes
    ----------
    text : str
        As shown in messages.
    structure : Structure
        The structure of the covariance matrix of its columns.
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
        """Whether there are several effects with an unstructured covariance matrix."""
        return self.k > 1 and self.structure.n_parameters == self.k * (self.k + 1) // 2

    @property
    def correlated(self) -> bool:
        """Whether effects of a level have covariances."""
        return self.structure.correlated

    @property
    def simpler(self) -> str | None:
        """The term with independent effects; None if they already are."""
        if not self.correlated:
            return None
        name = None if self.unstructured else without_correlations(self.structure)
        return independent(self.text, name or "diag")


class Sizes:
    """
    The terms of a model, checked one by one before their columns are built.

    Parameters
    ----------
    check_effects : {"error", "warning", "ignore"}
        "ignore" refuses only for lack of memory.
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
    """Approximate time of a fit that is slow because of its many covariance parameters."""
    parameters = float(sum(term.parameters for term in terms))
    effects = float(sum(term.effects for term in terms))
    cubes = [float(term.k) ** 3 for term in terms]
    levels = math.fsum(term.levels * cube for term, cube in zip(terms, cubes, strict=True))
    factors = math.fsum(term.parameters * cube for term, cube in zip(terms, cubes, strict=True))
    variates = _VARIATES * effects * parameters**2
    return _EVALUATIONS * (variates + _STEP * parameters**3 + _LEVEL * levels + _FACTOR * factors)


def predicted_bytes(terms: Sequence[TermSize], n: int) -> float:
    """The least memory of a fit: its columns twice, the blocks of its levels, and the derivatives."""
    parameters = float(sum(term.parameters for term in terms))
    columns = math.fsum(16.0 * n * term.k for term in terms)
    levels = math.fsum(32.0 * term.levels * float(term.k) ** 2 for term in terms)
    return columns + levels + 16.0 * parameters * sum(term.effects for term in terms) + 40.0 * parameters**2


def check_model_size(terms: Sequence[TermSize], n: int, *, tries_all: bool = False) -> None:
    """
    Refuse a model whose fit would not finish, or finish without a useful result, naming its largest term.

    Small models are always tried; what the data do not determine is reported after the fit. A slow model is
    refused if the data cannot support it: more covariance parameters than observations, as many effects of a
    term as observations, or fewer levels than effects, so that their covariance matrix is singular. The last
    two apply only to unstructured covariance matrices: a few levels determine the few parameters of
    ``cs(f | g)`` or ``ar1(0 + f | g)``.

    Parameters
    ----------
    terms : sequence of TermSize
    n : int
        Number of rows.
    tries_all : bool
        Refuse only for lack of memory.

    Raises
    ------
    DataError, MemoryLimitError
    """
    if sum(term.parameters for term in terms) < 100 and n * sum(term.k for term in terms) < _LITTLE / 16:
        # Nearly every model; the levels need no more memory than the rows.
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
            reason = f"and the fit needs at least {size / 2**30:,.1f} GiB of memory, more than is available"
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


# A step of the search decomposes a matrix with one row per parameter: about 10 operations per parameter
# cubed, at 20 Gflop/s.
_SECONDS_OF_STEP = 10.0 / 20e9
# A faster step may be tried, and the fit reports what it finds; a slower one is useless.
_CHEAP_STEP, _SLOWEST_STEP = 1.0, 3600.0


def check_covariance_size(text: str, k: int, group: tuple[str, int], factors: Sequence[str], n: int) -> None:
    """
    Refuse too many effects with an unstructured covariance matrix, before anything is allocated for them.

    Parameters
    ----------
    text : str
        The term, as shown in messages.
    k : int
        Number of columns.
    group : tuple of str and int
        The grouping factor and its number of levels.
    factors : sequence of str
        Factors among its variables.
    n : int
        Number of rows.
    """
    parameters = k * (k + 1) // 2
    seconds = _SECONDS_OF_STEP * float(parameters) ** 3
    if seconds > _CHEAP_STEP and parameters > n:
        reason = f"more than {n:,} observations can determine"
    elif seconds > _SLOWEST_STEP:
        reason = "and every step of the fit would take hours"
    else:
        return
    label, levels = group
    raise DataError(
        f"{text}: {k:,} correlated effects for each of {levels:,} levels of {label!r} have {parameters:,} "
        f"variances and covariances, {reason}; use {remedies(independent(text), factors, label)}"
    )


def independent(text: str, name: str = "diag") -> str:
    """The same term with independent effects; `name` replaces the structure, if it has one."""
    if text.startswith("("):
        return text.replace("|", "||", 1)
    return f"{name}{text[text.index('(') :]}"


def remedies(simpler: str | None, factors: Sequence[str], group: str) -> str:
    """
    Advice on simpler terms to replace one that is too large.

    Parameters
    ----------
    simpler : str or None
        The term with independent effects; None if that is not simpler.
    factors : sequence of str
        Factors among its variables.
    group : str
        Its grouping factor.
    """
    found = []
    if factors:
        found.append(f"(1 | {group}) + (1 | {':'.join([group, *factors])}) for two variances")
    if simpler is not None:
        found.append(f"{simpler} for independent effects")
    if factors:
        found.append(f"fewer levels of {' and '.join(map(repr, factors))}")
    elif simpler is None:
        found.append("fewer columns")
    return ", ".join(found[:-1]) + (" or " if found[1:] else "") + found[-1]
