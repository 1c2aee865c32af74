"""`power` and `power_curve`: the power of tests by simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import ArgumentError
from ..families import Family
from ..fit.arguments import (
    FitArguments,
    GeneralizedArguments,
    ModelArguments,
    check_formula_first,
    check_reml,
)
from ..fit.not_a_model import not_a_model
from ..planning.curve import PowerCurve, power_along
from ..planning.estimate import Plan, estimated_power
from ..planning.result import Power
from ..planning.scenario import Scenario, scenario_from
from ..planning.study import Study
from ..prediction.simulate_formula import linear_or_family
from ..public import public
from ..repeat.seeds import Streams
from .arguments import Contrasts, Data, DdfName, Executor, Functions, Rng, Rows, ShowProgress
from .base import MixedModel
from .generalized import GeneralizedLinearMixedModel
from .linear import LinearMixedModel
from .planning import PowerTest


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
    REML, family, link : as for `lmer` and `glmer`, optional
        With a formula only: how the model is fitted.
    weights, offset : str or array-like of shape (n,), optional
        With a formula as for `lmer` and `glmer`; with a fitted model they replace its own for `data`.
    contrasts, functions : as for `lmer`, optional
        With a formula only.
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
        With Wilson's interval. Simulations without a p-value, because there is no fit or the function fails,
        count as not significant.

    Raises
    ------
    ArgumentError
        For parameters, tests and degrees of freedom that do not suit the model, and when no simulation gives
        a p-value.

    Warns
    -----
    MixedModelsWarning
        When a coefficient means something else in `data` than in the fit, as with another reference level.
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
    t tests by Satterthwaite's degrees of freedom
    Model: Reaction ~ Days + (Days | Subject)
    Design: 180 rows; 18 Subject
    3 singular fits, which are kept
    """
    described = _Described(REML, family, link, weights, offset, contrasts, functions)
    if isinstance(model, MixedModel):
        described.refuse("power")
        return model.power(
            test,
            nsim,
            params=params,
            data=data,
            weights=weights,
            offset=offset,
            alpha=alpha,
            level=level,
            ddf=ddf,
            rng=rng,
            executor=executor,
            progress=progress,
        )
    plan = Plan(test, nsim, alpha, level, ddf, executor, described.kind)
    return estimated_power(described.scenario("power", model, params, data), plan, Streams.of(rng), progress)


@public
def power_curve(
    model: MixedModel | str,
    test: PowerTest = None,
    nsim: int = 1000,
    *,
    values: Sequence[float],
    along: str | tuple[str, Any] | None = None,
    within: str | Sequence[str] | None = None,
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
    params, data, REML, family, link : as for `power`, optional
        The truth and the model.
    weights, offset : str or array-like of shape (n,), optional
        As for `power`; the values of an array are copied with its rows.
    contrasts, functions : as for `power`, optional
        Of the formula.
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
    described = _Described(REML, family, link, weights, offset, contrasts, functions)
    if isinstance(model, MixedModel):
        described.refuse("power_curve")
        return model.power_curve(
            test,
            nsim,
            values=values,
            along=along,
            within=within,
            params=params,
            data=data,
            weights=weights,
            offset=offset,
            alpha=alpha,
            level=level,
            ddf=ddf,
            rng=rng,
            executor=executor,
            progress=progress,
        )
    plan = Plan(test, nsim, alpha, level, ddf, executor, described.kind)

    def scenario(params: Any, data: Any, weights: Any, offset: Any) -> Scenario:
        own = described._replace(weights=weights, offset=offset)
        return own.scenario("power_curve", model, params, data)

    if data is None:
        # An error.
        scenario(params, data, weights, offset)
    study = Study.of(data, weights, offset)
    return power_along(along, within, values, study, params, scenario, plan, Streams.of(rng), progress)


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

    @property
    def kind(self) -> type[MixedModel]:
        """The class of the models that are fitted."""
        linear = linear_or_family(self.family, self.link) is None
        return LinearMixedModel if linear else GeneralizedLinearMixedModel

    def scenario(self, function: str, formula: Any, params: Any, data: Any) -> Scenario:
        """The truth of a study that a formula describes."""
        if not isinstance(formula, str):
            raise not_a_model(formula)
        if data is None:
            raise ArgumentError(
                f"{function}: a formula needs data=, the rows of the study that is planned; without data, "
                "begin with a model fitted by lmer() or glmer()"
            )
        check_formula_first(function, formula, data)
        return scenario_from(self.arguments(formula, data), params)

    def refuse(self, function: str) -> None:
        """Refuse what describes a formula beside a fitted model."""
        given = {name: getattr(self, name) for name in ("family", "link", "contrasts", "functions")}
        strange = [name for name, value in given.items() if value is not None]
        if not check_reml(self.REML):
            strange.append("REML")
        if strange:
            raise ArgumentError(
                f"{function}: {strange[0]}= is for a formula; update() changes that of a fitted model"
            )
