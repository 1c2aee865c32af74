"""The same seed gives the same bits: for any number of threads or replicates, and in any executor."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from mixedmodels import ExecutorError, InterruptedWarning, lmer, load_sleepstudy
from mixedmodels.resampling import run
from resampling import work
from shared_fits import fits

TYPES = ("parametric", "semiparametric", "cases", "wild")

SCRIPT = """
import hashlib, sys
sys.path.insert(0, {tests!r})
from shared_fits import fits
for data, types in (("sleepstudy", {types!r}), ("cbpp", ("parametric", "cases"))):
    for type in types:
        boot = fits(data).bootstrap(100, type=type, rng=11)
        print(hashlib.sha256(boot.values.tobytes()).hexdigest())
"""


def digests(threads: int) -> list[str]:
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment = {**os.environ, "MIXEDMODELS_NUM_THREADS": str(threads)}
    script = SCRIPT.format(tests=tests, types=TYPES)
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_any_number_of_threads():
    one = digests(1)
    assert len(set(one)) == 6
    assert digests(2) == one
    here = fits("sleepstudy").bootstrap(100, rng=11)
    assert hashlib.sha256(here.values.tobytes()).hexdigest() == one[0]


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks that begin and end within blocks."""
    monkeypatch.setattr(run, "_size", lambda plan, n, seconds: 21)


@pytest.mark.parametrize("data", ["sleepstudy", "cbpp"])
@pytest.mark.parametrize("type", TYPES)
@pytest.mark.usefixtures("small_chunks")
def test_any_executor(type, data, pool):
    if data == "cbpp" and type not in ("parametric", "cases"):
        return
    model = fits(data)
    whole = model.bootstrap(70, type=type, rng=3)
    with ThreadPoolExecutor(2) as threads:
        assert np.array_equal(model.bootstrap(70, type=type, rng=3, executor=threads).values, whole.values)
    assert np.array_equal(model.bootstrap(70, type=type, rng=3, executor=pool).values, whole.values)


def test_dask():
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    model = fits("sleepstudy")
    with distributed.Client(**options) as client:
        boot = model.bootstrap(70, statistic=work.ratio, rng=3, executor=client.get_executor())
    assert np.array_equal(boot.values, model.bootstrap(70, statistic=work.ratio, rng=3).values)


@pytest.mark.parametrize("type", TYPES)
def test_the_first_replicates_do_not_depend_on_their_number(type):
    model = fits("sleepstudy")
    few, many = (model.bootstrap(n, type=type, rng=5).values for n in (40, 100))
    np.testing.assert_array_equal(few, many[:40])


@pytest.mark.parametrize("type", TYPES)
def test_chunks_do_not_matter(type, monkeypatch):
    model = fits("sleepstudy")
    whole = model.bootstrap(70, type=type, rng=5).values
    for size in (1, 21, 64):
        monkeypatch.setattr(run, "_size", lambda plan, n, seconds, size=size: size)
        np.testing.assert_array_equal(model.bootstrap(70, type=type, rng=5).values, whole)


@pytest.mark.usefixtures("small_chunks")
def test_statistics_in_other_processes(pool):
    model = fits("sleepstudy")
    here = model.bootstrap(50, statistic=work.ratio, rng=3)
    assert np.array_equal(here.values, model.bootstrap(50, statistic=work.ratio, rng=3, executor=pool).values)
    parameters = model.bootstrap(50, rng=3)
    expected = parameters.replicates["sd_Days|Subject"] / parameters.replicates["sigma"]
    np.testing.assert_allclose(here.values[:, 0], expected, rtol=1e-5)


def test_seeds():
    model = fits("sleepstudy")
    one = model.bootstrap(10, rng=1).values
    assert np.array_equal(one, model.bootstrap(10, rng=1).values)
    assert np.array_equal(one, model.bootstrap(10, rng=np.random.default_rng(1)).values)
    assert not np.array_equal(one, model.bootstrap(10, rng=2).values)
    generator = np.random.default_rng(1)
    first, second = (model.bootstrap(10, rng=generator).values for _ in range(2))
    assert not np.array_equal(first, second)
    assert not np.array_equal(model.bootstrap(10).values, model.bootstrap(10).values)


def test_a_killed_worker_is_an_error_that_names_the_replicates(monkeypatch):
    monkeypatch.setenv("MIXEDMODELS_TEST_PARENT", str(os.getpid()))
    monkeypatch.setattr(run, "_size", lambda plan, n, seconds: 10)
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=context) as executor,
        pytest.raises(ExecutorError, match="refits 1 to 10 were lost"),
    ):
        fits("sleepstudy").bootstrap(20, statistic=work.die, rng=1, executor=executor)


def test_an_interrupt_leaves_what_is_done(monkeypatch):
    monkeypatch.setattr(run, "_size", lambda plan, n, seconds: 10)
    model = fits("sleepstudy")
    # The first call is for the model itself.
    with pytest.warns(InterruptedWarning, match="20 of 50"):
        boot = model.bootstrap(50, statistic=work.interrupting(26), rng=1)
    assert (boot.n, boot.n_asked) == (20, 50)
    assert "Interrupted: 20 of 50 replicates" in str(boot)
    np.testing.assert_allclose(boot.values[:, 0], model.bootstrap(20, rng=1).replicates["sigma"], rtol=1e-6)
    with pytest.raises(KeyboardInterrupt):
        model.bootstrap(50, statistic=work.interrupting(5), rng=1)


def test_an_interrupted_refit_is_no_failed_replicate(monkeypatch):
    """Ctrl-C while the engine works."""
    from mixedmodels.resampling import replicates

    calls = []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*arguments)

    original = replicates.refit_responses
    monkeypatch.setattr(replicates, "refit_responses", interrupted)
    monkeypatch.setattr(run, "_size", lambda plan, n, seconds: 16)
    with pytest.warns(InterruptedWarning, match="32 of 64"):
        boot = fits("sleepstudy").bootstrap(64, rng=1)
    assert boot.n_failed == 0
    assert boot.n == 32


def test_progress_counts_replicates():
    told = []
    fits("sleepstudy").bootstrap(40, rng=1, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 40)
    assert told[-1] == (40, 40)


def test_a_model_that_was_pickled_gives_the_same():
    import pickle

    model = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(model.bootstrap(20, rng=1).values, again.bootstrap(20, rng=1).values)
