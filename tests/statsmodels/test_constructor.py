"""Models from arrays: rows, names, groups and variance components."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from statsmodels.regression.mixed_linear_model import VCSpec as TheirSpec
from statsmodels.tools.sm_exceptions import MissingDataError

from mixedmodels import RankDeficiencyWarning, UndeterminedWarning
from mixedmodels.statsmodels import MixedLM, VCSpec

RNG = np.random.default_rng(3)
GROUPS = np.repeat(np.arange(20), 10)
X = np.column_stack([np.ones(200), RNG.normal(size=200)])
CELLS = np.tile([0, 0, 0, 1, 1, 1, 2, 2, 2, 2], 20)
CELL_EFFECTS = RNG.normal(size=(20, 3))
Y = X @ [1.0, 2.0] + RNG.normal(size=20)[GROUPS] + CELL_EFFECTS[GROUPS, CELLS] + RNG.normal(size=200)


def spec(kind=np.asarray, cls=VCSpec):
    indicators = [kind((CELLS[g == GROUPS][:, None] == np.arange(3)).astype(float)) for g in range(20)]
    return cls(["cell"], [[["a", "b", "c"]] * 20], [indicators])


def same(first, second):
    assert_allclose(first.params, second.params, rtol=1e-8)
    assert_allclose(first.llf, second.llf)


def test_what_a_model_says_of_itself():
    model = MixedLM(Y, X, GROUPS, exog_re=X, exog_vc=spec())
    assert (model.k_fe, model.k_re, model.k_re2, model.k_vc, model.k_params) == (2, 2, 3, 1, 5)
    assert (model.n_groups, model.nobs, model.n_totobs) == (20, 200, 200)
    assert model.group_labels == list(range(20))
    assert model.row_indices[1] == list(range(10, 20))
    assert model.data.param_names == [
        "const", "x1", "x_re1 Var", "x_re1 x x_re2 Cov", "x_re2 Var", "cell Var",
    ]  # fmt: skip
    assert_allclose(model.exog_re2_li[2], X[20:30].T @ X[20:30])
    assert_allclose(model.group_list(Y)[3], Y[30:40])


def test_rows_may_come_in_any_order():
    order = np.random.default_rng(1).permutation(200)
    same(MixedLM(Y, X, GROUPS, X).fit(), MixedLM(Y[order], X[order], GROUPS[order], X[order]).fit())


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, pd.DataFrame])
@pytest.mark.parametrize("cls", [VCSpec, TheirSpec])
def test_components_of_any_kind_of_matrix(kind, cls):
    same(MixedLM(Y, X, GROUPS, exog_vc=spec()).fit(), MixedLM(Y, X, GROUPS, exog_vc=spec(kind, cls)).fit())


def test_dictionaries_warn_and_may_lack_groups():
    matrices = {g: spec().mats[0][g] for g in range(20)}
    with pytest.warns(FutureWarning, match="deprecated variance"):
        same(
            MixedLM(Y, X, GROUPS, exog_vc={"cell": matrices}).fit(),
            MixedLM(Y, X, GROUPS, exog_vc=spec()).fit(),
        )
    del matrices[4]
    with pytest.warns(FutureWarning):
        result = MixedLM(Y, X, GROUPS, exog_vc={"cell": matrices}).fit()
    assert [len(result.random_effects[g]) for g in (3, 4)] == [3, 0]
    with pytest.warns(FutureWarning), pytest.raises(ValueError, match="99, no group"):
        MixedLM(Y, X, GROUPS, exog_vc={"cell": {99: np.ones((10, 1))}})


def test_matrices_must_fit_their_groups():
    bad = VCSpec(["cell"], [[["a"]] * 20], [[np.ones((10, 1))] * 19 + [np.ones((9, 1))]])
    with pytest.raises(ValueError, match="group 19 has 9 rows, but the group has 10"):
        MixedLM(Y, X, GROUPS, exog_vc=bad).fit()
    with pytest.raises(ValueError, match="19 matrices, but there are 20"):
        MixedLM(Y, X, GROUPS, exog_vc=VCSpec(["cell"], [[["a"]] * 19], [[np.ones((10, 1))] * 19])).fit()


def test_missing_rows_are_dropped_refused_or_raised():
    y, x, labels = Y.copy(), X.copy(), GROUPS.astype(float)
    y[3], x[17, 1], labels[55] = np.nan, np.nan, np.nan
    whole = np.ones(200, dtype=bool)
    whole[[3, 17, 55]] = False
    dropped = MixedLM(y, x, labels, exog_re=X, missing="drop")
    assert dropped.nobs == 197
    same(dropped.fit(), MixedLM(Y[whole], X[whole], GROUPS[whole], X[whole]).fit())
    with pytest.raises(MissingDataError):
        MixedLM(y, x, labels, missing="raise")
    for parts in ((y, X, GROUPS), (Y, x, GROUPS), (Y, X, labels), (Y, X, GROUPS, x)):
        with pytest.raises((MissingDataError, ValueError), match=r"missing|nans"):
            MixedLM(*parts)
    with pytest.raises(ValueError, match="'none', 'drop' or 'raise'"):
        MixedLM(Y, X, GROUPS, missing="ignore")


def test_components_lose_the_rows_that_are_dropped():
    y = Y.copy()
    y[[5, 6]] = np.nan
    # All of the group 2, too.
    y[20:30] = np.nan
    whole = ~np.isnan(y)
    kept = [g for g in range(20) if g != 2]
    mats = [[spec().mats[0][g][whole[g == GROUPS]] for g in kept]]
    less = MixedLM(
        Y[whole], X[whole], GROUPS[whole], exog_vc=VCSpec(["cell"], [[["a", "b", "c"]] * 19], mats)
    )
    dropped = MixedLM(y, X, GROUPS, exog_vc=spec(), missing="drop")
    same(dropped.fit(), less.fit())
    assert dropped.exog_vc.mats[0][0].shape == (8, 3)


@pytest.mark.parametrize("kind", [pd, pl])
def test_frames_name_the_parameters(kind):
    frame = kind.DataFrame({"one": X[:, 0], "dose": X[:, 1]})
    result = MixedLM(kind.Series(Y), frame, kind.Series(GROUPS.astype(str)), exog_re=frame).fit()
    assert list(result.params.index) == ["one", "dose", "one Var", "one x dose Cov", "dose Var"]
    same(result, MixedLM(Y, X, GROUPS, X).fit())


def test_names_that_clash_or_are_taken():
    frame = pd.DataFrame(np.column_stack([X[:, 1], X[:, 0], X[:, 1] ** 2]), columns=["Intercept", "x", "x"])
    result = MixedLM(pd.Series(Y, name="x"), frame, pd.Series(GROUPS, name="x")).fit()
    assert_allclose(result.llf, MixedLM(Y, np.column_stack([X, X[:, 1] ** 2]), GROUPS).fit().llf)


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match="exog has 199 rows, but endog has 200"):
        MixedLM(Y, X[:-1], GROUPS)
    with pytest.raises(ValueError, match="no argument 'weights'"):
        MixedLM(Y, X, GROUPS, weights=np.ones(200))


def test_columns_that_depend_on_others_are_zero_with_a_missing_standard_error():
    with pytest.warns(RankDeficiencyWarning, match="exog: column x2 depends on the columns before"):
        result = MixedLM(Y, np.column_stack([X, X @ [1.0, 2.0]]), GROUPS).fit()
    plain = MixedLM(Y, X, GROUPS).fit()
    assert_allclose(result.fe_params, [*plain.fe_params, 0.0])
    assert_allclose(result.bse, [*plain.bse[:2], np.nan, plain.bse[2]])
    assert_allclose(result.llf, plain.llf)


def test_columns_that_are_equal_and_have_one_name():
    frame = pd.DataFrame(X[:, [0, 1, 1]], columns=["one", "x", "x"])
    with pytest.warns(RankDeficiencyWarning, match="column x depends"):
        result = MixedLM(Y, frame, GROUPS).fit()
    assert_allclose(result.params, np.insert(MixedLM(Y, X, GROUPS).fit().params, 2, 0.0))
    with pytest.warns(UndeterminedWarning, match="a and a are linearly dependent"):
        twice = MixedLM(Y, X, GROUPS, exog_re=pd.DataFrame(X[:, [0, 0]], columns=["a", "a"])).fit()
    assert_allclose(twice.llf, MixedLM(Y, X, GROUPS).fit().llf)
