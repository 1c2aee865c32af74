"""The power of tests in studies like the one of a fitted model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from ..planning.curve import PowerCurve, power_along
from ..planning.estimate import Plan, estimated_power
from ..planning.result import Power
from ..planning.scenario import Scenario, scenario_of
from ..planning.study import study_of_fit
from ..public import public
from ..repeat.seeds import Streams
from .arguments import Data, DdfName, Executor, Rng, Rows, ShowProgress
from .holder import Holder

PowerTest: TypeAlias = str | Mapping[str, float] | Sequence[Any] | Callable[[Any], float] | None


class Planning(Holder):
    """Power by simulation, with the estimates as the truth."""

    __slots__ = ()

    @public
    def power(
        self,
        test: PowerTest = None,
        nsim: int = 1000,
        *,
        params: Mapping[Any, Any] | None = None,
        data: Data | None = None,
        weights: Rows | None = None,
        offset: Rows | None = None,
        alpha: float = 0.05,
        level: float = 0.95,
        ddf: DdfName | None = None,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> Power:
        """
        Power of a test by simulation, with the estimates of this model as the truth.

        Parameters
        ----------
        test, nsim, params : as for `mixedmodels.power`, optional
            What is tested, in how many simulations (1000), and the true effects.
        data : data frame, optional
            The rows of the study that is planned; by default those of the fit.
        weights, offset : str or array-like of shape (n,), optional
            Replace those of the fit for `data`.
        alpha, level, ddf, rng, executor, progress : as for `mixedmodels.power`, optional
            How the power is estimated.

        Returns
        -------
        Power

        Raises
        ------
        ArgumentError
            For parameters, tests and degrees of freedom that do not suit the model.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.power("Days", nsim=100, params={"Days": 5.0}, rng=1).power
        0.84
        """
        plan = Plan(test, nsim, alpha, level, ddf, executor, type(self))
        scenario = scenario_of(self._fitted, params, data, weights, offset)
        return estimated_power(scenario, plan, Streams.of(rng), progress)

    @public
    def power_curve(
        self,
        test: PowerTest = None,
        nsim: int = 1000,
        *,
        values: Sequence[float],
        along: str | tuple[str, Any] | None = None,
        within: str | Sequence[str] | None = None,
        params: Mapping[Any, Any] | None = None,
        data: Data | None = None,
        weights: Rows | None = None,
        offset: Rows | None = None,
        alpha: float = 0.05,
        level: float = 0.95,
        ddf: DdfName | None = None,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> PowerCurve:
        """
        Power for several sizes of the study or of an effect, with the estimates of this model as the truth.

        Parameters
        ----------
        test, nsim : as for `mixedmodels.power`, optional
            What is tested, and the number of simulations for each value.
        values, along, within : as for `mixedmodels.power_curve`
            The sizes, and the column, cells or parameter that they are of.
        weights, offset : str or array-like of shape (n,), optional
            Replace those of the fit for `data`; the values of an array are copied with its rows.
        params, data, alpha, level, ddf, rng, executor, progress : as for `mixedmodels.power`, optional
            The truth, the rows, and how the power is estimated.

        Returns
        -------
        PowerCurve

        Raises
        ------
        ArgumentError
            For values that are no sizes, and as `power` does.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> curve = m.power_curve("Days", 50, along="Subject", values=[6, 12], params={"Days": 5.0}, rng=1)
        >>> [point.power for point in curve.powers]
        [0.34, 0.6]
        """
        plan = Plan(test, nsim, alpha, level, ddf, executor, type(self))

        def scenario(params: Any, data: Any, weights: Any, offset: Any) -> Scenario:
            return scenario_of(self._fitted, params, data, weights, offset, "power_curve")

        study = study_of_fit(self._fitted, data, weights, offset)
        return power_along(along, within, values, study, params, scenario, plan, Streams.of(rng), progress)
