"""Case deletion of a fitted model."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import one_of
from ..diagnostics.leverage import cooks_distances
from ..diagnostics.standardized import dffits, studentized
from ..fit.data_of_fit import check_data_of_fit
from ..fit.state import FittedModel
from ..repeat.chunks import check_executor
from ..repeat.progress import Listener, check_progress
from .deletion import covariance_of_estimated, estimated, exact, given_theta, variance_names, variances
from .measures import measures
from .result import Influence
from .sets import Deleted, deleted_sets

METHODS = ("exact", "one-step")
_FACTOR = "a factor is groups={}"


def influence(
    fitted: FittedModel,
    data: Any = None,
    groups: Any = None,
    method: str = "exact",
    executor: Executor | None = None,
    progress: bool | Listener = False,
) -> Influence:
    """The estimates without each row or level, see :meth:`mixedmodels.MixedModel.influence`."""
    check_data_of_fit(fitted, data, "influence", _FACTOR)
    one_of("influence: method", method, METHODS)
    check_executor(executor)
    check_progress(progress)
    deleted = deleted_sets(fitted, groups)
    if method == "exact":
        estimates = exact(fitted, deleted.sets, executor, progress)
    else:
        estimates = given_theta(fitted, deleted.sets)
    own = estimated(fitted)
    found = measures(estimates, covariance_of_estimated(fitted))
    names = tuple(fitted.design.x_names[j] for j in own)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = estimates.variances / variances(fitted) - 1.0
    as_rows = _Rows(fitted, deleted)
    parts: dict[str, Any] = {
        "dfbeta": as_rows.frame(estimates.change, names),
        "dfbetas": as_rows.frame(found.dfbetas, names),
        "cooks_distance": as_rows.series(found.cooks_distance),
        "mdffits": as_rows.series(found.mdffits),
        "covtrace": as_rows.series(found.covtrace),
        "covratio": as_rows.series(found.covratio),
        "variance_change": as_rows.frame(change, variance_names(fitted)),
    }
    if deleted.single:
        hat = fitted.leverages()
        residuals = studentized(fitted, estimates.sigma if fitted.exact_likelihood else None)
        parts |= {
            "rstudent": as_rows.series(residuals),
            "dffits": as_rows.series(dffits(residuals, hat)),
            "leverage": as_rows.series(hat),
        }
    return Influence(
        by=deleted.name,
        method=method,
        names=names,
        n_rows=as_rows.series(deleted.sets.sizes.astype(float)).fillna(0).astype(int),
        sigma=as_rows.series(estimates.sigma),
        messages=as_rows.texts(estimates.messages),
        singular=as_rows.series(estimates.singular.astype(float)).fillna(0).astype(bool),
        _estimate=fitted.estimates.beta[own],
        _measures=parts,
    )


def cooks_distance(
    fitted: FittedModel,
    data: Any = None,
    groups: Any = None,
    method: str | None = None,
    executor: Executor | None = None,
    progress: bool | Listener = False,
) -> pd.Series:
    """See :meth:`mixedmodels.MixedModel.cooks_distance`."""
    if groups is None and method is None:
        check_data_of_fit(fitted, data, "cooks_distance", _FACTOR)
        rows = _Rows(fitted, deleted_sets(fitted, None))
        return rows.series(cooks_distances(fitted, fitted.leverages()))
    chosen = "exact" if method is None else method
    return influence(fitted, data, groups, chosen, executor, progress).cooks_distance


class _Rows:
    """Values for the sets as pandas objects; those of single rows padded as residuals are."""

    def __init__(self, fitted: FittedModel, deleted: Deleted) -> None:
        self._labels, self._single = deleted.labels, deleted.single
        self._missing = fitted.design.missing

    def _padded(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._missing.pad(values) if self._single else values

    def series(self, values: NDArray[np.float64]) -> pd.Series:
        return pd.Series(self._padded(values), index=self._labels)

    def frame(self, values: NDArray[np.float64], names: Any) -> pd.DataFrame:
        return pd.DataFrame(self._padded(values), index=self._labels, columns=pd.Index(names, dtype=object))

    def texts(self, values: Any) -> pd.Series:
        places = self._padded(np.arange(len(values), dtype=np.float64))
        given = ["" if np.isnan(i) else values[int(i)] for i in places]
        return pd.Series(given, index=self._labels, dtype=object)
