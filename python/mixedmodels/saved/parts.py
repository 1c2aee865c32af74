"""The parts of a model in a file, with their types, and whether they belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_type_hints

import numpy as np
from numpy.typing import NDArray

from ..design import Design
from ..design.without_data import REQUIRED
from ..errors import ModelFileError
from ..fit.arguments import FitArguments, GeneralizedArguments
from ..fit.record import Convergence, Estimates, GeneralizedEstimates
from ..fit.without_data import Condensed
from .types import check_parts


class _Model:
    kind: Literal["linear", "generalized"]
    design: Mapping[str, Any]
    functions: tuple[str, ...]
    columns: tuple[str, ...]
    arguments: FitArguments | GeneralizedArguments
    restricted: bool
    estimates: Estimates | GeneralizedEstimates
    term_roots: tuple[NDArray[np.float64], ...]
    convergence: Convergence
    facts: Mapping[str, Any]
    condensed: Condensed | None


class _Term:
    label: str
    columns: tuple[str, ...]
    levels: tuple[str, ...]
    names: tuple[str, ...]
    covariance: str
    text: str
    times: tuple[float, ...] | None


class _Missing:
    n_total: int
    action: str
    columns: Mapping[str, int]
    n_dropped: int


class _Counts:
    n_rows: int
    has_offset: bool
    has_weights: bool
    mean_offset: float
    surplus_parameters: int


def check_types(parts: Mapping[str, Any]) -> None:
    """
    Refuse parts of other types than a file has.

    Raises
    ------
    ModelFileError
    """
    _check(_Model, "the model", parts, get_type_hints(_Model))
    design = parts["design"]
    _check(Design, "the design", design["parts"], REQUIRED)
    for term in design["terms"]:
        _check(_Term, "a term", term, get_type_hints(_Term))
    _check(_Missing, "the missing rows", design["missing"], get_type_hints(_Missing))
    _check(_Counts, "the design", design["counts"], get_type_hints(_Counts))
    linear = parts["kind"] == "linear"
    kinds = (Estimates, FitArguments) if linear else (GeneralizedEstimates, GeneralizedArguments)
    if (type(parts["estimates"]), type(parts["arguments"])) != kinds:
        raise ModelFileError("it is damaged: its estimates are those of another kind of model")


def _check(kind: Any, name: str, parts: Mapping[str, Any], required: Iterable[str]) -> None:
    check_parts(kind, name, parts)
    lacking = [part for part in required if part not in parts]
    if lacking:
        raise ModelFileError(f"it is damaged: it has no {lacking[0]!r} of {name}")


def check_condensed(condensed: Condensed | None, design: Design) -> None:
    """
    Refuse condensed rows whose columns, cells or levels there are not.

    Raises
    ------
    ModelFileError
    """
    if condensed is None:
        return
    values, codes, cells = condensed.values, condensed.codes, condensed.cells
    levels = np.array([len(term.group.levels) for term in design.terms])
    good = values.ndim == 2 and cells.shape == values.shape[:1] and codes.shape[1:] == levels.shape
    good = good and _within(cells, len(codes)) and _within(codes, levels)
    columns = [condensed.x, *condensed.z]
    good = good and all(places.ndim == 1 and _within(places, values.shape[1]) for places in columns)
    if not good or [len(z) for z in condensed.z] != [len(term.names) for term in design.terms]:
        raise ModelFileError("it is damaged: its condensed rows do not belong to its design")


def _within(places: NDArray[np.int64], limit: Any) -> bool:
    return bool((places >= 0).all() and (places < limit).all())
