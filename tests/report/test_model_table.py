"""model_table()."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from mixedmodels import (
    families,
    glmer,
    icc,
    lmer,
    load_epil,
    load_machines,
    load_sleepstudy,
    model_table,
    r2,
    tidy,
)
from mixedmodels.errors import ArgumentError
from mixedmodels.wording import display_width
from shared_fits import fits


@pytest.fixture(scope="module")
def slopes():
    return fits("sleepstudy")


@pytest.fixture(scope="module")
def table(slopes):
    return model_table(slopes, slopes.update(". ~ . - Days"), names=["a & b", "c_d"])


def test_cells(slopes, table):
    frame = table.frame
    assert frame.loc[("fixed", "Days"), "a & b"] == "10.467 (1.546)"
    assert frame.loc[("fixed", "Days"), "c_d"] == ""
    assert frame.loc[("random", "SD residual"), "a & b"] == "25.592"
    assert frame.loc[("fit", "Groups of Subject"), "c_d"] == "18"
    assert frame.loc[("fit", "Log-likelihood (REML)"), "a & b"] == f"{float(slopes.logLik()):.2f}"


def test_limits_and_p_values_name_their_degrees_of_freedom(slopes):
    low, high = slopes.conf_int().loc["Days"]
    limits = model_table(slopes, show="conf.int")
    assert limits.frame.loc[("fixed", "Days"), "model 1"] == f"10.467 [{low:.3f}, {high:.3f}]"
    assert "Satterthwaite" in limits.notes[1]
    p_values = model_table(slopes, show="p.value", ddf="inf")
    assert "infinite degrees of freedom" in p_values.notes[1]
    assert p_values.frame.loc[("fixed", "Days"), "model 1"] == "10.467 (1.275e-11)"


def test_models_of_several_kinds(slopes):
    binomial = fits("cbpp")
    both = model_table(slopes, binomial, show="p.value")
    assert [note.split(" by ")[0] for note in both.notes[1:]] == ["Tests of model 1", "Tests of model 2"]
    parts = list(both.frame.index.get_level_values("part"))
    assert parts == sorted(parts, key=["fixed", "random", "fit"].index)


def test_text_lines_up(table):
    lines = table.to_text().split("\n")
    cells = [line for line in lines[:-1] if not line.startswith("-")]
    ends = {len(line.rstrip()) for line in cells if line.rstrip().endswith(("2", "8", "180"))}
    assert len(ends) == 1
    assert str(table) == table.to_text()


def test_html_is_well_formed_and_escaped(table):
    tree = ElementTree.fromstring(table.to_html().replace("<br>", "<br/>"))
    assert [th.text for th in tree.iter("th")] == [None, "a & b", "c_d"]
    assert len(list(tree.iter("tbody"))) == 3
    assert table._repr_html_() == table.to_html()


def test_latex(slopes, table):
    text = table.to_latex()
    assert r"a \& b & c\_d \\" in text
    assert text.count(r"\midrule") == 3
    rows = [line for line in text.split("\n") if line.endswith(r"\\") and not line.startswith(r"\multi")]
    assert all(len(re.findall(r"(?<!\\)&", row)) == 2 for row in rows)
    assert str(model_table(slopes, format="latex")).startswith(r"\begin{tabular}{lr}")


def test_markdown(slopes, table):
    lines = table.to_markdown().split("\n")
    rows = [line for line in lines if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows)
    assert r"SD Days \| Subject" in table.to_markdown()
    assert str(model_table(slopes, format="markdown")).startswith("| ")


def test_wrong_arguments(slopes):
    with pytest.raises(ArgumentError, match="format must be one of"):
        model_table(slopes, format="docx")
    with pytest.raises(ArgumentError, match="show must be one of"):
        model_table(slopes, show="stars")
    with pytest.raises(TypeError, match="needs its first argument, model"):
        model_table()


BINOMIAL = fits("cbpp")


def column(table, part="fixed"):
    return table.frame.loc[part].iloc[:, 0].to_dict()


def test_several_things_beside_an_estimate(slopes):
    table = model_table(slopes, show=["std.error", "conf.int", "p.value"], p_style="apa")
    assert column(table)["Days"] == "10.467 (1.546) [7.206, 13.729] p < .001"
    assert table.notes[0] == (
        "Estimates with standard errors in parentheses, 95 % confidence limits in brackets and p-values"
    )
    assert column(model_table(slopes, show=()))["Days"] == "10.467"
    assert column(model_table(slopes, show="p.value", p_style="apa"))["Days"] == "10.467 (< .001)"
    wide, narrow = (model_table(slopes, show="conf.int", level=level) for level in (0.99, 0.5))
    assert column(wide)["Days"] != column(narrow)["Days"]
    assert "50 % confidence limits" in narrow.notes[0]


def test_stars():
    # p = 0.0012, 0.00055, 0.00022 and 1.8e-9 in lme4.
    table = model_table(BINOMIAL, stars=True)
    assert [cell.split(" ")[0] for cell in column(table).values()] == [
        "-1.399***",
        "-0.992**",
        "-1.129***",
        "-1.580***",
    ]
    assert "*** p < 0.001, ** p < 0.01, * p < 0.05" in table.notes[0]
    assert "*** p < .001" in model_table(BINOMIAL, stars=True, p_style="apa").notes[0]
    own = model_table(BINOMIAL, stars={"†": 0.1, "!": 0.0006})
    assert [cell.split(" ")[0][6:] for cell in column(own).values()] == ["!", "†", "!", "!"]
    assert r"\*\*\*" in table.to_markdown()
    for wrong in ("yes", {"*": 5}, {1: 0.05}):
        with pytest.raises(ArgumentError, match="stars must be"):
            model_table(BINOMIAL, stars=wrong)


def test_choice_order_and_names_of_rows(slopes):
    both = model_table(
        slopes, BINOMIAL, coefficients={"period[T.4]": "last", "Days": "day", "(Intercept)": "all"}
    )
    assert list(both.frame.loc["fixed"].index) == ["last", "day", "all"]
    assert both.frame.loc[("fixed", "day"), "model 2"] == ""
    assert list(model_table(slopes, coefficients=["Days"]).frame.loc["fixed"].index) == ["Days"]
    assert list(model_table(slopes, coefficients="Days", random=False).frame.index.unique("part")) == [
        "fixed",
        "fit",
    ]
    with pytest.raises(ArgumentError, match="no model has 'day'; the coefficients are: '\\(Intercept\\)'"):
        model_table(slopes, coefficients=["day"])
    with pytest.raises(ArgumentError, match="must differ"):
        model_table(slopes, coefficients={"Days": "x", "(Intercept)": "x"})
    assert str(model_table(slopes, coefficients=[], random=False, facts=()))


def test_choice_of_facts(slopes):
    table = model_table(slopes, BINOMIAL, facts=["ICC", "R2", "AICc", "nobs"])
    assert list(table.frame.loc["fit"].index) == [
        "ICC",
        "R² marginal",
        "R² conditional",
        "AICc",
        "Observations",
    ]
    for model, name in ((slopes, "model 1"), (BINOMIAL, "model 2")):
        cells = table.frame.loc["fit"][name]
        assert float(cells["ICC"]) == pytest.approx(icc(model).adjusted, abs=6e-4)
        assert float(cells["R² marginal"]) == pytest.approx(r2(model).marginal, abs=6e-4)
        assert float(cells["R² conditional"]) == pytest.approx(r2(model).conditional, abs=6e-4)
    assert list(model_table(slopes, facts="AIC").frame.loc["fit"].index) == ["AIC"]
    with pytest.raises(ArgumentError, match="facts must be one of"):
        model_table(slopes, facts=["R3"])


def test_rows_of_a_fact_stay_together(slopes):
    table = model_table(slopes, slopes.refit(REML=False))
    assert list(table.frame.loc["fit"].index)[2:] == ["Log-likelihood (REML)", "Log-likelihood", "AIC", "BIC"]
    assert table.notes[-2:] == (f"model 1: {slopes.formula}, REML", f"model 2: {slopes.formula}, ML")


def test_facts_that_a_model_does_not_have():
    own = families.user(
        lambda y, eta, w: w * (y * eta - np.exp(eta)),
        lambda y, eta, w: w * (y - np.exp(eta)),
        lambda y, eta, w: w * np.exp(eta),
        lambda y, eta, w: w * np.exp(eta),
        link="log",
    )
    model = glmer("y ~ trt + (1 | subject)", load_epil(), own)
    table = model_table(model, facts=["nobs", "R2"])
    assert list(table.frame.loc["fit"].index) == ["Observations"]
    assert any(note.startswith("model 1: no R2: ") for note in table.notes)


def test_tests_that_cannot_be_made_are_explained():
    model = lmer("score ~ Machine + (1 | Worker)", load_machines(), start=[9.0], optimizer=None)
    table = model_table(model, show=["conf.int", "p.value"], stars=True)
    assert column(table)["Machine[T.B]"] == "7.967 [NaN, NaN] p = NaN"
    assert any(note.startswith("model 1: No degrees of freedom") for note in table.notes)


def test_exponentials():
    cells = column(model_table(BINOMIAL, exponentiate=True, show=["std.error", "conf.int"]))
    rows = tidy(BINOMIAL, conf_int=True, exponentiate=True).set_index("term")
    for name, row in rows.iterrows():
        numbers = [float(text) for text in re.findall(r"[0-9.]+", cells[str(name)])]
        wanted = row[["estimate", "std.error", "conf.low", "conf.high"]].to_numpy(dtype=float)
        np.testing.assert_allclose(numbers, wanted, atol=6e-4)
    assert model_table(BINOMIAL, exponentiate=True).notes[0].startswith("Odds ratios with")
    counts = fits("epil", "y ~ trt + (1 | subject)", "poisson")
    assert model_table(counts, exponentiate=True).notes[0].startswith("Ratios of means with")
    assert (
        model_table(counts, BINOMIAL, exponentiate=True).notes[0].startswith("Exponentials of estimates with")
    )


@pytest.mark.parametrize("link", ["probit", "cauchit", "identity"])
def test_exponentials_of_other_links_are_refused(slopes, link):
    model = slopes if link == "identity" else BINOMIAL.update(link=link)
    for call in (lambda: model_table(model, exponentiate=True), lambda: tidy(model, exponentiate=True)):
        with pytest.raises(ArgumentError, match=f"exponentiate=True is for .* the {link} link"):
            call()


def test_families_and_what_else_differs():
    poisson = fits("epil", "y ~ trt + (1 | subject)", "poisson")
    nb = poisson.update(family="nbinom2")
    table = model_table(poisson, nb)
    assert table.frame.loc[("fit", "Family")].tolist() == ["poisson (log)", "nbinom2 (log)"]
    assert float(table.frame.loc[("random", "Size"), "model 2"]) == pytest.approx(nb.sigma, abs=6e-4)
    assert "model 2: y ~ trt + (1 | subject), family nbinom2 (log)" in table.notes
    assert ("fit", "Family") not in model_table(
        fits("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    ).frame.index


def test_wide_characters_line_up():
    data = load_sleepstudy().rename(columns={"Days": "日数"})
    lines = model_table(lmer("Reaction ~ 日数 + (1 | Subject)", data)).to_text().split("\n")
    rows = [line for line in lines if line.startswith(" ")]
    assert len({display_width(line) for line in rows[1:]}) == 1


def test_notes_name_other_covariance_matrices(slopes):
    robust = model_table(slopes, vcov=slopes.vcov_cluster())
    assert any(note.startswith("Standard errors with the CR2") for note in robust.notes)
    assert len(model_table(slopes).notes) == 1


def test_held_parameters_are_marked():
    held = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy(), fixed={"sigma": 30})
    cells = column(model_table(held), "random")
    assert cells["SD residual"] == "30.000 (fixed)"
    assert not cells["SD (Intercept) | Subject"].endswith("(fixed)")
