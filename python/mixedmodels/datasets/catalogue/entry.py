"""The description of one data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill


@dataclass(frozen=True)
class DataSet:
    """
    The description of a packaged data set.

    Attributes
    ----------
    name : str
        Name as in R; also the name of the file.
    title : str
        One line, without a full stop.
    about : str
        How the data came about.
    columns : mapping of str to str
        Meaning, and unit where there is one, of each column in order.
    n_rows : int
        Number of rows.
    origin : str
        The R package the values were read from, and what was added.
    references : tuple of str
        Publications, as given by the R package, completed.
    """

    name: str
    title: str
    about: str
    columns: Mapping[str, str]
    n_rows: int
    origin: str
    references: tuple[str, ...] = ()

    @property
    def loader(self) -> str:
        """The name of the function that loads it."""
        return f"load_{self.name.lower()}"

    def docstring(self) -> str:
        """The documentation of the loader."""
        shape = (self.n_rows, len(self.columns))
        lines = [f"{self.title}.", "", _wrap(self.about), ""]
        lines += ["Returns", "-------", f"pandas.DataFrame, {shape[0]} rows and {shape[1]} columns"]
        for column, meaning in self.columns.items():
            lines.append(_wrap(f"``{column}``: {meaning}.", indent=4))
        lines += ["", "Notes", "-----", _wrap(f"Origin: {self.origin}."), ""]
        if self.references:
            lines += ["References", "----------"]
            lines += [_wrap(f".. [{i}] {text}", hang=3) for i, text in enumerate(self.references, start=1)]
            lines.append("")
        lines += ["Examples", "--------", f">>> from mixedmodels.datasets import {self.loader}"]
        lines += [f">>> {self.loader}().shape", str(shape)]
        return "\n".join(lines) + "\n"


def _wrap(text: str, indent: int = 0, hang: int = 0) -> str:
    return fill(
        text, 96, initial_indent=" " * indent, subsequent_indent=" " * (indent + hang), break_long_words=False
    )
