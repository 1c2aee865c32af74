"""Exceptions and warnings of the package: one tree each, every message says what to do."""

from __future__ import annotations


class MixedModelError(ValueError):
    """Base class of every error the package raises on purpose."""


class FormulaError(MixedModelError):
    """The formula cannot be read, or asks for something it may not ask for."""


class DataError(MixedModelError):
    """A column or array holds something a model cannot be fitted to."""


class MissingColumnError(DataError, KeyError):
    """A name in the formula or an argument is not a column of the data."""

    def __str__(self) -> str:
        # KeyError would print repr(message), quotes and escapes included.
        return str(self.args[0]) if self.args else ""


class ArgumentError(MixedModelError):
    """An argument of a function has a value it cannot have."""


class ConvergenceError(MixedModelError):
    """The optimisation broke down and there is no fit to report."""


class ModesError(ConvergenceError):
    """
    The conditional modes of the random effects could not be found.

    Attributes
    ----------
    row : int or None
        The row used, counted from 0, where the linear predictor left what the family can have.
    """

    row: int | None

    def __init__(self, message: str, row: int | None = None) -> None:
        super().__init__(message, row)
        self.row = row

    def __str__(self) -> str:
        return str(self.args[0])


class MemoryLimitError(MixedModelError, MemoryError):
    """The model would need more memory than can be had; the message gives the figure."""


class MixedModelsWarning(UserWarning):
    """Base class of every warning the package issues."""


class SingularFitWarning(MixedModelsWarning):
    """The estimated covariance matrix of a random-effects term is singular."""


class UndeterminedWarning(MixedModelsWarning):
    """The data do not determine some covariances of random effects, whose estimates are arbitrary."""


class ConvergenceWarning(MixedModelsWarning):
    """The optimiser did not certify an optimum; the message gives the facts."""


class RankDeficiencyWarning(MixedModelsWarning):
    """Columns of the fixed-effects model matrix were dropped as linearly dependent."""


class SeparationWarning(MixedModelsWarning):
    """Coefficients run off to infinity: some combination of the predictors tells the outcomes apart."""


class LargeModelWarning(MixedModelsWarning):
    """The fit takes much memory; issued before it starts, with the figures."""


class FormulaWarning(MixedModelsWarning):
    """The formula means something other than a reader might expect."""
