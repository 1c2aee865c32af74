"""A design without its rows: names, levels and the recipe, which is what new data need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, NoReturn, TypeVar

from ..errors import NoDataError
from ..frame import Frame
from ..frame.column import Column
from .build import Design
from .grouping import GroupingFactor
from .random_term import RandomTerm
from .rows import MissingRows

T = TypeVar("T")

REASON = (
    "this needs the data of the fit, and the model was loaded from a file without them: load it with its "
    "data, load(path, data=data)"
)


def _missing(self: Any) -> NoReturn:
    raise NoDataError(REASON)


def _without(kind: type[T], *names: str) -> Any:
    """A class of the same values in which these raise NoDataError."""
    return type(f"{kind.__name__}WithoutData", (kind,), {name: property(_missing) for name in names})


def _made(kind: type[T], values: Mapping[str, Any]) -> T:
    """An object of such a class; a data descriptor hides what it has no value of."""
    made = object.__new__(kind)
    vars(made).update(values)
    return made


_ROWS = ("x", "y", "weights", "offset", "row_labels", "unit_weights", "observed")
# What a design knows of its rows without having them.
COUNTS = ("n_rows", "has_offset", "has_weights", "mean_offset", "surplus_parameters")


# Facts about rows are plain attributes.
_Design: Any = _without(type("_Counted", (Design,), dict.fromkeys(COUNTS)), *_ROWS)
_Group: Any = _without(GroupingFactor, "codes")
_Term: Any = _without(RandomTerm, "z")
_Missing: Any = type("MissingRowsWithoutData", (_without(MissingRows, "kept", "pad"),), {"n_dropped": None})


_PARTS = [f for f in fields(Design) if f.name not in {*_ROWS, "terms", "missing"}]
# Files of earlier versions do not have parts that were added with a default.
REQUIRED = tuple(f.name for f in _PARTS if f.default is MISSING and f.default_factory is MISSING)


def facts_of(design: Design) -> dict[str, Any]:
    """What is left of a design without its rows, as plain values."""
    parts = {f.name: getattr(design, f.name) for f in _PARTS}
    terms = [
        {
            "label": term.group.label,
            "columns": term.group.columns,
            "levels": term.group.levels,
            "names": term.names,
            "covariance": term.covariance,
            "text": term.text,
            "times": term.times,
        }
        for term in design.terms
    ]
    rows = design.missing
    missing = {n: getattr(rows, n) for n in ("n_total", "action", "columns", "n_dropped")}
    counts = {name: getattr(design, name) for name in COUNTS}
    return {"parts": parts, "terms": terms, "missing": missing, "counts": counts}


def design_without_data(facts: Mapping[str, Any]) -> Design:
    """The design that these facts describe; whatever needs its rows raises NoDataError."""
    terms = []
    for own in facts["terms"]:
        group = _made(_Group, {name: own[name] for name in ("label", "columns", "levels")})
        values = {name: own[name] for name in ("names", "covariance", "text", "times")}
        terms.append(_made(_Term, {"group": group, **values}))
    missing = _made(_Missing, facts["missing"])
    made = {f.name: f.default_factory() for f in _PARTS if f.default_factory is not MISSING}
    made |= {f.name: f.default for f in _PARTS if f.default is not MISSING}
    return _made(
        _Design, {**made, **facts["parts"], **facts["counts"], "terms": tuple(terms), "missing": missing}
    )


class _NoRows:
    """The source of a frame of which only the names of its columns are known."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    @property
    def n_rows(self) -> int:
        raise NoDataError(REASON)

    @property
    def index(self) -> Any:
        raise NoDataError(REASON)

    @property
    def original(self) -> Any:
        raise NoDataError(REASON)

    def prefetch(self, names: Iterable[str]) -> None:
        raise NoDataError(REASON)

    def read(self, position: int, /) -> Column:
        raise NoDataError(REASON)


def frame_without_data(names: tuple[str, ...]) -> Frame:
    """A frame with these columns, none of which can be read."""
    return Frame(_NoRows(names), "data")
