"""What is remembered between calls never shows: each call answers for its own data and arguments."""

from __future__ import annotations

import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

from design.building import build_design
from mixedmodels import lmer
from mixedmodels.errors import MissingColumnError

N = 60
FORMULA = "y ~ x + (x | g)"


def make_data(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.tile(np.arange(10), 6)
    x = rng.normal(size=N)
    effects = rng.normal(size=(10, 2))
    y = 1 + 2 * x + effects[g, 0] + effects[g, 1] * x + rng.normal(size=N)
    return pd.DataFrame({"y": y, "x": x, "g": g})


def alone(formula: str, data: Any, **options: Any) -> Any:
    """The design built after everything remembered is gone."""
    from mixedmodels.design.plan_columns import _remembered_plan
    from mixedmodels.formula.model_formula import _parse

    _remembered_plan.cache_clear()
    _parse.cache_clear()
    return build_design(formula, data, **options)


def assert_same(a: Any, b: Any) -> None:
    assert a.x_names == b.x_names
    assert a.x_terms == b.x_terms
    np.testing.assert_array_equal(a.y, b.y)
    np.testing.assert_array_equal(a.x, b.x)
    for s, t in zip(a.terms, b.terms, strict=True):
        assert (s.names, s.group.levels, s.covariance) == (t.names, t.group.levels, t.covariance)
        np.testing.assert_array_equal(s.z, t.z)
        np.testing.assert_array_equal(s.group.codes, t.group.codes)


def variants() -> dict[str, pd.DataFrame]:
    """One set of names, many types."""
    data = make_data(1)
    cut = pd.cut(data["x"], 3, labels=["lo", "mid", "hi"])
    return {
        "numbers": data,
        "other numbers": make_data(2),
        "fewer rows": data.iloc[:40],
        "text group": data.assign(g=data["g"].map("g{}".format)),
        "category": data.assign(g=pd.Categorical(data["g"], categories=range(9, -1, -1))),
        "factor x": data.assign(x=cut.astype(object)),
        "ordered x": data.assign(x=cut),
        "other levels": data.assign(x=cut.cat.rename_categories(["a", "b", "c"]).astype(object)),
        "bool x": data.assign(x=data["x"] > 0),
        "integer x": data.assign(x=np.arange(N) % 7),
        "missing": data.assign(x=data["x"].where(data["x"] < 1)),
        "more columns": data.assign(more=1.0)[["more", "g", "x", "y"]],
    }


def test_same_formula_with_other_data() -> None:
    expected = {name: alone(FORMULA, data) for name, data in variants().items()}
    for _ in range(2):
        for name, data in variants().items():
            assert_same(build_design(FORMULA, data), expected[name])


def test_contrasts_are_part_of_what_is_remembered() -> None:
    data = variants()["factor x"]
    for contrasts in (None, {"x": "sum"}, {"x": ("treatment", "hi")}, {"x": np.eye(3)[:, 1:]}, {"x": "SAS"}):
        expected = alone(FORMULA, data, contrasts=contrasts)
        build_design(FORMULA, data)
        assert_same(build_design(FORMULA, data, contrasts=contrasts), expected)


def test_data_changed_in_place_is_read_again() -> None:
    data = make_data(3).assign(g=lambda d: pd.Categorical(d["g"].map("g{}".format)))
    first = build_design(FORMULA, data)
    data.loc[:5, "x"] = 7.0
    data.loc[0, "g"] = "g9"
    data["g"] = data["g"].cat.rename_categories({"g3": "new"})
    second = build_design(FORMULA, data)
    assert second.x[:6, 1].tolist() == [7.0] * 6
    assert "new" in second.terms[0].group.levels
    assert "new" not in first.terms[0].group.levels
    assert first.terms[0].group.codes[0] == 0
    data.columns = ["x", "y", "g"]
    np.testing.assert_array_equal(build_design(FORMULA, data).y, second.x[:, 1])
    data.columns = ["a", "b", "c"]
    with pytest.raises(MissingColumnError):
        build_design(FORMULA, data)


def test_own_functions_of_the_same_name() -> None:
    data = make_data(4)
    doubled = build_design("y ~ f(x) + (1 | g)", data, functions={"f": lambda x: 2 * x})
    squared = build_design("y ~ f(x) + (1 | g)", data, functions={"f": np.square})
    labels = build_design(
        "y ~ f(x) + (1 | g)", data, functions={"f": lambda x: np.where(x > 0, "plus", "minus").astype(object)}
    )
    np.testing.assert_array_equal(doubled.x[:, 1], 2 * data["x"])
    np.testing.assert_array_equal(squared.x[:, 1], data["x"] ** 2)
    assert labels.x_names == ("(Intercept)", "f(x)[T.plus]")


def test_threads_share_what_is_remembered() -> None:
    frames = list(variants().values())
    expected = [build_design(FORMULA, data) for data in frames]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda data: alone(FORMULA, data), frames * 8))
    for i, design in enumerate(found):
        assert_same(design, expected[i % len(frames)])


def arrays(value: Any) -> list[np.ndarray]:
    """Every array in a nest of dataclasses and tuples."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, (tuple, list)):
        return [a for part in value for a in arrays(part)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [a for f in dataclasses.fields(value) for a in arrays(getattr(value, f.name))]
    return []


@pytest.mark.parametrize("optimizer", ["trust_region", "bobyqa", None])
@pytest.mark.parametrize("name", ["numbers", "factor x", "missing"])
def test_nothing_in_a_model_can_be_written_to(optimizer: str | None, name: str) -> None:
    data = variants()[name]
    formula = "y ~ x + (1 | g)"
    model = lmer(
        formula, data, optimizer=optimizer, start=[1.0], contrasts={"x": "sum"} if "f" in name else None
    )
    unpickled = pickle.loads(pickle.dumps(model))
    for fit in (model, model.refit(model._fitted.design.y + 1.0), model.refit(REML=False), unpickled):
        state = fit._fitted
        found = arrays((state.design, state.estimates, state.convergence, state.term_roots))
        assert len(found) > 12
        for array in found:
            assert not array.flags.writeable
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0


@pytest.mark.parametrize("levels", [10, 40_000])
def test_a_model_shares_no_memory_with_the_data(levels: int) -> None:
    # With this many categories pandas stores their codes as we do.
    n = 2 * levels
    rng = np.random.default_rng(5)
    g = pd.Categorical.from_codes(np.arange(n) % levels, [f"g{i}" for i in range(levels)])
    data = pd.DataFrame({"y": rng.normal(size=n), "x": rng.normal(size=n), "g": g})
    design = build_design(FORMULA, data)
    before = [array.copy() for array in arrays((design.y, design.x, design.terms))]
    for name in ("y", "x"):
        data[name].array._ndarray.setflags(write=True)
        data[name].array._ndarray[:] = 0
    data["g"].array._ndarray[:] = 0
    for old, now in zip(before, arrays((design.y, design.x, design.terms)), strict=True):
        np.testing.assert_array_equal(old, now)
