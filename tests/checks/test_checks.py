from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import checks
from mixedmodels.errors import ArgumentError

NONSENSE = [np.zeros(2), pd.DataFrame({"a": [1]}), object(), [], {}, len, float("nan"), -1, "nonsense"]


@pytest.mark.parametrize("value", NONSENSE, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize(
    "check",
    [
        lambda v: checks.one_of("method", v, ("wald", "profile")),
        lambda v: checks.flag("complete", v),
        lambda v: checks.optional_flag("correlation", v),
        lambda v: checks.probability("level", v),
    ],
)
def test_nonsense_is_refused_by_name(check, value):
    with pytest.raises(ArgumentError, match=r"method|complete|correlation|level"):
        check(value)


def test_what_is_taken():
    assert checks.one_of("method", "wald", ("wald", "profile")) == "wald"
    assert checks.flag("complete", np.True_) is True
    assert checks.optional_flag("correlation", None) is None
    assert checks.probability("level", np.float32(0.5)) == 0.5


def test_the_nearest_name_is_suggested():
    with pytest.raises(ArgumentError, match="did you mean 'profile'"):
        checks.one_of("method", "profil", ("wald", "profile"))


def test_a_large_value_is_named_by_its_type():
    with pytest.raises(ArgumentError, match="not a value of type DataFrame"):
        checks.flag("complete", pd.DataFrame({"a": range(1000)}))


@pytest.mark.parametrize("value", [None, "1", True, float("nan"), float("inf"), [1.0], np.ones(1), object()])
def test_a_finite_number_is_one_number(value):
    assert checks.finite_number("null", -1) == -1.0
    assert checks.finite_number("null", np.float32(0.5)) == 0.5
    with pytest.raises(ArgumentError, match="null must be a finite number"):
        checks.finite_number("null", value)


@pytest.mark.parametrize("seed", ["a", -1, 1.5, object(), [1, "b"]])
def test_a_seed_that_is_none(seed):
    with pytest.raises(ArgumentError, match="rng must be a whole number"):
        checks.random_generator(seed)


def test_seeds():
    drawn = [checks.random_generator(seed).random() for seed in (3, np.int64(3), np.random.default_rng(3))]
    assert len(set(drawn)) == 1
    assert isinstance(checks.random_generator(None), np.random.Generator)
