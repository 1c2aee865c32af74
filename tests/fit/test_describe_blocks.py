"""What a model costs, against counts made from the data."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    ArgumentError,
    LargeModelWarning,
    MemoryLimitError,
    MixedModelsWarning,
    describe_blocks,
    lmer,
    load_insteval,
    load_pastes,
    load_penicillin,
    load_sleepstudy,
)
from mixedmodels.fit import block_costs

SLEEP = "Reaction ~ Days + (Days | Subject)"
NUMBER, INDEX, RANGE = 8, 4, 8
CROSSED = {"a": 60, "b": 25, "c": 40}


def met_by_level(data: pd.DataFrame, group: str, others: dict[str, int]) -> np.ndarray:
    """For each level of a factor, the random effects of other factors (with these widths) it occurs with."""
    return sum(
        (pd.crosstab(data[group], data[other]) > 0).sum(axis=1).to_numpy() * width
        for other, width in others.items()
    )


def test_one_factor():
    costs = describe_blocks(SLEEP, load_sleepstudy())
    subject, x = costs.blocks
    assert (subject.name, subject.kind, subject.coupling) == ("Subject", "block diagonal", "dense")
    assert (subject.levels, subject.width, subject.rows, subject.columns, subject.fill) == (18, 2, 36, 2, 1.0)
    assert (x.name, x.kind, x.levels, x.width, x.rows, x.columns) == ("X", "dense", 1, 2, 2, 2)
    assert subject.cross_products == np.zeros((18, 2, 2)).nbytes + np.zeros((36, 2)).nbytes
    assert x.cross_products == np.zeros((2, 2)).nbytes
    # Five groups of four levels: Z'Z, Z'[X y], N and one vector, triangles packed.
    assert subject.factor == np.zeros((5, 4, 3 + 2 * 3 + 3 + 2)).nbytes
    assert costs.inverse == 0


def test_two_factors_that_meet_in_every_cell():
    costs = describe_blocks("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
    plate, sample, x = costs.blocks
    assert (plate.kind, plate.coupling, plate.fill) == ("block diagonal", "dense", 1.0)
    assert (sample.kind, sample.coupling, sample.fill) == ("dense", "dense", 1.0)
    assert [(b.rows, b.columns) for b in costs.blocks] == [(24, 7), (6, 7), (1, 7)]
    assert plate.cross_products == np.zeros(24).nbytes + np.zeros((24, 7)).nbytes
    assert plate.factor == 2 * np.zeros(24).nbytes
    trailing = np.zeros((7, 7)).nbytes
    assert sample.cross_products + x.cross_products == trailing
    assert sample.factor + x.factor == trailing
    # The inverse, that of the factor, and two working variates twice over.
    assert sample.inverse + x.inverse == 2 * trailing + 2 * np.zeros((7, 2)).nbytes
    # A level meets six samples, the intercept and the response.
    assert plate.flops_value == 24 * (7 + 8 + 8**2)
    assert sample.flops_value + x.flops_value == pytest.approx(7**3 / 3)


def test_nested_factors_are_both_block_diagonal():
    pastes = load_pastes()
    costs = describe_blocks("strength ~ 1 + (1 | batch/cask)", pastes)
    cask, batch, x = costs.blocks
    assert [b.name for b in costs.blocks] == ["batch:cask", "batch", "X"]
    assert cask.levels == pastes.groupby(["batch", "cask"], observed=True).ngroups
    assert batch.levels == pastes["batch"].nunique()
    assert {cask.kind, batch.kind} == {"block diagonal"}
    assert (cask.rows, cask.columns) == (30, 1)
    assert (x.rows, x.columns) == (1, 1)
    # The diagonal, the tie to the batch, X, and the bounds of an empty list for each level.
    assert cask.cross_products == 30 * 3 * NUMBER + 31 * RANGE
    assert batch.cross_products == 10 * 2 * NUMBER + 11 * RANGE
    # What eliminating the casks leaves of the batches is kept apart.
    assert batch.factor == batch.cross_products + 10 * 2 * NUMBER


def test_sparsely_crossed_factors():
    data = load_insteval()
    costs = describe_blocks("y ~ service + (1 | s) + (1 | d)", data)
    s, d, x = costs.blocks
    levels, columns = data["s"].nunique(), data["d"].nunique() + 2
    assert (s.levels, s.columns, s.coupling) == (levels, columns, "sparse")
    met = met_by_level(data, "s", {"d": 1})
    stored = met.sum() + levels * 2
    assert s.fill == pytest.approx(stored / (levels * columns), rel=1e-12)
    assert s.cross_products == NUMBER * (levels + stored) + INDEX * met.sum() + RANGE * (levels + 1)
    # X has two columns, the response is one more.
    assert s.flops_value == np.sum(7 + (met + 3) + (met + 3) ** 2)
    matrix = columns**2 * NUMBER
    for part in ("cross_products", "factor"):
        assert getattr(d, part) + getattr(x, part) == matrix
    variates = 2 * columns * 2 * NUMBER
    assert d.inverse + x.inverse == 2 * matrix + variates
    assert d.flops_value + x.flops_value == pytest.approx(columns**3 / 3)
    assert costs.memory == sum(b.cross_products + b.factor + b.inverse for b in (s, d, x))
    assert costs.seconds == costs.flops / 20e9
    # The inverse takes twice the factor; two working variates are multiplied by the matrix and solved.
    derivatives = 2 * columns**3 / 3 + 2 * (3 * columns**2 + 4 * 2 * columns)
    assert d.flops_derivatives + x.flops_derivatives == pytest.approx(derivatives)


def crossed() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 600
    data = pd.DataFrame({name: rng.integers(0, levels, n) for name, levels in CROSSED.items()})
    data["x"] = rng.normal(size=n)
    effects = sum(rng.normal(size=levels)[data[name]] for name, levels in CROSSED.items())
    data["y"] = data["x"] + effects + rng.normal(size=n)
    return data


def test_vector_valued_crossed_factors():
    data = crossed()
    costs = describe_blocks("y ~ x + (x | a) + (x || b) + (1 | c)", data)
    a, b, c, x = costs.blocks
    assert [block.name for block in costs.blocks] == ["a", "b", "c", "X"]
    # Both terms that a double bar makes are one block.
    assert [(block.levels, block.width) for block in costs.blocks] == [(60, 2), (25, 2), (40, 1), (1, 2)]
    assert {block.columns for block in costs.blocks} == {25 * 2 + 40 + 2}
    met = met_by_level(data, "a", {"b": 2, "c": 1})
    assert met.sum() < 0.3 * 60 * 90
    assert a.coupling == "sparse"
    assert a.fill == pytest.approx((met.sum() + 60 * 2) / (60 * a.columns), rel=1e-12)
    assert a.factor == 2 * 60 * 4 * NUMBER
    assert a.flops_value == np.sum(7 * 8 + 4 * (met + 3) + 2 * (met + 3) ** 2)
    assert b.factor + c.factor + x.factor == a.columns**2 * NUMBER


def test_a_fitted_model_and_its_formula_cost_the_same():
    data = crossed()
    weights = np.linspace(0, 2, len(data))
    formula = "y ~ x + (1 | a) + (1 | b)"
    fitted = lmer(formula, data, weights=weights, subset="x > -1")
    before = describe_blocks(formula, data, weights=weights, subset="x > -1")
    assert describe_blocks(fitted).blocks == fitted.describe_blocks().blocks == before.blocks
    assert before.blocks != describe_blocks(formula, data).blocks


def test_dropped_columns_cost_nothing():
    data = crossed().assign(twice=lambda d: 2 * d["x"])
    x = describe_blocks("y ~ x + twice + (1 | a)", data).blocks[-1]
    assert x.width == 2


def test_a_model_that_does_not_fit_the_memory_can_be_described():
    rng = np.random.default_rng(1)
    n, levels = 400_000, 150_000
    a, b = (rng.permutation(np.arange(n) % levels) for _ in range(2))
    data = {"y": rng.normal(size=n), "a": a, "b": b}
    costs = describe_blocks("y ~ 1 + (1 | a) + (1 | b)", data)
    assert costs.memory_available is not None
    assert costs.memory > costs.memory_available
    assert "GiB" in str(costs)
    with pytest.raises(MemoryLimitError) as refused:
        lmer("y ~ 1 + (1 | a) + (1 | b)", data)
    told = re.search(r"([\d.]+) GiB", str(refused.value))
    assert told is not None
    assert float(told[1]) == pytest.approx(costs.memory / 2**30, rel=0.01)


def test_many_sparsely_crossed_factors_are_one_sparse_matrix():
    rng = np.random.default_rng(2)
    n, sizes = 9000, {"a": 6000, "b": 5000, "c": 3000}
    data = pd.DataFrame({name: rng.permutation(np.arange(n) % levels) for name, levels in sizes.items()})
    data["y"] = rng.normal(size=n)
    costs = describe_blocks("y ~ 1 + (1 | a) + (1 | b) + (1 | c)", data)
    assert {block.kind for block in costs.blocks} == {"sparse"}
    dim = sum(sizes.values()) + 1
    assert {block.columns for block in costs.blocks} == {dim}
    *blocks, x = costs.blocks
    for block in blocks:
        assert block.levels == block.rows == sizes[block.name]
        others = dict.fromkeys(sizes.keys() - {block.name}, 1)
        met = met_by_level(data, block.name, others)
        # Each pair of levels is stored once, at one of the two, with two indices.
        pairs = (NUMBER + INDEX + RANGE) * met.sum() / 2
        level = NUMBER + NUMBER + INDEX + RANGE + RANGE + 2 * INDEX
        assert block.cross_products == pairs + level * block.levels
        assert 0 < block.fill < 0.2
    assert x.cross_products == NUMBER
    # Far below one dense matrix, but no less than the cross-products have.
    assert costs.factor < NUMBER * dim**2 / 4
    assert costs.factor > NUMBER * met_by_level(data, "a", {"b": 1, "c": 1}).sum()
    assert costs.flops_value < dim**3 / 30


def test_the_table():
    costs = describe_blocks("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
    frame = costs.to_frame()
    assert list(frame["block"]) == ["plate", "sample", "X"]
    assert frame["MiB"].sum() == pytest.approx(costs.memory / 2**20)
    assert frame["Mflop"].sum() == pytest.approx(costs.flops / 1e6)
    lines = str(costs).splitlines()
    assert len(lines) == 1 + 3 + 2
    assert lines[0].split()[:2] == ["Block", "Kind"]
    assert "24 x 7" in lines[1]
    assert f"{costs.memory / 1024:.1f} KiB" in lines[-2]
    assert "assumed 20 Gflop/s" in lines[-1]
    assert costs._repr_html_().count("<tr>") == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SLEEP,), "needs data="),
        ((3, load_sleepstudy()), "not int"),
    ],
)
def test_arguments_that_do_not_fit(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        describe_blocks(*arguments)


def test_a_fitted_model_has_its_own_arguments():
    fitted = lmer(SLEEP, load_sleepstudy())
    with pytest.raises(ArgumentError, match="subset"):
        describe_blocks(fitted, subset="Days > 1")
    with pytest.raises(ArgumentError, match="na_action"):
        describe_blocks(fitted, na_action="fail")


class TestNotice:
    def test_a_large_fit_is_announced_with_its_figures(self, monkeypatch):
        costs = describe_blocks(SLEEP, load_sleepstudy())
        monkeypatch.setattr(block_costs, "LARGE_MODEL", costs.memory - 1)
        with pytest.warns(LargeModelWarning) as caught:
            fitted = lmer(SLEEP, load_sleepstudy())
        assert len(caught) == 1
        text = str(caught[0].message)
        assert f"{costs.memory / 1024:.1f} KiB" in text
        assert f"{costs.flops / 1e3:.1f} kflop" in text
        assert "Subject (36 effects)" in text
        assert issubclass(LargeModelWarning, MixedModelsWarning)
        assert fitted.convergence.messages == ()
        assert caught[0].filename == __file__

    def test_it_comes_before_the_fit(self, monkeypatch, capsys):
        monkeypatch.setattr(block_costs, "LARGE_MODEL", 0)
        with warnings.catch_warnings():
            warnings.simplefilter("error", LargeModelWarning)
            with pytest.raises(LargeModelWarning):
                lmer(SLEEP, load_sleepstudy(), verbose=True)
        assert capsys.readouterr().out == ""

    def test_a_refit_is_not_announced_again(self, monkeypatch):
        fitted = lmer(SLEEP, load_sleepstudy())
        monkeypatch.setattr(block_costs, "LARGE_MODEL", 0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fitted.refit(REML=False)

    def test_a_fit_as_large_as_the_limit_is_not_announced(self, monkeypatch):
        costs = describe_blocks(SLEEP, load_sleepstudy())
        monkeypatch.setattr(block_costs, "LARGE_MODEL", costs.memory)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            lmer(SLEEP, load_sleepstudy())

    def test_the_limit_is_four_gibibytes(self):
        assert block_costs.LARGE_MODEL == 4 * 1024**3
