"""`MixedLM.fit`: arguments of statsmodels, the optimizer of this package."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from statsmodels.tools.sm_exceptions import ConvergenceWarning, SingularMatrixWarning, ValueWarning

from ..errors import DataError, RankDeficiencyWarning, UndeterminedWarning
from ..fit.control import Control
from .columns import dropped_columns
from .conditioned import dependent
from .covariance import interior, mean_squares
from .engine import EngineModel, state_at
from .environment import warn
from .likelihood_methods import is_singular
from .packed import optimize_packed
from .params import MixedLMParams, as_params, check_sizes
from .plan import Block, all_free, parameters, plan
from .results import MixedLMResults
from .words import in_words_of_fit
from .wrapper import MixedLMResultsWrapper

_METHODS = ("bfgs", "lbfgs", "cg", "powell", "nm", "basinhopping", "minimize")
_KEYWORDS = ("gtol", "maxiter", "eps", "maxcor", "ftol", "tol", "disp", "maxls")


class Outcome(NamedTuple):
    """What a search found; `layout` has the blocks of the model with the places of their terms."""

    fitted: Any
    layout: list[tuple[Block, int]]
    params: MixedLMParams
    scale: float
    converged: bool
    message: str
    record: dict[str, Any]


class Fitting:
    """The fit of a :class:`MixedLM`."""

    def fit(
        self: Any,
        start_params: MixedLMParams | ArrayLike | None = None,
        reml: bool = True,
        niter_sa: int = 0,
        do_cg: bool = True,
        fe_pen: Any = None,
        cov_pen: Any = None,
        free: MixedLMParams | None = None,
        full_output: bool = False,
        method: str | list[str] | None = None,
        **fit_kwargs: Any,
    ) -> MixedLMResultsWrapper:
        """
        Fit the model by REML or maximum likelihood.

        Parameters
        ----------
        start_params : MixedLMParams or array-like, optional
            Where to start, the values of what `free` holds, and the parameters to evaluate with
            ``do_cg=False``. Without it, and from a singular covariance matrix, fits start where this package
            does.
        reml : bool, default True
            Restricted maximum likelihood (True) or maximum likelihood (False).
        niter_sa : int, default 0
            Ignored, with a warning, as in statsmodels.
        do_cg : bool, default True
            False evaluates the model at `start_params` without optimizing.
        fe_pen : Penalty, optional
            A smooth penalty of statsmodels on the fixed effects. Fixed effects and covariances together
            maximize the penalized likelihood.
        cov_pen : CovariancePenalty, optional
            A penalty of statsmodels on the covariance matrix of the random coefficients.
        free : MixedLMParams, optional
            Ones for what is estimated, zeros for what is held at its start: ``cov_re=np.eye(k_re)`` gives
            uncorrelated coefficients. By default everything is estimated.
        full_output : bool, default False
            Whether the result has a record of the search, `hist`.
        method : str or list of str, optional
            A method that statsmodels knows. Whatever it is, the optimizer of this package looks for the
            optimum; penalties, and masks that no covariance structure describes, take BFGS.
        **fit_kwargs
            ``maxiter``, the largest number of evaluations; ``gtol``, ``eps``, ``maxcor``, ``ftol``, ``tol``,
            ``disp`` and ``maxls`` are accepted and have no effect.

        Returns
        -------
        MixedLMResultsWrapper

        Raises
        ------
        ValueError
            For a method that statsmodels refuses, parameters of a wrong number, and random coefficients of a
            single group.

        Warns
        -----
        ConvergenceWarning, SingularMatrixWarning
            Of statsmodels.
        RankDeficiencyWarning
            For columns of `exog` that depend on those before them; their coefficients are 0.
        """
        check_method(method)
        for name in fit_kwargs:
            if name not in _KEYWORDS:
                warn(f"Argument {name} is not used by MixedLM.fit", FutureWarning)
        if niter_sa > 0:
            warn("niter_sa is currently ignored", ValueWarning)
        if not isinstance(reml, (bool, np.bool_, int)):
            raise TypeError(f"reml must be True or False, not {reml!r}")
        for name, penalty in (("fe_pen", fe_pen), ("cov_pen", cov_pen)):
            check_penalty(name, penalty)
        free = mask_of(self, free)
        self.reml, self.fe_pen, self.cov_pen, self._freepat = bool(reml), fe_pen, cov_pen, free
        start = start_of(self, start_params)
        control = Control(max_evaluations=most_evaluations(fit_kwargs.get("maxiter")))
        found = search(self, start, free, do_cg, control, start_params is not None)
        # Nothing was looked for without do_cg.
        if do_cg and not found.converged:
            warn(f"MixedLM optimization failed: {found.message}", ConvergenceWarning)
        if text := dropped_columns(self.kept, self.exog_names):
            warn(text, RankDeficiencyWarning)
        _warn_of_dependent_columns(self, free)
        if _on_boundary(self, found.params, free):
            warn("The random effects covariance matrix is singular.", SingularMatrixWarning)
        own = MixedLMResults(
            self,
            found.fitted,
            found.params,
            scale=found.scale,
            reml=self.reml,
            method="REML" if self.reml else "ML",
            converged=found.converged,
            hist=[found.record] if full_output else None,
            freepat=free,
            cov_pen=cov_pen,
            fe_pen=fe_pen,
            layout=found.layout,
        )
        return MixedLMResultsWrapper(own)


def _warn_of_dependent_columns(model: Any, free: MixedLMParams | None) -> None:
    """Say which random coefficients repeat others; held ones do no harm."""
    if not model.k_re:
        return
    used = np.ones(model.k_re, dtype=bool) if free is None else np.diag(free.cov_re) != 0
    columns = np.flatnonzero(used)[dependent(model.exog_re[:, used])]
    if len(columns):
        names = " and ".join(", ".join(str(model.data.exog_re_names[j]) for j in columns).rsplit(", ", 1))
        warn(
            f"the columns of the random effects {names} are linearly dependent: the data do not determine "
            "their variances, which have no standard errors; leave some out",
            UndeterminedWarning,
        )


def _on_boundary(model: Any, params: MixedLMParams, free: MixedLMParams | None) -> bool:
    """Whether an estimated variance, or one of a linear combination of effects, is zero."""
    inside = interior(params, model.exog_re, mean_squares(model))
    if free is None:
        return not inside.all()
    return not inside[free.get_packed(use_sqrt=False) != 0].all()


def check_penalty(name: str, penalty: Any) -> None:
    """Refuse what is no penalty of statsmodels' kind."""
    if penalty is not None and not (callable(getattr(penalty, "func", None)) and hasattr(penalty, "deriv")):
        raise TypeError(f"{name} must be a penalty of statsmodels, with func() and deriv(), not {penalty!r}")


def check_method(method: Any) -> None:
    """Refuse methods that statsmodels refuses or does not know."""
    for name in (
        [method] if isinstance(method, str) or not isinstance(method or (), Iterable) else method or ()
    ):
        if not isinstance(name, str):
            raise TypeError(f"method must be a name or a list of names, not {name!r}")
        if name.lower() in ("newton", "ncg"):
            raise ValueError(f"method {name} not available for MixedLM")
        if name.lower() not in _METHODS:
            raise ValueError(f"unknown method {name!r}; MixedLM.fit takes {', '.join(_METHODS)}")


def most_evaluations(maxiter: Any) -> int | None:
    """The argument `maxiter`, of which scipy takes numbers such as 50.0."""
    if maxiter is None:
        return None
    whole = isinstance(maxiter, (int, float, np.integer)) and not isinstance(maxiter, bool)
    if not whole or maxiter < 1 or maxiter % 1:
        raise ValueError(f"maxiter must be a whole number of at least 1, not {maxiter!r}")
    return int(maxiter)


def mask_of(model: Any, free: Any) -> MixedLMParams | None:
    """The argument `free`; without fixed effects it frees them all."""
    if free is None:
        return None
    own = as_params(free)
    if own is None:
        raise TypeError(f"free must be a MixedLMParams of ones and zeros, not {type(free).__name__}")
    if not len(own.fe_params) and model.k_fe:
        own = MixedLMParams.from_components(np.ones(model.k_fe), own.cov_re, vcomp=own.vcomp)
    return check_sizes(own, model, "free")


def start_of(model: Any, given: Any) -> MixedLMParams:
    """Where a search starts: the parameters given, or unit variances relative to the residual one."""
    own = as_params(given)
    if own is not None:
        own = own.copy()
        if not len(own.fe_params):
            own.k_fe, own.fe_params = model.k_fe, np.zeros(model.k_fe)
        return check_sizes(own, model, "start_params")
    if given is not None:
        try:
            return model.unpacked(given, has_fe=True)
        except ValueError as error:
            raise ValueError(f"invalid start_params: {error}") from None
    start = MixedLMParams(model.k_fe, model.k_re, model.k_vc)
    start.cov_re, start.vcomp = np.eye(model.k_re), np.ones(model.k_vc)
    return start


def search(
    model: Any,
    start: MixedLMParams,
    free: MixedLMParams | None,
    optimize: bool,
    control: Control,
    started: bool,
) -> Outcome:
    """The optimum of a model, or the model at its start; `started` says that the user gave the start."""
    if model.n_groups == 1 and model.k_re:
        raise DataError(
            "random coefficients need at least two groups, but all rows are in one: leave them out with "
            "re_formula='0', or exog_re=None beside exog_vc"
        )
    for part in model.components:
        if part.z.shape[1] == 1:
            raise DataError(
                f"component {part.name!r} has a single effect, which does not tell a variance: leave it "
                "out, or make it a fixed effect"
            )
    penalized = model.fe_pen is not None or model.cov_pen is not None
    blocks = plan(free, start)
    coefficients = (
        {}
        if free is None
        else {int(j): float(start.fe_params[j]) for j in np.flatnonzero(np.asarray(free.fe_params) == 0)}
    )
    if optimize and not penalized and blocks:
        engine = EngineModel(model, blocks, model.reml, control)
        fitted = engine.fit(coefficients, start if started and not is_singular(start) else None)
        model.kept = np.asarray(fitted.estimates.kept)
        fixed = np.nan_to_num(fitted.estimates.beta)
        params = parameters([b for b, _ in engine.layout], engine.factors(fitted), start, fixed)
        record = fitted.convergence
        facts = {"converged": record.converged, "fopt": -0.5 * fitted.estimates.objective}
        for category, text in engine.notices:
            warn(text, category)
        scale, converged = float(fitted.sigma**2), bool(record.converged)
        message = in_words_of_fit(" ".join(record.messages))
        return Outcome(fitted, engine.layout, params, scale, converged, message, facts)
    params, converged, facts = start, True, {"converged": True}
    if optimize:
        params, converged, facts = optimize_packed(model, start, all_free(start) if free is None else free)
    else:
        params.fe_params = model.get_fe_params(params.cov_re, params.vcomp)[0]
        converged, facts = False, {"converged": False}
    held = model.fe_pen is not None or bool(optimize and coefficients)
    fitted, layout = state_at(model, params, coefficients=held)
    scale = model.get_scale(params.fe_params, params.cov_re, params.vcomp)
    return Outcome(fitted, layout, params, scale, converged, str(facts.get("message", "")), facts)
