"""
The same calls in this package and in statsmodels: seconds, memory, and who finds the better likelihood.

A random slope of dietox; a random slope of 5,000 groups of 20 rows; two crossed factors of 100 or 200 levels
as variance components of one group that has all rows, as statsmodels writes them. Each call runs in a process
of its own, as ``MixedLM.from_formula(...).fit(...)``, parsing of the formulas included. Memory is what the
process grows by beyond its size with the data read and a first small fit, standard errors included, also as a
multiple of the arrays of the model:

    python benches/beside_statsmodels.py [cases]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Case = tuple[str, pd.DataFrame, dict[str, Any]]
# Each call is repeated for so many seconds, and the best time counts.
_REPEAT = 4.0


def dietox() -> Case:
    """861 rows, 72 pigs."""
    from mixedmodels import load_dietox

    return "Weight ~ Time", load_dietox(), {"groups": "Pig", "re_formula": "~Time"}


def groups() -> Case:
    """5,000 groups of 20 rows."""
    rng = np.random.default_rng(1)
    n_groups, size = 5000, 20
    group = np.repeat(np.arange(n_groups), size)
    x = rng.normal(size=n_groups * size)
    effects = rng.normal(size=(n_groups, 2)) @ np.array([[1.0, 0.3], [0.0, 0.5]])
    y = 1.0 + 0.5 * x + effects[group, 0] + effects[group, 1] * x + rng.normal(size=len(x))
    return "y ~ x", pd.DataFrame({"y": y, "x": x, "g": group}), {"groups": "g", "re_formula": "~x"}


def crossed(levels: int = 100) -> Case:
    """Two crossed factors, 5,000 rows, in one group."""
    rng = np.random.default_rng(2)
    n = 5000
    a, b = rng.integers(levels, size=n), rng.integers(levels, size=n)
    x = rng.normal(size=n)
    y = 1.0 + 0.5 * x + rng.normal(size=levels)[a] + 0.7 * rng.normal(size=levels)[b] + rng.normal(size=n)
    frame = pd.DataFrame({"y": y, "x": x, "a": a, "b": b, "one": 1})
    return "y ~ x", frame, {"groups": "one", "vc_formula": {"a": "0 + C(a)", "b": "0 + C(b)"}}


CASES: dict[str, Callable[[], Case]] = {
    "dietox": dietox,
    "groups": groups,
    "crossed-100": crossed,
    "crossed-200": lambda: crossed(200),
}


def measured(name: str, package: str) -> dict[str, float]:
    """One case in this process."""
    if package == "statsmodels":
        from statsmodels.regression.mixed_linear_model import MixedLM
    else:
        from mixedmodels.statsmodels import MixedLM
    formula, frame, options = CASES[name]()
    seconds = float("inf")
    model: Any = None
    result: Any = None
    errors = np.zeros(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # What is imported with the first fit is no cost of the next.
        small = pd.DataFrame({"y": [1.0, 2.0, 2.5, 4.0, 4.0, 6.5], "x": range(6), "g": [1, 1, 2, 2, 3, 3]})
        MixedLM.from_formula("y ~ x", small, groups="g").fit()
        before = _peak()
        begin, peak = time.perf_counter(), None
        while peak is None or time.perf_counter() - begin < _REPEAT:
            start = time.perf_counter()
            model = MixedLM.from_formula(formula, frame, **options)
            result = model.fit()
            seconds = min(seconds, time.perf_counter() - start)
            if peak is None:
                errors = np.asarray(result.bse)
                peak = _peak()
    arrays = (model.endog, model.exog, model.exog_re, model.groups)
    data = float(sum(np.asarray(part).nbytes for part in arrays if part is not None))
    return {
        "seconds": seconds,
        "bytes": peak - before,
        "data": data,
        "llf": float(result.llf),
        "bse": float(errors[1]),
    }


def _peak() -> float:
    """The largest size of this process so far, in bytes."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(size if sys.platform == "darwin" else size * 1024)


def apart(name: str, package: str) -> dict[str, float]:
    """One case in a process of its own."""
    command = [sys.executable, __file__, "--one", name, package]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main(names: list[str]) -> None:
    """Print a line for each case."""
    print(
        f"{'':12} {'seconds':>9} {'statsmodels':>12} {'ratio':>7} {'MB':>8} {'statsmodels':>12} {'ratio':>7} "
        f"{'of the data':>12} {'log-likelihood above':>21}"
    )
    for name in names:
        own, other = apart(name, "mixedmodels"), apart(name, "statsmodels")
        print(
            f"{name:12} {own['seconds']:9.4f} {other['seconds']:12.3f} "
            f"{other['seconds'] / own['seconds']:7.0f} "
            f"{own['bytes'] / 1e6:8.1f} {other['bytes'] / 1e6:12.1f} "
            f"{other['bytes'] / max(own['bytes'], 1.0):7.1f} {own['bytes'] / own['data']:12.1f} "
            f"{own['llf'] - other['llf']:21.2e}",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measured(*sys.argv[2:4])))
    else:
        main(sys.argv[1:] or list(CASES))
