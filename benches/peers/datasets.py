"""Data sets by name: simulated here, packaged, or a packaged one with a 0/1 response."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from .simulate import SIMULATED


def dataset(name: str) -> pd.DataFrame:
    """The data set of that name."""
    made = SIMULATED.get(name) or BINARY.get(name)
    return made() if made else _packaged(name)


def verbagg() -> pd.DataFrame:
    """VerbAgg; a verbally aggressive response counts as 1."""
    frame = _packaged("VerbAgg")
    return frame.assign(r2=(frame["r2"] == "Y").astype(float))


def contraception() -> pd.DataFrame:
    """Contraception; use counts as 1."""
    frame = _packaged("Contraception")
    return frame.assign(use=(frame["use"] == "Y").astype(float))


def insteval() -> pd.DataFrame:
    """InstEval with ``high``: a rating of 4 or 5 out of 5 counts as 1."""
    frame = _packaged("InstEval")
    return frame.assign(high=(frame["y"] >= 4).astype(float))


# A factor is not a response to every peer.
BINARY: Mapping[str, Callable[[], pd.DataFrame]] = {
    "VerbAgg01": verbagg,
    "Contraception01": contraception,
    "InstEval01": insteval,
}


def _packaged(name: str) -> pd.DataFrame:
    from mixedmodels.datasets import load_dataset

    return load_dataset(name)
