"""Predictions; numbers by lme4 1.1-31 (prediction.json) where no other source is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import lmer, load_dataset, load_machines, load_pastes, load_sleepstudy
from mixedmodels.errors import ArgumentError, DataError, MissingColumnError, RankDeficiencyWarning
from shared_fits import fits

DATA = load_sleepstudy()


@pytest.fixture(scope="module")
def model():
    return fits("sleepstudy")


@pytest.fixture(scope="module")
def nested():
    return lmer("strength ~ 1 + (1 | batch/cask)", load_pastes())


def test_fitting_data(model):
    np.testing.assert_allclose(model.predict(), model.fitted())
    np.testing.assert_allclose(model.predict(DATA), model.fitted(), rtol=1e-12)
    np.testing.assert_allclose(model.predict(type="link"), model.fitted())


@pytest.mark.parametrize("re_form", ["~0", "~ 0", "0", "NA", 0, False, float("nan"), np.nan, pd.NA])
def test_no_random_effects(model, re_form):
    wanted = 251.405105 + 10.467286 * DATA["Days"]
    np.testing.assert_allclose(model.predict(re_form=re_form), wanted, rtol=1e-6)
    np.testing.assert_allclose(model.predict(DATA, re_form=re_form), wanted, rtol=1e-6)
    # The grouping factor is not needed.
    np.testing.assert_allclose(model.predict({"Days": [0.0, 9.0]}, re_form=re_form), [251.405105, 345.610679])


@pytest.mark.parametrize(
    ("re_form", "columns"),
    [("~(1 | Subject)", [0]), ("~(0 + Days | Subject)", [1]), ("(Days|Subject)", [0, 1])],
)
def test_some_random_effects(model, re_form, columns):
    effects = model.ranef()["Subject"].to_numpy()
    rows = DATA["Subject"].cat.codes.to_numpy()
    z = np.column_stack([np.ones(180), DATA["Days"]])
    part = np.einsum("ij,ij->i", z[:, columns], effects[rows][:, columns])
    wanted = model.predict(re_form="~0") + part
    np.testing.assert_allclose(model.predict(re_form=re_form), wanted)
    np.testing.assert_allclose(model.predict(DATA, re_form=re_form), wanted)


def test_terms_of_one_factor_are_found_by_their_columns():
    split = lmer("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", DATA)
    both = split.predict(re_form="~(1 | Subject) + (0 + Days | Subject)")
    np.testing.assert_allclose(both, split.fitted())
    np.testing.assert_allclose(split.predict(re_form="~(Days | Subject)"), split.fitted())
    with pytest.raises(ArgumentError, match="not part of the model"):
        lmer("Reaction ~ Days + (0 + Days | Subject)", DATA).predict(re_form="~(1 | Subject)")


def test_a_factor_coded_otherwise_is_no_part_of_the_model():
    machines = load_machines()
    model = lmer("score ~ Machine + (Machine | Worker)", machines)
    np.testing.assert_allclose(model.predict(re_form="~(Machine | Worker)"), model.fitted())
    with pytest.raises(ArgumentError, match="not part of the model"):
        model.predict(re_form="~(0 + Machine | Worker)")


def test_nested(nested):
    batch = nested.predict(re_form="~(1 | batch)")
    cask = nested.predict(re_form="~(1 | batch:cask)")
    np.testing.assert_allclose(batch + cask - nested.fixef().iloc[0], nested.fitted())
    np.testing.assert_allclose(nested.predict(re_form="~(1 | batch/cask)"), nested.fitted())


def test_new_levels(model, nested):
    new = pd.DataFrame({"Days": [0.0, 1.0, 1.0], "Subject": ["308", "999", None]})
    with pytest.raises(DataError, match="999"):
        model.predict(new)
    values = model.predict(new, allow_new_levels=True)
    assert values[0] == pytest.approx(253.66367, abs=1e-4)
    np.testing.assert_allclose(values[1:], 251.405105 + 10.467286, rtol=1e-8)
    new = load_pastes().head(1).assign(cask="z")
    effects = nested.ranef()["batch"].iloc[0, 0]
    got = nested.predict(new, allow_new_levels=True)
    np.testing.assert_allclose(got, nested.fixef().iloc[0] + effects)


def test_what_becomes_of_new_levels(model):
    new = pd.DataFrame({"Days": [0.0, 1.0, 1.0], "Subject": ["308", "999", None]})
    population = model.predict(new, new_re_levels="population", interval="prediction")
    pd.testing.assert_frame_equal(
        population, model.predict(new, allow_new_levels=True, interval="prediction")
    )
    missing = model.predict(new, new_re_levels="missing", interval="prediction")
    assert np.isnan(missing.iloc[1:].to_numpy()).all()
    pd.testing.assert_series_equal(missing.iloc[0], population.iloc[0])
    assert np.isnan(model.predictions(new, new_re_levels="missing")["fit"][1:]).all()
    # Effects that do not take part have no new levels.
    assert np.isfinite(model.predict(new, re_form="~0", new_re_levels="missing")).all()
    with pytest.raises(DataError, match="999"):
        model.predict(new, new_re_levels="error")


def test_a_new_cell_is_a_new_level_of_its_own_factor_only(nested):
    new = load_pastes().head(2)
    new["cask"] = ["z", "a"]
    got = nested.predict(new, new_re_levels="missing")
    assert np.isnan(got[0])
    assert got[1] == pytest.approx(nested.fitted()[1])
    assert np.isfinite(nested.predict(new, "~(1 | batch)", new_re_levels="missing")).all()


def test_new_levels_of_a_generalized_model():
    model = fits("cbpp")
    new = pd.DataFrame({"period": ["1", "1"], "herd": ["1", "zz"]})
    got = model.predict(new, type="response", new_re_levels="missing")
    assert got[0] == pytest.approx(model.fitted()[0])
    assert np.isnan(got[1])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"new_re_levels": "zero"}, "'error', 'population', 'missing'"),
        ({"new_re_levels": "missing", "allow_new_levels": True}, "give only one"),
        ({"new_re_levels": "error", "allow_new_levels": True}, "=True is new_re_levels='population', not"),
        ({"new_re_levels": "population", "allow_new_levels": False}, "=False is new_re_levels='error', not"),
        ({"new_re_levels": "missing", "allow_new_levels": False}, "give only one"),
    ],
)
def test_new_levels_are_one_of_three(model, given, message):
    for method in (model.predict, model.predictions):
        with pytest.raises(ArgumentError, match=message):
            method(DATA, **given)


def test_missing_predictors_give_nan(model):
    got = model.predict(pd.DataFrame({"Days": [np.nan, 0.0], "Subject": ["308", "308"]}))
    assert np.isnan(got[0])
    assert got[1] == pytest.approx(253.66367, abs=1e-4)


def test_no_rows(model):
    assert model.predict(DATA.iloc[:0]).shape == (0,)


def test_transforms_keep_their_constants():
    model = lmer("Reaction ~ poly(Days, 2) + (1 | Subject)", DATA)
    np.testing.assert_allclose(model.predict(DATA.iloc[[3, 8]]), model.fitted()[[3, 8]])


def test_unseen_levels_of_a_fixed_factor():
    model = fits("machines")
    with pytest.raises(DataError, match="'D'"):
        model.predict({"Machine": ["D"], "Worker": ["1"]})


class TestOffsets:
    def test_in_the_formula(self):
        data = load_dataset("sleepstudy_x")
        model = lmer("Reaction ~ Days + offset(off) + (1 | Subject)", data)
        new = pd.DataFrame({"Days": [0, 9, 9], "Subject": ["308", "309", "330"], "off": [0, 50, 100]})
        np.testing.assert_allclose(model.predict(new), [291.179357008594, 298.685714529954, 431.016098750165])
        np.testing.assert_allclose(model.predict(re_form="~0")[1], 262.872390808081)

    def test_a_column_by_name(self):
        data = load_dataset("sleepstudy_x")
        model = lmer("Reaction ~ Days + (1 | Subject)", data, offset="off")
        np.testing.assert_allclose(model.predict(data), model.fitted())
        with pytest.raises(MissingColumnError, match="off"):
            model.predict(DATA)

    def test_an_array(self):
        offset = np.arange(180.0)
        model = lmer("Reaction ~ Days + (1 | Subject)", DATA, offset=offset)
        np.testing.assert_allclose(model.predict(), model.fitted())
        with pytest.raises(ArgumentError, match="offset="):
            model.predict(DATA)
        np.testing.assert_allclose(model.predict(DATA, offset=offset), model.fitted())
        with pytest.raises(ArgumentError, match="needs newdata"):
            model.predict(offset=offset)


def test_excluded_rows_are_padded():
    data = DATA.assign(Reaction=DATA["Reaction"].where(DATA.index % 10 != 3))
    model = lmer("Reaction ~ Days + (Days | Subject)", data, na_action="exclude")
    for values in (model.fitted(), model.residuals(), model.predict(), model.predict(re_form="~0")):
        assert values.shape == (180,)
        np.testing.assert_array_equal(np.isnan(values), data["Reaction"].isna())
    assert model.nobs == 162
    assert "18 rows of 180" in str(model.summary())
    assert lmer("Reaction ~ Days + (Days | Subject)", data).fitted().shape == (162,)


def test_dropped_columns_take_no_part():
    data = DATA.assign(twice=2 * DATA["Days"])
    with pytest.warns(RankDeficiencyWarning):
        model = lmer("Reaction ~ Days + twice + (1 | Subject)", data)
    np.testing.assert_allclose(model.predict(data), model.fitted())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"re_form": "~(1 | Days)"}, "not part of the model"),
        ({"re_form": "~(Days + I(Days^2) | Subject)"}, "not part of the model"),
        ({"re_form": "~Days + (1 | Subject)"}, "fixed effects"),
        ({"re_form": "~1"}, "no random-effects term"),
        ({"re_form": 3}, "re_form must be"),
        ({"type": "respone"}, "'response', 'link'"),
    ],
)
def test_bad_arguments(model, options, message):
    with pytest.raises(ArgumentError, match=message):
        model.predict(**options)


def test_missing_columns(model):
    with pytest.raises(MissingColumnError, match="Days"):
        model.predict({"Subject": ["308"]})
