"""Messages of the engine in the words of statsmodels, whose users wrote neither its terms nor its options."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import DataError
from ..formula import parse_formula
from .plan import Block

_MORE = re.compile(r"allow more by control=Control\(max_evaluations=\.\.\.\)( or try another optimizer)?")
Notice = tuple[type[Warning], str]


class Words:
    """
    What the terms of a formula of the engine are in a model.

    Parameters
    ----------
    model : MixedLM
    blocks : sequence of Block
        In the order of the terms.
    formula : str
        Of the engine.
    columns : collection of str
        Its columns.
    """

    def __init__(self, model: Any, blocks: Sequence[Block], formula: str, columns: Any) -> None:
        self._given = model, blocks, formula, columns

    def of(self, text: str) -> str:
        """A message with the arguments of the model in place of terms."""
        model, blocks, formula, columns = self._given
        terms = parse_formula(formula, columns).random
        for term, block in zip(terms, blocks, strict=True):
            text = text.replace(term.text, _argument(model, block))
        return text.replace("use ||", "hold covariances at zero by free=")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Errors inside are raised in these words."""
        try:
            yield
        except DataError as error:
            # Others have more to them than a message.
            if type(error) is not DataError:
                raise
            raise DataError(self.of(str(error))) from None

    @contextmanager
    def collected(self, into: list[Notice]) -> Iterator[None]:
        """Warnings inside go to a list, in these words."""
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            yield
        into += [(warning.category, self.of(str(warning.message))) for warning in found]


def in_words_of_fit(text: str) -> str:
    """A message of the search with the arguments of :meth:`MixedLM.fit`."""
    return _MORE.sub("allow more by maxiter=", text)


def _argument(model: Any, block: Block) -> str:
    """The argument that a block of random effects comes from."""
    if block.component >= 0:
        return f"component {model.components[block.component].name!r}"
    if model.exog_re_given is None:
        return "the random intercept"
    return model.exog_re_given
