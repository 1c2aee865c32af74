"""Power by simulation: one design, one effect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from ..checks import probability, whole_number
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..inference.basis.model_basis import DdfName
from ..prediction.simulate import warn_of_weights
from ..repeat.chunks import check_executor
from ..repeat.progress import check_progress
from ..repeat.seeds import Streams
from .hypotheses import read_test
from .replicates import Replicates, simulated
from .result import Power
from .scenario import Scenario


@dataclass(frozen=True, eq=False)
class Plan:
    """
    The arguments of a simulation of power.

    Attributes
    ----------
    test : object
        See :func:`mixedmodels.power`.
    nsim : int
    alpha, level : float
    ddf : str or None
    executor : Executor or None
    wrap : callable
        Makes the public model from a state.
    """

    test: Any
    nsim: int
    alpha: float
    level: float
    ddf: DdfName | None
    executor: Executor | None
    wrap: Callable[[FittedModel], Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "nsim", whole_number("nsim", self.nsim, 1))
        object.__setattr__(self, "alpha", probability("alpha", self.alpha))
        object.__setattr__(self, "level", probability("level", self.level))
        check_executor(self.executor)


def estimated_power(scenario: Scenario, plan: Plan, streams: Streams, progress: Any = False) -> Power:
    """
    The power of a test, see :func:`mixedmodels.power`.

    Raises
    ------
    ArgumentError
        When no simulation gives a p-value.
    """
    power, _ = simulated_power(scenario, plan, streams, progress)
    refuse_failures("power", [power])
    return power


def refuse_failures(function: str, powers: Sequence[Power]) -> None:
    """ArgumentError when none of the simulations has a p-value."""
    nsim = sum(power.nsim for power in powers)
    if sum(power.failures for power in powers) == nsim:
        first = next(message for power in powers for message in power.messages if message)
        raise ArgumentError(f"{function}: none of {nsim} simulations gave a p-value (the first: {first})")


def simulated_power(
    scenario: Scenario, plan: Plan, streams: Streams, progress: Any = False, key: tuple[int, ...] = ()
) -> tuple[Power, bool]:
    """
    Simulate, fit and test; simulations without a p-value are not significant, even if all are without.

    Returns
    -------
    power : Power
    interrupted : bool
        Whether the user ended the simulations early.
    """
    check_progress(progress)
    warn_of_weights(scenario.fitted.family, scenario.fitted.design.weights)
    test = read_test(scenario.fitted, plan.test, plan.ddf, plan.wrap)
    found, interrupted = simulated(scenario.source, test, plan.nsim, streams, key, plan.executor, progress)
    return _result(scenario, plan, test.label, test.effect(scenario.beta), found), interrupted


def _result(scenario: Scenario, plan: Plan, label: str, effect: float, found: Replicates) -> Power:
    design = scenario.fitted.design
    p_values, statistics, estimates = found.outcomes.T.copy()
    for array in (p_values, statistics, estimates, found.singular):
        array.flags.writeable = False
    return Power(
        test=label,
        effect=effect,
        formula=scenario.formula,
        n_obs=scenario.fitted.n_obs,
        groups={term.group.label: len(term.group.levels) for term in design.terms},
        alpha=plan.alpha,
        level=plan.level,
        p_values=p_values,
        statistics=statistics,
        estimates=estimates,
        singular=found.singular,
        status=found.status,
        messages=found.messages,
    )
