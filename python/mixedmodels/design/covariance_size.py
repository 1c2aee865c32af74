"""Terms with more variances and covariances than the data can determine, or a search can handle."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import DataError

# A step of the search decomposes a matrix with a row for each parameter: about 10 operations for each
# product of three, at 20 Gflop/s.
_SECONDS = 10.0 / 20e9
# What takes less may be tried, and the fit says what it finds; what takes more is beyond use.
_CHEAP, _TOO_LONG = 1.0, 3600.0


def check_covariance_size(text: str, k: int, group: tuple[str, int], factors: Sequence[str], n: int) -> None:
    """
    Refuse k correlated effects for each level before anything is allocated for them.

    Parameters
    ----------
    text : str
        The term, as messages name it.
    k : int
        Number of its columns.
    group : tuple of str and int
        Grouping factor and its number of levels.
    factors : sequence of str
        Factors among its variables.
    n : int
        Number of rows.
    """
    parameters = k * (k + 1) // 2
    seconds = _SECONDS * float(parameters) ** 3
    if seconds > _CHEAP and parameters > n:
        reason = f"more than {n:,} observations can determine"
    elif seconds > _TOO_LONG:
        reason = "and every step of the fit would take hours"
    else:
        return
    label, levels = group
    remedies = [f"{text.replace('|', '||', 1)} for independent effects"]
    if factors:
        crossed = ":".join([label, *factors])
        remedies.insert(0, f"(1 | {crossed}) for one variance")
        remedies.append(f"fewer levels of {' and '.join(map(repr, factors))}")
    advice = ", ".join(remedies[:-1]) + (" or " if remedies[1:] else "") + remedies[-1]
    raise DataError(
        f"{text}: {k:,} correlated effects for each of {levels:,} levels of {label!r} have {parameters:,} "
        f"variances and covariances, {reason}; use {advice}"
    )
