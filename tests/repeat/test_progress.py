"""Progress of repetitions."""

import builtins

import pytest

from mixedmodels import ArgumentError
from mixedmodels.repeat.chunks import run_chunks
from mixedmodels.repeat.progress import reporting
from repeat import work


def nothing(state, start, stop):
    return None


def test_a_callback_is_told_of_every_chunk():
    seen = []
    run_chunks(nothing, None, 10, size=4, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 10), (4, 10), (8, 10), (10, 10)]


def test_a_bar_with_tqdm(capsys):
    pytest.importorskip("tqdm")
    run_chunks(nothing, None, 10, size=4, progress=True, what="simulations")
    captured = capsys.readouterr()
    assert "simulations: 100%" in captured.err
    assert "10/10" in captured.err
    assert not captured.out


def test_lines_without_tqdm(capsys, monkeypatch):
    real = builtins.__import__

    def no_tqdm(name, *args, **kwargs):
        if name.startswith("tqdm"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_tqdm)
    run_chunks(nothing, None, 1000, size=1, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "0 of 1000 refits"
    assert lines[-1] == "1000 of 1000 refits"
    assert len(lines) <= 22


def test_errors_of_the_callback_end_the_work():
    with pytest.raises(ZeroDivisionError):
        run_chunks(nothing, None, 10, size=4, progress=lambda done, total: 1 / 0)


@pytest.mark.parametrize("progress", ["yes", 1, None])
def test_no_progress(progress):
    with pytest.raises(ArgumentError, match="progress must be True, False or a function"):
        run_chunks(work.draws, None, 10, size=5, progress=progress)


def test_numbers_that_come_late_are_left_out():
    told = []
    with reporting(lambda done, total: told.append(done), 5, "refits") as tell:
        for done in (0, 2, 1, 3, 3, 2, 5):
            tell(done, 5)
    assert told == [0, 2, 3, 3, 5]
