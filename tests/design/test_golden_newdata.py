"""New data through the bases of the fit, also beyond its range, against R's predictions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from design.building import build_design
from mixedmodels.datasets import load_dataset

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parents[1] / "golden" / "lmm.json").read_text(encoding="utf-8"))
}

# R 4.2.2, lme4 1.1-31, predict() for subject 308 at days 1.5, 12 (the data end at 9) and 0.
PREDICTIONS = {
    "sleep_poly": (308.144712156629, 433.975519703977, 296.235284400947),
    "sleep_ns": (308.066115812652, 426.264981951864, 296.291904723798),
}


@pytest.mark.parametrize("name", list(PREDICTIONS))
def test_differences_of_predictions(name: str) -> None:
    case, predictions = CASES[name], np.array(PREDICTIONS[name])
    recipe = build_design(case["formula"], load_dataset(case["dataset"])).recipe
    x = recipe.new_x({"Days": [1.5, 12, 0]})
    fitted = x @ np.array(list(case["expected"]["fixef"].values()))
    np.testing.assert_allclose(fitted[:2] - fitted[2], predictions[:2] - predictions[2], rtol=1e-7)
