"""Facts by which the data of a model are known again: a few numbers of each column, and hashes of levels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design import Design

# Of the sum of absolute values: what rounding may change on another computer. It is about the 10,000th part
# of the smallest change that matters to a fit.
_ROUNDING = 1e-11
# Weights of the rows in the second sum, without a period that data might have: Knuth's multiplicative hash.
_MULTIPLIER, _MODULUS = 2654435761, 2**32


def fingerprint(design: Design) -> dict[str, Any]:
    """
    The fingerprint of a design.

    Returns
    -------
    dict
        ``rows``; for ``y``, ``weights``, ``offset`` and each column of ``X`` three numbers, see `sketch`;
        for each term its structure, the hashes of level labels and codes, and its columns.
    """
    weights = _row_weights(len(design.y))
    given = {"weights": design.weights, "offset": design.offset}
    return {
        "rows": len(design.y),
        "y": sketch(design.y, weights),
        **{name: None if v is None else sketch(v, weights) for name, v in given.items()},
        "X": {name: sketch(design.x[:, j], weights) for j, name in enumerate(design.x_names)},
        "terms": [
            {
                "text": term.text,
                "structure": term.covariance,
                "times": None if term.times is None else list(term.times),
                "n_levels": len(term.group.levels),
                "levels": _hash("\x1f".join(map(str, term.group.levels)).encode()),
                "codes": _hash(np.ascontiguousarray(term.group.codes, dtype="<u4").tobytes()),
                "Z": {name: sketch(term.z[:, j], weights) for j, name in enumerate(term.names)},
            }
            for term in design.terms
        ],
    }


def sketch(values: NDArray[np.float64], weights: NDArray[np.float64]) -> list[float]:
    """The sum of a column, its sum weighted by row, which depends on the order, and the sum of its sizes."""
    own = np.ascontiguousarray(values)
    return [float(own.sum()), float(own @ weights), float(np.abs(own).sum())]


def difference(saved: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """The first difference between two fingerprints in words; empty when they are alike."""
    if saved["rows"] != own["rows"]:
        return f"it has {saved['rows']} rows, and this model {own['rows']}"
    if not _alike(saved["y"], own["y"]):
        return "the response differs"
    for name in ("weights", "offset"):
        if (saved[name] is None) != (own[name] is None):
            return f"it was made {'without' if saved[name] is None else 'with'} {name}"
        if saved[name] is not None and not _alike(saved[name], own[name]):
            return f"the {name} differ"
    problem = _columns(saved["X"], own["X"], "the fixed part")
    if problem:
        return problem
    if len(saved["terms"]) != len(own["terms"]):
        return f"it has {len(saved['terms'])} random-effects terms, and this model {len(own['terms'])}"
    for before, now in zip(saved["terms"], own["terms"], strict=True):
        text = now["text"]
        if (before["structure"], before["times"]) != (now["structure"], now["times"]):
            return f"the covariance structure of {text} differs ({before['structure']})"
        if (before["n_levels"], before["levels"]) != (now["n_levels"], now["levels"]):
            return f"the levels of {text} differ"
        if before["codes"] != now["codes"]:
            return f"the rows have other levels of {text}"
        problem = _columns(before["Z"], now["Z"], text)
        if problem:
            return problem
    return ""


def _columns(saved: Mapping[str, list[float]], own: Mapping[str, list[float]], what: str) -> str:
    # By place: other versions may name the columns differently.
    if len(saved) != len(own):
        return f"{what} has {len(saved)} columns there, and {len(own)} in this model"
    for (_, before), (name, now) in zip(saved.items(), own.items(), strict=True):
        if not _alike(before, now):
            return f"the column {name} of {what} differs"
    return ""


def _alike(a: list[float], b: list[float]) -> bool:
    return len(a) == len(b) == 3 and all(
        abs(one - other) <= _ROUNDING * max(a[2], b[2]) for one, other in zip(a, b, strict=True)
    )


def _row_weights(n: int) -> NDArray[np.float64]:
    """Fixed weights between 0 and 1, the same on every computer."""
    hashed = (np.arange(1, n + 1, dtype=np.uint64) * np.uint64(_MULTIPLIER)) % np.uint64(_MODULUS)
    return hashed.astype(np.float64) / _MODULUS


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
