"""The adjusted covariance matrix of Kenward and Roger against pbkrtest's."""

from __future__ import annotations

import numpy as np
import pytest
from golden_cases import case_named, matching_names
from inference_fits import CASES, fit, with_table

from mixedmodels.fit.state import fitted_of


@pytest.mark.parametrize("name", with_table("vcov_kr"))
def test_the_adjusted_covariance(name):
    expected = case_named(CASES, name)["expected"]["vcov_kr"]
    fitted = fitted_of(fit(name))
    parts = fitted.engine.kenward_roger(fitted.estimates.theta)
    names = [fitted.design.x_names[column] for column in fitted.estimates.kept]
    order = [names.index(column) for column in matching_names(expected["names"], names)]
    ours = parts["adjusted"][np.ix_(order, order)]
    size = np.sqrt(np.outer(np.diag(ours), np.diag(ours)))
    np.testing.assert_allclose(ours / size, np.array(expected["values"]) / size, atol=1e-6)
