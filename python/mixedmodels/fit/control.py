"""Options of the optimisation, checked when they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, Literal

from ..checks import flag, one_of, optional_flag, positive_number, shown, whole_number
from ..errors import CONTROL_OPTIONS, ArgumentError

OPTIMIZERS = ("trust_region", "bobyqa", "newuoa", "nelder_mead", "cobyla", "sbplx")
DEFAULT_OPTIMIZER = OPTIMIZERS[0]
_CHECKS = ("error", "warning", "ignore")


@dataclass(frozen=True)
class Control:
    """
    Limits and checks of a fit.

    Parameters
    ----------
    max_evaluations : int, optional
        Largest number of evaluations of the objective, of all searches of a fit together. By default
        2,000 for ``"trust_region"`` and 50,000 for the others. R: ``maxfun``, ``maxeval``.
    tolerance : float, optional
        Stopping tolerance of the optimizer: the predicted decrease of the objective for
        ``"trust_region"``, its relative change for the derivative-free methods.
    verbose : bool, default False
        Print the objective after every evaluation, while the fit runs.
    check_effects : {"error", "warning", "ignore"}, default "warning"
        What to do if a term has as many random effects as there are observations (more, in a generalized
        model), so that only the model separates the residual variance from the others. "ignore" also turns
        other errors off: as many levels as observations in a linear model, and covariance matrices with more
        parameters than the data determine or than a search can handle in reasonable time.
        R: ``check.nobs.vs.nRE``, ``check.nobs.vs.nlev``.
    check_derivatives : bool, optional
        Certify the end point by the exact gradient and Hessian. By default this is done unless the
        optimizer has used the derivatives itself. R: ``calc.derivs``.
    max_time : float, optional
        Time limit in seconds. The search stops at the first evaluation that ends later, at the best point so
        far, and does not count as converged. For ``fit_many`` the limit is for all responses together.
    progress : callable, optional
        Called after every evaluation with a :class:`mixedmodels.Progress` (``evaluation``, ``objective``,
        ``elapsed``), possibly from another thread. If it raises an exception, the fit stops and passes the
        exception on. It is not pickled.
    starts : int, optional
        Number of searches of ``"trust_region"``, each from another start; the fit is the best result. For
        other optimizers more than one is an error. By default there is one search, and a second one if the
        first finds no optimum, or if a small generalized model ends with a singular covariance matrix, where
        there may be a better optimum elsewhere.

    Raises
    ------
    ArgumentError
        If a value is of the wrong type or range.

    Examples
    --------
    >>> from mixedmodels import Control
    >>> Control(max_evaluations=500).max_evaluations
    500
    """

    max_evaluations: int | None = None
    tolerance: float | None = None
    verbose: bool = False
    check_effects: Literal["error", "warning", "ignore"] = "warning"
    check_derivatives: bool | None = None
    max_time: float | None = None
    progress: Callable[[Any], object] | None = None
    starts: int | None = None

    def __post_init__(self) -> None:
        if self.max_evaluations is not None:
            whole_number("control: max_evaluations", self.max_evaluations, 1)
        if self.tolerance is not None:
            positive_number("control: tolerance", self.tolerance)
        if self.max_time is not None:
            positive_number("control: max_time", self.max_time)
        if self.progress is not None and not callable(self.progress):
            raise ArgumentError(f"control: progress must be callable, not {shown(self.progress)}")
        if self.starts is not None:
            whole_number("control: starts", self.starts, 1)
        flag("control: verbose", self.verbose)
        one_of("control: check_effects", self.check_effects, _CHECKS)
        optional_flag("control: check_derivatives", self.check_derivatives)

    def __getstate__(self) -> dict[str, Any]:
        # A callback belongs to its session, and most cannot be pickled.
        return {**vars(self), "progress": None}


def for_engine(control: Control, listener: Callable[..., None] | None) -> dict[str, Any]:
    """The options that the engine reads, with what it calls before every evaluation."""
    return {
        "max_evaluations": control.max_evaluations,
        "tolerance": control.tolerance,
        "starts": control.starts,
        "max_time": None if control.max_time is None else float(control.max_time),
        "progress": listener,
    }


_DEFAULT = Control()


def as_control(value: Control | Mapping[str, Any] | None) -> Control:
    """A `Control` from one, from a mapping of its fields, or from None for the defaults."""
    if value is None:
        return _DEFAULT
    if isinstance(value, Control):
        return value
    if not isinstance(value, Mapping):
        raise ArgumentError(f"control must be a Control or a dict, not {type(value).__name__}")
    known = [field.name for field in fields(Control)]
    for key in value:
        if key not in known:
            own = CONTROL_OPTIONS.get(key) if isinstance(key, str) else None
            hint = _hint(key, known) if own is None else f" (did you mean {own!r}?)"
            raise ArgumentError(f"control: unknown option {key!r}{hint}; options: {', '.join(known)}")
    return Control(**value)


# The name of an optimizer, a function of the user that minimizes, or None.
Searcher = str | Callable[..., Any] | None


def check_optimizer(name: Any) -> Searcher:
    """
    The optimizer's name, a function that minimizes, or None for no optimisation.

    Raises
    ------
    ArgumentError
        For anything else; the message lists the names.
    """
    if name is None or callable(name) or (isinstance(name, str) and name in OPTIMIZERS):
        return name
    raise ArgumentError(
        f"unknown optimizer {name!r}{_hint(name, OPTIMIZERS)}; choose one of {', '.join(OPTIMIZERS)}, "
        "a function that minimizes, or None to evaluate at the start without optimising"
    )


def optimizer_name(optimizer: Searcher) -> str | None:
    """The name of an optimizer; a function of the user has parentheses after its own."""
    if optimizer is None or isinstance(optimizer, str):
        return optimizer
    return f"{getattr(optimizer, '__name__', type(optimizer).__name__)}()"


def check_starts(optimizer: Searcher, control: Control) -> None:
    """Refuse several starts for an optimizer that has one."""
    if optimizer not in (None, "trust_region") and (control.starts or 1) > 1:
        name = optimizer if isinstance(optimizer, str) else optimizer_name(optimizer)
        raise ArgumentError(
            f"control: starts={control.starts} is for optimizer='trust_region', not {name!r}; leave one "
            "of them out, or compare starts with allFit()"
        )


def _hint(name: Any, known: Any) -> str:
    close = get_close_matches(name, known, n=1) if isinstance(name, str) else []
    return f" (did you mean {close[0]!r}?)" if close else ""
