"""Every form of a response, and every way in which one can be wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from design.building import build_generalized_design
from mixedmodels.errors import ArgumentError, DataError
from mixedmodels.families import FAMILIES, Binomial, as_family, user

N = 12
HITS = np.array([3, 0, 4, 1, 2, 2, 0, 1, 3, 4, 2, 1])
TRIALS = np.array([4, 1, 4, 2, 5, 4, 2, 3, 3, 6, 2, 1])


def data(**columns):
    return pd.DataFrame(
        {
            "g": list("aabbccaabbcc"),
            "hits": HITS,
            "misses": TRIALS - HITS,
            "trials": TRIALS,
            "share": HITS / TRIALS,
            "one": (HITS > 1).astype(int),
            **columns,
        }
    )


def build(response, family="binomial", frame=None, **options):
    frame = data() if frame is None else frame
    return build_generalized_design(f"{response} ~ 1 + (1 | g)", frame, as_family(family), **options)


def test_counts():
    design = build("cbind(hits, trials - hits)")
    np.testing.assert_array_equal(design.y, HITS)
    np.testing.assert_array_equal(design.weights, TRIALS)
    np.testing.assert_allclose(design.observed, HITS / TRIALS)
    assert design.form.kind == "counts"
    assert design.response_name == "cbind(hits, trials - hits)"
    assert not design.y.flags.writeable
    assert not design.weights.flags.writeable


def test_proportions():
    by_name = build("share", weights="trials")
    by_value = build("I(hits / trials)", weights=pl.Series(TRIALS))
    for design in (by_name, by_value):
        np.testing.assert_array_equal(design.y, HITS)
        np.testing.assert_array_equal(design.weights, TRIALS)
        assert design.form.kind == "proportion"
    # Rounded to six digits they are still of these trials.
    rounded = build("share", frame=data(share=np.round(HITS / TRIALS, 7)), weights="trials")
    np.testing.assert_array_equal(rounded.y, HITS)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((HITS > 1).astype(int), "number"),
        ((HITS > 1).astype(float), "number"),
        (HITS > 1, "bool"),
        (np.where(HITS > 1, "yes", "no"), "labels"),
        (pd.Categorical(np.where(HITS > 1, "b", "a"), categories=["a", "unused", "b"]), "labels"),
        (pd.Categorical(np.where(HITS > 1, "low", "top"), categories=["top", "low"]), "labels"),
    ],
)
def test_single_trials(values, kind):
    design = build("one", frame=data(one=values))
    np.testing.assert_array_equal(design.y, HITS > 1)
    assert design.weights is None
    assert design.form.kind == kind
    np.testing.assert_array_equal(design.observed, HITS > 1)


def test_a_condition_is_a_response():
    np.testing.assert_array_equal(build("I(hits > 1)").y, HITS > 1)


def test_a_matrix_of_ones_own():
    design = build("two(hits, misses)", functions={"two": lambda a, b: np.column_stack([a, b])})
    np.testing.assert_array_equal(design.weights, TRIALS)


def test_trials_that_are_all_one_count_as_none():
    assert build("one", weights=np.ones(N)).weights is None


def test_missing_values_as_in_lmer():
    share = np.where(np.arange(N) == 4, np.nan, HITS / TRIALS)
    design = build("share", frame=data(share=share), weights="trials", na_action="exclude")
    assert len(design.y) == N - 1
    assert design.missing.columns == {"share": 1}
    with pytest.raises(DataError, match=r"missing values in 'share' \(1\)"):
        build("share", frame=data(share=share), weights="trials", na_action="fail")


def changed(values, row, value):
    values = np.array(values, dtype=float)
    values[row] = value
    return values


@pytest.mark.parametrize(
    ("response", "columns", "weights", "message"),
    [
        ("one", {"one": list("abcabcabcabc")}, None, "one has 3 levels .*'a', 'b', 'c'.*two levels"),
        ("one", {"one": ["a"] * N}, None, "one is constant"),
        ("share", {}, None, r"share is 0\.75 in row 0 .*weights=.*cbind"),
        ("hits", {}, None, "hits is 3 in row 0 .*must be 0 or 1"),
        ("share", {"share": changed(HITS / TRIALS, 3, 1.2)}, "trials", "1.2 in row 3 .*between 0 and 1"),
        (
            "share",
            {"share": changed(HITS / TRIALS, 5, 0.3)},
            "trials",
            r"0\.3 of 4 trials in row 5 .*1\.2 succ",
        ),
        ("share", {"trials": changed(TRIALS, 2, 0)}, "trials", "trials is 0 in row 2 .*subset"),
        ("share", {"trials": changed(TRIALS, 2, 2.5)}, "trials", "trials is 2.5 in row 2 .*whole"),
        ("share", {"trials": changed(TRIALS, 2, -1)}, "trials", "'trials' is negative in 1 row"),
        ("cbind(hits, misses)", {"hits": changed(HITS, 6, -1)}, None, "successes is -1 in row 6"),
        ("cbind(hits, misses)", {"misses": changed(HITS, 6, 1.5)}, None, "failures is 1.5 in row 6"),
        ("cbind(hits - hits, misses)", {"misses": changed(HITS, 7, 0)}, None, "no trials in row"),
        ("cbind(hits)", {}, None, "two columns"),
        ("cbind(hits, misses, trials)", {}, None, "two columns"),
        ("cbind(hits, g)", {}, None, "g must be a column of counts"),
    ],
)
def test_wrong_binomial_responses(response, columns, weights, message):
    with pytest.raises(DataError, match=message):
        build(response, frame=data(**columns), weights=weights)


def test_trials_twice():
    with pytest.raises(ArgumentError, match="only one of the two"):
        build("cbind(hits, misses)", weights="trials")


def test_rows_are_named_by_their_labels():
    frame = data(share=changed(HITS / TRIALS, 3, 1.2)).set_axis([f"r{i}" for i in range(N)])
    with pytest.raises(DataError, match="in row 'r3'"):
        build("share", frame=frame, weights="trials")
    # Without labels by their place in the data, also after others were left out.
    with pytest.raises(DataError, match="in row 3"):
        build("share", frame=data(share=frame["share"].to_numpy()), weights="trials", subset="hits != 0")


@pytest.mark.parametrize(
    ("family", "value", "message"),
    [
        ("poisson", -1, "hits is -1 in row 4 .*family poisson requires every value to be a whole number"),
        ("poisson", 1.5, "hits is 1.5 in row 4"),
        ("nbinom2", 0.5, "family nbinom2"),
        ("nbinom1", -2, "family nbinom1"),
        ("gamma", 0, "family gamma requires every value to be positive"),
        ("inverse_gaussian", -0.1, "family inverse_gaussian requires every value to be positive"),
        ("beta", 1, "family beta requires every value to be strictly between 0 and 1"),
        ("beta", 0, "hits is 0 in row 4"),
    ],
)
def test_values_outside_the_range(family, value, message):
    inside = np.full(N, 0.5) if family == "beta" else HITS + 1.0
    with pytest.raises(DataError, match=message):
        build("hits", family, data(hits=changed(inside, 4, value)))


@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "binomial"])
def test_other_families_take_numbers_only(family):
    with pytest.raises(DataError, match=f"g contains text or categories .*family {family} needs numbers"):
        build("g", family)
    with pytest.raises(DataError, match="several columns"):
        build("cbind(hits, misses)", family)


def test_prior_weights():
    weights = np.where(np.arange(N) == 2, 0.0, 1.5)
    design = build("hits", "poisson", weights=weights)
    assert len(design.y) == N - 1
    np.testing.assert_array_equal(design.weights, 1.5)
    np.testing.assert_array_equal(design.observed, np.delete(HITS, 2))


def test_a_random_effect_for_each_row_is_no_error():
    frame = data(row=[f"r{i}" for i in range(N)])
    design = build_generalized_design("cbind(hits, misses) ~ 1 + (1 | row)", frame, Binomial())
    assert len(design.terms[0].group.levels) == N


def test_a_family_of_ones_own_takes_any_number():
    def square(y, eta, weights):
        return -weights * (y - eta) ** 2 / 2

    own = user(square, lambda y, e, w: w * (y - e), lambda y, e, w: w * 1.0, lambda y, e, w: 0.0 * y)
    assert build("I(hits - 2.5)", own).y[0] == 0.5


@pytest.mark.parametrize("response", ["hits / trials", "I(hits / trials)", "hits / (hits + misses)"])
def test_successes_by_trials(response):
    counts, ratio = build("cbind(hits, misses)"), build(response)
    np.testing.assert_array_equal(ratio.y, counts.y)
    np.testing.assert_array_equal(ratio.weights, counts.weights)
    assert ratio.form == counts.form
    # With weights it is a proportion, as in R.
    np.testing.assert_array_equal(build(response, weights="trials").y, counts.y)


def test_missing_successes_or_trials():
    frame = data(
        hits=np.where(np.arange(N) == 2, np.nan, HITS), trials=np.where(np.arange(N) == 5, np.nan, TRIALS)
    )
    design = build("hits / trials", frame=frame)
    np.testing.assert_array_equal(design.y, np.delete(HITS, [2, 5]))
    assert design.missing.columns == {"hits": 1, "trials": 1}


@pytest.mark.parametrize(
    ("response", "columns", "message"),
    [
        ("hits / misses", {}, r"hits / misses: 3 successes in 1 trials in row 0"),
        ("share / trials", {}, "the number of successes is 0.75 in row 0.*whole number"),
        ("hits / trials", {"trials": TRIALS + 0.5}, "the number of trials is 4.5 in row 0"),
        ("hits / trials", {"hits": HITS - 1}, "the number of successes is -1 in row 1"),
        ("hits / trials", {"hits": 0 * HITS, "trials": TRIALS - 1}, "there are no trials in row 1"),
        # A constant is no number of trials: a percentage is not so many successes.
        ("hits / 100", {}, "without numbers of trials every value must be 0 or 1"),
        ("hits / g", {}, "must be a column of counts"),
    ],
)
def test_ratios_that_count_nothing(response, columns, message):
    with pytest.raises(DataError, match=message):
        build(response, frame=data(**columns))


def test_ratios_of_other_families_are_numbers():
    design = build("hits / trials", family="gaussian", frame=data(hits=HITS + 0.25))
    np.testing.assert_allclose(design.y, (HITS + 0.25) / TRIALS)


@pytest.mark.parametrize("trials", [None, np.full(N, 10)])
def test_ratings_are_for_the_beta_family(trials):
    ratings = data(rating=np.linspace(0.05, 0.93, N))
    with pytest.raises(DataError, match=r"for continuous proportions, such as ratings, use family='beta'$"):
        build("rating", frame=ratings, weights=trials)
    assert len(build("rating", "beta", ratings).y) == N
    # With other values the beta family would not do.
    for least, most in ((0.0, 0.93), (1.5, 5.0)):
        with pytest.raises(DataError, match="the response rating is") as caught:
            build("rating", frame=data(rating=np.linspace(least, most, N)), weights=trials)
        assert "beta" not in str(caught.value)
