"""Several models side by side, for publications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from ..checks import flag, one_of, shown
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..inference.basis.choice import DdfName, Vcov, bases_of
from ..inference.basis.headings import by_method
from ..inference.basis.kinds import DegreesOfFreedom
from ..inference.likelihood.model_differences import check_names, described
from ..render.markup import html_table, latex_table, markdown_lines, markdown_table
from ..render.text_table import TextTable
from ..wording import display_width
from .model_cells import CellStyle, check_facts, default_facts, fact_cells, fixed_cells, random_cells

Format = Literal["text", "html", "latex", "markdown"]
FORMATS: tuple[Format, ...] = ("text", "html", "latex", "markdown")
_PARTS = ("fixed", "random", "fit")


@dataclass(frozen=True, eq=False, repr=False)
class ModelTable:
    """
    A table of models; it prints in its format, and shows as HTML in notebooks.

    Attributes
    ----------
    frame : DataFrame
        Texts: a row for each estimate or fact, a column for each model; the index has the levels ``part``
        ("fixed", "random", "fit") and ``term``.
    notes : tuple of str
        Legend, methods, and remarks.
    format : {"text", "html", "latex", "markdown"}
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]
    format: Format = "text"

    def __str__(self) -> str:
        return {
            "text": self.to_text,
            "html": self.to_html,
            "latex": self.to_latex,
            "markdown": self.to_markdown,
        }[self.format]()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_text(self) -> str:
        """Aligned columns."""
        bodies = self._bodies()
        lines = TextTable(self._headings(), tuple(row for body in bodies for row in body)).text().split("\n")
        rule = "-" * max(map(display_width, lines))
        result, rest = [lines[0]], iter(lines[1:])
        for body in bodies:
            result += [rule, *(next(rest) for _ in body)]
        return "\n".join([*result, *self.notes])

    def to_html(self) -> str:
        """A ``<table>`` with a body for each part."""
        return html_table(self._headings(), self._bodies(), notes=self.notes)

    def to_latex(self) -> str:
        """A ``tabular`` with the rules of the booktabs package."""
        return latex_table(self._headings(), self._bodies(), notes=self.notes)

    def to_markdown(self) -> str:
        """A table of GitHub's flavour of Markdown."""
        rows = [row for body in self._bodies() for row in body]
        return f"{markdown_table(self._headings(), rows)}\n\n{markdown_lines(self.notes)}"

    def _headings(self) -> tuple[str, ...]:
        return ("", *map(str, self.frame.columns))

    def _bodies(self) -> list[list[tuple[str, ...]]]:
        """The rows of each part."""
        bodies: dict[str, list[tuple[str, ...]]] = {}
        for (part, term), cells in zip(self.frame.index, self.frame.to_numpy(), strict=True):
            bodies.setdefault(part, []).append((str(term), *map(str, cells)))
        return list(bodies.values())


def compare_models(
    models: Sequence[FittedModel],
    names: Any = None,
    format: str = "text",
    ddf: DdfName | None = None,
    vcov: Vcov | Sequence[Vcov | None] | None = None,
    coefficients: Any = None,
    random: bool = True,
    facts: Any = None,
    style: CellStyle | None = None,
) -> ModelTable:
    """See :func:`mixedmodels.model_table`."""
    labels = check_names(models, names)
    chosen: Any = one_of("format", format, FORMATS)
    style = CellStyle.of() if style is None else style
    bases = bases_of(models, ddf, vcov)
    fixed = [fixed_cells(model, basis, style) for model, basis in zip(models, bases, strict=True)]
    parts = {"fixed": _chosen(fixed, coefficients)}
    if flag("random", random):
        parts["random"] = _rows(random_cells(model, style) for model in models)
    parts["fit"], missing = {}, []
    for name in check_facts(default_facts(models) if facts is None else facts):
        cells = [fact_cells(model, name, style) for model in models]
        parts["fit"] |= _rows(found for found, _ in cells)
        missing += [f"{label}: {note}" for label, (_, note) in zip(labels, cells, strict=True) if note]
    index = [(part, term) for part in _PARTS if part in parts for term in parts[part]]
    frame = pd.DataFrame(
        [parts[part][term] for part, term in index],
        index=pd.MultiIndex.from_arrays(
            [[part for part, _ in index], [term for _, term in index]], names=["part", "term"]
        ),
        columns=labels,
        dtype=object,
    )
    notes = [style.legend(models), *_method_notes(labels, bases, style)]
    notes += [f"{label}: {note}" for label, basis in zip(labels, bases, strict=True) for note in basis.notes]
    notes += missing
    formulas = [model.design.formula.text for model in models]
    if len(set(formulas)) < len(formulas):
        notes += described(models, labels)
    return ModelTable(frame, tuple(notes), chosen)


def _rows(columns: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """Each term's cells, blank where a model does not have it."""
    columns = list(columns)
    terms = dict.fromkeys(term for column in columns for term in column)
    return {term: [column.get(term, "") for column in columns] for term in terms}


def _chosen(columns: Sequence[Mapping[str, str]], coefficients: Any) -> dict[str, list[str]]:
    """The coefficients asked for, in that order and under those names."""
    rows = _rows(columns)
    if coefficients is None:
        return rows
    if isinstance(coefficients, str):
        coefficients = [coefficients]
    if not isinstance(coefficients, Iterable) or not all(isinstance(c, str) for c in coefficients):
        raise ArgumentError(
            "coefficients must be names of coefficients, or a mapping of these to other names, not "
            f"{shown(coefficients)}"
        )
    wanted = dict(coefficients) if isinstance(coefficients, Mapping) else {c: c for c in coefficients}
    for name in wanted:
        if name not in rows:
            raise ArgumentError(
                f"coefficients: no model has {name!r}; there are {', '.join(map(repr, list(rows)[:20]))}"
            )
    if len(set(wanted.values())) < len(wanted):
        raise ArgumentError(f"coefficients: the names shown must differ, got {list(wanted.values())!r}")
    return {str(title): rows[name] for name, title in wanted.items()}


def _method_notes(labels: Sequence[str], bases: Sequence[DegreesOfFreedom], style: CellStyle) -> list[str]:
    """Where the p-values and limits come from."""
    if len({basis.label for basis in bases}) == 1:
        return [by_method("Tests", bases[0])] if style.tests else []
    by = "Tests" if style.tests else "Standard errors"
    return [by_method(f"{by} of {label}", basis) for label, basis in zip(labels, bases, strict=True)]
