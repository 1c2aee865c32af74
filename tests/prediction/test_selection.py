"""Which random effects re_form means, and which columns it needs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mixedmodels import glmer, lmer, load_cbpp, load_sleepstudy
from mixedmodels.errors import ArgumentError, DataError, FormulaWarning, MissingColumnError

DATA = load_sleepstudy()
DATA["f"] = pd.Categorical(np.where(DATA["Days"] > 4, "late", "early"), ["early", "late", "never"])
pytestmark = pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")


@pytest.fixture(scope="module")
def slope():
    return lmer("Reaction ~ 1 + (Days | Subject)", DATA)


def test_only_what_is_asked_for_is_needed(slope):
    intercept = slope.ranef()["Subject"].loc["308", "(Intercept)"]
    wanted = slope.fixef().iloc[0] + intercept
    assert slope.predict({"Subject": ["308"]}, re_form="~(1 | Subject)")[0] == pytest.approx(wanted)
    # A missing slope does not matter where none is asked for.
    new = pd.DataFrame({"Subject": ["308", "309"], "Days": [np.nan, 2.0]})
    assert np.isfinite(slope.predict(new, re_form="~(1 | Subject)")).all()
    assert np.isnan(slope.predict(new)).tolist() == [True, False]
    with pytest.raises(MissingColumnError, match="Days"):
        slope.predict({"Subject": ["308"]}, re_form="~(0 + Days | Subject)")
    with pytest.raises(MissingColumnError, match="Subject"):
        slope.predict({"Days": [1.0]}, re_form="~(1 | Subject)")


def test_only_the_grouping_factors_asked_for_are_needed():
    data = DATA.assign(day="d" + DATA["Days"].astype(int).astype(str))
    model = lmer("Reaction ~ 1 + (Days + f | Subject) + (1 | day)", data)
    effects = model.ranef()
    got = model.predict({"day": ["d3"]}, re_form="~(1 | day)")
    assert got[0] == pytest.approx(model.fixef().iloc[0] + effects["day"].loc["d3"].iloc[0])
    got = model.predict({"Subject": ["310"], "f": ["late"]}, re_form="~(1 + f | Subject)")
    own = effects["Subject"].loc["310"]
    assert got[0] == pytest.approx(model.fixef().iloc[0] + own["(Intercept)"] + own["f[T.late]"])


@pytest.mark.parametrize("left", ["f", "0 + f", "f + Days", "0 + f:Days", "f * Days"])
@pytest.mark.parametrize("unused", [True, False])
def test_unused_categories(left, unused):
    data = DATA if unused else DATA.assign(f=DATA["f"].astype(str))
    model = lmer(f"Reaction ~ Days + ({left} | Subject)", data)
    term = f"~({left} | Subject)"
    np.testing.assert_allclose(model.predict(re_form=term), model.fitted(), rtol=1e-12)
    np.testing.assert_allclose(model.predict(data, re_form=term), model.fitted(), rtol=1e-9)


@pytest.mark.parametrize(
    "f",
    [
        lambda s: pd.Categorical(s, ["late", "early"]),
        lambda s: pd.Categorical(s, ["early", "late"], ordered=True),
        lambda s: pd.Categorical(s, ["late", "never", "early"], ordered=True),
        lambda s: s.astype(object),
    ],
)
def test_factors_that_new_data_hold_otherwise(f):
    model = lmer("Reaction ~ Days + (f | Subject)", DATA)
    new = DATA.assign(f=f(DATA["f"].astype(str)))
    np.testing.assert_allclose(model.predict(new, re_form="~(f | Subject)"), model.fitted(), rtol=1e-9)
    # Some of the levels only.
    few = new[new["f"].astype(str) == "late"].head(3)
    wanted = model.fitted()[few.index]
    np.testing.assert_allclose(model.predict(few, re_form="~(f | Subject)"), wanted, rtol=1e-9)


def test_ordered_factors_and_contrasts_of_the_fit():
    ordered = DATA.assign(f=pd.Categorical(DATA["Days"] // 4, [0, 1, 2], ordered=True))
    for options in ({}, {"contrasts": {"f": "sum"}}, {"contrasts": {"f": "helmert"}}):
        model = lmer("Reaction ~ Days + (f | Subject)", ordered, **options)
        new = ordered.assign(f=ordered["f"].astype(str))
        np.testing.assert_allclose(model.predict(new, re_form="~(f | Subject)"), model.fitted(), rtol=1e-9)
        np.testing.assert_allclose(model.predict(re_form="~(f | Subject)"), model.fitted(), rtol=1e-9)


def test_polars_and_generalized_models():
    data = load_cbpp()
    model = glmer("cbind(incidence, size - incidence) ~ 1 + (period | herd)", data, "binomial")
    effects = model.ranef()["herd"]
    got = model.predict(pl.DataFrame({"herd": ["7"]}), re_form="~(1 | herd)")
    assert got[0] == pytest.approx(model.fixef().iloc[0] + effects.loc["7", "(Intercept)"])
    np.testing.assert_allclose(model.predict(data, re_form="~(period | herd)"), model.predict(), rtol=1e-9)
    with pytest.raises(DataError, match="levels that were not in the fit"):
        model.predict({"herd": ["99"]}, re_form="~(1 | herd)")
    got = model.predict({"herd": ["99"]}, re_form="~(1 | herd)", allow_new_levels=True)
    assert got[0] == pytest.approx(model.fixef().iloc[0])


def test_a_term_that_was_merged_needs_the_one_that_holds_it():
    with pytest.warns(FormulaWarning, match="left out"):
        model = lmer("Reaction ~ Days + (1 | Subject) + (0 + f | Subject)", DATA)
    both = "~(1 | Subject) + (0 + f | Subject)"
    np.testing.assert_allclose(model.predict(DATA, re_form=both), model.fitted(), rtol=1e-9)
    np.testing.assert_allclose(model.predict(re_form="~(0 + f | Subject)"), model.fitted(), rtol=1e-9)
    with pytest.raises(ArgumentError, match=r"\(1 \| Subject\) as a part of \(0 \+ f \| Subject\)"):
        model.predict(re_form="~(1 | Subject)")


def test_columns_that_the_model_does_not_use(slope):
    for data in (None, DATA.assign(extra=1.0)):
        with pytest.raises(ArgumentError, match="reads a column that the model does not use"):
            slope.predict(data, re_form="~(extra | Subject)")
