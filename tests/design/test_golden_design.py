"""
The whole design against lme4: with its theta, generalised least squares gives its coefficients.

V = Z Λ Λ' Z' + W^-1 is formed densely, so only small cases take part; all take part in the counts.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from design.building import build_design
from mixedmodels.datasets import load_dataset
from mixedmodels.design import Design

CASES = json.loads((Path(__file__).parents[1] / "golden" / "lmm.json").read_text(encoding="utf-8"))
SMALL = 1500


def design_of(case: dict[str, Any]) -> Design:
    options = {key: case[key] for key in ("weights", "offset", "contrasts", "subset") if case.get(key)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_design(case["formula"], load_dataset(case["dataset"]), **options)


def unordered(label: str) -> str:
    """lme4 calls the cells of ``a/b`` ``b:a``, we call them ``a:b``."""
    return ":".join(sorted(label.split(":")))


@pytest.mark.parametrize("case", [pytest.param(c, id=c["id"]) for c in CASES])
def test_sizes(case: dict[str, Any]) -> None:
    design, expected = design_of(case), case["expected"]
    sizes = [(len(t.group.levels), t.z.shape[1]) for t in design.terms]
    assert [len(design.y), sum(n * k for n, k in sizes)] == expected["dim_Z"]
    groups = {unordered(t.group.label): len(t.group.levels) for t in design.terms}
    assert groups == {unordered(label): n for label, n in expected["ngroups"].items()}
    assert len(design.x_names) == len(expected["fixef"]) + len(expected["dropped_columns"])


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=c["id"]) for c in CASES if c["expected"]["nobs"] < SMALL]
)
def test_coefficients_at_the_theta_of_lme4(case: dict[str, Any]) -> None:
    design, expected = design_of(case), case["expected"]
    n, theta = len(design.y), list(expected["theta"])
    v = np.diag(np.ones(n) if design.weights is None else 1 / design.weights)
    for term in design.terms:
        k = term.z.shape[1]
        lam = np.zeros((k, k))
        places = (
            [(i, i) for i in range(k)]
            if term.covariance == "diag"
            else [(i, j) for j in range(k) for i in range(j, k)]
        )
        for place in places:
            lam[place] = theta.pop(0)
        effects = term.z @ lam
        v += (effects @ effects.T) * (term.group.codes[:, None] == term.group.codes[None, :])
    assert not theta
    root = np.linalg.cholesky(v)
    y = design.y - (0 if design.offset is None else design.offset)
    # What R drops as aliased are later columns.
    names = list(expected["fixef"])
    x = design.x[:, : len(names)]
    beta = np.linalg.lstsq(np.linalg.solve(root, x), np.linalg.solve(root, y), rcond=None)[0]
    reference = np.array([expected["fixef"][name] for name in names], dtype=float)
    np.testing.assert_allclose(beta, reference, rtol=1e-6, atol=1e-9 * np.abs(reference).max())
