"""Predictors that are centred or scaled: with the constants of the fit, wherever they are used again."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from design.building import build_design
from mixedmodels import FormulaError, glmer, lmer, load_cbpp, load_sleepstudy

DATA = load_sleepstudy()
DAYS = DATA["Days"].to_numpy(dtype=float)
Z = (DAYS - DAYS.mean()) / DAYS.std(ddof=1)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("scale(Days)", Z),
        ("standardize(Days)", Z),
        ("zscore(Days)", Z),
        ("center(Days)", DAYS - DAYS.mean()),
        ("center(Days, 2)", DAYS - 2),
        ("center(Days, at=-1.5)", DAYS + 1.5),
        ("scale(Days, 2, 5)", (DAYS - 2) / 5),
        ("zscore(log1p(Days))", (np.log1p(DAYS) - np.log1p(DAYS).mean()) / np.log1p(DAYS).std(ddof=1)),
    ],
)
def test_columns_in_both_parts_and_on_new_data(call, expected):
    design = build_design(f"Reaction ~ {call} + (1 + {call} | Subject)", DATA)
    np.testing.assert_allclose(design.x[:, 1], expected)
    np.testing.assert_allclose(design.terms[0].z[:, 1], expected)
    part = DATA.iloc[[17, 3]]
    np.testing.assert_allclose(design.recipe.new_x(part)[:, 1], expected[[17, 3]])
    (term,) = design.recipe.new_random(part, False)
    np.testing.assert_allclose(term.z[:, 1], expected[[17, 3]])


def test_the_rows_of_the_fit_decide():
    """Rows left out, by subset, missing values or zero weights, have no part in the constants."""
    used = DAYS >= 4
    expected = (DAYS - DAYS[used].mean()) / DAYS[used].std(ddof=1)
    gaps = DATA.assign(Reaction=DATA["Reaction"].where(used))
    for options, data in (({"subset": "Days >= 4"}, DATA), ({}, gaps), ({"weights": used * 1.0}, DATA)):
        design = build_design("Reaction ~ zscore(Days) + (1 | Subject)", data, **options)
        np.testing.assert_allclose(design.x[:, 1], expected[used])
        np.testing.assert_allclose(design.recipe.new_x(DATA)[:, 1], expected)


def test_prior_weights_do_not_move_the_constants():
    weights = np.linspace(0.5, 3.0, len(DATA))
    design = build_design("Reaction ~ zscore(Days) + (1 | Subject)", DATA, weights=weights)
    np.testing.assert_allclose(design.x[:, 1], Z)


def test_a_model_of_scaled_predictors_is_the_same_model():
    weights = np.linspace(0.5, 3.0, len(DATA))
    plain = lmer("Reaction ~ Days + (Days | Subject)", DATA, weights=weights, REML=False)
    scaled = lmer("Reaction ~ zscore(Days) + (center(Days, 3) | Subject)", DATA, weights=weights, REML=False)
    assert scaled.objective == pytest.approx(plain.objective, abs=1e-7)
    assert scaled.fixef()["zscore(Days)"] == pytest.approx(plain.fixef()["Days"] * DAYS.std(ddof=1), rel=1e-6)
    new = pd.DataFrame({"Days": [2.5, 40.0], "Subject": ["308", "335"]})
    for model in (scaled, pickle.loads(pickle.dumps(scaled)), scaled.update(". ~ .")):
        np.testing.assert_allclose(model.predict(new), plain.predict(new), rtol=1e-5)
    # Marginal means are at values of Days, its mean by default.
    for at in (None, {"Days": [0, 4.5, 9]}):
        found, expected = (model.emmeans("Days", at=at).to_frame() for model in (scaled, plain))
        assert found["Days"].tolist() == expected["Days"].tolist()
        np.testing.assert_allclose(found["emmean"], expected["emmean"], rtol=1e-6)
    trends = [model.emtrends("1", var="Days").to_frame().iloc[0, 1] for model in (scaled, plain)]
    assert trends[0] == pytest.approx(trends[1], rel=1e-5)


def test_update_computes_the_constants_anew_for_other_data():
    model = lmer("Reaction ~ zscore(Days) + (1 | Subject)", DATA)
    later = DATA[DATA["Days"] > 4]
    moved = model.update(data=later)
    direct = lmer("Reaction ~ zscore(Days) + (1 | Subject)", later)
    assert moved.fixef().tolist() == direct.fixef().tolist()
    assert moved.predict(DATA[:1])[0] != pytest.approx(model.predict(DATA[:1])[0])


def test_generalized_models():
    herds = load_cbpp().assign(time=lambda d: d["period"].astype(int))
    formula = "cbind(incidence, size - incidence) ~ {} + (1 | herd)"
    plain, scaled = (glmer(formula.format(x), herds, "binomial") for x in ("time", "zscore(time)"))
    np.testing.assert_allclose(
        scaled.predict(herds.iloc[:3], type="response"),
        plain.predict(herds.iloc[:3], type="response"),
        rtol=1e-4,
    )


@pytest.mark.parametrize(
    "call",
    ["center(Days, c(1, 2))", "scale(Days, scale=c(1, 2))", "poly(Days, c(1, 2))", "ns(Days, df=c(2, 3))"],
)
def test_constants_are_single_numbers(call):
    with pytest.raises(FormulaError, match="must be a single number, not c"):
        lmer(f"Reaction ~ {call} + (1 | Subject)", DATA)
