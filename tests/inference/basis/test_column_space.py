"""Whether columns are combinations of others."""

from __future__ import annotations

import numpy as np
import pytest

from mixedmodels.inference.basis.column_space import columns_within

RNG = np.random.default_rng(8)


@pytest.mark.parametrize("n", [7, 300, 120_000])
@pytest.mark.parametrize("spoil", [0.0, 1e-3])
@pytest.mark.parametrize("dependent", [False, True])
def test_combinations(n: int, spoil: float, dependent: bool) -> None:
    # Units that differ, and columns that are nearly or exactly the same.
    space = RNG.normal(size=(n, 5)) * [1e-9, 1.0, 1e9, 1.0, 1.0]
    if dependent:
        space[:, 3] = space[:, 1] * (1 + 1e-7) + 1e-7 * space[:, 4]
        space[:, 4] = space[:, 1] - space[:, 3]
    columns = (space / np.linalg.norm(space, axis=0)) @ RNG.normal(size=(5, 3))
    columns[:, 1] += spoil * RNG.normal(size=n) / np.sqrt(n)
    assert columns_within(columns, space) == (spoil == 0.0)


def test_powers_far_from_zero() -> None:
    x = np.linspace(1000.0, 1010.0, 500)
    powers = np.column_stack([x**k for k in range(4)])
    assert columns_within(np.polynomial.legendre.legvander((x - 1005) / 5, 2), powers)
    assert not columns_within(np.exp(x - 1005)[:, None], powers)


def test_nothing() -> None:
    zero = np.zeros((5, 1))
    assert columns_within(zero, np.zeros((5, 0)))
    assert columns_within(np.zeros((5, 0)), zero)
    assert not columns_within(np.ones((5, 1)), zero)
