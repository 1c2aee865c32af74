"""Work in chunks: the same results wherever it runs, and nothing lost silently."""

import multiprocessing
import os
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from mixedmodels import ArgumentError, DataError, ExecutorError, InterruptedWarning
from mixedmodels.repeat.chunks import run_chunks
from mixedmodels.repeat.seeds import Streams
from repeat import work


def pool(workers: int = 2) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def flat(chunks):
    return [value for result in chunks.results for value in result]


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_results_do_not_depend_on_chunks(size):
    streams = Streams.of(3)
    chunks = run_chunks(work.draws, streams, 100, size=size)
    assert flat(chunks) == work.draws(streams, 0, 100)
    assert chunks.done == 100
    assert not chunks.interrupted


def test_more_chunks_than_wait_at_once():
    with ThreadPoolExecutor(2) as executor:
        chunks = run_chunks(work.draws, Streams.of(3), 1000, size=3, executor=executor)
    assert flat(chunks) == work.draws(Streams.of(3), 0, 1000)


def test_processes_open_the_state_once_and_use_one_thread_each():
    with pool() as executor:
        chunks = run_chunks(work.draws, Streams.of(3), 100, size=9, executor=executor)
        assert flat(chunks) == work.draws(Streams.of(3), 0, 100)
        seen = set(run_chunks(work.processes, Streams.of(4), 20, size=1, executor=executor).results)
    by_process = {pid for pid, _, _ in seen}
    assert len(seen) == len(by_process)
    assert os.getpid() not in by_process
    assert {threads for _, _, threads in seen} == {os.environ.get("MIXEDMODELS_NUM_THREADS", "1")}


def test_dask():
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    with distributed.Client(**options) as client:
        chunks = run_chunks(work.draws, Streams.of(3), 100, size=9, executor=client.get_executor())
        with pytest.raises(ArgumentError, match="get_executor"):
            run_chunks(work.draws, Streams.of(3), 100, size=9, executor=client)
    assert flat(chunks) == work.draws(Streams.of(3), 0, 100)


def test_a_dead_worker_is_an_error_that_names_the_replicates():
    with pool(1) as executor, pytest.raises(ExecutorError, match=r"refits 1 to 5 were lost"):
        run_chunks(work.die, None, 10, size=5, executor=executor)


def test_an_executor_that_is_shut_down():
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(ExecutorError, match="after shutdown"):
        run_chunks(work.draws, Streams.of(1), 10, size=5, executor=executor)


@pytest.mark.parametrize("where", ["here", "threads", "processes"])
def test_errors_of_the_work_come_through(where):
    def run(what):
        if where == "here":
            return run_chunks(what, None, 10, size=5)
        with ThreadPoolExecutor(1) if where == "threads" else pool(1) as executor:
            return run_chunks(what, None, 10, size=5, executor=executor)

    with pytest.raises(DataError, match="no 0"):
        run(work.refuse)
    with pytest.raises((work.UnpicklableError, RuntimeError), match="1 and 2"):
        run(work.odd)


def test_a_state_that_cannot_be_sent():
    with pool(1) as executor, pytest.raises(ArgumentError, match="top level of a module"):
        run_chunks(work.draws, lambda: 1, 10, size=5, executor=executor)


@pytest.mark.parametrize("with_threads", [False, True])
def test_an_interrupt_leaves_what_is_done(with_threads):
    def run(**options):
        executor: Executor | None = ThreadPoolExecutor(1) if with_threads else None
        return run_chunks(work.interrupt, 20, 100, size=5, executor=executor, **options)

    with pytest.warns(InterruptedWarning, match="20 of 100 refits were done"):
        chunks = run()
    assert chunks.results == [0, 5, 10, 15]
    assert chunks.done == 20
    assert chunks.interrupted
    with pytest.raises(KeyboardInterrupt):
        run(partial=False)
    with pytest.raises(KeyboardInterrupt):
        run_chunks(work.interrupt, 0, 100, size=5)


@pytest.mark.parametrize("executor", [2, "threads"])
def test_no_executor(executor):
    with pytest.raises(ArgumentError, match=r"executor must be None or an Executor"):
        run_chunks(work.draws, Streams.of(1), 10, size=5, executor=executor)
