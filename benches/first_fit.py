"""
How long a fresh process takes to import the package, and to its first fit.

    python -m benches.first_fit          # best of 10 processes each
    python -m benches.first_fit 30

The first fit is `import mixedmodels`, `load_sleepstudy()` and `lmer`, without the start of Python itself; the
import of numpy and pandas alone, which it contains, is shown beside it. Times are seconds of wall clock and
of processor time, with compiled bytecode in place (the first run of each is not counted).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

FIT = 'mixedmodels.lmer("Reaction ~ Days + (Days | Subject)", mixedmodels.load_sleepstudy())'
WORK = {
    "import mixedmodels": "import mixedmodels",
    "import numpy, pandas": "import numpy, pandas",
    "first fit": f"import mixedmodels; {FIT}",
}
TIMED = """\
import time
clock, processor = time.perf_counter(), time.process_time()
{work}
print(time.perf_counter() - clock, time.process_time() - processor)
"""


def seconds(work: str, environment: dict[str, str]) -> tuple[float, float]:
    """Time of wall clock and processor in a process of its own."""
    code = TIMED.format(work=work)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    clock, processor = map(float, done.stdout.split())
    return clock, processor


def main(runs: int) -> None:
    """Print the best of some runs."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        print(f"{'':22}{'clock':>8}{'processor':>11}")
        for name, work in WORK.items():
            seconds(work, environment)
            times = [seconds(work, environment) for _ in range(runs)]
            print(f"{name:22}{min(t for t, _ in times):8.3f}{min(t for _, t in times):11.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
