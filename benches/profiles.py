"""
Seconds that profile-likelihood intervals take, beside R's lme4 and the Python package mixedlm, in one run.

    python -m benches.profiles                          # this package, and lme4 where Rscript is on the path
    python -m benches.profiles --peer-python PATH       # with mixedlm, in an interpreter that has it

The model is the sleep study, ``Reaction ~ Days + (Days | Subject)`` by maximum likelihood. Here and in lme4
all six parameters are profiled to the limits of level 0.99, in mixedlm the two fixed effects alone, which is
all that it profiles. Each time is the best of some runs in one process, after a first one that is not
counted.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import mixedmodels as mm

RUNS = 20
R_CODE = """
suppressMessages(library(lme4))
d <- read.csv("{data}")
m <- lmer(Reaction ~ Days + (Days | Subject), d, REML = FALSE)
invisible(suppressWarnings(profile(m)))
times <- sapply(1:3, function(i) system.time(suppressWarnings(profile(m)))[["elapsed"]])
cat(min(times))
"""
PEER_CODE = """
import time, pandas as pd, mixedlm
d = pd.read_csv("{data}")
m = mixedlm.lmer("Reaction ~ Days + (Days | Subject)", d, REML=False)
m.profile()
times = []
for _ in range(5):
    start = time.perf_counter()
    m.profile(level=0.99)
    times.append(time.perf_counter() - start)
print(min(times))
"""


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of some runs."""
    work()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python", help="an interpreter that has mixedlm")
    parser.add_argument("--rscript", default=shutil.which("Rscript"))
    arguments = parser.parse_args()
    model = mm.lmer("Reaction ~ Days + (Days | Subject)", mm.load_sleepstudy(), REML=False)
    own = best(lambda: model.profile(level_max=0.99))
    report("profile of six parameters", own, own)
    report("confint of six parameters", best(lambda: model.confint(method="profile")), own)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "sleepstudy.csv"
        mm.load_sleepstudy().to_csv(data, index=False)
        if arguments.rscript:
            report("lme4: profile of six", told([arguments.rscript, "-e"], R_CODE, data), own)
        if arguments.peer_python:
            report("mixedlm: profile of two", told([arguments.peer_python, "-c"], PEER_CODE, data), own)
    binomial = mm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", mm.load_cbpp(), "binomial"
    )
    report("cbpp: confint of five parameters", best(lambda: binomial.confint(method="profile")), own)


def told(command: list[str], code: str, data: Path) -> float:
    """The number that a program prints."""
    done = subprocess.run([*command, code.format(data=data)], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return float("nan")
    return float(done.stdout.split()[-1])


def report(what: str, seconds: float, own: float) -> None:
    """One line: milliseconds, and how many times that of the profile here."""
    print(f"{what:34}{1e3 * seconds:10.2f} ms{seconds / own:9.2f}")


if __name__ == "__main__":
    main()
