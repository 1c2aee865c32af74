"""The page about tables is right about the names of columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import mixedmodels as mm
from shared_fits import fits

PAGE = Path(__file__).parents[2] / "docs" / "effect-sizes-and-tables.md"


def rows() -> list[tuple[str, tuple[str, ...]]]:
    """The functions of each row of the table, and the names of columns beside them."""
    section = PAGE.read_text(encoding="utf-8").partition("## Names of columns\n")[2].partition("\n## ")[0]
    cells = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [(row[0].strip(), tuple(re.findall(r"`([^`]+)`", row[2]))) for row in cells]


def tables() -> dict[str, Any]:
    """A table of each function."""
    model = fits("sleepstudy")
    means = mm.emmeans(model, "~ Days", at={"Days": [0, 4, 8]})
    return {
        **{name: getattr(model, name)() for name in ("anova", "drop1", "ranova", "joint_tests", "coef_test")},
        **{name: getattr(model, name)() for name in ("glance", "augment", "confint", "conf_int")},
        "summary": model.summary().coefficients,
        "linear_hypothesis": model.linear_hypothesis("Days = 0"),
        "t_test": model.t_test("Days = 0"),
        "tidy": model.tidy(conf_int=True),
        "emmeans": means.to_frame(),
        "pairs": means.pairs().to_frame(),
        "contrast": means.contrast("eff").to_frame(),
        "emtrends": mm.emtrends(fits("orthodont"), "~ Sex", "age").to_frame(),
        "VarCorr().to_frame()": model.VarCorr().to_frame(),
        "fit_many": mm.fit_many("~ Days + (1 | Subject)", mm.load_sleepstudy(), ["Reaction"]).to_frame(),
    }


@pytest.mark.parametrize(("functions", "names"), rows(), ids=lambda value: str(value)[:20])
def test_names_of_columns(functions, names):
    known = tables()
    called = re.findall(r"`([^`]+)`", functions)
    columns = [{str(column) for column in known[name].columns} for name in called]
    assert set(names) <= set().union(*columns)
    # Each of the functions has at least one of the names.
    assert all(own & set(names) for own in columns)


def test_there_are_rows():
    assert len(rows()) >= 7
