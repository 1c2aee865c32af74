"""Limits of time, callbacks, the log, and warnings that say which model they are about."""

from __future__ import annotations

import copy
import logging
import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    ArgumentError,
    Control,
    ConvergenceWarning,
    Progress,
    SingularFitWarning,
    fit_many,
    glmer,
    lmer,
    load_cbpp,
    load_dyestuff2,
    load_sleepstudy,
)
from mixedmodels.fit.control import OPTIMIZERS

SLOPE = "Reaction ~ Days + (Days | Subject)"
BINOMIAL = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
FITS = {
    "lmer": lambda **options: lmer(SLOPE, load_sleepstudy(), **options),
    "glmer": lambda **options: glmer(BINOMIAL, load_cbpp(), "binomial", **options),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_a_time_limit_ends_a_fit_which_is_not_converged_then(fit, optimizer):
    with pytest.warns(ConvergenceWarning, match=r"time limit was reached.*max_time"):
        model = fit(optimizer=optimizer, control=Control(max_time=1e-9))
    assert model.convergence.status == "max_time"
    assert not model.convergence.converged
    assert model.convergence.n_evaluations <= 2
    assert np.isfinite(model.objective)
    assert "NOT CONVERGED (max_time)" in str(model.summary())


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_a_time_limit_that_is_not_reached_changes_nothing(fit):
    assert fit(control={"max_time": 1e6}).objective == fit().objective
    assert fit(control={"max_time": 1e300}).objective == fit().objective


def test_a_time_limit_holds_for_many_responses_together():
    sleep = load_sleepstudy()
    y = np.column_stack([sleep["Reaction"], np.log(sleep["Reaction"])])
    with pytest.warns(ConvergenceWarning, match="2 of 2 responses did not converge"):
        fits = fit_many("~ Days + (Days | Subject)", sleep, y, control=Control(max_time=1e-9))
    assert set(fits.status) == {"max_time"}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_a_callback_hears_of_every_evaluation(fit, optimizer):
    heard: list[Progress] = []
    model = fit(optimizer=optimizer, control=Control(progress=heard.append))
    numbers = [record.evaluation for record in heard]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 0.8 * model.convergence.n_evaluations
    assert heard[-1].objective == pytest.approx(model.objective, abs=1e-3)
    elapsed = [record.elapsed for record in heard]
    assert elapsed == sorted(elapsed)
    assert elapsed[0] >= 0.0


class EnoughError(Exception):
    pass


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_what_a_callback_raises_ends_the_fit(fit, optimizer):
    heard = []

    def stop(record: Progress) -> None:
        heard.append(record)
        if record.evaluation == 3:
            raise EnoughError

    with pytest.raises(EnoughError):
        fit(optimizer=optimizer, control=Control(progress=stop))
    assert len(heard) == 3


def test_a_callback_hears_of_many_responses():
    sleep = load_sleepstudy()
    y = np.random.default_rng(1).normal(size=(180, 50))
    heard: list[Progress] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        fit_many("~ Days + (Days | Subject)", sleep, y, control=Control(progress=heard.append))
    numbers = [record.evaluation for record in heard]
    assert numbers[0] == 0
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > 25

    def stop(record: Progress) -> None:
        if record.evaluation > 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        fit_many("~ Days + (Days | Subject)", sleep, y, control=Control(progress=stop))


def test_refits_that_nobody_asked_for_are_silent(capsys):
    heard: list[Progress] = []
    model = lmer(SLOPE, load_sleepstudy(), control=Control(progress=heard.append, verbose=True))
    count = len(heard)
    capsys.readouterr()
    model.drop1()
    model.refit(load_sleepstudy()["Reaction"])
    assert len(heard) > count  # of the refit that was asked for
    assert "evaluation    1" in capsys.readouterr().out


def test_verbose_tells_of_the_last_evaluation_too(capsys):
    model = lmer(SLOPE, load_sleepstudy(), verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.convergence.n_evaluations
    assert lines[-1].endswith(f"{model.objective:.10g}")


def test_a_callback_does_not_prevent_copies_and_pickles():
    model = lmer(SLOPE, load_sleepstudy(), control=Control(progress=lambda record: None, max_time=60.0))
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert other.objective == model.objective
    assert pickle.loads(pickle.dumps(model.convergence)).n_evaluations == model.convergence.n_evaluations
    restored = pickle.loads(pickle.dumps(Control(progress=lambda record: None, max_time=60.0)))
    assert restored == Control(max_time=60.0)


@pytest.mark.parametrize(
    "option", [{"max_time": 0}, {"max_time": -1}, {"max_time": np.inf}, {"max_time": "1"}, {"progress": 3}]
)
def test_options_out_of_range(option):
    with pytest.raises(ArgumentError, match=next(iter(option))):
        Control(**option)


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_the_log_has_start_evaluations_and_end(fit, caplog):
    with caplog.at_level(logging.DEBUG, "mixedmodels"):
        model = fit()
    texts = [record.getMessage() for record in caplog.records if record.name == "mixedmodels"]
    assert texts[0].startswith("start of the fit of ")
    assert model.formula in texts[0] if isinstance(model.formula, str) else "~" in texts[0]
    assert sum(text.startswith("evaluation ") for text in texts) >= model.convergence.n_evaluations
    assert re.search(rf"converged after {model.convergence.n_evaluations} evaluations", texts[-1])
    caplog.clear()
    with caplog.at_level(logging.INFO, "mixedmodels"):
        fit()
    assert not caplog.records


def test_warnings_name_the_model_and_the_response():
    data = load_dyestuff2()
    with pytest.warns(SingularFitWarning, match=r"\[Yield ~ 1 \+ \(1 \| Batch\)\]$"):
        model = lmer("Yield ~ 1 + (1 | Batch)", data)
    assert "[" not in model.convergence.messages[0]
    with pytest.warns(SingularFitWarning, match=r"\[Yield ~ 1 \+ \(1 \| Batch\), refitted to twice\]$"):
        model.refit(pd.Series(2 * data["Yield"], name="twice"))
    with pytest.warns(SingularFitWarning, match=r", refitted to another response\]$"):
        model.refit(2 * data["Yield"].to_numpy())
    with pytest.warns(SingularFitWarning, match=r"1 of 1 responses .*\(Yield\).*\[~ 1 \+ \(1 \| Batch\)\]$"):
        fit_many("~ 1 + (1 | Batch)", data, ["Yield"])


def test_warnings_of_generalized_models_name_them():
    data = pd.DataFrame({"g": np.arange(40) % 8, "y": 3 + np.arange(40) // 8 % 2})
    formula = r"y ~ 1 \+ \(1 \| g\)"
    with pytest.warns(SingularFitWarning, match=rf"\[{formula}\]$"):
        model = glmer("y ~ 1 + (1 | g)", data, "poisson")
    with pytest.warns(SingularFitWarning, match=rf"\[{formula}, refitted to again\]$"):
        model.refit(pd.Series(data["y"], name="again"))


def test_warnings_of_fifty_responses_differ():
    rng = np.random.default_rng(3)
    data = pd.DataFrame(rng.normal(size=(40, 50)), columns=[f"r{i}" for i in range(50)]).assign(
        g=np.arange(40) % 8
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(50):
            lmer(f"r{i} ~ 1 + (1 | g)", data)
    texts = [str(warning.message) for warning in caught]
    assert len(texts) > 10
    assert len(set(texts)) == len(texts)
