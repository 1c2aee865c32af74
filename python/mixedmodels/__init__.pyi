from . import families as families
from .assessment.model_checks import ModelChecks as ModelChecks
from .assessment.random_effects_pca import RandomEffectsPCA as RandomEffectsPCA
from .assessment.simplify import Simplification as Simplification
from .case_deletion.result import Influence as Influence
from .datasets import (
    dataset_names as dataset_names,
    load_arabidopsis as load_arabidopsis,
    load_bacteria as load_bacteria,
    load_beets as load_beets,
    load_cake as load_cake,
    load_carrots as load_carrots,
    load_cbpp as load_cbpp,
    load_chickweight as load_chickweight,
    load_contraception as load_contraception,
    load_dataset as load_dataset,
    load_dietox as load_dietox,
    load_dyestuff as load_dyestuff,
    load_dyestuff2 as load_dyestuff2,
    load_epil as load_epil,
    load_grouseticks as load_grouseticks,
    load_ham as load_ham,
    load_insteval as load_insteval,
    load_machines as load_machines,
    load_orthodont as load_orthodont,
    load_oxboys as load_oxboys,
    load_pastes as load_pastes,
    load_penicillin as load_penicillin,
    load_rail as load_rail,
    load_salamanders as load_salamanders,
    load_sleepstudy as load_sleepstudy,
    load_sleepstudy_x as load_sleepstudy_x,
    load_verbagg as load_verbagg,
)
from .design.arrays import ArrayTerm as ArrayTerm
from .diagnostics.check import Check as Check
from .diagnostics.simulated.result import QuantileResiduals as QuantileResiduals
from .errors import (
    ArgumentError as ArgumentError,
    ConvergenceError as ConvergenceError,
    ConvergenceWarning as ConvergenceWarning,
    DataError as DataError,
    DataWarning as DataWarning,
    EstimabilityWarning as EstimabilityWarning,
    ExecutorError as ExecutorError,
    FormulaError as FormulaError,
    FormulaWarning as FormulaWarning,
    InternalError as InternalError,
    InterruptedWarning as InterruptedWarning,
    LargeModelWarning as LargeModelWarning,
    MemoryLimitError as MemoryLimitError,
    MissingColumnError as MissingColumnError,
    MixedModelError as MixedModelError,
    MixedModelsWarning as MixedModelsWarning,
    ModelFileError as ModelFileError,
    ModesError as ModesError,
    NewLevelsError as NewLevelsError,
    NoDataError as NoDataError,
    NotAvailableError as NotAvailableError,
    RankDeficiencyWarning as RankDeficiencyWarning,
    SeparationWarning as SeparationWarning,
    SingularFitWarning as SingularFitWarning,
    TooManyArgumentsError as TooManyArgumentsError,
    UndeterminedWarning as UndeterminedWarning,
    UnknownArgumentError as UnknownArgumentError,
    UnknownItemError as UnknownItemError,
)
from .fit.block_costs import BlockDescription as BlockDescription
from .fit.control import Control as Control
from .fit.optimum.optimum import Optimum as Optimum
from .fit.progress import Progress as Progress
from .fit.record import (
    Convergence as Convergence,
    FitLog as FitLog,
)
from .formula.from_terms import Formula as Formula
from .inference.basis.degrees_of_freedom import (
    DegreesOfFreedom as DegreesOfFreedom,
    JointTest as JointTest,
)
from .inference.basis.robust import RobustCovariance as RobustCovariance
from .inference.effect_sizes.variance_shares import (
    IntraclassCorrelation as IntraclassCorrelation,
    RSquared as RSquared,
    VarianceParts as VarianceParts,
)
from .inference.estimates.convergence import ConvergenceCheck as ConvergenceCheck
from .inference.estimates.criteria import LogLik as LogLik
from .inference.estimates.random_effects import RandomEffects as RandomEffects
from .inference.estimates.variance_components import VarianceComponent as VarianceComponent
from .inference.likelihood.conditional_aic import ConditionalAIC as ConditionalAIC
from .inference.profiles.profile import Profile as Profile
from .inference.profiles.response_profile import ResponseTransformation as ResponseTransformation
from .inference.profiles.surface import Profile2D as Profile2D
from .means.effects import PredictedEffects as PredictedEffects
from .means.emmeans import Emmeans as Emmeans
from .means.table import MeansTable as MeansTable
from .means.tested_rows import SimpleContrasts as SimpleContrasts
from .models.all_fit import AllFit as AllFit
from .models.all_fit_summary import AllFitSummary as AllFitSummary
from .models.base import MixedModel as MixedModel
from .models.describe_blocks import describe_blocks as describe_blocks
from .models.files import load as load
from .models.fit_many_result import FitMany as FitMany
from .models.functions import (
    AIC as AIC,
    BIC as BIC,
    AICc as AICc,
    REMLcrit as REMLcrit,
    VarCorr as VarCorr,
    aic_table as aic_table,
    allFit as allFit,
    anova as anova,
    anova_type3 as anova_type3,
    augment as augment,
    bootstrap as bootstrap,
    box_cox as box_cox,
    cAIC as cAIC,
    check_collinearity as check_collinearity,
    check_convergence as check_convergence,
    check_group_sizes as check_group_sizes,
    check_heteroscedasticity as check_heteroscedasticity,
    check_influence as check_influence,
    check_model as check_model,
    check_normality as check_normality,
    check_outliers as check_outliers,
    check_overdispersion as check_overdispersion,
    check_separation as check_separation,
    check_singularity as check_singularity,
    check_zeroinflation as check_zeroinflation,
    checkConv as checkConv,
    coef as coef,
    coef_test as coef_test,
    condition_number as condition_number,
    conf_int as conf_int,
    confint as confint,
    contrast as contrast,
    cooks_distance as cooks_distance,
    corr_fixef as corr_fixef,
    cov_params as cov_params,
    covratio as covratio,
    covtrace as covtrace,
    cross_validate as cross_validate,
    deviance as deviance,
    dfbeta as dfbeta,
    dfbetas as dfbetas,
    dffits as dffits,
    drop1 as drop1,
    eff_size as eff_size,
    emmeans as emmeans,
    emtrends as emtrends,
    epsilon_squared as epsilon_squared,
    eta_squared as eta_squared,
    exact_lrt as exact_lrt,
    exact_rlrt as exact_rlrt,
    f_test as f_test,
    fitted as fitted,
    fixef as fixef,
    getME as getME,
    glance as glance,
    hatvalues as hatvalues,
    hessian as hessian,
    icc as icc,
    influence as influence,
    is_singular as is_singular,
    isSingular as isSingular,
    joint_tests as joint_tests,
    kr_compare as kr_compare,
    least_confounded_residuals as least_confounded_residuals,
    linear_hypothesis as linear_hypothesis,
    logLik as logLik,
    mdffits as mdffits,
    model_selection as model_selection,
    model_table as model_table,
    ngrps as ngrps,
    nobs as nobs,
    omega_squared as omega_squared,
    pairs as pairs,
    partial_fitted as partial_fitted,
    pb_compare as pb_compare,
    permutation_test as permutation_test,
    plot_binned_residuals as plot_binned_residuals,
    plot_coef as plot_coef,
    plot_diagnostics as plot_diagnostics,
    plot_effects as plot_effects,
    plot_emmeans as plot_emmeans,
    plot_fit_log as plot_fit_log,
    plot_groups as plot_groups,
    plot_interaction as plot_interaction,
    plot_profile as plot_profile,
    plot_ranef as plot_ranef,
    plot_ranef_qq as plot_ranef_qq,
    plot_residuals as plot_residuals,
    plot_rootogram as plot_rootogram,
    plot_shrinkage as plot_shrinkage,
    plot_variances as plot_variances,
    predict as predict,
    predict_effects as predict_effects,
    predictions as predictions,
    profile as profile,
    profile_2d as profile_2d,
    quantile_residuals as quantile_residuals,
    r2 as r2,
    ranef as ranef,
    ranova as ranova,
    refit as refit,
    refitML as refitML,
    rePCA as rePCA,
    residuals as residuals,
    rstandard as rstandard,
    rstudent as rstudent,
    save as save,
    save_optimum as save_optimum,
    shrinkage as shrinkage,
    sigma as sigma,
    simplify as simplify,
    simulate as simulate,
    summary as summary,
    t_test as t_test,
    tidy as tidy,
    update as update,
    vcov as vcov,
    vcov_cluster as vcov_cluster,
    vcov_parameters as vcov_parameters,
    vcov_theta as vcov_theta,
    vif as vif,
    wald_test as wald_test,
    yeo_johnson as yeo_johnson,
)
from .models.generalized import GeneralizedLinearMixedModel as GeneralizedLinearMixedModel
from .models.glmer import glmer as glmer
from .models.linear import LinearMixedModel as LinearMixedModel
from .models.lmer import lmer as lmer
from .models.many import fit_many as fit_many
from .models.power import power as power, power_curve as power_curve
from .models.restore_optimum import restore_optimum as restore_optimum
from .models.simulate_formula import (
    parameter_names as parameter_names,
    simulate_formula as simulate_formula,
)
from .models.study_designs import crossed_design as crossed_design, extend as extend
from .models.unfitted import UnfittedModel as UnfittedModel
from .planning.curve import PowerCurve as PowerCurve
from .planning.result import Power as Power
from .plot.style import Panels as Panels
from .prediction.validation.result import CrossValidation as CrossValidation
from .render.anova_table import AnovaTable as AnovaTable
from .render.result_table import ResultTable as ResultTable
from .report.model_table import ModelTable as ModelTable
from .report.shrinkage import Shrinkage as Shrinkage
from .report.summary import Summary as Summary
from .report.varcorr import VarianceComponents as VarianceComponents
from .resampling.result import Bootstrap as Bootstrap

__version__: str
