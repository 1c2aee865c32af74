"""
Seconds that a power analysis takes: 1,000 simulations of 30 subjects and 20 items, each with random
intercepts and slopes of a condition within both, and Satterthwaite's test of the condition. The whole call
is timed:

    python benches/power.py [number of simulations]
"""

from __future__ import annotations

import sys
import time

from mixedmodels import crossed_design, power

FORMULA = "rt ~ condition + (condition | subject) + (condition | item)"
PARAMS = {
    "(Intercept)": 500.0,
    "condition": 20.0,
    "subject.sd__(Intercept)": 60.0,
    "subject.sd__condition": 30.0,
    "subject.cor__(Intercept).condition": 0.2,
    "item.sd__(Intercept)": 40.0,
    "item.sd__condition": 20.0,
    "item.cor__(Intercept).condition": 0.1,
    "sigma": 100.0,
}


def main(nsim: int) -> None:
    design = crossed_design(30, 20, within={"condition": [-0.5, 0.5]}, counterbalanced=True)
    for ddf in ("satterthwaite", "kenward-roger", "inf"):
        start, cpu = time.perf_counter(), time.process_time()
        found = power(FORMULA, "condition", nsim, data=design, params=PARAMS, ddf=ddf, rng=1)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        print(f"{ddf}: {wall:.2f} s, {cpu:.2f} s of all cores; power {100 * found.power:.1f} %")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
