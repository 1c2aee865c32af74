"""Where the optimisation starts does not decide where it ends."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from mixedmodels import lmer, load_dataset
from mixedmodels.errors import MixedModelsWarning

N_STARTS = 20


def maximal_crossed() -> pd.DataFrame:
    """60 subjects x 40 items in a 2 x 2 design, the conditions in a Latin square."""
    rng = np.random.default_rng(11)
    subject, item = (codes.ravel() for codes in np.indices((60, 40)))
    condition = (subject + item) % 4
    a, b = condition // 2 - 0.5, condition % 2 - 0.5
    effects = np.column_stack([np.ones_like(a), a, b, a * b])
    y = effects @ [10.0, 1.0, -0.5, 0.3] + rng.standard_normal(len(a))
    for codes, n_levels in ((subject, 60), (item, 40)):
        modes = rng.standard_normal((n_levels, 4)) @ np.tril(rng.uniform(0.1, 0.6, (4, 4))).T
        y += (effects * modes[codes]).sum(axis=1)
    return pd.DataFrame({"y": y, "a": a, "b": b, "subj": subject.astype(str), "item": item.astype(str)})


@dataclass(frozen=True)
class Model:
    """A formula, its data, and the number of columns of each term."""

    formula: str
    data: Callable[[], pd.DataFrame]
    columns: tuple[int, ...]


MODELS = {
    "Dyestuff2": Model("Yield ~ 1 + (1 | Batch)", lambda: load_dataset("Dyestuff2"), (1,)),
    "sleepstudy, 55 theta": Model(
        "Reaction ~ 1 + factor(Days) + (1 + factor(Days) | Subject)",
        lambda: load_dataset("sleepstudy"),
        (10,),
    ),
    "Penicillin": Model(
        "diameter ~ 1 + (1 | plate) + (1 | sample)", lambda: load_dataset("Penicillin"), (1, 1)
    ),
    "maximal": Model("y ~ a * b + (1 + a * b | subj) + (1 + a * b | item)", maximal_crossed, (4, 4)),
}


def wide(rng: np.random.Generator, k: int) -> NDArray[np.float64]:
    """A lower triangular factor with entries of either sign over three orders of magnitude."""
    entries = 10.0 ** rng.uniform(-2, 1, (k, k)) * rng.choice([-1.0, 1.0], (k, k))
    np.fill_diagonal(entries, np.abs(np.diag(entries)))
    return np.tril(entries)


def with_zeros(rng: np.random.Generator, k: int) -> NDArray[np.float64]:
    """Half of the entries are zero, those of the diagonal too."""
    return wide(rng, k) * rng.integers(0, 2, (k, k))


def of_low_rank(rng: np.random.Generator, k: int) -> NDArray[np.float64]:
    """All columns but the first few are zero; possibly every one."""
    return wide(rng, k) * (np.arange(k) < rng.integers(0, k))


def of_one_scale(rng: np.random.Generator, k: int) -> NDArray[np.float64]:
    """A multiple of the identity, from small to large."""
    return np.eye(k) * 10.0 ** rng.uniform(-2, 1)


KINDS = (wide, with_zeros, of_low_rank, of_one_scale)


def random_start(seed: int, columns: tuple[int, ...]) -> NDArray[np.float64]:
    """Theta: the lower triangles of the terms' factors, column by column."""
    rng = np.random.default_rng(seed)
    factors = [KINDS[seed % len(KINDS)](rng, k) for k in columns]
    return np.concatenate([factor.T[np.triu_indices(len(factor))] for factor in factors])


def fit(model: Model, data: pd.DataFrame, reml: bool, start: Any = None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return lmer(model.formula, data, REML=reml, start=start)


@pytest.mark.parametrize("reml", [False, True], ids=["ML", "REML"])
@pytest.mark.parametrize("name", MODELS)
def test_every_start_leads_to_the_same_objective(name, reml):
    model = MODELS[name]
    data = model.data()
    objective = fit(model, data, reml).objective
    missed = {}
    for seed in range(N_STARTS):
        found = fit(model, data, reml, random_start(seed, model.columns))
        if found.objective != pytest.approx(objective, rel=1e-9):
            missed[seed] = (found.objective - objective, found.convergence.status)
    assert not missed, f"{name}: seed, distance from {objective} and status: {missed}"
