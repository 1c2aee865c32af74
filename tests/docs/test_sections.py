"""Docstrings have the sections that readers look for, and functions those of the methods of the same name."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from docstrings import RESULTS, classes, documented, sections_of

import mixedmodels as mm

# Work lists, which only get shorter: a name whose docstring is complete must leave its list.
NOT_YET: tuple[str, ...] = (
    "AIC",
    "AICc",
    "AllFit.summary",
    "BIC",
    "BlockDescription.table",
    "BlockDescription.time",
    "BlockDescription.totals",
    "Control",
    "Control.for_engine",
    "Emmeans.cld",
    "Emmeans.confint",
    "Emmeans.eff_size",
    "Emmeans.families",
    "Emmeans.group_rows",
    "Emmeans.grouped",
    "Emmeans.joint",
    "Emmeans.plot",
    "Emmeans.row_labels",
    "Emmeans.summary",
    "Emmeans.test",
    "Emmeans.to_frame",
    "Emmeans.vcov",
    "FitLog",
    "GeneralizedLinearMixedModel.AIC",
    "GeneralizedLinearMixedModel.AICc",
    "GeneralizedLinearMixedModel.BIC",
    "GeneralizedLinearMixedModel.REMLcrit",
    "GeneralizedLinearMixedModel.VarCorr",
    "GeneralizedLinearMixedModel.allFit",
    "GeneralizedLinearMixedModel.anova",
    "GeneralizedLinearMixedModel.checkConv",
    "GeneralizedLinearMixedModel.coef",
    "GeneralizedLinearMixedModel.conf_int",
    "GeneralizedLinearMixedModel.corr_fixef",
    "GeneralizedLinearMixedModel.cov_params",
    "GeneralizedLinearMixedModel.data",
    "GeneralizedLinearMixedModel.describe_blocks",
    "GeneralizedLinearMixedModel.deviance",
    "GeneralizedLinearMixedModel.drop1",
    "GeneralizedLinearMixedModel.emmeans",
    "GeneralizedLinearMixedModel.emtrends",
    "GeneralizedLinearMixedModel.fitted",
    "GeneralizedLinearMixedModel.getME",
    "GeneralizedLinearMixedModel.hessian",
    "GeneralizedLinearMixedModel.is_singular",
    "GeneralizedLinearMixedModel.linear_hypothesis",
    "GeneralizedLinearMixedModel.logLik",
    "GeneralizedLinearMixedModel.ranova",
    "GeneralizedLinearMixedModel.refit",
    "GeneralizedLinearMixedModel.residuals",
    "GeneralizedLinearMixedModel.simulate",
    "GeneralizedLinearMixedModel.t_test",
    "GeneralizedLinearMixedModel.update",
    "GeneralizedLinearMixedModel.vcov",
    "GeneralizedLinearMixedModel.vcov_parameters",
    "GeneralizedLinearMixedModel.vcov_theta",
    "LinearMixedModel.REMLcrit",
    "LinearMixedModel.allFit",
    "LinearMixedModel.anova",
    "LinearMixedModel.deviance",
    "LinearMixedModel.fitted",
    "LinearMixedModel.logLik",
    "LinearMixedModel.refit",
    "LinearMixedModel.residuals",
    "LinearMixedModel.update",
    "LinearMixedModel.vcov",
    "LinearMixedModel.vcov_theta",
    "ModelTable.to_html",
    "ModelTable.to_latex",
    "ModelTable.to_markdown",
    "ModelTable.to_text",
    "REMLcrit",
    "ResultTable.to_frame",
    "ResultTable.to_html",
    "ResultTable.to_latex",
    "ResultTable.to_markdown",
    "RobustCovariance",
    "RobustCovariance.covariance_of",
    "RobustCovariance.joint",
    "RobustCovariance.standard_errors",
    "RobustCovariance.to_frame",
    "Summary",
    "Summary.to_latex",
    "Summary.to_markdown",
    "VarCorr",
    "anova_type3",
    "coef",
    "condition_number",
    "confint",
    "contrast",
    "describe_blocks",
    "deviance",
    "emtrends",
    "epsilon_squared",
    "eta_squared",
    "fit_many",
    "fitted",
    "fixef",
    "getME",
    "glance",
    "glmer",
    "icc",
    "isSingular",
    "joint_tests",
    "logLik",
    "ngrps",
    "nobs",
    "omega_squared",
    "pairs",
    "predict",
    "ranef",
    "refit",
    "refitML",
    "residuals",
    "sigma",
    "simulate",
    "summary",
    "t_test",
    "update",
    "vcov",
    "vif",
)
NOT_EXPORTED: tuple[str, ...] = (
    "AllFit",
    "AnovaTable",
    "ConditionalAIC",
    "Convergence",
    "ConvergenceCheck",
    "Emmeans",
    "FitLog",
    "IntraclassCorrelation",
    "LogLik",
    "MeansTable",
    "ModelTable",
    "RSquared",
    "RandomEffects",
    "ResultTable",
    "RobustCovariance",
    "Summary",
    "VarianceComponents",
)
NOT_ALIKE: tuple[str, ...] = (
    "Emmeans.contrast",
    "Emmeans.eff_size",
    "Emmeans.pairs",
    "GeneralizedLinearMixedModel.AIC",
    "GeneralizedLinearMixedModel.BIC",
    "GeneralizedLinearMixedModel.REMLcrit",
    "GeneralizedLinearMixedModel.VarCorr",
    "GeneralizedLinearMixedModel.allFit",
    "GeneralizedLinearMixedModel.checkConv",
    "GeneralizedLinearMixedModel.coef",
    "GeneralizedLinearMixedModel.confint",
    "GeneralizedLinearMixedModel.describe_blocks",
    "GeneralizedLinearMixedModel.deviance",
    "GeneralizedLinearMixedModel.drop1",
    "GeneralizedLinearMixedModel.emmeans",
    "GeneralizedLinearMixedModel.emtrends",
    "GeneralizedLinearMixedModel.fitted",
    "GeneralizedLinearMixedModel.fixef",
    "GeneralizedLinearMixedModel.getME",
    "GeneralizedLinearMixedModel.is_singular",
    "GeneralizedLinearMixedModel.linear_hypothesis",
    "GeneralizedLinearMixedModel.logLik",
    "GeneralizedLinearMixedModel.predict",
    "GeneralizedLinearMixedModel.ranef",
    "GeneralizedLinearMixedModel.ranova",
    "GeneralizedLinearMixedModel.refit",
    "GeneralizedLinearMixedModel.residuals",
    "GeneralizedLinearMixedModel.simulate",
    "GeneralizedLinearMixedModel.summary",
    "GeneralizedLinearMixedModel.t_test",
    "GeneralizedLinearMixedModel.update",
    "GeneralizedLinearMixedModel.vcov",
    "LinearMixedModel.AIC",
    "LinearMixedModel.BIC",
    "LinearMixedModel.REMLcrit",
    "LinearMixedModel.VarCorr",
    "LinearMixedModel.allFit",
    "LinearMixedModel.checkConv",
    "LinearMixedModel.coef",
    "LinearMixedModel.confint",
    "LinearMixedModel.describe_blocks",
    "LinearMixedModel.deviance",
    "LinearMixedModel.drop1",
    "LinearMixedModel.emmeans",
    "LinearMixedModel.emtrends",
    "LinearMixedModel.fitted",
    "LinearMixedModel.fixef",
    "LinearMixedModel.getME",
    "LinearMixedModel.is_singular",
    "LinearMixedModel.linear_hypothesis",
    "LinearMixedModel.logLik",
    "LinearMixedModel.predict",
    "LinearMixedModel.ranef",
    "LinearMixedModel.ranova",
    "LinearMixedModel.refit",
    "LinearMixedModel.residuals",
    "LinearMixedModel.summary",
    "LinearMixedModel.t_test",
    "LinearMixedModel.update",
    "LinearMixedModel.vcov",
)
ITEMS = {item.name: item for item in documented()}


def later(names: Any, unfinished: tuple[str, ...]) -> list[Any]:
    """The names as parameters, of which the unfinished must fail."""
    must_fail = pytest.mark.xfail(strict=True, reason="not yet")
    return [pytest.param(name, marks=[must_fail] if name in unfinished else []) for name in sorted(names)]


def listed(*lists: tuple[str, ...]) -> list[str]:
    return [name for names in lists for name in names]


@pytest.mark.parametrize("name", later(ITEMS, NOT_YET))
def test_a_docstring_is_complete(name):
    assert not ITEMS[name].faults()


@pytest.mark.parametrize("name", later(RESULTS, NOT_EXPORTED))
def test_what_functions_return_is_exported(name):
    assert name in mm.__all__


def twins() -> dict[str, tuple[Any, Any]]:
    """Functions of the package that take a model or marginal means, with the method of the same name."""
    models = [owner for name, owner in classes().items() if name.endswith("MixedModel")]
    owners = {"model": models, "full": models, "means": [classes()["Emmeans"]]}
    found = {}
    for name in mm.__all__:
        function = getattr(mm, name)
        first = next(iter(inspect.signature(function).parameters), "") if inspect.isfunction(function) else ""
        for owner in owners.get(first, []):
            method = getattr(owner, name, None)
            if inspect.isfunction(method):
                found[f"{owner.__name__}.{name}"] = function, method
    return found


TWINS = twins()


@pytest.mark.parametrize("name", later(TWINS, NOT_ALIKE))
def test_a_function_is_like_its_method(name):
    function, method = TWINS[name]
    ours, theirs = (list(inspect.signature(one).parameters.values())[1:] for one in TWINS[name])
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]
    ours, theirs = (sections_of(inspect.getdoc(one) or "") for one in (function, method))
    # The function describes one parameter more: the model.
    parameters = theirs.pop("Parameters", "").strip()
    assert ours.pop("Parameters", "").strip().endswith(parameters)
    assert {heading: text.strip() for heading, text in ours.items()} == {
        heading: text.strip() for heading, text in theirs.items()
    }


def test_the_work_lists_name_what_there_is():
    known = {*ITEMS, *RESULTS, *TWINS}
    assert not [name for name in listed(NOT_YET, NOT_EXPORTED, NOT_ALIKE) if name not in known]
