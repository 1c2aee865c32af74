"""Designs of studies from nothing: subjects, items, factors between and within them, missing cells."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag, one_of, random_generator, shown, whole_number
from ..design.matrix import check_memory
from ..errors import ArgumentError
from ..wording import listed

Levels = Mapping[str, Sequence[Any]]
Covariates = Mapping[str, Any]
_DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "uniform": lambda rng, n: rng.uniform(0.0, 1.0, n),
}


def crossed(
    subjects: Any,
    items: Any,
    between_subjects: Any,
    between_items: Any,
    within: Any,
    counterbalanced: Any,
    repetitions: Any,
    covariates: Mapping[str, Any],
    missing: Any,
    names: tuple[Any, Any],
    rng: Any,
) -> pd.DataFrame:
    """
    The rows of a design, see :func:`mixedmodels.crossed_design`.

    Parameters
    ----------
    covariates : mapping
        The three arguments for covariates, under ``"subject"``, ``"item"`` and ``"row"``.
    names : tuple of str
        Of the columns of subjects and items.
    """
    generator = random_generator(rng)
    by_subject = _checked("between_subjects", between_subjects)
    by_item, inside = _checked("between_items", between_items), _checked("within", within)
    known = {kind: _mapping(f"{kind}_covariates", given) for kind, given in covariates.items()}
    subject, item = _column_names(names)
    n_subjects, repetitions = _count("subjects", subjects), whole_number("repetitions", repetitions, 1)
    if items is None and by_item:
        raise ArgumentError("between_items needs items")
    n_items = 1 if items is None else _count("items", items)
    if flag("counterbalanced", counterbalanced) and (items is None or not inside):
        raise ArgumentError("counterbalanced=True needs items and within=: each item meets one condition")
    _check_names([subject, item], by_subject, by_item, inside, *known.values())
    cells = list(itertools.product(*inside.values()))
    conditions = 1 if counterbalanced else len(cells)
    n_rows = math.prod([n_subjects, n_items, conditions, repetitions])
    n_columns = 6 + sum(len(group) for group in (by_subject, by_item, inside, *known.values()))
    # The columns of factors are lists on their way.
    check_memory(float(n_rows), 8 * n_columns, "the design")
    of_subject, of_item, of_cell, _ = (
        part.ravel()
        for part in np.meshgrid(
            *map(np.arange, (n_subjects, n_items, conditions, repetitions)), indexing="ij"
        )
    )
    if counterbalanced:
        # A Latin square in each cell of the factors between subjects and between items, with which conditions
        # would be confounded otherwise.
        places = of_subject // _n_cells(by_subject) + of_item // _n_cells(by_item)
        of_cell = places % len(cells)
    columns: dict[str, Any] = {subject: _labels("S", n_subjects, of_subject)}
    if items is not None:
        columns[item] = _labels("I", n_items, of_item)
    columns |= _spread(by_subject, of_subject) | _spread(by_item, of_item)
    for place, (name, levels) in enumerate(inside.items()):
        columns[name] = _levels(levels, [cells[cell][place] for cell in of_cell.tolist()])
    kinds = (("subject", n_subjects, of_subject), ("item", n_items, of_item), ("row", len(of_subject), None))
    for kind, n, positions in kinds:
        for name, values in known[kind].items():
            drawn = _covariate(name, values, n, generator)
            columns[name] = drawn if positions is None else drawn[positions]
    frame = pd.DataFrame(columns)
    kept = _kept(missing, len(frame), generator)
    return frame if kept is None else frame.loc[kept].reset_index(drop=True)


def _count(name: str, value: Any) -> int:
    return whole_number(name, value, 2)


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ArgumentError(f"{name} must map names of columns to their values, not {shown(value)}")
    return dict(value)


def _checked(name: str, value: Any) -> dict[str, list[Any]]:
    """Factors with their levels."""
    result = {}
    for factor, levels in _mapping(name, value).items():
        if isinstance(levels, str) or not isinstance(levels, (Sequence, np.ndarray)):
            raise ArgumentError(
                f"{name}: {factor!r} must be a list of two or more levels, not {shown(levels)}"
            )
        if len(levels) < 2:
            raise ArgumentError(
                f"{name}: {factor!r} must be a list of two or more levels, and has {len(levels)}"
            )
        own = np.asarray(levels).tolist() if isinstance(levels, np.ndarray) else list(levels)
        # Levels that are not all numbers become text.
        if len(set(own)) < len(own) or not (_are_numbers(own) or len(set(map(str, own))) == len(own)):
            raise ArgumentError(f"{name}: a level of {factor!r} occurs twice")
        result[factor] = own
    return result


def _column_names(names: tuple[Any, Any]) -> tuple[str, str]:
    for argument, name in zip(("subject", "item"), names, strict=True):
        if not isinstance(name, str) or not name:
            raise ArgumentError(f"{argument} must be the name of a column, not {shown(name)}")
    return names


def _check_names(own: Sequence[str], *groups: Mapping[str, Any]) -> None:
    names = [*own, *(name for group in groups for name in group)]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ArgumentError(f"two columns would be called {listed(list(map(repr, twice)))}")


def _labels(prefix: str, count: int, codes: NDArray[np.intp]) -> pd.Categorical:
    width = len(str(count))
    categories = [f"{prefix}{i:0{width}d}" for i in range(1, count + 1)]
    return pd.Categorical.from_codes(codes, categories=categories)


def _spread(factors: Mapping[str, list[Any]], codes: NDArray[np.intp]) -> dict[str, Any]:
    """Factors between units: their cells go round the units, so that they are about equally many."""
    cells = list(itertools.product(*factors.values()))
    of_unit = (codes % _n_cells(factors)).tolist()
    return {
        name: _levels(levels, [cells[cell][place] for cell in of_unit])
        for place, (name, levels) in enumerate(factors.items())
    }


def _n_cells(factors: Mapping[str, list[Any]]) -> int:
    return math.prod(map(len, factors.values()))


def _levels(levels: list[Any], values: list[Any]) -> Any:
    """A column: of numbers, or of a factor with its levels in the order given."""
    if _are_numbers(levels):
        return np.array(values)
    return pd.Categorical([str(value) for value in values], categories=[str(level) for level in levels])


def _are_numbers(levels: list[Any]) -> bool:
    return all(isinstance(level, (int, float)) for level in levels)


def _covariate(name: str, values: Any, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if isinstance(values, str):
        return _DISTRIBUTIONS[one_of(f"the covariate {name!r}", values, _DISTRIBUTIONS)](rng, n)
    found = values(rng, n) if callable(values) else values
    try:
        result = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        result = np.zeros(0)
    if result.shape != (n,):
        raise ArgumentError(
            f"the covariate {name!r} needs {n} numbers: 'normal', 'uniform', an array, or a function of a "
            "Generator and their number"
        )
    return result


def _kept(missing: Any, n: int, rng: np.random.Generator) -> NDArray[np.bool_] | None:
    """Which rows stay; None for all."""
    good = isinstance(missing, (int, float)) and not isinstance(missing, bool) and 0.0 <= missing < 1.0
    if not good:
        raise ArgumentError(
            f"missing must be the share of missing rows, from 0 to below 1, not {shown(missing)}"
        )
    lost = round(n * float(missing))
    if not lost:
        return None
    if lost == n:
        raise ArgumentError(f"missing={missing:g} leaves none of the {n} rows")
    kept = np.ones(n, dtype=bool)
    kept[rng.choice(n, lost, replace=False)] = False
    return kept
