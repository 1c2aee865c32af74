"""``x**2`` in a formula is x, as in R: whoever meant the square is told."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from design.building import build_design
from mixedmodels import FormulaWarning, glmer, lmer, load_sleepstudy

SLEEP = load_sleepstudy().assign(
    z=np.arange(180.0) % 7, f=lambda d: np.where(d.Days > 4, "late", "early"), yes=lambda d: d.Days > 3
)


# The columns are those of R's model.matrix.
@pytest.mark.parametrize(
    ("terms", "columns", "text", "advice"),
    [
        ("Days**2", ("Days",), "Days**2", "I(Days**2)"),
        ("Days^2", ("Days",), "Days^2", "I(Days**2)"),
        ("Days ^ 3", ("Days",), "Days ^ 3", "I(Days**3)"),
        ("(Days)**2", ("Days",), "(Days)**2", "I(Days**2)"),
        ("Days:Days", ("Days",), "Days:Days", "I(Days**2)"),
        ("Days*Days", ("Days",), "Days*Days", "I(Days**2)"),
        ("z + Days**2", ("z", "Days"), "Days**2", "I(Days**2)"),
        ("log1p(Days)**2", ("log1p(Days)",), "log1p(Days)**2", "I(log1p(Days)**2)"),
        ("Days:z:Days", ("Days:z",), "Days:z:Days", "I(Days**2)"),
        ("f * Days**2", ("f[T.late]", "Days", "f[T.late]:Days"), "f * Days**2", "I(Days**2)"),
    ],
)
def test_a_power_that_is_none(terms: str, columns: tuple[str, ...], text: str, advice: str) -> None:
    with pytest.warns(FormulaWarning) as caught:
        design = build_design(f"Reaction ~ {terms} + (1 | Subject)", SLEEP)
    assert design.x_names[1:] == columns
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message.startswith(f"{text} does not add a power of ")
    assert message.endswith(f"for the power write {advice}")


@pytest.mark.parametrize(
    "terms",
    [
        "I(Days**2)",
        "(Days + z)**2",
        "(f + Days)^2",
        "f**2",
        "f:f",
        "f*f",
        "yes**2",
        "Days**1",
        "Days + Days",
        "Days + Days:z",
        "f/Days",
        "Days*f + Days*z",
        "poly(Days, 2)",
        "Days - z**2",
    ],
)
def test_what_means_what_it_says(terms: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build_design(f"Reaction ~ {terms} + (1 | Subject)", SLEEP)


def test_the_advice_gives_the_square() -> None:
    design = build_design("Reaction ~ I(Days**2) + (1 | Subject)", SLEEP)
    np.testing.assert_array_equal(design.x[:, 1], SLEEP["Days"] ** 2)


def test_everywhere_and_at_every_fit() -> None:
    # Formulas are read once only; a warning belongs to each fit.
    for _ in range(2):
        with pytest.warns(FormulaWarning, match=r"I\(Days\*\*2\)"):
            lmer("Reaction ~ Days + (0 + Days^2 | Subject)", SLEEP)
    with pytest.warns(FormulaWarning, match=r"I\(z\*\*2\)"):
        glmer("round(Reaction / 2) ~ z**2 + (1 | Subject)", SLEEP, "poisson")
    model = lmer("Reaction ~ Days + (1 | Subject)", SLEEP)
    with pytest.warns(FormulaWarning, match=r"I\(z\*\*2\)"):
        model.update(". ~ . + z**2")


def test_a_response_is_arithmetic() -> None:
    design = build_design("Reaction**2 ~ Days + (1 | Subject)", pd.DataFrame(SLEEP))
    np.testing.assert_allclose(design.y, SLEEP["Reaction"] ** 2)
