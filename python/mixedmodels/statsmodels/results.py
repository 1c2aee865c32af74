"""The results of a fit under statsmodels' names: arrays inside, labelled by the wrapper."""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.base.model import Results

from . import at_fit, bootstrap as _bootstrap, covariance, effects, standard_errors
from .hypotheses import HypothesisTests
from .places import Layout
from .plan import Block
from .profile import profile_re
from .summary import summary
from .unpenalised import with_data

Array = NDArray[np.float64]
# What models keep of each row, beside what statsmodels' own do. The frame stays: the formula is read again
# from it after unpickling.
_OF_ROWS = frozenset(
    {"exog_re", "groups", "groups_of_rows", "products", "components", "rows_used", "orig_endog", "orig_exog"}
)


class MixedLMResults(HypothesisTests):
    """
    A fitted linear mixed model under the names of statsmodels.

    Variance parameters come in two units, as in statsmodels: `params`, `bse`, `cov_params` and `conf_int`
    have them divided by the residual variance, `cov_re`, `vcomp`, `bse_re` and `summary` as they are.

    Parameters
    ----------
    model : MixedLM
    fitted : FittedModel or None
        The state of our fit; None where the estimates are penalised and no model of ours has them.
    params_object : MixedLMParams
        The estimates; covariances divided by `scale`.
    scale : float
        Residual variance.
    reml : bool
    method : str
        ``"REML"`` or ``"ML"``.
    converged : bool
    hist : list of dict, optional
        The optimizer's record.
    freepat : MixedLMParams, optional
        Ones where parameters were estimated.
    cov_pen, fe_pen : object, optional
        Penalties of the fit.
    layout : sequence of (Block, int), optional
        Which term of `fitted` each block of parameters is; by default random effects come first, then a term
        for each variance component.

    Attributes
    ----------
    params : ndarray, shape (p,)
        Fixed effects, then the lower triangle of `cov_re` and `vcomp`, both divided by `scale`;
        p = k_fe + k_re2 + k_vc.
    fe_params : ndarray, shape (k_fe,)
    cov_re, cov_re_unscaled : ndarray, shape (k_re, k_re)
        Covariance matrix of the random effects, and the same divided by `scale`.
    vcomp : ndarray, shape (k_vc,)
        Variance components.
    scale : float
        Residual variance.
    """

    def __init__(
        self,
        model: Any,
        fitted: Any,
        params_object: Any,
        *,
        scale: float,
        reml: bool,
        method: str,
        converged: bool,
        hist: list[dict[str, Any]] | None = None,
        freepat: Any = None,
        cov_pen: Any = None,
        fe_pen: Any = None,
        layout: Layout | None = None,
    ) -> None:
        # Not the nearest parent's: it would set the covariance matrix, which is found when it is asked for.
        Results.__init__(self, model, params_object.get_packed(use_sqrt=False, has_fe=True))
        self._use_t = False
        self._cache: dict[str, Any] = {}
        # Names of the variance parameters, for the wrapper.
        model.data.variance_names = list(model.data.param_names)[model.k_fe :]
        self._fitted: Any = fitted
        self._layout = _in_order(model) if layout is None else list(layout)
        self.params_object = params_object
        self.fe_params = params_object.fe_params
        self.cov_re_unscaled = params_object.cov_re
        # A number of numpy, as in statsmodels: users round it.
        self.scale = np.float64(scale)
        self.cov_re = self.scale * params_object.cov_re
        self.vcomp = self.scale * params_object.vcomp
        self.reml, self.method = reml, method
        self.converged, self.hist = converged, hist
        self.freepat, self.cov_pen, self.fe_pen = freepat, cov_pen, fe_pen
        self.use_sqrt = model.use_sqrt
        self.k_fe, self.k_re, self.k_re2, self.k_vc = model.k_fe, model.k_re, model.k_re2, model.k_vc
        self.nobs = model.nobs
        self.df_resid = self.nobs - np.linalg.matrix_rank(model.exog)

    def __getstate__(self) -> dict[str, Any]:
        """Without the tables of single groups: thousands take longer to load than to make."""
        state = dict(vars(self))
        state.pop("joint", None)
        if self._fitted is not None:
            for name in ("random_effects", "random_effects_cov"):
                state.pop(name, None)
        return state

    @cached_property
    def normalized_cov_params(self) -> Array:
        """`cov_params` divided by `scale`, shape (p, p)."""
        return self.joint.matrix / self.scale

    @cached_property
    def joint(self) -> covariance.Joint:
        """The joint covariance matrix of all parameters, with the coordinates that it was worked out in."""
        return covariance.parameter_covariance(
            self.model, self.params_object, self.freepat, self._fitted, self._layout
        )

    @cached_property
    def llf(self) -> float:
        """
        Log-likelihood at the estimates, restricted for REML.

        Fixed effects that a mask holds are known, and not among those for which REML makes up.
        """
        return np.float64(at_fit.loglike(self.model, self.params_object, self.freepat, self._fitted))

    @cached_property
    def bse_fe(self) -> Array:
        """Standard errors of the fixed effects, shape (k_fe,)."""
        return np.asarray(self.bse)[: self.k_fe]

    @cached_property
    def bse_re(self) -> Array:
        """
        Standard errors of the variance parameters in the units of `cov_re` and `vcomp`.

        Those of the lower triangle of `cov_re`, row by row, then those of `vcomp`; shape (k_re2 + k_vc,). By
        the delta method from the exact Hessian in all variance parameters, the residual variance included.
        statsmodels multiplies `bse` by the root of `scale`, which has neither the right units nor the
        uncertainty of `scale`. NaN for parameters on the boundary.
        """
        return standard_errors.of_variances(self)

    @cached_property
    def group_sizes(self) -> NDArray[np.int64]:
        """Numbers of rows of the groups."""
        return self.model.groups_of_rows.sizes.copy()

    @property
    def df_modelwc(self) -> int:
        """Number of parameters in `params`."""
        return self.params.size

    @property
    def _df_criterion(self) -> float:
        """Number of parameters that were estimated, with the residual variance."""
        if self.freepat is None:
            return self.params.size + 1
        return float(self.freepat.get_packed(use_sqrt=False, has_fe=True).sum()) + 1

    @cached_property
    def aic(self) -> float:
        """Akaike's criterion; NaN for a fit by REML, which does not compare fixed effects."""
        return np.nan if self.reml else -2.0 * (self.llf - self._df_criterion)

    @cached_property
    def bic(self) -> float:
        """Schwarz's criterion; NaN for a fit by REML."""
        return np.nan if self.reml else -2.0 * self.llf + np.log(self.nobs) * self._df_criterion

    @cached_property
    def random_effects(self) -> dict[Any, pd.Series]:
        """
        Conditional means of the random effects: a Series for each group, also where variances are zero.

        Levels of a categorical component without rows in a group have zeros.
        """
        found = at_fit.modes(self.model, with_data(self, "random_effects"), self._layout)
        series = effects.with_unused_levels(self.model)
        return {label: series(label, own) for label, own in found.items()}

    @cached_property
    def random_effects_cov(self) -> dict[Any, pd.DataFrame]:
        """
        Conditional covariance matrices of the random effects: a DataFrame for each group.

        Levels of a categorical component without rows in a group are left out: given the estimates, their
        effects are independent of the others with the variance of the component.
        """
        with_data(self, "random_effects_cov")
        found = effects.conditional_covariances(self.model, self.params_object, self.scale)
        names = effects.effect_names(self.model)
        return {
            label: pd.DataFrame(cov, index=names(label), columns=names(label)) for label, cov in found.items()
        }

    @cached_property
    def fittedvalues(self) -> Array:
        """Means given the random effects, shape (n,); `predict` leaves the random effects out."""
        return np.array(with_data(self, "fittedvalues").linear_predictor)

    @cached_property
    def resid(self) -> Array:
        """Response minus `fittedvalues`, shape (n,)."""
        return self.model.endog - self.fittedvalues

    def remove_data(self) -> None:
        """
        Drop all arrays with one entry for each row, from the results and their model.

        Estimates, standard errors, tests of them and `summary` stay; so do random effects that were asked for
        before. Predictions need new data then.
        """
        kept = self.llf, self.bse, self.bse_re, self.group_sizes
        assert all(value is not None for value in kept)
        super().remove_data()
        for name in ("fittedvalues", "resid", "joint"):
            self.__dict__.pop(name, None)
        for owner in (self.model, self.model.data):
            for name in _OF_ROWS.intersection(vars(owner)):
                setattr(owner, name, None)
        self._fitted = None

    def summary(
        self,
        yname: str | None = None,
        xname_fe: list[str] | None = None,
        xname_re: list[str] | None = None,
        title: str | None = None,
        alpha: float = 0.05,
    ) -> Any:
        """
        The estimates as tables.

        Parameters
        ----------
        yname : str, optional
            Name of the response.
        xname_fe, xname_re : list of str, optional
            Names of the k_fe fixed effects, and of the k_re2 + k_vc variance parameters.
        title : str, optional
        alpha : float, default 0.05
            One minus the confidence level.

        Returns
        -------
        Summary
            statsmodels' own, with ``as_text()``, ``as_html()`` and ``as_latex()``. Variances are in the units
            of `cov_re`, and so are their standard errors, see `bse_re`.
        """
        return summary(self, yname, xname_fe, xname_re, title, alpha)

    def profile_re(
        self,
        re_ix: Any,
        vtype: str,
        num_low: int = 5,
        dist_low: float = 1.0,
        num_high: int = 5,
        dist_high: float = 1.0,
        **fit_kwargs: Any,
    ) -> Array:
        """
        Profile likelihood of a variance.

        Parameters
        ----------
        re_ix : int or str
            For "re" the position of the random effect, for "vc" the name of the variance component.
        vtype : {"re", "vc"}
        num_low, num_high : int, default 5
            Numbers of values below and above the estimate.
        dist_low, dist_high : float, default 1.0
            How far below and above the estimate the values reach, in the units of the variance.
        **fit_kwargs
            Taken, and not needed: the engine finds each optimum.

        Returns
        -------
        ndarray, shape (num_low + num_high + 1, 2)
            Values of the variance, and the largest log-likelihood with the variance held there. statsmodels
            holds the ratio to the residual variance instead, so its curve is another one.

        Raises
        ------
        ValueError
            For another `vtype`, no such parameter, and values of zero or less.
        """
        return profile_re(self, re_ix, vtype, (num_low, dist_low), (num_high, dist_high))

    def bootstrap(
        self, nrep: int = 100, method: str = "nm", disp: int = 0, store: int = 1, rng: Any = None
    ) -> tuple[Array, Array, Array]:
        """
        Parametric bootstrap of `params`.

        Parameters
        ----------
        nrep : int, default 100
            Number of replicates.
        method, disp : optional
            Taken for the sake of statsmodels' signature; the engine refits.
        store : bool, default True
            Whether to keep the replicates as ``bootstrap_results``.
        rng : int or Generator, optional

        Returns
        -------
        tuple of ndarray
            Means (p,), standard deviations (p,), and the replicates (nrep, p).
            ``to_mixedmodels().bootstrap()`` has intervals, plots and other kinds of resampling.
        """
        found = _bootstrap.replicates(self, nrep, rng)
        if store:
            self.bootstrap_results = found
        with warnings.catch_warnings():
            # Coefficients of dropped columns are NaN in all replicates.
            warnings.simplefilter("ignore", RuntimeWarning)
            return np.nanmean(found, axis=0), np.nanstd(found, axis=0), found

    def to_mixedmodels(self, *, arrays: bool = False) -> Any:
        """
        The same model as a `LinearMixedModel`: marginal means, Kenward-Roger tests, plots, simulation.

        A model from a formula becomes one with lme4's formula wherever that has the same meaning, so that
        factors keep their levels; its log-likelihood is checked. Other models are made from their arrays.

        Parameters
        ----------
        arrays : bool, default False
            Make the model from its arrays, even where there is a formula, and without a warning.

        Returns
        -------
        LinearMixedModel

        Raises
        ------
        ArgumentError
            For a penalised fit, and one that holds parameters: no other model has its estimates.

        Warns
        -----
        FormulaWarning
            When a model from a formula is made from its arrays, with the reason.
        """
        from .bridge import to_mixedmodels

        return to_mixedmodels(self, arrays=arrays)


def _in_order(model: Any) -> Layout:
    blocks = [Block(tuple(range(model.k_re)))] if model.k_re else []
    blocks += [Block((), component) for component in range(model.k_vc)]
    return [(block, t) for t, block in enumerate(blocks)]
