"""One fit, step by step: a design and arguments in, a state out, with the warnings a user should see."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..design import Design, Predictors, theta as theta_layout
from ..errors import ArgumentError, DataError, LargeModelWarning, MixedModelsWarning
from ..notices import model_label, warn_of_fit
from .arguments import ModelArguments
from .block_costs import size_notice
from .control import Control, as_control, check_optimizer, check_starts, optimizer_name
from .criterion import Criterion
from .endpoint.term_roots import (
    term_roots,
)
from .endpoint.undetermined import undetermined_notices
from .endpoint.verdict import (
    Notice,
    Verdict,
    convergence_of,
    dropped_notices,
    found_elsewhere,
    judge,
    singular_notices,
)
from .fixed import Held
from .progress import Watch
from .record import read_only
from .state import FittedModel

A = TypeVar("A", bound=ModelArguments)
S = TypeVar("S", bound=FittedModel)
Roots = tuple[NDArray[np.float64], ...]


class Point(NamedTuple):
    """
    Parameters at which a model is evaluated.

    Attributes
    ----------
    theta : ndarray, shape (n_theta,)
    beta : ndarray, shape (p,)
        For a linear model irrelevant: the best coefficients follow from theta.
    dispersion : float
        Irrelevant for a linear model whose sigma is not held, and for a family without one.
    """

    theta: NDArray[np.float64]
    beta: NDArray[np.float64]
    dispersion: float


class Fitting(ABC, Generic[A, S]):
    """
    The fit of a design by some arguments; what the kinds of models differ in.

    Attributes
    ----------
    design : Design
    arguments : ModelArguments
    searcher : str, callable or None
        The argument ``optimizer``.
    optimizer : str or None
        Its name.
    control : Control
    held : Held
    """

    def __init__(self, design: Design, arguments: A) -> None:
        self.design, self.arguments = design, arguments
        self.searcher = check_optimizer(arguments.optimizer)
        self.optimizer = optimizer_name(self.searcher)
        self.control = as_control(arguments.control)
        check_starts(self.searcher, self.control)
        self.check_response()
        self.held = self.resolve_held()

    def fit(
        self,
        engine: Any = None,
        roots: Roots | None = None,
        response: str | None = None,
        quiet: bool = False,
    ) -> S:
        """
        Fit the design.

        Parameters
        ----------
        engine : Lmm or Glmm, optional
            The engine's model of this design, when there is one already.
        roots : tuple of ndarray, optional
            The square roots of Z'WZ/n of its terms, when they are known already.
        response : str, optional
            Name of the response in warnings, when it is not the one of the formula.
        quiet : bool
            Keep the warnings for the object and issue none: for refits that the user did not ask for.
        """
        design, held, control = self.design, self.held, self.control
        label = model_label(design.formula.text, response)
        notices = self.too_many_effects()
        if engine is None:
            engine = self.build_engine()
            if not quiet:
                self.announce(engine, label)
        if roots is None:
            roots = term_roots(design, self.root_weights())
        result = self.search(engine, Watch(control, label, quiet=quiet))
        fitted = self.state(result, engine, roots)
        fitted.know(held, result["free"] if held.variances else None)
        verdict = judge(
            fitted, self.optimizer, control, result, self.ratio(fitted), doubtful=self.doubtful(fitted)
        )
        if self.optimizer is not None:
            verdict = self.checked_at_infinity(verdict, fitted, result)
        known = fitted.known_singularities()
        theta, scale = fitted.estimates.theta, fitted.scale
        notices += dropped_notices(design, fitted.estimates.kept) + verdict.notices
        notices += singular_notices(design, theta, roots, scale, known)
        notices += undetermined_notices(design, roots, held.terms(design))
        notices += self.own_notices(fitted, verdict)
        if not quiet:
            warn_of_fit(notices, label)
        messages = tuple([text for _, text in notices])
        return fitted.concluded(convergence_of(self.optimizer, result, verdict, messages))

    def announce(self, engine: Any, label: str = "") -> None:
        """Warn of a large model before the fit, which may take long; it says nothing of the result."""
        notice = size_notice(engine, self.design)
        if notice:
            warn_of_fit([(LargeModelWarning, notice)], label or model_label(self.design.formula.text, None))

    def at(self, point: Point, engine: Any, roots: Roots, status: str = "converged") -> S:
        """
        The state at parameters that are known to be the optimum; nothing is searched and nobody is warned.

        Parameters
        ----------
        point : Point
        engine : Lmm or Glmm
            The engine's model of this design.
        roots : tuple of ndarray
            The square roots of Z'WZ/n of its terms.
        status : str
            How the search for the point ended.
        """
        fitted = self.state(self.evaluated(point, engine), engine, roots)
        fitted.know(self.held, None)
        return fitted.concluded(found_elsewhere(self.optimizer, status))

    @abstractmethod
    def evaluated(self, point: Point, engine: Any) -> dict[str, Any]:
        """What the engine says of a point."""

    @abstractmethod
    def check_response(self) -> None:
        """Refuse a response that cannot be modelled, before the engine finds that nothing is left to fit."""

    @abstractmethod
    def resolve_held(self) -> Held:
        """The parameters that the arguments hold."""

    @abstractmethod
    def too_many_effects(self) -> list[Notice]:
        """See `check_numbers_of_effects`."""

    @abstractmethod
    def build_engine(self) -> Any:
        """The engine's model of the design."""

    @abstractmethod
    def with_response(self, engine: Any) -> Any:
        """The engine's model of another response, with the response of this design."""

    @abstractmethod
    def criterion(self, engine: Any) -> Criterion:
        """What the search minimizes, as a function of one vector."""

    @abstractmethod
    def root_weights(self) -> NDArray[np.float64] | None:
        """The weights of the rows in the roots of the terms."""

    @abstractmethod
    def search(self, engine: Any, watch: Watch) -> dict[str, Any]:
        """Run the optimizer, or evaluate at the start without one; what the engine says of the end."""

    @abstractmethod
    def state(self, result: Mapping[str, Any], engine: Any, roots: Roots) -> S:
        """The state at the end of the search, its convergence apart."""

    def ratio(self, fitted: S) -> float:
        """The largest standard deviation of random effects over the residual one; 0 if irrelevant."""
        return 0.0

    def doubtful(self, fitted: S) -> bool:
        """Whether the objective may have saddle points near the end point."""
        return False

    @abstractmethod
    def checked_at_infinity(self, verdict: Verdict, fitted: S, result: Mapping[str, Any]) -> Verdict:
        """The verdict, unless the search ran towards an optimum at infinity."""

    @abstractmethod
    def own_notices(self, fitted: S, verdict: Verdict) -> list[Notice]:
        """Warnings of this kind of model."""


def check_nothing_held_in_search(held: Held, name: str) -> None:
    """Refuse covariance parameters that are held where a function of the user searches."""
    if held.random:
        raise ArgumentError(
            f"optimizer: {name} searches all of theta, and {', '.join(held.texts)} cannot be held there; "
            "take one of the package's optimizers, or leave it out of fixed="
        )


def with_dropped(beta: NDArray[np.float64], kept: NDArray[np.int64], p: int) -> NDArray[np.float64]:
    """The coefficients of all p columns: NaN for those that were dropped."""
    if len(kept) == p:
        return beta
    full = np.full(p, np.nan)
    full[kept] = beta
    full.flags.writeable = False
    return full


def check_only_scale_held(held: Held) -> None:
    """Refuse covariance parameters of random effects that are held where theta is given."""
    if held.random:
        raise ArgumentError(
            "optimizer=None evaluates the model at start=: give the values of covariance parameters there, "
            f"and leave {', '.join(held.texts)} out of fixed="
        )


def exact_theta(theta: NDArray[np.float64], design: Predictors, held: Held) -> NDArray[np.float64] | None:
    """Theta with the values held in it, and zeros for standard deviations of zero; None without any."""
    if not held.random:
        return None
    result = np.array(theta)
    for i, value in held.theta:
        result[i] = value
    changed = False
    for t, (term, part) in enumerate(theta_layout.slices(design)):
        zeros = held.zeros(t, design)
        if not zeros:
            continue
        natural = np.nan_to_num(term.structure.natural(theta[part]))
        for i, own in enumerate(term.structure.parameters):
            if zeros.intersection(own.columns):
                natural[i] = 0.0
        result[part] = term.structure.theta(natural)
        changed = True
    return read_only(result) if changed or held.theta else None


def check_numbers_of_effects(
    design: Predictors, control: Control, *, residual: bool = True, trials: int = 0
) -> list[tuple[type[Any], str]]:
    """
    Warnings, or an error, for terms with more random effects than the observations determine.

    As many effects as observations leave nothing for a `residual` variance. Without one, as in a generalized
    model, an effect for each observation is overdispersion, and more are too many. Of binomial counts each of
    the `trials` is an observation.
    """
    found: list[tuple[type[Any], str]] = []
    if control.check_effects == "ignore":
        return found
    n = max(len(design.x), trials)
    for term in design.terms:
        # With independent columns each one is a term of its own; other structures have few parameters.
        width = max(map(len, term.blocks), default=0)
        effects = width * len(term.group.levels)
        if effects < n or (effects == n and not residual):
            continue
        problem = (
            "the data may not separate their variances from the residual variance"
            if residual
            else "their variances may not be determined"
        )
        text = (
            f"{term.text} has {effects} random effects ({width} for each of {len(term.group.levels)} levels "
            f"of {term.group.label!r}) for {n} observations: {problem}; drop columns of the term, or use ||"
        )
        if control.check_effects == "error":
            raise DataError(text)
        found.append((MixedModelsWarning, text))
    return found
