"""Results with the labels of the data."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from statsmodels.base.model import LikelihoodResultsWrapper
from statsmodels.base.wrapper import populate_wrapper, union_dicts

from .results import MixedLMResults


class MixedLMResultsWrapper(LikelihoodResultsWrapper):
    """
    Results with labels: Series and DataFrames for models from data frames and formulas, arrays otherwise.

    See :class:`MixedLMResults`.
    """

    _attrs: ClassVar = {
        "bse_re": ("generic_columns", "variance_names"),
        "fe_params": ("generic_columns", "xnames"),
        "bse_fe": ("generic_columns", "xnames"),
        "cov_re": ("generic_columns_2d", "exog_re_names"),
        "cov_re_unscaled": ("generic_columns_2d", "exog_re_names"),
    }
    _wrap_attrs: ClassVar = union_dicts(LikelihoodResultsWrapper._wrap_attrs, _attrs)
    _wrap_methods: ClassVar = {"conf_int": "columns"}

    def cov_params(self, *args: Any, **kwargs: Any) -> Any:
        """Covariance matrix of `params`, labelled, or an array for linear functions of them."""
        found = self._results.cov_params(*args, **kwargs)
        whole = np.shape(found) == (len(self._results.params),) * 2 and not (args or kwargs)
        return self._results.model.data.wrap_output(found, "cov") if whole else found


populate_wrapper(MixedLMResultsWrapper, MixedLMResults)
