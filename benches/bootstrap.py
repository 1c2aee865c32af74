"""
How long does a bootstrap take? The best of several runs, from the call to the result.

1,000 replicates of each type for sleepstudy, ``Reaction ~ Days + (Days | Subject)``, then 100 parametric
ones of VerbAgg, a generalized model with 7,584 rows and crossed factors, beside single fits:

    python benches/bootstrap.py [runs]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from mixedmodels import glmer, lmer, load_sleepstudy, load_verbagg

VERBAGG = "r2 ~ Anger + Gender + btype + situ + (1 | id) + (1 | item)"


def best(run: Callable[[], object], times: int) -> tuple[float, float]:
    """Least seconds of the clock, and of all threads together."""
    wall, threads = float("inf"), float("inf")
    for _ in range(times):
        clock, work = time.perf_counter(), time.process_time()
        run()
        wall, threads = min(wall, time.perf_counter() - clock), min(threads, time.process_time() - work)
    return wall, threads


def main(runs: int) -> None:
    """Print a line for each."""
    print(f"{'':36} {'seconds':>8} {'of all threads':>15}")

    def show(name: str, found: tuple[float, float]) -> None:
        print(f"{name:36} {found[0]:8.4f} {found[1]:15.4f}")

    sleep = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    for type in ("parametric", "semiparametric", "wild", "cases"):
        show(f"sleepstudy, 1,000 {type}", best(lambda t=type: sleep.bootstrap(1000, type=t, rng=1), runs))
    data = load_verbagg()
    single = best(lambda: glmer(VERBAGG, data, "binomial"), runs)
    show("VerbAgg, one fit", single)
    model = glmer(VERBAGG, data, "binomial")
    many = best(lambda: model.bootstrap(100, rng=1), max(1, runs // 3))
    show("VerbAgg, 100 parametric", many)
    print(f"in single fits: {many[0] / single[0]:.1f}, of all threads {many[1] / single[1]:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
