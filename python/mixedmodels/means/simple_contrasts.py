"""Contrasts of the levels of several variables, one after the other."""

from __future__ import annotations

from html import escape

from .estimates import Emmeans


class SimpleContrasts(dict[str, Emmeans]):
    """Contrasts of the levels of each variable in turn; prints all of them."""

    def __str__(self) -> str:
        return "\n\n".join(f"Simple contrasts of {name}\n{found}" for name, found in self.items())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "".join(
            f"<p>Simple contrasts of {escape(name)}</p>{found._repr_html_()}" for name, found in self.items()
        )
