"""Coefficients and names of contrasts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels.errors import ArgumentError
from mixedmodels.means.contrast_weights import make_contrasts

ABC = ["A", "B", "C"]


@pytest.mark.parametrize(
    ("method", "names", "weights"),
    [
        ("pairwise", ["A - B", "A - C", "B - C"], [[1, -1, 0], [1, 0, -1], [0, 1, -1]]),
        ("trt.vs.ctrl", ["B - A", "C - A"], [[-1, 1, 0], [-1, 0, 1]]),
        ("consec", ["B - A", "C - B"], [[-1, 1, 0], [0, -1, 1]]),
        ("poly", ["linear", "quadratic"], [[-1, 0, 1], [1, -2, 1]]),
        ("eff", ["A effect", "B effect", "C effect"], np.eye(3) - 1 / 3),
        ("del.eff", ["A effect", "B effect", "C effect"], 1.5 * np.eye(3) - 0.5),
    ],
)
def test_the_kinds_of_contrasts(method, names, weights):
    found = make_contrasts(method, ABC, ratios=False)
    assert list(found.names) == names
    np.testing.assert_allclose(found.weights, weights, atol=1e-12)


def test_a_control_and_the_other_way_round():
    found = make_contrasts("trt.vs.ctrl", ABC, ratios=True, ref="B", reverse=True)
    assert found.names == ("B / A", "B / C")
    np.testing.assert_array_equal(found.weights, [[-1, 1, 0], [0, 1, -1]])


def test_polynomials_are_the_integers_of_the_tables():
    found = make_contrasts("poly", list("abcdefgh"), ratios=False)
    assert found.names == ("linear", "quadratic", "cubic", "quartic", "degree 5", "degree 6")
    # Fisher & Yates, Table XXIII, n = 8.
    np.testing.assert_array_equal(found.weights[0], [-7, -5, -3, -1, 1, 3, 5, 7])
    np.testing.assert_array_equal(found.weights[1], [7, 1, -3, -5, -5, -3, 1, 7])
    np.testing.assert_array_equal(found.weights[4], [-7, 23, -17, -15, 15, 17, -23, 7])


def test_labels_that_look_like_formulas_are_enclosed():
    assert make_contrasts("pairwise", ["A - B", "C"], ratios=False).names == ("(A - B) - C",)


def test_own_contrasts():
    named = make_contrasts({"one": [1, 0, 0], "rest": [0, 0.5, 0.5]}, ABC, ratios=False)
    assert named.names == ("one", "rest")
    frame = pd.DataFrame([[1, 0, -1]], index=pd.Index(["ends"]))
    assert make_contrasts(frame, ABC, ratios=False).names == ("ends",)
    assert make_contrasts([1, 0, -1], ABC, ratios=False).names == ("contrast 1",)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("helmert", {}, "method must be one of"),
        ([1, -1], {}, "a contrast needs 3 weights"),
        ({"x": [1, np.nan, 0]}, {}, "must be finite"),
        ({"x": ["a", "b", "c"]}, {}, "method must be the name"),
        ("pairwise", {"ref": "A"}, "ref= is for"),
        ("trt.vs.ctrl", {"ref": "D"}, "ref must be one of"),
        ("eff", {"reverse": True}, "reverse= is for"),
    ],
)
def test_what_is_no_contrast_is_refused(method, options, message):
    with pytest.raises(ArgumentError, match=message):
        make_contrasts(method, ABC, ratios=False, **options)
