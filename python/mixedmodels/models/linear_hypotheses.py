"""Tests of coefficients and of linear hypotheses."""

from __future__ import annotations

from typing import Any

from ..inference.hypotheses.coefficient_tests import coefficient_table
from ..inference.hypotheses.linear_hypothesis import joint_test, single_tests, wald_test
from ..public import public
from ..render.anova_table import AnovaTable
from .arguments import DdfName, Hypotheses, Vcov
from .holder import Holder


class LinearHypotheses(Holder):
    """Tests of functions of the coefficients, one at a time or jointly."""

    __slots__ = ()

    @public
    def coef_test(self, ddf: DdfName | None = None, vcov: Vcov | None = None) -> AnovaTable:
        """
        Test every coefficient, with a covariance matrix of your choice.

        Parameters
        ----------
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom for the model's own matrix; for a given matrix "residual" or "inf" (the
            default).
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the coefficients: from `vcov_cluster`, with its degrees of freedom, or a
            matrix, which goes with normal and χ² distributions unless ``ddf="residual"``; by default the
            model's own.

        Returns
        -------
        AnovaTable
            A row for each coefficient, with columns Estimate, Std. Error, df, t value, Pr(>|t|), or for
            infinite degrees of freedom Estimate, Std. Error, z value, Pr(>|z|).

        Raises
        ------
        ArgumentError
            When `vcov` belongs to another model or contradicts `ddf`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
        >>> m.coef_test(vcov=m.vcov_cluster()).round(3)
                     Estimate  Std. Error    df  t value  Pr(>|t|)
        (Intercept)   251.405       6.825  17.0   36.838       0.0
        Days           10.467       1.546  17.0    6.771       0.0
        """
        return coefficient_table(self._fitted, ddf=ddf, vcov=vcov)

    @public
    def linear_hypothesis(
        self,
        hypotheses: Hypotheses,
        rhs: Any = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> AnovaTable:
        """
        Test linear hypotheses Lβ = rhs jointly.

        Parameters
        ----------
        hypotheses : str, sequence of str, mapping of str to float, or array-like of shape (m, p) or (p,)
            Texts such as ``"Days = 10"`` or ``"2*a - b = 0"`` (R's ``period2`` for ``period[T.2]`` is
            understood), weights of coefficients by name, or the matrix L. Names are those of the summary; L
            multiplies all columns of the model matrix, dropped ones included. The columns of a data frame and
            the index of a Series are names of coefficients, unless they are 0, 1, 2, ...
        rhs : float or array-like of shape (m,), optional
            With a matrix or weights: the value of Lβ under the hypothesis, zero by default.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Denominator degrees of freedom; by default Satterthwaite's, for a generalized model "inf".
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the coefficients: from `vcov_cluster`, with its degrees of freedom, or a
            matrix, which goes with normal and χ² distributions unless ``ddf="residual"``; by default the
            model's own.

        Returns
        -------
        AnovaTable
            One row with columns F value, NumDF, DenDF, Pr(>F), or Chisq, Df, Pr(>Chisq).

        Raises
        ------
        ArgumentError
            For unknown names, names of dropped coefficients, and hypotheses that contradict each other.

        Warns
        -----
        EstimabilityWarning
            For rows of L that the data do not determine, such as the mean of an empty cell: NaN.

        Examples
        --------
        >>> from mixedmodels import lmer, load_machines
        >>> m = lmer("score ~ Machine + (1 | Worker/Machine)", load_machines())
        >>> m.linear_hypothesis(["MachineB = MachineC", "MachineB = 5"]).round(3)
                    F value  NumDF  DenDF  Pr(>F)
        hypothesis    8.701      2   10.0   0.006
        """
        return joint_test(self._fitted, hypotheses, rhs, ddf=ddf, vcov=vcov)

    @public
    def t_test(
        self,
        hypotheses: Hypotheses,
        rhs: Any = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> AnovaTable:
        """
        Test linear hypotheses one at a time.

        Parameters
        ----------
        hypotheses, rhs, ddf, vcov : as for `linear_hypothesis`
            As for `linear_hypothesis`.

        Returns
        -------
        AnovaTable
            A row for each hypothesis, with columns Estimate, Std. Error, df, t value, Pr(>|t|), or for
            infinite degrees of freedom Estimate, Std. Error, z value, Pr(>|z|).

        Raises
        ------
        ArgumentError
            As for `linear_hypothesis`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.t_test("Days = 10").round(3)
                   Estimate  Std. Error    df  t value  Pr(>|t|)
        Days = 10    10.467       1.546  17.0    0.302     0.766
        """
        return single_tests(self._fitted, hypotheses, rhs, ddf=ddf, vcov=vcov)

    @public
    def f_test(
        self,
        hypotheses: Hypotheses,
        rhs: Any = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> AnovaTable:
        """
        Test linear hypotheses jointly: statsmodels' name for `linear_hypothesis`.

        Parameters
        ----------
        hypotheses, rhs, ddf, vcov : as for `linear_hypothesis`
            As for `linear_hypothesis`.

        Returns
        -------
        AnovaTable

        Raises
        ------
        ArgumentError
            As for `linear_hypothesis`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.f_test("Days = 0").round(3)
                    F value  NumDF  DenDF  Pr(>F)
        hypothesis   45.853      1   17.0     0.0
        """
        return joint_test(self._fitted, hypotheses, rhs, ddf=ddf, vcov=vcov)

    @public
    def wald_test(self, hypotheses: Hypotheses, rhs: Any = None, *, vcov: Vcov | None = None) -> AnovaTable:
        """
        Wald χ² test of linear hypotheses, jointly and for large samples.

        Parameters
        ----------
        hypotheses, rhs : as for `linear_hypothesis`
            As for `linear_hypothesis`.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the coefficients; by default the model's own.

        Returns
        -------
        AnovaTable
            One row with columns Chisq, Df, Pr(>Chisq).

        Raises
        ------
        ArgumentError
            As for `linear_hypothesis`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.wald_test("Days = 0").round(3)
                     Chisq  Df  Pr(>Chisq)
        hypothesis  45.853   1         0.0
        """
        return wald_test(self._fitted, hypotheses, rhs, vcov=vcov)
