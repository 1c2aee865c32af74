"""Linear hypotheses in all forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import glmer, lmer, load_cbpp, load_sleepstudy
from mixedmodels.errors import ArgumentError, EstimabilityWarning, MixedModelsWarning
from mixedmodels.inference.hypotheses.hypothesis_text import parse_hypothesis
from shared_fits import fits

NAMES = ["(Intercept)", "a[T.2]", "a[T.3]", "x", "x2", "log(z + 1)", "a[T.2]:x", "e", "strange name"]
R_NAMES = {"a2": "a[T.2]", "a3": "a[T.3]", "a2:x": "a[T.2]:x"}


@pytest.fixture(scope="module")
def model():
    return fits("machines", "score ~ Machine + (1 | Worker/Machine)")


@pytest.mark.parametrize(
    ("text", "weights", "rhs"),
    [
        ("a[T.3] - a[T.2] = 0", {"a[T.3]": 1, "a[T.2]": -1}, 0),
        ("a3 - a2", {"a[T.3]": 1, "a[T.2]": -1}, 0),
        ("a3 = a2", {"a[T.3]": 1, "a[T.2]": -1}, 0),
        ("2*x = x2 + 1", {"x": 2, "x2": -1}, 1),
        ("2 x = 1.5e1", {"x": 2}, 15),
        ("-(x - x2)/2 = 3", {"x": -0.5, "x2": 0.5}, 3),
        ("(Intercept) + 10*log(z + 1) = 300", {"(Intercept)": 1, "log(z + 1)": 10}, 300),
        ("a[T.2]:x = 1", {"a[T.2]:x": 1}, 1),
        ("a2:x", {"a[T.2]:x": 1}, 0),
        ("2*e = 2e0", {"e": 2}, 2),
        ("`strange name` - strange name*2", {"strange name": -1}, 0),
        ("1 - x = 0", {"x": -1}, -1),
        ("x * (1/4) = x2", {"x": 0.25, "x2": -1}, 0),
    ],
)
def test_texts(text, weights, rhs):
    row, value = parse_hypothesis(text, NAMES, R_NAMES)
    assert {NAMES[i]: row[i] for i in np.flatnonzero(row)} == weights
    assert value == rhs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y = 0", "expected a coefficient or a number"),
        ("xy", "expected a coefficient or a number"),
        ("x +", "expected a coefficient or a number"),
        ("", "expected a coefficient or a number"),
        ("x * x2", "multiplied by each other"),
        ("x / 0", "nonzero number"),
        ("1 / x", "nonzero number"),
        ("(x", "unclosed parenthesis"),
        ("x = 1 = 2", "unexpected text"),
        ("x = x", "does not restrict"),
        ("1 = 1", "does not restrict"),
        ("a[T.4]", "expected a coefficient or a number"),
    ],
)
def test_bad_texts(text, message):
    with pytest.raises(ArgumentError, match=message):
        parse_hypothesis(text, NAMES, R_NAMES)


def test_forms_agree(model):
    wanted = model.linear_hypothesis("MachineB = MachineC")
    row = [0.0, 1.0, -1.0]
    frame = pd.DataFrame([row], columns=["(Intercept)", "Machine[T.B]", "Machine[T.C]"])
    forms = (row, np.array([row]), {"Machine[T.B]": 1, "Machine[T.C]": -1}, frame, frame[frame.columns[::-1]])
    for form in forms:
        pd.testing.assert_frame_equal(pd.DataFrame(model.linear_hypothesis(form)), pd.DataFrame(wanted))


def test_one_row_is_a_t_test(model):
    joint, single = model.linear_hypothesis("MachineB = 5"), model.t_test("MachineB = 5")
    assert joint["F value"].iloc[0] == pytest.approx(single["t value"].iloc[0] ** 2)
    assert joint["Pr(>F)"].iloc[0] == pytest.approx(single["Pr(>|t|)"].iloc[0])
    assert joint["DenDF"].iloc[0] == pytest.approx(single["df"].iloc[0])


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "residual", "inf"])
def test_redundant_rows_are_left_out(model, ddf):
    wanted = model.linear_hypothesis(["MachineB = 0", "MachineC = 1"], ddf=ddf)
    more = ["MachineB = 0", "MachineC = 1", "MachineC - MachineB = 1", "2*MachineC = 2"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(model.linear_hypothesis(more, ddf=ddf)), pd.DataFrame(wanted), rtol=1e-8
    )


def test_contradictions(model):
    with pytest.raises(ArgumentError, match="contradict"):
        model.linear_hypothesis(["MachineB = 0", "MachineB = 1"])
    with pytest.raises(ArgumentError, match="contradict"):
        model.linear_hypothesis([[0, 0, 0]], rhs=1)


def test_bad_forms(model):
    with pytest.raises(ArgumentError, match="a column for each of the 3"):
        model.linear_hypothesis([1, -1])
    with pytest.raises(ArgumentError, match="no coefficient 'B'"):
        model.linear_hypothesis({"B": 1})
    with pytest.raises(ArgumentError, match="must be finite"):
        model.linear_hypothesis([0, np.nan, 1])
    with pytest.raises(ArgumentError, match="rhs must be"):
        model.linear_hypothesis(np.eye(3), rhs=[1, 2])
    with pytest.raises(ArgumentError, match="in a string write"):
        model.linear_hypothesis("MachineB", rhs=1)
    with pytest.raises(ArgumentError, match="must be strings"):
        model.linear_hypothesis(object())


def test_dropped_coefficients():
    data = load_sleepstudy().assign(twice=lambda d: 2 * d["Days"])
    with pytest.warns(MixedModelsWarning):
        model = lmer("Reaction ~ Days + twice + (1 | Subject)", data)
    with pytest.raises(ArgumentError, match="'twice' was dropped"):
        model.linear_hypothesis("Days = twice")
    assert model.linear_hypothesis("Days = 10")["NumDF"].iloc[0] == 1


@pytest.mark.filterwarnings(
    "ignore::mixedmodels.errors.SingularFitWarning", "ignore::mixedmodels.errors.RankDeficiencyWarning"
)
@pytest.mark.parametrize("kind", ["lmer", "glmer"])
def test_functions_that_the_data_do_not_determine(kind):
    data = load_cbpp().assign(large=lambda d: np.where(d["size"] > 14, "yes", "no"))
    data = data[(data["period"] != "4") | (data["large"] != "yes")]
    if kind == "lmer":
        model = lmer("incidence ~ period * large + (1 | herd)", data)
    else:
        model = glmer("cbind(incidence, size - incidence) ~ period * large + (1 | herd)", data, "binomial")
    names = list(model.fixef().index)
    rows = np.zeros((3, len(names)))
    # The means of the cells (1, yes), (4, no) and (4, yes), of which the last is empty.
    for row, terms in zip(rows, (["large"], ["period[T.4]"], ["period[T.4]", "large"]), strict=True):
        for j, name in enumerate(names):
            row[j] = name == "(Intercept)" or all(any(t in part for t in terms) for part in name.split(":"))
    with pytest.warns(EstimabilityWarning, match=r"L: NaN for .*period\[T.4\]:large\[T.yes\]") as caught:
        table = model.t_test(rows)
    assert len(caught) == 1
    assert table["Estimate"].isna().tolist() == [False, False, True]
    assert table.iloc[2].isna().all()
    cells = pd.DataFrame({"period": ["1", "4"], "large": ["yes", "no"]})
    np.testing.assert_allclose(table["Estimate"].iloc[:2], model.predict(cells, re_form="~0"), rtol=1e-10)
    with pytest.warns(EstimabilityWarning):
        joint = model.linear_hypothesis(rows)
    assert joint.filter(regex="value|Chisq|Pr").isna().all(axis=None)
    assert np.isfinite(model.linear_hypothesis(rows[:2]).iloc[0, 0])


def test_aliased_columns_in_rows_of_l():
    data = load_sleepstudy().assign(twice=lambda d: 2 * d["Days"])
    with pytest.warns(MixedModelsWarning):
        model = lmer("Reaction ~ Days + twice + (1 | Subject)", data)
    # A day more is two of twice more: the slope of the model without it.
    table = model.t_test([0, 1, 2])
    assert table["Estimate"].iloc[0] == pytest.approx(model.fixef()["Days"])
    with pytest.warns(EstimabilityWarning, match="dropped column twice"):
        assert np.isnan(model.t_test([0, 1, 0])["Estimate"].iloc[0])
    # A name means the coefficient that the summary shows.
    assert model.t_test("Days = 0")["Estimate"].iloc[0] == pytest.approx(model.fixef()["Days"])


def test_printed(model):
    text = str(model.linear_hypothesis([0, 2, -1], rhs=1.5))
    assert "2*Machine[T.B] - Machine[T.C] = 1.5" in text
    assert "Satterthwaite" in text
    generalized = fits("cbpp")
    table = generalized.linear_hypothesis(["period2 = period3", "period3 = period4"])
    assert list(table.columns) == ["Chisq", "Df", "Pr(>Chisq)"]
    assert "infinite degrees of freedom" in str(table)
    assert list(generalized.t_test("period2"))[2] == "z value"


@pytest.mark.parametrize("hypothesis", ["x = 0", {"x": 1.0}])
def test_a_model_without_coefficients_says_so(hypothesis):
    model = fits("sleepstudy", "Reaction ~ 0 + (1 | Subject)")
    with pytest.raises(ArgumentError, match="the model has no"):
        model.linear_hypothesis(hypothesis)


LABELLED = {
    "Series": lambda w: pd.Series(w),
    "Series in another order": lambda w: pd.Series(w)[::-1],
    "Series of some": lambda w: pd.Series({name: x for name, x in w.items() if x}),
    "data frame": lambda w: pd.DataFrame([w]),
    "data frame in another order": lambda w: pd.DataFrame([w]).iloc[:, ::-1],
    "list of Series": lambda w: [pd.Series(w)[::-1]],
    "R's names": lambda w: pd.Series({"MachineB": w["Machine[T.B]"], "MachineC": w["Machine[T.C]"]}),
    "no names": lambda w: pd.Series(list(w.values())),
    "array": lambda w: list(w.values()),
}


@pytest.mark.parametrize("form", LABELLED)
@pytest.mark.parametrize("name", ["linear_hypothesis", "t_test", "f_test", "wald_test"])
def test_labels_are_names(model, name, form):
    weights = {"(Intercept)": 0.0, "Machine[T.B]": -1.0, "Machine[T.C]": 2.0}
    test = getattr(model, name)
    found = pd.DataFrame(test(LABELLED[form](weights)))
    np.testing.assert_array_equal(found, pd.DataFrame(test("2*MachineC - MachineB = 0")))


def test_labels_of_other_names(model):
    for given in (pd.Series([1.0], ["MachinC"]), pd.DataFrame([[1.0, 2.0, 3.0]], columns=list("abc"))):
        with pytest.raises(ArgumentError, match=r"no coefficient '(MachinC|a)'; the coefficients are"):
            model.t_test(given)
    with pytest.raises(ArgumentError, match="two weights"):
        model.t_test(pd.Series([1.0, 2.0], ["MachineB", "Machine[T.B]"]))
    for weight in ("a", None, True, np.nan):
        with pytest.raises(ArgumentError, match="the weight of 'MachineB' must be a finite number"):
            model.linear_hypothesis({"MachineB": weight})
    with pytest.raises(ArgumentError, match="must be"):
        model.linear_hypothesis(pd.Series(["a"], ["MachineB"]))
