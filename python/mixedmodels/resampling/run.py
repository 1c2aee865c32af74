"""The bootstrap of a fitted model."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..checks import flag, one_of, several_texts, whole_number
from ..errors import ArgumentError, MixedModelsWarning
from ..fit.refits import refit_responses
from ..fit.state import FittedModel
from ..inference.basis.clusters import Clusters, find_clusters
from ..inference.estimates.parameter_rows import ParameterRow, chosen_rows, parameter_rows
from ..notices import warn_user
from ..render.result_table import ResultTable
from ..repeat.chunks import run_chunks
from ..repeat.seeds import Streams
from .cases import Cases, is_rows
from .intervals import KINDS
from .replicates import Plan, Replicates, replicates
from .result import Bootstrap, bootstrap_of
from .schemes import Parametric, Scheme, Semiparametric, Wild
from .statistic import Statistic

TYPES = ("parametric", "semiparametric", "cases", "wild")
MULTIPLIERS = ("mammen", "rademacher")

# Work in a chunk, and values of its responses.
_SECONDS = 0.5
_MOST_VALUES = 8_000_000


def bootstrap(
    fitted: FittedModel,
    n: Any = 1000,
    type: Any = "parametric",
    statistic: Any = None,
    *,
    model: Callable[[FittedModel], Any] = lambda fitted: fitted,
    cases: Any = None,
    use_u: Any = False,
    multipliers: Any = None,
    rng: Any = None,
    executor: Any = None,
    progress: Any = False,
) -> Bootstrap:
    """
    Resample and refit, see `MixedModel.bootstrap`.

    Parameters
    ----------
    fitted : FittedModel
    n, type, statistic, cases, use_u, multipliers, rng, executor, progress
        As for the method.
    model : callable
        Makes of a state the model that `statistic` gets.
    """
    n = whole_number("n", n, 1)
    scheme, about = _scheme(fitted, type, cases, use_u, multipliers)
    seconds = -time.perf_counter()
    own = None if statistic is None else Statistic.of(statistic, model, fitted)
    seconds += time.perf_counter()
    plan = Plan(fitted, scheme, Streams.of(rng), own)
    size = _size(plan, n, seconds if own is not None else 0.0)
    chunks = run_chunks(replicates, plan, n, size=size, executor=executor, progress=progress)
    result = _joined(plan, chunks.results, chunks.spans, type, about, n)
    if result.n_failed == result.n:
        raise ArgumentError(
            f"bootstrap: none of {result.n} replicates could be fitted (the first: {result.messages[0]})"
        )
    if result.n_failed:
        first = next(message for message in result.messages if message)
        warn_user(
            f"{result.n_failed} of {result.n} replicates have no estimates and are left out of tables and "
            f"intervals (the first: {first})",
            MixedModelsWarning,
        )
    return result


def bootstrap_limits(
    fitted: FittedModel,
    level: float,
    parm: Any = None,
    nsim: Any = 1000,
    kind: Any = "percentile",
    rng: Any = None,
    executor: Any = None,
    progress: Any = False,
) -> ResultTable:
    """Confidence limits from a parametric bootstrap, see `MixedModel.confint`."""
    nsim = whole_number("nsim", nsim, 1)
    one_of("confint: kind", kind, KINDS)
    chosen_rows("parm", parm, parameter_rows(fitted))
    result = bootstrap(fitted, nsim, rng=rng, executor=executor, progress=progress)
    return result.confint(level, kind, parm, executor=executor, progress=progress)


def _scheme(
    fitted: FittedModel, type: Any, cases: Any, use_u: Any, multipliers: Any
) -> tuple[Scheme | Cases, str]:
    """How replicates are made, and that in words."""
    one_of("bootstrap: type", type, TYPES)
    use_u = flag("use_u", use_u)
    if multipliers is not None:
        one_of("multipliers", multipliers, MULTIPLIERS)
    if fitted.arguments.optimizer is None:
        raise ArgumentError(
            "bootstrap: the model was evaluated at start=, not fitted (optimizer=None), so there are no "
            "estimates to fit again; fit it with an optimizer"
        )
    if not fitted.design.terms:
        raise ArgumentError("bootstrap: the model has no random-effects terms")
    _check_suited(fitted, type, cases, use_u, multipliers)
    kept = ", random effects kept" if use_u else ""
    if type == "parametric":
        return Parametric(use_u), f"Parametric bootstrap{kept}"
    if type == "semiparametric":
        return Semiparametric.of(fitted, use_u), f"Semiparametric bootstrap{kept}"
    if type == "wild":
        clusters, multipliers = _clusters(fitted, cases), multipliers or MULTIPLIERS[0]
        about = f"Wild bootstrap by {clusters.label}, {multipliers.capitalize()} multipliers"
        return Wild.of(fitted, clusters, multipliers), about
    names = [_independent_factor(fitted)] if cases is None else several_texts("cases", cases)
    if not names:
        raise ArgumentError("cases must name at least one factor")
    return Cases.of(fitted, names), f"Bootstrap of cases: {', then '.join(names)}"


def _check_suited(fitted: FittedModel, type: str, cases: Any, use_u: bool, multipliers: Any) -> None:
    """Refuse what does not make sense for this kind of model, or with this type."""
    if type in ("semiparametric", "wild") and not fitted.exact_likelihood:
        raise ArgumentError(
            f"bootstrap: type={type!r} resamples residuals, which is for linear models only: the residuals "
            "of a generalized model have distributions of their own, and added to other means they may not "
            "even be possible responses; use type='parametric' or 'cases'"
        )
    if use_u and type not in ("parametric", "semiparametric"):
        raise ArgumentError(f"use_u=True is for type='parametric' and 'semiparametric', not {type!r}")
    if cases is not None and type not in ("cases", "wild"):
        raise ArgumentError(f"cases= is for type='cases' and 'wild', not {type!r}")
    if multipliers is not None and type != "wild":
        raise ArgumentError(f"multipliers= is for type='wild', not {type!r}")


def _clusters(fitted: FittedModel, cases: Any) -> Clusters:
    """What the wild bootstrap multiplies as a whole."""
    if cases is not None:
        names = several_texts("cases", cases)
        if len(names) != 1:
            raise ArgumentError(
                f"cases must name one factor for type='wild', whose levels are the clusters, not {len(names)}"
            )
        if is_rows(fitted, names[0]):
            raise ArgumentError(
                "cases='rows' is for type='cases': the wild bootstrap needs independent clusters, and rows "
                "with the same random effects are not; name a factor that contains the grouping factors"
            )
        cases = names[0]
    try:
        return find_clusters(fitted, cases, "cases")
    except ArgumentError as error:
        raise ArgumentError(
            f"{error}; without independent clusters use type='parametric', 'semiparametric' or 'cases'"
        ) from None


def _independent_factor(fitted: FittedModel) -> str:
    """The grouping factor that contains all others."""
    try:
        return find_clusters(fitted).label
    except ArgumentError:
        names = ", ".join(dict.fromkeys(repr(term.group.label) for term in fitted.design.terms))
        raise ArgumentError(
            f"bootstrap: none of the grouping factors {names} contains the others, so there are no "
            "independent cases; name with cases= the factor whose levels are drawn (the others stay as they "
            "are), or use type='parametric'"
        ) from None


def _size(plan: Plan, n: int, seconds: float) -> int:
    """
    Replicates in a chunk: about half a second of work, and not too many responses.

    Whole blocks where replicates are fast; where they are slow, enough to keep all threads busy.
    """
    fitted, block = plan.fitted, plan.block
    if n <= block and plan.statistic is None:
        return n
    start = time.perf_counter()
    refit_responses(fitted, fitted.design.y[:, None])
    each = time.perf_counter() - start + seconds
    fast = min(_SECONDS / max(each, 1e-6), _MOST_VALUES / max(fitted.n_obs, 1))
    return block * int(fast / block) if fast >= block else max(os.cpu_count() or 1, int(fast))


def _joined(
    plan: Plan,
    parts: list[Replicates],
    spans: list[tuple[int, int]],
    type: str,
    about: str,
    n: int,
) -> Bootstrap:
    numbers = [np.arange(start + 1, stop + 1) for start, stop in spans]
    own = plan.statistic
    rows = parameter_rows(plan.fitted) if own is None else _rows(own)
    return bootstrap_of(
        type=type,
        about=about,
        n_asked=n,
        names=tuple([row.name for row in rows]),
        kinds=tuple([row.kind for row in rows]),
        free=[row.free for row in rows],
        estimate=[row.estimate for row in rows],
        values=np.concatenate([part.values for part in parts]),
        numbers=np.concatenate(numbers),
        status=tuple([status for part in parts for status in part.status]),
        messages=tuple([message for part in parts for message in part.messages]),
        singular=np.concatenate([part.singular for part in parts]),
        plan=plan,
    )


def _rows(statistic: Statistic) -> list[ParameterRow]:
    """The parts of a statistic as rows."""
    parts = zip(statistic.names, statistic.estimate.tolist(), strict=True)
    return [ParameterRow(name, "statistic", (), value, True) for name, value in parts]
