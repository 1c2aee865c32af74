"""Covariances of estimates, and tests of linear hypotheses."""

from __future__ import annotations

from typing import Any

import numpy as np
from statsmodels.base.model import LikelihoodModelResults
from statsmodels.stats.contrast import ContrastResults
from statsmodels.tools.sm_exceptions import ValueWarning

from .constraints import check_alpha, of_fixed_effects, padded, tested_rows
from .environment import warn
from .pairwise import pairwise_tests


class HypothesisTests(LikelihoodModelResults):
    """What results of a mixed model do otherwise than statsmodels' results in general."""

    def cov_params(
        self,
        r_matrix: Any = None,
        column: Any = None,
        scale: Any = None,
        cov_p: Any = None,
        other: Any = None,
    ) -> Any:
        """
        Covariance matrix of `params` or of linear functions of them.

        Parameters
        ----------
        r_matrix : array-like, optional
            Coefficients of linear functions in rows: of all parameters, or of the fixed effects.
        column : int or array-like, optional
            The parameters wanted, by position; without `r_matrix`.
        scale : float, optional
            In place of the residual variance.
        cov_p : ndarray, shape (p, p), optional
            In place of the covariance matrix of the estimates.
        other : array-like, optional
            Other functions: the covariances of those of `r_matrix` with them.

        Returns
        -------
        ndarray
            NaN only for functions of parameters that have no standard error, such as a variance at zero.
        """
        if r_matrix is None:
            return super().cov_params(column=column, scale=scale, cov_p=cov_p, other=other)
        whole = np.asarray(super().cov_params(column=column, scale=scale, cov_p=cov_p))
        left = _functions(self, r_matrix, "r_matrix")
        right = left if other is None else _functions(self, other, "other")
        unknown = np.isnan(np.diag(whole))
        known = np.where(unknown[:, None] | unknown, 0.0, whole)
        result = left @ known @ right.T
        bad = np.any(left[..., unknown], axis=-1)[..., None] | np.any(right[..., unknown], axis=-1)
        return np.where(bad.reshape(np.shape(result)), np.nan, result)

    def conf_int(self, alpha: float = 0.05) -> Any:
        """
        Wald intervals of `params`.

        Parameters
        ----------
        alpha : float, default 0.05
            One minus the confidence level.

        Returns
        -------
        ndarray or DataFrame, shape (p, 2)

        Raises
        ------
        ValueError
            When `alpha` is not between 0 and 1.
        """
        return super().conf_int(alpha=check_alpha(alpha))

    def t_test(self, r_matrix: Any, use_t: bool | None = None) -> Any:
        """
        Test each of several linear hypotheses about the fixed effects.

        Parameters
        ----------
        r_matrix : array-like, str or tuple
            Coefficients, shape (k_fe,) or (rows, k_fe); a text such as ``"Time = 7, Age = Sex"``; or
            coefficients and values.
        use_t : bool, optional
            Whether p-values come from the t distribution with `df_resid` degrees of freedom; by default
            `use_t` of the results, from the normal distribution. ``to_mixedmodels()`` has Satterthwaite's and
            Kenward-Roger's degrees of freedom.

        Returns
        -------
        ContrastResults

        Raises
        ------
        ValueError
            For another number of columns.
        """
        return super().t_test(of_fixed_effects(self, r_matrix), use_t=use_t)

    def wald_test(
        self,
        r_matrix: Any,
        cov_p: Any = None,
        invcov: Any = None,
        use_f: bool | None = None,
        df_constraints: Any = None,
        scalar: bool = True,
    ) -> Any:
        """
        Test several linear hypotheses jointly.

        Parameters
        ----------
        r_matrix : array-like, str or tuple
            As for `t_test`; arrays may also have a column for each entry of `params`.
        cov_p, invcov : ndarray, optional
            Covariance matrix of `params` in place of the estimated one, and its inverse.
        use_f : bool, optional
            F with `df_resid` degrees of freedom, or χ²; by default χ² unless `use_t`.
        df_constraints : int, optional
            Number of constraints, where it is not the rank.
        scalar : bool, default True
            Whether the statistic is a number instead of an array of shape (1, 1).

        Returns
        -------
        ContrastResults
            Hypotheses about coefficients of dropped columns, which have no standard error, are left out, with
            a warning; without others the statistic is NaN with 0 degrees of freedom.

        Raises
        ------
        ValueError
            For hypotheses about variances without a standard error, such as those of zero.
        """
        constraint = padded(self, r_matrix)
        if cov_p is None and invcov is None:
            constraint, left_out = tested_rows(self, constraint)
            if left_out:
                what = "hypothesis" if left_out == 1 else "hypotheses"
                if not len(constraint[0]):
                    return _no_test(self, self.use_t if use_f is None else use_f, scalar)
                warn(
                    f"{left_out} {what} about columns that depend on others left out of a joint test",
                    ValueWarning,
                )
        return super().wald_test(
            constraint,
            cov_p=cov_p,
            invcov=invcov,
            use_f=use_f,
            df_constraints=df_constraints,
            scalar=scalar,
        )

    def t_test_pairwise(
        self, term_name: str, method: str = "hs", alpha: float = 0.05, factor_labels: Any = None
    ) -> Any:
        """
        Compare the levels of a factor in pairs, with p-values adjusted for their number.

        Parameters
        ----------
        term_name : str
            Main effect of a factor, as the formula has it.
        method : str or list of str, default "hs"
            Adjustments, of statsmodels' `multipletests`.
        alpha : float, default 0.05
            Level of the adjusted tests.
        factor_labels : list of str, optional
            Labels of the levels.

        Returns
        -------
        MultiCompResult
            With ``result_frame``.
        """
        return pairwise_tests(self, term_name, method, alpha, factor_labels)


def _no_test(results: Any, use_f: bool, scalar: bool) -> Any:
    """A joint test of no hypotheses."""
    nothing = np.nan if scalar else np.full((1, 1), np.nan)
    if use_f:
        return ContrastResults(F=nothing, df_denom=results.df_resid, df_num=0)
    return ContrastResults(chi2=nothing, df_denom=0, statistic=nothing, distribution="chi2", distargs=(0,))


def _functions(results: Any, given: Any, name: str) -> Any:
    """Coefficients of linear functions of all parameters, shape (p,) or (rows, p)."""
    own = np.asarray(given, dtype=float)
    if own.ndim not in (1, 2):
        raise ValueError(f"{name} should be 1d or 2d")
    whole = padded(results, own)
    return whole[0] if own.ndim == 1 else whole
