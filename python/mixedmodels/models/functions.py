"""The methods of a model as functions, for those who write ``fixef(model)``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..errors import ArgumentError
from ..fit.not_a_model import not_a_model
from ..inference.effect_sizes.term_effect_sizes import effect_size_table
from ..means.emmeans import Emmeans
from ..public import public, renamed
from .base import MixedModel

P = ParamSpec("P")
R = TypeVar("R")
Function = Callable[Concatenate[Any, P], R]


def _not_means(value: Any) -> ArgumentError:
    """The error for something else in the place of means."""
    return ArgumentError(f"means made by emmeans() or emtrends() are needed here, not {type(value).__name__}")


_SUBJECTS: dict[type[Any], tuple[str, str, Callable[[Any], Exception]]] = {
    MixedModel: ("MixedModel", "A model fitted by `lmer` or `glmer`.", not_a_model),
    Emmeans: ("Emmeans", "Made by `emmeans` or `emtrends`.", _not_means),
}


def function_of(
    method: Function[P, R],
    first: str = "model",
    owner: type[Any] = MixedModel,
    otherwise: Callable[..., R] | None = None,
) -> Function[P, R]:
    """
    The function that calls a method of its first argument, with the signature and docstring of the method.

    Parameters
    ----------
    method : function
    first : str
        Name of the first argument.
    owner : type
        The class that the method belongs to.
    otherwise : callable, optional
        What to call with any other first argument, instead of raising an error.
    """
    name = method.__name__
    kind, description, refusal = _SUBJECTS[owner]

    def function(*args: Any, **kwargs: Any) -> Any:
        if not args and first not in kwargs:
            raise TypeError(f"{name}() needs its first argument, {first}")
        subject, rest = (args[0], args[1:]) if args else (kwargs.pop(first), ())
        if isinstance(subject, owner):
            return getattr(subject, name)(*rest, **kwargs)
        if otherwise is not None:
            return otherwise(subject, *rest, **kwargs)
        raise refusal(subject)

    signature = inspect.signature(method)
    own = inspect.Parameter(first, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)
    parameters = [own, *list(signature.parameters.values())[1:]]
    function.__name__ = function.__qualname__ = name
    function.__module__ = "mixedmodels"
    function.__doc__ = _with_parameter(inspect.getdoc(method) or "", f"{first} : {kind}", description)
    vars(function)["__signature__"] = signature.replace(parameters=parameters)
    return function


def _with_parameter(text: str, parameter: str, description: str) -> str:
    """The docstring with a first parameter."""
    entry = f"{parameter}\n    {description}\n"
    heading = "Parameters\n----------\n"
    if heading in text:
        return text.replace(heading, heading + entry, 1)
    # Before the first section, or at the end of the text.
    before, section, after = text.partition("\nReturns\n-------\n")
    return f"{before}\n{heading}{entry}{section}{after}" if section else f"{text}\n\n{heading}{entry}"


def _of_table(kind: str) -> Callable[..., Any]:
    """The effect sizes of F tests that are given as a table."""

    def effect_sizes(table: Any, partial: bool = True, level: float | None = 0.95) -> Any:
        return effect_size_table(kind, table, partial, level)

    effect_sizes.__name__ = f"{kind}_squared"
    return renamed(ci="level")(public(effect_sizes))


shrinkage = function_of(MixedModel.shrinkage)
simplify = function_of(MixedModel.simplify)
rePCA = function_of(MixedModel.rePCA)
check_outliers = function_of(MixedModel.check_outliers)
check_influence = function_of(MixedModel.check_influence)
check_normality = function_of(MixedModel.check_normality)
check_heteroscedasticity = function_of(MixedModel.check_heteroscedasticity)
check_zeroinflation = function_of(MixedModel.check_zeroinflation)
check_overdispersion = function_of(MixedModel.check_overdispersion)
check_group_sizes = function_of(MixedModel.check_group_sizes)
check_collinearity = function_of(MixedModel.check_collinearity)
check_separation = function_of(MixedModel.check_separation)
check_singularity = function_of(MixedModel.check_singularity)
check_convergence = function_of(MixedModel.check_convergence)
check_model = function_of(MixedModel.check_model)
AIC = function_of(MixedModel.AIC)
AICc = function_of(MixedModel.AICc)
BIC = function_of(MixedModel.BIC)
plot_binned_residuals = function_of(MixedModel.plot_binned_residuals)
plot_coef = function_of(MixedModel.plot_coef)
plot_diagnostics = function_of(MixedModel.plot_diagnostics)
plot_effects = function_of(MixedModel.plot_effects)
plot_emmeans = function_of(MixedModel.plot_emmeans)
plot_fit_log = function_of(MixedModel.plot_fit_log)
plot_groups = function_of(MixedModel.plot_groups)
plot_interaction = function_of(MixedModel.plot_interaction)
plot_profile = function_of(MixedModel.plot_profile)
plot_ranef = function_of(MixedModel.plot_ranef)
plot_ranef_qq = function_of(MixedModel.plot_ranef_qq)
plot_residuals = function_of(MixedModel.plot_residuals)
plot_rootogram = function_of(MixedModel.plot_rootogram)
plot_shrinkage = function_of(MixedModel.plot_shrinkage)
plot_variances = function_of(MixedModel.plot_variances)
REMLcrit = function_of(MixedModel.REMLcrit)
VarCorr = function_of(MixedModel.VarCorr)
aic_table = function_of(MixedModel.aic_table)
allFit = function_of(MixedModel.allFit)
anova = function_of(MixedModel.anova)
anova_type3 = function_of(MixedModel.anova_type3)
augment = function_of(MixedModel.augment)
bootstrap = function_of(MixedModel.bootstrap)
box_cox = function_of(MixedModel.box_cox)
cAIC = function_of(MixedModel.cAIC)
checkConv = function_of(MixedModel.checkConv)
coef = function_of(MixedModel.coef)
coef_test = function_of(MixedModel.coef_test)
condition_number = function_of(MixedModel.condition_number)
conf_int = function_of(MixedModel.conf_int)
confint = function_of(MixedModel.confint)
cooks_distance = function_of(MixedModel.cooks_distance)
corr_fixef = function_of(MixedModel.corr_fixef)
cov_params = function_of(MixedModel.cov_params)
covratio = function_of(MixedModel.covratio)
covtrace = function_of(MixedModel.covtrace)
cross_validate = function_of(MixedModel.cross_validate)
deviance = function_of(MixedModel.deviance)
dfbeta = function_of(MixedModel.dfbeta)
dfbetas = function_of(MixedModel.dfbetas)
dffits = function_of(MixedModel.dffits)
drop1 = function_of(MixedModel.drop1)
emmeans = function_of(MixedModel.emmeans)
emtrends = function_of(MixedModel.emtrends)
epsilon_squared = function_of(MixedModel.epsilon_squared, otherwise=_of_table("epsilon"))
eta_squared = function_of(MixedModel.eta_squared, otherwise=_of_table("eta"))
exact_lrt = function_of(MixedModel.exact_lrt)
exact_rlrt = function_of(MixedModel.exact_rlrt)
f_test = function_of(MixedModel.f_test)
fitted = function_of(MixedModel.fitted)
fixef = function_of(MixedModel.fixef)
getME = function_of(MixedModel.getME)
glance = function_of(MixedModel.glance)
hatvalues = function_of(MixedModel.hatvalues)
hessian = function_of(MixedModel.hessian)
icc = function_of(MixedModel.icc)
influence = function_of(MixedModel.influence)
is_singular = function_of(MixedModel.is_singular)
isSingular = is_singular
joint_tests = function_of(MixedModel.joint_tests)
kr_compare = function_of(MixedModel.kr_compare, "full")
least_confounded_residuals = function_of(MixedModel.least_confounded_residuals)
linear_hypothesis = function_of(MixedModel.linear_hypothesis)
logLik = function_of(MixedModel.logLik)
mdffits = function_of(MixedModel.mdffits)
model_selection = function_of(MixedModel.model_selection)
model_table = function_of(MixedModel.model_table)
omega_squared = function_of(MixedModel.omega_squared, otherwise=_of_table("omega"))
partial_fitted = function_of(MixedModel.partial_fitted)
pb_compare = function_of(MixedModel.pb_compare, "full")
permutation_test = function_of(MixedModel.permutation_test)
predict = function_of(MixedModel.predict)
predict_effects = function_of(MixedModel.predict_effects)
predictions = function_of(MixedModel.predictions)
quantile_residuals = function_of(MixedModel.quantile_residuals)
profile = function_of(MixedModel.profile)
profile_2d = function_of(MixedModel.profile_2d)
r2 = function_of(MixedModel.r2)
ranef = function_of(MixedModel.ranef)
ranova = function_of(MixedModel.ranova)
refit = function_of(MixedModel.refit)
refitML = function_of(MixedModel.refitML)
save_optimum = function_of(MixedModel.save_optimum)
residuals = function_of(MixedModel.residuals)
save = function_of(MixedModel.save)
rstandard = function_of(MixedModel.rstandard)
rstudent = function_of(MixedModel.rstudent)
simulate = function_of(MixedModel.simulate)
summary = function_of(MixedModel.summary)
t_test = function_of(MixedModel.t_test)
tidy = function_of(MixedModel.tidy)
update = function_of(MixedModel.update)
vcov = function_of(MixedModel.vcov)
vcov_cluster = function_of(MixedModel.vcov_cluster)
vcov_parameters = function_of(MixedModel.vcov_parameters)
vcov_theta = function_of(MixedModel.vcov_theta)
vif = function_of(MixedModel.vif)
wald_test = function_of(MixedModel.wald_test)
yeo_johnson = function_of(MixedModel.yeo_johnson)

contrast = function_of(Emmeans.contrast, "means", Emmeans)
eff_size = function_of(Emmeans.eff_size, "means", Emmeans)
pairs = function_of(Emmeans.pairs, "means", Emmeans)


@public
def sigma(model: MixedModel) -> float:
    """
    Residual standard deviation, or the scale of the family: `MixedModel.sigma`.

    Parameters
    ----------
    model : MixedModel
        A fitted model.

    Returns
    -------
    float

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, sigma
    >>> round(sigma(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())), 3)
    25.592
    """
    return _model(model).sigma


@public
def nobs(model: MixedModel) -> int:
    """
    Number of observations used: `MixedModel.nobs`.

    Parameters
    ----------
    model : MixedModel
        A fitted model.

    Returns
    -------
    int

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, nobs
    >>> nobs(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()))
    180
    """
    return _model(model).nobs


@public
def ngrps(model: MixedModel) -> dict[str, int]:
    """
    Number of levels of each grouping factor: `MixedModel.ngrps`.

    Parameters
    ----------
    model : MixedModel
        A fitted model.

    Returns
    -------
    dict of str to int

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy, ngrps
    >>> ngrps(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()))
    {'Subject': 18}
    """
    return _model(model).ngrps


def _model(value: object) -> MixedModel:
    if not isinstance(value, MixedModel):
        raise not_a_model(value)
    return value
