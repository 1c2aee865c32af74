"""Values that travel to the workers of an executor: pickled once, opened once in each process."""

from __future__ import annotations

import hashlib
import os
import pickle
from typing import Any

from ..errors import ArgumentError

# The value that this process opened last. The chunks of one repetition share a value.
_opened: tuple[bytes, Any] | None = None


class Shipped:
    """
    A value as an argument of tasks. In this process, and in threads, it is the value itself.

    Parameters
    ----------
    value : object
    what : str
        What is repeated, for messages.
    """

    def __init__(self, value: Any, what: str) -> None:
        self.value, self._what = value, what
        self._packed: tuple[bytes, bytes] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        if self._packed is None:
            try:
                content = pickle.dumps(self.value, protocol=pickle.HIGHEST_PROTOCOL)
            except Exception as error:
                raise ArgumentError(
                    f"executor: the {self._what} cannot be sent to other processes: {error}. Define your "
                    "functions at the top level of a module, or use a ThreadPoolExecutor"
                ) from error
            self._packed = content, hashlib.blake2b(content).digest()
        return _open, (*self._packed, os.getpid(), self._what)


def _open(content: bytes, digest: bytes, sender: int, what: str) -> Shipped:
    global _opened
    if os.getpid() != sender:
        # There are as many processes as cores already.
        os.environ.setdefault("MIXEDMODELS_NUM_THREADS", "1")
    if _opened is None or _opened[0] != digest:
        _opened = digest, pickle.loads(content)
    return Shipped(_opened[1], what)
