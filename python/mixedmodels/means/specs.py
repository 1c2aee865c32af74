"""The variables that means are wanted for, such as ``"~ A * B | C"``, and the names of rows."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..errors import ArgumentError


@dataclass(frozen=True)
class Specs:
    """
    The variables that means are wanted for.

    Attributes
    ----------
    factors : tuple of str
        Their combinations are the means of a group.
    by : tuple of str
        Their combinations are the groups.
    """

    factors: tuple[str, ...]
    by: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.factors, *self.by)


def read_specs(specs: Any, by: Any, known: Collection[str]) -> Specs:
    """
    Parameters
    ----------
    specs : str or sequence of str
        ``"A"``, ``"~ A"``, ``"~ A * B | C"`` (``+`` and ``:`` mean the same as ``*``; ``"~ 1"`` for the
        overall mean), or names.
    by : str or sequence of str, optional
    known : collection of str
        The predictors.

    Raises
    ------
    ArgumentError
        For another form, or a name that is not a predictor.
    """
    listed = ", ".join(map(repr, known)) or "none"
    groups = names_of(by, "by")
    for name in groups:
        if name not in known:
            raise ArgumentError(f"by: the model has no predictor {name!r}; it has {listed}")
    if isinstance(specs, str) and specs not in known:
        left, bar, right = specs.partition("|")
        if "~" in left and left.partition("~")[0].strip():
            raise ArgumentError(
                f"specs {specs!r}: nothing may precede '~'; for contrasts call .contrast() or .pairs()"
            )
        factors = _parts(left.replace("~", ""), specs)
        if bar:
            groups = (*_parts(right, specs), *groups)
    else:
        factors = names_of(specs, "specs")
    groups = tuple(dict.fromkeys(groups))
    factors = tuple(name for name in dict.fromkeys(factors) if name not in groups)
    for name in (*factors, *groups):
        if name not in known:
            raise ArgumentError(f"specs: the model has no predictor {name!r}; it has {listed}")
    return Specs(factors, groups)


def names_of(value: Any, what: str) -> tuple[str, ...]:
    """A name, or a sequence of names, or None, as a tuple."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise ArgumentError(f"{what} must be a name or a list of names, not {value!r}")


def _parts(text: str, specs: str) -> tuple[str, ...]:
    names = tuple(part.strip().strip("`") for part in re.split(r"[*+:]", text))
    if names == ("1",):
        return ()
    if not all(names):
        raise ArgumentError(f"specs {specs!r} is not understood; write for example '~ A * B | C'")
    return names


def show(value: Any) -> str:
    """A level or the value of a covariate."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def row_labels(labels: pd.DataFrame) -> list[str]:
    """
    The levels of each row in one text; numeric levels follow the name of their variable.

    Examples
    --------
    >>> import pandas as pd
    >>> from mixedmodels.means.specs import row_labels
    >>> row_labels(pd.DataFrame({"Machine": ["A", "B"], "period": ["1", "1"]}))
    ['A period1', 'B period1']
    """
    if not len(labels.columns):
        return ["overall"] * len(labels)
    columns = []
    for name in labels:
        texts = [show(value) for value in labels[name]]
        prefix = str(name) if all(map(_is_number, texts)) else ""
        columns.append([prefix + text for text in texts])
    return [" ".join(row) for row in zip(*columns, strict=True)]


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
