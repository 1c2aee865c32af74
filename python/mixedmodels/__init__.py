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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import families
    from .datasets import (
        dataset_names,
        load_arabidopsis,
        load_bacteria,
        load_beets,
        load_cake,
        load_carrots,
        load_cbpp,
        load_chickweight,
        load_contraception,
        load_dataset,
        load_dietox,
        load_dyestuff,
        load_dyestuff2,
        load_epil,
        load_grouseticks,
        load_ham,
        load_insteval,
        load_machines,
        load_orthodont,
        load_oxboys,
        load_pastes,
        load_penicillin,
        load_rail,
        load_salamanders,
        load_sleepstudy,
        load_sleepstudy_x,
        load_verbagg,
    )
    from .errors import (
        ArgumentError,
        ConvergenceError,
        ConvergenceWarning,
        DataError,
        DataWarning,
        EstimabilityWarning,
        FormulaError,
        FormulaWarning,
        InternalError,
        LargeModelWarning,
        MemoryLimitError,
        MissingColumnError,
        MixedModelError,
        MixedModelsWarning,
        ModesError,
        NewLevelsError,
        NotAvailableError,
        RankDeficiencyWarning,
        SeparationWarning,
        SingularFitWarning,
        UndeterminedWarning,
    )
    from .fit.block_costs import BlockDescription
    from .fit.control import Control
    from .fit.progress import Progress
    from .means.functions import contrast, eff_size, emmeans, pairs
    from .means.joint_tests import joint_tests
    from .means.trends import emtrends
    from .models.describe_blocks import describe_blocks
    from .models.effect_sizes import (
        aic_table,
        cAIC,
        epsilon_squared,
        eta_squared,
        icc,
        model_selection,
        omega_squared,
        r2,
    )
    from .models.fit_many_result import FitMany
    from .models.functions import (
        AIC,
        BIC,
        AICc,
        REMLcrit,
        VarCorr,
        allFit,
        checkConv,
        coef,
        confint,
        deviance,
        fitted,
        fixef,
        getME,
        is_singular,
        isSingular,
        logLik,
        ngrps,
        nobs,
        predict,
        ranef,
        refit,
        refitML,
        residuals,
        sigma,
        simulate,
        summary,
        update,
        vcov,
    )
    from .models.generalized import GeneralizedLinearMixedModel
    from .models.glmer import glmer
    from .models.linear import LinearMixedModel
    from .models.lmer import lmer
    from .models.many import fit_many
    from .models.robust import coef_test, condition_number, vcov_cluster, vif
    from .models.tables import augment, glance, model_table, tidy
    from .models.testing import (
        anova,
        anova_type3,
        drop1,
        exact_rlrt,
        kr_compare,
        linear_hypothesis,
        pb_compare,
        ranova,
        t_test,
    )

__all__ = [
    "AIC",
    "BIC",
    "AICc",
    "ArgumentError",
    "BlockDescription",
    "Control",
    "ConvergenceError",
    "ConvergenceWarning",
    "DataError",
    "DataWarning",
    "EstimabilityWarning",
    "FitMany",
    "FormulaError",
    "FormulaWarning",
    "GeneralizedLinearMixedModel",
    "InternalError",
    "LargeModelWarning",
    "LinearMixedModel",
    "MemoryLimitError",
    "MissingColumnError",
    "MixedModelError",
    "MixedModelsWarning",
    "ModesError",
    "NewLevelsError",
    "NotAvailableError",
    "Progress",
    "REMLcrit",
    "RankDeficiencyWarning",
    "SeparationWarning",
    "SingularFitWarning",
    "UndeterminedWarning",
    "VarCorr",
    "aic_table",
    "allFit",
    "anova",
    "anova_type3",
    "augment",
    "cAIC",
    "checkConv",
    "coef",
    "coef_test",
    "condition_number",
    "confint",
    "contrast",
    "dataset_names",
    "describe_blocks",
    "deviance",
    "drop1",
    "eff_size",
    "emmeans",
    "emtrends",
    "epsilon_squared",
    "eta_squared",
    "exact_rlrt",
    "families",
    "fit_many",
    "fitted",
    "fixef",
    "getME",
    "glance",
    "glmer",
    "icc",
    "isSingular",
    "is_singular",
    "joint_tests",
    "kr_compare",
    "linear_hypothesis",
    "lmer",
    "load_arabidopsis",
    "load_bacteria",
    "load_beets",
    "load_cake",
    "load_carrots",
    "load_cbpp",
    "load_chickweight",
    "load_contraception",
    "load_dataset",
    "load_dietox",
    "load_dyestuff",
    "load_dyestuff2",
    "load_epil",
    "load_grouseticks",
    "load_ham",
    "load_insteval",
    "load_machines",
    "load_orthodont",
    "load_oxboys",
    "load_pastes",
    "load_penicillin",
    "load_rail",
    "load_salamanders",
    "load_sleepstudy",
    "load_sleepstudy_x",
    "load_verbagg",
    "logLik",
    "model_selection",
    "model_table",
    "ngrps",
    "nobs",
    "omega_squared",
    "pairs",
    "pb_compare",
    "predict",
    "r2",
    "ranef",
    "ranova",
    "refit",
    "refitML",
    "residuals",
    "sigma",
    "simulate",
    "summary",
    "t_test",
    "tidy",
    "update",
    "vcov",
    "vcov_cluster",
    "vif",
]

_TESTS = (
    "anova",
    "anova_type3",
    "drop1",
    "exact_rlrt",
    "kr_compare",
    "linear_hypothesis",
    "pb_compare",
    "ranova",
    "t_test",
)

_EFFECT_SIZES = (
    "aic_table",
    "cAIC",
    "epsilon_squared",
    "eta_squared",
    "icc",
    "model_selection",
    "omega_squared",
    "r2",
)
_ROBUST = ("coef_test", "condition_number", "vcov_cluster", "vif")
_TABLES = ("augment", "glance", "model_table", "tidy")

_HOMES = {
    "BlockDescription": "fit.block_costs",
    "Control": "fit.control",
    "Progress": "fit.progress",
    "FitMany": "models.fit_many_result",
    "GeneralizedLinearMixedModel": "models.generalized",
    "LinearMixedModel": "models.linear",
    "describe_blocks": "models.describe_blocks",
    "contrast": "means.functions",
    "eff_size": "means.functions",
    "emmeans": "means.functions",
    "emtrends": "means.trends",
    "joint_tests": "means.joint_tests",
    "pairs": "means.functions",
    "fit_many": "models.many",
    "glmer": "models.glmer",
    "lmer": "models.lmer",
    **dict.fromkeys(_EFFECT_SIZES, "models.effect_sizes"),
    **dict.fromkeys(_ROBUST, "models.robust"),
    **dict.fromkeys(_TABLES, "models.tables"),
    **dict.fromkeys(_TESTS, "models.testing"),
}


def _home(name: str) -> str:
    """The module that defines a public name."""
    if name in _HOMES:
        return _HOMES[name]
    if name.startswith("load_") or name == "dataset_names":
        return "datasets"
    if name.endswith(("Error", "Warning")):
        return "errors"
    return "models.functions"


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = import_module("._engine", __name__).__version__
    elif name == "families":
        value = import_module(".families", __name__)
    elif name in __all__:
        value = getattr(import_module(f".{_home(name)}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{_hint(name)}")
    globals()[name] = value
    return value


def _hint(name: str) -> str:
    """A substitute for a function that users of other packages look for."""
    return "" if name.startswith("_") else import_module(".not_here", __name__).hint(name)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__")), "__version__"})
