"""Types I, II and III: what the hypotheses depend on, and what not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import anova, anova_type3, glmer, lmer, load_carrots, load_chickweight, load_epil
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from mixedmodels.inference.terms.term_hypotheses import TermHypotheses

CODINGS = ["sum", "helmert", "SAS", "poly"]


def unbalanced(seed: int, drop_cell: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = 150
    data = pd.DataFrame(
        {
            "a": rng.choice(list("xyz"), n),
            "b": rng.choice(list("pqrs"), n, p=[0.4, 0.3, 0.2, 0.1]),
            "c": rng.normal(size=n) + 3,
            "g": rng.integers(0, 15, n).astype(str),
        }
    )
    if drop_cell:
        data = data[~((data["a"] == "z") & (data["b"] == "s"))].reset_index(drop=True)
    data["y"] = rng.normal(size=len(data)) + rng.normal(size=15)[data["g"].astype(int)] + 0.3 * data["c"]
    return data


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("type", [2, 3])
@pytest.mark.parametrize("drop_cell", [False, True])
@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_contrasts_do_not_matter(coding, type, drop_cell):
    data = unbalanced(1, drop_cell)
    formula = "y ~ a * b + a:c + c + (1 | g)"
    wanted = anova(lmer(formula, data), type=type)
    got = anova(lmer(formula, data, contrasts={"a": coding, "b": coding}), type=type)
    pd.testing.assert_frame_equal(pd.DataFrame(got), pd.DataFrame(wanted), rtol=1e-5)
    assert list(wanted["NumDF"]) == [2, 3, 1, 5 if drop_cell else 6, 2]


def test_type_3_are_the_coefficients_of_sum_contrasts():
    """Without empty cells, the hypotheses of type III are those of sum-to-zero coefficients."""
    model = lmer("y ~ a * b * c + (1 | g)", unbalanced(2))
    summed = lmer("y ~ a * b * c + (1 | g)", unbalanced(2), contrasts={"a": "sum", "b": "sum"})
    table = anova_type3(model)
    for label, columns in summed._fitted.design.x_terms[1:]:
        wanted = summed.linear_hypothesis(np.eye(24)[columns]).iloc[0]
        assert table.loc[label, "F value"] == pytest.approx(wanted["F value"], rel=1e-6)


@pytest.mark.parametrize("type", [1, 2, 3])
def test_units_do_not_matter(type):
    data = unbalanced(3)
    wanted = anova(lmer("y ~ a * c + b + (1 | g)", data), type=type)
    scaled = anova(lmer("y ~ a * c + b + (1 | g)", data.assign(c=data["c"] * 1e7)), type=type)
    np.testing.assert_allclose(scaled["F value"], wanted["F value"], rtol=1e-6)
    np.testing.assert_allclose(scaled["DenDF"], wanted["DenDF"], rtol=1e-5)


def test_type_2_is_the_last_of_type_1():
    """A term that no other contains comes last, and is tested after all others."""
    data = unbalanced(4)
    a, b = (lmer(f"y ~ {terms} + (1 | g)", data) for terms in ("b + c + a", "a + c + b"))
    second = anova(a, type=2)
    assert second.loc["a", "F value"] == pytest.approx(anova(a, type=1).loc["a", "F value"], rel=1e-9)
    assert second.loc["b", "F value"] == pytest.approx(anova(b, type=1).loc["b", "F value"], rel=1e-9)


def test_no_intercept():
    data = unbalanced(5)
    with_intercept = anova(lmer("y ~ a + b + (1 | g)", data))
    without = anova(lmer("y ~ 0 + a + b + (1 | g)", data))
    # That the levels are equal is what is tested, however the cells are coded.
    np.testing.assert_allclose(without, with_intercept, rtol=1e-6)


def test_cells_instead_of_main_effects():
    data = unbalanced(6)
    cells = anova(lmer("y ~ a:b + (1 | g)", data))
    assert list(cells.index) == ["a:b"]
    assert list(cells["NumDF"]) == [11]


def test_products_written_in_another_order():
    data = unbalanced(7)
    one = anova(lmer("y ~ a * b * c + (1 | g)", data)).sort_values("F value")
    other = anova(lmer("y ~ c * b * a + (1 | g)", data)).sort_values("F value")
    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_bases():
    model = lmer("weight ~ poly(Time, 2) * Diet + (1 | Chick)", load_chickweight())
    table = anova(model)
    assert list(table["NumDF"]) == [2, 3, 6]
    columns = dict(model._fitted.design.x_terms)["poly(Time, 2):Diet"]
    wanted = model.linear_hypothesis(np.eye(model.rank)[columns])["F value"].iloc[0]
    assert table["F value"].iloc[2] == pytest.approx(wanted, rel=1e-8)


def test_coding_by_all_levels():
    """The columns that the coding promises are those of the data."""
    model = lmer("Preference ~ sens2 * Homesize + Age + (1 | Consumer)", load_carrots())
    fitted = model._fitted
    all_levels = TermHypotheses(fitted)._all
    columns = fitted.design.x @ all_levels.coefficients
    part = {term.label: columns[:, term.columns] for term in all_levels.terms}
    rows = fitted.design.missing.kept
    data = model.data if rows is None else model.data[rows]
    for name in ("Homesize", "Age"):
        np.testing.assert_allclose(part[name], pd.get_dummies(data[name]).to_numpy(), atol=1e-12)
    product = pd.get_dummies(data["Homesize"]).to_numpy() * data["sens2"].to_numpy()[:, None]
    np.testing.assert_allclose(part["sens2:Homesize"], product, atol=1e-12)


def test_generalized_type_3_does_not_depend_on_contrasts():
    model = glmer("y ~ lbase * trt + lage + V4 + (1 | subject)", load_epil(), "poisson")
    summed = model.update(contrasts={"trt": "sum"})
    got, wanted = anova(model), anova(summed)
    assert list(got.columns) == ["Chisq", "Df", "Pr(>Chisq)"]
    np.testing.assert_allclose(got["Chisq"], wanted["Chisq"], rtol=1e-3)
    coefficient = summed.t_test("lbase")["z value"].iloc[0]
    assert wanted.loc["lbase", "Chisq"] == pytest.approx(coefficient**2, rel=1e-8)
    assert "infinite denominator" in str(got)


@pytest.mark.parametrize("type", [0, 4, "IV", True, 2.5])
def test_unknown_types(type):
    model = lmer("y ~ a + (1 | g)", unbalanced(8))
    with pytest.raises(ArgumentError, match="type must be 1, 2 or 3"):
        anova(model, type=type)


def test_arguments():
    model = lmer("y ~ a + (1 | g)", unbalanced(8))
    with pytest.raises(ArgumentError, match="test='F'"):
        anova(model, test="Chisq", ddf="satterthwaite")
    with pytest.raises(ArgumentError, match="'F', 'Chisq'"):
        anova(model, test="LR")
    assert "Satterthwaite" in anova(model, type="II").heading[0]


def test_empty_cells_are_no_error():
    with pytest.warns(MixedModelsWarning):
        model = lmer("y ~ a * b + (1 | g)", unbalanced(9, drop_cell=True))
    table = anova(model)
    assert table.notna().all(axis=None)
