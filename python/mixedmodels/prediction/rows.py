"""The rows that are predicted: those of the fit or new ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..checks import one_of, optional_flag
from ..design.recipe import DesignRecipe, NewRandomTerm
from ..design.rows import named_or_given
from ..design.theta import factors
from ..design.used_rows import labels_of_results, naming_left_out
from ..errors import ArgumentError
from ..fit.state import FittedModel, NewTerms
from ..frame import Frame
from .fixed_part import determined_x
from .selection import Selection, select_effects

# What becomes of rows with a level that was not in the fit, or without a level.
NewLevels = Literal["error", "population", "missing"]
_NEW_LEVELS = ("error", "population", "missing")

# The code of the engine for rows in which a term takes no part.
_NO_LEVEL = np.iinfo(np.uint32).max


@dataclass(frozen=True, eq=False)
class RandomPart:
    """
    The columns of a random-effects term that take part.

    Attributes
    ----------
    term : int
        Its position among the terms of the design.
    columns : ndarray of int, shape (k,)
    codes : ndarray of int, shape (n,)
        The level of each row; -1 for a level that was not in the fit.
    z : ndarray, shape (n, k)
    """

    term: int
    columns: NDArray[np.intp]
    codes: NDArray[np.int64]
    z: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PredictedRows:
    """
    Rows of predictors, with the random effects that take part.

    Attributes
    ----------
    fitted : FittedModel
    x : ndarray, shape (n, p)
        NaN in rows with missing values, and where the data of the fit do not determine the fixed part.
    parts : tuple of RandomPart
    offset : ndarray, shape (n,), or None
    frame : Frame or None
        The new data; None for the rows of the fit.
    """

    fitted: FittedModel
    x: NDArray[np.float64]
    parts: tuple[RandomPart, ...]
    offset: NDArray[np.float64] | None
    frame: Frame | None

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """Rows without a prediction, shape (n,)."""
        missing = np.zeros(len(self.x), dtype=bool)
        missing |= np.isnan(self.x).any(axis=1)
        for part in self.parts:
            missing |= np.isnan(part.z).any(axis=1)
        if self.offset is not None:
            missing |= np.isnan(self.offset)
        return missing

    def without_new_levels(self) -> PredictedRows:
        """The same rows, with those of a new level as rows with missing values."""
        parts = [replace(part, z=np.where(part.codes[:, None] < 0, np.nan, part.z)) for part in self.parts]
        return replace(self, parts=tuple(parts))

    def linear_predictor(self, fitted: FittedModel | None = None) -> NDArray[np.float64]:
        """Xβ + Zb + offset with the estimates, or at other values of the parameters; shape (n,)."""
        estimates = (fitted or self.fitted).estimates
        total = self.x[:, estimates.kept] @ estimates.beta[estimates.kept] + self.random_part(fitted)
        return total if self.offset is None else total + self.offset

    def random_part(self, fitted: FittedModel | None = None) -> NDArray[np.float64]:
        """Zb, shape (n,)."""
        estimates = (fitted or self.fitted).estimates
        total = np.zeros(len(self))
        for part in self.parts:
            b = estimates.b[part.term][:, part.columns]
            # The row after the last level is for new levels: their expected effect is zero.
            b = np.vstack([b, np.zeros(len(part.columns))])
            total += np.einsum("ij,ij->i", part.z, b[part.codes])
        return total

    def for_engine(self) -> tuple[NDArray[np.float64], NewTerms]:
        """The rows as `FittedModel.prediction_variances` takes them; those with missing values are zero."""
        x = np.where(self.missing[:, None], 0.0, self.x)
        chosen = {part.term: part for part in self.parts}
        terms: NewTerms = []
        for t, term in enumerate(self.fitted.design.terms):
            codes = np.full(len(x), _NO_LEVEL, dtype=np.uint32)
            z = np.zeros((len(x), len(term.names)))
            if t in chosen:
                part = chosen[t]
                known = (part.codes >= 0) & ~self.missing
                codes[known] = part.codes[known]
                z[np.ix_(known, part.columns)] = part.z[known]
            terms.append((codes, z))
        return x, terms

    def prior_variance(self, fitted: FittedModel | None = None) -> NDArray[np.float64]:
        """z'Gz for levels that were not in the fit, G the covariance matrix of the term; shape (n,)."""
        fitted = fitted or self.fitted
        variance = np.zeros(len(self))
        for part, factor in self._factors(fitted):
            new = part.codes < 0
            variance[new] += fitted.scale**2 * np.square(part.z[new] @ factor).sum(axis=1)
        return variance

    def _factors(self, fitted: FittedModel) -> list[tuple[RandomPart, NDArray[np.float64]]]:
        found = factors(fitted.design, fitted.estimates.theta)
        return [(part, found[part.term][part.columns]) for part in self.parts]

    def padded(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of the rows of the fit for all rows that the user knows; others as they are."""
        return values if self.frame is not None else self.fitted.design.missing.pad(values)

    def labels(self) -> Any:
        """Labels of the padded rows; None for rows that are numbered."""
        if self.frame is None:
            return labels_of_results(self.fitted.design, self.fitted.arguments)
        return self.frame.index


def predicted_rows(
    fitted: FittedModel, newdata: Any, re_form: Any, new_levels: NewLevels, offset: Any
) -> PredictedRows:
    """The rows that the arguments of `MixedModel.predict` describe."""
    selection = select_effects(fitted, re_form)
    if newdata is None:
        if offset is not None:
            raise ArgumentError(
                "predict: offset= needs newdata; predictions for the data of the fit use its own offset"
            )
        return rows_of_fit(fitted, selection)
    frame = Frame.from_any(newdata, what="newdata")
    with naming_left_out(fitted.design, fitted.arguments):
        chosen = {t: columns.tolist() for t, columns in selection.items()}
        rows = new_rows(
            fitted,
            frame,
            selection,
            offset,
            lambda recipe: recipe.new_random(frame, new_levels != "error", chosen),
        )
    return rows.without_new_levels() if new_levels == "missing" else rows


def check_new_levels(allow_new_levels: Any, new_re_levels: Any) -> NewLevels:
    """The two arguments of `MixedModel.predict` for new levels: lme4's name, and all three choices."""
    allowed = optional_flag("allow_new_levels", allow_new_levels)
    if new_re_levels is None:
        return "population" if allowed else "error"
    one_of("new_re_levels", new_re_levels, _NEW_LEVELS)
    meant = "population" if allowed else "error"
    if allowed is not None and new_re_levels != meant:
        raise ArgumentError(
            f"predict: allow_new_levels={allowed} is new_re_levels={meant!r}, not {new_re_levels!r}; "
            "give only one"
        )
    return new_re_levels


def rows_of_fit(fitted: FittedModel, selection: Selection) -> PredictedRows:
    """The rows of the fit."""
    design = fitted.design
    parts = [
        RandomPart(t, columns, design.terms[t].group.codes, design.terms[t].z[:, columns])
        for t, columns in selection.items()
    ]
    return PredictedRows(fitted, design.x, tuple(parts), design.offset, None)


def new_rows(
    fitted: FittedModel,
    frame: Frame,
    selection: Selection,
    offset: Any,
    new_random: Callable[[DesignRecipe], Sequence[NewRandomTerm]],
    function: str = "predict",
) -> PredictedRows:
    """
    New rows.

    Parameters
    ----------
    fitted : FittedModel
    frame : Frame
    selection : mapping of int to ndarray of int
        The effects that take part.
    offset : str or array-like of shape (n,), optional
    new_random : callable
        Makes the terms of the selection from the recipe.
    function : str
        For messages.
    """
    recipe = fitted.design.recipe
    recipe.prefetch(frame, selection)
    x = determined_x(fitted, frame)
    found = new_random(recipe) if selection else ()
    parts = [
        RandomPart(t, columns, new.codes, new.z)
        for (t, columns), new in zip(selection.items(), found, strict=True)
    ]
    offsets = [recipe.new_offset(frame), argument_offset(fitted, frame, offset, function)]
    given = [values for values in offsets if values is not None]
    return PredictedRows(fitted, x, tuple(parts), np.sum(given, axis=0) if given else None, frame)


def argument_offset(
    fitted: FittedModel, frame: Frame, offset: Any, function: str = "predict"
) -> NDArray[np.float64] | None:
    """The counterpart of the ``offset`` argument of the fit; `function` is named in messages."""
    fitted_with = fitted.arguments.offset
    if offset is None:
        if fitted_with is None:
            return None
        if not isinstance(fitted_with, str):
            raise ArgumentError(
                f"{function}: the model was fitted with an array as offset, so new data needs one too: "
                "give offset= with one value for each row (zeros for none)"
            )
        offset = fitted_with
    found = named_or_given(offset, frame, "offset", fitted.design.recipe.functions)
    return None if found is None else found[1]
