"""Contrasts of the levels of several variables, one after the other."""

from __future__ import annotations

import dataclasses

import pandas as pd

from ..render.page import Page, Section
from ..render.printed import Printed
from ..render.style import Style
from .estimates import Emmeans


class SimpleContrasts(Printed, dict[str, Emmeans]):
    """
    Contrasts of the levels of each variable in turn, by the name of the variable; prints all of them.

    Examples
    --------
    >>> from mixedmodels import emmeans, lmer, load_cake
    >>> m = lmer("angle ~ recipe + temp + (1 | recipe:replicate)", load_cake())
    >>> list(emmeans(m, "~ recipe + temp", at={"temp": [175, 225]}).pairs(simple="each"))
    ['recipe', 'temp']
    """

    def to_frame(self) -> pd.DataFrame:
        """
        The contrasts of all variables.

        Returns
        -------
        DataFrame
            The tables below each other, with a column ``variable`` in front.
        """
        frames = {name: found.to_frame().to_frame() for name, found in self.items()}
        return pd.concat(
            [frame.assign(variable=name) for name, frame in frames.items()], ignore_index=True
        ).pipe(lambda whole: whole[["variable", *whole.columns.drop("variable")]])

    def page(self, style: Style) -> Page:
        sections: list[Section] = []
        for name, found in self.items():
            first, *more = found.page(style).sections
            title = f"Simple contrasts of {name}"
            sections += [dataclasses.replace(first, heading=(title, *first.heading)), *more]
        return Page(tuple(sections))
