"""Every public function and method on a model, called as a user would; by name, for `test_all_is_covered`."""

from __future__ import annotations

import copy
import io
import pickle
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import mixedmodels as mm
from mixedmodels.fit.changes import prepared
from mixedmodels.means.emmeans import Emmeans

Operation = Callable[[Any], Any]


def predictor(model: Any) -> str:
    """The first predictor of the fixed part that the data hold; the intercept without one."""
    fixed = model.formula.split("~")[1].split("(")[0]
    names = [name for name in model.data.columns if name in fixed.replace("*", " ").replace(":", " ").split()]
    return names[0] if names else "1"


def covariate(model: Any) -> str | None:
    numeric = [n for n in ("x", "big", "zero") if n in model.formula and n in model.data]
    return numeric[0] if numeric else None


def coefficient(model: Any) -> str:
    kept = model.fixef().dropna()
    return str(kept.index[-1]) if len(kept) else "(Intercept)"


def group(model: Any) -> str:
    """The first grouping factor."""
    return next(iter(model.ngrps))


def last_term(model: Any) -> str:
    """The last term of the fixed part: not marginal to others."""
    labels = [label for label, _ in model._fitted.design.x_terms if label != "(Intercept)"]
    return labels[-1] if labels else "x"


def rows(model: Any) -> pd.DataFrame:
    return pd.DataFrame(model.data).iloc[[0, 1, -1]]


def saved_and_loaded(model: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model"
        mm.save(model, path)
        return mm.load(path)


def printed(result: Any) -> Any:
    """The result, after it has printed and shown in a notebook."""
    assert str(result)
    for method in ("_repr_html_", "to_frame"):
        if hasattr(result, method):
            getattr(result, method)()
    return result


def emmeans(model: Any, **options: Any) -> Emmeans:
    return mm.emmeans(model, f"~ {predictor(model)}", **options)


def drawn(draw: Operation) -> Operation:
    """The operation, drawn on a canvas and closed."""

    def draw_and_close(model: Any) -> None:
        import matplotlib.pyplot as plt

        try:
            draw(model).figure.canvas.draw()
        finally:
            plt.close("all")

    return draw_and_close


def unfitted(model: Any) -> mm.UnfittedModel[Any]:
    return mm.UnfittedModel(prepared(model._fitted.arguments), type(model))


def restored(model: Any) -> Any:
    """The model from the file of its optimum."""
    file = io.StringIO()
    model.save_optimum(file)
    file.seek(0)
    again = mm.restore_optimum(unfitted(model), file)
    assert again.objective == model.objective
    return again


def derivatives(model: Any) -> None:
    before = unfitted(model)
    assert np.isfinite(before.objective(before.start))
    assert before.gradient(before.start).shape == before.hessian(before.start).shape[1:]
    assert before.describe_blocks().memory > 0


def profile_plots(model: Any) -> None:
    import matplotlib.pyplot as plt

    profile = mm.profile(model)
    try:
        for kind in ("zeta", "density", "pairs"):
            profile.plot(kind, scale="log")
    finally:
        plt.close("all")


def trends(model: Any) -> Any:
    name = covariate(model)
    return mm.emtrends(model, "~ 1", name or "x")


def generalized(model: Any) -> bool:
    return isinstance(model, mm.GeneralizedLinearMixedModel)


def several_levels(model: Any) -> Any:
    """A grouping factor with several levels; halves of the rows without one."""
    for group, n in model.ngrps.items():
        if n > 1:
            return group
    return np.arange(model.nobs) % 2


def some_response(model: Any) -> Any:
    return np.nan_to_num(model.fitted(), nan=1.0).round() if generalized(model) else model.fitted()


OPERATIONS: dict[str, Operation] = {
    "AIC": mm.AIC,
    "AICc": mm.AICc,
    "BIC": mm.BIC,
    "REMLcrit": mm.REMLcrit,
    "VarCorr": mm.VarCorr,
    "aic_table": lambda m: mm.aic_table(m, m),
    "allFit": mm.allFit,
    "anova": mm.anova,
    "anova type 1": lambda m: mm.anova(m, type=1),
    "anova type 2": lambda m: mm.anova(m, type=2),
    "anova Kenward-Roger": lambda m: mm.anova(m, ddf="kenward-roger"),
    "anova of two": lambda m: mm.anova(m, m.update(". ~ 1 + (1 | g)") if "| g)" in m.formula else m),
    "anova_type3": mm.anova_type3,
    "augment": mm.augment,
    "box_cox": lambda m: printed(mm.box_cox(m)),
    "yeo_johnson": lambda m: printed(mm.yeo_johnson(m)).transform([1.0, 2.0]),
    "bootstrap": lambda m: printed(mm.bootstrap(m, 3, rng=1)).confint(kind="basic"),
    "anova with a formula": lambda m: mm.anova(m, m.formula.split(" + (")[0].replace("offset", "I")),
    "bootstrap cases": lambda m: mm.bootstrap(m, 3, type="cases", cases="rows", rng=1),
    "cAIC": mm.cAIC,
    "cooks_distance": mm.cooks_distance,
    "covratio": lambda m: mm.covratio(m, method="one-step"),
    "covtrace": lambda m: mm.covtrace(m, method="one-step"),
    "dfbeta": lambda m: mm.dfbeta(m, method="one-step"),
    "dfbetas": lambda m: mm.dfbetas(m, method="one-step"),
    "dffits": lambda m: mm.dffits(m, method="one-step"),
    "mdffits": lambda m: mm.mdffits(m, method="one-step"),
    "rstandard": mm.rstandard,
    "rstudent": mm.rstudent,
    "least_confounded_residuals": mm.least_confounded_residuals,
    "residuals whitened": lambda m: mm.residuals(m, "whitened" if not generalized(m) else "deletion"),
    "checkConv": mm.checkConv,
    **{
        name: (lambda m, name=name: printed(getattr(mm, name)(m)))
        for name in (
            *("check_collinearity", "check_convergence", "check_group_sizes", "check_heteroscedasticity"),
            "check_influence",
            *("check_model", "check_normality", "check_outliers", "check_overdispersion", "check_separation"),
            *("check_singularity", "check_zeroinflation", "rePCA", "simplify"),
        )
    },
    "check_normality random": lambda m: printed(mm.check_normality(m, "random")),
    "shrinkage": lambda m: printed(mm.shrinkage(m)),
    "coef": mm.coef,
    "coef_test": lambda m: mm.coef_test(m, vcov=mm.vcov_cluster(m)),
    "condition_number": mm.condition_number,
    "confint": mm.confint,
    "confint boot": lambda m: mm.confint(m, method="boot", nsim=3, rng=1),
    "confint profile": lambda m: mm.confint(m, method="profile"),
    "contrast": lambda m: mm.contrast(emmeans(m), "trt.vs.ctrl"),
    "contrast eff": lambda m: printed(emmeans(m).contrast("eff")).confint(),
    "cross_validate": lambda m: printed(mm.cross_validate(m, 2, rng=1)),
    "cross_validate groups": lambda m: mm.cross_validate(m, 2, by=group(m), rng=1).units,
    "describe_blocks": mm.describe_blocks,
    "deviance": mm.deviance,
    "drop1": mm.drop1,
    "drop1 F": lambda m: mm.drop1(m, test="F"),
    "emmeans": emmeans,
    "emmeans Kenward-Roger": lambda m: emmeans(m, ddf="kenward-roger"),
    "emmeans response": lambda m: emmeans(m, type="response"),
    "emmeans confint": lambda m: emmeans(m).confint(),
    "emmeans test": lambda m: emmeans(m).test(),
    "emmeans joint": lambda m: emmeans(m).joint(),
    "emmeans cld": lambda m: emmeans(m).cld(),
    "emmeans regrid": lambda m: printed(emmeans(m).regrid()).pairs().to_frame(),
    "emmeans plot": drawn(lambda m: emmeans(m).plot()),
    "emmeans plot of comparisons": drawn(lambda m: emmeans(m).plot(comparisons=True)),
    "pairs plot": drawn(lambda m: emmeans(m).pairs().plot()),
    "eff_size": lambda m: mm.eff_size(emmeans(m), 1.0, 10.0),
    "emtrends": trends,
    "epsilon_squared": mm.epsilon_squared,
    "eta_squared": mm.eta_squared,
    "extend": lambda m: mm.extend(rows(m), 50, along="g"),
    "exact_lrt": lambda m: mm.exact_lrt(m, nsim=50, rng=1),
    "exact_rlrt": lambda m: mm.exact_rlrt(m, nsim=50, rng=1),
    "f_test": lambda m: mm.f_test(m, f"{coefficient(m)} = 0"),
    "fitted": mm.fitted,
    "fixef": mm.fixef,
    "getME": lambda m: mm.getME(m, "ALL"),
    "glance": mm.glance,
    "hatvalues": mm.hatvalues,
    "hatvalues split": lambda m: mm.hatvalues(m, split=True),
    "icc": mm.icc,
    "influence": lambda m: printed(mm.influence(m)),
    "influence one-step": lambda m: printed(mm.influence(m, method="one-step")),
    "influence by level": lambda m: printed(mm.influence(m, groups=several_levels(m))),
    "isSingular": mm.isSingular,
    "is_singular": mm.is_singular,
    "joint_tests": mm.joint_tests,
    "kr_compare": lambda m: mm.kr_compare(m, m.update(". ~ 1 + (1 | g)")),
    "linear_hypothesis": lambda m: mm.linear_hypothesis(m, np.eye(len(m.fixef()))),
    "linear_hypothesis text": lambda m: mm.linear_hypothesis(m, f"{coefficient(m)} = 1"),
    "logLik": mm.logLik,
    "model_selection": mm.model_selection,
    "model_table": lambda m: mm.model_table(m, m),
    "ngrps": mm.ngrps,
    "nobs": mm.nobs,
    "omega_squared": mm.omega_squared,
    "pairs": lambda m: mm.pairs(emmeans(m)),
    "pairs confint": lambda m: mm.pairs(emmeans(m)).confint(),
    "pairs Kenward-Roger": lambda m: mm.pairs(emmeans(m, ddf="kenward-roger")).confint(),
    "partial_fitted": lambda m: mm.partial_fitted(m, exclude=m.formula.split(" + ")[-1]),
    "pb_compare": lambda m: mm.pb_compare(m, m.update(". ~ 1 + (1 | g)"), nsim=3, rng=1),
    "power": lambda m: mm.power(m, f"{coefficient(m)} = 0", nsim=3, rng=1).to_frame(),
    "power of new data": lambda m: mm.power(m, f"{coefficient(m)} = 0", nsim=3, rng=1, data=rows(m)),
    "power_curve": lambda m: printed(
        mm.power_curve(m, f"{coefficient(m)} = 0", nsim=2, rng=1, within="g", values=[3, 40])
    ),
    "permutation_test": lambda m: mm.permutation_test(m, last_term(m), 3, rng=1),
    "permutation_test labels": lambda m: mm.permutation_test(m, last_term(m), 3, permute="labels", rng=1),
    "plot": drawn(lambda m: m.plot()),
    "plot_binned_residuals": drawn(mm.plot_binned_residuals),
    "plot_coef": drawn(lambda m: mm.plot_coef(m, m, intercept=True)),
    "plot_diagnostics": drawn(lambda m: mm.plot_diagnostics(m, rng=1)),
    "plot_diagnostics response": drawn(lambda m: mm.plot_diagnostics(m, type="response")),
    "plot_effects": drawn(lambda m: mm.plot_effects(m, predictor(m), partial=True)),
    "plot_emmeans": drawn(lambda m: mm.plot_emmeans(m, f"~ {predictor(m)}")),
    "plot_fit_log": drawn(mm.plot_fit_log),
    "plot_groups": drawn(mm.plot_groups),
    "plot_interaction": drawn(lambda m: mm.plot_interaction(m, predictor(m), covariate(m) or "x")),
    "plot_profile": drawn(lambda m: mm.plot_profile(m, "beta_")),
    "plot_ranef": drawn(mm.plot_ranef),
    "plot_ranef_qq": drawn(mm.plot_ranef_qq),
    "plot_residuals": drawn(mm.plot_residuals),
    "plot_residuals of groups": drawn(lambda m: mm.plot_residuals(m, next(iter(m.ngrps)), rng=1)),
    "plot_rootogram": drawn(mm.plot_rootogram),
    "plot_shrinkage": drawn(mm.plot_shrinkage),
    "plot_variances": drawn(mm.plot_variances),
    "predict": mm.predict,
    "predict errors": lambda m: mm.predict(m, se_fit=True),
    "predict interval": lambda m: mm.predict(m, rows(m), interval="confidence"),
    "predict delta": lambda m: mm.predict(m, rows(m), se_fit=True, parameter_uncertainty="delta"),
    "predict bootstrap": lambda m: mm.predict(
        m, rows(m), se_fit=True, parameter_uncertainty="bootstrap", nsim=3, rng=1
    ),
    "predict responses": lambda m: mm.predict(m, type="response", interval="prediction"),
    "predict rows": lambda m: mm.predict(m, rows(m)),
    "predict population": lambda m: mm.predict(m, rows(m), re_form="~0"),
    "predict new level": lambda m: mm.predict(m, rows(m).assign(g="new"), allow_new_levels=True),
    "predict new level interval": lambda m: mm.predict(
        m, rows(m).assign(g="new"), allow_new_levels=True, interval="confidence"
    ),
    "predict_effects": lambda m: printed(mm.predict_effects(m, predictor(m))),
    "predict_effects marginal": lambda m: printed(mm.predict_effects(m, predictor(m), marginal=True)),
    "predictions": mm.predictions,
    "quantile_residuals": lambda m: printed(mm.quantile_residuals(m, 60, rng=1)),
    "quantile_residuals conditional": lambda m: printed(
        mm.quantile_residuals(m, 60, conditional=True, rng=1)
    ),
    "quantile_residuals refit": lambda m: printed(mm.quantile_residuals(m, 60, refit=True, rng=1)),
    "quantile_residuals by predictor": lambda m: printed(
        mm.quantile_residuals(m, 60, rng=1).test_predictor()
    ),
    "profile": lambda m: mm.profile(m, progress=lambda done, total: None),
    "profile plot": profile_plots,
    "profile_2d": lambda m: mm.profile_2d(m, m.confint().index[0], coefficient(m), n=3),
    "r2": mm.r2,
    "ranef": mm.ranef,
    "ranef condVar": lambda m: mm.ranef(m, condVar=True).condvar,
    "ranova": mm.ranova,
    "save_optimum": lambda m: mm.save_optimum(m, io.StringIO()),
    "restore_optimum": restored,
    "refit": lambda m: mm.refit(m, some_response(m)),
    "refitML": mm.refitML,
    "residuals": mm.residuals,
    "residuals scaled": lambda m: mm.residuals(m, scaled=True),
    "save": lambda m: saved_and_loaded(m).summary(),
    "load": lambda m: saved_and_loaded(m).predict(rows(m)),
    "sigma": mm.sigma,
    "simulate": lambda m: mm.simulate(m, 2, rng=1),
    "simulate new levels": lambda m: mm.simulate(m, 2, rng=1, newdata=rows(m).assign(g="new"), re_form=None),
    "summary": mm.summary,
    "summary Kenward-Roger": lambda m: mm.summary(m, ddf="kenward-roger"),
    "summary residual": lambda m: mm.summary(m, ddf="residual"),
    "summary robust": lambda m: m.summary(vcov=mm.vcov_cluster(m)),
    "t_test": lambda m: mm.t_test(m, np.eye(len(m.fixef()))),
    "tidy": mm.tidy,
    "tidy random": lambda m: mm.tidy(m, effects=("fixed", "ran_pars", "ran_vals"), conf_int=True),
    "update": lambda m: mm.update(m, ". ~ ."),
    "vcov": mm.vcov,
    "vcov_cluster": mm.vcov_cluster,
    "vcov_cluster CR0": lambda m: mm.vcov_cluster(m, type="CR0"),
    "vif": mm.vif,
    "wald_test": lambda m: mm.wald_test(m, f"{coefficient(m)} = 0"),
    "wald_test robust": lambda m: mm.wald_test(m, f"{coefficient(m)} = 0", vcov=mm.vcov_cluster(m)),
    "derivatives without a fit": derivatives,
    "optimum": lambda m: printed(m.optimum),
    "print": repr,
    "notebook": lambda m: m._repr_html_(),
    "pickle": lambda m: pickle.loads(pickle.dumps(m)),
    "copy": copy.deepcopy,
    **{
        name: (lambda m, name=name: getattr(m, name)())
        for name in ("hessian", "vcov_theta", "vcov_parameters", "conf_int", "cov_params", "corr_fixef")
    },
    **{
        name: (lambda m, name=name: getattr(m, name))
        for name in (
            *("REML", "aic", "beta", "bic", "bse", "converged", "convergence", "data", "df", "df_resid"),
            *("df_residual", "dispersion", "dropped_columns", "family", "fittedvalues", "formula"),
            *("information", "link", "llf", "model_matrix", "nAGQ", "n_evaluations", "objective", "params"),
            *("pvalues", "rank", "resid", "se", "theta", "tvalues"),
        )
    },
}
