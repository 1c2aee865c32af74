"""Likelihood-ratio tests whose distribution is simulated under the smaller model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import whole_number
from ...errors import ArgumentError
from ...fit.changes import by_ml
from ...fit.draws import as_responses, draw_many
from ...fit.state import FittedModel
from ...render.anova_table import AnovaTable, anova_table
from ...wording import counted
from ..basis.testable import have_optimum, notes_on_comparisons, refuse_evaluated
from .likelihood_ratio import check_same_approximation, check_same_data
from .model_differences import described
from .nesting import refuse_not_nested
from .simulated_ratios import SimulatedRatios, simulated_ratios

_LABELS = ["the full model", "the reduced model"]
_ROWS: tuple[str, ...] = ("LRT", "PBtest", "Bartlett", "Gamma", "F")
_COLUMNS = ("statistic", "Df", "DenDF", "Pr(>statistic)")
_Row = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class DrawnFrom:
    """Responses drawn from a fitted model."""

    fitted: FittedModel

    def draw(self, rng: np.random.Generator, m: int) -> NDArray[np.float64]:
        return as_responses(self.fitted, draw_many(self.fitted, rng, m))


def bootstrap_comparison(
    full: FittedModel,
    reduced: FittedModel,
    nsim: Any = 1000,
    *,
    rng: Any = None,
    executor: Any = None,
    progress: Any = False,
) -> AnovaTable:
    """Compare nested models by simulation, see :func:`mixedmodels.pb_compare`."""
    nsim = whole_number("nsim", nsim, 1)
    full, reduced, heading = _comparable(full, reduced)
    df = full.n_parameters - reduced.n_parameters
    if df <= 0:
        raise ArgumentError("pb_compare: the full model has no more parameters than the reduced one")
    statistic = max(0.0, reduced.estimates.objective - full.estimates.objective)
    about = described([full, reduced], ["full", "reduced"])
    if not have_optimum(full, reduced):
        rows: dict[str, _Row] = dict.fromkeys(_ROWS, (np.nan, np.nan, np.nan, np.nan))
        rows["LRT"] = (statistic, df, np.nan, np.nan)
        heading += ["Parametric bootstrap of the likelihood-ratio test", *about]
        return anova_table(*_table(rows), heading, notes_on_comparisons([full, reduced], _LABELS))
    source = DrawnFrom(reduced)
    simulated = simulated_ratios(
        full,
        source,
        source,
        nsim,
        "pb_compare",
        rng=rng,
        executor=executor,
        progress=progress,
    )
    draws = counted(simulated.n, "draw")
    heading += [
        f"Parametric bootstrap of the likelihood-ratio test, {draws} from the reduced model",
        *about,
    ]
    return anova_table(*_table(_p_values(statistic, df, simulated)), heading, simulated.notes())


def _comparable(full: FittedModel, reduced: FittedModel) -> tuple[FittedModel, FittedModel, list[str]]:
    """The models, fitted by maximum likelihood, and what was done for that."""
    check_same_data([full, reduced], _LABELS)
    if full.exact_likelihood != reduced.exact_likelihood:
        raise ArgumentError("pb_compare: both models must be linear, or both generalized")
    if not full.exact_likelihood:
        check_same_approximation([full, reduced], _LABELS)
    for model in (full, reduced):
        refuse_evaluated(model, "pb_compare")
    refuse_not_nested(reduced, full, "pb_compare")
    note = ["Refitted by ML (instead of REML) for this comparison"]
    return by_ml(full), by_ml(reduced), note if full.restricted or reduced.restricted else []


def _table(rows: dict[str, _Row]) -> tuple[dict[str, list[float]], list[str]]:
    """Columns and labels."""
    return {name: [row[i] for row in rows.values()] for i, name in enumerate(_COLUMNS)}, list(rows)


def _p_values(statistic: float, df: int, simulated: SimulatedRatios) -> dict[str, _Row]:
    """The tests by χ², by the simulations, and by distributions with their moments."""
    from scipy.special import chdtrc, fdtrc, gammaincc

    ratios = simulated.ratios
    mean = float(ratios.mean())
    variance = float(ratios.var(ddof=1)) if len(ratios) > 1 else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        bartlett = float(np.divide(statistic * df, mean))
        gamma = float(gammaincc(np.divide(mean**2, variance), np.divide(statistic * mean, variance)))
    # The F variable with the simulated mean; χ² when that is no larger than its own.
    ddf = 2 * mean / (mean - df) if mean > df else np.inf
    by_f = fdtrc(df, ddf, statistic / df) if np.isfinite(ddf) else chdtrc(df, statistic)
    return {
        "LRT": (statistic, df, np.nan, float(chdtrc(df, statistic))),
        "PBtest": (statistic, np.nan, np.nan, simulated.p_value(statistic)),
        "Bartlett": (bartlett, df, np.nan, float(chdtrc(df, bartlett))),
        "Gamma": (statistic, np.nan, np.nan, gamma),
        "F": (statistic / df, df, ddf, float(by_f)),
    }
