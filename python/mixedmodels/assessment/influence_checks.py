"""Check for levels of grouping factors that pull the coefficients."""

from __future__ import annotations

import pandas as pd

from ..case_deletion.run import cooks_distance
from ..diagnostics.check import Check, not_applicable
from ..fit.state import FittedModel
from ..wording import counted, listed

# Without such a level the coefficients move, in the mean square over all their directions, by more than a
# standard error (Cook & Weisberg 1982). With few levels the median of F is less, and 4/m is in any number:
# ordinary levels exceed them.
_LIMIT = 1.0
_SHOWN = 10
# Shown in the text.
_NAMED = 5


def check_influence(fitted: FittedModel) -> Check:
    """One-step Cook's distances by level, see :func:`mixedmodels.check_influence`."""
    name = "influential levels"
    if fitted.n_coefficients == 0:
        return not_applicable(name, "Cook's distances need coefficients")
    factors = {term.group.label: len(term.group.levels) for term in fitted.design.terms}
    frames = []
    for label, levels in factors.items():
        if 1 < levels < fitted.n_obs:
            distance = cooks_distance(fitted, None, label, "one-step").dropna()
            parts = {
                "group": label,
                "level": distance.index.astype(str),
                "distance": distance.to_numpy(),
            }
            frames.append(pd.DataFrame(parts))
    if not frames or not sum(map(len, frames)):
        return not_applicable(name, "no grouping factor has several levels of more than one row")
    table = pd.concat(frames, ignore_index=True).sort_values("distance", ascending=False, kind="stable")
    above = table[table["distance"] > _LIMIT]
    shown = [f"{level} of {group}" for group, level in zip(above["group"], above["level"], strict=True)]
    worst = table.iloc[0]
    return Check(
        name=name,
        measure="largest Cook's distance, coefficients",
        value=float(worst["distance"]),
        verdict="attention" if len(above) else "ok",
        text=f"{counted(len(above), 'level')} with a Cook's distance above {_LIMIT:g}: "
        f"{listed(shown, most=_NAMED)}"
        if len(above)
        else f"no level has a Cook's distance above {_LIMIT:g}; the largest is that of {worst['level']} of "
        f"{worst['group']}, {worst['distance']:.2g}",
        advice="influence(groups=...) fits without each level; report whether the conclusions hold"
        if len(above)
        else "",
        table=table.head(max(_SHOWN, min(len(above), 2 * _SHOWN))).reset_index(drop=True),
    )
