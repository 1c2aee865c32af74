"""Work for the workers of executors; it must be importable there."""

import os
import time

from mixedmodels import DataError
from mixedmodels.repeat.seeds import Streams


def draws(streams: Streams, start: int, stop: int) -> list[float]:
    return [float(streams.generator(i).random()) for i in range(start, stop)]


def processes(state: object, start: int, stop: int) -> tuple[int, int, str]:
    time.sleep(0.02)
    return os.getpid(), id(state), os.environ.get("MIXEDMODELS_NUM_THREADS", "")


def die(state: object, start: int, stop: int) -> None:
    os._exit(1)


def refuse(state: object, start: int, stop: int) -> None:
    raise DataError(f"no {start}")


class UnpicklableError(Exception):
    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


def odd(state: object, start: int, stop: int) -> None:
    raise UnpicklableError(1, 2)


def interrupt(state: int, start: int, stop: int) -> int:
    if start >= state:
        raise KeyboardInterrupt
    return start
