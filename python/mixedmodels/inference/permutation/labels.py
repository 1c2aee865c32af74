"""Fits in which the values of a term are permuted among units, such as subjects."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError, MixedModelError
from ...fit.changes import refitted_design
from ...fit.state import FittedModel
from ...formula.nodes import variables
from ...repeat.chunks import run_chunks
from ...repeat.seeds import Streams
from ...wording import listed
from ..basis.row_labels import RowLabels, row_labels
from ..likelihood.simulated_ratios import SimulatedRatios, collected
from .residuals import permutation_within

# Fits in a chunk: each is a call of the engine of its own.
_FITS = 20
_COUNTED = 100_000


@dataclass(frozen=True, eq=False)
class PermutedLabels:
    """
    The values of a term as labels of units.

    Attributes
    ----------
    columns : slice
        The columns of the term in x.
    units : RowLabels
    values : ndarray, shape (n_units, width)
        Those of the term's columns, for each unit.
    strata : ndarray of int, shape (n_units,)
        Labels are permuted among the units of a stratum.
    """

    columns: slice
    units: RowLabels
    values: NDArray[np.float64]
    strata: NDArray[np.int64]

    @property
    def arrangements(self) -> float:
        """The number of different ways to label the units; infinite for very many."""
        _, label = np.unique(self.values, axis=0, return_inverse=True)
        label = label.ravel()
        total = 0.0
        for stratum in range(int(self.strata.max()) + 1):
            counts = np.bincount(label[self.strata == stratum])
            total += math.lgamma(counts.sum() + 1) - sum(math.lgamma(c + 1) for c in counts.tolist())
        return math.exp(total) if total < 50 else math.inf

    def permuted(self, x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """The model matrix with other labels."""
        result = np.array(x, order="F")
        order = permutation_within(self.strata, rng)
        result[:, self.columns] = self.values[order][self.units.codes]
        result.flags.writeable = False
        return result


def permuted_labels(
    fitted: FittedModel, label: str, units: Any, within: Any, function: str
) -> PermutedLabels:
    """
    The labels that a term gives to units.

    Parameters
    ----------
    fitted : FittedModel
    label : str
        Of the term.
    units : str, array-like or None
        By default the coarsest grouping factor in whose levels the term is constant.
    within : str, array-like or None
        Strata of units.
    function : str
        For messages.
    """
    columns = dict(fitted.design.x_terms)[label]
    _refuse_other_uses(fitted, label, columns, function)
    x = fitted.design.x[:, columns]
    chosen = _units(fitted, label, x, units, within, function)
    first = _first_rows(chosen)
    values = x[first]
    if not np.array_equal(values[chosen.codes], x):
        raise ArgumentError(
            f"{function}: {label!r} is not constant within the levels of {chosen.name!r}, so it cannot be "
            "permuted among them; name finer units="
        )
    strata = np.zeros(len(first), dtype=np.int64)
    if within is not None:
        blocks = row_labels(fitted, within, "within")
        strata = blocks.codes[first]
        if not np.array_equal(strata[chosen.codes], blocks.codes):
            raise ArgumentError(
                f"{function}: each of the units {chosen.name!r} must lie within one level of "
                f"{blocks.name!r} (within=)"
            )
    result = PermutedLabels(columns, chosen, values, strata)
    if result.arrangements < 1.5:
        raise ArgumentError(
            f"{function}: no permutation of the units {chosen.name!r} changes {label!r}"
            f"{'' if within is None else ' within its strata'}"
        )
    return result


def label_notes(labels: PermutedLabels) -> list[str]:
    """Which labels were permuted, and how small a p-value can be."""
    n = len(labels.strata)
    strata = int(labels.strata.max()) + 1
    among = f" within {strata} strata" if strata > 1 else ""
    notes = [f"Labels permuted among {n} units ({labels.units.name}){among}"]
    if labels.arrangements <= _COUNTED:
        notes.append(
            f"There are only {labels.arrangements:.0f} different arrangements: the p-value cannot be much "
            f"below {1 / labels.arrangements:.2g}"
        )
    return notes


def _first_rows(units: RowLabels) -> NDArray[np.intp]:
    """A row of each unit."""
    first = np.empty(len(units.levels), dtype=np.intp)
    first[units.codes[::-1]] = np.arange(len(units.codes) - 1, -1, -1)
    return first


def _units(
    fitted: FittedModel, label: str, x: NDArray[np.float64], units: Any, within: Any, function: str
) -> RowLabels:
    if units is not None:
        return row_labels(fitted, units, "units")
    groups = {term.group.label: term.group for term in fitted.design.terms}
    constant = []
    for name in groups:
        found = row_labels(fitted, name, "units")
        if np.array_equal(x[_first_rows(found)][found.codes], x):
            constant.append(found)
    if constant:
        return min(constant, key=lambda found: len(found.levels))
    if within is None:
        raise ArgumentError(
            f"{function}: {label!r} varies within the levels of {listed(list(groups))}, so that rows are the "
            "units of its labels; within= must say among which rows they can be exchanged, such as "
            f"within={next(iter(groups))!r}"
        )
    codes = np.arange(fitted.n_obs)
    return RowLabels("rows", codes, tuple(map(str, codes.tolist())))


def _refuse_other_uses(fitted: FittedModel, label: str, columns: slice, function: str) -> None:
    """A variable that other terms read as well cannot change in one of them alone."""
    recipe = fitted.design.recipe
    own = _variables(recipe.fixed, range(columns.start, columns.stop))
    for other, part in fitted.design.x_terms:
        shared = own & _variables(recipe.fixed, range(part.start, part.stop)) if other != label else None
        if shared:
            raise ArgumentError(
                f"{function}: {listed(sorted(shared))} is also in {other!r}, so the labels of {label!r} "
                "cannot be permuted alone"
            )
    for term, (plan, _) in zip(fitted.design.terms, recipe.random, strict=True):
        shared = own & {name for node in plan.nodes for name in variables(node)}
        if shared:
            other = "permute='residuals' or " if fitted.exact_likelihood else ""
            raise ArgumentError(
                f"{function}: the effect of {listed(sorted(shared))} varies in {term.text}, so units are not "
                f"exchangeable when its mean is zero; use {other}pb_compare()"
            )


def _variables(plan: Any, columns: range) -> set[str]:
    return {name for node in plan.part(list(columns)).nodes for name in variables(node)}


@dataclass(frozen=True, eq=False)
class _Repetition:
    full: FittedModel
    objective: float
    labels: PermutedLabels
    streams: Streams


def ratios_of_labels(
    full: FittedModel,
    objective: float,
    labels: PermutedLabels,
    nsim: int,
    function: str,
    *,
    rng: Any = None,
    executor: Any = None,
    progress: Any = False,
) -> SimulatedRatios:
    """
    The likelihood ratios with permuted labels.

    Parameters
    ----------
    full : FittedModel
        By maximum likelihood.
    objective : float
        That of the model without the term.
    labels : PermutedLabels
    nsim : int
    function : str
    rng, executor, progress
        As everywhere.
    """
    state = _Repetition(full, objective, labels, Streams.of(rng))
    chunks = run_chunks(
        _work, state, nsim, size=_FITS, executor=executor, progress=progress, what="permutations"
    )
    return collected(chunks.results, function)


def _work(state: _Repetition, start: int, stop: int) -> NDArray[np.float64]:
    return np.array([_ratio(state, state.streams.generator(i)) for i in range(start, stop)])


def _ratio(state: _Repetition, rng: np.random.Generator) -> float:
    design = state.full.design
    x = state.labels.permuted(design.x, rng)
    try:
        fit = refitted_design(state.full, dataclasses.replace(design, x=x))
    except MixedModelError:
        return math.nan
    return state.objective - fit.estimates.objective
