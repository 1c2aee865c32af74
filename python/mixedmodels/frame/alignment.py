"""Values given alongside a data frame, put in the order of its rows: pandas objects by their index."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..errors import ArgumentError


def in_row_order(values: Any, index: pd.Index | None, what: str, rows: str = "data") -> Any:
    """
    Values with one entry for each row, in the order of the rows.

    Parameters
    ----------
    values : array-like or data frame with n rows
        A pandas Series or DataFrame is matched by its index; anything else is taken by position.
    index : Index or None
        Labels of the n rows; None when there are no labels and all values are taken by position.
    what : str
        What to call the values in error messages.
    rows : str
        What to call the data in error messages.

    Raises
    ------
    ArgumentError
        When the two indexes differ and are not permutations of each other without repeats.

    Examples
    --------
    >>> import pandas as pd
    >>> from mixedmodels.frame.alignment import in_row_order
    >>> in_row_order(pd.Series([1.0, 2.0], index=["b", "a"]), pd.Index(["a", "b"]), "weights").tolist()
    [2.0, 1.0]
    """
    if index is None or not isinstance(values, (pd.Series, pd.DataFrame)):
        return values
    own = values.index
    if own is index or own.equals(index):
        return values
    kind = type(values).__name__
    advice = f"to match by position, pass an array, such as {kind}.to_numpy()"
    for labels, owner in ((own, f"the {kind}"), (index, f"the {rows}")):
        if not labels.is_unique:
            repeated = labels[labels.duplicated()][0]
            raise ArgumentError(
                f"{what}: the {kind} and the {rows} have different indexes, and rows cannot be matched "
                f"because {owner} has the label {_shown(repeated)} more than once; {advice}"
            )
    places = own.get_indexer(index)
    absent = int((places < 0).sum())
    if absent or len(own) != len(index):
        example = f", such as {_shown(index[places < 0][0])}" if absent else ""
        raise ArgumentError(
            f"{what}: the {kind} and the {rows} have different indexes: {absent} of {len(index)} labels of "
            f"the {rows} are not in the {kind}{example}; {advice}"
        )
    return values.iloc[places]


def _shown(label: Any) -> str:
    return repr(label.item() if hasattr(label, "item") else label)
