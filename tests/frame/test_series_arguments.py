"""A Series as an argument is matched to the rows of the data by its index, wherever it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mixedmodels import augment, coef_test, fit_many, glmer, lmer, load_cbpp, load_sleepstudy, vcov_cluster
from mixedmodels.errors import ArgumentError

LINEAR = "Reaction ~ Days + (Days | Subject)"
COUNTS = "Days ~ Reaction + (1 | Subject)"
SLEEP = load_sleepstudy().assign(
    w=lambda d: 1 + d.Days,
    o=lambda d: np.sin(d.Days),
    early=lambda d: d.Days < 7,
    two=lambda d: d.Reaction * 2 + d.Days,
)
# As many rows are used as there are labels left, in an order of their own.
SHUFFLED = SLEEP.sample(frac=1, random_state=1)

# For each argument how a model comes out of data and a column of it.
USES: dict[str, tuple[str, Callable[[pd.DataFrame, Any], Any]]] = {
    "weights": ("w", lambda d, v: lmer(LINEAR, d, weights=v)),
    "offset": ("o", lambda d, v: lmer(LINEAR, d, offset=v)),
    "subset": ("early", lambda d, v: lmer(LINEAR, d, subset=v)),
    "weights of glmer": ("w", lambda d, v: glmer(COUNTS, d, "poisson", weights=v)),
    "offset of glmer": ("o", lambda d, v: glmer(COUNTS, d, "poisson", offset=v)),
    "subset of glmer": ("early", lambda d, v: glmer(COUNTS, d, "poisson", subset=v)),
    "update": ("w", lambda d, v: lmer(LINEAR, d).update(weights=v)),
    "update with data": ("w", lambda d, v: lmer(LINEAR, SLEEP).update(data=d, weights=v)),
    "refit": ("two", lambda d, v: lmer(LINEAR, d).refit(v)),
    "refit with a subset": ("two", lambda d, v: lmer(LINEAR, d, subset="Days > 1").refit(v)),
    "refit of glmer": ("w", lambda d, v: glmer(COUNTS, d, "poisson").refit(v)),
    "refit with missing rows": (
        "two",
        lambda d, v: lmer("Reaction ~ z + (1 | Subject)", d.assign(z=d.Days.where(d.Days > 0))).refit(v),
    ),
}


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
@pytest.mark.parametrize("use", USES)
def test_the_order_of_rows_does_not_matter(use: str) -> None:
    column, fit = USES[use]
    wanted = fit(SLEEP, SLEEP[column].to_numpy()).objective
    assert fit(SHUFFLED, SLEEP[column]).objective == pytest.approx(wanted, abs=1e-7)
    assert fit(SLEEP, SHUFFLED[column]).objective == pytest.approx(wanted, abs=1e-7)
    assert fit(SHUFFLED, SHUFFLED[column]).objective == pytest.approx(wanted, abs=1e-7)
    # By position the result would be another one.
    assert fit(SHUFFLED, SLEEP[column].to_numpy()).objective != pytest.approx(wanted, abs=1e-3)
    assert fit(SHUFFLED, pl.Series(SHUFFLED[column].to_numpy())).objective == pytest.approx(wanted, abs=1e-7)


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
@pytest.mark.parametrize("use", USES)
def test_another_index_is_refused(use: str) -> None:
    column, fit = USES[use]
    with pytest.raises(ArgumentError, match=r"have different indexes.*pass an array"):
        fit(SLEEP, SLEEP[column].set_axis(SLEEP.index + 1000))
    with pytest.raises(ArgumentError, match="more than once; to match by position, pass an array"):
        fit(SHUFFLED, SLEEP[column].set_axis(SLEEP.index // 2))


def test_an_index_with_repeats_is_fine_when_it_is_that_of_the_data() -> None:
    data = SLEEP.set_axis(SLEEP["Subject"])
    wanted = lmer(LINEAR, SLEEP, weights="w").objective
    assert lmer(LINEAR, data, weights=data["w"]).objective == pytest.approx(wanted, abs=1e-9)


def test_data_without_an_index_go_by_position() -> None:
    wanted = lmer(LINEAR, SLEEP, weights="w").objective
    for data in (pl.from_pandas(SLEEP), pl.from_pandas(SLEEP).to_arrow()):
        fit = lmer(LINEAR, data, weights=SLEEP["w"].set_axis(range(500, 680)))
        assert fit.objective == pytest.approx(wanted, abs=1e-9)


def test_values_for_the_rows_used_only() -> None:
    model = lmer(LINEAR, SLEEP, subset="Days > 1")
    used = SLEEP[SLEEP["Days"] > 1]
    wanted = model.refit(used["two"].to_numpy()).objective
    assert model.refit(used["two"].sample(frac=1, random_state=2)).objective == pytest.approx(
        wanted, abs=1e-9
    )


def test_offsets_of_predictions() -> None:
    model = lmer(LINEAR, SLEEP, offset=SLEEP["o"])
    new = SHUFFLED.head(20)
    wanted = model.predict(new, offset=new["o"].to_numpy())
    np.testing.assert_array_equal(model.predict(new, offset=new["o"].iloc[::-1]), wanted)
    with pytest.raises(ArgumentError, match="offset: the Series and the data have different indexes"):
        model.predict(new, offset=SLEEP["o"].head(20))


def test_successes_and_failures_by_index() -> None:
    cbpp = load_cbpp().assign(failures=lambda d: d["size"] - d["incidence"])
    model = glmer("cbind(incidence, failures) ~ period + (1 | herd)", cbpp, "binomial")
    both = cbpp[["incidence", "failures"]].iloc[::-1]
    assert model.refit(both).objective == pytest.approx(model.objective, abs=1e-7)


def test_simulations_are_responses_again() -> None:
    cbpp = load_cbpp().set_axis([f"r{i}" for i in range(56)])
    cbpp.loc["r3", "incidence"] = np.nan
    for action in ("omit", "exclude"):
        model = glmer(
            "cbind(incidence, size - incidence) ~ period + (1 | herd)", cbpp, "binomial", na_action=action
        )
        drawn = model.simulate(1, rng=1)["sim_1"]
        assert list(drawn.index) == [label for label in cbpp.index if action == "exclude" or label != "r3"]
        assert np.isfinite(model.refit(drawn).objective)


def test_many_responses() -> None:
    responses = SLEEP[["Reaction", "two"]]
    wanted = fit_many("~ Days + (1 | Subject)", SLEEP, responses.to_numpy(), weights="w")
    shuffled = fit_many("~ Days + (1 | Subject)", SHUFFLED, responses, weights=SLEEP["w"])
    np.testing.assert_allclose(shuffled.objective, wanted.objective, atol=1e-7)
    series = fit_many(
        "~ Days + (1 | Subject)", SHUFFLED, {name: SLEEP[name] for name in responses}, weights="w"
    )
    np.testing.assert_allclose(series.objective, wanted.objective, atol=1e-7)
    with pytest.raises(ArgumentError, match="responses: the DataFrame and the data have different indexes"):
        fit_many("~ Days + (1 | Subject)", SHUFFLED, responses.reset_index(drop=True).set_axis(range(1, 181)))


def test_clusters() -> None:
    model = lmer("Reaction ~ Days + (1 | Subject)", SHUFFLED)
    wanted = coef_test(model, vcov=vcov_cluster(model, "Subject"))
    pd.testing.assert_frame_equal(coef_test(model, vcov=vcov_cluster(model, SLEEP["Subject"])), wanted)
    with pytest.raises(ArgumentError, match="cluster: the Series and the rows used have different indexes"):
        vcov_cluster(model, SLEEP["Subject"].set_axis(range(1, 181)))


def test_augmented_rows() -> None:
    model = lmer(LINEAR, SLEEP, subset="Days > 1")
    whole, used = augment(model, SHUFFLED), augment(model, SHUFFLED[SHUFFLED["Days"] > 1])
    fitted = augment(model)[".fitted"]
    pd.testing.assert_series_equal(whole[".fitted"].dropna().sort_index(), fitted)
    pd.testing.assert_series_equal(used[".fitted"].sort_index(), fitted)
    with pytest.raises(ArgumentError, match="augment: the DataFrame and the data given have different"):
        augment(model, SLEEP.set_axis(range(1, 181)))
