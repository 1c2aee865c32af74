"""What users of lme4 rely on in predictions; the numbers are those of a list of its behaviours."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from mixedmodels import DataError, lmer, load_orthodont, load_pastes, load_sleepstudy
from shared_fits import fits

# Fisher's iris: petal widths and sepal lengths in tenths, 50 flowers of each species.
PETAL_WIDTH = (
    "0202020202040302020102020101020404030303020402050202040202020204010202020201020203030206040302020202"
    "1415151315131610131410151014131415101511181315121314141715101110121615161513131312141210131213131113"
    "2519211822211718182520192120242318222315232020182118181821161920221514232418182124231923252319202318"
)
SEPAL_LENGTH = (
    "5149474650544650444954484843585754515751545146514850505252474854525549505549445150454450514851465350"
    "7064695565576349665250596061566756586256596163616466686760575555586054606763565555615850565757625157"
    "6358716365764973677265646857586465777760695677636772626164727479646361776364606967695868676763656259"
)


@pytest.fixture(scope="module")
def iris():
    width = [int(PETAL_WIDTH[2 * i : 2 * i + 2]) / 10 for i in range(150)]
    length = [int(SEPAL_LENGTH[2 * i : 2 * i + 2]) / 10 for i in range(150)]
    species = np.repeat(["setosa", "versicolor", "virginica"], 50)
    return pd.DataFrame({"width": width, "length": length, "species": species})


@pytest.fixture(scope="module")
def slopes():
    return fits("sleepstudy")


def test_90_fitted_values_are_predictions(slopes):
    np.testing.assert_allclose(slopes.predict(), slopes.fitted(), rtol=1e-14)
    np.testing.assert_allclose(slopes.predict(load_sleepstudy()), slopes.fitted(), rtol=1e-14)


def test_91_fixed_and_random_parts_add_up(slopes):
    fixed, random = slopes.predict(re_form="~0"), slopes.partial_fitted("(Days | Subject)")
    np.testing.assert_allclose(fixed + random, slopes.predict(), rtol=1e-12)
    np.testing.assert_allclose(slopes.predict(slopes.data, "~0") + random, slopes.predict(), rtol=1e-12)


def test_92_some_of_the_random_effects(slopes):
    split = fits("sleepstudy", "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)")
    new = {"Days": [9], "Subject": ["308"]}
    assert slopes.predict(new, "~(0 + Days | Subject)")[0] == pytest.approx(428.401, abs=0.3)
    assert slopes.predict(new, "~(1 | Subject)")[0] == pytest.approx(347.869, abs=0.3)
    orders = ("~(0 + Days | Subject) + (1 | Subject)", "~(1 | Subject) + (0 + Days | Subject)")
    assert split.predict(new, orders[0])[0] == split.predict(new, orders[1])[0]
    nested = fits("pastes")
    np.testing.assert_allclose(
        nested.predict(load_pastes(), "~(1 | batch/cask)"), nested.fitted(), rtol=1e-12
    )
    for formula in ("poly(Days, 2)", "ns(Days, df = 3)"):
        model = lmer(f"Reaction ~ {formula} + (1 | Subject)", load_sleepstudy())
        np.testing.assert_allclose(model.predict(load_sleepstudy()[::7]), model.fitted()[::7], rtol=1e-12)


def test_93_new_levels(slopes):
    with pytest.raises(DataError, match="'400'"):
        slopes.predict({"Days": [1], "Subject": ["400"]})
    many = {"Days": np.zeros(50), "Subject": [f"new{i}" for i in range(50)]}
    with pytest.raises(DataError) as error:
        slopes.predict(many)
    assert len(str(error.value)) < 500
    assert slopes.predict({"Days": [1], "Subject": ["400"]}, allow_new_levels=True) == pytest.approx(
        slopes.predict({"Days": [1]}, "~0")
    )
    text = pd.DataFrame({"Days": [1, 2], "Subject": ["308", "372"]})
    factor = text.assign(Subject=text.Subject.astype("category"))
    np.testing.assert_array_equal(slopes.predict(text), slopes.predict(factor))


def test_94_penicillin():
    model = fits("penicillin")
    np.testing.assert_allclose(model.predict()[:3], [25.9638, 22.7663, 25.7147], atol=1e-4)
    assert model.predict(re_form="~0")[0] == pytest.approx(22.9722222, abs=1e-7)


def test_95_odd_names_and_dependent_columns():
    data = load_orthodont().rename(columns={"distance": "the distance", "Subject": "a subject!"})
    model = lmer("`the distance` ~ age + (1 | `a subject!`)", data)
    np.testing.assert_allclose(model.predict(data, se_fit=True)["fit"], model.fitted(), rtol=1e-12)
    everything = lmer("`the distance` ~ . - `a subject!` + (1 | `a subject!`)", data)
    np.testing.assert_allclose(everything.predict(data), everything.fitted(), rtol=1e-12)
    with pytest.warns(UserWarning, match="age2"):
        dependent = lmer("`the distance` ~ age + age2 + (1 | `a subject!`)", data.assign(age2=2 * data.age))
    rows = data.assign(age2=2 * data.age)
    pd.testing.assert_frame_equal(
        dependent.predict(rows, se_fit=True), model.predict(rows, se_fit=True), rtol=1e-8
    )


def test_96_the_response_scale_is_the_inverse_link():
    model = fits("cbpp")
    np.testing.assert_allclose(model.predict(type="response"), expit(model.predict()), rtol=1e-12)


def test_97_standard_errors(iris):
    model = lmer("width ~ length + (1 | species)", iris)
    both, fixed = model.predict(se_fit=True), model.predict(re_form="~0", se_fit=True)
    assert both["se_fit"][0] == pytest.approx(0.0271816, abs=1e-7)
    assert fixed["se_fit"][0] == pytest.approx(0.451148, abs=1e-6)
    np.testing.assert_array_equal(both["fit"], model.predict())
    # Fewer levels or rows do not change them.
    one = iris.query("species == 'virginica'")
    pd.testing.assert_frame_equal(model.predict(one, se_fit=True), both.loc[one.index], rtol=1e-9)
    new = model.predict(iris[:1].assign(species="new"), allow_new_levels=True, se_fit=True)
    assert new["fit"][0] == pytest.approx(fixed["fit"][0], rel=1e-12)
    assert new["se_fit"][0] > fixed["se_fit"][0]


def test_97_of_the_random_part_alone(iris):
    from mixedmodels.prediction.rows import predicted_rows

    fitted = lmer("width ~ length + (1 | species)", iris)._fitted
    x, terms = predicted_rows(fitted, None, None, False, None).for_engine()
    assert np.sqrt(fitted.prediction_variances(np.zeros_like(x), terms))[0] == pytest.approx(
        0.451570, abs=1e-6
    )


def test_97_on_the_scale_of_the_response():
    model = fits("cbpp")
    link, response = model.predict(se_fit=True), model.predict(type="response", se_fit=True)
    slope = response["fit"] * (1.0 - response["fit"])
    np.testing.assert_allclose(response["se_fit"], slope * link["se_fit"], rtol=1e-12)


def test_99_transformations_keep_their_constants():
    data = load_sleepstudy().assign(shift=np.arange(180.0) % 7)
    model = lmer("Reaction ~ poly(scale(Days), 2) + offset(shift) + (1 | Subject)", data)
    some = data.iloc[[3, 50, 170]]
    np.testing.assert_allclose(model.predict(some), model.fitted()[[3, 50, 170]], rtol=1e-12)
    all_rows = model.predict(se_fit=True)["se_fit"]
    np.testing.assert_allclose(model.predict(some, se_fit=True)["se_fit"], all_rows[[3, 50, 170]], rtol=1e-9)
