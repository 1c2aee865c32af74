"""
Data frames as files that R and Python read alike.

``<stem>.csv`` holds numbers only: factors as codes from 1 on, missing values as ``NA``.
``<stem>.schema`` has a line ``kind<TAB>name<TAB>number of levels`` for each column, in order, followed by one
line for each level; the kind is ``number``, ``factor`` or ``ordered``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def write_frame(frame: pd.DataFrame, stem: Path) -> None:
    """Write the two files of a frame of numeric and categorical columns."""
    columns: dict[str, object] = {}
    schema: list[str] = []
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy()
            columns[name] = pd.Series(codes + 1, dtype="Int64").mask(codes < 0)
            levels = [str(level) for level in column.cat.categories]
            kind = "ordered" if column.cat.ordered else "factor"
        else:
            columns[name], levels, kind = column, [], "number"
        schema += [f"{kind}\t{name}\t{len(levels)}", *levels]
    pd.DataFrame(columns).to_csv(_with_suffix(stem, ".csv"), index=False, na_rep="NA")
    _with_suffix(stem, ".schema").write_text("\n".join(schema) + "\n", encoding="utf-8")


def read_frame(stem: Path) -> pd.DataFrame:
    """Read what :func:`write_frame` wrote; categoricals keep the order of their levels."""
    numbers = pd.read_csv(_with_suffix(stem, ".csv"), float_precision="round_trip")
    lines = iter(_with_suffix(stem, ".schema").read_text(encoding="utf-8").splitlines())
    columns: dict[str, object] = {}
    for line in lines:
        kind, name, n_levels = line.split("\t")
        if kind == "number":
            columns[name] = numbers[name]
            continue
        levels = [next(lines) for _ in range(int(n_levels))]
        codes = numbers[name].fillna(0).to_numpy(dtype=np.int64) - 1
        columns[name] = pd.Categorical.from_codes(
            codes.tolist(), dtype=pd.CategoricalDtype(levels, ordered=kind == "ordered")
        )
    return pd.DataFrame(columns)


def _with_suffix(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)
