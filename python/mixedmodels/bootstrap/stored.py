"""Replicates in a Parquet file."""

from __future__ import annotations

import json
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError
from ..wording import unique_names

if TYPE_CHECKING:
    from .result import Bootstrap

_FORMAT = 1
_KEY = b"mixedmodels.bootstrap"
_COLUMNS = ("replicate", "status", "message", "singular")


def write(result: Bootstrap, path: str | PathLike[str]) -> None:
    """Write a table with a row for each replicate; what belongs to all of them is metadata."""
    pyarrow, parquet = _pyarrow()
    arrays = [
        pyarrow.array(result.numbers),
        pyarrow.array(result.status),
        pyarrow.array(result.messages),
        pyarrow.array(result.singular),
        *[pyarrow.array(column) for column in result.values.T],
    ]
    about = {
        "format": _FORMAT,
        "type": result.type,
        "about": result.about,
        "names": list(result.names),
        "n_asked": result.n_asked,
        "estimate": _exact(result.estimate),
        "acceleration": _exact(result._known.get("acceleration")),
    }
    # A parameter may have the name of another column; the metadata know its own.
    names = unique_names([*_COLUMNS, *result.names])
    schema = pyarrow.schema(
        [(name, array.type) for name, array in zip(names, arrays, strict=True)],
        metadata={_KEY: json.dumps(about).encode()},
    )
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), str(path))


def read(path: str | PathLike[str]) -> dict[str, Any]:
    """The parts of a `Bootstrap`."""
    _, parquet = _pyarrow()
    with parquet.ParquetFile(str(path)) as file:
        table = file.read()
    metadata = table.schema.metadata or {}
    if _KEY not in metadata:
        raise ArgumentError(f"load: {str(path)!r} was not written by Bootstrap.save()")
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
