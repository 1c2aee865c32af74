"""Levels that are unknown because their rows were omitted: the error says what became of them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from mixedmodels import glmer, lmer, load_sleepstudy
from mixedmodels.errors import DataError, NewLevelsError

SLEEP = load_sleepstudy().assign(
    f=lambda d: np.where(d.Subject == "308", "odd", np.where(d.Days > 4, "late", "early")),
    k=lambda d: d.Days % 4,
)
FIRST = SLEEP["Subject"] == "308"
GAPS = SLEEP.assign(
    z=SLEEP["Days"].pow(2).mask(FIRST),
    w=np.where(FIRST, 0.0, 1.0),
    some=SLEEP["Days"].pow(2).mask(FIRST & (SLEEP["Days"] < 4)),
)

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"formula": "{} + z + (1 | Subject)"}, r"missing values in 'z' \(10\)"),
    "subset": ({"formula": "{} + (1 | Subject)", "subset": "Subject != '308'"}, r"subset= \(10\)"),
    "both": (
        {"formula": "{} + some + (1 | Subject)", "subset": "Days < 4 | Subject != '308'"},
        r"subset= \(6\), missing values in 'some' \(4\)",
    ),
    "weights": ({"formula": "{} + (1 | Subject)", "weights": "w"}, r"zero weight, .* \(10\)"),
    "array": (
        {"formula": "{} + (1 | Subject)", "weights": GAPS["w"].to_numpy()},
        r"zero weight, or weights= or offset= missing \(10\)",
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["linear", "generalized"])
@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_the_reason_is_given(case: str, kind: str) -> None:
    options, reason = dict(CASES[case][0]), CASES[case][1]
    formula = options.pop("formula").format("Reaction ~ Days" if kind == "linear" else "k ~ Reaction")
    model: Any = (
        lmer(formula, GAPS, **options) if kind == "linear" else glmer(formula, GAPS, "poisson", **options)
    )
    message = (
        rf"'Subject' has levels that were not in the fit: '308'; .*"
        rf"'308' was in the data of the fit, but all its 10 rows were omitted: {reason}$"
    )
    for one in (model, pickle.loads(pickle.dumps(model))):
        with pytest.raises(NewLevelsError, match=message) as caught:
            one.predict(GAPS.head(1).assign(z=1.0, some=1.0))
        assert isinstance(caught.value, DataError)
        assert (caught.value.column, caught.value.levels) == ("Subject", ("308",))
    assert np.isfinite(model.predict(GAPS.head(1).assign(z=1.0, some=1.0), allow_new_levels=True)).all()


@pytest.mark.parametrize("term", ["f", "factor(f)", "ordered(f)", "relevel(f, ref='late')"])
def test_factors_of_the_fixed_part(term: str) -> None:
    with pytest.raises(
        NewLevelsError, match=r"'odd' was in the data of the fit, but all its 10 rows were omitted: missing"
    ):
        lmer(f"Reaction ~ {term} + z + (1 | Subject)", GAPS).predict(
            {"f": ["odd"], "z": [1], "Subject": ["309"]}
        )


def test_levels_that_are_new_indeed() -> None:
    model = lmer("Reaction ~ f + (1 | Subject)", SLEEP, subset="Days > 1")
    for new in ({"f": ["never"], "Subject": ["308"]}, {"f": ["late"], "Subject": ["new"]}):
        with pytest.raises(NewLevelsError) as caught:
            model.predict(new)
        assert "left out" not in str(caught.value)


def test_many_levels_are_counted() -> None:
    model = lmer("Reaction ~ Days + (1 | Subject)", SLEEP, subset="Subject in ['308', '309']")
    with pytest.raises(
        NewLevelsError, match=r"'310' was in.*subset= \(10\); '330' was in.*; likewise 14 more$"
    ):
        model.predict(SLEEP)
