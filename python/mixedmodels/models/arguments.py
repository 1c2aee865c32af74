"""Types of the arguments that many methods take."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..inference.basis.choice import Vcov as Vcov
from ..inference.basis.model_basis import DdfName as DdfName

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

# In quotes: importing narwhals takes as long as fitting a small model.
Data: TypeAlias = "IntoFrame | Mapping[str, Any] | str | PathLike[str]"
# A column of the data by name, or a value for each row.
Rows: TypeAlias = str | ArrayLike
Rng: TypeAlias = int | np.random.Generator | None
# Where repeated work runs; its progress: a bar, or a function of the numbers done and in all.
Executor: TypeAlias = concurrent.futures.Executor | None
ShowProgress: TypeAlias = bool | Callable[[int, int], object]
Names: TypeAlias = str | Sequence[str]
Levels: TypeAlias = str | float | Sequence[str] | Sequence[float]
Hypotheses: TypeAlias = str | Sequence[str] | Mapping[str, float] | ArrayLike
Contrasts: TypeAlias = Mapping[str, Any] | str
Functions: TypeAlias = Mapping[str, Callable[..., Any]]
NaAction: TypeAlias = Literal["omit", "exclude", "fail"]
OptimizerName: TypeAlias = Literal["trust_region", "bobyqa", "newuoa", "nelder_mead", "cobyla", "sbplx"]
# Its name, or a function of objective, gradient, start and bounds that minimizes.
Optimizer: TypeAlias = OptimizerName | Callable[..., Any]
