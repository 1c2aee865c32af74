"""`crossed_design` and `extend`: the data of studies that are planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

from ..planning.designs import crossed
from ..planning.extend import extended
from ..public import public
from .arguments import Rng


@public
def crossed_design(
    subjects: int = 30,
    items: int | None = None,
    *,
    between_subjects: Mapping[str, Sequence[Any]] | None = None,
    between_items: Mapping[str, Sequence[Any]] | None = None,
    within: Mapping[str, Sequence[Any]] | None = None,
    counterbalanced: bool = False,
    repetitions: int = 1,
    subject_covariates: Mapping[str, Any] | None = None,
    item_covariates: Mapping[str, Any] | None = None,
    row_covariates: Mapping[str, Any] | None = None,
    missing: float = 0.0,
    subject: str = "subject",
    item: str = "item",
    rng: Rng = None,
) -> pd.DataFrame:
    """
    The data frame of a planned study, without a response: subjects, and items that each of them meets.

    Parameters
    ----------
    subjects : int, default 30
        Number of subjects.
    items : int, optional
        Number of items, which are crossed with the subjects; by default there are none.
    between_subjects, between_items : mapping of str to sequence, optional
        Factors whose level belongs to a subject (an item), such as ``{"group": ["control", "treated"]}``.
        Several factors are crossed, and the subjects (items) are spread over their cells evenly. A factor
        between items varies within subjects, and the other way round.
    within : mapping of str to sequence, optional
        Factors that vary within each subject and each item. Levels that are numbers, such as
        ``{"time": [0, 1, 2]}``, make a numeric column.
    counterbalanced : bool, default False
        Show each item to each subject in one of the conditions of `within` only (a Latin square) instead of
        in all.
    repetitions : int, default 1
        Rows for each subject, item and condition.
    subject_covariates, item_covariates, row_covariates : mapping of str to values, optional
        Numeric columns with a value for each subject, item, or row: ``"normal"`` (standard normal),
        ``"uniform"`` (between 0 and 1), an array, or a function of a numpy Generator and the number of
        values.
    missing : float, default 0.0
        Share of the rows that is left out at random.
    subject, item : str
        Names of the columns of subjects and items, by default "subject" and "item".
    rng : int, Generator or None, optional
        Seed or random number generator, for covariates and missing rows.

    Returns
    -------
    DataFrame
        Subjects ``S01``, ``S02``, ..., items ``I01``, ...; factors are categorical with their levels in the
        order given.

    Raises
    ------
    ArgumentError
        For numbers, levels and names that make no design.

    See Also
    --------
    mixedmodels.simulate_formula : Responses for the design.
    mixedmodels.power : The power of a test in it.

    Examples
    --------
    >>> from mixedmodels import crossed_design
    >>> design = crossed_design(4, 3, between_subjects={"group": ["a", "b"]}, within={"soa": [100, 500]})
    >>> design.shape
    (24, 4)
    >>> design.head(3)
      subject item group  soa
    0      S1   I1     a  100
    1      S1   I1     a  500
    2      S1   I2     a  100
    """
    covariates = {"subject": subject_covariates, "item": item_covariates, "row": row_covariates}
    return crossed(
        subjects,
        items,
        between_subjects,
        between_items,
        within,
        counterbalanced,
        repetitions,
        covariates,
        missing,
        (subject, item),
        rng,
    )


@public
def extend(data: Any, n: int, *, along: str | None = None, within: str | Sequence[str] | None = None) -> Any:
    """
    A larger or smaller study of the same design: copies of rows with new labels.

    Parameters
    ----------
    data : data frame
        pandas, polars, or another kind, which becomes pandas.
    n : int
        The number of levels of `along`, or of rows in each cell of `within`.
    along : str, optional
        A column, such as the subjects or the days of a study. Level i + k is a copy of the rows of level i, k
        being the number of levels that there are, so that factors between the levels stay balanced. Labels
        and numbers are continued: ``S01``, ``S02``, ``S03``. Columns that label parts of the levels get new
        labels, too: text, categories, and whole numbers without gaps that occur several times each. With
        fewer levels than there are, the first n stay.
    within : str or sequence of str, optional
        Columns in whose cells there shall be n rows each.

    Returns
    -------
    data frame
        Of the same kind. Responses are copied with their rows; :func:`mixedmodels.power` does not use them.

    Raises
    ------
    ArgumentError, MissingColumnError
        For columns that the data do not have or that cannot have more levels.

    Warns
    -----
    MixedModelsWarning
        When numbers that are copied may be labels of parts of the levels.

    Examples
    --------
    >>> from mixedmodels import extend, load_sleepstudy
    >>> data = load_sleepstudy()
    >>> extend(data, 40, along="Subject")["Subject"].nunique()
    40
    >>> len(extend(data, 20, within="Subject"))
    360
    """
    return extended(data, n, along, within)
