"""Effects and coefficients by name or pattern."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from ..checks import several_texts, shown
from ..errors import ArgumentError
from ..wording import listed, nearest


def chosen(argument: str, value: Any, known: Sequence[str]) -> list[int]:
    """
    The places of names, or of those that match a pattern such as ``"Days*"``; all of them for None.

    Raises
    ------
    ArgumentError
        For a name that is not known and a pattern without a match.
    """
    if value is None:
        return list(range(len(known)))
    places: list[int] = []
    for text in several_texts(argument, value):
        # Only * and ? stand for other characters: names such as f[T.b] have brackets of their own.
        found = [j for j, own in enumerate(known) if own == text]
        found = found or [j for j, own in enumerate(known) if fnmatchcase(own, text.replace("[", "[[]"))]
        if not found:
            raise ArgumentError(
                f"{argument}: there is no {shown(text)}{nearest(text, known)}; the names are {listed(known)}"
            )
        places += [j for j in found if j not in places]
    return places
