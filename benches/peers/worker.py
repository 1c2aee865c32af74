"""A Python peer in its own process: ``python -m benches.peers.worker glmm``."""

from __future__ import annotations

import gc
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from .models import Glm
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
        if command == "quit":
            return
        try:
            if command == "load":
                datasets[arguments[0]] = read_frame(Path(arguments[1]))
                reply("loaded", len(datasets[arguments[0]]))
            else:
                reply("fit", *_fit(runner, command, datasets[arguments[0]], *arguments[1:]))
        except Exception as error:  # a peer may fail in any way; the report says how
            reply("error", f"{type(error).__name__}: {error}")


def _fit(runner: Any, command: str, data: Any, formula: str, *arguments: str) -> tuple[str, str]:
    if command == "fit":
        reml, burst = arguments[0] == "1", float(arguments[1])
        seconds, model = _repeat(lambda: runner.fit(formula, data, reml), burst)
        return seconds, repr(runner.objective(model, reml))
    if command == "glmer":
        burst, family, n_agq, *weights = arguments
        glm = Glm(family, int(n_agq), *weights)
        seconds, model = _repeat(lambda: runner.fit_generalized(formula, data, glm), float(burst))
        return seconds, repr(runner.generalized_objective(model))
    raise ValueError(f"unknown command {command}")


def _repeat(fit: Callable[[], Any], burst: float) -> tuple[str, Any]:
    seconds: list[float] = []
    while True:
        gc.collect()
        start = time.perf_counter()
        model = fit()
        seconds.append(time.perf_counter() - start)
        if sum(seconds) >= burst:
            return ",".join(f"{value:.9g}" for value in seconds), model


def _take_stdout() -> TextIO:
    """Standard output for the answers alone; prints of the packages go to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


if __name__ == "__main__":
    main(sys.argv[1])
