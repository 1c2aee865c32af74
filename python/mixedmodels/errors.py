"""Exceptions and warnings of the package, one hierarchy each; every message says what to do."""

from __future__ import annotations

from collections.abc import Iterable

from .wording import nearest


class MixedModelError(ValueError):
    """Base class of all errors that the package raises deliberately."""


class FormulaError(MixedModelError):
    """The formula cannot be parsed, or uses something that is not allowed."""


class DataError(MixedModelError):
    """A column or array is unsuitable for the model."""


class NewLevelsError(DataError):
    """
    A factor in new data has levels that were not in the fit.

    Attributes
    ----------
    column : str
        The column or expression.
    levels : tuple of str
        The new levels.
    """

    column: str
    levels: tuple[str, ...]

    def __init__(self, message: str, column: str = "", levels: tuple[str, ...] = ()) -> None:
        super().__init__(message, column, levels)
        self.column, self.levels = column, levels

    def __str__(self) -> str:
        return str(self.args[0])


class MissingColumnError(DataError, KeyError):
    """A name in the formula or an argument is not a column of the data."""

    def __str__(self) -> str:
        # KeyError would print repr(message), quotes and escapes included.
        return str(self.args[0]) if self.args else ""


class ArgumentError(MixedModelError):
    """An argument of a function has an invalid value."""


class NoDataError(MixedModelError):
    """A model that was loaded without its data is asked for something that needs them."""


class ModelFileError(MixedModelError):
    """A file is no model file, is damaged, or cannot be read by this version."""


# Names of one thing, here in other functions or in other packages.
_SAME = (
    ("rng", "seed", "random_state"),
    ("n", "nsim", "n_boot", "nboot", "B", "R"),
    ("parm", "which"),
    ("start", "initial"),
)
# Options of a Control, by their names here and in other packages.
CONTROL_OPTIONS = {
    **dict.fromkeys(("max_evaluations", "max_evals", "maxfun", "maxeval", "maxiter"), "max_evaluations"),
    **dict.fromkeys(("max_time", "maxtime"), "max_time"),
    **dict.fromkeys(("tolerance", "tol", "ftol", "ftol_abs", "ftol_rel", "xtol_abs", "gtol"), "tolerance"),
    **{name: name for name in ("check_effects", "check_derivatives", "progress", "starts")},
}


class UnknownArgumentError(ArgumentError, TypeError):
    """
    A keyword that a function does not have.

    Attributes
    ----------
    function, name : str
        The function, and the keyword as it was given.
    known : tuple of str
        The keywords that the function has.
    """

    function: str
    name: str
    known: tuple[str, ...]

    def __init__(self, function: str, name: str, known: Iterable[str] = ()) -> None:
        known = tuple(known)
        super().__init__(function, name, known)
        self.function, self.name, self.known = function, name, known

    def __str__(self) -> str:
        all_known = f"; its arguments: {', '.join(self.known)}" if self.known else "; it has no arguments"
        if self.name in CONTROL_OPTIONS and "control" in self.known:
            option = CONTROL_OPTIONS[self.name]
            return f"{self.function}() has no argument {self.name!r}; write control={{{option!r}: ...}}"
        same = [own for names in _SAME if self.name in names for own in self.known if own in names]
        hint = f"; did you mean {same[0]!r}?" if same else nearest(self.name, self.known) or all_known
        return f"{self.function}() has no argument {self.name!r}{hint}"


class TooManyArgumentsError(ArgumentError, TypeError):
    """
    More arguments by position than a function takes.

    Attributes
    ----------
    function : str
    most, given : int
        How many it takes by position, and how many there were.
    known : tuple of str
        All arguments that it takes, in their order.
    """

    def __init__(self, function: str, most: int, given: int, known: Iterable[str] = ()) -> None:
        known = tuple(known)
        super().__init__(function, most, given, known)
        self.function, self.most, self.given, self.known = function, most, given, known

    def __str__(self) -> str:
        took = f"at most {self.most}" if self.most else "no"
        by_name = self.known[self.most :]
        names = f"; give {', '.join(by_name)} by name" if by_name else ""
        return (
            f"{self.function}() takes {took} further argument{'s' * (self.most != 1)} by position, but "
            f"{self.given} {'was' if self.given == 1 else 'were'} given{names}"
        )


class UnknownItemError(ArgumentError, KeyError):
    """A result has no part of this name."""

    def __str__(self) -> str:
        # KeyError would print repr(message), quotes and escapes included.
        return str(self.args[0]) if self.args else ""


class NotAvailableError(ArgumentError, FormulaError, NotImplementedError):
    """
    A feature of other packages that is not available here yet.

    Attributes
    ----------
    feature : str
        Its name in statistics.
    instead : str
        What to use in the meantime.
    """

    feature: str
    instead: str

    def __init__(self, message: str, feature: str = "", instead: str = "") -> None:
        super().__init__(message, feature, instead)
        self.feature, self.instead = feature, instead

    def __str__(self) -> str:
        return str(self.args[0])


class ConvergenceError(MixedModelError):
    """The optimization broke down, so there is no fit to report."""


class ModesError(ConvergenceError):
    """
    The conditional modes of the random effects could not be found.

    Attributes
    ----------
    row : int or None
        The row, counted from 0 among the rows used, where the linear predictor left the range of the family.
    """

    row: int | None

    def __init__(self, message: str, row: int | None = None) -> None:
        super().__init__(message, row)
        self.row = row

    def __str__(self) -> str:
        return str(self.args[0])


class MemoryLimitError(MixedModelError, MemoryError):
    """The model needs more memory than is available; the message gives the figure."""


class ExecutorError(MixedModelError, RuntimeError):
    """An executor lost work, as when one of its processes dies; the message names the replicates."""


class InternalError(MixedModelError, RuntimeError):
    """A bug in the package, whatever the input; please report it."""

    def __str__(self) -> str:
        return (
            f"internal error: {super().__str__()}. This is a bug in mixedmodels, whatever the input; "
            "please report it with this message, the formula and, if possible, the data"
        )


class MixedModelsWarning(UserWarning):
    """Base class of every warning the package issues."""


class SingularFitWarning(MixedModelsWarning):
    """The estimated covariance matrix of a random-effects term is singular."""


class UndeterminedWarning(MixedModelsWarning):
    """The data do not determine some covariances of random effects, whose estimates are arbitrary."""


class ConvergenceWarning(MixedModelsWarning):
    """The optimizer did not certify an optimum; the message gives the details."""


class RankDeficiencyWarning(MixedModelsWarning):
    """Columns of the fixed-effects model matrix were dropped as linearly dependent."""


class EstimabilityWarning(MixedModelsWarning):
    """The data do not determine some of the requested values, which are NaN; the message names them."""


class SeparationWarning(MixedModelsWarning):
    """Coefficients diverge to infinity: some combination of the predictors separates the outcomes."""


class LargeModelWarning(MixedModelsWarning):
    """The fit needs a lot of memory; issued before it starts, with the figures."""


class FormulaWarning(MixedModelsWarning):
    """The formula does not mean what a reader might expect."""


class InterruptedWarning(MixedModelsWarning):
    """The user ended a repetition; the result holds what was done until then."""


class DataWarning(MixedModelsWarning):
    """A column does not hold what a reader of the formula might expect."""
