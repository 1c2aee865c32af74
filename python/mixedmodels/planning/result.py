"""The power of a test, estimated by simulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..fit.refits import FAILED
from ..render.numbers import format_number
from ..render.page import Facts, Page, Section
from ..render.printed import Printed
from ..render.style import Style
from ..wording import counted, one_line
from .wilson import wilson_interval

# Different messages that the printed result shows.
_SHOWN = 3


@dataclass(frozen=True, eq=False, repr=False)
class Power(Printed):
    """
    The power of a test, estimated by simulation; made by :func:`mixedmodels.power`.

    A simulation without a p-value, because a model could not be fitted or the test does not exist, counts as
    not significant.

    Attributes
    ----------
    test : str
        What was tested.
    effect : float
        The true value of the function of the coefficients that was tested; NaN unless it is a single one.
    formula : str
    n_obs : int
        Rows of the design.
    groups : dict of str to int
        Numbers of levels.
    alpha, level : float
        Level of significance, and level of the confidence interval.
    p_values, statistics, estimates : ndarray, shape (nsim,)
        Of each simulation; NaN for what there is not.
    singular : ndarray of bool, shape (nsim,)
        Whether the fit is singular.
    status, messages : tuple of str
        How each fit ended, ``"failed"`` without a p-value, and why.
    """

    test: str
    effect: float
    formula: str
    n_obs: int
    groups: dict[str, int]
    alpha: float
    level: float
    p_values: NDArray[np.float64]
    statistics: NDArray[np.float64]
    estimates: NDArray[np.float64]
    singular: NDArray[np.bool_]
    status: tuple[str, ...]
    messages: tuple[str, ...]

    @property
    def nsim(self) -> int:
        """Number of simulations."""
        return len(self.p_values)

    @property
    def significant(self) -> int:
        """Number of simulations with a p-value below alpha."""
        return int(np.count_nonzero(self.p_values < self.alpha))

    @property
    def power(self) -> float:
        """Share of significant simulations."""
        return self.significant / self.nsim

    @property
    def limits(self) -> tuple[float, float]:
        """Wilson's confidence interval of the power."""
        return wilson_interval(self.significant, self.nsim, self.level)

    @property
    def failures(self) -> int:
        """Number of simulations without a p-value."""
        return self.status.count(FAILED)

    def __float__(self) -> float:
        return self.power

    def to_frame(self) -> pd.DataFrame:
        """
        The result as one row.

        Returns
        -------
        DataFrame
            Columns ``test``, ``effect``, ``power``, ``conf.low``, ``conf.high``, ``nsim``, ``significant``,
            ``failures``, ``singular`` (number of singular fits), ``alpha``, ``nobs``.
        """
        lower, upper = self.limits
        row = {
            "test": self.test,
            "effect": self.effect,
            "power": self.power,
            "conf.low": lower,
            "conf.high": upper,
            "nsim": self.nsim,
            "significant": self.significant,
            "failures": self.failures,
            "singular": int(self.singular.sum()),
            "alpha": self.alpha,
            "nobs": self.n_obs,
        }
        return pd.DataFrame([row])

    def simulations(self) -> pd.DataFrame:
        """
        One row for each simulation.

        Returns
        -------
        DataFrame
            Columns ``estimate``, ``statistic``, ``p.value``, ``singular``, ``status``, ``message``.
        """
        return pd.DataFrame(
            {
                "estimate": self.estimates,
                "statistic": self.statistics,
                "p.value": self.p_values,
                "singular": self.singular,
                "status": self.status,
                "message": self.messages,
            }
        )

    def _page(self, style: Style) -> Page:
        lower, upper = self.limits
        heading = [f"Power of the test: {one_line(self.test)} (alpha = {self.alpha:g})"]
        if np.isfinite(self.effect):
            heading.append(f"True value: {format_number(self.effect, style.digits or 4).strip()}")
        facts = Facts(
            (
                ("power", percent(self.power)),
                (f"{100 * self.level:g} % interval", f"{percent(lower)} to {percent(upper)}"),
                ("significant", f"{self.significant} of {self.nsim}"),
            )
        )
        return Page((Section(tuple(heading), facts, tuple(self._notes())),))

    def _notes(self) -> list[str]:
        sizes = ", ".join([f"{count} {one_line(name)}" for name, count in self.groups.items()])
        notes = [f"Model: {one_line(self.formula)}", f"Design: {counted(self.n_obs, 'row')}; {sizes}"]
        singular = int(self.singular.sum())
        if singular:
            notes.append(
                f"{counted(singular, 'singular fit')}, which {'is' if singular == 1 else 'are'} kept"
            )
        if self.failures:
            causes = [text for own, text in zip(self.status, self.messages, strict=True) if own == FAILED]
            first = list(dict.fromkeys(causes))
            more = f"; {len(first) - _SHOWN} other reasons" if len(first) > _SHOWN else ""
            notes.append(
                f"{counted(self.failures, 'simulation')} without a p-value, counted as not significant: "
                f"{'; '.join(first[:_SHOWN])}{more}"
            )
        return notes


def percent(share: float) -> str:
    """A share as a percentage with one decimal."""
    return f"{100 * share:.1f} %"
