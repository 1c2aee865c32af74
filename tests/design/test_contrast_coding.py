"""Contrast matrices against R's definitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from formulaic.transforms import contrasts

from mixedmodels.design import make_contrast
from mixedmodels.errors import ArgumentError

LABELS = ("p", "q", "r", "s")


def test_treatment_leaves_out_its_base() -> None:
    first, third = make_contrast("treatment", LABELS, "f"), make_contrast(("treatment", "r"), LABELS, "f")
    assert (first.names, first.base) == (("T.q", "T.r", "T.s"), 0)
    assert (third.names, third.base) == (("T.p", "T.q", "T.s"), 2)
    assert make_contrast("contr.SAS", LABELS, "f").base == 3


def test_sum() -> None:
    contrast = make_contrast("contr.sum", LABELS, "f")
    assert contrast.names == ("S.p", "S.q", "S.r")
    np.testing.assert_array_equal(contrast.matrix, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]])


def test_helmert() -> None:
    contrast = make_contrast("helmert", LABELS, "f")
    assert contrast.names == ("H.q", "H.r", "H.s")
    np.testing.assert_array_equal(contrast.matrix, [[-1, -1, -1], [1, -1, -1], [0, 2, -1], [0, 0, 3]])


def test_poly() -> None:
    contrast = make_contrast("poly", LABELS, "f")
    assert contrast.names == (".L", ".Q", ".C")
    assert contrast.matrix is not None
    np.testing.assert_allclose(contrast.matrix[:, 0], np.array([-3, -1, 1, 3]) / np.sqrt(20))
    np.testing.assert_allclose(contrast.matrix[:, 1], [0.5, -0.5, -0.5, 0.5])
    assert make_contrast("poly", "abcdef", "f").names == (".L", ".Q", ".C", "^4", "^5")


def test_diff_compares_neighbours() -> None:
    contrast = make_contrast("contr.sdif", LABELS, "f")
    assert contrast.names == ("D.q", "D.r", "D.s")
    assert contrast.r_names == ("q-p", "r-q", "s-r")
    assert contrast.matrix is not None
    means = np.array([3.0, 5.0, 4.0, 9.0])
    whole = np.column_stack([np.ones(4), contrast.matrix])
    np.testing.assert_allclose(np.linalg.solve(whole, means), [5.25, 2, -1, 5])


@pytest.mark.parametrize("n", range(2, 12))
@pytest.mark.parametrize(
    ("kind", "theirs"),
    [
        ("treatment", contrasts.TreatmentContrasts()),
        ("SAS", contrasts.SASContrasts()),
        ("sum", contrasts.SumContrasts()),
        ("helmert", contrasts.HelmertContrasts()),
        ("diff", contrasts.DiffContrasts()),
        ("poly", contrasts.PolyContrasts()),
    ],
)
def test_every_coding_is_that_of_formulaic(kind: str, theirs: contrasts.Contrasts, n: int) -> None:
    labels = [f"level {i}" for i in range(n)]
    found = make_contrast(kind, labels, "f")
    expected = theirs.get_coding_matrix(labels)
    matrix = np.delete(np.eye(n), found.base, axis=1) if found.matrix is None else found.matrix
    # formulaic's polynomials lose their orthogonality as the levels grow: 1e-4 of 1 at 50 levels.
    np.testing.assert_allclose(matrix, expected, rtol=0, atol=1e-13 if kind == "poly" else 0)
    written = [
        theirs.get_factor_format(labels, reduced_rank=True).format(name="f", field=c) for c in expected
    ]
    assert [f"f[{name}]" for name in found.names] == written


@pytest.mark.parametrize("n", [2, 5, 30, 90])
def test_poly_is_orthonormal_for_many_levels(n: int) -> None:
    matrix = make_contrast("poly", tuple(map(str, range(n))), "f").matrix
    assert matrix is not None
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(n - 1), atol=1e-10)
    np.testing.assert_allclose(matrix.sum(axis=0), 0, atol=1e-10)


def test_a_matrix_of_ones_own() -> None:
    matrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert make_contrast(matrix, LABELS, "f").names == ("1", "2", "3")
    table = pd.DataFrame(matrix, index=list("psrq"), columns=["u", "v", "w"])
    contrast = make_contrast(table, LABELS, "f")
    assert contrast.names == ("u", "v", "w")
    np.testing.assert_array_equal(contrast.matrix, [[1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0]])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fancy", "is unknown"),
        (("treatment", "nowhere"), "not one of its levels"),
        (("helmert", "p"), "only treatment and sum"),
        (np.eye(4), r"shape \(4, 4\)"),
        (np.full((4, 3), np.nan), "not finite"),
        (pd.DataFrame(np.zeros((4, 3)), index=list("pqrx")), "rows of the DataFrame"),
        (object(), "give a name"),
        ("", "is unknown"),
    ],
)
def test_what_is_no_contrast(spec: object, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make_contrast(spec, LABELS, "f")
