"""What fits with covariance structures offer: columns, tables, tests, predictions, simulation, refits."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    FormulaError,
    FormulaWarning,
    SingularFitWarning,
    UndeterminedWarning,
    anova,
    emmeans,
    fit_many,
    glmer,
    lmer,
    load_epil,
    load_machines,
    load_sleepstudy,
    ranova,
    tidy,
)
from mixedmodels.errors import ArgumentError, DataError


@pytest.fixture(scope="module")
def sleep():
    return load_sleepstudy().assign(DaysF=lambda d: d["Days"].astype(int).astype(str).astype("category"))


@pytest.fixture(scope="module")
def model(sleep):
    return lmer("Reaction ~ Days + ar1(0 + DaysF | Subject)", sleep)


@pytest.fixture(scope="module")
def machines():
    return load_machines()


@pytest.fixture(scope="module")
def panel():
    """Autoregressive effects of six times within 40 subjects, two rows each."""
    rng = np.random.default_rng(11)
    subjects, times = 40, 6
    effects = np.zeros((subjects, times))
    effects[:, 0] = rng.normal(size=subjects)
    for t in range(1, times):
        effects[:, t] = 0.6 * effects[:, t - 1] + 0.8 * rng.normal(size=subjects)
    s, t = np.repeat(np.arange(subjects), 2 * times), np.tile(np.repeat(np.arange(times), 2), subjects)
    y = 1.0 + 0.3 * t + effects[s, t] + 0.5 * rng.normal(size=len(s))
    return pd.DataFrame({"y": y, "t": t.astype(float), "time": pd.Categorical(t), "s": s})


class TestColumns:
    def test_order_needs_the_levels_of_one_factor(self, machines):
        with pytest.raises(
            FormulaError, match=r"ar1\(Machine \| Worker\).*levels of one factor.*factor\(time\)"
        ):
            lmer("score ~ Machine + ar1(Machine | Worker)", machines)
        with pytest.raises(FormulaError, match="levels of one factor"):
            lmer("Reaction ~ Days + toep(0 + Days + I(Days^2) + I(Days^3) | Subject)", load_sleepstudy())

    def test_continuous_time_needs_numbers(self, machines):
        with pytest.raises(FormulaError, match=r"needs a time for each column.*numFactor\(time\)"):
            lmer("score ~ Machine + ou(0 + Machine | Worker)", machines)
        with pytest.raises(FormulaError, match=r"needs a time|levels of one factor"):
            lmer("Reaction ~ Days + ou(Days | Subject)", load_sleepstudy())
        with pytest.raises(DataError, match=r"numFactor\(\) needs a column of numbers"):
            lmer("score ~ Machine + ou(0 + numFactor(Machine) | Worker)", machines)

    @pytest.mark.parametrize("name", ["ar1", "toep", "hetar1", "homtoep"])
    def test_a_level_without_rows_is_not_skipped_silently(self, panel, name):
        left = panel[panel["time"] != 2]
        with pytest.raises(DataError, match=r"no row has level '2' of 'time'.*ou\(0 \+ numFactor\(time\)"):
            lmer(f"y ~ t + {name}(0 + time | s)", left)
        # Levels beyond the ends say nothing of distances, nor does order matter elsewhere.
        lmer(f"y ~ t + {name}(0 + time | s)", panel[panel["time"] != 5])
        lmer("y ~ t + homcs(0 + time | s)", left)

    def test_a_gap_of_one_subject_keeps_its_lag(self, panel):
        """Rows of a time missing for some: the others' covariances stay, as the dense likelihood says."""
        left = panel[~((panel["time"] == 2) & (panel["s"] < 20))]
        fit = lmer("y ~ t + ar1(0 + time | s)", left, REML=False)
        (part,) = fit.VarCorr()
        sd, rho = (own.value for own in part.parameters)
        total = 0.0
        for _, rows in left.groupby("s"):
            lags = np.abs(np.subtract.outer(rows["t"].to_numpy(), rows["t"].to_numpy()))
            v = sd**2 * rho**lags + fit.sigma**2 * np.eye(len(rows))
            r = (rows["y"] - fit.fixef().iloc[0] - fit.fixef().iloc[1] * rows["t"]).to_numpy()
            total += np.linalg.slogdet(2 * np.pi * v)[1] + r @ np.linalg.solve(v, r)
        assert fit.objective == pytest.approx(total, rel=1e-10)

    def test_times_count_where_levels_are_missing(self, panel):
        left = panel[panel["time"] != 2]
        fit = lmer("y ~ t + ou(0 + numFactor(t) | s)", left)
        (part,) = fit.VarCorr()
        rho = part.parameters[-1].value
        np.testing.assert_allclose(part.corr[0], rho ** np.array([0.0, 1.0, 3.0, 4.0, 5.0]), rtol=1e-8)

    def test_numbers_as_text_are_times_in_their_own_order(self, panel):
        wanted = lmer("y ~ t + ou(0 + numFactor(t) | s)", panel)
        text = panel.assign(label=(10 * panel["t"]).map("{:g}".format))
        got = lmer("y ~ t + ou(0 + numFactor(label) | s)", text)
        assert got.objective == pytest.approx(wanted.objective, rel=1e-10)
        # Per unit of time, of which there are ten now.
        assert got.VarCorr()[0].parameters[-1].value ** 10 == pytest.approx(
            wanted.VarCorr()[0].parameters[-1].value, rel=1e-5
        )

    def test_one_column_is_a_plain_variance(self, sleep):
        wanted = lmer("Reaction ~ Days + (1 | Subject)", sleep)
        for name in ("cs", "ar1", "toep", "ou"):
            with pytest.warns(FormulaWarning, match=f"{name} is just a variance"):
                got = lmer(f"Reaction ~ Days + {name}(1 | Subject)", sleep)
            assert got.objective == pytest.approx(wanted.objective, rel=1e-12)
        for name in ("us", "diag", "homdiag"):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                lmer(f"Reaction ~ Days + {name}(1 | Subject)", sleep)

    def test_slopes_that_follow_each_other(self, panel):
        """Multiples of the indicators of a factor have its order, too."""
        fit = lmer("y ~ t + ar1(0 + time:x | s)", panel.assign(x=1.0))
        plain = lmer("y ~ t + ar1(0 + time | s)", panel)
        assert fit.objective == pytest.approx(plain.objective, rel=1e-10)

    def test_unstructured_by_name(self, sleep):
        for named, plain in (
            ("us(Days | Subject)", "(Days | Subject)"),
            ("diag(Days | Subject)", "(Days || Subject)"),
        ):
            one, other = (lmer(f"Reaction ~ Days + {term}", sleep) for term in (named, plain))
            np.testing.assert_array_equal(one.theta, other.theta)

    def test_missing_rows_and_unused_levels(self, sleep):
        gaps = sleep.copy()
        gaps.loc[[3, 50], "Reaction"] = np.nan
        fit = lmer("Reaction ~ Days + ar1(0 + DaysF | Subject)", gaps, na_action="exclude")
        dropped = lmer("Reaction ~ Days + ar1(0 + DaysF | Subject)", gaps.drop(index=[3, 50]))
        assert fit.objective == pytest.approx(dropped.objective, rel=1e-12)
        assert np.isnan(fit.fitted()[[3, 50]]).all()
        spare = sleep.assign(DaysF=sleep["DaysF"].cat.add_categories(["10", "11"]))
        again = lmer("Reaction ~ Days + ar1(0 + DaysF | Subject)", spare)
        assert again.VarCorr()[0].names == tuple(f"DaysF[{day}]" for day in range(10))


class TestTables:
    def test_print(self, model):
        lines = str(model.VarCorr()).splitlines()
        assert lines[1].split() == [
            "Subject",
            "DaysF[0]",
            "...",
            "DaysF[9]",
            "2241.12",
            "47.340",
            "0.883",
            "(ar1)",
        ]
        assert len(lines) == 3

    def test_print_of_several_correlations(self, machines):
        lines = str(lmer("score ~ Machine + toep(0 + Machine | Worker)", machines).VarCorr()).splitlines()
        assert [line[-13:] for line in lines[1:3]] == ["(toep, lag 1)", "(toep, lag 2)"]

    def test_to_frame(self, model):
        table = model.VarCorr().to_frame()
        sds = table[table["var2"].isna() & (table["grp"] == "Subject")]
        assert len(sds) == 10
        np.testing.assert_allclose(sds["sdcor"], 47.3405, rtol=1e-5)
        (row,) = table[table["var2"].notna()].to_dict("records")
        assert (row["grp"], row["var1"], row["var2"]) == ("Subject", "ar1", "rho")
        assert row["sdcor"] == pytest.approx(0.8835, abs=1e-4)

    def test_tidy(self, model):
        table = tidy(model, "ran_pars")
        assert table["term"].tolist() == ["sd__ar1", "cor__ar1.rho", "sd__Observation"]
        assert table["estimate"].tolist() == pytest.approx([47.3405, 0.8835, 15.1304], rel=1e-4)

    def test_confint_names_every_parameter(self, model, machines):
        assert model.confint().index[:3].tolist() == ["sd_ar1|Subject", "cor_rho.ar1|Subject", "sigma"]
        fit = lmer("score ~ Machine + cs(0 + Machine | Worker)", machines)
        wanted = [f"sd_Machine[{m}]|Worker" for m in "ABC"]
        assert fit.confint().index[:5].tolist() == [*wanted, "cor_rho.cs|Worker", "sigma"]

    def test_two_terms_of_one_group(self, sleep):
        fit = lmer("Reaction ~ Days + diag(Days | Subject) + ar1(0 + DaysF | Subject)", sleep, REML=False)
        table = tidy(fit, "ran_pars")
        assert table["group"].tolist() == ["Subject", "Subject", "Subject.1", "Subject.1", "Residual"]
        assert table["estimate"].tolist() == pytest.approx([18.247, 5.5065, 28.071, 0.5573, 11.235], rel=1e-3)

    def test_pieces(self, model):
        assert model.getME("theta_names") == ["Subject.ar1", "Subject.ar1.rho"]
        factor = model.getME("Lambda").toarray()[:10, :10]
        np.testing.assert_allclose(
            model.sigma**2 * factor @ factor.T, model.VarCorr()["Subject"].cov, rtol=1e-10
        )
        assert (model.getME("Lind") == -1).all()
        z, b = model.getME("Z"), model.getME("b")
        fixed = model.predict(re_form="~0")
        np.testing.assert_allclose(fixed + z @ b, model.fitted(), rtol=1e-10)
        np.testing.assert_allclose(model.getME("Lambda") @ model.getME("u"), b, atol=1e-8)

    def test_covariance_of_theta_by_differences(self, model):
        objective, h = model.getME("devfun"), 1e-4
        theta = model.theta
        steps = h * np.eye(2)
        hessian = np.array(
            [
                [
                    (
                        objective(theta + a + b)
                        - objective(theta + a - b)
                        - objective(theta - a + b)
                        + objective(theta - a - b)
                    )
                    / (4 * h * h)
                    for a in steps
                ]
                for b in steps
            ]
        )
        np.testing.assert_allclose(model._fitted.hessian(), hessian, rtol=1e-4)


class TestTests:
    def test_ranova(self, machines):
        fit = lmer("score ~ Machine + cs(0 + Machine | Worker)", machines)
        table = ranova(fit)
        text = "cs(0 + Machine | Worker)"
        assert table.index.tolist() == ["<none>", f"correlation in {text}", text]
        without = lmer("score ~ Machine + diag(0 + Machine | Worker)", machines)
        assert table["LRT"].iloc[1] == pytest.approx(without.objective - fit.objective, rel=1e-6)
        assert table["Df"].tolist()[1:] == [1, 4]
        assert "inside the parameter space" in str(table)

    def test_ranova_of_lags(self, machines):
        table = ranova(lmer("score ~ Machine + homtoep(0 + Machine | Worker)", machines))
        assert table.index[1] == "correlations in homtoep(0 + Machine | Worker)"
        assert table["Df"].tolist()[1:] == [2, 3]

    def test_ranova_where_independent_effects_are_residuals(self, model):
        table = ranova(model)
        assert table.index.tolist() == ["<none>", "ar1(0 + DaysF | Subject)"]
        assert table["Df"].iloc[1] == 2
        assert "Not tested: the correlations of ar1(0 + DaysF | Subject)" in str(table)

    def test_ranova_of_a_generalized_model(self):
        epil = load_epil()
        fit = glmer("y ~ lbase + trt + ar1(0 + factor(period) | subject)", epil, family="poisson")
        table = ranova(fit)
        whole = "ar1(0 + factor(period) | subject)"
        assert table.index.tolist() == ["<none>", f"correlation in {whole}", whole]
        assert (table["Pr(>Chisq)"].iloc[1:] < 1e-6).all()

    def test_anova_of_nested_structures(self, machines):
        fits = [
            lmer(f"score ~ Machine + {name}(0 + Machine | Worker)", machines, REML=False)
            for name in ("homcs", "cs", "us")
        ]
        table = anova(*fits)
        assert table["npar"].tolist() == [6, 8, 10]
        assert table["Chisq"].iloc[1] == pytest.approx(fits[0].objective - fits[1].objective)

    def test_singular_fit_names_the_bound(self):
        from mixedmodels import load_orthodont

        with pytest.warns(SingularFitWarning, match=r"cs\(.*rho estimated as 1, its upper bound"):
            fit = lmer("distance ~ age * Sex + cs(0 + factor(age) | Subject)", load_orthodont())
        assert fit.is_singular()
        note = str(fit.anova())
        assert "1 - rho in cs(0 + factor(age) | Subject)" in note
        assert np.isfinite(fit.anova()["DenDF"]).all()

    def test_singular_at_the_lower_bound(self, machines):
        rng = np.random.default_rng(1)
        codes = machines["Machine"].cat.codes.to_numpy()
        effects = rng.normal(size=(6, 3))
        effects -= effects.mean(axis=1, keepdims=True)
        y = 5 * effects[pd.factorize(machines["Worker"])[0], codes] + 0.1 * rng.normal(size=len(codes))
        y -= pd.Series(y).groupby(machines["Worker"].to_numpy()).transform("mean").to_numpy()
        with pytest.warns(SingularFitWarning, match=r"rho estimated as -0\.5, its lower bound"):
            fit = lmer("y ~ Machine + homcs(0 + Machine | Worker)", machines.assign(y=y))
        assert fit.VarCorr()[0].parameters[-1].value == pytest.approx(-0.5, abs=1e-8)

    def test_no_variance_at_all(self, panel):
        noise = np.random.default_rng(2).normal(size=len(panel))
        flat = noise - pd.Series(noise).groupby([panel["s"], panel["time"]], observed=True).transform("mean")
        with pytest.warns(SingularFitWarning, match=r"variance estimated as zero; leave out the term"):
            fit = lmer("y ~ t + ar1(0 + time | s)", panel.assign(y=flat))
        assert fit.VarCorr()[0].sd == pytest.approx(0.0, abs=1e-6)
        assert np.isfinite(fit.anova()["DenDF"]).all()

    def test_marginal_means(self, machines):
        fit = lmer("score ~ Machine + homcs(0 + Machine | Worker)", machines)
        cells = lmer("score ~ Machine + (1 | Worker) + (1 | Worker:Machine)", machines)
        for ddf in ("satterthwaite", "kenward-roger"):
            mine, other = (emmeans(m, "Machine", ddf=ddf).to_frame() for m in (fit, cells))
            pd.testing.assert_frame_equal(pd.DataFrame(mine), pd.DataFrame(other), rtol=1e-5)

    def test_kenward_roger_needs_linear_structures(self, model):
        with pytest.raises(DataError, match=r"linear.*'ar1'"):
            model.anova(ddf="kenward-roger")


class TestUse:
    def test_predictions(self, model, sleep):
        np.testing.assert_allclose(model.predict(sleep), model.fitted())
        new = sleep.iloc[[0, 25]].assign(Subject=["new", "310"])
        got = model.predict(new, allow_new_levels=True)
        assert got[0] == pytest.approx(model.predict(new, re_form="~0")[0])
        assert got[1] == pytest.approx(model.fitted()[sleep.index[25]], rel=1e-12)
        with pytest.raises(DataError, match="levels that were not in the fit"):
            model.predict(sleep.iloc[:1].assign(DaysF="12"))

    def test_refit_and_update(self, model, sleep):
        rng = np.random.default_rng(3)
        y = sleep["Reaction"] + rng.normal(size=len(sleep))
        again = model.refit(y)
        direct = lmer("Reaction ~ Days + ar1(0 + DaysF | Subject)", sleep.assign(Reaction=y))
        assert again.objective == pytest.approx(direct.objective, rel=1e-9)
        changed = model.update(". ~ . - ar1(0 + DaysF | Subject) + cs(Days | Subject, hom=TRUE)")
        assert changed.formula == "Reaction ~ Days + homcs(Days | Subject)"

    def test_simulated_responses_have_the_covariance(self):
        data = pd.DataFrame(
            {"s": np.repeat(np.arange(300), 4), "period": np.tile(np.arange(4.0), 300), "y": 0.0}
        )
        rng = np.random.default_rng(5)
        effects = np.zeros((300, 4))
        effects[:, 0] = rng.normal(size=300)
        for t in range(1, 4):
            effects[:, t] = 0.7 * effects[:, t - 1] + np.sqrt(1 - 0.49) * rng.normal(size=300)
        data["y"] = rng.poisson(np.exp(2.0 + 0.5 * effects.ravel()))
        fit = glmer("y ~ 1 + ar1(0 + factor(period) | s)", data, family="poisson")
        sd, rho = (own.value for own in fit.VarCorr()[0].parameters)
        assert (sd, rho) == (pytest.approx(0.5, abs=0.1), pytest.approx(0.7, abs=0.15))
        drawn = fit.simulate(nsim=40, rng=1).to_numpy().reshape(300, 4, 40)
        rows = drawn.transpose(0, 2, 1).reshape(-1, 4)
        mean = np.exp(fit.fixef().iloc[0] + sd**2 / 2)
        # Moments of a lognormal mixture of Poisson counts.
        wanted = mean**2 * (np.exp(sd**2 * rho ** np.array([1.0, 2.0, 3.0])) - 1)
        covariance = np.cov(rows.T)
        np.testing.assert_allclose(covariance[0, 1:], wanted, rtol=0.1)

    def test_many_responses(self, sleep):
        rng = np.random.default_rng(6)
        data = sleep.assign(other=sleep["Reaction"] + 20 * rng.normal(size=len(sleep)))
        many = fit_many("~ Days + ar1(0 + DaysF | Subject)", data, ["Reaction", "other"])
        table = many.summary_frame()
        for name in ("Reaction", "other"):
            one = lmer(f"{name} ~ Days + ar1(0 + DaysF | Subject)", data)
            assert table.loc[name, "objective"] == pytest.approx(one.objective, rel=1e-9)
            sd, rho = (own.value for own in one.VarCorr()[0].parameters)
            assert table.loc[name, "sd_ar1|Subject"] == pytest.approx(sd, rel=1e-5)
            assert table.loc[name, "cor_rho.ar1|Subject"] == pytest.approx(rho, rel=1e-5)

    @pytest.mark.parametrize("name", ["ar1", "cs", "toep", "homcs"])
    def test_other_optimizers_and_random_starts(self, panel, name):
        fit = lmer(f"y ~ t + {name}(0 + time | s)", panel)
        table = fit.allFit(optimizers=["trust_region", "bobyqa", "nelder_mead"], starts=3, rng=1).table
        assert table["excess"].max() < 1e-5

    def test_start(self, model):
        with pytest.raises(
            ArgumentError, match=r"Subject\.ar1 is -1\.0, but must be finite and not negative"
        ):
            model.update(start=[-1.0, 0.5])
        with pytest.raises(
            ArgumentError, match=r"Subject\.ar1\.rho is 2\.0, but must be between -1\.571 and 1\.571"
        ):
            model.update(start=[1.0, 2.0])
        point = model.update(start=[1.0, 0.5], optimizer=None)
        sd, rho = (own.value for own in point.VarCorr()[0].parameters)
        assert sd == pytest.approx(point.sigma)
        assert 0 < rho < 1


class TestOverlaps:
    def test_effects_that_are_residuals(self, sleep):
        with pytest.raises(DataError, match=r"homdiag\(0 \+ DaysF \| Subject\) has one row for each"):
            lmer("Reaction ~ Days + homdiag(0 + DaysF | Subject)", sleep)
        with pytest.warns(UndeterminedWarning, match="the sum of its variances and the residual variance"):
            fit = lmer("Reaction ~ Days + homcs(0 + DaysF | Subject)", sleep)
        plain = lmer("Reaction ~ Days + (1 | Subject)", sleep)
        assert fit.objective == pytest.approx(plain.objective, rel=1e-8)
        np.testing.assert_allclose(fit.se, plain.se, rtol=1e-5)

    def test_an_intercept_beside_them_changes_nothing(self, sleep):
        with pytest.warns(UndeterminedWarning, match="the sum of its variances and the residual variance"):
            lmer("Reaction ~ DaysF + diag(1 + fulldummy(DaysF) | Subject)", sleep)
        with warnings.catch_warnings():
            # By contrasts the first day has no effect of its own, so the residual variance is its variance.
            warnings.simplefilter("error", UndeterminedWarning)
            warnings.simplefilter("ignore", SingularFitWarning)
            lmer("Reaction ~ DaysF + diag(1 + DaysF | Subject)", sleep)

    @pytest.mark.parametrize(
        ("first", "second", "determined"),
        [
            ("(1 | Worker)", "homcs(0 + Machine | Worker)", 2),
            ("(1 | Worker)", "homtoep(0 + Machine | Worker)", 3),
            ("homdiag(0 + Machine | Worker)", "homcs(0 + Machine | Worker)", 2),
            ("us(0 + Machine | Worker)", "ar1(0 + Machine | Worker)", 6),
        ],
    )
    def test_parameters_that_cannot_be_told_apart_count_once(self, machines, first, second, determined):
        with pytest.warns(FormulaWarning, match=f"only {determined} of their"):
            fit = lmer(f"score ~ Machine + {first} + {second}", machines)
        assert fit.df == 3 + determined + 1

    @pytest.mark.parametrize("second", ["homdiag(0 + Machine | Worker)", "cs(0 + Machine | Worker)"])
    @pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")
    def test_others_all_count(self, machines, second):
        with warnings.catch_warnings():
            warnings.simplefilter("error", FormulaWarning)
            fit = lmer(f"score ~ Machine + (1 | Worker) + {second}", machines)
        assert fit.df == 3 + len(fit.theta) + 1


def test_equal_models_by_other_terms(machines):
    """Compound symmetry is an intercept and one for each cell, where its correlation is positive."""
    structured = lmer("score ~ Machine + homcs(0 + Machine | Worker)", machines)
    cells = lmer("score ~ Machine + (1 | Worker) + (1 | Worker:Machine)", machines)
    assert structured.objective == pytest.approx(cells.objective, rel=1e-10)
    sd, rho = (own.value for own in structured.VarCorr()[0].parameters)
    within, between = (part.cov[0, 0] for part in cells.VarCorr())
    assert sd**2 == pytest.approx(within + between, rel=1e-5)
    assert rho == pytest.approx(between / (within + between), rel=1e-5)
