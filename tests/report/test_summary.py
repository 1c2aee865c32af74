"""The summary: its content, whatever the names and magnitudes."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    FormulaWarning,
    glmer,
    lmer,
    load_dataset,
    load_epil,
    load_penicillin,
    load_sleepstudy,
    summary,
)
from mixedmodels.errors import ArgumentError, ConvergenceWarning, RankDeficiencyWarning
from mixedmodels.wording import display_width
from shared_fits import fits

DATA = load_sleepstudy()


@pytest.fixture(scope="module")
def slope():
    return fits("sleepstudy")


def test_reml(slope):
    text = str(slope.summary())
    for part in (
        "fit by REML",
        "Reaction ~ Days + (Days | Subject)",
        "REML criterion: 1743.6283",
        "-3.9536",  # least scaled residual
        "24.7405",
        "Number of obs: 180; groups: Subject 18",
        "251.405",
        "36.838",
        "-0.138",
        "17.00   36.838",  # degrees of freedom and t value
        "3.264e-06",
        "t tests by Satterthwaite's degrees of freedom",
        "trust_region: converged",
    ):
        assert part in text, part


def test_ml():
    text = str(lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin(), REML=False).summary())
    # MixedModels.jl, model constructors page
    for part in ("maximum likelihood", "340.1883", "352.0676", "-166.0942", "332.1883", "plate 24, sample 6"):
        assert part in text, part
    assert "Correlation of fixed effects" not in text


def test_numbers_are_attributes(slope):
    summary = slope.summary()
    assert summary.criteria == {"REML criterion": slope.objective}
    assert summary.nobs == 180
    assert list(summary.coefficients) == ["Estimate", "Std. Error", "df", "t value", "Pr(>|t|)"]
    assert summary.residual_quantiles["Max"] == pytest.approx(slope.residuals("pearson", scaled=True).max())
    assert str(pickle.loads(pickle.dumps(summary))) == str(summary)


@pytest.mark.parametrize("digits", [1, 3, 5, 8, 15])
def test_digits(slope, digits):
    summary = slope.summary(digits=digits)
    text = summary.to_text(width=120)
    row = next(line for line in text.splitlines() if line.startswith(" Days  "))
    estimate, error, _, ratio, p = row.split()[1:6]
    assert float(estimate) == pytest.approx(10.467285959596, abs=0.51 * 10.0 ** (2 - digits))
    assert float(error) == pytest.approx(1.545789, rel=0.6 * 10.0 ** (1 - digits) + 1e-6)
    assert float(ratio) == pytest.approx(6.771485, abs=0.006)
    assert len(p.partition("e")[0].replace(".", "")) <= max(1, digits - 1)
    assert float(summary.coefficients.loc["Days", "Estimate"]) == slope.beta[1]
    assert [float(x) for x in summary.coefficients["Estimate"]] == slope.beta.tolist()
    assert summary._repr_html_().count(estimate) >= 1
    assert str(pickle.loads(pickle.dumps(summary))) == str(summary)


def test_digits_of_every_kind_of_model():
    model = glmer("y ~ trt + (1 | subject)", load_epil(), "nbinom2")
    shown = {n: str(model.summary(digits=n)).split("Size d: ")[1].split()[0] for n in (2, 7)}
    assert {n: float(text) for n, text in shown.items()} == {n: float(f"{model.sigma:.{n}g}") for n in (2, 7)}
    assert str(model.summary()) == str(model.summary(digits=5)) == str(summary(model, digits=5))
    with pytest.raises(ArgumentError, match="digits"):
        model.summary(digits=0)
    with pytest.raises(ArgumentError, match="p_style"):
        summary(model, p_style="stars")


def test_apa_style(slope):
    text = str(slope.summary(p_style="apa"))
    assert text.count("< .001") == 2
    assert "e-06" not in text


def test_html(slope):
    html = slope._repr_html_()
    assert html.count("<table") == html.count("</table>") == 2
    assert "Std. Error" in html
    data = DATA.rename(columns={"Days": "<b>&"})
    html = lmer("Reaction ~ `<b>&` + (1 | Subject)", data).summary()._repr_html_()
    assert "<b>&" not in html
    assert "&lt;b&gt;&amp;" in html


def test_rows_left_out_are_counted():
    data = load_dataset("sleepstudy_x")
    text = str(lmer("ReactionNA ~ DaysNA + (1 | Subject)", data).summary())
    assert "17 rows of 180 left out for missing values (" in text
    assert "ReactionNA 10" in text
    assert "DaysNA 7" in text


def test_rows_of_weight_zero_are_counted():
    weights = np.where(np.arange(180) % 20 == 0, 0.0, 1.0)
    text = str(lmer("Reaction ~ Days + (1 | Subject)", DATA, weights=weights).summary())
    assert "9 rows of 180 left out for zero weights" in text


def test_weights_and_offset_are_mentioned():
    data = load_dataset("sleepstudy_x")
    text = str(lmer("Reaction ~ Days + (1 | Subject)", data, weights="w", offset=np.ones(180)).summary())
    assert "Fitted with weights w and offset" in text


def test_the_double_bar_is_explained():
    late = DATA["Days"] > 4
    data = DATA.assign(late=np.where(late, "yes", "no"))
    data["Reaction"] += late * (20 * (np.arange(180) // 10 % 4))
    with pytest.warns(FormulaWarning):
        text = str(lmer("Reaction ~ Days + (late + Days || Subject)", data).summary())
    wanted = "all 3 effects are independent, 3 variance parameters (a single bar has 6)"
    assert wanted in " ".join(text.split())


def test_many_correlations_are_shown_on_request():
    model = lmer("Reaction ~ poly(Days, 9) + Days:Days2 + I(Days2^2) + sin(Days) + (1 | Subject)", _wide())
    assert model.rank > 12
    assert "Correlation of fixed effects" not in str(model.summary())
    assert "summary(correlation=True)" in str(model.summary())
    assert "Correlation of fixed effects" in str(model.summary(correlation=True))
    with pytest.raises(ArgumentError, match="correlation"):
        model.summary(correlation="yes")


def _wide() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return DATA.assign(Days=DATA["Days"] + rng.normal(size=180), Days2=rng.normal(size=180))


def test_no_fixed_effects():
    model = fits("sleepstudy", "Reaction ~ 0 + (1 | Subject)")
    assert "Fixed effects: none" in str(model.summary())
    assert "none" in repr(model)
    assert model._repr_html_()


def test_strange_names_and_magnitudes():
    rng = np.random.default_rng(0)
    data = pd.DataFrame(
        {
            "größe": rng.normal(size=60) * 1e-9,
            "a very long name of a column that goes on and on": rng.normal(size=60) * 1e8,
            "名前": np.repeat(list("abcdef"), 10),
            "f": np.tile(["x", "y\nz"], 30),
            "y": rng.normal(size=60) * 1e12 + np.repeat(rng.normal(size=6), 10) * 1e12,
        }
    )
    formula = "y ~ größe + `a very long name of a column that goes on and on` + f + (1 | 名前)"
    text = lmer(formula, data).summary().to_text(width=120)
    assert "e+" in text
    table = text.split("Fixed effects:\n")[1].split("\n\n")[0].splitlines()
    assert len(table) == 6
    assert len({display_width(line) for line in table[:-1]}) == 1
    assert "t tests by" in table[-1]
    groups = [line for line in text.splitlines() if line.startswith((" 名前 ", " Residual"))]
    assert len({display_width(line) for line in groups}) == 1


def test_repr_is_short(slope):
    text = repr(slope)
    assert "1743.6283" in text
    assert "Days 10.467" in text
    assert len(text.splitlines()) < 12


def test_one_evaluation_is_one():
    data = load_sleepstudy()
    data["Subject"] = data["Subject"].astype(str)
    model = lmer("Reaction ~ Days + (1 | Subject)", data)
    once = dataclasses.replace(model.convergence, n_evaluations=1, n_gradients=1)
    assert "after 1 evaluation, 1 gradient;" in once.outcome
    assert "after 2 evaluations, 2 gradients;" in (
        dataclasses.replace(once, n_evaluations=2, n_gradients=2).outcome
    )
    with pytest.warns(ConvergenceWarning, match=r"\(1 evaluation\)"):
        lmer("Reaction ~ Days + (Days | Subject)", data, control={"max_evaluations": 1})


def test_a_dropped_coefficient_is_written_alike_everywhere():
    data = load_sleepstudy().assign(twice=lambda d: 2 * d["Days"])
    with pytest.warns(RankDeficiencyWarning):
        model = lmer("Reaction ~ Days + twice + (1 | Subject)", data)
    assert "twice NaN" in repr(model)
    assert "nan" not in repr(model)


def test_correlations_belong_to_the_covariance_matrix_of_the_tests(slope):
    assert slope.summary(vcov=np.diag([1.0, 2.0])).correlation.iloc[1, 0] == 0.0
    robust = slope.vcov_cluster()
    wanted = robust.covariance[0, 1] / np.sqrt(np.prod(np.diag(robust.covariance)))
    assert slope.summary(vcov=robust).correlation.iloc[1, 0] == pytest.approx(wanted)
