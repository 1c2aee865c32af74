"""The result of a cross-validation, and its comparison with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...checks import shown
from ...design.used_rows import names_of_rows_used
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...render.frame_table import table_of
from ...render.page import Page, Section
from ...render.printed import Printed
from ...render.result_table import ResultTable, result_table
from ...render.style import Style
from ...wording import counted, listed, one_line
from .folds import Folds


@dataclass(frozen=True, eq=False)
class FoldScores:
    """
    The scores of one fold by the fit without it.

    Attributes
    ----------
    fold : int
    n : int
        Rows of the fold.
    rows : ndarray of int, shape (m,)
        Those that were predicted, by position among the rows used.
    predicted : ndarray, shape (m,)
    reference : float
        The mean response of the other rows.
    units : ndarray of int, shape (k,)
    log_scores : ndarray, shape (k,)
        Log predictive densities of the units.
    errors : ndarray, shape (k,)
        Their Monte Carlo errors, zero where they are not simulated.
    problem : str
        Why there are no scores, or what is wrong with them; empty when nothing is.
    """

    fold: int
    n: int
    rows: NDArray[np.intp]
    predicted: NDArray[np.float64]
    reference: float
    units: NDArray[np.intp]
    log_scores: NDArray[np.float64]
    errors: NDArray[np.float64]
    problem: str = ""

    @classmethod
    def failed(cls, fold: int, n: int, problem: str) -> FoldScores:
        none = np.zeros(0, dtype=np.intp)
        return cls(fold, n, none, np.zeros(0), np.nan, none, np.zeros(0), np.zeros(0), problem)


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation(Printed):
    """
    How well a model predicts rows or groups that it was not fitted to.

    Attributes
    ----------
    folds : DataFrame
        A row for each fold: ``fold``, ``n`` (rows predicted), ``log_score`` (sum of the logarithms of
        predictive densities), ``rmse``, ``mae``, ``r2`` (1 - sum of squared errors over that of the mean of
        the other folds).
    totals : DataFrame
        The same measures over all folds with standard errors (index: the measures; columns ``estimate`` and
        ``std.error``). The standard errors take the units, rows or groups, for independent.
    units : DataFrame
        The unit (row, by the label below, or group), its fold, number of rows, log score, and the Monte Carlo
        error of the latter (zero where it is not simulated).
    rows : DataFrame
        Fold, observed and predicted value of each row that was predicted, by its label in the index of the
        data, or its position in data without an index.
    heading, notes : tuple of str
    partition : Folds
        Which rows belong to which unit, and which units to which fold.
    """

    folds: pd.DataFrame
    totals: pd.DataFrame
    units: pd.DataFrame
    rows: pd.DataFrame
    heading: tuple[str, ...]
    notes: tuple[str, ...]
    partition: Folds

    @property
    def log_score(self) -> float:
        """The sum of the log scores."""
        return float(self.totals.loc["log_score", "estimate"])

    def to_frame(self) -> pd.DataFrame:
        """
        The measures of each fold.

        Returns
        -------
        DataFrame
            A copy of `folds`.
        """
        return self.folds.copy()

    def compare(self, *others: CrossValidation, names: Sequence[str] | None = None) -> ResultTable:
        """
        Compare the predictions of models for the same folds.

        Parameters
        ----------
        *others : CrossValidation
            Of models of the same response and rows, with the same `folds`, `by` and `rng`.
        names : sequence of str, optional
            Of this and the other models; by default ``model 1``, ``model 2``, ...

        Returns
        -------
        ResultTable
            The best model first. Columns log_score; difference (from the best) and its std.error, from the
            differences of the units; rmse, mae, r2.

        Raises
        ------
        ArgumentError
            When the folds differ, or a model has no score for some of them.
        """
        return _comparison([self, *others], names)

    def _page(self, style: Style) -> Page:
        return Page(
            (
                Section(self.heading, table_of(self.folds, style)),
                Section(("All folds",), table_of(self.totals, style), self.notes),
            )
        )


def summarized(fitted: FittedModel, folds: Folds, scores: Sequence[FoldScores]) -> CrossValidation:
    """
    The measures of all folds.

    Raises
    ------
    ArgumentError
        When no fold could be predicted.
    """
    good = [part for part in scores if len(part.rows)]
    if not good:
        raise ArgumentError(
            f"cross_validate: the model could not be fitted without any fold: {scores[0].problem}"
        )
    observed, weights = fitted.observed, fitted.prior_weights
    rows = pd.DataFrame(
        {
            "row": np.concatenate([part.rows for part in good]),
            "fold": np.concatenate([np.full(len(part.rows), part.fold + 1) for part in good]),
            "predicted": np.concatenate([part.predicted for part in good]),
        }
    )
    rows.insert(2, "observed", observed[rows["row"]])
    rows = rows.sort_values("row", ignore_index=True)
    labels = names_of_rows_used(fitted.design, fitted.arguments).to_numpy()
    rows["row"] = labels[rows["row"]]
    table = pd.DataFrame([_measures(part, observed, weights) for part in scores])
    units = _units(folds, good, labels)
    notes = _notes(folds, scores)
    heading = (
        f"Cross-validation, {_described(folds)}",
        f"Model: {one_line(fitted.design.formula.text)}",
    )
    totals = _totals(folds, good, observed, weights)
    return CrossValidation(table, totals, units, rows, heading, notes, folds)


def _described(folds: Folds) -> str:
    n = len(folds.units.levels)
    what = f"levels of {folds.units.name}" if folds.grouped else "rows"
    if folds.n == n:
        return f"{n} {what} left out one at a time"
    return f"{folds.n} folds of {n} {what}"


def _measures(
    part: FoldScores, observed: NDArray[np.float64], weights: NDArray[np.float64]
) -> dict[str, Any]:
    row = {"fold": part.fold + 1, "n": len(part.rows)}
    if not len(part.rows):
        return {**row, **dict.fromkeys(("log_score", "rmse", "mae", "r2"), np.nan)}
    w, y = weights[part.rows], observed[part.rows]
    error = y - part.predicted
    baseline = float(w @ np.square(y - part.reference))
    squares = float(w @ np.square(error))
    return {
        **row,
        "log_score": float(part.log_scores.sum()),
        "rmse": float(np.sqrt(squares / w.sum())),
        "mae": float(w @ np.abs(error) / w.sum()),
        "r2": 1.0 - squares / baseline if baseline > 0 else np.nan,
    }


def _totals(
    folds: Folds, scores: Sequence[FoldScores], observed: NDArray[np.float64], weights: NDArray[np.float64]
) -> pd.DataFrame:
    rows = np.concatenate([part.rows for part in scores])
    error = observed[rows] - np.concatenate([part.predicted for part in scores])
    reference = np.concatenate([np.full(len(part.rows), part.reference) for part in scores])
    w = weights[rows]
    log_scores = np.concatenate([part.log_scores for part in scores])
    unit = folds.units.codes[rows]
    mse, mse_error = _ratio(w * np.square(error), w, unit)
    mae, mae_error = _ratio(w * np.abs(error), w, unit)
    baseline = float(w @ np.square(observed[rows] - reference))
    r2 = 1.0 - float(w @ np.square(error)) / baseline if baseline > 0 else np.nan
    rmse = float(np.sqrt(mse))
    values = {
        "log_score": (float(log_scores.sum()), _error_of_sum(log_scores)),
        "rmse": (rmse, mse_error / (2.0 * rmse) if rmse > 0 else np.nan),
        "mae": (mae, mae_error),
        "r2": (r2, np.nan),
    }
    return pd.DataFrame.from_dict(values, orient="index", columns=["estimate", "std.error"])


def _root_of_squares(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(values).sum()))


def _error_of_sum(values: NDArray[np.float64]) -> float:
    n = len(values)
    # A response without probability under a model has a score of minus infinity.
    return float(np.sqrt(n * values.var(ddof=1))) if n > 1 and np.isfinite(values).all() else np.nan


def _ratio(
    values: NDArray[np.float64], weights: NDArray[np.float64], unit: NDArray[np.int64]
) -> tuple[float, float]:
    """A weighted mean and its standard error, with independent units."""
    mean = float(values.sum() / weights.sum())
    _, code = np.unique(unit, return_inverse=True)
    deviations = np.bincount(code, values - mean * weights)
    n = len(deviations)
    if n < 2:
        return mean, np.nan
    return mean, float(np.sqrt(n / (n - 1) * np.square(deviations).sum()) / weights.sum())


def _units(folds: Folds, scores: Sequence[FoldScores], row_labels: NDArray[Any]) -> pd.DataFrame:
    unit = np.concatenate([part.units for part in scores])
    counts = np.bincount(
        folds.units.codes[np.concatenate([part.rows for part in scores])], minlength=len(folds.units.levels)
    )
    labels = np.array(folds.units.levels, dtype=object)
    frame = pd.DataFrame(
        {
            "unit": labels[unit] if folds.grouped else row_labels[unit],
            "fold": folds.fold[unit] + 1,
            "n": counts[unit],
            "log_score": np.concatenate([part.log_scores for part in scores]),
            "mc.error": np.concatenate([part.errors for part in scores]),
        }
    )
    return frame.iloc[np.argsort(unit, kind="stable")].reset_index(drop=True)


def _notes(folds: Folds, scores: Sequence[FoldScores]) -> tuple[str, ...]:
    notes = [
        "Log score: sum of the logarithms of predictive densities, of each "
        + ("level's rows jointly" if folds.grouped else "row given the others' random effects")
    ]
    error = _root_of_squares(np.concatenate([part.errors for part in scores]))
    if error > 0:
        notes.append(f"Log scores are simulated; Monte Carlo error of their sum: {error:.2g}")
    lost = sum(part.n - len(part.rows) for part in scores if len(part.rows))
    if lost:
        notes.append(
            f"{counted(lost, 'row')} not predicted: a level of a predictor, or the fixed part, is not in the "
            "other folds"
        )
    for part in scores:
        if part.problem:
            notes.append(f"Fold {part.fold + 1}: {part.problem}")
    missing = folds.n - len(scores)
    if missing:
        notes.append(f"{counted(missing, 'fold')} left out: interrupted")
    return tuple(notes)


def _comparison(results: Sequence[Any], names: Sequence[str] | None) -> ResultTable:
    for other in results:
        if not isinstance(other, CrossValidation):
            raise ArgumentError(f"compare: results of cross_validate() are needed, not {shown(other)}")
    first = results[0]
    labels = [f"model {i + 1}" for i in range(len(results))] if names is None else list(map(str, names))
    if len(labels) != len(results) or len(set(labels)) != len(labels):
        raise ArgumentError(f"names must be {len(results)} different names, got {listed(labels)}")
    for label, other in zip(labels[1:], results[1:], strict=True):
        if not other.partition.agrees_with(first.partition):
            raise ArgumentError(
                f"compare: {labels[0]} and {label} have other folds; use the same rows, folds=, by= and a "
                "whole number as rng="
            )
        same = len(other.units) == len(first.units) and (other.units["unit"] == first.units["unit"]).all()
        if not same or not np.array_equal(other.rows["observed"], first.rows["observed"]):
            raise ArgumentError(
                f"compare: {labels[0]} and {label} did not predict the same rows of one response"
            )
    scores = np.array([result.units["log_score"].to_numpy() for result in results])
    total = scores.sum(axis=1)
    order = np.argsort(-total, kind="stable")
    best = scores[order[0]]
    with np.errstate(invalid="ignore"):
        gaps = scores[order] - best
    columns: dict[str, Any] = {
        "log_score": total[order],
        "difference": [float(gap.sum()) for gap in gaps],
        "std.error": [np.nan, *(_error_of_sum(gap) for gap in gaps[1:])],
    }
    for name in ("rmse", "mae", "r2"):
        columns[name] = [float(results[i].totals.loc[name, "estimate"]) for i in order]
    notes = ["difference: of the log score from the best, with the standard error of a paired comparison"]
    error = _root_of_squares(np.concatenate([result.units["mc.error"].to_numpy() for result in results]))
    if error > 0:
        notes.append(f"Log scores are simulated; Monte Carlo error of a difference: at most {error:.2g}")
    return result_table(columns, [labels[i] for i in order], [first.heading[0]], notes)
