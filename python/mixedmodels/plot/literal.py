"""Names of the user's data as they are, also with the signs that matplotlib reads as mathematics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

_Given = ParamSpec("_Given")
_Drawn = TypeVar("_Drawn")


def literal(draw: Callable[_Given, _Drawn]) -> Callable[_Given, _Drawn]:
    """Of a function that returns Axes or several of them: none of its texts is read as mathematics."""

    @wraps(draw)
    def drawn(*args: _Given.args, **kwargs: _Given.kwargs) -> _Drawn:
        found = draw(*args, **kwargs)
        axes: list[Any] = (
            [found] if hasattr(found, "errorbar") else list(np.ravel(np.asarray(found, dtype=object)))
        )
        for ax in axes:
            for text in _texts(ax):
                text.set_parse_math(False)
        return found

    return drawn


def _texts(ax: Any) -> Iterator[Any]:
    """Texts that may have names in them; ticks of logarithmic axes are mathematics."""
    from matplotlib.ticker import FixedLocator

    yield from (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts)
    figure = ax.figure
    yield from (text for text in (figure._suptitle, figure._supxlabel, figure._supylabel) if text is not None)
    for legend in (ax.get_legend(), *figure.legends):
        if legend is not None:
            yield from (legend.get_title(), *legend.get_texts())
    for axis in (ax.xaxis, ax.yaxis):
        if isinstance(axis.get_major_locator(), FixedLocator):
            # The ticks exist only when they are asked for.
            yield from axis.get_ticklabels()
