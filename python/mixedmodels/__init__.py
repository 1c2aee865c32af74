"""
Mixed-effects models: lme4-style formulas, any data frame, an engine in Rust.

>>> from mixedmodels import lmer, load_sleepstudy
>>> model = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
>>> model.fixef().round(3).to_dict()
{'(Intercept)': 251.405, 'Days': 10.467}

Everything loads on first use, so that importing the package is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Where each public name is defined; `__init__.pyi` shows them to type checkers.
_EXPORTS = {
    "resampling.result": "Bootstrap",
    "assessment.model_checks": "ModelChecks",
    "assessment.random_effects_pca": "RandomEffectsPCA",
    "assessment.simplify": "Simplification",
    "case_deletion.result": "Influence",
    "design.arrays": "ArrayTerm",
    "datasets": (
        "dataset_names load_arabidopsis load_bacteria load_beets load_cake load_carrots load_cbpp "
        "load_chickweight load_contraception load_dataset load_dietox load_dyestuff load_dyestuff2 "
        "load_epil load_grouseticks load_ham load_insteval load_machines load_orthodont load_oxboys "
        "load_pastes load_penicillin load_rail load_salamanders load_sleepstudy load_sleepstudy_x "
        "load_verbagg"
    ),
    "diagnostics.check": "Check",
    "diagnostics.simulated.result": "QuantileResiduals",
    "errors": (
        "ArgumentError ConvergenceError ConvergenceWarning DataError DataWarning EstimabilityWarning "
        "ExecutorError FormulaError FormulaWarning InternalError InterruptedWarning LargeModelWarning "
        "MemoryLimitError MissingColumnError MixedModelError MixedModelsWarning ModelFileError "
        "ModesError NewLevelsError NoDataError NotAvailableError RankDeficiencyWarning "
        "SeparationWarning SingularFitWarning TooManyArgumentsError UndeterminedWarning "
        "UnknownArgumentError UnknownItemError"
    ),
    "fit.block_costs": "BlockDescription",
    "fit.control": "Control",
    "fit.optimum.optimum": "Optimum",
    "fit.progress": "Progress",
    "fit.record": "Convergence FitLog",
    "formula.from_terms": "Formula",
    "inference.basis.degrees_of_freedom": "DegreesOfFreedom JointTest",
    "inference.basis.robust": "RobustCovariance",
    "inference.effect_sizes.variance_shares": "IntraclassCorrelation RSquared VarianceParts",
    "inference.estimates.convergence": "ConvergenceCheck",
    "inference.estimates.criteria": "LogLik",
    "inference.estimates.random_effects": "RandomEffects",
    "inference.estimates.variance_components": "VarianceComponent",
    "inference.likelihood.conditional_aic": "ConditionalAIC",
    "means.effects": "PredictedEffects",
    "inference.profiles.profile": "Profile",
    "inference.profiles.response_profile": "ResponseTransformation",
    "inference.profiles.surface": "Profile2D",
    "means.emmeans": "Emmeans",
    "means.table": "MeansTable",
    "means.tested_rows": "SimpleContrasts",
    "models.all_fit": "AllFit",
    "models.all_fit_summary": "AllFitSummary",
    "models.base": "MixedModel",
    "models.describe_blocks": "describe_blocks",
    "models.fit_many_result": "FitMany",
    "models.files": "load",
    "models.functions": (
        "AIC AICc BIC REMLcrit VarCorr aic_table allFit anova anova_type3 augment bootstrap box_cox cAIC "
        "checkConv check_collinearity check_convergence check_group_sizes check_heteroscedasticity "
        "check_influence check_model check_normality check_outliers check_overdispersion check_separation "
        "check_singularity check_zeroinflation coef coef_test condition_number conf_int confint contrast "
        "cooks_distance corr_fixef cov_params covratio covtrace cross_validate deviance dfbeta dfbetas "
        "dffits drop1 eff_size emmeans emtrends epsilon_squared eta_squared exact_lrt exact_rlrt f_test "
        "fitted fixef getME glance hatvalues hessian icc influence isSingular is_singular joint_tests "
        "kr_compare least_confounded_residuals linear_hypothesis logLik mdffits model_selection model_table "
        "ngrps nobs omega_squared "
        "pairs partial_fitted pb_compare permutation_test plot_binned_residuals plot_coef "
        "plot_diagnostics plot_effects plot_emmeans plot_fit_log plot_groups plot_interaction "
        "plot_profile plot_ranef plot_ranef_qq plot_residuals plot_rootogram plot_shrinkage "
        "plot_variances predict predict_effects predictions profile profile_2d quantile_residuals r2 "
        "ranef ranova rePCA refit refitML residuals rstandard rstudent save save_optimum shrinkage sigma "
        "simplify simulate summary t_test tidy update vcov vcov_cluster vcov_parameters vcov_theta vif "
        "wald_test yeo_johnson"
    ),
    "models.generalized": "GeneralizedLinearMixedModel",
    "models.glmer": "glmer",
    "models.linear": "LinearMixedModel",
    "models.lmer": "lmer",
    "models.many": "fit_many",
    "models.power": "power power_curve",
    "models.restore_optimum": "restore_optimum",
    "models.simulate_formula": "parameter_names simulate_formula",
    "models.study_designs": "crossed_design extend",
    "models.unfitted": "UnfittedModel",
    "planning.curve": "PowerCurve",
    "planning.result": "Power",
    "plot.style": "Panels",
    "prediction.validation.result": "CrossValidation",
    "render.anova_table": "AnovaTable",
    "render.result_table": "ResultTable",
    "report.model_table": "ModelTable",
    "report.shrinkage": "Shrinkage",
    "report.summary": "Summary",
    "report.varcorr": "VarianceComponents",
}
_HOMES = {name: home for home, names in _EXPORTS.items() for name in names.split()}

__all__ = sorted([*_HOMES, "families"])  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = import_module("._engine", __name__).__version__
    elif name == "families":
        value = import_module(".families", __name__)
    elif name in _HOMES:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{_hint(name)}")
    globals()[name] = value
    return value


def _hint(name: str) -> str:
    """A substitute for a function that users of other packages look for, or the nearest name."""
    if name.startswith("_"):
        return ""
    not_here, wording = (import_module(f".{module}", __name__) for module in ("not_here", "wording"))
    return not_here.hint(name) or wording.nearest(name, __all__, alike=0.65)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__")), "__version__"})
