"""The arguments of a new fit from those of an old one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.plan_columns import contrasts_in
from ..design.rows import columns_of, subset_mask
from ..design.used_rows import in_used_order
from ..errors import ArgumentError, DataError, MissingColumnError
from ..fit.control import as_control
from ..fit.fit_linear import refit
from ..fit.fitted_linear import FittedLinear
from ..fit.fixed import check_fixed
from ..fit.record import read_only
from ..fit.state import FittedModel
from ..formula import check_functions, parse_formula
from ..frame import Frame
from .update import update_formula


class _Unchanged:
    """The default of arguments for which None means something."""

    def __repr__(self) -> str:
        return "<unchanged>"


UNCHANGED: Final = _Unchanged()
# Changes that leave the meaning of theta alone.
_SAME_MODEL = frozenset({"reml", "optimizer", "control", "fixed"})


def update_arguments(fitted: FittedModel, changes: Mapping[str, Any]) -> Any:
    """
    The arguments of a fit with some changed; those that are UNCHANGED stay.

    Raises
    ------
    MissingColumnError
        When a new formula or a new name needs a column that the model does not hold.
    """
    given = {key: value for key, value in changes.items() if value is not UNCHANGED}
    if given.get("formula", "") is None:
        del given["formula"]
    given = {key: value if key == "data" else snapshot(value) for key, value in given.items()}
    if "control" in given:
        given["control"] = as_control(given["control"])
    if "fixed" in given:
        given["fixed"] = check_fixed(given["fixed"])
    if not _SAME_MODEL.issuperset(given):
        _read_names(fitted, given)
    if "start" not in given and not _SAME_MODEL.issuperset(given):
        given["start"] = None
    return dataclasses.replace(fitted.arguments, **given)


def _read_names(fitted: FittedModel, given: dict[str, Any]) -> None:
    """Work the new formula out, and look up every column that a new argument names."""
    frame = Frame.from_any(given.get("data", fitted.arguments.data))
    if "data" in given:
        # Read once: the names here and the columns of the fit come from the same source.
        given["data"] = frame
    functions = check_functions(given.get("functions", fitted.arguments.functions))
    try:
        if "formula" in given:
            text = update_formula(fitted.design.formula, given["formula"], frame.names, functions)
            given["formula"] = text
            parsed = parse_formula(text, frame.names, functions)
            if "contrasts" not in given:
                given["contrasts"] = contrasts_in(parsed, fitted.arguments.contrasts)
        for name in ("weights", "offset", "subset"):
            if isinstance(given.get(name), str):
                columns_of(given[name], frame, functions)
    except MissingColumnError as error:
        if "data" in given:
            raise
        reason = (
            "the model keeps only the columns that it used, and the full data are no longer available (read "
            "from a file, a query or a stream, or the model was unpickled): give data="
            if frame.original is None
            else "the model holds the data as they were at the fit; for a column added since, give data="
        )
        raise MissingColumnError(f"{error}\n{reason}") from None


def refit_response(fitted: FittedLinear, y: Any, changes: Mapping[str, Any]) -> FittedLinear:
    """Fit the design of a model to another response."""
    given = {key: value for key, value in changes.items() if value is not UNCHANGED}
    if "control" in given:
        given["control"] = as_control(given["control"])
    reml = given.pop("reml", None)
    values = None if y is None else new_response(fitted, y)
    return refit(fitted, y=values, response=name_of(y), reml=reml, changes=given)


def name_of(y: Any) -> str | None:
    """The name that a new response brings along."""
    name = getattr(y, "name", None)
    return name if isinstance(name, str) and name else None


def new_response(fitted: FittedLinear, y: Any) -> NDArray[np.float64]:
    """The argument of `refit`, checked: one finite number for each row used; a copy, closed to writing."""
    if isinstance(y, str):
        raise ArgumentError(
            f"refit: y must hold the values of the new response, not a name; try data[{y!r}], or update() "
            "with a new formula"
        )
    y = in_used_order(y, fitted.design, fitted.arguments, "refit: y")
    values = np.asarray(y)
    if values.ndim != 1:
        raise ArgumentError(f"refit: y must have one dimension, not shape {values.shape}")
    if values.dtype.kind == "c" or isinstance(getattr(y, "dtype", None), pd.CategoricalDtype):
        raise DataError(f"refit: y must hold real numbers, not {getattr(y, 'dtype', values.dtype)}")
    if values.dtype.kind not in "biuf":
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            raise DataError(f"refit: y must hold numbers, not {values.dtype}") from None
    values = read_only(rows_used(fitted, values))
    finite_rows(values)
    return values


def rows_used(fitted: FittedModel, values: NDArray[Any]) -> NDArray[Any]:
    """The rows of a new response that the model uses, when it has a value for each row of the data."""
    missing = fitted.design.missing
    if values.ndim not in (1, 2):
        raise ArgumentError(f"refit: y has shape {values.shape}")
    data, subset = fitted.arguments.data, fitted.arguments.subset
    if subset is not None and len(values) == data.n_rows != fitted.n_obs:
        values = values[subset_mask(fitted.arguments, data)]
    if len(values) == missing.n_total and missing.kept is not None:
        values = values[missing.kept]
    if len(values) != fitted.n_obs:
        total = f" (or {missing.n_total}, one for each row of the data)" if missing.n_dropped else ""
        raise ArgumentError(
            f"refit: y has {len(values)} values, but the model has {fitted.n_obs} rows{total}"
        )
    return values


def finite_rows(values: NDArray[np.float64]) -> None:
    """Refuse a new response that is missing or infinite in rows that are used."""
    bad = np.flatnonzero(~np.isfinite(values))
    if not len(bad):
        return
    shown = ", ".join(map(str, bad[:5])) + (", ..." if len(bad) > 5 else "")
    raise DataError(
        f"refit: y is not finite in {len(bad)} of the rows used (first: {shown}, counting from 0); "
        "give a value for each, or fit the model anew to leave these rows out"
    )


def snapshot(value: Any) -> Any:
    """
    An argument as it is now, so that later changes to it do not reach a model that is updated then.
    """
    if isinstance(value, (np.ndarray, pd.Series, pd.DataFrame)):
        return value.copy()
    if isinstance(value, dict):
        return {key: np.array(v) if isinstance(v, np.ndarray) else v for key, v in value.items()}
    return list(value) if isinstance(value, list) else value


Unchanged = _Unchanged


def refitted(fitted, y, changes):
    from ..fit.fitted_linear import FittedLinear
    from .generalized_refitting import refit_generalized_response

    changes = dict(changes)
    reml = changes.pop("REML", UNCHANGED)
    if isinstance(fitted, FittedLinear):
        return refit_response(fitted, y, {**changes, "reml": reml})
    if reml is not UNCHANGED and reml:
        raise ArgumentError("refit: REML is for linear mixed models")
    return refit_generalized_response(fitted, y, changes)


def updated(fitted, changes):
    from ..fit.fit_generalized import fit_generalized_arguments
    from ..fit.fit_linear import fit_arguments
    from ..fit.fitted_linear import FittedLinear
    from .generalized_update import update_generalized_arguments

    changes = {k: v for k, v in changes.items() if v is not UNCHANGED}
    if isinstance(fitted, FittedLinear):
        if "REML" in changes:
            changes["reml"] = changes.pop("REML")
        return fit_arguments(update_arguments(fitted, changes))
    if "nAGQ" in changes:
        changes["n_agq"] = changes.pop("nAGQ")
    return fit_generalized_arguments(update_generalized_arguments(fitted, changes))
