"""vcov_cluster() and the tests that take it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from mixedmodels import (
    coef_test,
    linear_hypothesis,
    lmer,
    load_machines,
    load_sleepstudy,
    t_test,
    tidy,
    vcov_cluster,
)
from mixedmodels.errors import ArgumentError, NotAvailableError
from mixedmodels.inference.basis.clusters import cluster_covariance, find_clusters
from shared_fits import fits

SLOPES = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def balanced():
    return fits("sleepstudy")


@pytest.fixture(scope="module")
def unbalanced():
    return lmer(SLOPES, load_sleepstudy().iloc[:-13].drop(index=[3, 4, 20, 33, 50]))


class Dense:
    """The estimators in n by n matrices, as Pustejovsky & Tipton (2018) write them."""

    def __init__(self, fit, kind):
        n, rows = fit.n_obs, find_clusters(fit).rows
        x, phi = fit.design.x, cluster_covariance(fit, np.arange(fit.n_obs))
        w = np.linalg.inv(phi)
        m = np.linalg.inv(x.T @ w @ x)
        residual_maker = np.eye(n) - x @ m @ x.T @ w
        self.covariance_of_residuals = residual_maker @ phi @ residual_maker.T
        self.g = np.zeros((len(rows), n, x.shape[1]))
        for j, part in enumerate(rows):
            block = np.ix_(part, part)
            adjust = np.eye(len(part))
            if kind == "CR2":
                d = np.real(sqrtm(phi[block]))
                adjust = d @ np.linalg.inv(np.real(sqrtm(d @ self.covariance_of_residuals[block] @ d))) @ d
            self.g[j, part] = adjust @ w[block] @ x[part] @ m
        scale = len(rows) / (len(rows) - 1) if kind == "CR1" else 1.0
        scores = np.einsum("mnp,n->mp", self.g, fit.design.y - x @ fit.estimates.beta)
        self.covariance = scale * scores.T @ scores

    def df(self, row):
        u = self.g @ row
        moments = u @ self.covariance_of_residuals @ u.T
        return np.trace(moments) ** 2 / np.square(moments).sum()

    def wishart_df(self):
        """Degrees of freedom of the Wishart matrix with the same total variance, for all coefficients."""
        p = self.g.shape[2]
        moments = np.einsum("jna,nm,kmb->jkab", self.g, self.covariance_of_residuals, self.g, optimize=True)
        root = np.linalg.inv(np.real(sqrtm(np.einsum("jjab->ab", moments))))
        moments = np.einsum("ca,jkab,db->jkcd", root, moments, root)
        same = np.einsum("jkaa,jkbb->", moments, moments)
        mixed = np.einsum("jkab,jkba->", moments, moments)
        return p * (p + 1) / (same + mixed)


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR2"])
def test_against_dense_formulas(unbalanced, kind):
    dense, found = Dense(unbalanced._fitted, kind), vcov_cluster(unbalanced, type=kind)
    np.testing.assert_allclose(found.covariance, dense.covariance, rtol=1e-8)
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 5.0]])
    np.testing.assert_allclose(found.df(rows), [dense.df(row) for row in rows], rtol=1e-8)
    test = found.joint(np.eye(2))
    eta = dense.wishart_df()
    assert test.df2 == pytest.approx(eta - 1, rel=1e-8)
    assert test.scaling == pytest.approx((eta - 1) / eta, rel=1e-8)


def test_cr2_of_balanced_data_is_the_models_own_matrix(balanced):
    # The slopes of the subjects are a sample: variance and df are those of its mean, and the joint test is
    # Hotelling's.
    found = vcov_cluster(balanced)
    np.testing.assert_allclose(found.covariance, balanced.vcov().to_numpy(), rtol=1e-7)
    np.testing.assert_allclose(found.df(np.eye(2)), [17.0, 17.0], rtol=1e-9)
    test = found.joint(np.eye(2))
    assert (test.df2, test.scaling) == (pytest.approx(16.0, rel=1e-9), pytest.approx(16 / 17, rel=1e-9))
    one_way = vcov_cluster(fits("dyestuff"))
    assert one_way.df(np.eye(1))[0] == pytest.approx(5.0)


def test_cr2_is_unbiased_under_the_model(unbalanced):
    found = vcov_cluster(unbalanced)
    expected = found.own.sum(axis=0) - np.einsum("mij,ik,mkl->jl", found.shared, found.bread, found.shared)
    np.testing.assert_allclose(expected, found.bread, rtol=1e-8)


def test_the_slopes_do_not_matter_for_a_wrong_model(balanced):
    # With independent slopes left out of the model the robust error is still that of the mean slope.
    wrong = fits("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    table = coef_test(wrong, vcov=vcov_cluster(wrong))
    assert table.loc["Days", "Std. Error"] == pytest.approx(float(balanced.se["Days"]), rel=1e-7)
    assert float(wrong.se["Days"]) < 0.6 * table.loc["Days", "Std. Error"]


def test_every_test_takes_it(unbalanced):
    robust = vcov_cluster(unbalanced)
    by_coefficient = coef_test(unbalanced, vcov=robust)
    single = t_test(unbalanced, "Days = 0", vcov=robust)
    joint = linear_hypothesis(unbalanced, "Days = 0", vcov=robust)
    row = tidy(unbalanced, vcov=robust, conf_int=True).set_index("term").loc["Days"]
    limits = unbalanced.conf_int(vcov=robust).loc["Days"]
    p = by_coefficient.loc["Days", "Pr(>|t|)"]
    assert single["Pr(>|t|)"].iloc[0] == pytest.approx(p)
    assert joint["Pr(>F)"].iloc[0] == pytest.approx(p)
    assert row["p.value"] == pytest.approx(p)
    assert row["df"] == pytest.approx(by_coefficient.loc["Days", "df"])
    np.testing.assert_allclose(limits, row[["conf.low", "conf.high"]].to_numpy(dtype=float))
    np.testing.assert_allclose(limits, unbalanced.confint(vcov=robust).loc["Days"])
    assert "CR2" in str(unbalanced.summary(vcov=robust))
    assert "CR2" in by_coefficient.heading[0]


def test_a_plain_matrix(unbalanced):
    matrix = vcov_cluster(unbalanced).to_frame()
    assert "z value" in coef_test(unbalanced, vcov=matrix)
    assert coef_test(unbalanced, "residual", matrix)["df"].iloc[0] == unbalanced.nobs - 2
    with pytest.raises(ArgumentError, match="own covariance matrix"):
        coef_test(unbalanced, "kenward-roger", matrix)
    with pytest.raises(ArgumentError, match="column for each of the 2 coefficients"):
        coef_test(unbalanced, vcov=np.eye(3))


def test_it_belongs_to_its_model(balanced, unbalanced):
    with pytest.raises(ArgumentError, match="another model"):
        coef_test(unbalanced, vcov=vcov_cluster(balanced))
    with pytest.raises(ArgumentError, match="leave ddf out"):
        coef_test(balanced, "inf", vcov_cluster(balanced))


def test_clusters():
    nested = fits("machines", "score ~ Machine + (1 | Worker/Machine)")
    default = vcov_cluster(nested)
    assert (default.cluster, default.n_clusters) == ("Worker", 6)
    labels = load_machines()["Worker"].astype(str).to_numpy()
    np.testing.assert_allclose(vcov_cluster(nested, labels).covariance, default.covariance, rtol=1e-12)
    with pytest.raises(ArgumentError, match="'Worker' occur in several clusters"):
        vcov_cluster(nested, "Machine")
    with pytest.raises(ArgumentError, match="54 rows used"):
        vcov_cluster(nested, [1, 2])
    crossed = fits("penicillin")
    with pytest.raises(ArgumentError, match="none of the grouping factors plate, sample"):
        vcov_cluster(crossed)


def test_a_column_of_the_data_with_missing_rows():
    data = load_sleepstudy()
    data["half"] = np.where(data["Subject"].astype(str).astype(int) < 340, "a", "b")
    data.loc[data.index[:4], "Reaction"] = np.nan
    model = lmer("Reaction ~ Days + (1 | Subject)", data, subset="Days < 9")
    by_name = vcov_cluster(model, "half", "CR0")
    assert by_name.n_clusters == 2
    np.testing.assert_array_equal(
        vcov_cluster(model, data["half"].to_numpy(), "CR0").covariance, by_name.covariance
    )


def test_other_arguments(balanced):
    with pytest.raises(ArgumentError, match="type must be one of"):
        vcov_cluster(balanced, type="HC3")
    model = fits("cbpp")
    with pytest.raises(NotAvailableError, match="of generalized models"):
        vcov_cluster(model)
