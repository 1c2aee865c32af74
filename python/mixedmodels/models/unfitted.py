"""A model whose parameters are not estimated yet."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import pandas as pd  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import ArrayLike, NDArray

from ..checks import flag
from ..errors import ArgumentError
from ..fit.block_costs import BlockDescription, describe_engine
from ..fit.changes import with_options
from ..fit.control import Control, as_control, check_optimizer
from ..fit.criterion import Criterion
from ..fit.fitting import Fitting
from ..fit.optimum.restore import restored
from ..fit.update import snapshot
from ..public import public
from ..wording import counted
from .arguments import Optimizer

if TYPE_CHECKING:
    from .base import MixedModel

M = TypeVar("M", bound="MixedModel")


class UnfittedModel(Generic[M]):
    """
    A model without estimates: data, design and criterion, ready to be fitted.

    Made by ``from_formula`` and ``from_arrays`` of :class:`mixedmodels.LinearMixedModel` and
    :class:`mixedmodels.GeneralizedLinearMixedModel`. Nothing changes it: `fit` returns a fitted model.

    Attributes
    ----------
    formula : str
        The formula, in canonical spelling.
    theta_names : tuple of str
        The parameters of the criterion: theta, for a generalized model followed by beta (unless nAGQ = 0)
        and the logarithm of the dispersion (if the family estimates one).
    bounds : list of (float, float)
        Lower and upper bound of each parameter, as ``scipy.optimize`` takes them.
    start : ndarray, shape (n_parameters,)
        Where a fit starts by default.
    """

    _fitting: Fitting[Any, Any]
    _kind: type[M]

    def __init__(self, fitting: Fitting[Any, Any], kind: type[M] | Any = None) -> None:
        given: Any = fitting
        if not isinstance(given, Fitting):
            raise ArgumentError(
                "UnfittedModel: from_formula() and from_arrays() of LinearMixedModel and "
                "GeneralizedLinearMixedModel make a model without fitting it"
            )
        vars(self).update(_fitting=fitting, _kind=kind)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a model is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a model is immutable: cannot delete {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._fitting, self._kind)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            hint = ": fit() returns a model that has it" if hasattr(self._kind, name) else ""
            raise AttributeError(f"a model that is not fitted has no attribute {name!r}{hint}")

    def __repr__(self) -> str:
        n, p, q, k = self.size
        counts = (
            *(counted(n, "observation"), counted(p, "fixed effect"), counted(q, "random effect")),
            counted(k, "parameter"),
        )
        return f"<unfitted {self._kind.__name__}: {self.formula}; {', '.join(counts)}>"

    @property
    def formula(self) -> str:
        """The formula, in canonical spelling."""
        return self._fitting.design.formula.text

    @property
    def size(self) -> tuple[int, int, int, int]:
        """Observations, fixed-effects columns, random effects, and parameters of the criterion."""
        design = self._fitting.design
        effects = sum(len(term.group.levels) * len(term.names) for term in design.terms)
        return (*design.x.shape, effects, len(self.theta_names))

    @property
    def theta_names(self) -> tuple[str, ...]:
        """The names of the parameters of the criterion."""
        return self._criterion.names

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Lower and upper bound of each parameter."""
        own = self._criterion
        return list(zip(own.lower.tolist(), own.upper.tolist(), strict=True))

    @cached_property
    def start(self) -> NDArray[np.float64]:
        """Where a fit starts by default."""
        start = self._criterion.default_start()
        start.flags.writeable = False
        return start

    @property
    def model_matrix(self) -> pd.DataFrame:
        """Fixed-effects model matrix, shape (n, p), with names and row labels; a copy."""
        design = self._fitting.design
        return pd.DataFrame(np.array(design.x), columns=list(design.x_names), index=design.row_labels)

    @cached_property
    def _engine(self) -> Any:
        return self._fitting.build_engine()

    @cached_property
    def _criterion(self) -> Criterion:
        return self._fitting.criterion(self._engine)

    @public
    def objective(self, theta: ArrayLike) -> float:
        """
        The criterion at some parameters: the REML criterion, or -2 log-likelihood.

        Parameters
        ----------
        theta : array-like of shape (n_parameters,)
            In the order of `theta_names`.

        Returns
        -------
        float
            Infinite where a generalized model has no conditional modes.

        Raises
        ------
        ArgumentError
            When theta has another shape or is out of bounds.

        Examples
        --------
        >>> from mixedmodels import LinearMixedModel, load_sleepstudy
        >>> m = LinearMixedModel.from_formula("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> round(m.objective([1.0, 0.0, 1.0]), 4)
        1773.6803
        """
        return self._criterion.value(self._criterion.checked("objective", theta))

    @public
    def gradient(self, theta: ArrayLike) -> NDArray[np.float64]:
        """
        The exact gradient of the criterion at some parameters.

        Parameters
        ----------
        theta : array-like of shape (n_parameters,)
            In the order of `theta_names`.

        Returns
        -------
        ndarray, shape (n_parameters,)

        Raises
        ------
        ArgumentError
            When theta has another shape or is out of bounds.

        Examples
        --------
        >>> from mixedmodels import LinearMixedModel, load_sleepstudy
        >>> m = LinearMixedModel.from_formula("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.gradient([1.0, 0.0, 1.0]).shape
        (3,)
        """
        return self._criterion.gradient(self._criterion.checked("gradient", theta))

    @public
    def hessian(self, theta: ArrayLike) -> NDArray[np.float64]:
        """
        The exact Hessian of the criterion at some parameters.

        Parameters
        ----------
        theta : array-like of shape (n_parameters,)
            In the order of `theta_names`.

        Returns
        -------
        ndarray, shape (n_parameters, n_parameters)

        Raises
        ------
        ArgumentError
            When theta has another shape or is out of bounds.

        Examples
        --------
        >>> from mixedmodels import LinearMixedModel, load_sleepstudy
        >>> m = LinearMixedModel.from_formula("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.hessian([1.0, 0.0, 1.0]).shape
        (3, 3)
        """
        return self._criterion.hessian(self._criterion.checked("hessian", theta))

    @public
    def describe_blocks(self) -> BlockDescription:
        """
        The blocks of the system that a fit solves, see :func:`mixedmodels.describe_blocks`.

        Returns
        -------
        BlockDescription

        Examples
        --------
        >>> from mixedmodels import LinearMixedModel, load_penicillin
        >>> formula = "diameter ~ 1 + (1 | plate) + (1 | sample)"
        >>> LinearMixedModel.from_formula(formula, load_penicillin()).describe_blocks().memory < 10_000
        True
        """
        return describe_engine(self._engine, self._fitting.design)

    @public
    def fit(
        self,
        start: ArrayLike | Mapping[str, Any] | None = None,
        *,
        optimizer: Optimizer | None = "trust_region",
        control: Control | Mapping[str, Any] | None = None,
        verbose: bool = False,
    ) -> M:
        """
        Fit the model.

        Parameters
        ----------
        start : array-like of shape (n_parameters,) or (n_theta,), or dict, optional
            Where the optimisation starts: all parameters, in the order of `theta_names`, or as for
            :func:`mixedmodels.lmer` and :func:`mixedmodels.glmer`.
        optimizer : {"trust_region", "bobyqa", "newuoa", "nelder_mead", "cobyla", "sbplx"}, callable or None
            By default "trust_region". None evaluates the model at `start` without optimising.
            A function of yours is called with the objective, its gradient, the start and the bounds of the
            parameters, and returns the parameters at the minimum, or an object with these as ``x``.
        control : Control or dict, optional
            Limits of the optimisation, see :class:`mixedmodels.Control`.
        verbose : bool, default False
            Print the objective after every evaluation, while the fit runs.

        Returns
        -------
        LinearMixedModel or GeneralizedLinearMixedModel

        Raises
        ------
        ArgumentError
            When an argument does not fit.

        Warns
        -----
        SingularFitWarning, ConvergenceWarning, RankDeficiencyWarning

        Examples
        --------
        >>> from mixedmodels import LinearMixedModel, load_sleepstudy
        >>> m = LinearMixedModel.from_formula("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> round(m.fit().objective, 4)
        1743.6283
        """
        options = as_control(self._fitting.arguments.control if control is None else control)
        if flag("verbose", verbose):
            options = dataclasses.replace(options, verbose=True)
        start = self._criterion.as_start(snapshot(start))
        changes = {"start": start, "optimizer": check_optimizer(optimizer), "control": options}
        fitting = with_options(self._fitting, changes)
        fitting.announce(self._engine)
        return self._kind(fitting.fit(self._engine))

    @public
    def restore_optimum(self, file: str | os.PathLike[str] | Any) -> M:
        """
        The fitted model at an optimum that `save_optimum` wrote, without a search.

        Parameters
        ----------
        file : path, or file object
            As given to `save_optimum`.

        Returns
        -------
        LinearMixedModel or GeneralizedLinearMixedModel
            As it was when it was saved, with the log of its search.

        Raises
        ------
        ArgumentError
            When the file is not one of an optimum, or of another formula, criterion or family.
        DataError
            When the optimum is that of other data: response, columns, levels, weights or offset.

        Examples
        --------
        >>> import io
        >>> from mixedmodels import LinearMixedModel, load_sleepstudy
        >>> m = LinearMixedModel.from_formula("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> fitted, file = m.fit(), io.StringIO()
        >>> fitted.save_optimum(file)
        >>> _ = file.seek(0)
        >>> m.restore_optimum(file).objective == fitted.objective
        True
        """
        return self._kind(restored(self._fitting, self._engine, file))
