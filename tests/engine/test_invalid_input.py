"""Arrays that make no model are errors with a reason, whatever entry of the engine they come through."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from mixedmodels import DataError, InternalError, MixedModelError, _engine, families

N = 60
RNG = np.random.default_rng(8)
CODES = (np.arange(N) % 6).astype(np.uint32)
SLOPES = np.column_stack([np.ones(N), RNG.normal(size=N)])
X = np.column_stack([np.ones(N), RNG.normal(size=N)])
Y, COUNTS = RNG.normal(size=N), RNG.poisson(2.0, N).astype(float)
POISSON = families.Poisson().for_engine()


def term(
    codes: Any = CODES, levels: int = 6, z: Any = SLOPES
) -> tuple[Any, int, Any, str, list[float] | None]:
    return (codes, levels, z, "us", None)


def with_one(values: Any, at: int, value: float) -> Any:
    changed = values.copy()
    changed.flat[at] = value
    return changed


PREDICTORS: dict[str, dict[str, Any]] = {
    "no terms": {"terms": []},
    "a code outside": {"terms": [term(CODES + np.uint32(1))]},
    "the largest code": {"terms": [term(np.full(N, 2**32 - 1, dtype=np.uint32))]},
    "short codes": {"terms": [term(CODES[:-1])]},
    "no codes": {"terms": [term(CODES[:0])]},
    "no levels": {"terms": [term(levels=0)]},
    "neither codes nor levels": {"terms": [term(CODES[:0], 0, SLOPES[:0])]},
    "more levels than can be numbered": {"terms": [term(levels=2**32)]},
    "as many levels as fit a word": {"terms": [term(levels=2**63)]},
    "more levels than memory": {"terms": [term(levels=2**32 - 9, z=SLOPES[:, :1])]},
    "no columns": {"terms": [term(z=SLOPES[:, :0])]},
    "short z": {"terms": [term(z=SLOPES[:-1])]},
    "z not finite": {"terms": [term(z=with_one(SLOPES, 7, np.nan))]},
    "a second term that is short": {"terms": [term(), term(z=SLOPES[1:])]},
    "no rows": {"x": X[:0]},
    "short x": {"x": X[:-1]},
    "long x": {"x": np.vstack([X, X])},
    "x not finite": {"x": with_one(X, 3, np.inf)},
}
OTHERS: dict[str, dict[str, Any]] = {
    "short offset": {"offset": np.zeros(N - 1)},
    "offset not finite": {"offset": with_one(np.zeros(N), 2, np.nan)},
}
WEIGHTS: dict[str, dict[str, Any]] = {
    "short weights": {"weights": np.ones(N - 3)},
    "no weights": {"weights": np.ones(0)},
    "a weight of zero": {"weights": with_one(np.ones(N), 5, 0.0)},
    "a negative weight": {"weights": with_one(np.ones(N), 5, -1.0)},
    "a weight not finite": {"weights": with_one(np.ones(N), 5, np.nan)},
}
RESPONSES: dict[str, Any] = {
    "short": COUNTS[:-1],
    "long": np.r_[COUNTS, 1.0],
    "empty": COUNTS[:0],
    "NaN": with_one(COUNTS, 3, np.nan),
    "infinite": with_one(COUNTS, 3, np.inf),
}
VALID: dict[str, Any] = {"x": X, "terms": [term()], "weights": None, "offset": None}


def refused(call: Any, *arguments: Any, **named: Any) -> None:
    with pytest.raises(MixedModelError) as caught:
        call(*arguments, **named)
    assert not isinstance(caught.value, InternalError)


@pytest.mark.parametrize("what", [*PREDICTORS, *OTHERS, *WEIGHTS])
def test_invalid_predictors_of_every_entry(what):
    change = {**PREDICTORS, **OTHERS, **WEIGHTS}[what]
    invalid = {**VALID, **change}
    refused(_engine.Lmm, Y, **invalid)
    responses = np.column_stack([Y, Y, Y])
    refused(_engine.fit_many, responses, reml=True, **invalid)
    responses[4, 1] = np.nan
    responses[:, 2] = np.nan
    refused(_engine.fit_many, responses, reml=False, **invalid)
    refused(_engine.Glmm, COUNTS, family=POISSON, **invalid)
    if what not in OTHERS:
        refused(_engine.describe_blocks, invalid["x"], invalid["terms"], invalid["weights"])


@pytest.mark.parametrize("what", RESPONSES)
def test_invalid_responses_of_every_entry(what):
    y = RESPONSES[what]
    refused(_engine.Lmm, y, **VALID)
    refused(_engine.Lmm(Y, **VALID).with_response, y)
    refused(_engine.Glmm, y, family=POISSON, **VALID)
    refused(_engine.Glmm(COUNTS, family=POISSON, **VALID).with_response, y)
    if len(y) != N:
        refused(_engine.fit_many, y[:, None], reml=True, **VALID)


THETA = {
    "none": np.zeros(0),
    "short": np.ones(2),
    "long": np.ones(4),
    "NaN": np.array([1.0, np.nan, 1.0]),
    "infinite": np.array([1.0, np.inf, 1.0]),
    "beyond": np.full(3, 1e300),
}


@pytest.mark.parametrize("what", THETA)
def test_theta_of_every_method(what):
    theta = THETA[what]
    model = _engine.Lmm(Y, **VALID)
    for name in ("evaluate", "gradient", "hessian", "joint_hessian", "conditional_variances"):
        refused(getattr(model, name), theta, True)
    refused(model.covariance_slopes, theta)
    refused(model.kenward_roger, theta)
    other = _engine.Glmm(COUNTS, family=POISSON, **VALID)
    for name in ("evaluate", "gradient", "hessian", "conditional_variances"):
        refused(getattr(other, name), theta, np.zeros(2))
    if what != "beyond":
        # A search halves a start at which nothing can be computed.
        refused(model.fit, True, "trust_region", theta)
        refused(other.fit, "trust_region", {"theta": theta})


@pytest.mark.parametrize("beta", [np.zeros(0), np.zeros(1), np.zeros(3), np.array([np.nan, 0.0])], ids=len)
def test_coefficients_of_every_method(beta):
    model = _engine.Glmm(COUNTS, family=POISSON, **VALID)
    theta = np.array([0.3, 0.0, 0.2])
    for name in ("evaluate", "gradient", "hessian", "conditional_variances"):
        refused(getattr(model, name), theta, beta)
    refused(model.fit, "trust_region", {"beta": beta})


PROGRAM = """
import resource, sys
import numpy as np
from mixedmodels import _engine, families
from mixedmodels.errors import MemoryLimitError

rng = np.random.default_rng(1)
n, levels, k = 60_000, 20_000, 3
one = np.ones((n, 1))
z = rng.normal(size=(n, k))
nested = rng.integers(0, levels, n).astype(np.uint32)
crossed = rng.integers(0, 300, n).astype(np.uint32)
terms = {
    "one factor": [(nested, levels, z, "us", None)],
    "nested": [(nested, levels, z, "us", None), (nested // 10, levels // 10, z, "us", None)],
    "crossed": [(nested, levels, z, "us", None), (crossed, 300, one, "us", None)],
}[sys.argv[2]]
y = rng.poisson(2.0, n) * 1.0
family = families.Poisson().for_engine()
limits = {"max_evaluations": 2}

def linear():
    model = _engine.Lmm(y, one, terms)
    theta = model.fit(True, "trust_region", None, limits)["theta"]
    model.hessian(theta, True)

def generalized():
    _engine.Glmm(y, one, terms, family).fit("trust_region", None, limits)

used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]) * 2**20, -1))
try:
    {"linear": linear, "generalized": generalized}[sys.argv[3]]()
    print("fitted")
except (MemoryLimitError, MemoryError):
    print("refused")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux does")
@pytest.mark.parametrize("layout", ["one factor", "nested", "crossed"])
@pytest.mark.parametrize("kind", ["linear", "generalized"])
def test_a_process_with_little_memory_is_told_so_and_lives_on(kind, layout):
    found = []
    for room in (10, 625, 650, 700, 3000):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(room), layout, kind],
            capture_output=True,
            text=True,
            env={**os.environ, "MIXEDMODELS_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, (room, done.stderr)
        found.append(done.stdout.strip())
    assert found[0] == "refused"
    assert found[-1] == "fitted"


@pytest.mark.parametrize(
    ("starts", "rows", "values", "message"),
    [
        ([0, 2, 4], [0, 1, 1, 0], [1.0, 0.5, 0.5, 1.0], "ascending"),
        ([0, 2, 4], [0, 1, 0, 2], [1.0, 0.5, 0.5, 1.0], "below 2"),
        ([0, 3, 2], [0, 1, 0, 1], [1.0, 0.5, 0.5, 1.0], "do not follow one another"),
        ([0, 2, 3], [0, 1, 1], [1.0, 0.5, 1.0], "not symmetric"),
        ([0, 2, 4], [0, 1, 0, 1], [1.0], "length"),
    ],
)
def test_sparse_matrices_that_are_none(starts, rows, values, message):
    with pytest.raises(DataError, match=message):
        _engine.sparse_cholesky(
            np.array(starts, dtype=np.int64), np.array(rows, dtype=np.uint32), np.array(values)
        )


def test_a_sparse_matrix_without_a_factor():
    parts = np.array([0, 2, 4]), np.array([0, 1, 0, 1], dtype=np.uint32), np.array([1.0, 9.0, 9.0, 1.0])
    assert _engine.sparse_cholesky(*parts) is None
