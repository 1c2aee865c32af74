"""The linear mixed model."""

from __future__ import annotations

from .base import MixedModel


class LinearMixedModel(MixedModel):
    """
    A fitted linear mixed model, made by :func:`mixedmodels.lmer`.

    It is immutable: `refit` and `update` return new models. It can be pickled, copied and shared between
    threads. (Never unpickle untrusted files.)
    """

    __slots__ = ()

    @property
    def REML(self) -> bool:
        """Whether the model was fitted by REML."""
        return self._fitted.restricted
