"""
How many evaluations random generalized models near singular covariances take, and do they find the optimum?

The models of `tests/fit/near_singular.py` with fewer random effects than rows: one to four effects, one
term, two crossed or nested ones, 5 to 60 groups, 60 to 500 rows, covariance matrices of low rank or with tiny
variances:

    python benches/singular_fits.py [number of models] [random starts of each]
"""

from __future__ import annotations

import sys
import time
import warnings
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from mixedmodels import glmer
from mixedmodels.errors import MixedModelsWarning

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fit"))
near_singular: Any = import_module("near_singular").near_singular


def show(name: str, counts: list[int]) -> None:
    median, ninety, most = np.percentile(counts, [50, 90, 99])
    print(f"{name:22} {median:6.0f} {ninety:6.0f} {most:6.0f} {max(counts):6d}")


def main(n: int, n_starts: int) -> None:
    """Fit so many models and print the distribution."""
    warnings.simplefilter("ignore", MixedModelsWarning)
    models = (model for model in map(near_singular, count()) if model.is_within_reach)
    first, both, unconverged, above = [], [], [], []
    seconds = 0.0
    for _, model in zip(range(n), models, strict=False):
        start = time.perf_counter()
        fitted = glmer(model.formula, model.data, model.family, model.link)
        seconds += time.perf_counter() - start
        record = fitted.convergence
        both.append(record.n_evaluations)
        first.append(record.log.second_start or record.n_evaluations)
        if not record.converged:
            unconverged.append(model.name)
        if n_starts:
            table = fitted.allFit(optimizers="trust_region", starts=n_starts, rng=1).table
            excess = fitted.objective - float(table["objective"].min())
            if excess > 1e-6:
                above.append(f"{excess:8.1e}  {model.name}")
    print(f"{n} models in {seconds:.1f} s")
    print(f"{'evaluations':22} {'median':>6} {'90 %':>6} {'99 %':>6} {'most':>6}")
    show("first search", first)
    show("all searches", both)
    print(f"not converged: {len(unconverged)}", *unconverged, sep="\n  ")
    if n_starts:
        print(f"above the best of {n_starts} random starts: {len(above)}", *above, sep="\n  ")


if __name__ == "__main__":
    main(*(int(v) for v in [*sys.argv[1:], *("1500", "0")[len(sys.argv) - 1 :]]))
