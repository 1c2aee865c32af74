"""A peer's process as seen from the harness."""

from __future__ import annotations

import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .models import Model
from .protocol import parse_reply, to_line

ROOT = Path(__file__).resolve().parents[2]
START_UP_SECONDS = 120.0


class PeerError(Exception):
    """The peer is missing, failed, died or took too long; the message says which."""


@dataclass
class Peer:
    """Starts a worker when first needed, keeps it alive, and starts it anew after it had to be stopped."""

    name: str
    command: Sequence[str]
    timeout: float
    version: str = ""
    _process: subprocess.Popen[str] | None = None
    _lines: queue.Queue[str | None] = field(default_factory=queue.Queue)
    _loaded: set[str] = field(default_factory=set)
    _errors: IO[bytes] | None = None

    def start(self) -> None:
        """Start the process; PeerError when the package is not there."""
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the process)
        self._lines, self._loaded = queue.Queue(), set()
        try:
            self._process = subprocess.Popen(
                list(self.command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                encoding="utf-8",
                env=os.environ | {"PYTHONPATH": path},
            )
        except OSError as error:
            raise PeerError(f"cannot start {self.command[0]}: {error.strerror}") from error
        threading.Thread(target=_pump, args=(self._process, self._lines), daemon=True).start()
        kind, *rest = self._answer(START_UP_SECONDS)
        if kind != "ready":
            self.stop()
            raise PeerError(rest[0] if rest else kind)
        self.version = rest[0]

    def fit(self, model: Model, stem: Path, burst: float) -> tuple[list[float], float]:
        """Seconds of each fit of a burst, and the objective of the last one."""
        if self._process is None:
            self.start()
        if model.dataset not in self._loaded:
            self._ask("load", model.dataset, stem)
            self._loaded.add(model.dataset)
        seconds, objective = self._ask(*_request(self.name, model, burst))
        return [float(value) for value in seconds.split(",")], float(objective)

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _ask(self, *fields: object) -> list[str]:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(to_line(*fields))
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # _answer sees the end of the output and says how the process ended
        kind, *rest = self._answer(self.timeout)
        if kind == "error":
            raise PeerError(rest[0])
        return rest

    def _answer(self, seconds: float) -> list[str]:
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self.stop()
                raise PeerError(f"no answer in {seconds:g} s") from None
            if line is None:
                self.stop()
                raise PeerError(f"the process ended: {self._last_error()}")
            reply = parse_reply(line)
            if reply is not None:
                return reply

    def _last_error(self) -> str:
        assert self._errors is not None
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no message"


def _request(peer: str, model: Model, burst: float) -> list[object]:
    formula = model.spellings.get(peer, model.formula)
    if model.glm is not None:
        glm = model.glm
        optional = [glm.weights] if glm.weights else []
        return ["glmer", model.dataset, formula, burst, glm.family, glm.n_agq, *optional]
    optional = [model.lme4_control] if peer == "lme4" and model.lme4_control else []
    return ["fit", model.dataset, formula, int(model.reml), burst, *optional]


def _pump(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)
