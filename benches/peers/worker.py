"""A Python peer in its own process: ``python -m benches.peers.worker glmm``."""

from __future__ import annotations

import gc
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any, TextIO

from .protocol import MARK, to_line


def main(name: str) -> None:
    """Answer commands from standard input until it ends."""
    out = _take_stdout()

    def reply(*fields: object) -> None:
        out.write(MARK + to_line(*fields))
        out.flush()

    warnings.simplefilter("ignore")
    try:
        from .exchange import read_frame
        from .runners import make_runner

        runner = make_runner(name)
    except ImportError as error:
        reply("missing", error)
        return
    datasets: dict[str, Any] = {}
    reply("ready", runner.version)
    for line in sys.stdin:
        command, *arguments = line.rstrip("\n").split("\t")
        try:
            if command == "quit":
                return
            if command == "load":
                datasets[arguments[0]] = read_frame(Path(arguments[1]))
                reply("loaded", len(datasets[arguments[0]]))
            elif command == "fit":
                dataset, formula, reml, burst = arguments[:4]
                seconds, objective = _fit(runner, formula, datasets[dataset], reml == "1", float(burst))
                reply("fit", ",".join(f"{value:.9g}" for value in seconds), repr(objective))
            else:
                raise ValueError(f"unknown command {command}")
        except Exception as error:  # a peer may fail in any way; the report says how
            reply("error", f"{type(error).__name__}: {error}")


def _fit(runner: Any, formula: str, data: Any, reml: bool, burst: float) -> tuple[list[float], float]:
    seconds: list[float] = []
    while True:
        gc.collect()
        start = time.perf_counter()
        model = runner.fit(formula, data, reml)
        seconds.append(time.perf_counter() - start)
        if sum(seconds) >= burst:
            return seconds, runner.objective(model, reml)


def _take_stdout() -> TextIO:
    """Standard output for the answers alone; prints of the packages go to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


if __name__ == "__main__":
    main(sys.argv[1])
