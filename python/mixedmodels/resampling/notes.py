"""What tables of replicates say about those that are not as the others."""

from __future__ import annotations

from collections.abc import Sequence

from ..fit.refits import FAILED, UNBOUNDED
from ..wording import counted


def notes_on_replicates(n_asked: int, status: Sequence[str], n_singular: int) -> list[str]:
    """
    How many replicates are missing, failed, unbounded, not converged and singular.

    Parameters
    ----------
    n_asked : int
        How many were wanted.
    status : sequence of str
        How the fit of each replicate ended.
    n_singular : int
    """
    notes = []
    if len(status) < n_asked:
        notes.append(f"Interrupted: {len(status)} of {n_asked} replicates")
    failed = sum(own == FAILED for own in status)
    if failed:
        notes.append(f"{counted(failed, 'replicate')} without a fit left out; see messages")
    unbounded = sum(own == UNBOUNDED for own in status)
    if unbounded:
        notes.append(
            f"{counted(unbounded, 'replicate')} without a finite optimum (see messages): in "
            "quantiles, but not in bias and standard errors"
        )
    unsettled = sum(own not in (FAILED, UNBOUNDED, "converged") for own in status)
    if unsettled:
        notes.append(f"{counted(unsettled, 'replicate')} did not converge")
    if n_singular:
        notes.append(f"{counted(n_singular, 'singular fit')}")
    return notes
