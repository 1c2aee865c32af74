"""The compiled engine. Private: use :func:`mixedmodels.lmer` and :func:`mixedmodels.glmer`."""

from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

__version__: Final[str]
OPTIMIZERS: Final[tuple[str, ...]]

def describe_blocks(
    x: NDArray[np.float64],
    terms: list[tuple[NDArray[np.uint32], int, NDArray[np.float64], str]],
    weights: NDArray[np.float64] | None = None,
) -> dict[str, Any]: ...
def has_room_for(bytes: float) -> bool: ...
def provoke_panic(place: str) -> None: ...
def fit_many(
    responses: NDArray[np.float64],
    x: NDArray[np.float64],
    terms: list[tuple[NDArray[np.uint32], int, NDArray[np.float64], str]],
    reml: bool,
    weights: NDArray[np.float64] | None = None,
    offset: NDArray[np.float64] | None = None,
    control: dict[str, Any] | None = None,
) -> dict[str, Any]: ...

@final
class Lmm:
    """A linear mixed model as cross-products of [Z X y]. Immutable and safe to share between threads."""

    def __new__(
        cls,
        y: NDArray[np.float64],
        x: NDArray[np.float64],
        terms: list[tuple[NDArray[np.uint32], int, NDArray[np.float64], str]],
        weights: NDArray[np.float64] | None = None,
        offset: NDArray[np.float64] | None = None,
    ) -> Lmm: ...
    @property
    def kept(self) -> NDArray[np.int64]: ...
    @property
    def rank(self) -> int: ...
    @property
    def n_theta(self) -> int: ...
    @property
    def n_bytes(self) -> float: ...
    def describe_blocks(self) -> dict[str, Any]: ...
    def with_response(self, y: NDArray[np.float64]) -> Lmm: ...
    def fit(
        self,
        reml: bool,
        optimizer: str,
        start: NDArray[np.float64] | None = None,
        control: dict[str, Any] | None = None,
    ) -> dict[str, Any]: ...
    def evaluate(self, theta: NDArray[np.float64], reml: bool) -> dict[str, Any]: ...
    def gradient(self, theta: NDArray[np.float64], reml: bool) -> NDArray[np.float64]: ...
    def hessian(self, theta: NDArray[np.float64], reml: bool) -> NDArray[np.float64]: ...
    def joint_hessian(self, theta: NDArray[np.float64], reml: bool) -> NDArray[np.float64]: ...
    def covariance_slopes(self, theta: NDArray[np.float64], reml: bool = False) -> NDArray[np.float64]: ...
    def kenward_roger(self, theta: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]: ...
    def conditional_variances(
        self, theta: NDArray[np.float64], reml: bool
    ) -> list[tuple[list[int], NDArray[np.float64]]]: ...

@final
class Glmm:
    """A generalized linear mixed model. Immutable and safe to share between threads."""

    def __new__(
        cls,
        y: NDArray[np.float64],
        x: NDArray[np.float64],
        terms: list[tuple[NDArray[np.uint32], int, NDArray[np.float64], str]],
        family: dict[str, Any],
        weights: NDArray[np.float64] | None = None,
        offset: NDArray[np.float64] | None = None,
        n_agq: int = 1,
        information: str = "observed",
    ) -> Glmm: ...
    @property
    def kept(self) -> NDArray[np.int64]: ...
    @property
    def rank(self) -> int: ...
    @property
    def n_theta(self) -> int: ...
    @property
    def n_dispersion(self) -> int: ...
    @property
    def n_bytes(self) -> float: ...
    def describe_blocks(self) -> dict[str, Any]: ...
    def with_response(self, y: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> Glmm: ...
    def fit(
        self,
        optimizer: str,
        start: dict[str, Any] | None = None,
        control: dict[str, Any] | None = None,
    ) -> dict[str, Any]: ...
    def evaluate(
        self, theta: NDArray[np.float64], beta: NDArray[np.float64], log_dispersion: float | None = None
    ) -> dict[str, Any]: ...
    def gradient(
        self, theta: NDArray[np.float64], beta: NDArray[np.float64], log_dispersion: float | None = None
    ) -> NDArray[np.float64]: ...
    def hessian(
        self, theta: NDArray[np.float64], beta: NDArray[np.float64], log_dispersion: float | None = None
    ) -> NDArray[np.float64]: ...
    def conditional_variances(
        self, theta: NDArray[np.float64], beta: NDArray[np.float64], log_dispersion: float | None = None
    ) -> list[tuple[list[int], NDArray[np.float64]]]: ...
