"""The linear mixed model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from ..design import ArrayTerm, model_of_arrays
from ..fit.arguments import FitArguments, check_formula_first, check_reml
from ..fit.changes import prepared
from ..fit.fixed import check_fixed
from ..fit.update import snapshot
from ..not_here import FIT_ARGUMENTS
from ..public import public_except
from .arguments import Contrasts, Data, Functions, NaAction, Rows
from .base import MixedModel
from .unfitted import UnfittedModel


class LinearMixedModel(MixedModel):
    """
    A fitted linear mixed model, made by :func:`mixedmodels.lmer`.

    It is immutable: `refit` and `update` return new models. It can be pickled, copied and shared between
    threads. (Never unpickle untrusted files.) ``LinearMixedModel.from_formula(...)`` and
    ``LinearMixedModel.from_arrays(...)`` make models that are not fitted yet.
    """

    __slots__ = ()

    @property
    def REML(self) -> bool:
        """Whether the model was fitted by REML."""
        return self._fitted.restricted

    @staticmethod
    @public_except(FIT_ARGUMENTS)
    def from_formula(
        formula: str,
        data: Data,
        REML: bool = True,
        *,
        weights: Rows | None = None,
        offset: Rows | None = None,
        contrasts: Contrasts | None = None,
        na_action: NaAction = "omit",
        subset: Rows | None = None,
        functions: Functions | None = None,
        fixed: Mapping[Any, Any] | None = None,
    ) -> UnfittedModel[LinearMixedModel]:
        """
        A linear mixed model that is not fitted yet, from a formula and a data frame.

        Parameters
        ----------
        formula : str
            lme4-style, such as ``"Reaction ~ Days + (Days | Subject)"``.
        data : data frame
            n rows.
        REML : bool, default True
            Whether the criterion is that of REML (True) or -2 log-likelihood (False).
        weights, offset, contrasts : as for `lmer`, optional
            A column or values for the rows; coding of factors.
        na_action : {"omit", "exclude", "fail"}, default "omit"
            What to do with rows that have missing values.
        subset, functions, fixed : as for `lmer`, optional
            Rows to use; your own functions for the formula; parameters to hold.

        Returns
        -------
        UnfittedModel

        Raises
        ------
        FormulaError, DataError, ArgumentError
            As for :func:`mixedmodels.lmer`.

        Examples
        --------
        >>> from mixedmodels import LinearMixedModel, load_sleepstudy
        >>> m = LinearMixedModel.from_formula("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.theta_names
        ('Subject.(Intercept)', 'Subject.Days.(Intercept)', 'Subject.Days')
        """
        check_formula_first("from_formula", formula, data)
        arguments = FitArguments(
            formula=formula,
            data=data,
            reml=check_reml(REML),
            weights=snapshot(weights),
            offset=snapshot(offset),
            contrasts=snapshot(contrasts),
            na_action=na_action,
            subset=snapshot(subset),
            functions=snapshot(functions),
            fixed=check_fixed(fixed),
        )
        return UnfittedModel(prepared(arguments), LinearMixedModel)

    @staticmethod
    @public_except(FIT_ARGUMENTS)
    def from_arrays(
        y: ArrayLike,
        X: ArrayLike | Data,
        terms: ArrayTerm | Sequence[ArrayTerm],
        REML: bool = True,
        *,
        names: Sequence[str] | None = None,
        response: str | None = None,
        weights: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        na_action: NaAction = "omit",
        subset: ArrayLike | None = None,
        fixed: Mapping[Any, Any] | None = None,
    ) -> UnfittedModel[LinearMixedModel]:
        """
        A linear mixed model that is not fitted yet, from arrays.

        Parameters
        ----------
        y : array-like of shape (n,)
            The response.
        X : array-like of shape (n, p), or data frame of numbers
            The fixed-effects model matrix. A first column of ones is the intercept.
        terms : ArrayTerm or sequence of ArrayTerm
            The random effects.
        REML : bool, default True
            Whether the criterion is that of REML (True) or -2 log-likelihood (False).
        names : sequence of str, optional
            Names of the columns of `X`; by default those of a data frame, otherwise ``x1``, ``x2``, ...
        response : str, optional
            Name of the response; by default that of a Series, otherwise ``"y"``.
        weights, offset : array-like of shape (n,), optional
            As for :func:`mixedmodels.lmer`.
        na_action : {"omit", "exclude", "fail"}, default "omit"
            What to do with rows that have missing values.
        subset : array-like of bool of shape (n,), optional
            Rows to use.
        fixed : mapping, optional
            Parameters to hold, as for :func:`mixedmodels.lmer`.

        Returns
        -------
        UnfittedModel
            The model fitted from it takes data frames with the same column names as new data.

        Raises
        ------
        DataError, ArgumentError
            Naming the array or argument at fault.

        Examples
        --------
        >>> import numpy as np
        >>> from mixedmodels import ArrayTerm, LinearMixedModel, load_sleepstudy
        >>> data = load_sleepstudy()
        >>> X = np.column_stack([np.ones(len(data)), data["Days"]])
        >>> term = ArrayTerm(data["Subject"].to_numpy(), X, group="Subject")
        >>> m = LinearMixedModel.from_arrays(data["Reaction"].to_numpy(), X, term, names=["const", "Days"])
        >>> m.formula
        'y ~ 1 + Days + (1 + Days | Subject)'
        >>> round(m.fit().objective, 4)
        1743.6283
        """
        model = model_of_arrays(y, X, terms, names, response)
        arguments = FitArguments(
            formula=model.formula,
            data=model.data,
            reml=check_reml(REML),
            weights=snapshot(weights),
            offset=snapshot(offset),
            na_action=na_action,
            subset=snapshot(subset),
            fixed=check_fixed(fixed),
            of_arrays=True,
        )
        return UnfittedModel(prepared(arguments), LinearMixedModel)
