"""Replicates in a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..wording import unique_names

_FORMAT = 1
_KEY = b"mixedmodels.resampling"
_COLUMNS = ("replicate", "status", "message", "singular")


def write(
    path: str | PathLike[str],
    columns: Sequence[Any],
    values: NDArray[np.float64],
    about: Mapping[str, Any],
    numbers: Mapping[str, NDArray[np.float64] | None],
) -> None:
    """
    Write a table with a row for each replicate.

    Parameters
    ----------
    path : path
    columns : sequence of array-like
        Those before the values.
    values : ndarray, shape (n, q)
    about : mapping
        What belongs to all replicates, as it goes into metadata.
    numbers : mapping of str to ndarray
        Likewise, without rounding.
    """
    pyarrow, parquet = _pyarrow()
    arrays = [pyarrow.array(column) for column in (*columns, *values.T)]
    metadata = {"format": _FORMAT, **about, **{name: _exact(own) for name, own in numbers.items()}}
    # A parameter may have the name of another column; the metadata know its own.
    names = unique_names([*_COLUMNS, *about["names"]])
    schema = pyarrow.schema(
        [(name, array.type) for name, array in zip(names, arrays, strict=True)],
        metadata={_KEY: json.dumps(metadata).encode()},
    )
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), str(path))


def read(path: str | PathLike[str]) -> dict[str, Any]:
    """The parts of a `Bootstrap`."""
    pyarrow, parquet = _pyarrow()
    foreign = f"load: {str(path)!r} was not written by Bootstrap.save()"
    try:
        with parquet.ParquetFile(str(path)) as file:
            table = file.read()
    except (pyarrow.ArrowException, OSError) as error:
        # Those of the file system, such as that there is no such file, say what they are.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ArgumentError(f"{foreign}, or it is damaged ({error})") from None
    metadata = table.schema.metadata or {}
    if _KEY not in metadata:
        raise ArgumentError(foreign)
    about = json.loads(metadata[_KEY])
    if about["format"] != _FORMAT:
        raise ArgumentError(
            f"load: {str(path)!r} has format {about['format']}; this version reads format {_FORMAT}"
        )
    columns = [column.to_pylist() for column in table.columns[: len(_COLUMNS)]]
    values = [column.to_numpy() for column in table.columns[len(_COLUMNS) :]]
    acceleration = _numbers(about["acceleration"])
    return {
        "type": about["type"],
        "about": about["about"],
        "names": tuple(about["names"]),
        "kinds": tuple(about["kinds"]),
        "free": about["free"],
        "n_asked": about["n_asked"],
        "estimate": _numbers(about["estimate"]),
        "values": np.column_stack(values) if values else np.zeros((len(columns[0]), 0)),
        "numbers": columns[0],
        "status": tuple(columns[1]),
        "messages": tuple(columns[2]),
        "singular": columns[3],
        "known": {} if acceleration is None else {"acceleration": acceleration},
    }


def _exact(values: Any) -> list[str] | None:
    """Numbers as text without rounding, NaN included."""
    return None if values is None else [float(value).hex() for value in values]


def _numbers(texts: list[str] | None) -> Any:
    return None if texts is None else np.array([float.fromhex(text) for text in texts])


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ArgumentError(
            "save and load need pyarrow: pip install 'mixedmodels[pyarrow]'; or write .replicates with pandas"
        ) from None
    return pyarrow, pyarrow.parquet
