"""`MixedLM`: the model, and its data by group."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.base.model import LikelihoodModel
from statsmodels.tools.sm_exceptions import MissingDataError

from .arguments import check_finite, components_of, read_arrays
from .columns import kept_columns
from .fitting import Fitting
from .from_formula import read_formulas
from .groups import Groups
from .likelihood_methods import LikelihoodMethods
from .names import names_of_columns, set_names
from .params import MixedLMParams, as_params
from .pickled import restore, state_of
from .products import Products
from .regularized import Regularized
from .rows import check_missing, complete, take
from .spec import VCSpec


class MixedLM(LikelihoodMethods, Fitting, Regularized, LikelihoodModel):
    """
    Linear mixed model with the interface of statsmodels' MixedLM, fitted by this package.

    Parameters
    ----------
    endog : array-like of shape (n,)
        Response.
    exog : array-like of shape (n, k_fe) or (n,)
        Columns of the fixed effects; no intercept is added.
    groups : array-like of shape (n,)
        Labels of the groups, which are independent.
    exog_re : array-like of shape (n, k_re) or (n,), optional
        Columns of the correlated random coefficients. By default a random intercept, unless there are
        variance components.
    exog_vc : VCSpec or dict, optional
        Variance components. A dict ``{name: {group: matrix}}`` is deprecated, as in statsmodels.
    use_sqrt : bool, default True
        Whether packed parameters of `loglike` and `score` are the Cholesky factor and standard deviations
        rather than covariances and variances. Fits do not depend on it.
    missing : {"none", "drop", "raise"}, default "none"
        Rows with missing values: refuse them (two words for it), or leave them out.
    **kwargs
        ``formula``, ``model_spec``, ``missing_idx`` and ``hasconst``, as statsmodels passes them.

    Attributes
    ----------
    k_fe, k_re, k_re2, k_vc : int
        Numbers of fixed effects, random coefficients, their covariance parameters, variance components.
    k_params : int
        ``k_fe + k_re2``.
    n_groups, nobs, n_totobs : int
        Numbers of groups, and of rows.
    group_labels : list
        Sorted.
    reml : bool
        Whether the likelihood is restricted: as in the last fit, True before.

    Raises
    ------
    ValueError
        For arrays that do not fit together, and unknown arguments.
    MissingDataError
        For missing values, unless ``missing="drop"``.

    Examples
    --------
    >>> from mixedmodels import load_sleepstudy
    >>> from mixedmodels.statsmodels import MixedLM
    >>> data = load_sleepstudy()
    >>> model = MixedLM.from_formula("Reaction ~ Days", data, groups="Subject", re_formula="~Days")
    >>> print(round(model.fit().scale, 2))
    654.94
    """

    data: Any
    groups: Any
    formula: str

    def __init__(
        self,
        endog: Any,
        exog: Any,
        groups: Any,
        exog_re: Any = None,
        exog_vc: VCSpec | Mapping[str, Mapping[Any, Any]] | None = None,
        use_sqrt: bool = True,
        missing: str = "none",
        **kwargs: Any,
    ) -> None:
        strange = [name for name in kwargs if name not in self._kwargs_allowed]
        if strange:
            raise ValueError(
                f"MixedLM has no argument {strange[0]!r}; mixedmodels.lmer takes weights and offsets"
            )
        check_missing(missing)
        endog, exog, groups, exog_re = read_arrays(endog, exog, groups, exog_re)
        rows = None
        if missing != "none":
            whole = complete((endog, exog, groups, exog_re), len(endog))
            if not whole.all():
                if missing == "raise":
                    raise MissingDataError("exog, endog, groups or exog_re has missing values")
                rows = whole
        all_groups = None
        if rows is not None:
            all_groups = groups
            endog, exog, groups, exog_re = (take(part, rows) for part in (endog, exog, groups, exog_re))
        self.use_sqrt, self.reml = bool(use_sqrt), True
        self.fe_pen = self.re_pen = self.cov_pen = self._freepat = None
        for name, part in (("endog", endog), ("exog", exog), ("exog_re", exog_re)):
            check_finite(name, part, np.isnan, "missing values")
        super().__init__(endog, exog, groups=groups, missing="none", **kwargs)
        if self.exog.ndim == 1:
            self.exog = self.data.exog = self.exog[:, None]
        self._init_keys.extend(["use_sqrt", "exog_vc", "exog_re"])
        self.groups_of_rows = Groups(self.groups)
        self.exog_vc = components_of(exog_vc, self.groups_of_rows, all_groups, rows)
        self.k_fe, self.k_vc = self.exog.shape[1], len(self.exog_vc.names)
        names: list[str] = []
        self.exog_re: NDArray[np.float64] | None = None
        # The argument that random coefficients come from, for messages.
        self.exog_re_given = None if exog_re is None else "exog_re"
        if exog_re is not None:
            own = np.asarray(exog_re, dtype=np.float64)
            self.exog_re, names = own[:, None] if own.ndim == 1 else own, names_of_columns(exog_re)
        elif not self.k_vc:
            self.exog_re, names = np.ones((len(self.endog), 1)), ["Group"]
        self.data.exog_re = self.exog_re
        self.k_re = 0 if self.exog_re is None else self.exog_re.shape[1]
        if not self.k_re and not self.k_vc:
            raise ValueError(
                "the model has no random effects: re_formula (exog_re) or vc_formula (exog_vc) must have "
                "a column"
            )
        self.k_re2 = self.k_re * (self.k_re + 1) // 2
        self.k_params = self.k_fe + self.k_re2
        self.nobs = self.n_totobs = len(self.endog)
        self.group_labels, self.n_groups = self.groups_of_rows.labels, len(self.groups_of_rows.labels)
        self.frame_in = self.re_formula = self.vc_formula = self.groups_name = self.subset = None
        self.rows_used = None if rows is None else np.flatnonzero(rows)
        set_names(self, names)

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        re_formula: str | None = None,
        vc_formula: Mapping[str, str] | None = None,
        subset: Any = None,
        use_sparse: bool = False,
        missing: str = "none",
        *args: Any,
        groups: Any = None,
        eval_env: Any = None,
        **kwargs: Any,
    ) -> MixedLM:
        """
        A model from formulas, which the formula engine that statsmodels uses reads (patsy or formulaic).

        Parameters
        ----------
        formula : str
            Response and fixed effects.
        data : data frame
            pandas, polars, or a dict of columns; n rows.
        re_formula : str, optional
            Correlated random coefficients, such as ``"~ Time"``; by default a random intercept, unless there
            are variance components.
        vc_formula : dict of str, optional
            A formula for each variance component, such as ``{"cask": "0 + C(cask)"}``, evaluated within each
            group.
        subset : array-like, optional
            Rows to use: a truth value for each, or labels of the index.
        use_sparse : bool, default False
            Ignored: matrices of variance components are sparse always.
        missing : {"none", "drop", "raise"}, default "none"
            Rows with missing values in the variables of the formulas or in `groups`: refuse them (two words
            for it) or leave them out.
        *args
            Further positional arguments of the constructor.
        groups : str or array-like of shape (n,)
            Name of a column, or a label for each row; required.
        eval_env : int, dict or EvalEnvironment, optional
            Where formulas find functions and values that are not columns; by default in the code that calls.
        **kwargs
            Further arguments of the constructor.

        Returns
        -------
        MixedLM

        Raises
        ------
        ValueError
            For missing values, and groups that do not fit the data.

        Examples
        --------
        >>> from mixedmodels import load_sleepstudy
        >>> from mixedmodels.statsmodels import MixedLM
        >>> MixedLM.from_formula("Reaction ~ Days", load_sleepstudy(), groups="Subject").k_fe
        2
        """
        del use_sparse
        found = read_formulas(formula, data, groups, re_formula, vc_formula, subset, missing, eval_env)
        # What models of statsmodels pass on to copies of themselves is read from the formulas again.
        parts = ("exog_re", "exog_vc", "model_spec", "missing_idx")
        copied = {name: kwargs.pop(name, None) for name in parts}
        model = cls(
            found.endog,
            found.exog,
            found.groups,
            *args,
            exog_re=copied["exog_re"] if re_formula is None else found.exog_re,
            exog_vc=copied["exog_vc"] if vc_formula is None else found.exog_vc,
            missing="none",
            formula=formula,
            model_spec=found.model_spec,
            missing_idx=None,
            **kwargs,
        )
        model.formula, model.data.frame = formula, found.data
        model.frame_in, model.re_formula, model.vc_formula = data, re_formula, vc_formula
        model.groups_name, model.subset = found.group_name, subset
        model.rows_used = found.rows
        model.exog_re_given = None if re_formula is None else "re_formula"
        if len(found.exog_re_names) == model.k_re:
            set_names(model, found.exog_re_names)
        return model

    def __getstate__(self) -> dict[str, Any]:
        return state_of(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        restore(self, state)

    def predict(
        self, params: MixedLMParams | ArrayLike, exog: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """
        Means of the response without random effects.

        Parameters
        ----------
        params : MixedLMParams or array-like
            Parameters, or a vector that starts with the fixed effects.
        exog : array-like of shape (m, k_fe), optional
            Fixed-effects columns; by default those of the model.

        Returns
        -------
        ndarray, shape (m,)
        """
        given = as_params(params)
        fixed = np.asarray(params)[: self.k_fe] if given is None else given.fe_params
        return np.dot(self.exog if exog is None else exog, fixed)

    def group_list(self, array: Any) -> list[NDArray[Any]] | None:
        """
        The rows of an array by group.

        Parameters
        ----------
        array : array-like of shape (n,) or (n, k), or None
            Any array with a row for each response.

        Returns
        -------
        list of ndarray, or None for None
        """
        if array is None:
            return None
        whole = np.asarray(array)
        return [whole[rows] for rows in self.groups_of_rows.rows]

    @property
    def row_indices(self) -> dict[Any, list[int]]:
        """The rows of each group, by its label."""
        rows = self.groups_of_rows.rows
        return {label: own.tolist() for label, own in zip(self.group_labels, rows, strict=True)}

    @property
    def endog_li(self) -> list[NDArray[Any]] | None:
        """The response by group."""
        return self.group_list(self.endog)

    @property
    def exog_li(self) -> list[NDArray[Any]] | None:
        """The columns of the fixed effects by group."""
        return self.group_list(self.exog)

    @property
    def exog_re_li(self) -> list[NDArray[Any]] | None:
        """The columns of the random coefficients by group."""
        return self.group_list(self.exog_re)

    @property
    def exog_re2_li(self) -> list[NDArray[Any]] | None:
        """Z'Z of the random coefficients by group."""
        parts = self.exog_re_li
        return None if parts is None else [part.T @ part for part in parts]

    @cached_property
    def components(self) -> list[Any]:
        """The variance components over all rows."""
        return self.exog_vc.components(self.groups_of_rows)

    @cached_property
    def largest(self) -> int:
        """The largest number of random effects of a group."""
        widths = np.zeros(self.n_groups, dtype=np.intp)
        for part in self.components:
            widths += np.diff(part.starts)
        return self.k_re + int(widths.max(initial=0))

    @cached_property
    def products(self) -> Products:
        """The columns of all random effects with their cross-products."""
        return Products(self.exog_re, self.components, self.groups_of_rows)

    @cached_property
    def kept(self) -> NDArray[np.intp]:
        """The columns of `exog` that do not depend on those before them."""
        return kept_columns(np.asarray(self.exog, dtype=np.float64))


def mixedlm(formula: str, data: Any, *args: Any, **kwargs: Any) -> MixedLM:
    """
    A model from formulas: :meth:`MixedLM.from_formula`, as ``statsmodels.formula.api.mixedlm``.

    Parameters
    ----------
    formula : str
        Response and fixed effects.
    data : data frame
        pandas, polars, or a dict of columns.
    *args, **kwargs
        As of :meth:`MixedLM.from_formula`.

    Returns
    -------
    MixedLM

    Examples
    --------
    >>> from mixedmodels import load_sleepstudy
    >>> from mixedmodels.statsmodels import mixedlm
    >>> model = mixedlm("Reaction ~ Days", load_sleepstudy(), groups="Subject")
    >>> model.fit(reml=False).fe_params.round(2).to_dict()
    {'Intercept': 251.41, 'Days': 10.47}
    """
    return MixedLM.from_formula(formula, data, *args, **kwargs)
