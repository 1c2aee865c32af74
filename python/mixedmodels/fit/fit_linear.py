"""The fit of a linear mixed model by ML or REML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..design import INTERCEPT, Predictors
from ..errors import ArgumentError, DataError
from .arguments import FitArguments, check_reml
from .at_sigma import at_sigma
from .control import for_engine
from .criterion import LinearCriterion
from .endpoint.unbounded import column_sizes, residual_vanishes
from .endpoint.undetermined import explained_notices, residual_notices
from .endpoint.verdict import Notice, Verdict, not_optimised
from .fitted_linear import FittedLinear, build_engine
from .fitting import (
    Fitting,
    Point,
    Roots,
    check_nothing_held_in_search,
    check_numbers_of_effects,
    check_only_scale_held,
    exact_theta,
    with_dropped,
)
from .fixed import NOTHING_HELD, Held, embedded, resolve
from .own_optimizer import minimized_by
from .progress import Watch
from .record import Estimates, read_only
from .starting_point import check_start

if TYPE_CHECKING:
    from .._engine import Lmm


class LinearFitting(Fitting[FitArguments, FittedLinear]):
    """The steps in which linear mixed models differ from generalized ones."""

    def resolve_held(self) -> Held:
        self.reml = check_reml(self.arguments.reml)
        self.start = check_start(self.arguments.start, self.design)
        return resolve(self.arguments.fixed, self.design)

    def check_response(self) -> None:
        """A constant response is fitted exactly by the intercept."""
        design = self.design
        y = design.y if design.offset is None else design.y - design.offset
        if not (y[0] == y[-1] and np.all(y == y[0])) or INTERCEPT not in design.x_names:
            return
        held = resolve(self.arguments.fixed, design)
        if design.x_names.index(INTERCEPT) in held.columns:
            return
        raise DataError(
            f"the response {design.response_name} is constant (every value is {y[0]:g}"
            f"{'' if design.offset is None else ' after the offset'}): there is no variance to model"
        )

    def too_many_effects(self) -> list[Notice]:
        return check_numbers_of_effects(self.design, self.control, residual=self.held.sigma is None)

    def build_engine(self) -> Lmm:
        return build_engine(self.design, self.held)

    def with_response(self, engine: Lmm) -> Lmm:
        return engine.with_response(self.design.y)

    def criterion(self, engine: Lmm) -> LinearCriterion:
        return LinearCriterion(self.design, engine, self.reml, self.held)

    def root_weights(self) -> NDArray[np.float64] | None:
        return self.design.weights

    def search(self, engine: Lmm, watch: Watch) -> dict[str, Any]:
        result = self._run(engine, watch)
        return self._with_exact_values(result, engine)

    def evaluated(self, point: Point, engine: Lmm) -> dict[str, Any]:
        theta = read_only(point.theta)
        result = {**engine.evaluate(theta, self.reml), "theta": theta}
        if not self.held.variances:
            return result
        # Standard deviations that are held decide on sigma too.
        return at_sigma(result, engine, self.reml, self.held.sigma or float(np.sqrt(point.dispersion)))

    def state(self, result: Mapping[str, Any], engine: Lmm, roots: Roots) -> FittedLinear:
        estimates = estimates_from(result, engine, self.design, self.held)
        return FittedLinear(
            self.design, self.arguments, self.reml, estimates, term_roots=roots, _engine=engine
        )

    def ratio(self, fitted: FittedLinear) -> float:
        return float(fitted.derived(_column_sizes).max(initial=0.0))

    def checked_at_infinity(
        self, verdict: Verdict, fitted: FittedLinear, result: Mapping[str, Any]
    ) -> Verdict:
        if self.held.variances:
            return verdict
        engine, reml = fitted.engine, self.reml

        def criterion(theta: NDArray[np.float64]) -> float:
            return engine.evaluate(theta, reml)["objective"]

        sizes, estimates = fitted.derived(_column_sizes), fitted.estimates
        problem = residual_vanishes(self.design, sizes, estimates, result["gradient"], criterion)
        return verdict.without_optimum(problem)

    def own_notices(self, fitted: FittedLinear, verdict: Verdict) -> list[Notice]:
        notices: list[Notice] = []
        if self.held.sigma is None:
            notices += residual_notices(self.design)
        if self.reml and not self.held.random:
            notices += explained_notices(self.design, fitted.estimates.free)
        return notices

    def _run(self, engine: Lmm, watch: Watch) -> dict[str, Any]:
        held, reml, start = self.held, self.reml, self.start
        if callable(self.searcher):
            check_nothing_held_in_search(held, str(self.optimizer))
            criterion = self.criterion(engine)
            start = criterion.default_start() if start is None else start
            return minimized_by(self.searcher, criterion, start, self.control, watch)
        if self.optimizer is not None:
            limits = for_engine(self.control, watch.listener)
            result = engine.fit(reml, self.optimizer, start, limits, held.for_engine())
            watch.end(result)
            # The engine holds its logarithm.
            return result if held.sigma is None else {**result, "sigma": held.sigma}
        if start is None:
            raise ArgumentError("optimizer=None evaluates the model at start=; give start=")
        check_only_scale_held(held)
        result = engine.evaluate(start, reml)
        if held.sigma is None:
            gradient = engine.gradient(start, reml)
        else:
            result = at_sigma(result, engine, reml, held.sigma)
            result["free"] = engine.free_derivatives(start, held.sigma, reml, {"sigma": held.sigma})
            gradient = result["free"]["gradient"]
        return {**result, "theta": read_only(start), **not_optimised(start, result["objective"], gradient)}

    def _with_exact_values(self, result: dict[str, Any], engine: Lmm) -> dict[str, Any]:
        """The result with the values held, and standard deviations of zero, in theta without rounding."""
        theta = exact_theta(result["theta"], self.design, self.held)
        if theta is None:
            return result
        found = engine.evaluate(theta, self.reml)
        held = self.held.for_engine() or {}
        free = engine.free_derivatives(theta, result["sigma"], self.reml, held)
        return {
            **result,
            **found,
            "theta": theta,
            "objective": result["objective"],
            "sigma": result["sigma"],
            "free": free,
            "gradient": free["gradient"],
        }


def _column_sizes(fitted: FittedLinear) -> NDArray[np.float64]:
    return column_sizes(fitted.design, fitted.term_roots, fitted.estimates.theta)


def estimates_from(
    result: Mapping[str, Any], engine: Lmm, design: Predictors, held: Held = NOTHING_HELD
) -> Estimates:
    """The engine's numbers, whose arrays are closed to writing, in the shapes of the design."""
    free, p = engine.kept, design.x.shape[1]
    kept = held.in_all_columns(free, p)
    return Estimates(
        theta=result["theta"],
        objective=result["objective"],
        log_det_z=result["log_det_z"],
        log_det_x=result["log_det_x"],
        pwrss=result["pwrss"],
        sigma=result["sigma"],
        beta=held.beta(with_dropped(result["beta"], free, p - len(held.columns)), p),
        kept=kept,
        unscaled_covariance=embedded(result["xtvx_inv"], kept, held.columns),
        b=tuple(result["b"]),
        u=tuple(result["u"]),
        fitted=result["fitted"],
        held=held.columns,
    )
