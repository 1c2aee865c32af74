"""The model of a printed result: sections of lines, a table or facts, and notes, all plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..wording import one_line

Row = tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """
    Consecutive rows of a table.

    Attributes
    ----------
    rows : tuple of tuple of str
    title : str
        Shown above the rows; may be empty.
    """

    rows: tuple[Row, ...]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """
    Cells under headings, in groups of rows.

    Attributes
    ----------
    headings : tuple of str
    groups : tuple of Group
    left : frozenset of int
        Columns of text, aligned to the left; numbers are aligned to the right.
    labels : int
        So many leading columns name the row. A table that is too wide for a terminal repeats them.
    joined : frozenset of int
        Columns that are printed beside the column before them where that fits, such as upper limits.
    """

    headings: Row
    groups: tuple[Group, ...]
    left: frozenset[int] = frozenset({0})
    labels: int = 1
    joined: frozenset[int] = frozenset()

    @classmethod
    def from_columns(
        cls,
        columns: Sequence[tuple[str, Sequence[str]]],
        left: Iterable[int] = (0,),
        labels: int = 1,
        groups: Sequence[tuple[str, Sequence[int]]] | None = None,
        joined: Iterable[int] = (),
    ) -> Table:
        """
        A table from its columns.

        Parameters
        ----------
        columns : sequence of (str, sequence of str)
            Headings and cells.
        left : iterable of int
        labels : int
        groups : sequence of (str, sequence of int), optional
            Titles and positions of the rows of each group; by default one group of all rows.
        joined : iterable of int
        """
        left = frozenset(left) & frozenset(range(len(columns)))
        headings = tuple(one_line(heading) for heading, _ in columns)
        cells = [
            tuple(one_line(text if j in left else text.strip()) for text in texts)
            for j, (_, texts) in enumerate(columns)
        ]
        rows = tuple(zip(*cells, strict=True))
        if groups is None:
            parts = (Group(rows),)
        else:
            parts = tuple(Group(tuple(rows[i] for i in places), one_line(title)) for title, places in groups)
        return cls(headings, parts, left, labels, frozenset(joined))

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all groups."""
        return tuple(row for group in self.groups for row in group.rows)

    @property
    def titled(self) -> bool:
        """Whether some group has a title."""
        return any(group.title for group in self.groups)


@dataclass(frozen=True)
class Facts:
    """
    A few named values: a small table in text, a line elsewhere.

    Attributes
    ----------
    pairs : tuple of (str, str)
    inline : bool
        A line in text, too, after the heading.
    """

    pairs: tuple[tuple[str, str], ...]
    inline: bool = False

    def table(self) -> Table:
        """One row under the names."""
        return Table.from_columns([(name, [value]) for name, value in self.pairs], (), 0)

    def words(self) -> list[str]:
        """``name value``, without the padding of columns."""
        return [f"{one_line(name)} {one_line(value).strip()}" for name, value in self.pairs]


@dataclass(frozen=True)
class Section:
    """
    One part of a page.

    Attributes
    ----------
    heading : tuple of str
        Lines above; the first one is emphasised where the format can.
    body : Table, Facts or None
    notes : tuple of str
        Lines below.
    spaced : bool
        Whether a blank line comes before the notes in text.
    """

    heading: tuple[str, ...] = ()
    body: Table | Facts | None = None
    notes: tuple[str, ...] = ()
    spaced: bool = False

    def __post_init__(self) -> None:
        for name in ("heading", "notes"):
            object.__setattr__(self, name, tuple(map(one_line, getattr(self, name))))


@dataclass(frozen=True)
class Page:
    """A printed result: sections from top to bottom."""

    sections: tuple[Section, ...] = field(default=())

    @classmethod
    def of(cls, body: Table | Facts | None, heading: Iterable[str] = (), notes: Iterable[str] = ()) -> Page:
        """A page of one section."""
        return cls((Section(tuple(heading), body, tuple(notes)),))
