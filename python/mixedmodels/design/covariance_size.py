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
    Refuse k effects with a free covariance matrix for each level before anything is allocated for them.

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
    raise DataError(
        f"{text}: {k:,} correlated effects for each of {levels:,} levels of {label!r} have {parameters:,} "
        f"variances and covariances, {reason}; use {remedies(independent(text), factors, label)}"
    )


def independent(text: str, name: str = "diag") -> str:
    """The same term with independent effects; `name` is the structure to write in place of another."""
    if text.startswith("("):
        return text.replace("|", "||", 1)
    return f"{name}{text[text.index('(') :]}"


def remedies(simpler: str | None, factors: Sequence[str], group: str) -> str:
    """
    Simpler terms in place of one that is too large, in words.

    Parameters
    ----------
    simpler : str or None
        The term with independent effects; None where they are no simpler.
    factors : sequence of str
        Factors among its variables.
    group : str
        Its grouping factor.
    """
    found = []
    if factors:
        found.append(f"(1 | {group}) + (1 | {':'.join([group, *factors])}) for two variances")
    if simpler is not None:
        found.append(f"{simpler} for independent effects")
    if factors:
        found.append(f"fewer levels of {' and '.join(map(repr, factors))}")
    elif simpler is None:
        found.append("fewer columns")
    return ", ".join(found[:-1]) + (" or " if found[1:] else "") + found[-1]
