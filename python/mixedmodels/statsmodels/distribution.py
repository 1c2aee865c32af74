"""The distribution of a response at given parameters, to draw from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .params import MixedLMParams, lower_root


class Distribution:
    """
    The distribution of the response of a :class:`MixedLM`.

    Made by :meth:`MixedLM.get_distribution`.
    """

    def __init__(self, model: Any, params: MixedLMParams, scale: float, exog: Any) -> None:
        self.model, self.scale = model, scale
        self.exog = np.asarray(model.exog if exog is None else exog)
        self.fe_params = params.fe_params
        self.cov_re, self.vcomp = scale * params.cov_re, scale * params.vcomp

    def rvs(self, n: Any = None, rng: Any = None) -> NDArray[np.float64]:
        """
        Draw a response with new random effects.

        Parameters
        ----------
        n : object, optional
            Ignored: the interface of distributions in scipy has it.
        rng : int, Generator, or RandomState, optional
            Random numbers; new ones by default.

        Returns
        -------
        ndarray, shape (n,)
        """
        model, products = self.model, self.model.products
        draw = rng if hasattr(rng, "normal") else np.random.default_rng(rng)
        effects = np.empty(products.z.shape[1])
        k = model.k_re
        if k:
            own = draw.normal(size=(model.n_groups, k)) @ lower_root(self.cov_re).T
            effects[: own.size] = own.ravel()
        for j, variance in enumerate(self.vcomp):
            place = products.owner == k + j
            effects[place] = np.sqrt(variance) * draw.normal(size=int(place.sum()))
        noise = np.sqrt(self.scale) * draw.normal(size=len(model.endog))
        return self.exog @ self.fe_params + products.z @ effects + noise
