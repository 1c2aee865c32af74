"""What the harness asks of a package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class Runner(Protocol):
    """Fits a model by one package."""

    @property
    def version(self) -> str:
        """Name and version of the package, as printed in the report."""
        ...

    def fit(self, formula: str, data: Any, reml: bool) -> Any:
        """Fit from formula and pandas data frame; the only call that is timed."""
        ...

    def objective(self, model: Any, reml: bool) -> float:
        """REML criterion, or -2 log-likelihood, with all constants, of a fitted model."""
        ...


@dataclass(frozen=True)
class ModuleRunner:
    """A runner that holds the imported package and its version."""

    module: Any
    version: str
