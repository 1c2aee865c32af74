"""Models that would not end, or for which there is no memory, are refused before anything is allocated."""

from __future__ import annotations

import re
import time
import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import Control, DataError, fit_many, glmer, lmer, load_insteval, load_sleepstudy
from mixedmodels.covariance import structure_of
from mixedmodels.design.model_size import TermSize, check_model_size, predicted_bytes, predicted_seconds
from mixedmodels.errors import MemoryLimitError


def sample(f: int, g: int, n: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "p": rng.integers(0, 2, n),
            "x": rng.normal(size=n),
            "f": pd.Categorical(np.arange(n) % f),
            "g": pd.Categorical(rng.integers(0, g, n)),
            "row": np.arange(n),
        }
    )


def size(k: int, levels: int, *, double_bar: bool = False, text: str = "(f | g)") -> TermSize:
    return TermSize(text, structure_of("diag" if double_bar else "us", k), "g", levels, ("f",))


FITS = {
    "lmer": lambda term, data, **k: lmer(f"y ~ 1 + {term}", data, **k),
    "glmer": lambda term, data, **k: glmer(f"p ~ 1 + {term}", data, "binomial", **k),
    "fit_many": lambda term, data, **k: fit_many(f"~ 1 + {term}", data, ["y"], **k),
}


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("levels", [300, 3_000])
def test_as_many_effects_as_observations_are_refused_at_once_where_the_fit_would_take_long(fit, levels):
    data = sample(levels, 50, 12_000)
    start = time.perf_counter()
    with pytest.raises(DataError) as caught:
        FITS[fit]("(g | f)", data)
    assert time.perf_counter() - start < 1.0
    text = str(caught.value)
    for part in (
        f"(g | f): 50 correlated effects for each of {levels:,} levels of 'f' have 1,275 variances",
        f"{50 * levels:,} random effects for 12,000 observations",
        "(1 | f) + (1 | f:g) for two variances",
        "(g || f) for independent effects",
        "fewer levels of 'g'",
    ):
        assert part in text


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.filterwarnings("ignore:.*double bar")
def test_a_variance_for_each_of_thousands_of_levels_is_refused_within_a_second(fit):
    data = sample(3_000, 7, 12_000)
    start = time.perf_counter()
    with pytest.raises(DataError, match=r"3,000 variances, .* days; use .*or fewer levels of 'f'$"):
        FITS[fit]("(0 + f || g)", data)
    assert time.perf_counter() - start < 1.0


def test_all_terms_count_and_the_largest_is_named():
    one = size(34, 100, text="(a | g)")
    assert one.parameters == 595
    check_model_size([one], 40_000)
    two = [one, size(33, 100, text="(b | h)")]
    with pytest.raises(
        DataError, match=r"^\(a \| g\): .* 595 .*\(1,156 in the whole model\), more than 1,100"
    ):
        check_model_size(two, 1_100)
    check_model_size(two, 40_000)


def test_fewer_levels_than_correlated_effects_are_refused_where_the_fit_takes_long():
    with pytest.raises(DataError, match=r"1,275 .*which 40 levels cannot determine, and .* minutes"):
        check_model_size([size(50, 40)], 10**6)
    check_model_size([size(50, 60)], 10**6)
    check_model_size([size(20, 8)], 10**6)


def test_fits_of_minutes_pass_and_fits_of_many_hours_do_not():
    minutes, hours = size(50, 100), size(100, 100)
    assert 60 < predicted_seconds([minutes]) < 3600
    check_model_size([minutes], 10**6)
    with pytest.raises(
        DataError, match=r"5,050 variances and covariances, and the fit would take about \d hours"
    ):
        check_model_size([hours], 20_000)
    check_model_size([hours], 20_000, tries_all=True)


def test_memory_that_is_not_there_is_named():
    wide = size(50, 10**9, double_bar=True)
    with pytest.raises(MemoryLimitError, match=r"^\(f \| g\): .* needs at least [\d,.]+ GiB of memory"):
        check_model_size([wide], 10**11, tries_all=True)


def test_the_predicted_memory_is_a_lower_bound_and_not_a_large_one_of_large_models():
    million = predicted_bytes([size(2, 100_000)], 10**6)
    assert million < 60e6


def test_legal_large_models_pass():
    sizes = {
        "a million rows": ([size(2, 200_000)], 10**6),
        "a million levels of one slope": ([size(2, 10**6)], 3 * 10**6),
        "maximal crossed": ([size(8, 60), size(8, 400)], 20_000),
        "two wide factors": ([size(14, 2_972), size(8, 1_128)], 73_421),
    }
    for terms, n in sizes.values():
        check_model_size(terms, n)
    polynomials = load_sleepstudy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(lmer("Reaction ~ 1 + (poly(Days, 9) | Subject)", polynomials).theta) == 55
        assert len(lmer("y ~ service + (1 | s) + (service | d)", load_insteval()).theta) == 4


def test_control_lets_pass_what_the_data_may_not_determine():
    data = sample(40, 30, 700)
    with pytest.raises(DataError, match=r"as many levels \(700\) as there are rows \(700\)"):
        lmer("y ~ 1 + (1 | row)", data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        control = Control(check_effects="ignore")
        assert len(lmer("y ~ 1 + (1 | row)", data, control=control).theta) == 1
        assert fit_many("~ 1 + (1 | row)", data, ["y"], control=control).status[0] != "failed"
        # Neither is an error of a generalized model.
        assert len(glmer("p ~ 1 + (1 | row)", data, "binomial").theta) == 1


def test_generalized_models_warn_of_more_effects_than_observations():
    data = sample(5, 20, 60)
    data["pair"] = np.arange(60) % 30
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        glmer("p ~ x + (x | pair)", data, "binomial")
    assert not any("random effects" in str(w.message) for w in caught)
    match = r"\(x \| row\) has 120 random effects \(2 for each of 60 levels of 'row'\) for 60 observations"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        glmer("p ~ 1 + (x | row)", data, "binomial")
    assert any(re.search(match, str(w.message)) for w in caught)
    with pytest.raises(DataError, match=match):
        glmer("p ~ 1 + (x | row)", data, "binomial", control={"check_effects": "error"})
