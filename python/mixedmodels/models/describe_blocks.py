"""`describe_blocks`: what a model costs, before or after it is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from ..design import DesignArguments, build_design
from ..design.arguments import check_action
from ..errors import ArgumentError
from ..fit.block_costs import BlockDescription, describe_design
from ..public import public
from .base import MixedModel


@public
def describe_blocks(
    model: MixedModel | str,
    data: Any = None,
    *,
    weights: Any = None,
    offset: Any = None,
    contrasts: Mapping[str, Any] | None = None,
    na_action: Literal["omit", "exclude", "fail"] = "omit",
    subset: Any = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> BlockDescription:
    """
    The blocks of the system that a fit solves: kinds, sizes, fill, memory and operations.

    Nothing is fitted, and no memory is taken for the matrices: a model that is too large can be
    described too.

    Parameters
    ----------
    model : MixedModel or str
        A fitted model, or the formula of one.
    data : data frame
        n rows; only with a formula.
    weights, offset, contrasts, na_action, subset, functions : as for `lmer`, optional
        Only with a formula. They decide which rows and columns there are.

    Returns
    -------
    BlockDescription
        One block for each grouping factor and one for the fixed effects, X; prints as a table with
        totals. ``to_frame()`` is a data frame with memory in MiB and millions of operations (Mflop) of
        one evaluation with derivatives; ``memory`` is in bytes, ``seconds`` the time of such an
        evaluation at an assumed 20 Gflop/s.

    Raises
    ------
    FormulaError, DataError
        As for :func:`mixedmodels.lmer`.
    ArgumentError
        For a formula without data, or a fitted model with any other argument.

    Examples
    --------
    >>> from mixedmodels import describe_blocks, load_penicillin
    >>> costs = describe_blocks("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
    >>> costs.to_frame()[["block", "kind", "levels", "rows", "columns", "fill"]]
        block            kind  levels  rows  columns  fill
    0   plate  block diagonal      24    24        7   1.0
    1  sample           dense       6     6        7   1.0
    2       X           dense       1     1        7   1.0
    """
    if isinstance(model, MixedModel):
        given = {
            "data": data,
            "weights": weights,
            "offset": offset,
            "contrasts": contrasts,
            "subset": subset,
            "functions": functions,
        }
        extra = [name for name, value in given.items() if value is not None]
        if extra or check_action(na_action) != "omit":
            name = extra[0] if extra else "na_action"
            raise ArgumentError(f"describe_blocks: {name} belongs to a formula; a fitted model has its own")
        return model.describe_blocks()
    if not isinstance(model, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ArgumentError(
            f"describe_blocks needs a fitted model, or a formula and data, not {type(model).__name__}"
        )
    if data is None:
        raise ArgumentError("describe_blocks: a formula needs data=")
    arguments = DesignArguments(
        formula=model,
        data=data,
        weights=weights,
        offset=offset,
        contrasts=contrasts,
        na_action=na_action,
        subset=subset,
        functions=functions,
    )
    return describe_design(build_design(arguments))
