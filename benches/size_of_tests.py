"""
How often tests by permutation and by simulated null distributions reject at 5 % what is true.

Permutations: a treatment of eight groups of five and a predictor within them, neither with an effect, with
normal and with exponential errors and group effects. `exact_rlrt`: a variance of zero beside another one, in
nested, crossed and random-slope designs. Prints the tables of `docs/comparing-by-simulation.md`:

    python benches/size_of_tests.py [number of data sets]
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mixedmodels import exact_rlrt, lmer, permutation_test
from mixedmodels.errors import MixedModelsWarning

PERMUTATIONS = 199
SIMULATIONS = 499
ERRORS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "exponential": lambda rng, n: rng.exponential(size=n) - 1.0,
}
TERMS: dict[str, tuple[str, dict[str, Any]]] = {
    "between groups": ("treatment", {}),
    "within groups": ("x", {"within": "g"}),
}


def groups(rng: np.random.Generator, draw: Callable[[np.random.Generator, int], np.ndarray]) -> pd.DataFrame:
    """Eight groups of five, without effects."""
    g = np.repeat(np.arange(8), 5)
    data = pd.DataFrame({"g": g, "treatment": np.where(g % 2, "a", "b"), "x": rng.normal(size=40)})
    return data.assign(y=draw(rng, 8)[g] + draw(rng, 40))


def permutations(n: int, rng: np.random.Generator) -> str:
    lines = ["| errors | term | residuals | labels | χ² |\n|---|---|--:|--:|--:|"]
    for name, draw in ERRORS.items():
        count = {term: np.zeros(3) for term in TERMS}
        for _ in range(n):
            model = lmer("y ~ treatment + x + (1 | g)", groups(rng, draw))
            for term, (label, options) in TERMS.items():
                by_residuals = permutation_test(model, label, PERMUTATIONS, rng=rng).iloc[0]
                by_labels = permutation_test(
                    model, label, PERMUTATIONS, permute="labels", rng=rng, **options
                ).iloc[0]
                p = by_residuals["Pr(permutation)"], by_labels["Pr(permutation)"], by_labels["Pr(>Chisq)"]
                count[term] += np.array(p) <= 0.05
        for term, rejected in count.items():
            cells = " | ".join(f"{100 * share:.1f} %" for share in rejected / n)
            lines.append(f"| {name} | {term} | {cells} |")
    return "\n".join(lines)


def nested(rng: np.random.Generator) -> pd.DataFrame:
    outer, inner = np.repeat(np.arange(10), 6), np.repeat(np.arange(30), 2)
    return pd.DataFrame({"y": rng.normal(size=30)[inner] + rng.normal(size=60), "a": outer, "b": inner})


def crossed(rng: np.random.Generator) -> pd.DataFrame:
    a, b = np.divmod(np.arange(120), 10)
    return pd.DataFrame({"y": rng.normal(size=12)[a] + rng.normal(size=120), "a": a, "b": b})


def slopes(rng: np.random.Generator) -> pd.DataFrame:
    a, x = np.repeat(np.arange(10), 5), np.tile(np.arange(5.0) - 2.0, 10)
    return pd.DataFrame({"y": rng.normal(size=10)[a] + rng.normal(size=50), "a": a, "x": x})


DESIGNS = {
    "outer of two nested factors": (nested, "y ~ 1 + (1 | a) + (1 | b)", "(1 | a)"),
    "one of two crossed factors": (crossed, "y ~ 1 + (1 | a) + (1 | b)", "(1 | b)"),
    "slope beside an intercept": (slopes, "y ~ x + (x || a)", "(0 + x | a)"),
}


def variances(n: int, rng: np.random.Generator) -> str:
    lines = ["| tested variance | rejected |\n|---|--:|"]
    for name, (make, formula, term) in DESIGNS.items():
        rejected = 0
        for _ in range(n):
            table = exact_rlrt(lmer(formula, make(rng)), term, nsim=SIMULATIONS, rng=rng)
            rejected += int(table["Pr(>RLRT)"].iloc[0] <= 0.05)
        lines.append(f"| {name} | {100 * rejected / n:.1f} % |")
    return "\n".join(lines)


def main(n: int) -> None:
    warnings.simplefilter("ignore", MixedModelsWarning)
    print(f"{n} data sets; Monte Carlo standard error of 5 %: {100 * np.sqrt(0.05 * 0.95 / n):.1f} %\n")
    for table, seed in ((permutations, 20_250_102), (variances, 20_250_103)):
        print(table(n, np.random.default_rng(seed)), end="\n\n", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
