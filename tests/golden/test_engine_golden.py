"""
The engine alone against golden values: the objective and its parts at given parameters.

A right optimum can hide a wrong objective. Designs are built here by hand, so that neither
the formula language nor an optimiser has a part in the result.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from golden_cases import case_named, close_matrix, read_cases

from mixedmodels import _engine
from mixedmodels.datasets import load_dataset
from mixedmodels.frame import Factor, Frame, as_factor

LMM = read_cases("lmm.json")
JULIA = read_cases("mixedmodels_jl.json")

# case: response, columns of X, terms (group, columns of Z, structure); 1 is the intercept.
HAND_BUILT: dict[str, tuple[str, list[Any], list[tuple[str, list[Any], str]]]] = {
    "sleep_int_reml": ("Reaction", [1, "Days"], [("Subject", [1], "us")]),
    "sleep_int_ml": ("Reaction", [1, "Days"], [("Subject", [1], "us")]),
    "sleep_slope_reml": ("Reaction", [1, "Days"], [("Subject", [1, "Days"], "us")]),
    "sleep_slope_ml": ("Reaction", [1, "Days"], [("Subject", [1, "Days"], "us")]),
    "sleep_slope_uncor": ("Reaction", [1, "Days"], [("Subject", [1, "Days"], "diag")]),
    "sleep_two_terms": (
        "Reaction",
        [1, "Days"],
        [("Subject", [1], "us"), ("Subject", ["Days"], "us")],
    ),
    "sleep_noint": ("Reaction", ["Days"], [("Subject", [1, "Days"], "us")]),
    "sleep_rankdef": ("Reaction", [1, "Days", "Days2"], [("Subject", [1], "us")]),
    "dyestuff_reml": ("Yield", [1], [("Batch", [1], "us")]),
    "dyestuff_ml": ("Yield", [1], [("Batch", [1], "us")]),
    "dyestuff2_ml": ("Yield", [1], [("Batch", [1], "us")]),
    "penicillin": ("diameter", [1], [("plate", [1], "us"), ("sample", [1], "us")]),
    "penicillin_ml": ("diameter", [1], [("plate", [1], "us"), ("sample", [1], "us")]),
    "pastes_sample": ("strength", [1], [("sample", [1], "us"), ("batch", [1], "us")]),
    "oxboys": (
        "height",
        [1, "age", ("age", 2)],
        [("Subject", [1, "age"], "us")],
    ),
    "carrots": (
        "Preference",
        [1, "sens1", "sens2"],
        [("Consumer", [1, "sens1", "sens2"], "us")],
    ),
}


def numbers(frame: Frame, entry: Any) -> np.ndarray:
    """A column of the model matrix: 1, a name, or a name and a power."""
    if entry == 1:
        return np.ones(frame.n_rows)
    name, power = entry if isinstance(entry, tuple) else (entry, 1)
    column = frame.column(name)
    assert not isinstance(column, Factor)
    return column.values**power


def hand_built(dataset: str, name: str) -> tuple[Any, list[tuple[str, Factor]]]:
    """The engine's model of a case of the table, and its grouping factors."""
    response, columns, terms = HAND_BUILT[name]
    frame = Frame.from_any(load_dataset(dataset))
    frame = frame.rows(~frame.column(response).missing)
    groups = [(group, as_factor(frame.column(group))) for group, _, _ in terms]
    parts = [
        (
            factor.codes.astype(np.uint32),
            len(factor.levels),
            np.column_stack([numbers(frame, entry) for entry in entries]),
            structure,
            None,
        )
        for (_, entries, structure), (_, factor) in zip(terms, groups, strict=True)
    ]
    x = np.column_stack([numbers(frame, entry) for entry in columns])
    return _engine.Lmm(numbers(frame, response), x, parts), groups


@pytest.mark.parametrize("name", HAND_BUILT)
def test_at_the_optimum(name):
    case = case_named(LMM, name)
    expected, reml = case["expected"], case["REML"]
    model, groups = hand_built(case["dataset"], name)
    theta = np.array(expected["theta"], dtype=float)
    at = model.evaluate(theta, reml)
    assert at["objective"] == pytest.approx(expected["objective"], rel=1e-10)
    assert at["sigma"] == pytest.approx(expected["sigma"], rel=1e-7)
    assert model.rank == expected["rank_X"]
    se = np.array(list(expected["se"].values()))
    assert np.all(np.abs(at["beta"] - list(expected["fixef"].values())) <= 1e-6 * se)
    close_matrix(at["sigma"] ** 2 * at["xtvx_inv"], expected["vcov"], 1e-6, se)
    assert at["fitted"].sum() == pytest.approx(expected["fitted_sum"], rel=1e-9)

    # At the optimum the gradient vanishes, except that it may point into the boundary.
    gradient, interior = model.gradient(theta, reml), theta != 0
    assert np.all(np.abs(gradient[interior]) < 1e-4)
    assert np.all(gradient[~interior] > -1e-4)

    variances = {
        i: (members, matrices)
        for members, matrices in model.conditional_variances(theta, reml)
        for i in members
    }
    for group, wanted in expected["ranef"].items():
        of_group = [i for i, (label, _) in enumerate(groups) if label == group]
        first = groups[of_group[0]][1].levels.index(wanted["levels"][0])
        b = np.column_stack([at["b"][i] for i in of_group])
        np.testing.assert_allclose(b[first], wanted["values"][0], rtol=1e-5, atol=1e-7 * at["sigma"])
        members, matrices = variances[of_group[0]]
        assert list(members) == of_group
        got = at["sigma"] ** 2 * np.asarray(matrices)[first]
        wanted_blocks = wanted["condVar_first"]
        end = 0
        # lme4 gives one matrix for each of its terms; of (a || g) that is one for each column.
        for block in map(np.array, wanted_blocks):
            start, end = end, end + len(block)
            scale = np.sqrt(np.maximum(np.diag(block), 1e-14 * at["sigma"] ** 2))
            close_matrix(got[start:end, start:end], block, 1e-5, scale)
        assert end == len(got)


def julia(name: str, like: str) -> tuple[dict[str, Any], Any]:
    """The expected values of a MixedModels.jl case, and the hand-built model it is about."""
    case = case_named(JULIA, name)
    return case, hand_built(case["dataset"], like)[0]


@pytest.mark.parametrize(
    ("name", "like", "theta", "key"),
    [
        ("test-dyestuff-ml", "dyestuff_ml", [0.713], "0.713"),
        ("test-sleepstudy-full", "sleep_slope_ml", [1.0, 0.0, 1.0], "[1,0,1]"),
    ],
)
def test_objective_at_theta(name, like, theta, key):
    case, model = julia(name, like)
    at = model.evaluate(np.array(theta), False)
    tolerance = case["tolerance"]["objective_at_theta"]["rel"]
    assert at["objective"] == pytest.approx(case["expected"]["objective_at_theta"][key], rel=tolerance)


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("test-dyestuff-ml", "dyestuff_ml"),
        ("test-sleepstudy-full", "sleep_slope_ml"),
        ("test-penicillin", "penicillin_ml"),
    ],
)
def test_parts_of_the_objective(name, like):
    case, model = julia(name, like)
    expected, tolerance = case["expected"], case["tolerance"]
    at = model.evaluate(np.array(expected["theta"]), False)
    wanted = expected["logdet_ZtZ_plus_I"]
    assert at["log_det_z"] == pytest.approx(wanted, abs=tolerance["logdet_ZtZ_plus_I"]["abs"])
    if "pwrss" in expected:
        assert at["pwrss"] == pytest.approx(expected["pwrss"], **tolerance["pwrss"])


def test_conditional_variances_of_mixedmodels_jl():
    case, model = julia("test-penicillin", "penicillin_ml")
    theta, wanted = np.array(case["expected"]["theta"]), case["expected"]["condvar"]
    variance = model.evaluate(theta, False)["sigma"] ** 2
    (_, plate), (_, sample) = model.conditional_variances(theta, False)
    assert variance * plate[0, 0, 0] == pytest.approx(wanted["plate_first"], rel=1e-4)
    assert variance * sample[-1, 0, 0] == pytest.approx(wanted["sample_last"], rel=1e-4)

    case, model = julia("test-sleepstudy-full", "sleep_slope_ml")
    theta, wanted = np.array(case["expected"]["theta"]), case["expected"]["condvar"]
    ((_, subject),) = model.conditional_variances(theta, False)
    first = model.evaluate(theta, False)["sigma"] ** 2 * subject[0]
    assert first[0, 0] == pytest.approx(wanted["308_11"], rel=1e-4)
    assert first[1, 0] == pytest.approx(wanted["308_21"], rel=1e-4)
    assert np.sqrt(np.diag(first)) == pytest.approx([wanted["sd_1"], wanted["sd_2"]], rel=1e-4)

    case, model = julia("seed-dyestuff-ml", "dyestuff_ml")
    theta = np.array(case_named(LMM, "dyestuff_ml")["expected"]["theta"], dtype=float)
    ((_, batch),) = model.conditional_variances(theta, False)
    variance = model.evaluate(theta, False)["sigma"] ** 2
    np.testing.assert_allclose(
        variance * batch[:, 0, 0], case["expected"]["condvar"]["value_all_levels"], rtol=2e-4
    )


@pytest.mark.parametrize(
    ("name", "key", "like"),
    [
        ("docs-derivatives-sleepstudy", "hessian_profiled_deviance", "sleep_slope_ml"),
        ("test-derivatives-dyestuff2", "hessian_at_optimum", "dyestuff2_ml"),
    ],
)
def test_curvature(name, key, like):
    case, model = julia(name, like)
    theta = np.array(case_named(LMM, like)["expected"]["theta"], dtype=float)
    wanted = np.array(case.get("verified", {}).get("hessian", case["expected"][key]))
    np.testing.assert_allclose(model.hessian(theta, False), wanted, rtol=case["tolerance"][key]["rel"])
    assert np.all(np.abs(model.gradient(theta, False)) < 1e-5)
