"""One factor with other contrasts in other parts of a formula."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from design.building import build_design
from mixedmodels import lmer, load_machines
from mixedmodels.design.contrast_table import contrasts_in
from mixedmodels.errors import ArgumentError
from mixedmodels.formula import parse_formula

DATA = load_machines()
FORMULA = "score ~ Machine + zerocorr(1 + Machine | Worker)"
BY_PART = {"fixed": {"Machine": "sum"}, "Worker": {"Machine": "helmert"}}


def names(contrasts, formula=FORMULA):
    made = build_design(formula, DATA, contrasts=contrasts)
    return made.x_names[1:], made.terms[0].names[1:]


def test_against_lme4():
    """
    lmer(score ~ Machine + (1 | Worker) + (0 + h1 | Worker) + (0 + h2 | Worker)) of lme4 1.1-31, where h1 and
    h2 are the columns of contr.helmert(3) and Machine has contr.sum(3).
    """
    model = lmer(FORMULA, DATA, contrasts=BY_PART)
    assert model.REMLcrit() == pytest.approx(217.59675723, abs=1e-7)
    assert model.fixef().tolist() == pytest.approx([59.65, -7.2944444444, 0.6722222222])
    (term,) = list(model.VarCorr())
    assert [*term["sd"], model.sigma] == pytest.approx(
        [5.24354264, 2.93882332, 1.32574305, 0.96157702], rel=1e-4
    )
    other = lmer(FORMULA, DATA, contrasts="sum")
    assert abs(other.REMLcrit() - model.REMLcrit()) > 0.1


@pytest.mark.parametrize(
    ("contrasts", "fixed", "random"),
    [
        ({"fixed": {"Machine": "sum"}}, "S", "T"),
        ({"random": {"Machine": "sum"}}, "T", "S"),
        ({"Machine": "sum", "random": {"Machine": "diff"}}, "S", "D"),
        ({"random": {"Machine": "diff"}, "Machine": "sum"}, "S", "D"),
        # The more precise, the more it counts.
        ({"random": {"Machine": "sum"}, "Worker": {"Machine": "diff"}}, "T", "D"),
        ({"Worker": {"Machine": "sum"}, "diag(1 + Machine | Worker)": {"Machine": "diff"}}, "T", "D"),
        ({"diag(1+Machine|Worker)": {"Machine": "diff"}, "random": {"Machine": "sum"}}, "T", "D"),
        ({"Machine": "sum", "fixed": {"Machine": "helmert"}, "random": {"Machine": "diff"}}, "H", "D"),
    ],
)
def test_the_part_decides(contrasts, fixed, random):
    found = names(contrasts)
    assert {name[len("Machine[")] for name in found[0]} == {fixed}
    assert {name[len("Machine[")] for name in found[1]} == {random}


def test_c_in_a_formula_is_for_its_own_part():
    found = names(None, "score ~ Machine + zerocorr(1 + C(Machine, contr.sum(base = 1)) | Worker)")
    assert found == (
        ("Machine[T.B]", "Machine[T.C]"),
        ("C(Machine, contr.sum(base=1))[S.B]", "C(Machine, contr.sum(base=1))[S.C]"),
    )


def test_new_data_copies_and_changes():
    model = lmer(FORMULA, DATA, contrasts=BY_PART)
    for other in (model, pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_allclose(other.predict(DATA.iloc[3:8]), model.fitted()[3:8])
    other = model.update(". ~ .", contrasts={"Worker": {"Machine": "helmert"}})
    assert other.fixef().index[1] == "Machine[T.B]"
    assert other.ranef()["Worker"].columns[1] == "Machine[H.B]"
    assert model.update(". ~ .").objective == pytest.approx(model.objective)
    gone = model.update(". ~ Machine + (1 | Worker)")
    assert gone.fixef().index[1] == "Machine[S.A]"


def test_a_change_of_the_formula_keeps_what_still_has_a_place():
    def kept(formula, contrasts):
        return contrasts_in(parse_formula(formula, list(DATA.columns)), contrasts)

    assert kept(FORMULA, BY_PART) == BY_PART
    assert kept("score ~ Machine + (1 | Worker)", BY_PART) == {"fixed": {"Machine": "sum"}}
    assert kept("score ~ 1 + (Machine | Worker)", BY_PART) == {"Worker": {"Machine": "helmert"}}
    assert kept("score ~ 1 + (1 | Worker)", BY_PART) is None
    assert kept("score ~ 1 + (1 | Worker)", "sum") == "sum"


def test_the_callers_contrasts_may_change_later():
    weights = np.array([[-1.0, 1.0, 0.0], [0.0, -1.0, 1.0]])
    given = {"fixed": {"Machine": ("hypothesis", weights)}}
    model = lmer("score ~ Machine + (1 | Worker)", DATA, contrasts=given)
    before = model.fixef().tolist()
    weights[:] = 7.0
    given["fixed"]["Machine"] = "nonsense"
    assert model.update(". ~ .").fixef().tolist() == pytest.approx(before)


@pytest.mark.parametrize(
    ("contrasts", "message"),
    [
        (
            {"Wrkr": {"Machine": "sum"}},
            "'Wrkr' is not a part of the formula; its parts are 'fixed', 'random'",
        ),
        ({"random": {"Worker": "sum"}}, "'Worker' is not a factor in the part 'random'"),
        ({"Machine": {"B-A": [-1, 1, 0]}}, r"\('hypothesis', \{...\}\)"),
        ({"fixed": {"Machine": "fancy"}}, "is unknown"),
        ({"Wrkr": "sum"}, "'Wrkr' is not a factor"),
        ({"fixed": "sum"}, "'fixed' is a part of the formula; give its contrasts by factor"),
        ({"Worker": "sum"}, "'Worker' is a part of the formula"),
        ({"Machine": None}, "give a name such as 'sum'.*got None"),
        ({"Machine": 3}, "give a name such as 'sum'.*got 3"),
    ],
)
def test_what_does_not_fit(contrasts, message):
    with pytest.raises(ArgumentError, match=message):
        build_design(FORMULA, DATA, contrasts=contrasts)


def test_a_term_is_named_as_in_the_formula_or_as_printed():
    terms = ("zerocorr(1 + Machine | Worker)", "zerocorr(1+Machine|Worker)", "diag(1 + Machine | Worker)")
    for term in terms:
        assert names({term: {"Machine": "sum"}})[1] == ("Machine[S.A]", "Machine[S.B]")


@pytest.mark.parametrize("random", ["(1 | Worker)", "zerocorr(1 + fulldummy(Machine) | Worker)"])
def test_the_factors_named_are_those_of_the_part(random):
    with pytest.raises(ArgumentError, match="in the part 'random' of the formula; it has no factors"):
        build_design(f"score ~ Machine + {random}", DATA, contrasts={"random": {"Machine": "sum"}})
