"""What the harness asks of a package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from ..models import Glm


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
        """REML criterion, or -2 log-likelihood, with all constants; of many models their sum."""
        ...


class GeneralizedRunner(Protocol):
    """Fits a generalized model by one package."""

    def fit_generalized(self, formula: str, data: Any, glm: Glm) -> Any:
        """Fit from formula and pandas data frame, standard errors included; the only call that is timed."""
        ...

    def generalized_objective(self, model: Any) -> float:
        """-2 log-likelihood, with all constants."""
        ...


def is_many(formula: str) -> bool:
    """Whether every response of the data is to be fitted, not one."""
    return formula.startswith("~")


def response_names(data: Any) -> list[str]:
    """The columns of a data frame that hold responses."""
    return [name for name in data.columns if name.startswith("y")]


@dataclass(frozen=True)
class ModuleRunner:
    """A runner that holds the imported package and its version."""

    module: Any
    version: str
