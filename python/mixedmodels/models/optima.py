"""The optimum of a fit, and its file."""

from __future__ import annotations

import os
from typing import Any

from ..fit.optimum.file import save
from ..fit.optimum.optimum import Optimum, optimum_of
from ..public import public
from .holder import Holder


class Optima(Holder):
    """Where the search ended, as an object and as a file."""

    __slots__ = ()

    @property
    def optimum(self) -> Optimum:
        """Where the search began and ended: parameters, objective, gradient, evaluations, their log."""
        return self._fitted.derived(optimum_of)

    @public
    def save_optimum(self, file: str | os.PathLike[str] | Any) -> None:
        """
        Write the optimum to a JSON file, from which the model is restored without a search.

        Parameters
        ----------
        file : path, or file object
            A path, whose file is replaced if it exists, or a file that is open for writing.

        Raises
        ------
        ArgumentError
            When `file` is neither.

        See Also
        --------
        restore_optimum : The model again, from the same data.

        Examples
        --------
        >>> import io, json
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> file = io.StringIO()
        >>> lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).save_optimum(file)
        >>> round(json.loads(file.getvalue())["objective"], 4)
        1743.6283
        """
        save(self._fitted, file)
