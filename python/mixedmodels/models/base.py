"""What all fitted models have in common: a `FittedModel` with its functions as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .. import not_here
from ..checks import one_of, positive_number
from ..design.used_rows import whole_frame
from ..errors import ArgumentError
from ..fit.block_costs import BlockDescription, describe_engine
from ..fit.endpoint.certificate import TOLERANCE as CONVERGENCE_TOLERANCE
from ..fit.endpoint.singularity import TOLERANCE as SINGULAR_TOLERANCE
from ..fit.endpoint.singularity import singular_terms
from ..fit.record import Convergence
from ..fit.state import FittedModel
from ..frame.kept import held
from ..inference.basis.choice import DDF_SYNONYMS
from ..inference.basis.degrees_of_freedom import DDF_NAMES
from ..inference.estimates import convergence as _convergence
from ..inference.estimates import criteria, fixed_effects, random_effects
from ..inference.hypotheses import statsmodels_names
from ..inference.hypotheses.anova_table import AnovaTable
from ..inference.hypotheses.drop1 import drop_terms
from ..inference.hypotheses.linear_hypothesis import joint_test, single_tests
from ..inference.hypotheses.wald import confidence_intervals
from ..inference.likelihood.ranova import random_term_table
from ..means.estimates import Emmeans
from ..means.functions import emmeans
from ..means.trends import emtrends
from ..render.numbers import DIGITS, PStyle
from ..render.result_table import ResultTable
from ..report.model import describe, model_matrix
from ..report.summary import Summary, summarize
from ..report.varcorr import VarCorr, var_corr
from . import components


def wald_with(method: Any, ddf: Any) -> tuple[Any, Any]:
    """The arguments of ``confint``, where the name of a method for degrees of freedom is short for Wald's."""
    if not isinstance(method, str):
        one_of("confint: method", method, ("wald", *DDF_NAMES))
    name = method.lower()
    if name in DDF_SYNONYMS or name in DDF_NAMES:
        if ddf is not None:
            raise ArgumentError(f"confint: method={method!r} chooses the degrees of freedom; leave out ddf=")
        return "wald", name
    if name != "wald":
        not_here.refuse_not_here(not_here.CONFINT_METHODS, name, f"confint(method={method!r})")
        one_of("confint: method", name, ("wald", *DDF_NAMES))
    return "wald", ddf


class MixedModel:
    """
    A fitted model: estimates, criteria and reports.

    It is immutable, and what a method returns is a copy or closed to writing. It can be pickled,
    copied and shared between threads. (Never unpickle untrusted files.)
    """

    __slots__ = ("__weakref__", "_fitted")
    _fitted: Any

    def __init__(self, fitted: FittedModel) -> None:
        object.__setattr__(self, "_fitted", fitted)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"a fitted model is immutable: cannot set {name!r}; update() and refit() make new ones"
        )

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a fitted model is immutable: cannot delete {name!r}")

    if not TYPE_CHECKING:
        # A type checker would take every attribute for one of these.
        def __getattr__(self, name: str) -> NoReturn:
            hint = "" if name.startswith("_") else not_here.hint(name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._fitted,)

    def __copy__(self) -> MixedModel:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> MixedModel:
        # Nothing in it can change, so that the copy may be the model itself.
        return self

    def __repr__(self) -> str:
        return describe(self._fitted)

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    # Numbers and vectors

    @property
    def formula(self) -> str:
        """The formula, in canonical spelling."""
        return self._fitted.design.formula.text

    @property
    def theta(self) -> NDArray[np.float64]:
        """Covariance parameters, shape (n_theta,): column-wise lower triangles of the relative factors."""
        return self._fitted.estimates.theta

    @property
    def beta(self) -> NDArray[np.float64]:
        """Fixed-effects coefficients, shape (p,); NaN for dropped columns."""
        return self._fitted.estimates.beta

    @property
    def objective(self) -> float:
        """What was minimised: REML criterion, or -2 log-likelihood."""
        return self._fitted.estimates.objective

    @property
    def nobs(self) -> int:
        """Number of observations used."""
        return self._fitted.n_obs

    @property
    def ngrps(self) -> dict[str, int]:
        """Number of levels of each grouping factor."""
        return random_effects.numbers_of_levels(self._fitted)

    @property
    def df(self) -> int:
        """Number of estimated parameters: rank of X, covariance parameters, dispersion."""
        return self._fitted.n_parameters

    @property
    def df_residual(self) -> int:
        """Observations minus parameters."""
        return self._fitted.n_obs - self._fitted.n_parameters

    @property
    def rank(self) -> int:
        """Rank of the fixed-effects model matrix."""
        return self._fitted.rank

    @property
    def dropped_columns(self) -> tuple[str, ...]:
        """Columns of the fixed-effects model matrix that earlier ones determine."""
        return fixed_effects.dropped_columns(self._fitted)

    @property
    def convergence(self) -> Convergence:
        """How the optimisation ended, with its log and the gradient at the end."""
        return self._fitted.convergence

    @property
    def model_matrix(self) -> pd.DataFrame:
        """Fixed-effects model matrix, shape (n, p), with names and row labels; a copy."""
        return model_matrix(self._fitted)

    @property
    def data(self) -> Any:
        """
        The data of the fit: the data frame given, as long as the model has it at hand. After unpickling, and
        for data read from a file, a query or a stream, a pandas data frame of the columns used; a copy.
        """
        frame = self._fitted.arguments.data
        return whole_frame(frame) if frame.original is None else held(frame.original)

    # Estimates

    def fixef(self, add_dropped: bool = True) -> pd.Series:
        """
        Fixed-effects coefficients by name.

        Parameters
        ----------
        add_dropped : bool
            Include the columns dropped as linearly dependent, as NaN.

        Returns
        -------
        Series, shape (p,)

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).fixef().round(3).to_dict()
        {'(Intercept)': 251.405, 'Days': 10.467}
        """
        return fixed_effects.fixed_effects(self._fitted, add_dropped)

    def ranef(self, condVar: bool = False) -> random_effects.RandomEffects:
        """
        Conditional modes of the random effects.

        Parameters
        ----------
        condVar : bool
            Compute the conditional covariance matrices too: attribute ``condvar`` of the result.

        Returns
        -------
        RandomEffects
            Mapping from grouping factor to a data frame of levels by effects; ``to_frame()`` is long.

        Warnings
        --------
        Conditional variances take the estimated coefficients and variances as known, and are zero where a
        variance is estimated as zero. In small samples an effect ± 1.96 conditional standard deviations
        covers the true one less often than in 95 % of cases: in simulations of five to ten groups with two
        to five rows in 54 to 86 %, of 50 groups with ten rows in 92 to 94 %.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> m = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff())
        >>> m.ranef()["Batch"].shape
        (6, 1)
        """
        return random_effects.random_effects(self._fitted, random_effects.check_condvar(condVar))

    def coef(self) -> dict[str, pd.DataFrame]:
        """
        Coefficients of each level: fixed plus random effects.

        Returns
        -------
        dict
            Grouping factor to data frame of levels by coefficients. A random effect without fixed
            counterpart has a column of its own.
        """
        return random_effects.group_coefficients(self._fitted)

    def VarCorr(self) -> VarCorr:
        """
        Standard deviations and correlations of the random effects.

        Returns
        -------
        VarCorr
            Mapping from grouping factor to ``group, names, sd, corr, cov``; prints as a table,
            ``to_frame()`` has the columns of R's.
        """
        return var_corr(self._fitted)

    def confint(
        self, level: float = 0.95, method: Any = "wald", *, ddf: Any = None, vcov: Any = None
    ) -> ResultTable:
        """
        Confidence limits of the coefficients: estimate ± quantile times standard error.

        Parameters
        ----------
        level : float
        method : {"wald"}
            The name of a method for degrees of freedom is short for "wald" with that `ddf`.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom of the t quantiles; by default Satterthwaite's, as in `summary`, for a
            generalized model "inf": normal quantiles, which R's ``confint(m, method = "Wald")`` takes for
            every model.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix (and degrees of freedom) of choice, see :func:`mixedmodels.vcov_cluster`.

        Returns
        -------
        ResultTable
            A data frame with two columns named by their percentages; ``notes`` say where the quantiles come
            from. The rows of variance parameters, which such intervals do not suit, are NaN. The row of the
            scale is named ``sigma``, that of another parameter of a family by what it is: ``size``,
            ``dispersion``, ``precision``.

        Raises
        ------
        ArgumentError
            For an unknown method, or one that contradicts `ddf`.
        NotAvailableError
            For "profile" and "boot".

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).confint().round(1)
                                 2.5 %  97.5 %
        sd_(Intercept)|Batch       NaN     NaN
        sigma                      NaN     NaN
        (Intercept)             1477.7  1577.3
        """
        method, ddf = wald_with(method, ddf)
        return confidence_intervals(self._fitted, level, method, ddf, vcov)

    def corr_fixef(self, complete: bool = True) -> pd.DataFrame:
        """Correlation matrix of the estimated fixed effects, shape (p, p). R: ``cov2cor(vcov(m))``."""
        return fixed_effects.correlation(self._fitted, complete)

    # Criteria

    def AIC(self) -> float:
        """Akaike's criterion, from the restricted likelihood for a REML fit."""
        return criteria.aic(self._fitted)

    def AICc(self) -> float:
        """Akaike's criterion corrected for small samples."""
        return criteria.aicc(self._fitted)

    def BIC(self) -> float:
        """Schwarz's criterion with the number of observations."""
        return criteria.bic(self._fitted)

    def describe_blocks(self) -> BlockDescription:
        """Kinds, sizes, memory and operations of the blocks, see :func:`mixedmodels.describe_blocks`."""
        return describe_engine(self._fitted.engine, self._fitted.design)

    def summary(
        self,
        correlation: bool | None = None,
        ddf: Any = None,
        vcov: Any = None,
        *,
        digits: int = DIGITS,
        p_style: PStyle = "exact",
    ) -> Summary:
        """
        The fit at a glance: text when printed, HTML in notebooks, numbers as attributes.

        Parameters
        ----------
        correlation : bool, optional
            Whether to show the correlations of the fixed effects; by default up to 12 of them.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom of the tests; by default Satterthwaite's, for a generalized model "inf".
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the tests, see :func:`mixedmodels.vcov_cluster`; by default the model's own.
        digits : int
            Significant digits of the smallest number in a column of estimates, from 1 to 15; every other
            number that is printed follows. The attributes of the result keep all digits.
        p_style : {"exact", "apa"}
            P-values to ``digits - 1`` significant digits, or as APA style writes them: ``.012``, ``< .001``.

        Returns
        -------
        Summary
            Also with ``to_latex()`` and ``to_markdown()``.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> print(str(m.summary(digits=3, p_style="apa")).split("Fixed effects:")[1].split(" t tests")[0])
        <BLANKLINE>
                      Estimate  Std. Error    df  t value  Pr(>|t|)
         (Intercept)     251.4        6.82  17.0    36.84    < .001
         Days             10.5        1.55  17.0     6.77    < .001
        <BLANKLINE>
        """
        return summarize(self._fitted, correlation, ddf, vcov, digits, p_style)

    # The names that users of statsmodels know

    @property
    def params(self) -> pd.Series:
        """Coefficients by name, as `fixef`."""
        return fixed_effects.fixed_effects(self._fitted)

    @property
    def bse(self) -> pd.Series:
        """Standard errors of the coefficients by name."""
        return fixed_effects.standard_errors(self._fitted)

    @property
    def tvalues(self) -> pd.Series:
        """Coefficients over their standard errors, by name."""
        return statsmodels_names.t_values(self._fitted)

    @property
    def pvalues(self) -> pd.Series:
        """P-values of the coefficients: Satterthwaite's t tests, for a generalized model z tests."""
        return statsmodels_names.p_values(self._fitted)

    def cov_params(self) -> pd.DataFrame:
        """Covariance matrix of the coefficients, shape (p, p), as `vcov`."""
        return fixed_effects.covariance(self._fitted)

    def conf_int(self, alpha: float = 0.05, ddf: Any = None, vcov: Any = None) -> pd.DataFrame:
        """
        Confidence limits of the coefficients, shape (p, 2), in columns 0 and 1.

        Parameters
        ----------
        alpha : float
            One minus the confidence level.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom of the t quantiles; by default Satterthwaite's, for a generalized model "inf".
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            By default the model's own covariance matrix.
        """
        return statsmodels_names.interval(self._fitted, alpha, ddf, vcov)

    # Tests

    def drop1(self, test: Any = "Chisq", ddf: Any = None, vcov: Any = None) -> AnovaTable:
        """Test each term that can be left out by itself, see :func:`mixedmodels.drop1`."""
        return drop_terms(self._fitted, test, ddf, vcov)

    def emmeans(self, specs: Any, by: Any = None, **options: Any) -> Emmeans:
        """Estimated marginal means, see :func:`mixedmodels.emmeans`."""
        return emmeans(self._fitted, specs, by, **options)

    def emtrends(self, specs: Any, var: str, by: Any = None, **options: Any) -> Emmeans:
        """Estimated marginal means of slopes, see :func:`mixedmodels.emtrends`."""
        return emtrends(self._fitted, specs, var, by, **options)

    def linear_hypothesis(
        self, hypotheses: Any, rhs: Any = None, ddf: Any = None, vcov: Any = None
    ) -> AnovaTable:
        """Test linear hypotheses jointly, see :func:`mixedmodels.linear_hypothesis`."""
        return joint_test(self._fitted, hypotheses, rhs, ddf, vcov)

    def ranova(self) -> AnovaTable:
        """Test the random-effects terms one at a time, see :func:`mixedmodels.ranova`."""
        return random_term_table(self._fitted)

    def t_test(self, hypotheses: Any, rhs: Any = None, ddf: Any = None, vcov: Any = None) -> AnovaTable:
        """Test linear hypotheses one by one, see :func:`mixedmodels.t_test`."""
        return single_tests(self._fitted, hypotheses, rhs, ddf, vcov)

    def is_singular(self, tol: float = SINGULAR_TOLERANCE) -> bool:
        """
        Whether some covariance matrix of random effects is singular.

        Parameters
        ----------
        tol : float
            Least standard deviation, relative to sigma and on the scale of the response (for a
            generalized model as it is, on the linear predictor), in any direction of the random effects
            of a term that counts as positive.
        """
        fit, tol = self._fitted, positive_number("tol", tol)
        return bool(singular_terms(fit.design, fit.estimates.theta, fit.term_roots, tol))

    def checkConv(self, tol: float = CONVERGENCE_TOLERANCE) -> _convergence.ConvergenceCheck:
        """Judge the fit by exact gradient and Hessian, see :func:`mixedmodels.checkConv`."""
        return _convergence.check_convergence(self._fitted, tol)

    def getME(self, name: Any) -> Any:
        """
        A piece of the model by the name that lme4 gives it.

        Parameters
        ----------
        name : str or list of str
            Such as ``"X"``, ``"Zt"`` (scipy sparse), ``"Lambda"``, ``"theta"``, ``"devcomp"``; ``"ALL"`` for
            a dict of all. An unknown name is an error that lists them.
        """
        return components.get_component(self._fitted, name)
