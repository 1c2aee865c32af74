"""Checks of plain arguments: one of several names, True or False, a probability."""

from __future__ import annotations

import errno
import numbers
import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ArgumentError
from .wording import nearest


def one_of(name: str, value: Any, choices: Iterable[str]) -> Any:
    """
    The value, when it is one of the names that the argument `name` takes.

    Raises
    ------
    ArgumentError
        For anything else; it lists the choices and suggests the nearest.
    """
    known = list(choices)
    if isinstance(value, str) and value in known:
        return value
    listed = ", ".join(map(repr, known))
    raise ArgumentError(f"{name} must be one of {listed}, not {shown(value)}{nearest(value, known)}")


def some_of(name: str, value: Any, choices: Iterable[str]) -> tuple[Any, ...]:
    """One of the names that the argument `name` takes, or several of them in a list or tuple."""
    known = list(choices)
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, (list, tuple)):
        listed = ", ".join(map(repr, known))
        raise ArgumentError(f"{name} must be one of {listed}, or a list of them, not {shown(value)}")
    return tuple([one_of(name, part, known) for part in values])


def several_texts(name: str, value: Any) -> list[str]:
    """One string or several in a list or tuple; ArgumentError for anything else."""
    values = [value] if isinstance(value, str) else value
    if isinstance(values, (list, tuple)) and all(isinstance(part, str) for part in values):
        return list(values)
    raise ArgumentError(f"{name} must be a string or a list of strings, not {shown(value)}")


def chosen(name: str, value: Any, known: Sequence[str]) -> list[int]:
    """
    The places of names, or of those that match a pattern such as ``"sd_*"``; all of them for None.

    Raises
    ------
    ArgumentError
        For a name that is not known, a pattern without a match, and no names at all.
    """
    if value is None:
        return list(range(len(known)))
    places: list[int] = []
    texts = several_texts(name, value)
    if not texts:
        raise ArgumentError(f"{name} is empty; leave it out for all, or name some of {', '.join(known)}")
    for text in texts:
        # Only * and ? stand for other characters: names such as f[T.b] have brackets of their own.
        found = [j for j, own in enumerate(known) if own == text]
        found = found or [j for j, own in enumerate(known) if fnmatchcase(own, text.replace("[", "[[]"))]
        if not found:
            raise ArgumentError(
                f"{name}: there is no {shown(text)}{nearest(text, known)}; the names are {', '.join(known)}"
            )
        places += [j for j in found if j not in places]
    return places


def flag(name: str, value: Any) -> bool:
    """The value, when it is True or False; ArgumentError for anything else."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise ArgumentError(f"{name} must be True or False, not {shown(value)}")


def optional_flag(name: str, value: Any) -> bool | None:
    """The value, when it is True, False or None; ArgumentError for anything else."""
    if value is None or isinstance(value, (bool, np.bool_)):
        return None if value is None else bool(value)
    raise ArgumentError(f"{name} must be True, False or None, not {shown(value)}")


def probability(name: str, value: Any) -> float:
    """A number strictly between 0 and 1, such as a confidence level."""
    if isinstance(value, numbers.Real) and not isinstance(value, bool) and 0.0 < float(value) < 1.0:
        return float(value)
    raise ArgumentError(f"{name} must be a number between 0 and 1, not {shown(value)}")


def probabilities(name: str, values: Any) -> list[float]:
    """Numbers strictly between 0 and 1."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ArgumentError(
            f"{name} must be a list of numbers between 0 and 1, such as [0.5, 0.95], not {shown(values)}"
        )
    return [probability(f"{name}: each", value) for value in values]


def whole_number(name: str, value: Any, least: int, most: int | None = None) -> int:
    """A whole number in a range; ArgumentError for anything else."""
    good = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if good and least <= int(value) and (most is None or int(value) <= most):
        return int(value)
    range_ = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise ArgumentError(f"{name} must be a whole number {range_}, not {shown(value)}")


def positive_number(name: str, value: Any) -> float:
    """A positive finite number; ArgumentError for anything else."""
    good = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if good and 0.0 < float(value) < float("inf"):
        return float(value)
    raise ArgumentError(f"{name} must be a positive finite number, not {shown(value)}")


def finite_number(name: str, value: Any) -> float:
    """A finite number; ArgumentError for anything else."""
    good = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if good and np.isfinite(float(value)):
        return float(value)
    raise ArgumentError(f"{name} must be a finite number, not {shown(value)}")


def random_generator(rng: Any) -> np.random.Generator:
    """The generator of the argument `rng`: a whole number, a Generator, or None for a new one."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"rng must be a whole number of at least 0, a numpy Generator or None, not {shown(rng)}"
        ) from None


def check_path(function: str, argument: str, path: Any) -> None:
    """
    Refuse everything that cannot be the name of a file.

    Raises
    ------
    ArgumentError
    """
    if not isinstance(path, (str, os.PathLike)) or not str(path).strip():
        raise ArgumentError(f"{function}: {argument} must be a path or an open file, not {shown(path)}")
    if Path(path).is_dir():
        raise ArgumentError(f"{function}: {path} is a folder; give the name of a file")


def check_folder(function: str, path: Path) -> None:
    """
    Refuse a file in a folder that does not exist.

    Raises
    ------
    FileNotFoundError
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"{function}: there is no folder {path.parent}", str(path))


def shown(value: Any) -> str:
    """The value as a message quotes it: a large one by its type."""
    text = repr(value) if isinstance(value, (str, numbers.Number, type(None))) else ""
    return text if 0 < len(text) <= 60 else f"a value of type {type(value).__name__}"
