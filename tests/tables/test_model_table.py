"""model_table()."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from mixedmodels import glmer, lmer, load_cbpp, load_sleepstudy, model_table
from mixedmodels.errors import ArgumentError


@pytest.fixture(scope="module")
def slopes():
    return lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())


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
    binomial = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
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
    with pytest.raises(ArgumentError, match="at least one model"):
        model_table()
