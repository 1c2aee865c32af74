"""Several models side by side, for publications."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..checks import flag, one_of, shown
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..inference.basis.choice import DdfName, Vcov, bases_of
from ..inference.basis.degrees_of_freedom import DegreesOfFreedom, by_method
from ..inference.likelihood.model_differences import check_names, described
from ..render.page import Page, Table
from ..render.printed import Printed
from ..render.style import Style
from ..wording import listed
from .model_cells import (
    Cell,
    CellStyle,
    check_facts,
    default_facts,
    estimates_name,
    fact_cells,
    fixed_cells,
    random_cells,
)

Format = Literal["text", "html", "latex", "markdown"]
FORMATS: tuple[Format, ...] = ("text", "html", "latex", "markdown")
_PARTS = ("fixed", "random", "fit")


@dataclass(frozen=True, eq=False, repr=False)
class ModelTable(Printed):
    """
    Models side by side; the table prints in its format, and shows as HTML in notebooks.

    Numbers have ``digits`` decimals, in `to_text` and its like too, or so many significant digits where they
    are very small or large.

    Attributes
    ----------
    names : tuple of str
        The models.
    rows : dict of (str, str) to list
        The cells of each part ("fixed", "random", "fit") and term, one for each model; None for a model
        without the term.
    style : CellStyle
    estimates : str
        The name of the values shown, such as ``Odds ratios``.
    remarks : tuple of str
        Methods and other remarks, printed below the legend.
    format : {"text", "html", "latex", "markdown"}

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, model_table
    >>> table = model_table(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()), names=["slopes"])
    >>> table.frame.loc["fixed", "slopes"].to_dict()
    {'(Intercept)': '251.405 (6.825)', 'Days': '10.467 (1.546)'}
    """

    names: tuple[str, ...]
    rows: dict[tuple[str, str], list[Cell | None]]
    style: CellStyle
    estimates: str
    remarks: tuple[str, ...]
    format: Format = "text"

    @property
    def frame(self) -> pd.DataFrame:
        """
        The cells as texts.

        Returns
        -------
        DataFrame
            A row for each estimate or fact, a column for each model; the index has the levels ``part``
            ("fixed", "random", "fit") and ``term``.
        """
        return self._frame(self.style)

    @property
    def notes(self) -> tuple[str, ...]:
        """Legend, methods, and remarks."""
        return (self.style.legend(self.estimates), *self.remarks)

    def to_frame(self) -> pd.DataFrame:
        """
        The cells as texts in a data frame, see `frame`.

        Returns
        -------
        DataFrame
        """
        return self.frame

    def __str__(self) -> str:
        return super().__str__() if self.format == "text" else getattr(self, f"to_{self.format}")()

    def _frame(self, style: CellStyle) -> pd.DataFrame:
        texts = [["" if cell is None else cell.text(style) for cell in cells] for cells in self.rows.values()]
        parts, terms = [part for part, _ in self.rows], [term for _, term in self.rows]
        index = pd.MultiIndex.from_arrays([parts, terms], names=["part", "term"])
        return pd.DataFrame(texts, index=index, columns=list(self.names), dtype=object)

    def _page(self, style: Style) -> Page:
        own = self.style.changed(style)
        frame = self._frame(own)
        columns = [("", [str(term) for term in frame.index.get_level_values("term")])]
        columns += [(str(name), list(frame[name])) for name in frame]
        places: dict[str, list[int]] = {}
        for i, part in enumerate(frame.index.get_level_values("part")):
            places.setdefault(part, []).append(i)
        groups = [("", rows) for rows in places.values()]
        notes = dataclasses.replace(self, style=own).notes
        return Page.of(Table.from_columns(columns, groups=groups), notes=notes)


def compare_models(
    models: Sequence[FittedModel],
    names: Any = None,
    format: str = "text",
    coefficients: Any = None,
    random: bool = True,
    facts: Any = None,
    style: CellStyle | None = None,
    *,
    ddf: DdfName | None = None,
    vcov: Vcov | Sequence[Vcov | None] | None = None,
) -> ModelTable:
    """See :func:`mixedmodels.model_table`."""
    labels = check_names(models, names)
    chosen: Any = one_of("format", format, FORMATS)
    style = CellStyle.of() if style is None else style
    bases = bases_of(models, ddf, vcov)
    fixed = [fixed_cells(model, basis, style) for model, basis in zip(models, bases, strict=True)]
    parts = {"fixed": _chosen(fixed, coefficients)}
    if flag("random", random):
        parts["random"] = _rows(random_cells(model) for model in models)
    parts["fit"], missing = {}, []
    for name in check_facts(default_facts(models) if facts is None else facts):
        cells = [fact_cells(model, name) for model in models]
        parts["fit"] |= _rows(found for found, _ in cells)
        missing += [f"{label}: {note}" for label, (_, note) in zip(labels, cells, strict=True) if note]
    rows = {(part, term): parts[part][term] for part in _PARTS if part in parts for term in parts[part]}
    notes = _method_notes(labels, models, bases, style)
    notes += [f"{label}: {note}" for label, basis in zip(labels, bases, strict=True) for note in basis.notes]
    notes += missing
    formulas = [model.design.formula.text for model in models]
    if len(set(formulas)) < len(formulas):
        notes += described(models, labels)
    estimates = estimates_name(models, style.exponentiate)
    return ModelTable(tuple(labels), rows, style, estimates, tuple(notes), chosen)


def _rows(columns: Iterable[Mapping[str, Cell]]) -> dict[str, list[Cell | None]]:
    """The cells of each term, None where a model does not have it."""
    columns = list(columns)
    terms = dict.fromkeys(term for column in columns for term in column)
    return {term: [column.get(term) for column in columns] for term in terms}


def _chosen(columns: Sequence[Mapping[str, Cell]], coefficients: Any) -> dict[str, list[Cell | None]]:
    """The chosen coefficients in the order and under the names asked for."""
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
            known = listed(list(map(repr, rows)), most=20)
            raise ArgumentError(f"coefficients: no model has {name!r}; the coefficients are: {known}")
    if len(set(wanted.values())) < len(wanted):
        raise ArgumentError(f"coefficients: the names shown must differ, got {list(wanted.values())!r}")
    return {str(title): rows[name] for name, title in wanted.items()}


def _method_notes(
    labels: Sequence[str],
    models: Sequence[FittedModel],
    bases: Sequence[DegreesOfFreedom],
    style: CellStyle,
) -> list[str]:
    """How p-values and limits were computed."""
    if len({basis.label for basis in bases}) == 1:
        if style.tests:
            return [by_method("Tests", bases[0])]
        own = all(np.array_equal(m.covariance(), b.covariance) for m, b in zip(models, bases, strict=True))
        return [] if own or "std.error" not in style.show else [by_method("Standard errors", bases[0])]
    by = "Tests" if style.tests else "Standard errors"
    return [by_method(f"{by} of {label}", basis) for label, basis in zip(labels, bases, strict=True)]
