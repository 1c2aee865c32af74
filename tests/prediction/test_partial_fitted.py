"""Fitted values from some of the terms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels.errors import ArgumentError
from shared_fits import fits


def test_included_and_excluded_terms_add_up():
    model = fits("orthodont")
    names = ["(Intercept)", "Sex", "(1 | Subject)"]
    total = model.partial_fitted(names) + model.partial_fitted(exclude=names)
    np.testing.assert_allclose(total, model.fitted(), rtol=1e-12)


def test_terms_are_those_of_the_formula():
    model = fits("orthodont")
    beta, data = model.fixef(), pd.DataFrame(model.data)
    female = (data["Sex"] == "Female").to_numpy(float)
    np.testing.assert_allclose(model.partial_fitted("age"), beta["age"] * data["age"], rtol=1e-12)
    np.testing.assert_allclose(model.partial_fitted("1"), beta["(Intercept)"], rtol=1e-12)
    product = beta.iloc[3] * data["age"] * female
    np.testing.assert_allclose(model.partial_fitted("Sex:age"), product, rtol=1e-12)
    np.testing.assert_allclose(model.partial_fitted(["age:Sex", "age"]), beta["age"] * data["age"] + product)
    np.testing.assert_allclose(
        model.partial_fitted(["(age|Subject)"]), model.predict() - model.predict(re_form="~0"), atol=1e-9
    )


def test_offsets_missing_rows_and_the_scale_of_the_response():
    data = mm.load_sleepstudy().assign(shift=2.0)
    data.loc[4, "Days"] = np.nan
    model = mm.lmer("Reaction ~ Days + offset(shift) + (1 | Subject)", data, na_action="exclude")
    assert np.nanmax(np.abs(model.partial_fitted("offset") - 2.0)) == 0
    assert np.isnan(model.partial_fitted("Days")[4])
    np.testing.assert_allclose(model.partial_fitted(exclude=[]), model.fitted(), rtol=1e-12)
    binomial = fits("cbpp")
    found = binomial.partial_fitted(exclude="(1 | herd)", type="response")
    np.testing.assert_allclose(found, binomial.predict(re_form="~0", type="response"), rtol=1e-12)


def test_errors_name_the_terms():
    model = fits("orthodont")
    with pytest.raises(
        ArgumentError, match=r"no term 'agee'.*'age:Sex', '\(age \| Subject\)'; did you mean 'age'"
    ):
        model.partial_fitted("agee")
    with pytest.raises(ArgumentError, match=r"exclude: .*random-effects terms are \(age \| Subject\)"):
        model.partial_fitted(exclude="(1 | Sex)")
    with pytest.raises(ArgumentError, match="give include= or exclude="):
        model.partial_fitted()
    with pytest.raises(ArgumentError, match="give include= or exclude="):
        model.partial_fitted("age", "Sex")
