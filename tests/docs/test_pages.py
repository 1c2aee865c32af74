"""Every `pycon` block of the README and the documentation runs and prints what the page shows."""

import doctest
import re
import sys
from pathlib import Path

import pytest

from mixedmodels.formula.function_table import FUNCTIONS, FormulaFunction

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
# Rounding error differs between machines; what matters is that it is that small.
TINY = re.compile(r"\b\d(\.\d+)?e-(09|[1-9]\d)\b")
# So may the last steps of an optimizer, which rounding decides.
COUNT = re.compile(r"\b\d+ (evaluations|gradients)\b")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Checker(doctest.OutputChecker):
    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return super().check_output(portable(want), portable(got), optionflags)


def close_figures() -> None:
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


def portable(output: str) -> str:
    return COUNT.sub(r"some \1", TINY.sub("tiny", output))


def with_blank_lines(block: str) -> str:
    """Empty lines within an output, in doctest's spelling."""
    return re.sub(r"\n(?=\n(?!>>>|\Z))", "\n<BLANKLINE>", block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_the_examples_of_a_page_run(page):
    text = page.read_text(encoding="utf-8")
    kinds = {kind for kind, _ in BLOCK.findall(text)}
    assert "python" not in kinds, "write examples as pycon blocks, with their output"
    runner = doctest.DocTestRunner(Checker(), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    names: dict[str, object] = {}
    for match in BLOCK.finditer(text):
        if match[1] != "pycon":
            continue
        line = text.count("\n", 0, match.start(2))
        test = doctest.DocTestParser().get_doctest(
            with_blank_lines(match[2]), names, page.name, str(page), line
        )
        failures: list[str] = []
        runner.run(test, out=failures.append, clear_globs=False)
        names = test.globs
        close_figures()
        assert not failures, "".join(failures)


def row(name: str, function: FormulaFunction) -> str:
    """The row of a function in the table of the page on formulas."""
    arguments = "..." if function.many else ", ".join(function.parameters)
    return f"| `{name}({arguments})` | {function.summary} | {'yes' if function.kind == 'stateful' else ''} |"


def test_the_page_on_formulas_describes_every_function():
    page = (ROOT / "docs" / "formulas.md").read_text(encoding="utf-8")
    table = page.partition("<!-- functions: begin -->\n")[2].partition("<!-- functions: end -->")[0]
    assert table.splitlines()[2:] == [row(name, function) for name, function in FUNCTIONS.items()]
