"""What a pickle of a fitted model says of itself: its format, and the package that wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import MixedModelError

FORMAT = 1


def _version() -> str:
    from ._engine import __version__

    return __version__


def sealed(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state with its format and the version of the package."""
    return {"format": FORMAT, "version": _version(), "state": dict(state)}


def opened(sealed_state: Mapping[str, Any]) -> dict[str, Any]:
    """
    The state again.

    Raises
    ------
    MixedModelError
        When this version does not read its format.
    """
    found = sealed_state.get("format")
    if found == FORMAT:
        return dict(sealed_state["state"])
    writer = f"mixedmodels {sealed_state['version']}" if "version" in sealed_state else "an older mixedmodels"
    kind = "without a format number" if found is None else f"of format {found!r}"
    raise MixedModelError(
        f"the pickled model is {kind}, written by {writer}; mixedmodels {_version()} reads format {FORMAT} "
        "only: unpickle it with the version that wrote it, or fit the model again"
    )
