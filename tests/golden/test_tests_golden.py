"""Tests of fixed and random effects against lmerTest, pbkrtest, car and lme4 (inference.json)."""

from __future__ import annotations

from typing import Any

import inference_fits as fits
import numpy as np
import pandas as pd
import pytest
from golden_cases import case_named, matching_names

from mixedmodels import anova, drop1, kr_compare, linear_hypothesis, ranova
from mixedmodels.inference.basis.choice import basis_of

# pbkrtest 0.5-2 takes the residual covariance matrix for σ²I in its derivatives of V, whatever the weights:
# test_weights_in_kenward_roger shows that this alone makes the difference.
WEIGHTS_IGNORED = ("inf_sleep_weights", "Kenward-Roger")
ROMAN = {"I": 1, "II": 2, "III": 3}


def expected(name: str) -> dict[str, Any]:
    return case_named(fits.CASES, name)["expected"]


def by_method(key: str) -> list[Any]:
    found = [(name, method) for name in fits.with_table(key) for method in expected(name)[key]]
    return [pytest.param(*one, id="-".join(one)) for one in found if one != WEIGHTS_IGNORED]


def close(got: pd.DataFrame, wanted: pd.DataFrame, df: float = 1e-5) -> None:
    """Same rows; statistics to 1e-6, degrees of freedom to `df`."""
    assert list(got.index) == list(wanted.index)
    for name in wanted.columns:
        ours = got["Pr(>Chisq)" if name == "Pr(Chi)" else name].to_numpy(dtype=float)
        exact = wanted[name].to_numpy()
        present = ~np.isnan(exact)
        if name.startswith("Pr("):
            # As far as its degrees of freedom, statistic and the accuracy of a far tail allow.
            np.testing.assert_allclose(ours[present], exact[present], rtol=1e-3, atol=1e-300)
        else:
            tolerance = df if name in ("df", "DenDF") else 1e-6
            np.testing.assert_allclose(ours[present], exact[present], rtol=tolerance, atol=1e-9)


@pytest.mark.parametrize(("name", "method"), by_method("coef"))
def test_coefficients(name, method):
    model, wanted = fits.fit(name), fits.table(expected(name)["coef"][method])
    got = model.summary(ddf=method.lower()).coefficients
    names = matching_names(list(wanted.index), list(got.index))
    close(got.loc[names].set_axis(wanted.index), wanted)


@pytest.mark.parametrize("kind", list(ROMAN))
@pytest.mark.parametrize(("name", "method"), by_method("anova"))
def test_terms(name, method, kind):
    got = anova(fits.fit(name), type=ROMAN[kind], ddf=method.lower())
    close(got, fits.table(expected(name)["anova"][method][kind]))


@pytest.mark.parametrize("name", fits.with_table("vcov_kr"))
def test_adjusted_covariance(name):
    wanted = expected(name)["vcov_kr"]
    got = basis_of(fits.fit(name)._fitted, "kenward-roger").covariance
    scale = np.sqrt(np.diag(wanted["values"]))
    np.testing.assert_allclose(
        got / np.outer(scale, scale), wanted["values"] / np.outer(scale, scale), atol=1e-6
    )


@pytest.mark.parametrize("name", fits.with_table("krmodcomp"))
def test_kenward_roger_comparison(name):
    wanted = expected(name)["krmodcomp"]
    got = kr_compare(fits.fit(name), fits.fit(name, wanted["reduced"])).iloc[0]
    assert got["F value"] == pytest.approx(wanted["Fstat"], rel=1e-6)
    assert got["NumDF"] == wanted["ndf"]
    assert got["DenDF"] == pytest.approx(wanted["ddf"], rel=1e-8)
    assert got["F scaling"] == pytest.approx(wanted["F.scaling"], rel=1e-8)
    assert got["Pr(>F)"] == pytest.approx(wanted["p.value"], rel=1e-5)


def test_weights_in_kenward_roger():
    """With the weights left out of the derivatives of V the numbers of pbkrtest come out."""
    name, method = WEIGHTS_IGNORED
    model, wanted = fits.fit(name), fits.table(expected(name)["coef"][method])
    fitted = model._fitted
    design = fitted.design
    z = np.zeros((fitted.n_obs, len(design.terms[0].group.levels)))
    z[np.arange(fitted.n_obs), design.terms[0].group.codes] = 1.0
    parts = [z @ z.T, np.eye(fitted.n_obs)]
    inverse = np.linalg.inv(model.sigma**2 * (model.theta[0] ** 2 * parts[0] + parts[1]))
    phi, vx = fitted.covariance(), inverse @ design.x
    p = [-vx.T @ g @ vx for g in parts]
    q = [[vx.T @ g @ inverse @ h @ vx for h in parts] for g in parts]
    information = [
        [
            np.trace(inverse @ parts[i] @ inverse @ parts[j])
            - 2 * np.trace(phi @ q[i][j])
            + np.trace(phi @ p[i] @ phi @ p[j])
            for j in range(2)
        ]
        for i in range(2)
    ]
    w = 2 * np.linalg.inv(information)
    slopes = np.array([np.diag(phi @ one @ phi) for one in p]).T
    df = 2 * np.diag(phi) ** 2 / np.einsum("im,mn,in->i", slopes, w, slopes)
    np.testing.assert_allclose(df, wanted["df"], rtol=1e-6)
    # Right is what the package says: the design is balanced, so that both methods agree on the slopes.
    ours = [model.summary(ddf=one).coefficients["df"] for one in ("kenward-roger", "satterthwaite")]
    np.testing.assert_allclose(ours[0], ours[1], rtol=1e-8)


@pytest.mark.parametrize("name", fits.with_table("drop1_chisq"))
def test_drop1_by_likelihood(name):
    wanted = fits.table(expected(name)["drop1_chisq"])
    got = drop1(fits.fit(name))
    if name in {case["id"] for case in fits.GENERALIZED}:
        # lme4's objectives are good to about 1e-8 (relative).
        np.testing.assert_allclose(got["AIC"], wanted["AIC"], rtol=2e-8)
        np.testing.assert_allclose(got["LRT"], wanted["LRT"], rtol=1e-5)
        assert list(got.index) == list(wanted.index)
    else:
        close(got, wanted)


@pytest.mark.parametrize("name", fits.with_table("drop1_F"))
def test_drop1_by_f(name):
    for method, wanted in expected(name)["drop1_F"].items():
        close(drop1(fits.fit(name), test="F", ddf=method.lower()), fits.table(wanted))


@pytest.mark.parametrize("name", fits.with_table("ranova"))
def test_ranova(name):
    model, wanted = fits.fit(name), fits.table(expected(name)["ranova"])
    got = ranova(model)
    # Nested groups are called batch:cask here where lme4 says cask:batch.
    wanted.index = [label.replace("Machine:Worker", "Worker:Machine") for label in wanted.index]
    got.index = [label.replace("Machine:Worker", "Worker:Machine") for label in got.index]
    close(got, wanted)


@pytest.mark.parametrize("name", fits.with_table("lrt"))
def test_likelihood_ratios(name):
    model = fits.fit(name)
    for wanted in expected(name)["lrt"]:
        got = anova(model, fits.fit(name, wanted["reduced"]))
        assert got["Chisq"].iloc[1] == pytest.approx(wanted["chisq"], rel=1e-6)
        assert got["Df"].iloc[1] == wanted["df"]
        assert got["Pr(>Chisq)"].iloc[1] == pytest.approx(wanted["p"], rel=1e-4)


@pytest.mark.parametrize("name", fits.with_table("wald_chisq", "II"))
def test_wald_type_2(name):
    # The covariance matrix of a generalized model agrees with lme4's to about 1e-3, see test_glmm_golden.py.
    linear = name in {case["id"] for case in fits.LINEAR}
    wanted = fits.table(expected(name)["wald_chisq"]["II"])
    got = anova(fits.fit(name), type=2, test="Chisq")
    assert list(got.index) == list(wanted.index)
    assert list(got["Df"]) == list(wanted["Df"])
    np.testing.assert_allclose(got["Chisq"], wanted["Chisq"], rtol=1e-6 if linear else 2e-3)


@pytest.mark.parametrize("name", fits.with_table("wald_chisq", "III"))
def test_wald_of_the_coefficients_of_terms(name):
    """car's type III tests the coefficients of a term as they are coded, the intercept too."""
    linear = name in {case["id"] for case in fits.LINEAR}
    model, wanted = fits.fit(name), fits.table(expected(name)["wald_chisq"]["III"])
    columns = dict(model._fitted.design.x_terms)
    for label, row in wanted.iterrows():
        hypothesis = np.eye(model.rank)[columns[str(label)]]
        got = linear_hypothesis(model, hypothesis, ddf="inf").iloc[0]
        assert got["Df"] == row["Df"]
        assert got["Chisq"] == pytest.approx(row["Chisq"], rel=1e-6 if linear else 2e-3)


@pytest.mark.parametrize("name", fits.with_table("confint", "Wald"))
def test_wald_intervals(name):
    wanted = fits.table(expected(name)["confint"]["Wald"])
    got = fits.fit(name).confint(ddf="inf")  # lme4 takes normal quantiles for every model
    n = int(wanted["2.5 %"].notna().sum())
    linear = name in {case["id"] for case in fits.LINEAR}
    np.testing.assert_allclose(got.to_numpy()[-n:], wanted.to_numpy()[-n:], rtol=1e-6 if linear else 1e-3)
    assert got.iloc[:-n].isna().all(axis=None)
