"""Short names of rows, for the names of contrasts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .table import show


def row_labels(labels: pd.DataFrame) -> list[str]:
    """
    The levels of each row in one text; those of a variable that are all numbers follow its name.

    Examples
    --------
    >>> import pandas as pd
    >>> from mixedmodels.means.labels import row_labels
    >>> row_labels(pd.DataFrame({"Machine": ["A", "B"], "period": ["1", "1"]}))
    ['A period1', 'B period1']
    """
    if not len(labels.columns):
        return ["overall"] * len(labels)
    columns = []
    for name in labels:
        texts = [show(value) for value in labels[name]]
        prefix = str(name) if all(map(_is_number, texts)) else ""
        columns.append([prefix + text for text in texts])
    return [" ".join(row) for row in zip(*columns, strict=True)]


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
