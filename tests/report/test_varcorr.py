"""Variance components as a mapping, a frame and a table."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from mixedmodels import SingularFitWarning, lmer, load_dyestuff2, load_sleepstudy
from mixedmodels.covariance import structure_names
from shared_fits import fits

DATA = load_sleepstudy()


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
@pytest.mark.parametrize("structure", structure_names())
def test_every_structure_of_four_effects_prints(structure):
    """Correlations that are no parameters, such as those of ante(), have no mark."""
    phase = pd.Categorical(np.array(list("0123"))[np.minimum(DATA["Days"].to_numpy(int) // 3, 3)])
    model = lmer(f"Reaction ~ Days + {structure}(0 + phase | Subject)", DATA.assign(phase=phase))
    for text in (str(model), str(model.summary()), str(model.VarCorr()), model._repr_html_()):
        assert "Subject" in text
    assert len(model.VarCorr().to_frame()) > 1


@pytest.fixture(scope="module")
def slope():
    return fits("sleepstudy").VarCorr()


@pytest.fixture(scope="module")
def double_bar():
    return lmer("Reaction ~ Days + (Days || Subject)", DATA).VarCorr()


def test_records(slope):
    (record,) = slope
    assert record["group"] == record.group == "Subject"
    assert record["names"] == ("(Intercept)", "Days")
    np.testing.assert_allclose(record["sd"], [24.740451, 5.922133], atol=1e-4)
    assert record["corr"][0, 1] == pytest.approx(0.0655512, abs=1e-5)
    np.testing.assert_allclose(record["cov"], np.outer(record.sd, record.sd) * record.corr)
    assert dict(record).keys() == {"group", "names", "sd", "corr", "cov"}
    with pytest.raises(KeyError, match="names"):
        record["nmaes"]


def test_mapping(slope):
    assert slope.keys() == ["Subject"]
    assert slope["Subject"] is slope[0] is slope.values()[0] is slope.items()[0][1]
    assert "Subject" in slope
    assert "Item" not in slope
    assert len(slope) == 1
    assert slope.residual_sd == pytest.approx(25.5918, abs=1e-4)
    assert slope.residual_variance == pytest.approx(25.5918**2, rel=1e-5)
    with pytest.raises(KeyError, match="Subject"):
        slope["Item"]


def test_frame(slope, double_bar):
    table = slope.to_frame()
    assert list(table) == ["grp", "var1", "var2", "vcov", "sdcor"]
    assert table["grp"].tolist() == ["Subject", "Subject", "Subject", "Residual"]
    assert table["var2"].tolist() == [None, None, "Days", None]
    np.testing.assert_allclose(table["vcov"], [612.0899, 35.07166, 9.604333, 654.941], rtol=1e-5)
    np.testing.assert_allclose(table["sdcor"], [24.74045, 5.922133, 0.0655513, 25.59182], rtol=1e-5)
    # Independent effects have no covariance to list.
    assert double_bar.to_frame()["var2"].tolist() == [None, None, None]


def test_text(slope, double_bar):
    assert str(slope).splitlines()[0].split() == ["Groups", "Name", "Variance", "Std.Dev.", "Corr"]
    assert "24.7405" in str(slope)
    assert "0.066" in str(slope)
    assert str(double_bar).splitlines()[2].split()[-1] == "."
    assert "<table" in slope._repr_html_()
    assert str(pickle.loads(pickle.dumps(slope))) == str(slope)


def test_independent_effects_have_no_correlation(double_bar):
    (record,) = double_bar
    assert np.isnan(record.corr[0, 1])
    assert record.corr[0, 0] == 1.0
    assert record.cov[0, 1] == 0.0


def test_terms_of_one_factor_have_dots_for_correlations_with_one_another():
    formula = "Reaction ~ Days + (1 | Subject) + (0 + Days + half | Subject) + (1 | half)"
    model = lmer(formula, DATA.assign(half=DATA["Days"] % 3), optimizer=None, start=[1.0, 1.0, 0.5, 1.0, 1.0])
    table = model.VarCorr().to_markdown().splitlines()[2:]
    correlations = [[cell.strip() for cell in row.split("|")[5:-1]] for row in table]
    assert correlations == [["", ""], [".", ""], [".", "0.447"], ["", ""], ["", ""]]
    assert [row.split("|")[1].strip() for row in table] == ["Subject", "Subject.1", "", "half", "Residual"]


def test_no_correlation_is_made_up_for_a_zero_variance():
    data = DATA.assign(x=np.tile([1.0, -1.0], 90), Reaction=np.random.default_rng(4).normal(size=180))
    data["Reaction"] += data["Subject"].cat.codes
    with pytest.warns(SingularFitWarning):
        model = lmer("Reaction ~ x + (x | Subject)", data, optimizer=None, start=[1.0, 0.0, 0.0])
    (record,) = model.VarCorr()
    assert record.sd[1] == 0.0
    assert np.isnan(record.corr[1, 0])
    assert "NaN" in str(model.VarCorr())
    assert np.isnan(model.VarCorr().to_frame()["sdcor"].iloc[2])


def test_zero_variance():
    with pytest.warns(SingularFitWarning):
        model = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    assert model.VarCorr()["Batch"].sd[0] == 0.0
