"""The generalized linear mixed model."""

from __future__ import annotations

from typing import Literal

from .base import MixedModel


class GeneralizedLinearMixedModel(MixedModel):
    """
    A fitted generalized linear mixed model, made by :func:`mixedmodels.glmer`.

    It is immutable: `refit` and `update` return new models. It can be pickled, copied and shared between
    threads. (Never unpickle untrusted files.)
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
