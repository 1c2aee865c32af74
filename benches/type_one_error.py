"""
How often F tests at 5 % reject a hypothesis that holds, in small unbalanced data sets.

Ten groups of two to six observations, a treatment of three levels between the groups and one of two levels
within them, neither with an effect; standard deviations of 1 within groups and between them. Prints the table
of `docs/tests-and-anova.md`:

    python benches/type_one_error.py [number of data sets]
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd

from mixedmodels import anova, lmer
from mixedmodels.errors import MixedModelsWarning

SIZES = (2, 6, 3, 5, 2, 4, 6, 3, 2, 5)
BETWEEN = "abcabcabca"
METHODS = ("inf", "residual", "satterthwaite", "kenward-roger")


def simulate(rng: np.random.Generator) -> pd.DataFrame:
    """One data set without effects."""
    group = np.repeat(np.arange(len(SIZES)), SIZES)
    within = np.concatenate([np.arange(size) % 2 for size in SIZES])
    y = rng.normal(size=len(SIZES))[group] + rng.normal(size=len(group))
    between = np.array(list(BETWEEN))[group]
    return pd.DataFrame({"y": y, "between": between, "within": within.astype(str), "g": group.astype(str)})


def main(n: int) -> None:
    rng = np.random.default_rng(20_250_101)
    rejected = {method: np.zeros(2) for method in METHODS}
    warnings.simplefilter("ignore", MixedModelsWarning)
    for _ in range(n):
        model = lmer("y ~ between + within + (1 | g)", simulate(rng))
        for method in METHODS:
            rejected[method] += anova(model, ddf=method)["Pr(>F)"].to_numpy() < 0.05
    error = 100 * np.sqrt(0.05 * 0.95 / n)
    print(f"{n} data sets; Monte Carlo standard error of 5 %: {error:.2f} %\n")
    print("| `ddf` | between groups | within groups |\n|---|--:|--:|")
    for method, count in rejected.items():
        print(f'| `"{method}"` | {100 * count[0] / n:.1f} % | {100 * count[1] / n:.1f} % |')


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
