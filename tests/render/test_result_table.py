"""Result tables in text, HTML, LaTeX and Markdown, without any other package."""

from __future__ import annotations

import builtins
import copy
import dataclasses
import io
import math
import pickle
import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    LinearMixedModel,
    aic_table,
    anova,
    coef_test,
    emmeans,
    exact_rlrt,
    glance,
    glmer,
    joint_tests,
    kr_compare,
    lmer,
    load_cbpp,
    load_dyestuff,
    load_dyestuff2,
    load_epil,
    load_machines,
    load_sleepstudy,
    model_selection,
    model_table,
    pb_compare,
    ranova,
    tidy,
    vif,
)
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from mixedmodels.render.latex import latex_text
from mixedmodels.render.markdown import markdown_text
from mixedmodels.render.result_table import result_table
from shared_fits import fits

SLEEP = load_sleepstudy()
FULL = fits("sleepstudy")
SMALL = fits("sleepstudy", "Reaction ~ Days + (1 | Subject)")
NONE = lmer("Reaction ~ 1 + (1 | Subject)", SLEEP)
MACHINES = fits("machines")
COUNTS = glmer("y ~ trt + lbase + (1 | subject)", load_epil(), "nbinom2")
NO_MINIMUM = lmer("score ~ Machine + (1 | Worker)", load_machines(), start=[9.0], optimizer=None)

TABLES = {
    "anova of one": lambda: anova(MACHINES),
    "anova of several": lambda: anova(FULL, SMALL),
    "anova of counts": lambda: anova(COUNTS),
    "drop1": lambda: COUNTS.drop1(),
    "drop1 F": lambda: MACHINES.drop1(test="F"),
    "ranova": lambda: ranova(FULL),
    "coef_test": lambda: coef_test(COUNTS),
    "t_test": lambda: FULL.t_test("Days = 10"),
    "linear_hypothesis": lambda: FULL.linear_hypothesis("Days = 10"),
    "kr_compare": lambda: kr_compare(SMALL, NONE),
    "pb_compare": lambda: pb_compare(SMALL, NONE, nsim=5, rng=1),
    "exact_rlrt": lambda: exact_rlrt(NONE, nsim=99, rng=1),
    "aic_table": lambda: aic_table(FULL, SMALL),
    "model_selection": lambda: model_selection(FULL, SMALL),
    "confint": FULL.confint,
    "confint of counts": COUNTS.confint,
    "tidy": lambda: tidy(FULL, "all", conf_int=True),
    "glance": lambda: glance(COUNTS),
    "vif": lambda: vif(COUNTS),
    "emmeans": lambda: emmeans(MACHINES, "~ Machine").to_frame(),
    "pairs": lambda: emmeans(MACHINES, "~ Machine").pairs().to_frame(),
    "joint_tests": lambda: joint_tests(MACHINES),
    "VarCorr": FULL.VarCorr,
    "VarCorr as a frame": lambda: FULL.VarCorr().to_frame(),
    "ranef as a frame": lambda: FULL.ranef(condVar=True).to_frame(),
    "coefficients": lambda: FULL.summary().coefficients,
    "summary": FULL.summary,
    "summary of counts": COUNTS.summary,
    "model_table": lambda: model_table(FULL, SMALL),
    "no degrees of freedom": lambda: coef_test(NO_MINIMUM),
}


@pytest.fixture
def without_extras(monkeypatch):
    """An interpreter without jinja2 and tabulate."""
    real = builtins.__import__

    def limited(name, *args, **kwargs):
        if name.split(".")[0] in ("jinja2", "tabulate"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", limited)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_every_format(name, without_extras):
    table = TABLES[name]()
    latex, markdown, text = table.to_latex(), table.to_markdown(), str(table)
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") >= 1
    for part in latex.split(r"\begin{tabular}")[1:]:
        columns = len(re.findall("[lr]", part.split("\n")[0]))
        rows = [line for line in part.split("\n") if line.endswith(r" \\") and not line.startswith(r"\multi")]
        assert rows
        assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {columns}
    assert not re.search(r"(?<!\\)[_#%]", latex)
    blocks = [part.split("\n") for part in markdown.split("\n\n") if part.startswith("| ")]
    assert blocks
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block}) == 1
    tree = ElementTree.fromstring(table._repr_html_())
    assert len(list(tree.iter("table"))) >= 1
    assert not re.search(r"-0\.0*(?![0-9])", text + latex + markdown)


@pytest.mark.parametrize("name", ["anova of one", "pairs", "coef_test"])
def test_p_values_in_apa_style(name):
    table = TABLES[name]()
    for kind in ("text", "html", "latex", "markdown"):
        text = getattr(table, f"to_{kind}")(p_style="apa").split("</style>")[-1]
        assert re.search(r"(<|&lt;|less\{\}) \.001", text), text
        assert "e-" not in text
    with pytest.raises(ArgumentError, match="p_style must be one of 'exact', 'apa'"):
        table.to_text(p_style="APA7")


def degenerate_models():
    data = SLEEP.assign(twice=2 * SLEEP["Days"], w=np.where(SLEEP["Days"] == 3, 0.0, 1.0))
    data["f"] = pd.Categorical(np.where(data["Days"] > 4, "late", "early"), ["early", "late", "never"])
    data.loc[5, "Reaction"] = np.nan
    rng = np.random.default_rng(1)
    rare = pd.DataFrame({"g": rng.integers(0, 12, 90), "a": rng.choice(list("abcde"), 90)})
    rare["y"] = (rng.random(90) < 0.06).astype(int)
    cbpp, rate = load_cbpp(), "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return {
            "dropped columns, weights zero": lmer(
                "Reaction ~ Days + twice + f + (1 | Subject)", data, weights="w"
            ),
            "missing rows excluded": lmer("Reaction ~ f + (f | Subject)", data, na_action="exclude"),
            "no fixed effects": lmer("Reaction ~ 0 + (1 | Subject)", SLEEP),
            "intercept only": lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()),
            "variance zero": lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2()),
            "no minimum": NO_MINIMUM,
            "separated": glmer("y ~ a + (1 | g)", rare, "binomial"),
            "coefficients from the modes": glmer(rate, cbpp, "binomial", nAGQ=0),
            "no fixed effects, counts": glmer("y ~ 0 + (1 | subject)", load_epil(), "nbinom1"),
        }


DEGENERATE = degenerate_models()
REPORTS = {
    "summary": lambda m: m.summary(digits=3, p_style="apa"),
    "confint": lambda m: m.confint(),
    "coef_test": coef_test,
    "tidy": lambda m: tidy(m, "all", conf_int=True),
    "exponentials": lambda m: tidy(m, exponentiate=True, conf_int=True),
    "glance": glance,
    "model_table": lambda m: model_table(
        m, show=["conf.int", "p.value"], stars=True, facts=["R2", "ICC", "nobs"]
    ),
    "aic_table": lambda m: aic_table(m, m),
    "VarCorr": lambda m: m.VarCorr(),
    "anova": anova,
}


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_reports_of_degenerate_models(name, report):
    """A table in every format, with NaN where nothing is known."""
    model = DEGENERATE[name]
    if report == "exponentials" and isinstance(model, LinearMixedModel):
        with pytest.raises(ArgumentError, match="identity link"):
            REPORTS[report](model)
        return
    table = REPORTS[report](model)
    for text in (str(table), table.to_latex(), table.to_markdown(), table._repr_html_()):
        assert text
        assert "nan" not in text
        assert not re.search(r"-0\.0+(?![0-9])", text)


def test_missing_numbers():
    # The first model of a comparison has no test: blank. A test without degrees of freedom: NaN, and a note.
    first = str(anova(SMALL, FULL)).splitlines()[-2]
    assert first.split()[-1] == "1794.08"
    text = str(coef_test(NO_MINIMUM))
    assert text.splitlines()[2].split()[-3:] == ["NaN", "4.727", "NaN"]
    assert "No degrees of freedom" in text
    assert "NaN" in str(anova(NO_MINIMUM))
    limits = str(emmeans(NO_MINIMUM, "~ Machine")).splitlines()[1].split()
    assert limits[-3:] == ["NaN", "NaN", "NaN"]
    assert str(NO_MINIMUM.summary()).count("NaN") == 6


def test_wide_tables_and_long_names_are_whole():
    table = tidy(FULL, "all", conf_int=True)
    blocks = [block.splitlines()[0] for block in str(table).split("\n\n")]
    assert [name for name in table.columns if not any(name in first for first in blocks)] == []
    assert [name for name in table.columns if name not in table.to_text(width=200).splitlines()[0]] == []
    assert max(map(len, str(table).splitlines()[:-1])) <= 80
    data = SLEEP.rename(columns={"Days": "a very long name of a covariate, which_goes|on & on *and* on"})
    model = lmer("Reaction ~ `" + data.columns[1] + "` + (1 | Subject)", data)
    assert r"which\_goes\textbar{}on \& on *and* on" in coef_test(model).to_latex()
    assert r"which\_goes\|on & on \*and\* on" in coef_test(model).to_markdown()
    rows = model.confint().to_text(width=200).splitlines()[:-2]
    assert len({len(row) for row in rows}) == 1


def test_many_rows_are_cut_in_displays_only():
    table = result_table({"x": np.arange(240.0)}, [f"row {i}" for i in range(240)], ["Heading"], ["Note"])
    for cut in (str(table), repr(table), table._repr_html_()):
        assert "... and 40 more rows" in cut
        assert "row 199" in cut
        assert "row 200" not in cut
        assert "Note" in cut
    for whole in (table.to_text(), table.to_html(), table.to_latex(), table.to_markdown()):
        assert "row 239" in whole


def test_parts_are_plain_frames():
    table = anova(SMALL, FULL)
    assert type(table[["Chisq"]]).__name__ == type(table.round(2)).__name__ == "DataFrame"
    again = pickle.loads(pickle.dumps(table))
    assert (again.heading, again.notes) == (table.heading, table.notes)
    assert str(again) == str(table)


def test_special_characters():
    assert latex_text(r"a\b{c}_d^2 ~ 50 % & #1 χ² <x>") == (
        r"a\textbackslash{}b\{c\}\_d\textasciicircum{}2 \textasciitilde{} 50 \% \& \#1 "
        r"$\chi$\textsuperscript{2} \textless{}x\textgreater{}"
    )
    assert latex_text("σ ≤ 2θ") == r"$\sigma$ $\leq$ 2$\theta$"
    assert markdown_text("a|b *c* <b> < .001 `d`") == r"a\|b \*c\* \<b> < .001 \`d\`"
    assert r"{[1, 2)} & 1 \\" in result_table({"x": [1.0]}, ["[1, 2)"]).to_latex()


def small_effects():
    """Coefficients near 5e-4 and 7e-3 beside an intercept of 250, and deviations near 0.01."""
    rng = np.random.default_rng(1)
    data = SLEEP.assign(z=rng.normal(size=len(SLEEP)) * 60_000, w=rng.normal(size=len(SLEEP)) * 2_000)
    data["Reaction"] += 5e-4 * data["z"] - 7e-3 * data["w"]
    return lmer("Reaction ~ Days + z + w + (1 | Subject)", data)


def small_response():
    return lmer("Reaction ~ Days + (Days | Subject)", SLEEP.assign(Reaction=SLEEP["Reaction"] / 200))


SMALL_NUMBERS = {
    "confint": lambda: small_effects().confint(),
    "tidy": lambda: tidy(small_effects(), conf_int=True),
    "coef_test": lambda: coef_test(small_effects()),
    "VarCorr": lambda: small_response().VarCorr().to_frame(),
    "anova": lambda: anova(small_response()),
    "random parameters": lambda: tidy(small_response(), "ran_pars"),
}


@pytest.mark.parametrize("name", SMALL_NUMBERS)
def test_small_numbers_keep_three_digits(name):
    table = SMALL_NUMBERS[name]()
    lines = str(table).splitlines()[len(table.heading) :]
    starts = dict(
        zip(re.findall(r"\S+(?: \S+)*", lines[0]), re.finditer(r"\S+(?: \S+)*", lines[0]), strict=True)
    )
    checked = 0
    for column, place in starts.items():
        if (
            column in ("df", "DenDF", "NumDF", "statistic", "t value", "F value", "p.value")
            or "Pr(" in column
        ):
            continue
        if not pd.api.types.is_numeric_dtype(table[column]):
            continue
        for line, value in zip(lines[1:], table[column], strict=False):
            if math.isnan(value):
                continue
            shown = float(line[: place.end()].split()[-1])
            assert shown == pytest.approx(value, rel=5e-3), (column, line)
            checked += 1
    assert checked >= len(table)


def test_limits_share_their_decimals():
    rows = str(SMALL_NUMBERS["confint"]()).splitlines()[3:7]
    assert len({len(cell.partition(".")[2]) for row in rows for cell in row.split()[-2:]}) == 1


def test_whole_numbers_are_written_out():
    table = result_table({"nobs": [1_234_567], "df.residual": [1_234_560.0], "Df": [math.inf], "npar": [7]})
    assert str(table).splitlines()[1].split() == ["1234567", "1234560", "Inf", "7"]
    many = dataclasses.replace(COUNTS.summary(), criteria={"AIC": 2.5, "df.resid": 1_234_560.0})
    assert " 2.5000   1234560\n" in str(many)


def test_methods_of_pandas(tmp_path):
    """They write to files as pandas' methods do, and refuse pandas' other arguments by name."""
    for table in (tidy(SMALL), anova(SMALL), emmeans(MACHINES, "~ Machine").to_frame()):
        for kind in ("text", "html", "latex", "markdown"):
            method, path, file = getattr(table, f"to_{kind}"), tmp_path / f"table.{kind}", io.StringIO()
            assert method(str(path)) is method(path) is method(buf=file) is None
            assert path.read_text(encoding="utf-8") == file.getvalue() == method()
            other = "" if kind == "text" else rf"; to_frame\(\)\.to_{kind}"
            with pytest.raises(ArgumentError, match=rf"to_{kind}\(\) .* not index{other}"):
                method(index=False)
            with pytest.raises(ArgumentError, match="buf must be a path or an open file, not 5"):
                method(5)


@pytest.mark.parametrize("name", [name for name in TABLES if name not in ("summary", "summary of counts")])
def test_plain_frames(name):
    table = TABLES[name]()
    if isinstance(table, pd.DataFrame):
        plain = table.to_frame()
        assert type(plain) is pd.DataFrame
        pd.testing.assert_frame_equal(plain, pd.DataFrame(table))
        assert plain.to_html(index=False).startswith("<table")


def test_headings_are_in_every_format():
    slopes = fits("sleepstudy")
    table = anova(slopes, slopes.update(". ~ . - (Days | Subject) + (1 | Subject)"))
    assert len(table.heading) > 1
    latex, markdown = table.to_latex(), table.to_markdown()
    lines = latex.split("\n")
    rule = lines.index(r"\toprule")
    assert lines[0].startswith(r"\begin{tabular}")
    assert len(lines[1:rule]) >= len(table.heading)
    assert all(line.startswith(r"\multicolumn{9}{l}") for line in lines[1:rule])
    for name in ("model 1: ", "model 2: "):
        assert any(name in line for line in lines[1:rule])
        assert name in markdown.split("\n\n")[0]
    assert markdown.split("\n\n")[1].startswith("| ")
    # Without a heading the table comes first.
    assert result_table({"x": [1.0]}).to_markdown().startswith("| ")
    assert result_table({"x": [1.0]}).to_latex().split("\n")[1] == r"\toprule"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_are_tables(copied):
    model = fits("sleepstudy")
    tables = [model.anova(), model.tidy(), model.confint(), model.glance(), model.joint_tests()]
    for table in [*tables, model.emmeans("~ 1").summary()]:
        again = copied(table)
        assert type(again) is type(table)
        assert str(again) == str(table)
        assert again.attrs == table.attrs
        again.iloc[0, -1] = 7.0
        assert str(again) != str(table)
