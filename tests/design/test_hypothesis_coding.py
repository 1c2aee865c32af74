"""Contrasts from hypotheses, from a base and in another order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import lmer, load_machines
from mixedmodels.design import make_contrast
from mixedmodels.errors import ArgumentError

LABELS = ("p", "q", "r", "s")
MEANS = np.array([3.0, 5.0, 4.0, 9.0])
HELMERT = {
    "q": {"p": -1, "q": 1},
    "r": {"p": -0.5, "q": -0.5, "r": 1},
    "s": {"p": -1 / 3, "q": -1 / 3, "r": -1 / 3, "s": 1},
}


def coefficients(contrast, means=MEANS):
    assert contrast.matrix is not None
    return np.linalg.solve(np.column_stack([np.ones(len(means)), contrast.matrix]), means)


def test_the_matrix_is_the_generalized_inverse():
    """ginv(rbind(c(-1, 1, 0, 0), c(-1/2, -1/2, 1, 0), c(-1/3, -1/3, -1/3, 1))) of R's MASS."""
    contrast = make_contrast(("hypothesis", HELMERT), LABELS, "f")
    assert contrast.names == ("q", "r", "s")
    expected = [[-1 / 2, -1 / 3, -1 / 4], [1 / 2, -1 / 3, -1 / 4], [0, 2 / 3, -1 / 4], [0, 0, 3 / 4]]
    np.testing.assert_allclose(contrast.matrix, expected, atol=1e-14)


def test_coefficients_are_the_hypotheses():
    weights = {
        "q-p": [-1, 1, 0, 0],
        "s": {"s": 1, "p": -1 / 2, "r": -1 / 2},
        "halves": [-0.5, -0.5, 0.5, 0.5],
    }
    found = coefficients(make_contrast(("hypothesis", weights), LABELS, "f"))
    np.testing.assert_allclose(found, [MEANS.mean(), 2.0, 5.5, 2.5])


def test_an_intercept_of_ones_own():
    weights = {"(Intercept)": {"p": 1}, **{f"{a}-p": {a: 1, "p": -1} for a in "qrs"}}
    found = make_contrast(("hypothesis", weights), LABELS, "f")
    assert found.names == ("q-p", "r-p", "s-p")
    np.testing.assert_allclose(found.matrix, np.eye(4)[:, 1:], atol=1e-14)
    rows = [[1, 0, 0, 0], [-1, 1, 0, 0], [0, -1, 1, 0], [0, 0, -1, 1]]
    np.testing.assert_allclose(
        coefficients(make_contrast(("hypothesis", rows), LABELS, "f")), [3.0, 2.0, -1.0, 5.0]
    )


def test_forms_of_the_same_hypotheses():
    by_level = make_contrast(("hypothesis", HELMERT), LABELS, "f")
    frame = pd.DataFrame(HELMERT).T.fillna(0.0)[list("srqp")]
    numbers = [[row.get(level, 0.0) for level in LABELS] for row in HELMERT.values()]
    for given in (
        frame,
        numbers,
        np.array(numbers),
        dict(zip("qrs", numbers, strict=True)),
    ):
        np.testing.assert_allclose(
            make_contrast(("hypothesis", given), LABELS, "f").matrix, by_level.matrix, atol=1e-14
        )
    assert make_contrast(("hypothesis", numbers), LABELS, "f").names == ("1", "2", "3")
    assert make_contrast(("hypothesis", [-1, 1]), ("p", "q"), "f").matrix.tolist() == [[-0.5], [0.5]]


def test_estimates_are_differences_of_means():
    data = load_machines()
    weights = {"B-A": {"B": 1, "A": -1}, "C-rest": {"C": 1, "A": -0.5, "B": -0.5}}
    model = lmer("score ~ Machine + (1 | Worker)", data, contrasts={"Machine": ("hypothesis", weights)})
    a, b, c = data.groupby("Machine", observed=True)["score"].mean()
    assert model.fixef().to_dict() == pytest.approx(
        {"(Intercept)": (a + b + c) / 3, "Machine[B-A]": b - a, "Machine[C-rest]": c - (a + b) / 2}
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"a": [1, -1, 0, 0]}, "need 3 hypotheses"),
        ({"a": [1, -1, 0, 0], "b": [2, -2, 0, 0], "c": [0, 0, 1, -1]}, "follows from the others"),
        ({"a": [1, -1, 0, 0], "b": [1, 0, 0, 0], "c": [0, 0, 1, -1]}, "'b' must sum to 0, not 1"),
        (
            {"(Intercept)": [1, 1, 0, 0], "a": [1, -1, 0, 0], "b": [1, 0, -1, 0], "c": [1, 0, 0, -1]},
            "sum to 1",
        ),
        ({"a": {"z": 1}, "b": {}, "c": {}}, "'z' in the hypothesis 'a' is not one of the levels"),
        ({"a": [1, -1], "b": {}, "c": {}}, "'a' needs a weight for each of 4 levels"),
        ({"a": ["much", 1, 1, 1], "b": {}, "c": {}}, "must be numbers"),
        ({"a": [np.inf, -1, 0, 0], "b": {}, "c": {}}, "not finite"),
        ([[1, -1, 0, 0]], r"shape \(1, 4\)"),
        (pd.DataFrame([[1, -1]], columns=["p", "q"]), "columns of the hypotheses"),
        (None, "shape|numbers"),
    ],
)
def test_what_is_no_hypothesis(weights, message):
    with pytest.raises(ArgumentError, match=message):
        make_contrast(("hypothesis", weights), LABELS, "f")


def test_sum_contrasts_of_a_base():
    contrast = make_contrast(("effects", "q"), LABELS, "f")
    assert contrast.names == ("S.p", "S.r", "S.s")
    np.testing.assert_array_equal(contrast.matrix, [[1, 0, 0], [-1, -1, -1], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(coefficients(contrast), [5.25, -2.25, -1.25, 3.75])


@pytest.mark.parametrize("name", ["treatment", "sum", "helmert", "poly", "diff", "SAS"])
def test_another_order_is_that_of_a_factor_with_its_levels_in_that_order(name):
    order = ["r", "p", "s", "q"]
    found = make_contrast((name, order), LABELS, "f")
    releveled = make_contrast(name, order, "f")
    assert (found.names, found.r_names) == (releveled.names, releveled.r_names)
    theirs = releveled.matrix
    if theirs is None:
        theirs = np.delete(np.eye(4), releveled.base, axis=1)
    np.testing.assert_array_equal(found.matrix, theirs[[order.index(label) for label in LABELS]])


@pytest.mark.parametrize("order", [["r", "p"], ["r", "p", "s", "s"], ["r", "p", "s", "q", "q"]])
def test_an_order_has_each_level_once(order):
    with pytest.raises(ArgumentError, match="once"):
        make_contrast(("helmert", order), LABELS, "f")


def test_an_order_may_have_levels_without_rows():
    found = make_contrast(("diff", ["r", "z", "p", "s", "q"]), LABELS, "f")
    expected = make_contrast(("diff", ["r", "p", "s", "q"]), LABELS, "f")
    assert found.names == expected.names
    np.testing.assert_array_equal(found.matrix, expected.matrix)


@pytest.mark.parametrize("hypotheses", [True, False])
def test_contrasts_have_different_names(hypotheses):
    weights = pd.DataFrame([[1, -1, 0], [0, 1, -1]], index=["a", "a"], columns=list("pqr"))
    spec = ("hypothesis", weights) if hypotheses else weights.T
    with pytest.raises(ArgumentError, match="two contrasts have the name 'a'"):
        make_contrast(spec, ["p", "q", "r"], "f")
