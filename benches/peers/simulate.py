"""Simulated data sets; a fixed seed each, so that a NumPy version gives the same numbers everywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd


def crossed() -> pd.DataFrame:
    """60 subjects x 40 items, one observation a cell, the conditions of a 2 x 2 design in a Latin square."""
    rng = np.random.default_rng(20240517)
    n_subjects, n_items = 60, 40
    subject = np.repeat(np.arange(n_subjects), n_items)
    item = np.tile(np.arange(n_items), n_subjects)
    condition = (subject + item) % 4
    a, b = condition // 2 - 0.5, condition % 2 - 0.5
    effects = np.column_stack([np.ones_like(a), a, b, a * b])

    def random_effects(n_levels: int, scale: float) -> np.ndarray:
        root = np.tril(rng.uniform(-0.4, 0.4, (4, 4)), -1) + np.diag([1.0, 0.6, 0.6, 0.8])
        return scale * rng.standard_normal((n_levels, 4)) @ root.T

    y = effects @ np.array([10.0, 1.0, -0.5, 0.3])
    y += (effects * random_effects(n_subjects, 1.2)[subject]).sum(axis=1)
    y += (effects * random_effects(n_items, 0.8)[item]).sum(axis=1)
    y += rng.standard_normal(len(y))
    return pd.DataFrame(
        {"y": y, "a": a, "b": b, "ab": a * b, "subj": _factor("S", subject), "item": _factor("I", item)}
    )


def grouped() -> pd.DataFrame:
    """1,000,000 rows in 100,000 groups of unequal size, a random intercept and slope each."""
    rng = np.random.default_rng(20240518)
    n_rows, n_groups = 1_000_000, 100_000
    others = rng.integers(0, n_groups, n_rows - n_groups)
    group = rng.permutation(np.concatenate([np.arange(n_groups), others]))
    x = rng.standard_normal(n_rows)
    b = rng.standard_normal((n_groups, 2)) @ np.array([[1.0, 0.3], [0.0, 0.5]])
    y = 2.0 + 0.5 * x + b[group, 0] + b[group, 1] * x + rng.standard_normal(n_rows)
    return pd.DataFrame({"y": y, "x": x, "g": _factor("g", group)})


def ratings() -> pd.DataFrame:
    """1,000,000 ratings of 5,000 items by 50,000 users; some items are rated far more often than others."""
    rng = np.random.default_rng(20240520)
    n_rows, n_users, n_items = 1_000_000, 50_000, 5_000
    user = np.concatenate([np.arange(n_users), rng.integers(0, n_users, n_rows - n_users)])
    popularity = 1.0 / (10.0 + np.arange(n_items))
    item = rng.choice(n_items, n_rows, p=popularity / popularity.sum())
    item[:n_items] = np.arange(n_items)
    x = rng.standard_normal(n_rows)
    y = 3.0 + 0.2 * x + 0.7 * rng.standard_normal(n_users)[user] + 0.5 * rng.standard_normal(n_items)[item]
    y += rng.standard_normal(n_rows)
    return pd.DataFrame({"y": y, "x": x, "user": _factor("u", user), "item": _factor("i", item)})


def genes() -> pd.DataFrame:
    """2,000 responses ``y1`` to ``y2000`` in 30 subjects of four rows; effects range from none to large."""
    rng = np.random.default_rng(20240519)
    n_subjects, n_each, n_genes = 30, 4, 2000
    subject = np.repeat(np.arange(n_subjects), n_each)
    x = rng.standard_normal(len(subject))
    effects = rng.standard_normal((n_subjects, n_genes)) * np.linspace(0.0, 1.5, n_genes)
    y = x[:, None] + effects[subject] + rng.standard_normal((len(subject), n_genes))
    columns = {f"y{j + 1}": y[:, j] for j in range(n_genes)}
    return pd.DataFrame({"x": x, "subject": _factor("S", subject), **columns})


def _factor(prefix: str, codes: np.ndarray) -> pd.Categorical:
    n_levels = int(codes.max()) + 1
    width = len(str(n_levels))
    return pd.Categorical.from_codes(
        codes, categories=[f"{prefix}{level + 1:0{width}d}" for level in range(n_levels)]
    )


SIMULATED: dict[str, Callable[[], pd.DataFrame]] = {
    "crossed": crossed,
    "grouped": grouped,
    "ratings": ratings,
    "genes": genes,
}
