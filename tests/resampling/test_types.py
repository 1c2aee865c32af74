"""What each type of bootstrap draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    ArgumentError,
    SingularFitWarning,
    glmer,
    lmer,
    load_dyestuff2,
    load_pastes,
    load_penicillin,
    load_sleepstudy,
)
from mixedmodels.design.theta import factors
from mixedmodels.inference.basis.clusters import find_clusters
from mixedmodels.resampling.cases import Cases, without_level
from mixedmodels.resampling.schemes import Semiparametric, Wild
from shared_fits import fits

SLEEP = "Reaction ~ Days + (Days | Subject)"


def weighted():
    rng = np.random.default_rng(4)
    data = load_sleepstudy()
    data["w"], data["o"] = rng.uniform(0.5, 2.0, len(data)), 10 * rng.normal(size=len(data))
    data.loc[[3, 50], "Reaction"] = np.nan
    return lmer(SLEEP, data, weights="w", offset="o")


@pytest.mark.parametrize("type", ["parametric", "semiparametric", "cases", "wild"])
@pytest.mark.parametrize("weights", [False, True])
def test_standard_errors_of_coefficients_are_near_those_of_the_model(type, weights):
    """Within Monte Carlo error where the model is assumed; others also reflect its misfit to 18 people."""
    model = weighted() if weights else fits("sleepstudy")
    boot = model.bootstrap(1000, type=type, rng=9)
    assert boot.n_failed == 0
    found, expected = boot.summary()["std.error"][-2:].to_numpy(), model.bse.to_numpy()
    # The error of a standard deviation of 1,000 values is 2.2 %.
    tolerance = 0.09 if type in ("parametric", "semiparametric") else 0.25
    np.testing.assert_allclose(found, expected, rtol=tolerance)
    assert abs(boot.summary()["bias"][-2:] / expected).max() < 5 / np.sqrt(1000)


@pytest.mark.parametrize("data", ["sleepstudy", "pastes", "penicillin", "machines"])
def test_effects_and_residuals_have_the_estimated_variances(data):
    fitted = fits(data)._fitted
    scheme = Semiparametric.of(fitted, False)
    assert scheme.residuals.mean() == pytest.approx(0.0, abs=1e-9 * fitted.sigma)
    assert np.mean(np.square(scheme.residuals)) == pytest.approx(fitted.sigma**2)
    for effects, factor in zip(scheme.effects, factors(fitted.design, fitted.estimates.theta), strict=True):
        np.testing.assert_allclose(effects.mean(axis=0), 0.0, atol=1e-8 * fitted.sigma)
        covariance = fitted.sigma**2 * factor @ factor.T
        np.testing.assert_allclose(
            effects.T @ effects / len(effects), covariance, atol=1e-8 * covariance.max()
        )


def test_effects_without_variance_stay_zero():
    with pytest.warns(SingularFitWarning):
        zero = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    assert not Semiparametric.of(zero._fitted, False).effects[0].any()
    assert zero.bootstrap(20, type="semiparametric", rng=1).n_failed == 0


def test_effects_of_a_singular_covariance_matrix_keep_its_directions():
    data = load_sleepstudy()
    data["y"] = 10 * data["Subject"].cat.codes * (1 + data["Days"])
    data["y"] += np.random.default_rng(1).normal(size=180)
    with pytest.warns(SingularFitWarning):
        fitted = lmer("y ~ Days + (Days | Subject)", data)._fitted
    (effects,) = Semiparametric.of(fitted, False).effects
    (factor,) = factors(fitted.design, fitted.estimates.theta)
    covariance = fitted.sigma**2 * factor @ factor.T
    np.testing.assert_allclose(effects.T @ effects / 18, covariance, rtol=1e-6)


def test_kept_effects_leave_only_residuals():
    fitted = fits("sleepstudy")._fitted
    scheme = Semiparametric.of(fitted, True)
    drawn = scheme.responses(fitted, np.random.default_rng(1), 50)
    residual = drawn - fitted.linear_predictor[:, None]
    assert np.isclose(residual[:, :, None], scheme.residuals).any(axis=2).all()
    boot = fits("sleepstudy").bootstrap(400, use_u=True, rng=1)
    # With the people as they are, the intercept varies by the residuals alone.
    assert boot.summary()["std.error"]["(Intercept)"] < 0.8 * fits("sleepstudy").bse["(Intercept)"]


@pytest.mark.parametrize("multipliers", ["mammen", "rademacher"])
def test_wild_draws_have_the_moments_of_the_residuals_of_a_cluster(multipliers):
    model = weighted()
    fitted = model._fitted
    scheme = Wild.of(fitted, find_clusters(fitted), multipliers)
    x, w = fitted.design.x, fitted.design.weights
    hat = x @ np.linalg.solve(x.T @ (w[:, None] * x), (w[:, None] * x).T)
    mean = x @ model.fixef().to_numpy() + fitted.design.offset
    residual = (fitted.design.y - mean) / np.sqrt(1 - np.diag(hat))
    np.testing.assert_allclose(scheme.residuals, residual, rtol=1e-8)
    m = 20_000
    drawn = (scheme.responses(fitted, np.random.default_rng(1), m) - mean[:, None]) / residual[:, None]
    codes = fitted.design.terms[0].group.codes
    first = [int(np.flatnonzero(codes == level)[0]) for level in range(18)]
    np.testing.assert_allclose(drawn, drawn[first][codes], rtol=1e-6)
    numbers = drawn[first]
    assert abs(numbers.mean(axis=1)).max() < 5 / np.sqrt(m)
    assert numbers.var(axis=1) == pytest.approx(1.0, abs=0.05)
    assert np.mean(numbers**3) == pytest.approx(1.0 if multipliers == "mammen" else 0.0, abs=0.05)
    assert len(np.unique(numbers.round(6))) == 2
    assert abs(np.corrcoef(numbers) - np.eye(18)).max() < 6 / np.sqrt(m)


def sample_of(model, names, seed=1):
    fitted = model._fitted
    return fitted, Cases.of(fitted, names).samples(fitted, np.random.default_rng(seed), 1)[0]


def test_copies_of_a_level_are_levels():
    fitted, (rows, (codes,), (levels,)) = sample_of(fits("sleepstudy"), ["Subject"])
    assert levels == 18
    assert np.bincount(codes).tolist() == [10] * 18
    original = fitted.design.terms[0].group.codes[rows]
    people = [np.unique(original[codes == level]) for level in range(18)]
    assert all(len(person) == 1 for person in people)
    assert len({int(person[0]) for person in people}) < 18
    assert all(len(np.unique(rows[codes == level])) == 10 for level in range(18))


def test_levels_within_a_copy_are_levels_of_their_own():
    model = fits("pastes")
    fitted, (rows, codes, levels) = sample_of(model, ["batch"])
    by_label = {term.group.label: i for i, term in enumerate(fitted.design.terms)}
    batch, cask = by_label["batch"], next(i for label, i in by_label.items() if label != "batch")
    assert (levels[batch], levels[cask]) == (10, 30)
    pairs = np.unique(np.column_stack([codes[cask], codes[batch]]), axis=0)
    assert len(pairs) == 30
    assert len(np.unique(fitted.design.terms[batch].group.codes[rows])) < 10


def test_drawing_within_levels():
    model = fits("pastes")
    fitted = model._fitted
    cask = next(t.group.label for t in fitted.design.terms if t.group.label != "batch")
    at = [t.group.label for t in fitted.design.terms].index("batch")
    _, (rows, codes, levels) = sample_of(model, ["batch", cask])
    assert levels[at] == 10
    assert len(rows) == 60
    drawn = fitted.design.terms[1 - at].group.codes[rows]
    # Some cask is drawn twice within one copy of a batch: the copies are different casks.
    copies = [len(np.unique(codes[1 - at][codes[at] == b])) for b in range(10)]
    originals = [len(np.unique(drawn[codes[at] == b])) for b in range(10)]
    assert copies == [3] * 10
    assert min(originals) < 3
    _, (rows, _, levels) = sample_of(model, ["batch", "rows"])
    assert len(rows) == 60
    assert len(np.unique(rows)) < 60
    with pytest.raises(ArgumentError, match="levels of 'batch' occur in several levels of"):
        sample_of(model, [cask, "batch"])


def test_levels_of_crossed_factors_stay():
    model = fits("penicillin")
    fitted, (rows, codes, levels) = sample_of(model, ["plate"])
    labels = [term.group.label for term in fitted.design.terms]
    assert levels[labels.index("plate")] == 24
    crossed = labels.index("sample")
    assert levels[crossed] == 6
    np.testing.assert_array_equal(codes[crossed], fitted.design.terms[crossed].group.codes[rows])
    with pytest.raises(ArgumentError, match="name with cases= the factor"):
        model.bootstrap(5, type="cases")


def test_rows_as_cases():
    fitted, (rows, (codes,), (levels,)) = sample_of(fits("sleepstudy"), ["rows"])
    assert len(rows) == 180
    assert len(np.unique(rows)) < 180
    assert levels <= 18
    np.testing.assert_array_equal(codes, fitted.design.terms[0].group.codes[rows])


def test_cases_by_a_column_of_the_data():
    rng = np.random.default_rng(2)
    school = np.repeat(np.arange(12), 20)
    room = np.repeat(np.arange(48), 5)
    y = rng.normal(size=12)[school] + rng.normal(size=48)[room] + rng.normal(size=240)
    data = pd.DataFrame({"y": y, "room": room, "school": [f"s{i}" for i in school]})
    model = lmer("y ~ 1 + (1 | room)", data)
    _, (rows, _, (levels,)) = sample_of(model, ["school"])
    assert levels == 48
    assert len(rows) == 240
    boot = model.bootstrap(200, type="cases", cases="school", rng=1)
    by_room = model.bootstrap(200, type="cases", cases="room", rng=1)
    # Schools differ, which a bootstrap by room does not see.
    assert boot.summary()["std.error"]["(Intercept)"] > by_room.summary()["std.error"]["(Intercept)"]


def test_unequal_levels_bring_all_their_rows():
    model = lmer("Reaction ~ 1 + (1 | Subject)", load_sleepstudy().iloc[7:153])
    fitted = model._fitted
    cases = Cases.of(fitted, ["Subject"])
    sizes = np.bincount(fitted.design.terms[0].group.codes)
    totals = set()
    for rows, (codes,), (levels,) in cases.samples(fitted, np.random.default_rng(3), 50):
        original = fitted.design.terms[0].group.codes[rows]
        assert levels == len(sizes)
        for level in range(levels):
            own = original[codes == level]
            assert len(own) == sizes[own[0]]
        totals.add(len(rows))
    assert len(totals) > 1


def test_without_a_level():
    fitted = fits("penicillin")._fitted
    plate = fitted.design.terms[0].group.codes.astype(np.intp)
    rows, _, levels = without_level(fitted, plate, 5)
    assert (plate[rows] != 5).all()
    assert len(rows) == 138
    assert levels == [23, 6]


def test_labels_used_again_in_each_level_are_told_from_factors_in_the_wrong_order():
    model = lmer("strength ~ 1 + (1 | batch/cask)", load_pastes())
    with pytest.raises(ArgumentError, match="with the same labels, name 'batch:cask' instead"):
        model.bootstrap(5, type="cases", cases=["batch", "cask"])
    boot = model.bootstrap(5, type="cases", cases=["batch", "batch:cask"], rng=1)
    assert boot.about == "Bootstrap of cases: batch, then batch:cask"
    with pytest.raises(ArgumentError, match="from the outermost inwards"):
        model.bootstrap(5, type="cases", cases=["batch:cask", "batch"])


def test_wild_takes_a_list_of_one_factor():
    model = fits("sleepstudy")
    given, named = (model.bootstrap(5, type="wild", cases=c, rng=1) for c in (["Subject"], "Subject"))
    np.testing.assert_array_equal(given.values, named.values)


def test_types_that_do_not_suit_the_model():
    binary = fits("cbpp")
    for type in ("wild", "semiparametric"):
        with pytest.raises(ArgumentError, match="for linear models only"):
            binary.bootstrap(5, type=type)
    crossed = lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
    with pytest.raises(ArgumentError, match=r"no independent clusters; name a .* with cases=.*use type="):
        crossed.bootstrap(5, type="wild")
    with pytest.raises(ArgumentError, match=r"cases: levels of .* 'sample' occur.*use type='parametric'"):
        crossed.bootstrap(5, type="wild", cases="plate")
    model = fits("sleepstudy")
    for options, match in [
        ({"type": "bayesian"}, "type must be one of"),
        ({"type": ["cases"]}, "type must be one of"),
        ({"type": "cases", "use_u": True}, "use_u=True is for"),
        ({"cases": "Subject"}, "cases= is for"),
        ({"type": "cases", "cases": "nobody"}, "nobody"),
        ({"type": "cases", "cases": 3}, "cases must be a string or a list"),
        ({"type": "cases", "cases": []}, "at least one factor"),
        ({"type": "wild", "multipliers": "normal"}, "multipliers must be one of"),
        ({"multipliers": "rademacher"}, "multipliers= is for type='wild', not 'parametric'"),
        ({"type": "cases", "multipliers": "mammen"}, "multipliers= is for type='wild', not 'cases'"),
        ({"type": "wild", "cases": "rows"}, "cases='rows' is for type='cases'"),
        ({"type": "wild", "cases": ["Subject", "rows"]}, "cases must name one factor for type='wild'"),
        ({"type": "wild", "cases": []}, "cases must name one factor for type='wild'"),
        ({"type": "wild", "cases": 3}, "cases must be a string or a list"),
        ({"type": "wild", "cases": "nobody"}, "nobody"),
        ({"n": 0}, "n must be a whole number"),
        ({"n": 2.5}, "n must be a whole number"),
        ({"rng": "seed"}, "rng must be"),
        ({"executor": 2}, "executor must be"),
        ({"progress": "bar"}, "progress must be"),
        ({"statistic": "mean"}, "statistic must be a function"),
        ({"use_u": 1}, "use_u must be True or False"),
    ]:
        with pytest.raises((ArgumentError, KeyError), match=match):
            model.bootstrap(**{"n": 5, **options})
    given = lmer(SLEEP, load_sleepstudy(), optimizer=None, start=[1.0, 0.0, 0.2])
    with pytest.raises(ArgumentError, match="optimizer=None"):
        given.bootstrap(5)


GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "bootstrap.json").read_text())["bootMer"]


@pytest.mark.parametrize(
    ("case", "data", "options"),
    [
        ("sleepstudy", "sleepstudy", {}),
        ("sleepstudy_use_u", "sleepstudy", {"use_u": True}),
        ("cbpp", "cbpp", {}),
    ],
)
def test_parametric_replicates_have_the_moments_of_those_of_boot_mer(case, data, options):
    golden, n = GOLDEN[case], 2000
    boot = fits(data).bootstrap(n, rng=12, **options)
    table = boot.summary()
    for name, mean in golden["mean"].items():
        sd = golden["sd"][name]
        if sd is None:
            # Undefined in some replicates, which R's mean passes on.
            continue
        error = np.sqrt(1 / n + 1 / golden["n"])
        found = table.loc[name]
        assert abs(found["estimate"] + found["bias"] - mean) < 5 * sd * error, name
        # Half of this for a normal distribution; some are heavier.
        assert found["std.error"] == pytest.approx(sd, rel=5 * error), name


@pytest.mark.parametrize("type", ["parametric", "cases"])
def test_generalized_models(type):
    boot = fits("cbpp").bootstrap(300, type=type, rng=2)
    assert boot.n_failed == 0
    z = boot.summary()["bias"] / boot.summary()["std.error"]
    assert abs(z).max() < 1.0
    if type == "parametric":
        np.testing.assert_allclose(boot.summary()["std.error"][1:], fits("cbpp").bse, rtol=0.2)


def test_trials_stay_those_of_the_data():
    data = fits("cbpp").data
    data = data.assign(share=data["incidence"] / data["size"])
    shares = glmer("share ~ period + (1 | herd)", data, "binomial", weights="size")
    np.testing.assert_allclose(
        shares.bootstrap(20, rng=4).values, fits("cbpp").bootstrap(20, rng=4).values, rtol=1e-6
    )
