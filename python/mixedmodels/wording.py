"""Names and lists in sentences, for messages and labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches


def display_width(text: str) -> int:
    """Number of terminal columns a text takes: wide East Asian characters take two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def one_line(text: str) -> str:
    """A name with characters that would break a table row escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def capital(text: str) -> str:
    """The text with its first letter capitalised and the rest unchanged."""
    return text[:1].upper() + text[1:]


def listed(parts: Sequence[str], separator: str = ", ", most: int = 5) -> str:
    """The parts joined for a sentence; a long list is cut short and its length given."""
    more = f"{separator}... ({len(parts)} in all)" if len(parts) > most else ""
    return separator.join(parts[:most]) + more


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, with ``.1``, ``.2``, ... appended to repeats."""
    counts: dict[str, int] = {}
    result = []
    for name in names:
        count = counts.get(name, 0)
        result.append(f"{name}.{count}" if count else name)
        counts[name] = count + 1
    return result


def a_kind(value: object) -> str:
    """The type of a value with its article: ``an int``, ``a list``; ``None`` is itself."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def counted(n: int, what: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def shorten(text: str, width: int) -> str:
    """A name cut to a width, with an ellipsis at the cut."""
    if display_width(text) <= width:
        return text
    kept = ""
    for c in text:
        if display_width(kept + c) >= width:
            break
        kept += c
    return kept + "…"


def nearest(
    name: object,
    known: Iterable[str],
    most: int = 1,
    write: Callable[[str], str] = repr,
    alike: float = 0.6,
) -> str:
    """
    The end of a message, suggesting the nearest of some names; empty when no name is near.

    Parameters
    ----------
    name : object
        What the user gave; only strings have near names.
    known : iterable of str
    most : int
        How many names to suggest.
    write : callable
        How a name is written.
    alike : float
        How alike names must be, from 0 to 1; among many names some are alike by chance.
    """
    folded = {own.casefold(): own for own in known}
    close = get_close_matches(name.casefold(), folded, n=most, cutoff=alike) if isinstance(name, str) else []
    return f"; did you mean {' or '.join(write(folded[own]) for own in close)}?" if close else ""


def _columns(c: str) -> int:
    if unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1
