"""Every class of results in every format, whatever the names: escaped, aligned, within 80 columns of text."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from mixedmodels.render.fold import folded
from mixedmodels.render.html import html_page
from mixedmodels.render.latex import latex_page
from mixedmodels.render.markdown import markdown_page
from mixedmodels.render.page import Facts, Page, Section, Table
from mixedmodels.render.printed import Printed
from mixedmodels.render.style import Style
from mixedmodels.render.text import text_page
from mixedmodels.wording import display_width, one_line
from shared_fits import USUAL, fits

# Levels and names that mean something to HTML, LaTeX or Markdown, or that take more or less room than they
# have characters.
AWKWARD = (
    "a|b",
    "back\\slash",
    "$cost_1$",
    "<b>bold</b>",
    "p & q &amp; r",
    "new\nline",
    "日数の水準",
    "Größe²",
    "😀",
    "*star* `tick`",
    "100 % #1",
    "{curly} ~ ^",
    "[link](x)",
    "a level whose name goes on and on, well beyond what a narrow column can show",
)
COVARIATE, GROUP = "x <i>|$_&\\", "g|<u>_$&"


def last(model: Any) -> str:
    """The name of the last coefficient."""
    return str(model.fixef().index[-1])


RESULTS: dict[str, Callable[[Any], Any]] = {
    "summary": lambda m: m.summary(),
    "optimum": lambda m: m.optimum,
    "VarCorr": lambda m: m.VarCorr(),
    "ranef": lambda m: m.ranef(condVar=True),
    "shrinkage": mm.shrinkage,
    "tidy": lambda m: mm.tidy(m, "all", conf_int=True),
    "glance": mm.glance,
    "confint": lambda m: m.confint(),
    "profile intervals": lambda m: m.confint(method="profile"),
    "profile": lambda m: m.profile("theta_"),
    "profile of two": lambda m: m.profile_2d(*m.confint().index[[0, -1]], n=3),
    "coef_test": mm.coef_test,
    "anova": mm.anova,
    "influence": lambda m: mm.influence(m, groups=GROUP if GROUP in m.ngrps else next(iter(m.ngrps))),
    "drop1": lambda m: m.drop1(),
    "two models": lambda m: mm.model_table(
        m, m, names=["a|b", "<b>$_&"], show=["std.error", "p.value"], stars=True
    ),
    "emmeans": lambda m: mm.emmeans(m, "~ f"),
    "means": lambda m: mm.emmeans(m, "~ f").confint(),
    "groups of means": lambda m: mm.emmeans(m, "~ f | k").test(),
    "contrasts": lambda m: mm.emmeans(m, "~ k").pairs(),
    "simple contrasts": lambda m: mm.emmeans(m, "~ k + f").contrast("eff", simple="each"),
    "joint tests": mm.joint_tests,
    "checkConv": mm.checkConv,
    "convergence": lambda m: m.convergence,
    "fit log": lambda m: m.convergence.log,
    "allFit": lambda m: mm.allFit(m, optimizers=["trust_region", "bobyqa"]),
    "allFit summary": lambda m: mm.allFit(m, optimizers=["trust_region", "bobyqa"]).summary(),
    "cross_validate": lambda m: m.cross_validate(2, rng=1),
    "blocks": lambda m: m.describe_blocks(),
    "effects": lambda m: m.predict_effects(["f", "k"]),
    "power": lambda m: mm.power(m, {last(m): 1.0}, nsim=4, rng=1),
    "power curve": lambda m: mm.power_curve(
        m, {last(m): 1.0}, 2, along=("parameter", ("fixed", last(m))), values=[8, 12], rng=1
    ),
    "bootstrap": lambda m: m.bootstrap(20, rng=1),
    "limits of a bootstrap": lambda m: m.bootstrap(20, rng=1).confint(),
    "R2": mm.r2,
    "check": lambda m: m.check_group_sizes(),
    "checks": mm.check_model,
    "quantile residuals": lambda m: m.quantile_residuals(60, rng=1),
    "rePCA": mm.rePCA,
    "simplify": mm.simplify,
    "ICC": mm.icc,
}
LINEAR: dict[str, Callable[[Any], Any]] = {
    "vcov_cluster": mm.vcov_cluster,
    "cAIC": mm.cAIC,
    "ranova": mm.ranova,
    "yeo_johnson": mm.yeo_johnson,
    "fit_many": lambda m: many(),
    "coefficients of many": lambda m: many().to_frame(),
}
CASES = [
    (kind, name)
    for kind in ("linear", "counts")
    for name in (*RESULTS, *(LINEAR if kind == "linear" else ()))
]


def awkward_data() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 15 * 28
    data = pd.DataFrame(
        {
            COVARIATE: rng.normal(size=n),
            "f": pd.Categorical(np.resize(AWKWARD, n), AWKWARD),
            "k": pd.Categorical(np.repeat([AWKWARD[0], AWKWARD[3]], n // 2), [AWKWARD[0], AWKWARD[3]]),
            GROUP: np.array(AWKWARD, dtype=object)[rng.integers(0, len(AWKWARD), n)],
        }
    )
    effects = pd.Series(rng.normal(size=len(AWKWARD)), index=AWKWARD)
    data["y $_|"] = data[COVARIATE] + data[GROUP].map(effects) + rng.normal(size=n)
    data["count"] = rng.poisson(np.exp(0.3 * data["y $_|"]))
    return data


@cache
def many() -> Any:
    noise = np.random.default_rng(1).normal(size=(len(awkward_data()), len(AWKWARD)))
    responses = pd.DataFrame(noise, columns=list(AWKWARD))
    return mm.fit_many(f"~ `{COVARIATE}` + (1 | `{GROUP}`)", awkward_data(), responses)


@cache
def awkward(kind: str) -> Any:
    rest = f"`{COVARIATE}` + f + k + (1 | `{GROUP}`)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        if kind == "linear":
            return mm.lmer(f"`y $_|` ~ {rest}", awkward_data())
        return mm.glmer(f"count ~ {rest}", awkward_data(), "poisson")


@cache
def result(kind: str, name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return (RESULTS | LINEAR)[name](awkward(kind))


def subclasses(kind: type) -> set[type]:
    found = {sub for sub in kind.__subclasses__() if sub.__module__.startswith("mixedmodels.")}
    return found.union(*map(subclasses, found))


def test_every_class_of_results_is_looked_at():
    looked_at = {kind for name in CASES for kind in type(result(*name)).__mro__}
    assert subclasses(Printed) - looked_at == set()


# HTML


class Reader(HTMLParser):
    """Tags that open and close in order; alignment and text of the cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[tuple[str | None, str]] = []
        self.style = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"div", "style", "p", "b", "i", "small", "table", "thead", "tbody", "tr", "th", "td"}, (
            tag
        )
        assert {name for name, _ in attrs} <= {"class", "align", "colspan"}
        self.open.append(tag)
        if tag in ("td", "th"):
            assert dict(attrs)["align"] in ("left", "right")
        if tag == "td":
            self.cells.append((dict(attrs)["align"], ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "br"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        elif self.open and self.open[-1] == "td":
            align, text = self.cells.pop()
            self.cells.append((align, text + data))


NUMBER = re.compile(r"-?(\d+(\.\d+)?(e[+-]\d+)?|Inf)|NaN|<2e-16")


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_html(kind, name):
    html = result(kind, name)._repr_html_()
    read = Reader(html)
    ElementTree.fromstring(html)
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", read.style)
    assert rules
    assert all(selector.startswith(".mixedmodels") for selector, _ in rules)
    colours = r"#[0-9a-fA-F]{3}|rgb|hsl|white(?!-space)|black|gr[ea]y|(?<![a-z-])color:|background:(?!none)"
    assert not re.search(colours, read.style)
    for align, text in read.cells:
        if NUMBER.fullmatch(text) and "." in text:
            assert align == "right", text
        if any(awkward_name in text for awkward_name in map(one_line, AWKWARD)) and "=" not in text:
            assert align == "left" or text in map(one_line, AWKWARD), text


# LaTeX


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_latex(kind, name):
    latex = result(kind, name).to_latex()
    plain = re.sub(r"\\[\\{}$&#_%]", "", latex)
    depth = 0
    for c in plain:
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}")
    assert plain.count("$") % 2 == 0
    assert not re.search(r"[_#%~]", re.sub(r"\$\\\w+\$", "", plain))
    for part in latex.split(r"\begin{tabular}")[1:]:
        columns = len(re.findall("[lr]", part.split("\n")[0]))
        rows = [line for line in part.split(r"\end{tabular}")[0].split("\n") if line.endswith(r" \\")]
        counts = {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows if not row.startswith(r"\multi")}
        assert counts == {columns}
        assert not any(row.startswith(("[", "*")) for row in rows)


# Markdown


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_markdown(kind, name):
    markdown = result(kind, name).to_markdown()
    blocks = [part.split("\n") for part in markdown.split("\n\n") if part.startswith("| ")]
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in block}) == 1
        assert re.fullmatch(r"\|((:--|--:)\|)+", block[1])
    bare = re.sub(r"\\.", "", markdown)
    assert not re.search(r"[$`]|<[A-Za-z/]|&\w+;|\]\(", bare)


# Text


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_text_fits_the_width(kind, name):
    for width in (60, 80, 120):
        text = result(kind, name).to_text(width=width)
        assert max(map(display_width, text.splitlines())) <= width
        assert "\t" not in text
    assert str(result(kind, name)).count("…") == 0


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_names_are_never_cut(kind, name):
    """Where a name is shown, all of it is; in narrow text it is folded."""
    wide = result(kind, name).to_text(width=1000)
    narrow = "".join(result(kind, name).to_text(width=80).split())
    markdown = result(kind, name).to_markdown()
    for text in map(one_line, AWKWARD):
        if text in wide and len(text) < 12:
            assert text.replace(" ", "") in narrow
    long = AWKWARD[-1]
    if long[:20] in wide:
        assert long in wide
        assert long in markdown


ORDINARY: dict[str, Callable[[Any], Any]] = {
    name: RESULTS[name]
    for name in RESULTS
    if name
    not in ("two models", "effects", "emmeans", "means", "groups of means", "contrasts", "simple contrasts")
} | {"two models": lambda m: mm.model_table(m, m, names=["first", "second"])}


# Their fixed part is an intercept, which drop1() cannot leave out.
ONLY_INTERCEPT = {"dyestuff", "pastes", "penicillin"}


@pytest.mark.parametrize(
    ("data", "name"),
    [(data, name) for data in USUAL for name in ORDINARY if name != "drop1" or data not in ONLY_INTERCEPT],
)
@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_ordinary_models_fit_a_terminal(data, name):
    printed = ORDINARY[name](fits(data))
    assert max(map(display_width, printed.to_text(width=80).splitlines())) <= 80
    rows = [line for line in str(printed).splitlines() if "   " in line or "--" in line]
    assert max(map(display_width, rows), default=0) <= 80


# The renderer

WIDE = Table.from_columns(
    [
        ("", ["first name", "second:name, rather long"]),
        *((f"column {j}", ["1.5", "-22.25"]) for j in range(12)),
    ]
)


def text_table(table: Table, width: int | None = None) -> str:
    return text_page(Page.of(table), width)


def test_numbers_are_aligned_to_the_right():
    lines = text_table(
        Table.from_columns([("name", ["a", "日数"]), ("x", ["1.5", "-10.5"]), ("p", ["NaN", ""])])
    )
    assert lines.split("\n") == [" name      x    p", " a       1.5  NaN", " 日数  -10.5"]


def test_wide_tables_are_printed_in_blocks():
    text = text_table(WIDE, 80)
    blocks = [block.split("\n") for block in text.split("\n\n")]
    assert len(blocks) == 3
    assert [row.split("  ")[0].strip() for block in blocks for row in block[1:]] == [
        "first name",
        "second:name, rather long",
    ] * 3
    assert sum(block[0].count("column") for block in blocks) == 12
    assert max(map(len, text.splitlines())) <= 80
    assert text_table(WIDE, 1000).count("\n") == 2


@pytest.mark.parametrize("width", range(41, 100))
def test_confidence_limits_stay_side_by_side(width):
    model = fits("sleepstudy")
    means = model.emmeans("~ Days").summary(infer=True)
    tables = [(model.tidy(conf_int=True), "conf.low", "conf.high"), (means, "lower.CL", "upper.CL")]
    for table, *names in tables:
        lines = [line.split() for line in text_page(table._page(Style()), width).splitlines()]
        low, high = ([i for i, words in enumerate(lines) if name in words] for name in names)
        assert low
        assert low == high


def test_gaps_shrink_before_names_are_folded():
    table = Table.from_columns([("", ["name of ten"]), ("a", ["1" * 10]), ("b", ["2" * 10])])
    assert text_table(table, 36).split("\n")[1].split() == ["name", "of", "ten", "1" * 10, "2" * 10]
    assert "  " not in text_table(table, 34).split("\n")[1].strip()
    assert text_table(table, 36).count("\n") == text_table(table, 34).count("\n") == 1


def test_long_names_are_folded_where_readers_expect_it():
    name = "recipe[T.B]:temperature[T.185]:oven[T.second]"
    table = Table.from_columns([("", [name]), *((f"c{j}", ["123456789"]) for j in range(5))])
    lines = text_table(table, 80).split("\n")
    assert [line[:22].strip() for line in lines[1:]] == [
        "recipe[T.B]:",
        "temperature[T.185]:",
        "oven[T.second]",
    ]
    assert lines[1].split()[1:] == ["123456789"] * 5
    assert folded("one two three", 8) == ["one two", "three"]
    assert folded("  indented text", 10, "    ") == ["  indented", "    text"]
    assert folded("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert "".join(folded("日本語" * 9, 10)) == "日本語" * 9


def test_groups_of_rows():
    columns = [("level", ["a", "b", "c"]), ("mean", ["1", "2", "3"])]
    titled = Table.from_columns(columns, groups=[("k = 1", [0, 1]), ("k = <2>", [2])])
    assert text_table(titled).split("\n\n")[1] == "k = <2>:\n level  mean\n c         3"
    assert html_page(Page.of(titled)).count("<tbody>") == 2
    assert r"\multicolumn{2}{l}{k = \textless{}2\textgreater{}} \\" in latex_page(Page.of(titled))
    assert "| **k = <2>** |  |" in markdown_page(Page.of(titled))
    ruled = Table.from_columns(columns, groups=[("", [0, 1]), ("", [2])])
    assert text_table(ruled).count("-----") == 2 * (len(" level  mean") // 5)


def test_facts_are_a_table_in_text_and_a_line_elsewhere():
    page = Page((Section(("Fit:",), Facts((("AIC", " 12.5"), ("n", "180")))),))
    assert text_page(page) == "Fit:\n  AIC    n\n 12.5  180"
    assert "<b>Fit</b> AIC 12.5 <i>·</i> n 180" in html_page(page)
    assert markdown_page(page) == "**Fit** AIC 12.5 · n 180"
    assert latex_page(page) == r"\textbf{Fit} AIC 12.5, n 180"
    inline = Page.of(Facts((("adjusted", "0.5"), ("unadjusted", "0.4")), True), ["ICC"])
    assert text_page(inline) == "ICC adjusted 0.5, unadjusted 0.4"


def test_the_width_is_that_of_a_terminal_if_there_is_one(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    narrow = text_table(WIDE)
    assert max(map(len, narrow.splitlines())) <= 80
    out = SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("mixedmodels.render.text.sys", out)
    assert text_table(WIDE) == text_table(WIDE, 200) != narrow
    monkeypatch.setattr("mixedmodels.render.text.sys", SimpleNamespace(stdout=None))
    assert text_table(WIDE) == narrow


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_methods_share_their_arguments(kind, name, tmp_path):
    """Each writes to a path or a file, and takes digits and p_style."""
    found = result(kind, name)
    for method in ("text", "html", "latex", "markdown"):
        write, path, file = getattr(found, f"to_{method}"), tmp_path / f"table.{method}", io.StringIO()
        whole = write(digits=3, p_style="apa")
        assert write(path, digits=3, p_style="apa") is write(file, digits=3, p_style="apa") is None
        assert path.read_text(encoding="utf-8") == file.getvalue() == whole
        with pytest.raises(ArgumentError, match="digits"):
            write(digits=0)
        with pytest.raises(ArgumentError, match="p_style must be one of"):
            write(p_style="stars")
        with pytest.raises(ArgumentError, match=rf"to_{method}\(\) of a result takes .*not caption"):
            write(caption="x")
    assert isinstance(found.to_frame(), pd.DataFrame)
    with pytest.raises(ArgumentError, match="width"):
        found.to_text(width=10)


@pytest.mark.parametrize("name", ["summary", "tidy", "confint", "coef_test", "two models"])
@pytest.mark.parametrize("data", ["cake", "orthodont", "cbpp"])
def test_names_of_coefficients_are_folded_at_separators_only(data, name):
    model = fits(data)
    words = set(re.split(r"[ \n]+", ORDINARY[name](model).to_text(width=80)))
    for coefficient in model.fixef().index:
        assert coefficient in words or set(re.findall("[^:]+:?", coefficient)) <= words


def test_names_stay_whole_beside_blocks_of_columns():
    table = fits("cake").tidy(conf_int=True)
    blocks = table.to_text(width=80).split("\n\n")
    assert len(blocks) == 2
    assert all(sum(name in block for name in table["term"]) == len(table) for block in blocks)
    # A column without any text is left out; the data frame has it.
    assert "group" in table
    assert "group" not in str(table)
