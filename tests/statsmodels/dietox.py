"""Fits of dietox in the golden file, made once."""

import json
from functools import cache
from pathlib import Path

from mixedmodels import load_dietox
from mixedmodels.statsmodels import mixedlm

CASES = json.loads((Path(__file__).parents[1] / "golden" / "statsmodels.json").read_text())["cases"]
IDS = [f"{case['formula']}, {'REML' if case['reml'] else 'ML'}" for case in CASES]


@cache
def fit(slope: bool, reml: bool):
    """A random intercept, or a random slope of time."""
    options = {"re_formula": "~Time"} if slope else {}
    return mixedlm("Weight ~ Time", load_dietox(), groups="Pig", **options).fit(reml=reml)


def fit_of(case):
    return fit("Time|" in case["formula"], case["reml"])
