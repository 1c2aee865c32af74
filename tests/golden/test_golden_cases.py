"""The name matching of the golden tests itself."""

from __future__ import annotations

import pytest
from golden_cases import canonical, matching_group, matching_level, matching_names, read_cases

from mixedmodels.datasets import dataset_names


@pytest.mark.parametrize(
    ("in_r", "ours"),
    [
        ("(Intercept)", "Intercept"),
        ("SexFemale:age", "age:Sex[T.Female]"),
        ("SexMale:age", "Sex[Male]:age"),
        ("temperature^4", "temperature[^4]"),
        ("recipeB:temperature.L", "recipe[T.B]:temperature[.L]"),
        ("I(age - 11):SexFemale", "I(age-11):Sex[T.Female]"),
        ("I(Days^2)", "I(Days ** 2)"),
        ("ns(Days, df = 3)2", "ns(Days, df=3)[2]"),
        ("factor(Days)9", "factor(Days)[T.9]"),
        ("statusPetri.Plate", "status[T.Petri.Plate]"),
    ],
)
def test_canonical(in_r, ours):
    assert canonical(in_r) == canonical(ours)


def test_matching():
    assert matching_names(["(Intercept)", "x2"], ["x[T.2]", "z", "(Intercept)"]) == ["(Intercept)", "x[T.2]"]
    assert matching_names(["(Intercept)", "x1"], ["(Intercept)", "x[S.a]"]) == ["(Intercept)", "x[S.a]"]
    with pytest.raises(AssertionError, match="do not match"):
        matching_names(["a", "b"], ["a", "c", "d"])
    assert matching_group("cask:batch", ["batch", "batch:cask"]) == "batch:cask"
    assert matching_level("b:A", "cask:batch", "batch:cask") == "A:b"
    assert matching_level("A:b", "sample", "sample") == "A:b"


@pytest.mark.parametrize(
    "file",
    [
        "lmm.json",
        "mixedmodels_jl.json",
        "glmm.json",
        "nb.json",
        "glmmtmb.json",
        "generalized_predictions.json",
    ],
)
def test_files(file):
    cases = read_cases(file)
    assert len({case["id"] for case in cases}) == len(cases)
    assert {name for case in cases for name in case["dataset"].split("|")} <= set(dataset_names())
