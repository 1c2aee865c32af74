"""What summaries and printed models say of the response and of what went wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import anova, emmeans, glmer, joint_tests, load_cbpp, load_verbagg, tidy
from mixedmodels.errors import SeparationWarning
from shared_fits import fits

pytestmark = pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")


def frame():
    r = np.random.default_rng(1)
    return pd.DataFrame({"g": np.arange(200) % 10, "x": r.normal(size=200), "u": r.uniform(size=200)})


def lines(model):
    return [*repr(model).splitlines(), *str(model.summary()).splitlines()], model.summary()._repr_html_()


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (lambda u: np.where(u > 0.5, "yes", "no"), "'yes'"),
        (lambda u: pd.Categorical(np.where(u > 0.5, "yes", "no"), ["yes", "no"]), "'no'"),
        (lambda u: pd.Categorical(np.where(u > 0.5, "b", "c"), ["a", "b", "c", "d"]), "'c'"),
        (lambda u: u > 0.5, "True"),
    ],
)
def test_which_level_is_the_success(values, wanted):
    data = frame()
    data["outcome"] = values(data["u"].to_numpy())
    model = glmer("outcome ~ x + (1 | g)", data, "binomial")
    texts, html = lines(model)
    line = f" Response: outcome, success = {wanted}"
    assert texts.count(line) == 2
    assert f"success = {wanted}".replace("'", "&#x27;") in html
    # The fitted probability is that of this level.
    share = (data["outcome"].astype(str) == wanted.strip("'")).mean()
    assert model.fitted().mean() == pytest.approx(share, abs=0.02)


def test_packaged_data():
    model = glmer("r2 ~ Gender + (1 | id)", load_verbagg().head(600), "binomial")
    assert " Response: r2, success = 'Y'" in repr(model)


@pytest.mark.parametrize("kind", ["numbers", "counts", "lmer", "poisson"])
def test_nothing_is_said_of_other_responses(kind):
    data = load_cbpp()
    if kind == "lmer":
        model = fits("sleepstudy")
    elif kind == "numbers":
        some = frame()
        model = glmer("y ~ x + (1 | g)", some.assign(y=(some["u"] > 0.5).astype(int)), "binomial")
    elif kind == "poisson":
        model = glmer("incidence ~ period + (1 | herd)", data, "poisson")
    else:
        model = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", data, "binomial")
    assert "success" not in repr(model)
    assert "Separation" not in str(model.summary())


def test_separation_is_in_the_summary():
    data = frame()
    data["y"] = (data["x"] > 0).astype(int)
    with pytest.warns(SeparationWarning):
        model = glmer("y ~ x + (1 | g)", data, "binomial")
    notes = model.summary().notes
    assert sum("Separation" in note and "coefficient" in note and " x" in note for note in notes) == 1
    assert "Separation: the fitted mean is numerically 0 or 1" in str(model.summary())
    assert "Separation" in model.summary()._repr_html_()
    data["k"] = np.where(data["x"] > 0, 1 + data["g"], 0)
    with pytest.warns(SeparationWarning):
        model = glmer("k ~ I(x > 0) + (1 | g)", data, "poisson")
    assert "Separation: the fitted mean is numerically 0 in" in str(model.summary())


def test_levels_that_separate_are_in_the_summary():
    data = pd.DataFrame({"g": np.repeat(np.arange(20), 10)})
    data["y"] = (data["g"] % 2).astype(int)
    with pytest.warns(SeparationWarning, match="hardly vary within levels"):
        model = glmer("y ~ 1 + (1 | g)", data, "binomial")
    assert "no finite optimum: the outcomes hardly vary within levels" in str(model.summary())


def test_every_table_of_a_separated_model_says_so():
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 6), "f": np.tile(list("abc"), 20)})
    rng = np.random.default_rng(1)
    data["y"] = np.where(data["f"] == "b", 1, rng.binomial(1, 0.5, 60))
    with pytest.warns(SeparationWarning):
        model = glmer("y ~ f + (1 | g)", data, "binomial")
    tables = (anova(model), joint_tests(model), emmeans(model, "~ f").pairs(), tidy(model), model.confint())
    for table in (*tables, model.t_test("f[T.b] = 0")):
        assert str(table).count("Separation: the fitted mean is numerically") == 1, str(table)
    assert str(model.summary()).count("Separation: the fitted mean is numerically") == 1
