"""What means are asked for: ``"~ A * B | C"`` and its like."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

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
        For another form, or a name that is no predictor.
    """
    groups = names_of(by, "by")
    if isinstance(specs, str) and specs not in known:
        left, bar, right = specs.partition("|")
        if "~" in left and left.partition("~")[0].strip():
            raise ArgumentError(
                f"specs {specs!r}: nothing can stand left of '~'; for contrasts call .contrast() or .pairs()"
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
            listed = ", ".join(map(repr, known)) or "none"
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
        raise ArgumentError(f"specs {specs!r} cannot be read; write such as '~ A * B | C'")
    return names
