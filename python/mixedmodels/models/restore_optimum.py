"""`restore_optimum`: a fitted model from a saved optimum."""

from __future__ import annotations

import os
from typing import Any, TypeVar

from ..errors import ArgumentError
from ..public import public
from .base import MixedModel
from .unfitted import UnfittedModel

M = TypeVar("M", bound=MixedModel)


@public
def restore_optimum(unfitted: UnfittedModel[M], file: str | os.PathLike[str] | Any) -> M:
    """
    The fitted model at an optimum that `save_optimum` wrote, without a search.

    Parameters
    ----------
    unfitted : UnfittedModel
        The same model of the same data, not fitted.
    file : path, or file object
        As given to `save_optimum`.

    Returns
    -------
    LinearMixedModel or GeneralizedLinearMixedModel
        As it was when it was saved, with the log of its search.

    Raises
    ------
    ArgumentError
        When the file is not one of an optimum, or of another formula, criterion or family.
    DataError
        When the optimum is that of other data: response, columns, levels, weights or offset.

    Examples
    --------
    >>> import io
    >>> from mixedmodels import LinearMixedModel, load_sleepstudy, restore_optimum, save_optimum
    >>> m = LinearMixedModel.from_formula("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> file = io.StringIO()
    >>> save_optimum(m.fit(), file)
    >>> _ = file.seek(0)
    >>> round(restore_optimum(m, file).objective, 4)
    1743.6283
    """
    if not isinstance(unfitted, UnfittedModel):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ArgumentError(
            "restore_optimum needs a model that is not fitted, made by from_formula() or from_arrays(), not "
            f"{type(unfitted).__name__}"
        )
    return unfitted.restore_optimum(file)
