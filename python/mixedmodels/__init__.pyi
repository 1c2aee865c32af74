from . import families as families
from .datasets import (
    dataset_names as dataset_names,
)
from .datasets import (
    load_arabidopsis as load_arabidopsis,
)
from .datasets import (
    load_bacteria as load_bacteria,
)
from .datasets import (
    load_beets as load_beets,
)
from .datasets import (
    load_cake as load_cake,
)
from .datasets import (
    load_carrots as load_carrots,
)
from .datasets import (
    load_cbpp as load_cbpp,
)
from .datasets import (
    load_chickweight as load_chickweight,
)
from .datasets import (
    load_contraception as load_contraception,
)
from .datasets import (
    load_dataset as load_dataset,
)
from .datasets import (
    load_dietox as load_dietox,
)
from .datasets import (
    load_dyestuff as load_dyestuff,
)
from .datasets import (
    load_dyestuff2 as load_dyestuff2,
)
from .datasets import (
    load_epil as load_epil,
)
from .datasets import (
    load_grouseticks as load_grouseticks,
)
from .datasets import (
    load_ham as load_ham,
)
from .datasets import (
    load_insteval as load_insteval,
)
from .datasets import (
    load_machines as load_machines,
)
from .datasets import (
    load_orthodont as load_orthodont,
)
from .datasets import (
    load_oxboys as load_oxboys,
)
from .datasets import (
    load_pastes as load_pastes,
)
from .datasets import (
    load_penicillin as load_penicillin,
)
from .datasets import (
    load_rail as load_rail,
)
from .datasets import (
    load_salamanders as load_salamanders,
)
from .datasets import (
    load_sleepstudy as load_sleepstudy,
)
from .datasets import (
    load_sleepstudy_x as load_sleepstudy_x,
)
from .datasets import (
    load_verbagg as load_verbagg,
)
from .errors import (
    ArgumentError as ArgumentError,
)
from .errors import (
    ConvergenceError as ConvergenceError,
)
from .errors import (
    ConvergenceWarning as ConvergenceWarning,
)
from .errors import (
    DataError as DataError,
)
from .errors import (
    DataWarning as DataWarning,
)
from .errors import (
    EstimabilityWarning as EstimabilityWarning,
)
from .errors import (
    FormulaError as FormulaError,
)
from .errors import (
    FormulaWarning as FormulaWarning,
)
from .errors import (
    InternalError as InternalError,
)
from .errors import (
    LargeModelWarning as LargeModelWarning,
)
from .errors import (
    MemoryLimitError as MemoryLimitError,
)
from .errors import (
    MissingColumnError as MissingColumnError,
)
from .errors import (
    MixedModelError as MixedModelError,
)
from .errors import (
    MixedModelsWarning as MixedModelsWarning,
)
from .errors import (
    ModesError as ModesError,
)
from .errors import (
    NewLevelsError as NewLevelsError,
)
from .errors import (
    NotAvailableError as NotAvailableError,
)
from .errors import (
    RankDeficiencyWarning as RankDeficiencyWarning,
)
from .errors import (
    SeparationWarning as SeparationWarning,
)
from .errors import (
    SingularFitWarning as SingularFitWarning,
)
from .errors import (
    UndeterminedWarning as UndeterminedWarning,
)
from .errors import (
    UnknownArgumentError as UnknownArgumentError,
)
from .fit.block_costs import BlockDescription as BlockDescription
from .fit.control import Control as Control
from .fit.progress import Progress as Progress
from .fit.record import (
    Convergence as Convergence,
)
from .fit.record import (
    FitLog as FitLog,
)
from .inference.basis.degrees_of_freedom import DegreesOfFreedom as DegreesOfFreedom
from .inference.basis.robust import RobustCovariance as RobustCovariance
from .inference.effect_sizes.variance_shares import (
    IntraclassCorrelation as IntraclassCorrelation,
)
from .inference.effect_sizes.variance_shares import (
    RSquared as RSquared,
)
from .inference.estimates.convergence import ConvergenceCheck as ConvergenceCheck
from .inference.estimates.criteria import LogLik as LogLik
from .inference.estimates.random_effects import RandomEffects as RandomEffects
from .inference.hypotheses.anova_table import AnovaTable as AnovaTable
from .inference.likelihood.conditional_aic import ConditionalAIC as ConditionalAIC
from .means.emmeans import Emmeans as Emmeans
from .means.table import MeansTable as MeansTable
from .models.all_fit import AllFit as AllFit
from .models.base import MixedModel as MixedModel
from .models.describe_blocks import describe_blocks as describe_blocks
from .models.fit_many_result import FitMany as FitMany
from .models.functions import (
    AIC as AIC,
)
from .models.functions import (
    BIC as BIC,
)
from .models.functions import (
    AICc as AICc,
)
from .models.functions import (
    REMLcrit as REMLcrit,
)
from .models.functions import (
    VarCorr as VarCorr,
)
from .models.functions import (
    aic_table as aic_table,
)
from .models.functions import (
    allFit as allFit,
)
from .models.functions import (
    anova as anova,
)
from .models.functions import (
    anova_type3 as anova_type3,
)
from .models.functions import (
    augment as augment,
)
from .models.functions import (
    cAIC as cAIC,
)
from .models.functions import (
    checkConv as checkConv,
)
from .models.functions import (
    coef as coef,
)
from .models.functions import (
    coef_test as coef_test,
)
from .models.functions import (
    condition_number as condition_number,
)
from .models.functions import (
    conf_int as conf_int,
)
from .models.functions import (
    confint as confint,
)
from .models.functions import (
    contrast as contrast,
)
from .models.functions import (
    corr_fixef as corr_fixef,
)
from .models.functions import (
    cov_params as cov_params,
)
from .models.functions import (
    deviance as deviance,
)
from .models.functions import (
    drop1 as drop1,
)
from .models.functions import (
    eff_size as eff_size,
)
from .models.functions import (
    emmeans as emmeans,
)
from .models.functions import (
    emtrends as emtrends,
)
from .models.functions import (
    epsilon_squared as epsilon_squared,
)
from .models.functions import (
    eta_squared as eta_squared,
)
from .models.functions import (
    exact_rlrt as exact_rlrt,
)
from .models.functions import (
    f_test as f_test,
)
from .models.functions import (
    fitted as fitted,
)
from .models.functions import (
    fixef as fixef,
)
from .models.functions import (
    getME as getME,
)
from .models.functions import (
    glance as glance,
)
from .models.functions import (
    hessian as hessian,
)
from .models.functions import (
    icc as icc,
)
from .models.functions import (
    is_singular as is_singular,
)
from .models.functions import (
    isSingular as isSingular,
)
from .models.functions import (
    joint_tests as joint_tests,
)
from .models.functions import (
    kr_compare as kr_compare,
)
from .models.functions import (
    linear_hypothesis as linear_hypothesis,
)
from .models.functions import (
    logLik as logLik,
)
from .models.functions import (
    model_selection as model_selection,
)
from .models.functions import (
    model_table as model_table,
)
from .models.functions import (
    ngrps as ngrps,
)
from .models.functions import (
    nobs as nobs,
)
from .models.functions import (
    omega_squared as omega_squared,
)
from .models.functions import (
    pairs as pairs,
)
from .models.functions import (
    pb_compare as pb_compare,
)
from .models.functions import (
    predict as predict,
)
from .models.functions import (
    r2 as r2,
)
from .models.functions import (
    ranef as ranef,
)
from .models.functions import (
    ranova as ranova,
)
from .models.functions import (
    refit as refit,
)
from .models.functions import (
    refitML as refitML,
)
from .models.functions import (
    residuals as residuals,
)
from .models.functions import (
    sigma as sigma,
)
from .models.functions import (
    simulate as simulate,
)
from .models.functions import (
    summary as summary,
)
from .models.functions import (
    t_test as t_test,
)
from .models.functions import (
    tidy as tidy,
)
from .models.functions import (
    update as update,
)
from .models.functions import (
    vcov as vcov,
)
from .models.functions import (
    vcov_cluster as vcov_cluster,
)
from .models.functions import (
    vcov_parameters as vcov_parameters,
)
from .models.functions import (
    vcov_theta as vcov_theta,
)
from .models.functions import (
    vif as vif,
)
from .models.functions import (
    wald_test as wald_test,
)
from .models.generalized import GeneralizedLinearMixedModel as GeneralizedLinearMixedModel
from .models.glmer import glmer as glmer
from .models.linear import LinearMixedModel as LinearMixedModel
from .models.lmer import lmer as lmer
from .models.many import fit_many as fit_many
from .render.result_table import ResultTable as ResultTable
from .report.model_table import ModelTable as ModelTable
from .report.summary import Summary as Summary
from .report.varcorr import VarianceComponents as VarianceComponents

__version__: str
