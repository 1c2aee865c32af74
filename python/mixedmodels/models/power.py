"""`power` and `power_curve`: the power of tests by simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..checks import shown
from ..errors import ArgumentError
from ..families import Family
from ..fit.arguments import (
    FitArguments,
    GeneralizedArguments,
    ModelArguments,
    check_formula_first,
    check_reml,
)
from ..fit.state import fitted_of, not_a_model
from ..frame import Frame
from ..planning.curve import PowerCurve, numbers, power_along
from ..planning.estimate import Plan, estimated_power
from ..planning.extend import extended, sized
from ..planning.result import Power
from ..planning.scenario import Scenario, rows_of_fit, scenario_from, scenario_of
from ..prediction.simulate_formula import linear_or_family
from ..public import public
from ..repeat.seeds import Streams
from .arguments import Contrasts, Data, DdfName, Executor, Functions, Rng, Rows, ShowProgress
from .base import MixedModel
from .generalized import GeneralizedLinearMixedModel
from .linear import LinearMixedModel

PowerTest = str | Mapping[str, float] | Sequence[Any] | Callable[[Any], float] | None


@public
def power(
    model: MixedModel | str,
    test: PowerTest = None,
    nsim: int = 1000,
    *,
    params: Mapping[Any, Any] | None = None,
    data: Data | None = None,
    REML: bool = True,
    family: str | Family | type[Family] | None = None,
    link: str | None = None,
    weights: Rows | None = None,
    offset: Rows | None = None,
    contrasts: Contrasts | None = None,
    functions: Functions | None = None,
    alpha: float = 0.05,
    level: float = 0.95,
    ddf: DdfName | None = None,
    rng: Rng = None,
    executor: Executor = None,
    progress: ShowProgress = False,
) -> Power:
    """
    Power of a test by simulation: the share of simulated data sets in which it is significant.

    Each response is drawn with new random effects, the model is fitted to it, and the test is made.

    Parameters
    ----------
    model : MixedModel or str
        A fitted model, whose estimates are taken as the truth; or a formula, for a study without data so far.
    test : str, mapping, sequence, array-like or callable, optional
        - the name of a coefficient, such as ``"Days"``; by default the only one apart from the intercept;
        - a term of the fixed part, such as ``"group:time"``: its test of type III, by F, for a generalized
          model by χ² (``("term", "Days")`` where a coefficient has the same name);
        - what :func:`mixedmodels.linear_hypothesis` takes: ``"A - B = 0"``, weights by name, texts, L;
        - the formula of a smaller model, such as ``"~ . - Days"``: a likelihood-ratio test by maximum
          likelihood;
        - a function of a fitted model that returns a p-value.
    nsim : int, default 1000
        Number of simulations.
    params : mapping, optional
        True values of parameters, as for :meth:`mixedmodels.MixedModel.simulate`: such as the smallest effect
        of interest, ``{"Days": 5.0}``. With a formula all parameters are needed, see
        :func:`mixedmodels.parameter_names`.
    data : data frame, optional
        The rows of the study that is planned, such as those of :func:`mixedmodels.extend`; by default those
        of the fit. With a formula they are needed, see :func:`mixedmodels.crossed_design`.
    REML, family, link, contrasts, functions : as for `lmer` and `glmer`, optional
        With a formula only: how the model is fitted.
    weights, offset : str or array-like of shape (n,), optional
        With a formula as for `lmer` and `glmer`; with a fitted model they replace its own for `data`.
    alpha : float, default 0.05
        Level of significance.
    level : float, default 0.95
        Level of the confidence interval of the power.
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
        Degrees of freedom of tests of coefficients, terms and hypotheses; by default Satterthwaite's, for a
        generalized model "inf".
    rng : int, Generator or None, optional
        Seed or random number generator. The result does not depend on threads and executor.
    executor : Executor, optional
        Any executor of the interface of :mod:`concurrent.futures`.
    progress : bool or callable, default False
        True shows the progress; a function is told how many simulations are done, and of how many.

    Returns
    -------
    Power
        With Wilson's interval. Simulations without a p-value count as not significant.

    Raises
    ------
    ArgumentError
        For parameters, tests and degrees of freedom that do not suit the model.

    Warns
    -----
    InterruptedWarning
        When you interrupt: the result holds the simulations done.

    References
    ----------
    Green & MacLeod (2016), SIMR: an R package for power analysis of generalized linear mixed models by
    simulation, Methods in Ecology and Evolution 7(4).
    Wilson (1927), Probable inference, the law of succession, and statistical inference, Journal of the
    American Statistical Association 22(158).

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, power
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> found = power(m, "Days", nsim=100, params={"Days": 5.0}, rng=1)
    >>> print(found)
    Power of the test: Days = 0 (alpha = 0.05)
    True value: 5
      power     95 % interval  significant
     84.0 %  75.6 % to 89.9 %    84 of 100
    Model: Reaction ~ Days + (Days | Subject)
    Design: 180 rows; 18 Subject
    3 singular fits, which are kept
    """
    own = _plan(test, nsim, alpha, level, ddf, executor, model, family, link)
    described = _Described(REML, family, link, weights, offset, contrasts, functions)
    scenario = _scenario(model, params, data, described, "power")
    return estimated_power(scenario, own, Streams.of(rng), progress)[0]


@public
def power_curve(
    model: MixedModel | str,
    test: PowerTest = None,
    nsim: int = 1000,
    *,
    values: Sequence[float],
    along: str | None = None,
    within: str | Sequence[str] | None = None,
    params: Mapping[Any, Any] | None = None,
    data: Data | None = None,
    REML: bool = True,
    family: str | Family | type[Family] | None = None,
    link: str | None = None,
    contrasts: Contrasts | None = None,
    functions: Functions | None = None,
    alpha: float = 0.05,
    level: float = 0.95,
    ddf: DdfName | None = None,
    rng: Rng = None,
    executor: Executor = None,
    progress: ShowProgress = False,
) -> PowerCurve:
    """
    Power for several sizes of a study, or several sizes of an effect.

    Parameters
    ----------
    model : MixedModel or str
        A fitted model or a formula, as for :func:`mixedmodels.power`.
    test : str, mapping, sequence, array-like or callable, optional
        As for :func:`mixedmodels.power`.
    nsim : int, default 1000
        Number of simulations for each value.
    values : sequence of float
        Numbers of levels or rows, or values of the parameter.
    along : str, optional
        A column of the data, which gets so many levels, such as ``"Subject"`` (see
        :func:`mixedmodels.extend`); or a parameter whose true value it is, such as ``"sigma"``. A name of
        both, such as ``"Days"``, means the column; ``("parameter", "Days")`` means the parameter.
    within : str or sequence of str, optional
        Instead of `along`: columns in whose cells there are so many rows each.
    params, data, REML, family, link, contrasts, functions : as for `power`, optional
        The truth and the model.
    alpha, level, ddf, rng, executor, progress : as for `power`, optional
        How the power is estimated.

    Returns
    -------
    PowerCurve
        Its method `plot` draws it.

    Raises
    ------
    ArgumentError
        For values that are no sizes, and as :func:`mixedmodels.power` does.

    Warns
    -----
    InterruptedWarning
        When you interrupt: the result holds what is done.

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, power_curve
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> curve = power_curve(m, "Days", 50, along="Subject", values=[6, 12], params={"Days": 5.0}, rng=1)
    >>> curve.to_frame()[["value", "power"]].to_dict("list")
    {'value': [6, 12], 'power': [0.34, 0.6]}
    """
    own = _plan(test, nsim, alpha, level, ddf, executor, model, family, link)
    described = _Described(REML, family, link, None, None, contrasts, functions)
    if (along is None) == (within is None):
        raise ArgumentError("power_curve: give either along= (a column or a parameter) or within= (columns)")
    rows = _rows_of(model, data)
    parameter = _parameter(along, rows)
    sizes = numbers(values, whole=parameter is None)

    def scenario_at(value: float) -> Scenario:
        if parameter is not None:
            return _scenario(model, {**(params or {}), parameter: value}, data, described, "power_curve")
        new = extended(rows, value, along, within)
        return _scenario(model, params, new, described, "power_curve")

    label = parameter if parameter is not None else sized(rows, along, within)
    text = ".".join(map(str, label)) if isinstance(label, tuple) else str(label)
    return power_along(text, sizes, scenario_at, own, Streams.of(rng), progress)


class _Described(NamedTuple):
    """How a model is fitted that is given as a formula."""

    REML: bool
    family: Any
    link: Any
    weights: Any
    offset: Any
    contrasts: Any
    functions: Any

    def arguments(self, formula: str, data: Any) -> ModelArguments:
        """The arguments of the fit."""
        family = linear_or_family(self.family, self.link)
        options: dict[str, Any] = {
            "formula": formula,
            "data": data,
            "weights": self.weights,
            "offset": self.offset,
            "contrasts": self.contrasts,
            "functions": self.functions,
        }
        if family is not None:
            return GeneralizedArguments(family=family, **options)
        return FitArguments(reml=check_reml(self.REML), **options)

    def refuse(self, function: str) -> None:
        """Refuse what describes a formula beside a fitted model."""
        given = {name: getattr(self, name) for name in ("family", "link", "contrasts", "functions")}
        strange = [name for name, value in given.items() if value is not None]
        if strange:
            raise ArgumentError(
                f"{function}: {strange[0]}= is for a formula; update() changes that of a fitted model"
            )


def _plan(
    test: Any,
    nsim: Any,
    alpha: Any,
    level: Any,
    ddf: Any,
    executor: Any,
    model: Any,
    family: Any,
    link: Any,
) -> Plan:
    if isinstance(model, MixedModel):
        kind: Any = type(model)
    else:
        linear = linear_or_family(family, link) is None
        kind = LinearMixedModel if linear else GeneralizedLinearMixedModel
    return Plan(test, nsim, alpha, level, ddf, executor, kind)


def _scenario(model: Any, params: Any, data: Any, described: _Described, function: str) -> Scenario:
    if isinstance(model, MixedModel):
        described.refuse(function)
        weights, offset = described.weights, described.offset
        return scenario_of(fitted_of(model), params, data, weights, offset)
    if not isinstance(model, str):
        raise not_a_model(model)
    if data is None:
        raise ArgumentError(f"{function}: a formula needs data=, the rows of the study that is planned")
    check_formula_first(function, model, data)
    return scenario_from(described.arguments(model, data), params)


def _rows_of(model: Any, data: Any) -> Any:
    """The rows that a curve extends."""
    if data is not None or not isinstance(model, MixedModel):
        return data
    return rows_of_fit(fitted_of(model))


def _parameter(along: Any, rows: Any) -> Any:
    """The parameter that a curve goes along; None for a size of the study."""
    if isinstance(along, tuple) and len(along) == 2 and along[0] == "parameter":
        return along[1]
    if along is None or (isinstance(along, str) and rows is not None and along in Frame.from_any(rows)):
        return None
    if isinstance(along, (str, tuple)):
        return along
    raise ArgumentError(f"along must be the name of a column or a parameter, not {shown(along)}")
