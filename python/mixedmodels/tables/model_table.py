"""Several models side by side, for publications."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ..errors import ArgumentError
from ..fitted_model import FittedModel
from ..formatting import TextTable, format_number, format_p_value
from ..inference import criteria
from ..inference.coefficient_tests import function_tests
from ..inference.degrees_of_freedom import degrees_of_freedom
from ..inference.intervals import t_quantile
from ..inference.model_selection import check_names
from ..inference.random_effects import numbers_of_levels
from .tidy import tidy_table

Format = Literal["text", "html", "latex", "markdown"]
FORMATS: tuple[Format, ...] = ("text", "html", "latex", "markdown")
Show = Literal["std.error", "conf.int", "p.value"]
SHOWN: tuple[Show, ...] = ("std.error", "conf.int", "p.value")
_DIGITS = 3


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
        What the cells hold.
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
        columns = [("", self._terms())]
        columns += [(str(name), self.frame[name].tolist()) for name in self.frame]
        lines = TextTable.from_columns(columns).text().split("\n")
        width = max(map(len, lines))
        result = [lines[0], "-" * width]
        for i, line in enumerate(lines[1:]):
            if i in self._breaks():
                result.append("-" * width)
            result.append(line)
        return "\n".join([*result, *self.notes])

    def to_html(self) -> str:
        """A ``<table>`` with a body for each part."""
        head = "".join(f"<th>{html.escape(str(name))}</th>" for name in self.frame)
        body = ""
        for part in self.frame.index.unique("part"):
            rows = self.frame.xs(part, level="part")
            body += "<tbody>" + "".join(_html_row(term, cells) for term, cells in _rows(rows)) + "</tbody>"
        span = 1 + self.frame.shape[1]
        foot = "<br>".join(map(html.escape, self.notes))
        return (
            f"<table><thead><tr><th></th>{head}</tr></thead>{body}"
            f'<tfoot><tr><td colspan="{span}">{foot}</td></tr></tfoot></table>'
        )

    def to_latex(self) -> str:
        """A ``tabular`` with the rules of the booktabs package."""
        lines = [rf"\begin{{tabular}}{{l{'r' * self.frame.shape[1]}}}", r"\toprule"]
        lines += [_latex_row(["", *map(str, self.frame.columns)]), r"\midrule"]
        for i, (term, cells) in enumerate(_rows(self.frame.droplevel("part"))):
            if i in self._breaks():
                lines.append(r"\midrule")
            lines.append(_latex_row([term, *cells]))
        lines.append(r"\bottomrule")
        span = 1 + self.frame.shape[1]
        lines += [rf"\multicolumn{{{span}}}{{l}}{{{_latex(note)}}} \\" for note in self.notes]
        return "\n".join([*lines, r"\end{tabular}"])

    def to_markdown(self) -> str:
        """A table of GitHub's flavour of Markdown."""
        lines = [_markdown_row(["", *map(str, self.frame.columns)])]
        lines.append("|:--|" + "--:|" * self.frame.shape[1])
        lines += [_markdown_row([term, *cells]) for term, cells in _rows(self.frame.droplevel("part"))]
        return "\n".join([*lines, "", "  \n".join(self.notes)])

    def _terms(self) -> list[str]:
        return [str(term) for term in self.frame.index.get_level_values("term")]

    def _breaks(self) -> set[int]:
        """Rows that begin a part, but for the first."""
        parts = self.frame.index.get_level_values("part")
        return {i for i in range(1, len(parts)) if parts[i] != parts[i - 1]}


def compare_models(
    models: Sequence[FittedModel],
    names: Any = None,
    format: str = "text",
    show: str = "std.error",
    ddf: Any = None,
) -> ModelTable:
    """See :func:`mixedmodels.model_table`."""
    labels = check_names(models, names)
    chosen: Any = _one_of("format", format, FORMATS)
    what: Any = _one_of("show", show, SHOWN)
    columns, methods = [], []
    for model in models:
        basis = degrees_of_freedom(model, ddf)
        methods.append(basis.label)
        columns.append({**_fixed(model, basis, what), **_random(model), **_facts(model)})
    keys = sorted(
        dict.fromkeys(key for column in columns for key in column), key=lambda key: _PARTS.index(key[0])
    )
    index = pd.MultiIndex.from_tuples(keys, names=["part", "term"])
    frame = pd.DataFrame(
        [[column.get(key, "") for column in columns] for key in keys],
        index=index,
        columns=labels,
        dtype=object,
    )
    return ModelTable(frame, (_LEGENDS[what], *_method_notes(labels, methods, what)), chosen)


_PARTS = ("fixed", "random", "fit")
_LEGENDS = {
    "std.error": "Estimates with standard errors in parentheses",
    "conf.int": "Estimates with 95 % confidence limits in brackets",
    "p.value": "Estimates with p-values in parentheses",
}


def _fixed(fitted: FittedModel, basis: Any, show: Show) -> dict[tuple[str, str], str]:
    p = len(basis.beta)
    table = function_tests(basis, np.eye(p), np.zeros(p))
    half = t_quantile(0.975, basis.df(np.eye(p))) * table["Std. Error"].to_numpy()
    result = {}
    for i, j in enumerate(fitted.estimates.kept.tolist()):
        estimate, error = float(table["Estimate"].iloc[i]), float(table["Std. Error"].iloc[i])
        p_value = float(table.iloc[i, -1])
        extra = {
            "std.error": f"({_number(error)})",
            "conf.int": f"[{_number(estimate - half[i])}, {_number(estimate + half[i])}]",
            "p.value": f"({format_p_value(p_value)})",
        }[show]
        result["fixed", fitted.design.x_names[j]] = f"{_number(estimate)} {extra}"
    return result


def _random(fitted: FittedModel) -> dict[tuple[str, str], str]:
    result = {}
    table = tidy_table(fitted, "ran_pars")
    for group, term, estimate in zip(table["group"], table["term"], table["estimate"], strict=True):
        kind, _, name = term.partition("__")
        label = "SD residual" if name == "Observation" else f"{kind.upper()} {name} | {group}"
        result["random", label] = _number(estimate)
    return result


def _facts(fitted: FittedModel) -> dict[tuple[str, str], str]:
    facts = {"Observations": str(fitted.n_obs)}
    facts |= {f"Groups of {name}": str(count) for name, count in numbers_of_levels(fitted).items()}
    likelihood = -fitted.estimates.objective / 2
    restricted = getattr(fitted, "reml", False)
    facts["Log-likelihood (REML)" if restricted else "Log-likelihood"] = f"{likelihood:.2f}"
    facts["AIC"] = f"{criteria.aic(fitted):.2f}"
    facts["BIC"] = f"{criteria.bic(fitted):.2f}"
    return {("fit", name): value for name, value in facts.items()}


def _method_notes(labels: Sequence[str], methods: Sequence[str], show: Show) -> list[str]:
    """Where the p-values and limits come from."""
    if len(set(methods)) == 1:
        return [f"By {methods[0]}"] if show != "std.error" else []
    by = "Standard errors" if show == "std.error" else "Tests"
    return [f"{by} of {label} by {method}" for label, method in zip(labels, methods, strict=True)]


def _number(value: float) -> str:
    """Three decimals, or as many significant digits for small and large numbers."""
    if math.isnan(value) or (value != 0 and not 1e-3 <= abs(value) < 1e6):
        return format_number(value, _DIGITS).strip()
    return f"{value:.{_DIGITS}f}"


def _one_of(what: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise ArgumentError(f"{what} must be one of {', '.join(map(repr, known))}, not {value!r}")
    return value


def _rows(frame: pd.DataFrame) -> list[tuple[str, list[str]]]:
    return [
        (str(term), list(map(str, cells))) for term, cells in zip(frame.index, frame.to_numpy(), strict=True)
    ]


def _html_row(term: str, cells: Sequence[str]) -> str:
    shown = "".join(f'<td style="text-align:right">{html.escape(cell)}</td>' for cell in cells)
    return f'<tr><td style="text-align:left">{html.escape(term)}</td>{shown}</tr>'


def _markdown_row(cells: Sequence[str]) -> str:
    escaped = [cell.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*") for cell in cells]
    return f"| {' | '.join(escaped)} |"


_LATEX = str.maketrans({
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "^": r"\textasciicircum{}",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "%": r"\%",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
})  # fmt: skip


def _latex(text: str) -> str:
    return text.translate(_LATEX)


def _latex_row(cells: Sequence[str]) -> str:
    # A bracket at the start of a row would be taken as an argument of the line break before it.
    return " & ".join(map(_latex, cells)) + r" \\"
