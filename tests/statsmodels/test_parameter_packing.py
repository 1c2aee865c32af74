"""Parameters and their packing."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from statsmodels.regression.mixed_linear_model import MixedLMParams as Theirs

from mixedmodels.statsmodels import MixedLMParams

COV = np.array([[4.0, 1.0, 0.5], [1.0, 2.0, -0.3], [0.5, -0.3, 1.0]])


@pytest.mark.parametrize("use_sqrt", [True, False])
@pytest.mark.parametrize("has_fe", [True, False])
def test_vectors_are_those_of_statsmodels_and_come_back(use_sqrt, has_fe):
    parts = {"fe_params": np.array([1.0, -2.0]), "cov_re": COV, "vcomp": np.array([0.5, 3.0])}
    ours, theirs = MixedLMParams.from_components(**parts), Theirs.from_components(**parts)
    packed = ours.get_packed(use_sqrt=use_sqrt, has_fe=has_fe)
    assert_allclose(packed, theirs.get_packed(use_sqrt=use_sqrt, has_fe=has_fe))
    back = MixedLMParams.from_packed(packed, 2, 3, use_sqrt, has_fe)
    assert_allclose(back.cov_re, COV)
    assert_allclose(back.vcomp, parts["vcomp"])
    assert_allclose(back.fe_params, parts["fe_params"] if has_fe else 0.0)
    assert (back.k_fe, back.k_re, back.k_re2, back.k_vc, back.k_tot) == (2, 3, 6, 2, 10)


@pytest.mark.parametrize("cov", [np.zeros((2, 2)), np.ones((2, 2)), np.diag([0.0, 3.0])])
def test_singular_matrices_have_a_root(cov):
    # statsmodels packs the square roots of the diagonal instead.
    packed = MixedLMParams.from_components(cov_re=cov).get_packed(use_sqrt=True)
    assert_allclose(MixedLMParams.from_packed(packed, 0, 2, True, False).cov_re, cov, atol=1e-12)


def test_copies_share_nothing():
    first = MixedLMParams.from_components(np.ones(1), cov_re=np.eye(2), vcomp=np.ones(1))
    second = first.copy()
    second.cov_re[0, 0] = second.vcomp[0] = second.fe_params[0] = 9.0
    assert first.cov_re[0, 0] == first.vcomp[0] == first.fe_params[0] == 1.0


def test_roots_may_be_given():
    root = np.linalg.cholesky(COV)
    assert_allclose(MixedLMParams.from_components(cov_re_sqrt=root).cov_re, COV)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="square"):
        MixedLMParams.from_components(cov_re=np.ones((2, 3)))
    with pytest.raises(ValueError, match="needs 3 at least"):
        MixedLMParams.from_packed([1.0, 2.0], 0, 2, True, False)
