"""Calls in threads: order, errors, the number of threads, and warnings that are silenced."""

from __future__ import annotations

import threading
import time
import warnings

import pytest

from mixedmodels.errors import MixedModelsWarning
from mixedmodels.notices import silent, warn_user
from mixedmodels.repeat.threads import in_threads, number_of_threads


@pytest.mark.parametrize("threads", ["1", "3"])
def test_results_are_in_order(threads, monkeypatch):
    monkeypatch.setenv("MIXEDMODELS_NUM_THREADS", threads)
    names = set()

    def work(i):
        names.add(threading.current_thread().name)
        time.sleep(0.002 * (5 - i))
        return i * i

    assert in_threads(work, range(5)) == [0, 1, 4, 9, 16]
    assert len(names) <= int(threads)
    assert number_of_threads() == int(threads)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_errors_are_raised(threads, monkeypatch):
    monkeypatch.setenv("MIXEDMODELS_NUM_THREADS", threads)
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda i: 1 / i, [1, 0, 2])


def test_warnings_stay_silent_in_threads(monkeypatch):
    monkeypatch.setenv("MIXEDMODELS_NUM_THREADS", "2")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with silent():
            in_threads(lambda i: warn_user("no", MixedModelsWarning), range(4))
    assert not caught


@pytest.mark.parametrize("text", ["", "0", "many", "-1"])
def test_without_a_usable_variable_all_cores_are_used(text, monkeypatch):
    monkeypatch.setenv("MIXEDMODELS_NUM_THREADS", text)
    assert number_of_threads() >= 1
