"""Terms with more variances and covariances than the data determine, or a search can handle."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import DataError, MixedModelError, fit_many, glmer, lmer, load_sleepstudy
from mixedmodels.design.model_size import check_covariance_size


def sample(levels: int, n: int = 12_000) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    i = np.arange(n)
    return pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "p": rng.integers(0, 2, n),
            "x": rng.normal(size=n),
            "f": pd.Categorical(i % levels),
            "g": i % 7,
        }
    )


@pytest.mark.parametrize("levels", [300, 3_000])
@pytest.mark.parametrize("term", ["(f | g)", "(0 + f | g)", "(f:x | g)", "(x + f | g)"])
def test_a_factor_of_hundreds_of_levels_is_refused_at_once(term, levels):
    data = sample(levels)
    parameters = {"(x + f | g)": levels + 1, "(f:x | g)": levels + 1}.get(term, levels)
    parameters = parameters * (parameters + 1) // 2
    start = time.perf_counter()
    with pytest.raises(DataError) as caught:
        lmer(f"y ~ 1 + {term}", data)
    assert time.perf_counter() - start < 5.0
    text = str(caught.value)
    for part in (
        term,
        f"{parameters:,}",
        "7 levels of 'g'",
        "12,000",
        "(1 | g:f)",
        "||",
        "fewer levels of 'f'",
    ):
        assert part in text


def test_generalized_models_and_many_responses_too():
    data = sample(300)
    for fit in (
        lambda: glmer("p ~ 1 + (f | g)", data, "binomial"),
        lambda: fit_many("~ 1 + (f | g)", data, ["y"]),
    ):
        with pytest.raises(DataError, match="45,150 variances and covariances"):
            fit()


def test_costs_are_a_reason_where_numbers_are_not():
    with pytest.raises(DataError, match=r"20,100 .*would take hours"):
        check_covariance_size("(f | g)", 200, ("g", 10), ["f"], 10**9)
    check_covariance_size("(f | g)", 100, ("g", 10), ["f"], 10**9)


def test_many_numeric_columns_are_refused_without_a_factor_to_name():
    with pytest.raises(DataError, match=r"1,830 variances.*use \(x \|\| g\) for independent effects$"):
        check_covariance_size("(x | g)", 60, ("g", 80), [], 1_800)
    check_covariance_size("(x | g)", 60, ("g", 80), [], 1_900)


def test_small_terms_are_tried_whatever_their_number():
    check_covariance_size("(x | g)", 10, ("g", 8), [], 40)


def test_large_terms_that_the_data_determine_are_fitted():
    sleep = load_sleepstudy()
    sleep["D"] = sleep["Days"].astype(str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(lmer("Reaction ~ 1 + (D | Subject)", sleep).theta) == 55
        wide = sample(9, 400).assign(h=np.arange(400) % 11)
        assert len(lmer("y ~ 1 + (f | g) + (1 | h)", wide).theta) == 46


def test_independent_effects_are_not_refused_for_their_number():
    data = sample(40, 900)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            assert len(lmer("y ~ 1 + (f || g)", data).theta) == 40
        except MixedModelError as error:  # pragma: no cover
            raise AssertionError(str(error)) from error
