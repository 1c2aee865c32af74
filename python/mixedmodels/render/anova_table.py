"""Tables of tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .result_table import ResultTable, result_table


class AnovaTable(ResultTable):
    """
    A table of tests: a data frame with a heading that prints well.

    Attributes
    ----------
    heading : tuple of str
        The hypotheses tested or the models compared, and the method.
    notes : tuple of str
        Remarks on the results, printed below the table.

    Examples
    --------
    >>> from mixedmodels import anova, lmer, load_machines
    >>> table = anova(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()))
    >>> print(table.to_markdown(p_style="apa").split("\\n\\n")[1])
    |  | Sum Sq | Mean Sq | NumDF | DenDF | F value | Pr(>F) |
    |:--|--:|--:|--:|--:|--:|--:|
    | Machine | 38.0505 | 19.0253 | 2 | 10.00 | 20.5761 | < .001 |
    """


def anova_table(
    columns: dict[str, Any], labels: Sequence[str], heading: Sequence[str], notes: Sequence[str] = ()
) -> AnovaTable:
    """A table with its heading and notes."""
    return result_table(columns, labels, heading, notes, AnovaTable)
