"""Files of models, without their data."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ..public import public
from ..saved.read import loaded
from .base import MixedModel
from .generalized import GeneralizedLinearMixedModel
from .linear import LinearMixedModel


@public
def load(
    path: str | os.PathLike[str] | Any,
    data: Any = None,
    *,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> MixedModel:
    """
    Load a model that `MixedModel.save` wrote.

    Reading a file runs no code from it: a file from somebody else can at worst be refused.

    Parameters
    ----------
    path : path, or file object
        The file, or one that is open for reading bytes.
    data : data frame, optional
        The data of the fit. With them the model is whole again; other data are refused. Without them, the
        default, whatever needs the rows of the fit raises NoDataError.
    functions : mapping of str to callable, optional
        Your own functions that the formula calls, as in the fit.

    Returns
    -------
    MixedModel

    Raises
    ------
    ModelFileError
        When the file is no model file, is damaged, or has a format that this version does not know.
    ArgumentError
        When functions are missing, or the fit had arguments that the file does not hold and `data` is given.
    DataError
        When `data` are not those of the fit.

    Examples
    --------
    >>> import tempfile, os
    >>> from mixedmodels import lmer, load, load_sleepstudy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "sleep.model")
    ...     lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).save(path)
    ...     m = load(path)
    >>> m.predict({"Days": [12.0], "Subject": ["308"]}).round(1)
    array([489.7])
    """
    fitted = loaded(path, data, functions)
    if fitted.exact_likelihood:
        return LinearMixedModel(fitted)
    return GeneralizedLinearMixedModel(fitted)
