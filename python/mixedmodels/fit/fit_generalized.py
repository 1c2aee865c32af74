"""The fit of a generalized linear mixed model by maximum likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..design import Design
from ..errors import ArgumentError, DataError, ModesError, SeparationWarning
from ..families import Family
from .arguments import GeneralizedArguments
from .control import for_engine
from .criterion import GeneralizedCriterion
from .endpoint.dispersion_limits import limit_notices, unbounded_likelihood
from .endpoint.separation import (
    far_out,
    large_term_notices,
    separated_levels,
    separation_notices,
    single_rows_notices,
)
from .endpoint.unbounded import dispersion_vanishes
from .endpoint.verdict import Notice, Verdict, not_optimised
from .fitted_generalized import FittedGeneralized, build_generalized_engine
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
from .fixed import Held, embedded, resolve
from .own_optimizer import minimized_by
from .progress import Watch
from .record import GeneralizedEstimates, read_only
from .starting_point import check_generalized_start

if TYPE_CHECKING:
    from .._engine import Glmm

# The product grid has nAGQ^k nodes for every level.
_MOST_EFFECTS_FOR_QUADRATURE = 3


class GeneralizedFitting(Fitting[GeneralizedArguments, FittedGeneralized]):
    """The steps in which generalized linear mixed models differ from linear ones."""

    @property
    def family(self) -> Family:
        return self.arguments.family

    def resolve_held(self) -> Held:
        return resolve(self.arguments.fixed, self.design, self.family)

    def check_response(self) -> None:
        """Refuse a response without variation: its likelihood is unbounded or carries no information."""
        design, y, name = self.design, self.design.y, self.design.response_name
        problem = self.family.impossible(y)
        if problem:
            raise DataError(f"the response {name} {problem}")
        if design.form.binomial:
            successes, trials = y.sum(), design.unit_weights.sum()
            if successes in (0, trials):
                what = "success" if successes else "failure"
                raise DataError(
                    f"the response {name} is constant: every trial is a {what}, so the estimates would be "
                    "infinite"
                )
        elif not y.any():
            raise DataError(f"the response {name} is constant: every value is 0")
        elif design.offset is None and np.all(y == y[0]):
            raise DataError(
                f"the response {name} is constant (every value is {y[0]:g}): there is no variance to model"
            )
        check_quadrature(design, self.arguments.n_agq)

    def too_many_effects(self) -> list[Notice]:
        trials = int(self.design.unit_weights.sum()) if self.design.form.binomial else 0
        return check_numbers_of_effects(self.design, self.control, residual=False, trials=trials)

    def build_engine(self) -> Glmm:
        return build_generalized_engine(self.design, self.arguments, self.held)

    def with_response(self, engine: Glmm) -> Glmm:
        return engine.with_response(self.design.y, self.design.weights)

    def criterion(self, engine: Glmm) -> GeneralizedCriterion:
        return GeneralizedCriterion(self.design, engine, self.arguments, self._free(engine))

    def _free(self, engine: Glmm) -> NDArray[np.intp]:
        """The coefficients that are estimated."""
        kept = self.held.in_all_columns(engine.kept, self.design.x.shape[1])
        return np.setdiff1d(kept, self.held.columns)

    def root_weights(self) -> None:
        return None

    def search(self, engine: Glmm, watch: Watch) -> dict[str, Any]:
        try:
            return self._with_exact_values(self._run(engine, watch), engine)
        except ModesError as error:
            raise _located(error, self.design) from error

    def evaluated(self, point: Point, engine: Glmm) -> dict[str, Any]:
        theta, free = read_only(point.theta), self._free(engine)
        log_dispersion = float(np.log(point.dispersion)) if self.family.estimates_dispersion else 0.0
        result = engine.evaluate(theta, read_only(point.beta[free]), log_dispersion)
        return {**result, "theta": theta, "beta": read_only(result["beta"])}

    def state(self, result: Mapping[str, Any], engine: Glmm, roots: Roots) -> FittedGeneralized:
        """The engine's numbers, whose arrays are closed to writing, in the shapes of the design."""
        held, free, p = self.held, engine.kept, self.design.x.shape[1]
        kept = held.in_all_columns(free, p)
        estimates = GeneralizedEstimates(
            theta=result["theta"],
            objective=result["objective"],
            log_det_z=result["log_det_z"],
            beta=held.beta(with_dropped(result["beta"], free, p - len(held.columns)), p),
            kept=kept,
            dispersion=result["dispersion"] if self.family.dispersion is None else self.family.dispersion,
            conditional_covariance=embedded(result["xtvx_inv"], kept, held.columns),
            b=tuple(result["b"]),
            u=tuple(result["u"]),
            eta=result["eta"],
            held=held.columns,
        )
        return FittedGeneralized(self.design, self.arguments, estimates, term_roots=roots, _engine=engine)

    def doubtful(self, fitted: FittedGeneralized) -> bool:
        return far_out(self.design, self.family, fitted.estimates.theta, fitted.term_roots)

    def checked_at_infinity(
        self, verdict: Verdict, fitted: FittedGeneralized, result: Mapping[str, Any]
    ) -> Verdict:
        design, family, estimates, roots = self.design, self.family, fitted.estimates, fitted.term_roots
        engine, (theta, beta, log_dispersion) = fitted.engine, fitted.point
        verdict = verdict.without_optimum(
            separated_levels(design, family, estimates, roots), SeparationWarning
        )
        slope = float(result["gradient"][-1]) if len(result["gradient"]) else 0.0
        least = float(np.min(result["log"]["objective"], initial=np.inf))
        problem = unbounded_likelihood(family, estimates, slope, least) or dispersion_vanishes(
            design,
            roots,
            estimates,
            family,
            slope,
            lambda shift: engine.evaluate(theta, beta, log_dispersion + shift)["objective"],
        )
        return verdict.without_optimum(problem)

    def own_notices(self, fitted: FittedGeneralized, verdict: Verdict) -> list[Notice]:
        design, family, estimates = self.design, self.family, fitted.estimates
        notices = separation_notices(design, family, estimates)
        levels_separated = bool(verdict.problem) and verdict.category is SeparationWarning
        if self.optimizer is not None and not notices and not levels_separated:
            notices += large_term_notices(design, family, estimates, fitted.term_roots)
        notices += single_rows_notices(design, family)
        return notices + limit_notices(family, estimates)

    def _run(self, engine: Glmm, watch: Watch) -> dict[str, Any]:
        held, arguments = self.held, self.arguments
        free = self._free(engine)
        start = check_generalized_start(arguments.start, self.design, free, self.family)
        if callable(self.searcher):
            check_nothing_held_in_search(held, str(self.optimizer))
            criterion = self.criterion(engine)
            point = criterion.joined(start.theta, start.beta, start.log_dispersion)
            return minimized_by(self.searcher, criterion, point, self.control, watch)
        if self.optimizer is not None:
            limits = for_engine(self.control, watch.listener)
            result = engine.fit(self.optimizer, start.for_engine(), limits, held.for_engine())
            watch.end(result)
            return result if held.variances else self._not_above_the_start(result, engine)
        check_only_scale_held(held)
        theta, beta, log_dispersion = start.complete(arguments, len(free))
        result = engine.evaluate(theta, beta, log_dispersion)
        gradient = engine.gradient(theta, beta, log_dispersion)
        point = self.criterion(engine).joined(theta, beta, log_dispersion)
        return {
            **result,
            "theta": read_only(theta),
            "beta": read_only(result["beta"]),
            **not_optimised(point, result["objective"], gradient),
        }

    def _with_exact_values(self, result: dict[str, Any], engine: Glmm) -> dict[str, Any]:
        """The result with the values held, and standard deviations of zero, in theta without rounding."""
        theta = exact_theta(result["theta"], self.design, self.held)
        if theta is None:
            return result
        log_dispersion = float(np.log(result["dispersion"])) if self.family.estimates_dispersion else 0.0
        beta = np.asarray(result["beta"])
        found = engine.evaluate(theta, beta, log_dispersion)
        free = engine.free_derivatives(theta, beta, log_dispersion, self.held.for_engine() or {})
        parts = {"theta": theta, "free": free, "gradient": free["gradient"]}
        return {**result, **found, **parts, "beta": result["beta"]}

    def _not_above_the_start(self, result: dict[str, Any], engine: Glmm) -> dict[str, Any]:
        """
        The result, or the best point of the search that can be evaluated again.

        Where means reproduce a response, rounding may leave nothing of an objective at new modes.
        """
        log = result["log"]
        values = np.asarray(log["objective"])
        if not len(values) or not result["objective"] > values[0] + 1.0:
            return result
        n_theta, n_beta = engine.n_theta, len(engine.kept) if self.arguments.n_agq > 0 else 0
        for k in np.argsort(values, kind="stable"):
            point = np.asarray(log["theta"][k], dtype=np.float64)
            theta, beta = point[:n_theta], point[n_theta : n_theta + n_beta]
            log_dispersion = float(point[-1]) if self.family.estimates_dispersion else 0.0
            try:
                there = engine.evaluate(theta, beta, log_dispersion)
                gradient = engine.gradient(theta, beta, log_dispersion)
            except ModesError:
                continue
            if there["objective"] < values[k] + 1.0:
                parts = {"theta": read_only(theta), "beta": read_only(there["beta"]), "gradient": gradient}
                return {**result, **there, **parts}
        return result


def check_quadrature(design: Design, n_agq: int) -> None:
    """Quadrature is for one grouping factor and few random effects a level."""
    if n_agq <= 1:
        return
    groups = list(dict.fromkeys(term.group.label for term in design.terms))
    if len(groups) > 1:
        raise ArgumentError(
            f"nAGQ = {n_agq}: quadrature needs a single grouping factor, and the model has {len(groups)} "
            f"({', '.join(map(repr, groups))}); use nAGQ=1 (Laplace approximation)"
        )
    width = sum(len(term.names) for term in design.terms)
    if width > _MOST_EFFECTS_FOR_QUADRATURE:
        raise ArgumentError(
            f"nAGQ = {n_agq}: quadrature handles at most {_MOST_EFFECTS_FOR_QUADRATURE} random effects per "
            f"level, but the model has {width}; use nAGQ=1 (Laplace approximation)"
        )


def _located(error: ModesError, design: Design) -> ModesError:
    """The engine's error in the words of the data: the row and its groups."""
    row = error.row
    if row is None or not 0 <= row < len(design.y):
        return error
    labels = design.row_labels
    name = repr(labels[row]) if labels is not None else f"{row}, counting from 0 among the rows used,"
    groups = ", ".join(
        f"{term.group.label} = {term.group.levels[term.group.codes[row]]!r}" for term in design.terms
    )
    return ModesError(
        f"{error} (row {name} with {groups}, {design.response_name} = {design.observed[row]:g}); check this "
        "row, rescale the predictors, or use a link without restrictions on the linear predictor",
        row,
    )
