"""The packaged data sets by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, overload

from ..checks import one_of
from ..errors import ArgumentError
from ..wording import nearest
from .catalogue import CATALOGUE
from .store import read_columns, to_pandas, to_polars, to_pyarrow

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_BY_LOWER_NAME = {name.lower(): name for name in CATALOGUE}
_BACKENDS = {"pandas": to_pandas, "polars": to_polars, "pyarrow": to_pyarrow}


def dataset_names() -> tuple[str, ...]:
    """
    The names of the packaged data sets, in alphabetical order.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from mixedmodels.datasets import dataset_names
    >>> "sleepstudy" in dataset_names()
    True
    """
    return tuple(CATALOGUE)


@overload
def load_dataset(name: str, backend: Literal["pandas"] = "pandas") -> pd.DataFrame: ...
@overload
def load_dataset(name: str, backend: Literal["polars"]) -> pl.DataFrame: ...
# pyarrow has no types: a Table.
@overload
def load_dataset(name: str, backend: Literal["pyarrow"]) -> Any: ...
def load_dataset(name: str, backend: str = "pandas") -> Any:
    """
    A packaged data set as a new data frame.

    Parameters
    ----------
    name : str
        One of :func:`dataset_names`, in upper or lower case.
    backend : {"pandas", "polars", "pyarrow"}, default "pandas"
        Library of the data frame. The levels of factors keep R's order in all of them; polars
        has no ordered factors, so there an ordered one becomes a plain Enum. The function
        named after a data set (``load_sleepstudy`` for example) documents its columns.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table

    Raises
    ------
    ArgumentError
        When there is no such data set or backend.
    ImportError
        When the library is not installed.

    Examples
    --------
    >>> from mixedmodels.datasets import load_dataset
    >>> load_dataset("Machines")["Worker"].cat.categories.tolist()
    ['6', '2', '4', '1', '3', '5']
    """
    found = _BY_LOWER_NAME.get(str(name).lower())
    if found is None:
        hint = nearest(name, CATALOGUE) or "."
        raise ArgumentError(f"there is no data set {name!r}{hint} The data sets are {', '.join(CATALOGUE)}")
    return _BACKENDS[one_of("backend", backend, _BACKENDS)](read_columns(found))


def loader(name: str) -> Callable[[], pd.DataFrame]:
    """The function that loads one data set, documented by its entry in the catalogue."""
    entry = CATALOGUE[name]

    def load() -> pd.DataFrame:
        return load_dataset(name)

    load.__name__ = load.__qualname__ = entry.loader
    load.__module__, load.__doc__ = __package__, entry.docstring()
    return load
