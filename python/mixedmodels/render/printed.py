"""Results that print, in every format from one description."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from ..checks import shown, whole_number
from ..errors import ArgumentError
from .html import html_page
from .latex import latex_page
from .markdown import markdown_page
from .numbers import PStyle
from .page import Page
from .style import Style
from .text import text_page

# More rows are in the files and texts that the methods write, but not in what the console and notebooks show.
_MOST_ROWS = 200


class TextFile(Protocol):
    """An open file, or anything else with a ``write`` method for text."""

    def write(self, text: str, /) -> object: ...


Target = str | PathLike[str] | TextFile | None


class Printed(ABC):
    """
    A result that prints in text, HTML, LaTeX and Markdown, without any other package.

    A class of results describes itself once, as a `Page`; the formats are made from that.
    """

    @abstractmethod
    def _page(self, style: Style) -> Page:
        """The printed result, independent of the format."""

    def __str__(self) -> str:
        return text_page(self._page(Style(most_rows=_MOST_ROWS)))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return html_page(self._page(Style(most_rows=_MOST_ROWS)))

    def to_text(
        self,
        buf: Target = None,
        *,
        digits: int | None = None,
        p_style: PStyle | None = None,
        width: int | None = None,
        **options: object,
    ) -> Any:
        """
        Plain text with aligned columns.

        Parameters
        ----------
        buf : path or file, optional
            Where to write the text; by default it is returned.
        digits : int, optional
            Significant digits of the smallest estimate in a column, from 1 to 15; by default those that the
            result prints with.
        p_style : {"exact", "apa"}, optional
            P-values with significant digits down to ``<2e-16``, or as APA style writes them: ``.012``,
            ``< .001``. By default "exact", or the style that the result was made with.
        width : int, optional
            Terminal columns, at least 40. In wider tables long names are folded, then the columns are printed
            in blocks one below the other; nothing is cut. By default the width of the terminal; without one,
            80 for tables, while sentences stay in one line.
        **options : object
            Refused.

        Returns
        -------
        str or None
            None when `buf` is given.

        Raises
        ------
        ArgumentError
            For a wrong value, and for unknown arguments.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> m = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff())
        >>> print(m.VarCorr().to_text(digits=3))
         Groups    Name         Variance  Std.Dev.
         Batch     (Intercept)      1764      42.0
         Residual                   2451      49.5
        """
        if width is not None:
            width = whole_number("width", width, 40)
        return self._written("text", lambda page: text_page(page, width), buf, digits, p_style, options)

    def to_html(
        self,
        buf: Target = None,
        *,
        digits: int | None = None,
        p_style: PStyle | None = None,
        **options: object,
    ) -> Any:
        """
        The HTML of notebooks: a ``<div>`` with a small style sheet, in the colours of the page around it.

        Parameters
        ----------
        buf, digits, p_style : as for `to_text`, optional
            Where to write the text, and how numbers are written.
        **options : object
            Refused: arguments of the pandas methods of that name are for ``to_frame()``.

        Returns
        -------
        str or None
            None when `buf` is given.

        Raises
        ------
        ArgumentError
            As in `to_text`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff, r2
        >>> page = r2(lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff())).to_html()
        >>> page[:25], page[-6:]
        ('<div class="mixedmodels">', '</div>')
        """
        return self._written("html", html_page, buf, digits, p_style, options)

    def to_latex(
        self,
        buf: Target = None,
        *,
        digits: int | None = None,
        p_style: PStyle | None = None,
        **options: object,
    ) -> Any:
        """
        Tables as ``tabular`` environments with the rules of the booktabs package.

        Parameters
        ----------
        buf, digits, p_style : as for `to_text`, optional
            Where to write the text, and how numbers are written.
        **options : object
            Refused: arguments of the pandas methods of that name are for ``to_frame()``.

        Returns
        -------
        str or None
            None when `buf` is given.

        Raises
        ------
        ArgumentError
            As in `to_text`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> print(lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).VarCorr().to_latex(digits=3))
        \\begin{tabular}{llrr}
        \\toprule
        Groups & Name & Variance & Std.Dev. \\\\
        \\midrule
        Batch & (Intercept) & 1764 & 42.0 \\\\
        Residual &  & 2451 & 49.5 \\\\
        \\bottomrule
        \\end{tabular}
        """
        return self._written("latex", latex_page, buf, digits, p_style, options)

    def to_markdown(
        self,
        buf: Target = None,
        *,
        digits: int | None = None,
        p_style: PStyle | None = None,
        **options: object,
    ) -> Any:
        """
        Tables in GitHub's flavour of Markdown.

        Parameters
        ----------
        buf, digits, p_style : as for `to_text`, optional
            Where to write the text, and how numbers are written.
        **options : object
            Refused: arguments of the pandas methods of that name are for ``to_frame()``.

        Returns
        -------
        str or None
            None when `buf` is given.

        Raises
        ------
        ArgumentError
            As in `to_text`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> print(lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).VarCorr().to_markdown(digits=3))
        | Groups | Name | Variance | Std.Dev. |
        |:--|:--|--:|--:|
        | Batch | (Intercept) | 1764 | 42.0 |
        | Residual |  | 2451 | 49.5 |
        """
        return self._written("markdown", markdown_page, buf, digits, p_style, options)

    def _written(
        self,
        kind: str,
        made: Callable[[Page], str],
        buf: Target,
        digits: int | None,
        p_style: PStyle | None,
        options: Mapping[str, object],
    ) -> str | None:
        """The text, or None after writing it to a file."""
        if options:
            names = ", ".join(options)
            raise ArgumentError(
                f"to_{kind}() of a result takes buf, digits and p_style, not {names}"
                + ("" if kind == "text" else f"; to_frame().to_{kind}({names}=...) is pandas' own format")
            )
        text = made(self._page(Style.of(digits, p_style)))
        if buf is None:
            return text
        if isinstance(buf, (str, PathLike)):
            Path(buf).write_text(text, encoding="utf-8")
        elif hasattr(buf, "write"):
            buf.write(text)
        else:
            raise ArgumentError(f"buf must be a path or an open file, not {shown(buf)}")
        return None
