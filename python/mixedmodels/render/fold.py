"""Texts folded to a width at places where a reader expects it: after spaces, then after punctuation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..wording import display_width

# Where a text may break, the best places first.
_PLACES = tuple(map(re.compile, (r"[^ ]* *", r"[^:|,;]*[:|,;]*", r"[^._/\-]*[._/\-]*", r".")))


def folded(text: str, width: int | None, indent: str = "") -> list[str]:
    """
    The lines of a text, none wider than `width`.

    Parameters
    ----------
    text : str
        Spaces at its beginning are kept.
    width : int or None
        Terminal columns; None for no limit.
    indent : str
        The beginning of all lines but the first.
    """
    if width is None or display_width(text) <= width:
        return [text]
    lines = [text[: len(text) - len(text.lstrip())]]
    bare = True
    for piece in _pieces(text.strip(), width - len(indent)):
        if not bare and display_width(lines[-1] + piece.rstrip()) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append(indent)
        lines[-1] += piece
        bare = False
    return [line.rstrip() for line in lines]


def least_width(text: str) -> int:
    """The width to which a text can be folded without breaking words at more than separators of names."""
    return max((display_width(piece.rstrip()) for piece in _split(text, 1)), default=0)


def all_folded(lines: Sequence[str], width: int | None, indent: str = "   ") -> list[str]:
    """The folded lines of several texts."""
    return [part for line in lines for part in folded(line, width, indent)]


def _pieces(text: str, width: int, place: int = 0) -> list[str]:
    """Pieces that fit the width, broken at the best places only."""
    found = []
    for piece in _PLACES[place].findall(text):
        if display_width(piece.rstrip()) <= width or place + 1 == len(_PLACES):
            found.append(piece)
        else:
            found += _pieces(piece, width, place + 1)
    return [piece for piece in found if piece]


def _split(text: str, place: int) -> list[str]:
    if place < 0:
        return [text]
    return [piece for part in _split(text, place - 1) for piece in _PLACES[place].findall(part) if piece]
