"""Terms with more variances and covariances than the data can determine, or a search can handle."""

from __future__ import annotations

from collections.abc import Sequence

from ..covariance import Structure
from ..errors import DataError

# A step of the search decomposes a matrix with a row for each parameter: about 10 operations for each
# product of three, at 20 Gflop/s.
_SECONDS = 10.0 / 20e9
# What takes less may be tried, and the fit says what it finds; what takes more is beyond use.
_CHEAP, _TOO_LONG = 1.0, 3600.0
# Derivatives of a factor with respect to all of its parameters.
_BYTES = 2.0**30


def check_covariance_size(
    text: str, structure: Structure, group: tuple[str, int], factors: Sequence[str], n: int
) -> None:
    """
    Refuse a covariance matrix that is too large before anything is allocated for it.

    Parameters
    ----------
    text : str
        The term, as messages name it.
    structure : Structure
    group : tuple of str and int
        Grouping factor and its number of levels.
    factors : sequence of str
        Factors among its variables.
    n : int
        Number of rows.
    """
    if not structure.correlated:
        return
    (label, levels), k, parameters = group, structure.k, structure.n_parameters
    seconds = _SECONDS * float(parameters) ** 3
    if seconds > _CHEAP and parameters > n:
        reason = f"more than {n:,} observations can determine"
    elif max(seconds, _SECONDS * float(k) ** 3 * levels) > _TOO_LONG:
        reason = "and every step of the fit would take hours"
    elif structure.entries is None and 8.0 * k * k * parameters > _BYTES:
        reason = f"whose derivatives would take {8.0 * k * k * parameters / 2**30:.0f} GiB"
    else:
        return
    plain = text.startswith("(")
    independent = text.replace("|", "||", 1) if plain else f"diag{text[text.index('(') :]}"
    remedies = [f"{independent} for independent effects"]
    if factors:
        crossed = ":".join([label, *factors])
        remedies.insert(0, f"(1 | {crossed}) for one variance")
        remedies.append(f"fewer levels of {' and '.join(map(repr, factors))}")
    advice = ", ".join(remedies[:-1]) + (" or " if remedies[1:] else "") + remedies[-1]
    what = "variances and covariances" if plain else "covariance parameters"
    raise DataError(
        f"{text}: {k:,} correlated effects for each of {levels:,} levels of {label!r} have {parameters:,} "
        f"{what}, {reason}; use {advice}"
    )
