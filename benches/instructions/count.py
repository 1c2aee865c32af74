"""Building the driver and running it under callgrind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Functions of benches/engine/instructions.rs.
VALUE, WITH_DERIVATIVES = "value_alone", "value_with_derivatives"


class ToolError(Exception):
    """Cargo or valgrind is missing or failed; the message says which."""


@dataclass(frozen=True)
class Counts:
    """Instructions of one evaluation."""

    value: int
    with_derivatives: int

    @property
    def ratio(self) -> float:
        """How many evaluations of the value one with derivatives is worth."""
        return self.with_derivatives / self.value

    def drift(self, known: Counts) -> tuple[float, float]:
        """Change against known counts, in percent."""
        pairs = ((self.value, known.value), (self.with_derivatives, known.with_derivatives))
        now_value, now_both = (100.0 * (now / before - 1.0) for now, before in pairs)
        return now_value, now_both


def build_driver() -> Path:
    """Compile the driver as the engine is released; where it is."""
    command = ["cargo", "build", "--release", "--package", "mixedmodels", "--example", "instructions"]
    output = _run([*command, "--message-format=json-render-diagnostics"], cwd=ROOT)
    messages = (json.loads(line) for line in output.splitlines())
    built = (message.get("executable") for message in messages if message["reason"] == "compiler-artifact")
    return Path(next(executable for executable in built if executable))


def structures(driver: Path) -> list[str]:
    """The names of the structures the driver knows."""
    return _run([str(driver)]).splitlines()


def count(driver: Path, structure: str) -> Counts:
    """Instructions of one evaluation of a structure without and with derivatives."""
    return Counts(
        _instructions_in(VALUE, driver, structure), _instructions_in(WITH_DERIVATIVES, driver, structure)
    )


def _instructions_in(function: str, driver: Path, structure: str) -> int:
    with tempfile.TemporaryDirectory(prefix="mixedmodels-instructions-") as directory:
        profile = Path(directory) / "callgrind.out"
        options = ["--collect-atstart=no", f"--toggle-collect=*::{function}*"]
        _run(
            [
                "valgrind",
                "--tool=callgrind",
                *options,
                f"--callgrind-out-file={profile}",
                str(driver),
                structure,
            ],
            # What other threads execute would not be counted.
            env=os.environ | {"MIXEDMODELS_NUM_THREADS": "1"},
        )
        total = re.search(r"^(?:summary|totals): (\d+)", profile.read_text(encoding="utf-8"), re.MULTILINE)
    if total is None or total[1] == "0":
        raise ToolError(f"callgrind has seen no call of {function}")
    return int(total[1])


def _run(command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8")
    except OSError as error:
        raise ToolError(f"cannot start {command[0]}: {error.strerror}") from error
    if done.returncode:
        raise ToolError(f"{command[0]} failed:\n{done.stderr.strip()}")
    return done.stdout
