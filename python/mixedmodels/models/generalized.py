"""The generalized linear mixed model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from numpy.typing import ArrayLike

from ..design import ArrayTerm, model_of_arrays
from ..errors import ArgumentError
from ..families import Family, Gaussian, as_family
from ..fit.arguments import (
    GeneralizedArguments,
    check_formula_first,
    check_information,
    check_n_agq,
    with_fixed_dispersion,
    with_size,
)
from ..fit.changes import prepared
from ..fit.fixed import check_fixed
from ..fit.update import snapshot
from ..not_here import GLMER_ARGUMENTS
from ..public import public_except
from .arguments import Contrasts, Data, Functions, NaAction, Rows
from .base import MixedModel
from .unfitted import UnfittedModel


class GeneralizedLinearMixedModel(MixedModel):
    """
    A fitted generalized linear mixed model, made by :func:`mixedmodels.glmer`.

    It is immutable: `refit` and `update` return new models. It can be pickled, copied and shared between
    threads. ``GeneralizedLinearMixedModel.from_formula(...)`` and ``.from_arrays(...)`` make models that are
    not fitted yet.
    """

    __slots__ = ()

    @property
    def nAGQ(self) -> int:
        """Number of quadrature points; 1 for the Laplace approximation."""
        return self._fitted.arguments.n_agq

    @property
    def information(self) -> Literal["observed", "expected"]:
        """Which information matrix weighs the rows in the Laplace approximation."""
        return self._fitted.arguments.information

    @staticmethod
    @public_except(GLMER_ARGUMENTS)
    def from_formula(
        formula: str,
        data: Data,
        family: str | Family | type[Family],
        link: str | None = None,
        nAGQ: int = 1,
        *,
        weights: Rows | None = None,
        offset: Rows | None = None,
        contrasts: Contrasts | None = None,
        na_action: NaAction = "omit",
        subset: Rows | None = None,
        functions: Functions | None = None,
        fixed: Mapping[Any, Any] | None = None,
        information: Literal["observed", "expected"] = "observed",
        nb_theta: float | None = None,
    ) -> UnfittedModel[GeneralizedLinearMixedModel]:
        """
        A generalized linear mixed model that is not fitted yet, from a formula and a data frame.

        Parameters
        ----------
        formula : str
            lme4-style, such as ``"y ~ x + (1 | g)"``.
        data : data frame
            n rows.
        family : str or Family
            See :mod:`mixedmodels.families`.
        link : str, optional
            By default the usual one of the family.
        nAGQ : int, default 1
            Number of quadrature points, see :func:`mixedmodels.glmer`.
        weights, offset, contrasts : as for `glmer`, optional
            A column or values for the rows; coding of factors.
        na_action : {"omit", "exclude", "fail"}, default "omit"
            What to do with rows that have missing values.
        subset, functions, fixed : as for `glmer`, optional
            Rows to use; your own functions for the formula; parameters to hold.
        information : {"observed", "expected"}, default "observed"
            Of the rows in the Laplace approximation.
        nb_theta : float, optional
            The size of the negative binomial family, held at this value.

        Returns
        -------
        UnfittedModel

        Raises
        ------
        FormulaError, DataError, ArgumentError
            As for :func:`mixedmodels.glmer`.

        Examples
        --------
        >>> from mixedmodels import GeneralizedLinearMixedModel, load_cbpp
        >>> formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
        >>> m = GeneralizedLinearMixedModel.from_formula(formula, load_cbpp(), "binomial")
        >>> m.theta_names
        ('herd.(Intercept)', '(Intercept)', 'period[T.2]', 'period[T.3]', 'period[T.4]')
        """
        check_formula_first("from_formula", formula, data)
        arguments = GeneralizedArguments(
            formula=formula,
            data=data,
            weights=snapshot(weights),
            offset=snapshot(offset),
            contrasts=snapshot(contrasts),
            na_action=na_action,
            subset=snapshot(subset),
            functions=snapshot(functions),
            **_family_arguments("from_formula", family, link, nAGQ, information, nb_theta, fixed),
        )
        return UnfittedModel(prepared(arguments), GeneralizedLinearMixedModel)

    @staticmethod
    @public_except(GLMER_ARGUMENTS)
    def from_arrays(
        y: ArrayLike,
        X: ArrayLike | Data,
        terms: ArrayTerm | Sequence[ArrayTerm],
        family: str | Family | type[Family],
        link: str | None = None,
        nAGQ: int = 1,
        *,
        names: Sequence[str] | None = None,
        response: str | None = None,
        weights: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        na_action: NaAction = "omit",
        subset: ArrayLike | None = None,
        fixed: Mapping[Any, Any] | None = None,
        information: Literal["observed", "expected"] = "observed",
        nb_theta: float | None = None,
    ) -> UnfittedModel[GeneralizedLinearMixedModel]:
        """
        A generalized linear mixed model that is not fitted yet, from arrays.

        Parameters
        ----------
        y : array-like of shape (n,) or (n, 2)
            The response. For the binomial family two columns are numbers of successes and of failures; one
            column is 0 and 1, two labels, or proportions of numbers of trials given as `weights`.
        X : array-like of shape (n, p), or data frame of numbers
            The fixed-effects model matrix. A first column of ones is the intercept.
        terms : ArrayTerm or sequence of ArrayTerm
            The random effects.
        family : str or Family
            See :mod:`mixedmodels.families`.
        link : str, optional
            By default the usual one of the family.
        nAGQ : int, default 1
            Number of quadrature points, see :func:`mixedmodels.glmer`.
        names : sequence of str, optional
            Names of the columns of `X`; by default those of a data frame, otherwise ``x1``, ``x2``, ...
        response : str, optional
            Name of the response; by default that of a Series, otherwise ``"y"``.
        weights, offset : array-like of shape (n,), optional
            As for :func:`mixedmodels.glmer`.
        na_action : {"omit", "exclude", "fail"}, default "omit"
            What to do with rows that have missing values.
        subset : array-like of bool of shape (n,), optional
            Rows to use.
        fixed : mapping, optional
            Parameters to hold, as for :func:`mixedmodels.lmer`.
        information : {"observed", "expected"}, default "observed"
            Of the rows in the Laplace approximation.
        nb_theta : float, optional
            The size of the negative binomial family, held at this value.

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
        >>> from mixedmodels import ArrayTerm, GeneralizedLinearMixedModel, load_cbpp
        >>> data = load_cbpp()
        >>> y = np.column_stack([data["incidence"], data["size"] - data["incidence"]])
        >>> X = np.column_stack([data["period"] == p for p in data["period"].cat.categories])
        >>> term = ArrayTerm(data["herd"].to_numpy(), group="herd")
        >>> m = GeneralizedLinearMixedModel.from_arrays(y, X, term, "binomial")
        >>> round(m.fit().objective, 3)
        184.053
        """
        model = model_of_arrays(y, X, terms, names, response)
        arguments = GeneralizedArguments(
            formula=model.formula,
            data=model.data,
            weights=snapshot(weights),
            offset=snapshot(offset),
            na_action=na_action,
            subset=snapshot(subset),
            of_arrays=True,
            **_family_arguments("from_arrays", family, link, nAGQ, information, nb_theta, fixed),
        )
        return UnfittedModel(prepared(arguments), GeneralizedLinearMixedModel)


def _family_arguments(
    function: str, family: Any, link: Any, n_agq: Any, information: Any, nb_theta: Any, fixed: Any
) -> dict[str, Any]:
    """The arguments that only generalized models have, checked."""
    held = check_fixed(fixed)
    chosen = with_fixed_dispersion(with_size(as_family(family, link), nb_theta), held)
    if isinstance(chosen, Gaussian) and chosen.link == "identity":
        raise ArgumentError(
            f"{function}: the gaussian family with identity link is a linear mixed model: use "
            f"LinearMixedModel.{function}(..., REML=False)"
        )
    return {
        "family": chosen,
        "n_agq": check_n_agq(n_agq),
        "information": check_information(information, chosen),
        "fixed": held,
    }
