"""The engine as a good citizen of a process: Ctrl-C, forks, threads."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mixedmodels._engine import Lmm
from mixedmodels.errors import MemoryLimitError

SETUP = """
import numpy as np
from mixedmodels._engine import Lmm

def crossed(n, first, second):
    rng = np.random.default_rng(1)
    one = np.ones((n, 1))
    factors = [(rng.integers(0, l, n).astype(np.uint32), l, one, "us", None) for l in (first, second)]
    return Lmm(rng.normal(size=n), one, factors)
"""


def crossed(n: int, first: int, second: int) -> Lmm:
    rng = np.random.default_rng(1)
    one = np.ones((n, 1))
    factors = [(rng.integers(0, k, n).astype(np.uint32), k, one, "us", None) for k in (first, second)]
    return Lmm(rng.normal(size=n), one, factors)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("sizes", ["2_000, 300, 200", "20_000, 4_000, 3_900"], ids=["quick", "slow"])
def test_ctrl_c_stops_a_fit_within_a_second(sizes):
    program = SETUP + textwrap.dedent(f"""
        model = crossed({sizes})
        print("ready", flush=True)
        try:
            while True:
                model.fit(True, "nelder_mead", None, {{}})
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - start < 1.0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_does_not_wait_until_a_large_model_is_prepared():
    program = SETUP + textwrap.dedent("""
        import time
        rng = np.random.default_rng(1)
        n = 1_500_000
        one = np.ones((n, 1))
        levels = (300_000, 40)
        factors = [(rng.integers(0, k, n).astype(np.uint32), k, one, "us", None) for k in levels]
        y = rng.normal(size=n)
        start = time.monotonic()
        Lmm(y, one, factors)
        print(time.monotonic() - start, flush=True)
        try:
            Lmm(y, one, factors)
            print("prepared", flush=True)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        # On a busy machine everything takes longer alike.
        whole = float(process.stdout.readline())
        time.sleep(0.2 * whole)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - start < 0.5 * whole
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_can_fit_after_its_parent_has_used_threads():
    program = SETUP + textwrap.dedent("""
        import os
        model = crossed(4_000, 900, 800)
        here = model.fit(True, "trust_region", None, {})["objective"]
        child = os.fork()
        if child == 0:
            there = crossed(4_000, 900, 800).fit(True, "trust_region", None, {})["objective"]
            os._exit(0 if there == here else 1)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status))
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "0\n", done.stderr


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads in /proc, as on Linux")
def test_no_thread_is_started_when_one_is_asked_for():
    program = SETUP + textwrap.dedent("""
        import os
        rng = np.random.default_rng(1)
        groups = rng.integers(0, 20_000, 50_000).astype(np.uint32)
        slopes = np.column_stack([np.ones(50_000), rng.normal(size=50_000)])
        many_levels = Lmm(
            rng.normal(size=50_000), np.ones((50_000, 1)), [(groups, 20_000, slopes, "us", None)]
        )
        before = set(os.listdir("/proc/self/task"))
        many_levels.fit(True, "trust_region", None, {})
        crossed(4_000, 900, 800).fit(True, "trust_region", None, {})
        print(len(set(os.listdir("/proc/self/task")) - before))
    """)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "MIXEDMODELS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "0\n"


def test_fits_run_in_several_threads_and_agree_to_the_last_bit():
    model = crossed(3_000, 200, 100)
    with ThreadPoolExecutor(4) as pool:
        fits = list(pool.map(lambda _: model.fit(True, "trust_region", None, {}), range(8)))
    for fit in fits[1:]:
        assert fit["objective"] == fits[0]["objective"]
        np.testing.assert_array_equal(fit["theta"], fits[0]["theta"])
        np.testing.assert_array_equal(fit["fitted"], fits[0]["fitted"])


def test_the_number_of_threads_does_not_change_a_bit():
    program = SETUP + textwrap.dedent("""
        fit = crossed(6_000, 1_500, 1_200).fit(True, "trust_region", None, {})
        print(fit["objective"].hex(), fit["theta"].tobytes().hex(), fit["beta"].tobytes().hex())
    """)
    results = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "MIXEDMODELS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "3")
    }
    assert len(results) == 1


def test_a_listener_hears_of_every_evaluation_and_can_end_the_fit():
    model = crossed(500, 20, 10)
    heard = []
    fit = model.fit(True, "bobyqa", None, {"progress": lambda n, objective: heard.append((n, objective))})
    assert len(heard) >= fit["n_evaluations"]
    assert heard[0][0] == 0
    assert np.isnan(heard[0][1])
    assert heard[-1][1] == pytest.approx(fit["objective"], abs=1.0)

    def stop(n: int, objective: float) -> None:
        if n == 3:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        model.fit(True, "bobyqa", None, {"progress": stop})


def test_a_model_that_needs_more_memory_than_there_is_is_refused_at_once():
    rng = np.random.default_rng(1)
    n, levels = 400_000, 150_000
    one = np.ones((n, 1))
    factors = [(rng.integers(0, levels, n).astype(np.uint32), levels, one, "us", None) for _ in range(2)]
    with pytest.raises(MemoryLimitError, match=r"\d+\.\d GiB of memory for .* 300000 random effects"):
        Lmm(rng.normal(size=n), one, factors)
