"""The compiled engine. Private: use :func:`mixedmodels.lmer` and :func:`mixedmodels.glmer`."""

from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

__version__: Final[str]
OPTIMIZERS: Final[tuple[str, ...]]
COVARIANCES: Final[tuple[str, ...]]

@final
class Covariance:
    """A covariance structure of ``k`` columns: its parameters, with bounds, and the factor they give."""

    def __new__(cls, name: str, k: int, times: list[float] | None = None) -> Covariance: ...
    @property
    def name(self) -> str: ...
    @property
    def k(self) -> int: ...
    @property
    def times(self) -> list[float] | None: ...
    @property
    def n_parameters(self) -> int: ...
    @property
    def is_linear(self) -> bool: ...
    @property
    def parameters(self) -> list[tuple[str, str, list[int]]]: ...
    @property
    def lower(self) -> NDArray[np.float64]: ...
    @property
    def upper(self) -> NDArray[np.float64]: ...
    def relative_factor(self, theta: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def natural(self, theta: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def natural_slopes(self, theta: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def theta(self, natural: NDArray[np.float64]) -> NDArray[np.float64]: ...
    def factor_slopes(self, theta: NDArray[np.float64]) -> NDArray[np.float64]: ...
    @property
    def entries(self) -> list[tuple[int, int]] | None: ...
    @property
    def elements(self) -> list[list[tuple[int, int]]] | None: ...
    @property
    def folds(self) -> list[tuple[list[int], float]]: ...
    @property
    def theta_bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def isotropic(self, sd: float) -> NDArray[np.float64]: ...

def describe_blocks(
    x: NDArray[np.float64],
    terms: list[tuple[NDArray[np.uint32], int, NDArray[np.float64], str, list[float] | None]],
    weights: NDArray[np.float64] | None = None,
) -> dict[str, Any]: ...
def sparse_cholesky(
    starts: NDArray[np.int64], rows: NDArray[np.uint32], values: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.float64], NDArray[np.uint32]] | None: ...
def has_room_for(bytes: float) -> bool: ...
def provoke_panic(place: str) -> None: ...
def fit_many(
    responses: NDArray[np.float64],
    x: NDArray[np.float64],
    terms: list[tuple[NDArray[np.uint32], int, NDArray[np.float64], str, list[float] | None]],
    reml: bool,
    weights: NDArray[np.float64] | None = None,
    offset: NDArray[np.float64] | None = None,
    control: dict[str, Any] | None = None,
) -> dict[str, Any]: ...
def prediction_variances(
    engine: Lmm,
    theta: NDArray[np.float64],
    x: NDArray[np.float64],
    terms: list[tuple[NDArray[np.uint32], NDArray[np.float64]]],
    with_coefficients: bool,
) -> NDArray[np.float64]: ...
def generalized_prediction_variances(
    engine: Glmm,
    theta: NDArray[np.float64],
    beta: NDArray[np.float64],
    log_dispersion: float,
    eta: NDArray[np.float64] | None,
    x: NDArray[np.float64],
    terms: list[tuple[NDArray[np.uint32], NDArray[np.float64]]],
    with_coefficients: bool,
) -> NDArray[np.float64]: ...
def refit_linear(
    model: Lmm,
    responses: NDArray[np.float64],
    reml: bool,
    optimizer: str,
    theta: NDArray[np.float64],
    control: dict[str, Any] | None = None,
    held: dict[str, Any] | None = None,
) -> dict[str, Any]: ...
def refit_generalized(
    model: Glmm,
    responses: NDArray[np.float64],
    optimizer: str,
    start: dict[str, Any] | None = None,
    weights: NDArray[np.float64] | None = None,
    control: dict[str, Any] | None = None,
    held: dict[str, Any] | None = None,
) -> dict[str, Any]: ...
def refit_linear_samples(
    model: Lmm,
    rows: list[tuple[NDArray[np.uint32], list[NDArray[np.uint32]], list[int]]],
    reml: bool,
    optimizer: str,
    theta: NDArray[np.float64],
    control: dict[str, Any] | None = None,
    held: dict[str, Any] | None = None,
) -> dict[str, Any]: ...
def refit_generalized_samples(
    model: Glmm,
    y: NDArray[np.float64],
    rows: list[tuple[NDArray[np.uint32], list[NDArray[np.uint32]], list[int]]],
    optimizer: str,
    start: dict[str, Any] | None = None,
    weights: NDArray[np.float64] | None = None,
    control: dict[str, Any] | None = None,
    held: dict[str, Any] | None = None,
) -> dict[str, Any]: ...
def delete_rows(
    model: Lmm,
    rows: NDArray[np.uint32],
    ranges: NDArray[np.int64],
    reml: bool,
    optimizer: str,
    theta: NDArray[np.float64],
    control: dict[str, Any] | None = None,
    held: dict[str, Any] | None = None,
) -> dict[str, Any]: ...
def delete_given_theta(
    model: Lmm,
    rows: NDArray[np.uint32],
    ranges: NDArray[np.int64],
    reml: bool,
    theta: NDArray[np.float64],
    control: dict[str, Any] | None = None,
) -> dict[str, Any]: ...
def profile_origin(
    model: Lmm | Glmm, reml: bool, near: dict[str, Any], held: dict[str, Any] | None = None
) -> dict[str, Any]: ...
def profile_curves(
    model: Lmm | Glmm,
    reml: bool,
    origin: dict[str, Any],
    tasks: list[tuple[tuple[str, int, int], float, tuple[float, float]]],
    goals: list[tuple[float, bool]],
    held: dict[str, Any] | None = None,
    listener: Any = None,
) -> list[dict[str, Any]]: ...
def profile_points(
    model: Lmm | Glmm,
    reml: bool,
    origin: dict[str, Any],
    parameters: list[tuple[str, int, int]],
    chains: list[list[list[float]]],
    held: dict[str, Any] | None = None,
    listener: Any = None,
) -> list[dict[str, Any]]: ...

@final
class Lmm:
    """A linear mixed model as cross-products of [Z X y]. Immutable and safe to share between threads."""

    def __new__(
        cls,
        y: NDArray[np.float64],
        x: NDArray[np.float64],
        terms: list[tuple[NDArray[np.uint32], int, NDArray[np.float64], str, list[float] | None]],
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
        held: dict[str, Any] | None = None,
    ) -> dict[str, Any]: ...
    def free_derivatives(
        self, theta: NDArray[np.float64], sigma: float, reml: bool, held: dict[str, Any]
    ) -> dict[str, NDArray[np.float64]]: ...
    def evaluate(self, theta: NDArray[np.float64], reml: bool) -> dict[str, Any]: ...
    def gradient(self, theta: NDArray[np.float64], reml: bool) -> NDArray[np.float64]: ...
    def hessian(self, theta: NDArray[np.float64], reml: bool) -> NDArray[np.float64]: ...
    def joint_hessian(self, theta: NDArray[np.float64], reml: bool) -> NDArray[np.float64]: ...
    def covariance_slopes(self, theta: NDArray[np.float64], reml: bool = False) -> NDArray[np.float64]: ...
    def kenward_roger(self, theta: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]: ...
    def leverages(self, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def sensitivity(self, theta: NDArray[np.float64], reml: bool) -> tuple[float, NDArray[np.float64]]: ...
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
        terms: list[tuple[NDArray[np.uint32], int, NDArray[np.float64], str, list[float] | None]],
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
        held: dict[str, Any] | None = None,
    ) -> dict[str, Any]: ...
    def free_derivatives(
        self,
        theta: NDArray[np.float64],
        beta: NDArray[np.float64],
        log_dispersion: float | None,
        held: dict[str, Any],
    ) -> dict[str, NDArray[np.float64]]: ...
    def evaluate(
        self, theta: NDArray[np.float64], beta: NDArray[np.float64], log_dispersion: float | None = None
    ) -> dict[str, Any]: ...
    def gradient(
        self, theta: NDArray[np.float64], beta: NDArray[np.float64], log_dispersion: float | None = None
    ) -> NDArray[np.float64]: ...
    def hessian(
        self,
        theta: NDArray[np.float64],
        beta: NDArray[np.float64],
        log_dispersion: float | None = None,
        eta: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]: ...
    def leverages(
        self, theta: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def conditional_variances(
        self, theta: NDArray[np.float64], beta: NDArray[np.float64], log_dispersion: float | None = None
    ) -> list[tuple[list[int], NDArray[np.float64]]]: ...
