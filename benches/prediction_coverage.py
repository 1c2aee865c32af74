"""
Coverage of the intervals of predictions: how often do 95 % limits hold the truth?

Designs with random intercepts and slopes. Targets are the mean of a known group and of a new one, within the
range of the predictor (x = 0.5) and beyond it (x = 1.2), and a new response of each; and the population mean.
Prints the table of `docs/prediction.md`:

    python benches/prediction_coverage.py [simulations]
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterator
from typing import Literal, TypedDict

import numpy as np
import pandas as pd

from mixedmodels import LinearMixedModel, MixedModelsWarning, lmer

DESIGNS = ((8, 6), (18, 8), (60, 5))
SD, SIGMA, BETA = np.array([1.0, 0.4]), 1.0, np.array([2.0, 1.0])
AT = np.array([0.5, 1.2])
COLUMNS = ("known group, x = 0.5", "x = 1.2", "new group, x = 0.5", "x = 1.2")
Row = tuple[str, np.ndarray]


class Limits(TypedDict):
    """The arguments of `predict` that every method gives,"""

    interval: Literal["confidence", "prediction"]


class Method(Limits, total=False):
    """and those that only some do."""

    ddf: Literal["inf"]
    parameter_uncertainty: Literal["delta"]


METHODS: dict[str, Method] = {
    "mean": {"interval": "confidence"},
    "mean, normal quantiles": {"interval": "confidence", "ddf": "inf"},
    "mean, delta method": {"interval": "confidence", "parameter_uncertainty": "delta"},
    "response": {"interval": "prediction"},
    "response, normal quantiles": {"interval": "prediction", "ddf": "inf"},
}


def design(groups: int, rows: int) -> pd.DataFrame:
    x = np.tile(np.arange(rows) / rows, groups)
    return pd.DataFrame({"x": x, "g": np.repeat([f"g{i}" for i in range(groups)], rows)})


def hits(model: LinearMixedModel, b: np.ndarray, rng: np.random.Generator) -> Iterator[Row]:
    """Which limits hold the truth, for each method: known group, then new group."""
    new = pd.DataFrame({"x": [*AT, *AT], "g": ["g0", "g0", "new", "new"]})
    effects = np.vstack([b[0], b[0], *[rng.normal(size=2) * SD] * 2])
    mean = BETA[0] + effects[:, 0] + (BETA[1] + effects[:, 1]) * new["x"]
    response = mean + rng.normal(size=4) * SIGMA
    for name, options in METHODS.items():
        target = response if name.startswith("response") else mean
        yield name, inside(model.predict(new, allow_new_levels=True, **options), target)
    population = model.predict({"x": AT}, "~0", interval="confidence")
    yield "population mean", np.append(inside(population, BETA[0] + BETA[1] * AT), [np.nan] * 2)


def inside(limits: pd.DataFrame, target: np.ndarray) -> np.ndarray:
    return ((limits["lower"] <= target) & (target <= limits["upper"])).to_numpy(float)


def coverage(groups: int, rows: int, count: int) -> dict[str, np.ndarray]:
    """The share of limits that hold the truth, by method."""
    data, rng = design(groups, rows), np.random.default_rng([groups, rows])
    found: dict[str, list[np.ndarray]] = {}
    for _ in range(count):
        b = rng.normal(size=(groups, 2)) * SD
        own = np.repeat(b, rows, axis=0)
        mean = BETA[0] + own[:, 0] + (BETA[1] + own[:, 1]) * data["x"]
        data["y"] = mean + rng.normal(size=len(data)) * SIGMA
        for name, row in hits(lmer("y ~ x + (x | g)", data), b, rng):
            found.setdefault(name, []).append(row)
    return {name: np.mean(rows, axis=0) for name, rows in found.items()}


def main(count: int) -> None:
    warnings.simplefilter("ignore", MixedModelsWarning)
    error = 100 * math.sqrt(0.95 * 0.05 / count)
    print(f"{count} simulations; Monte Carlo standard error of 95 %: {error:.1f} %\n")
    print(f"| groups × rows | limits of | {' | '.join(COLUMNS)} |\n|---|---|--:|--:|--:|--:|")
    for groups, rows in DESIGNS:
        for name, shares in coverage(groups, rows, count).items():
            cells = ["" if math.isnan(share) else f"{100 * share:.1f}" for share in shares]
            print(f"| {groups} × {rows} | {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
