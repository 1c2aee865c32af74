"""Triangular roots of Z'WZ/n, and what they tell of singular fits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from mixedmodels.fit.endpoint.singularity import (
    _regular,
)
from mixedmodels.fit.endpoint.term_roots import (
    root_of,
)


def random_z(kind: str, k: int) -> np.ndarray:
    rng = np.random.default_rng(k)
    z = rng.normal(size=(50, k))
    z[:, 0] = 1.0
    if kind == "far from zero":
        z[:, 1:] += 1e6
    elif kind == "dependent":
        z[:, -1] = 2 * z[:, 0] - z[:, k // 2]
    elif kind == "nearly dependent":
        z[:, -1] = z[:, 0] + 1e-7 * z[:, -1]
    elif kind == "empty column":
        z[:, -1] = 0.0
    elif kind == "huge":
        z *= 1e200
    elif kind == "tiny":
        z *= 1e-200
    return z


KINDS = ["plain", "far from zero", "dependent", "nearly dependent", "empty column", "huge", "tiny"]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("kind", "k"), [(kind, k) for kind in KINDS for k in (1, 2, 5) if k > 1 or "dependent" not in kind]
)
def test_roots_are_those_of_an_orthogonal_factorisation(kind: str, k: int, weighted: bool) -> None:
    z = random_z(kind, k)
    weights = np.random.default_rng(9).uniform(0.5, 2, size=len(z)) if weighted else None
    root = root_of(z, weights)
    assert not root.flags.writeable
    expected = np.linalg.qr(z if weights is None else z * np.sqrt(weights)[:, None], mode="r") / np.sqrt(
        len(z)
    )
    signs = np.where(np.sign(np.diag(expected)) == np.sign(np.diag(root)), 1.0, -1.0)
    # A nearly dependent column keeps half of its digits.
    tolerance = 1e-7 * np.abs(expected).max(axis=0)
    assert (np.abs(signs[:, None] * expected - root) <= tolerance).all()


@given(
    k=st.integers(1, 5),
    seed=st.integers(0, 1000),
    size=st.floats(-12, 3),
    tol=st.sampled_from([0.0, 1e-5, 1e-2]),
)
def test_the_determinant_never_hides_a_singular_term(k: int, seed: int, size: float, tol: float) -> None:
    rng = np.random.default_rng(seed)
    root, factor = np.triu(rng.normal(size=(k, k))), np.tril(rng.normal(size=(k, k)))
    factor[:, -1] *= 10.0**size
    values = np.linalg.svd(root @ factor, compute_uv=False)
    regular = _regular(root @ factor, root, factor, tol)
    if regular:
        assert values[-1] >= max(tol, 1e-13 * values[0]) * (1 - 1e-9)
    elif k == 1:
        assert values[-1] < tol or values[-1] == 0.0


def test_a_factor_of_zeros_is_not_regular() -> None:
    zero = np.zeros((2, 2))
    assert not _regular(zero, np.eye(2), zero, 0.0)
    assert _regular(np.eye(2), np.eye(2), np.eye(2), 1e-5)
