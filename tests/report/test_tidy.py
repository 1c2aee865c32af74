"""tidy(), glance() and augment()."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mixedmodels import augment, families, glance, glmer, lmer, load_epil, load_sleepstudy, tidy
from mixedmodels.errors import ArgumentError, DataError, SingularFitWarning
from shared_fits import fits

SLOPES = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def linear():
    return fits("sleepstudy")


@pytest.fixture(scope="module")
def binomial():
    return fits("cbpp")


FIXED = ["effect", "group", "term", "estimate", "std.error", "statistic", "df", "p.value"]


def test_fixed_effects(linear):
    table = tidy(linear)
    assert list(table.columns) == FIXED
    np.testing.assert_allclose(table["estimate"], linear.fixef())
    np.testing.assert_allclose(table["df"], 17.0, rtol=1e-6)
    np.testing.assert_allclose(tidy(linear, ddf="kr")["df"], 17.0, rtol=1e-6)
    assert np.isinf(tidy(linear, ddf="inf")["df"]).all()


def test_limits(linear):
    table = tidy(linear, conf_int=True, level=0.9).set_index("term")
    limits = linear.conf_int(alpha=0.1)
    np.testing.assert_allclose(table[["conf.low", "conf.high"]], limits)
    with pytest.raises(ArgumentError, match="must be a number between 0 and 1"):
        tidy(linear, conf_int=True, level=95)


def test_notes_say_how_limits_were_computed(linear):
    t_limits = "90 % Wald limits: t quantiles with Satterthwaite's degrees of freedom"
    of_effects = "90 % limits of random effects: normal quantiles"
    assert t_limits in tidy(linear, conf_int=True, level=0.9).notes
    assert "90 % Wald limits: normal quantiles" in tidy(linear, conf_int=True, level=0.9, ddf="inf").notes
    assert tidy(linear, "ran_vals", conf_int=True, level=0.9).notes == (of_effects,)
    assert {t_limits, of_effects} <= {*tidy(linear, "all", conf_int=True, level=0.9).notes}
    for effects in ("fixed", "ran_vals", "all"):
        assert "limits" not in " ".join(tidy(linear, effects).notes)


def test_random_effects_need_no_degrees_of_freedom(linear, monkeypatch):
    def refused(*_):
        raise AssertionError("the basis was computed")

    monkeypatch.setattr("mixedmodels.report.tidy.basis_of", refused)
    assert len(tidy(linear, ["ran_pars", "ran_vals"], conf_int=True)) == 40
    with pytest.raises(AssertionError, match="was computed"):
        tidy(linear, "ran_pars", ddf="kenward-roger")


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_exponentials(binomial, link):
    model = binomial.update(link=link)
    plain, table = tidy(model, "all", conf_int=True), tidy(model, "all", conf_int=True, exponentiate=True)
    fixed = plain["effect"] == "fixed"
    for name in ("estimate", "conf.low", "conf.high"):
        np.testing.assert_allclose(table.loc[fixed, name], np.exp(plain.loc[fixed, name]))
    np.testing.assert_allclose(
        table.loc[fixed, "std.error"], np.exp(plain.loc[fixed, "estimate"]) * plain.loc[fixed, "std.error"]
    )
    same = ["statistic", "df", "p.value"]
    pd.testing.assert_frame_equal(pd.DataFrame(table[same]), pd.DataFrame(plain[same]))
    pd.testing.assert_frame_equal(pd.DataFrame(table[~fixed]), pd.DataFrame(plain[~fixed]))


def test_exponentials_against_r(binomial):
    # glmmTMB 1.1.5: exp(fixef(m)$cond), the same times its standard error, exp(confint(m, parm = "beta_"))
    table = tidy(binomial, conf_int=True, exponentiate=True).set_index("term")
    estimates = [0.2469591, 0.3707111, 0.3234628, 0.2059105]
    errors = [0.05741109, 0.11367577, 0.10565517, 0.08801368]
    low, high = [0.1565830, 0.2032455, 0.1705256, 0.0890930], [0.3894984, 0.6761610, 0.6135626, 0.4758972]
    wanted = np.column_stack([estimates, errors, low, high])
    found = table[["estimate", "std.error", "conf.low", "conf.high"]]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_variance_parameters(linear, binomial):
    table = tidy(linear, "ran_pars")
    assert list(table["term"]) == ["sd__(Intercept)", "sd__Days", "cor__(Intercept).Days", "sd__Observation"]
    assert list(table["group"]) == ["Subject", "Subject", "Subject", "Residual"]
    part = linear.VarCorr()["Subject"]
    np.testing.assert_allclose(table["estimate"], [*part.sd, part.corr[1, 0], linear.sigma])
    assert list(tidy(binomial, "ran_pars")["term"]) == ["sd__(Intercept)"]
    double = linear.update("Reaction ~ Days + (Days || Subject)")
    assert list(tidy(double, "ran_pars")["term"]) == ["sd__(Intercept)", "sd__Days", "sd__Observation"]


def test_random_effects(linear):
    table = tidy(linear, "ran_vals", conf_int=True)
    frame = linear.ranef(condVar=True).to_frame()
    np.testing.assert_allclose(table["estimate"], frame["condval"])
    np.testing.assert_allclose(table["std.error"], frame["condsd"])
    assert list(table["level"]) == list(frame["grp"])
    np.testing.assert_allclose(table["conf.high"] - table["estimate"], 1.959963984540054 * frame["condsd"])


def test_all(binomial):
    table = tidy(binomial, "all")
    assert list(table.columns) == ["effect", "group", "level", *FIXED[2:]]
    assert table["effect"].value_counts().to_dict() == {"fixed": 4, "ran_pars": 1, "ran_vals": 15}
    assert len(tidy(binomial, ["fixed", "ran_pars"])) == 5
    with pytest.raises(ArgumentError, match="effects must be"):
        tidy(binomial, "random")


def test_glance(linear, binomial):
    row = glance(linear).iloc[0]
    assert list(row.index) == ["nobs", "sigma", "logLik", "AIC", "BIC", "REMLcrit", "df.residual"]
    assert row["REMLcrit"] == pytest.approx(linear.REMLcrit())
    assert row["logLik"] == pytest.approx(float(linear.logLik()))
    assert row["df.residual"] == 180 - 6
    assert "deviance" in glance(linear.refit(REML=False))
    assert glance(binomial)["deviance"].iloc[0] == pytest.approx(binomial.deviance())
    assert glance(binomial)["sigma"].iloc[0] == 1.0


def test_augment_of_a_generalized_model(binomial):
    table = augment(binomial)
    np.testing.assert_allclose(table[".fitted"], binomial.predict())
    np.testing.assert_allclose(table[".mu"], binomial.fitted())
    np.testing.assert_allclose(table[".fixed"], binomial.predict(re_form="~0"))
    np.testing.assert_allclose(table[".resid"], binomial.residuals())
    assert list(table.columns)[:4] == ["incidence", "size", "period", "herd"]
    assert isinstance(table["period"].dtype, pd.CategoricalDtype)


def test_augment_has_leverages_on_request(linear, binomial):
    for model in (linear, binomial):
        table = augment(model)
        assert list(table.columns)[-5:] == [".fitted", ".resid", ".fixed", ".mu", ".offset"]
        more = augment(model, influence=True)
        assert list(more.columns)[-7:] == [".fitted", ".resid", ".hat", ".cooksd", ".fixed", ".mu", ".offset"]
        assert ((more[".hat"] > 0) & (more[".hat"] < 1)).all()
        pd.testing.assert_frame_equal(more[table.columns], table)
    for bad in (None, "all", 1):
        with pytest.raises(ArgumentError, match="influence must be True or False"):
            augment(linear, influence=bad)


@pytest.mark.parametrize("action", ["omit", "exclude"])
def test_augment_with_rows_left_out(action):
    data = load_sleepstudy()
    data["note"] = "kept"
    data.loc[data.index[[0, 7]], "Reaction"] = np.nan
    model = lmer(SLOPES, data, subset="Days < 8", na_action=action)
    table = augment(model, influence=True)
    assert len(table) == model.nobs == 144 - 2
    np.testing.assert_allclose(table["Reaction"] - table[".fitted"], table[".resid"])
    assert list(table.index[:3]) == [1, 2, 3]
    whole = augment(model, data, influence=True)
    assert len(whole) == 180
    assert whole[".resid"].isna().sum() == 180 - model.nobs
    np.testing.assert_array_equal(whole.loc[table.index, ".hat"], table[".hat"])
    assert "note" in whole


def test_augment_of_other_data(linear):
    data = load_sleepstudy()
    table = augment(linear, pl.DataFrame({"day": data["Days"].to_numpy()}))
    assert table.columns[0] == "day"
    with pytest.raises(DataError, match="3 rows"):
        augment(linear, data.head(3))
    with pytest.raises(DataError, match=r"already has a column '\.mu'"):
        augment(linear, data.assign(**{".mu": 0.0}))


def test_offsets_are_part_of_the_fixed_part():
    data = load_sleepstudy()
    model = lmer("Reaction ~ 1 + offset(10 * Days) + (1 | Subject)", data)
    table = augment(model)
    np.testing.assert_allclose(table[".offset"], 10 * data["Days"])
    np.testing.assert_allclose(table[".fixed"], model.predict(re_form="~0"))


@pytest.mark.parametrize("kind", ["linear", "binomial"])
def test_a_variance_below_zero_by_rounding_is_zero(kind, request, monkeypatch):
    model = request.getfixturevalue(kind)
    blocks = [(members, values.copy()) for members, values in model._fitted.level_variances()]
    for _, values in blocks:
        values[0, 0, 0] = -1e-18
    monkeypatch.setattr(type(model._fitted), "level_variances", lambda self: blocks)
    table = tidy(model, effects="ran_vals")
    assert table["std.error"].iloc[0] == 0.0
    assert table["std.error"].notna().all()
    assert model.ranef(condVar=True).to_frame()["condsd"].iloc[0] == 0.0


def test_augment_without_fixed_effects():
    model = fits("sleepstudy", "Reaction ~ 0 + (1 | Subject)")
    table = augment(model, influence=True)
    assert table[".cooksd"].isna().all()
    assert np.isfinite(table[".hat"]).all()


@pytest.mark.parametrize("kind", ["lazy", "reader", "batch", "table", "polars", "mapping"])
def test_augment_of_every_kind_of_data(linear, kind):
    table = pl.from_pandas(load_sleepstudy().reset_index(drop=True)).to_arrow()
    data = {
        "lazy": lambda: pl.from_arrow(table).lazy(),
        "reader": lambda: pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=50)),
        "batch": lambda: table.combine_chunks().to_batches()[0],
        "table": lambda: table,
        "polars": lambda: pl.from_arrow(table),
        "mapping": lambda: MappingProxyType({name: table[name].to_numpy() for name in table.column_names}),
    }[kind]()
    found = augment(linear, data)
    np.testing.assert_array_equal(found[".fitted"], augment(linear)[".fitted"])
    np.testing.assert_array_equal(found["Reaction"], load_sleepstudy()["Reaction"])


def test_augment_of_a_family_of_ones_own():
    own = families.user(
        lambda y, eta, w: w * (y * eta - np.exp(eta)),
        lambda y, eta, w: w * (y - np.exp(eta)),
        lambda y, eta, w: w * np.exp(eta),
        lambda y, eta, w: w * np.exp(eta),
        link="log",
        variance=lambda mu: mu,
    )
    model = glmer("y ~ trt + (1 | subject)", load_epil(), own)
    np.testing.assert_array_equal(augment(model)[".resid"], model.residuals("pearson"))


def test_a_response_with_a_line_break_in_its_name(linear):
    response = pd.Series(np.random.default_rng(1).normal(size=180), name="a\nb")
    with pytest.warns(SingularFitWarning) as caught:
        linear.refit(response)
    assert "\n" not in str(caught[0].message)
