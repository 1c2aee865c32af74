"""The result of a bootstrap: replicates, summary, intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import one_of, probability
from ..errors import ArgumentError
from ..fit.record import read_only
from ..fit.refits import FAILED, UNBOUNDED
from ..inference.estimates.parameter_rows import ParameterRow, chosen_rows
from ..inference.profiles.limits import percentages
from ..render.page import Page
from ..render.printed import Printed
from ..render.result_table import ResultTable, result_table
from ..render.style import Style
from ..wording import counted
from .intervals import KINDS, SIMPLE, IntervalKind, bca
from .jackknife import accelerations, largest_factor
from .replicates import Plan

_ARRAYS = {"values": np.float64, "estimate": np.float64, "numbers": np.int64, "singular": np.bool_}
_WORDS = {
    "percentile": "Percentile",
    "basic": "Basic bootstrap",
    "normal": "Normal",
    "bca": "BCa",
    "shortest": "Shortest",
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Bootstrap(Printed):
    """
    The replicates of a bootstrap; all arrays are read-only.

    A replicate that could not be fitted has NaN in every column, the status ``"failed"`` and a message.

    Attributes
    ----------
    type : {"parametric", "semiparametric", "cases", "wild"}
    about : str
        How the replicates were made, in words.
    names : tuple of str
        The q parameters, as in `confint`, or the parts of the statistic.
    kinds : tuple of str
        ``"sd"``, ``"cor"``, ``"scale"`` or ``"coefficient"``; ``"statistic"``.
    estimate : ndarray, shape (q,)
        Their values in the model.
    values : ndarray, shape (n, q)
        Their values in each replicate.
    numbers : ndarray of int, shape (n,)
        The replicates, counted from 1; with gaps only where a bootstrap in an executor was interrupted.
    status : tuple of str
        How each fit ended, ``"converged"`` or as in :attr:`FitMany.status`.
    messages : tuple of str
        Why a fit failed or did not converge; otherwise empty.
    singular : ndarray of bool, shape (n,)
        Whether each fit is singular.
    n_asked : int
        How many replicates were wanted; more than `n` after an interrupt.
    """

    type: str
    about: str
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    estimate: NDArray[np.float64]
    values: NDArray[np.float64]
    numbers: NDArray[np.int64]
    status: tuple[str, ...]
    messages: tuple[str, ...]
    singular: NDArray[np.bool_]
    n_asked: int
    _plan: Plan | None = None
    _known: dict[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Number of replicates."""
        return len(self.values)

    @property
    def n_failed(self) -> int:
        """Replicates without estimates."""
        return sum(status == FAILED for status in self.status)

    @property
    def n_unbounded(self) -> int:
        """Replicates with infinite coefficients, as predictors separate the outcomes."""
        return sum(status == UNBOUNDED for status in self.status)

    @property
    def n_singular(self) -> int:
        """Replicates with a singular fit."""
        return int(np.count_nonzero(self.singular))

    @property
    def replicates(self) -> pd.DataFrame:
        """The replicates (rows, by number) and parameters (columns); a copy."""
        index = pd.Index(self.numbers.copy(), name="replicate")
        return pd.DataFrame(self.values.copy(), index=index, columns=pd.Index(self.names, dtype=object))

    def to_frame(self) -> pd.DataFrame:
        """
        All replicates in long form.

        Returns
        -------
        DataFrame
            Columns ``replicate``, ``parameter`` and ``value``; n times q rows.
        """
        q = len(self.names)
        return pd.DataFrame(
            {
                "replicate": np.repeat(self.numbers, q),
                "parameter": np.tile(np.array(self.names, dtype=object), self.n),
                "value": self.values.ravel(),
            }
        )

    def summary(self) -> ResultTable:
        """
        Estimates, bias and standard errors.

        Returns
        -------
        ResultTable
            Columns ``estimate``, ``bias`` (mean of the replicates less the estimate), ``std.error`` (their
            standard deviation) and ``n``, the replicates that have a finite value.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> m = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff())
        >>> list(m.bootstrap(100, rng=1).summary().columns)
        ['estimate', 'bias', 'std.error', 'n']
        """
        columns = [self._present(j, finite=True) for j in range(len(self.names))]
        mean = [float(own.mean()) if len(own) else np.nan for own in columns]
        table = {
            "estimate": self.estimate,
            "bias": np.array(mean) - self.estimate,
            "std.error": [float(own.std(ddof=1)) if len(own) > 1 else np.nan for own in columns],
            "n": [len(own) for own in columns],
        }
        return result_table(
            table, list(self.names), [f"{self.about}, {counted(self.n, 'replicate')}"], self._notes()
        )

    def confint(
        self,
        level: float = 0.95,
        kind: IntervalKind = "percentile",
        parm: str | list[str] | None = None,
    ) -> ResultTable:
        """
        Confidence limits from the replicates.

        Parameters
        ----------
        level : float, default 0.95
            Confidence level.
        kind : {"percentile", "basic", "normal", "bca", "shortest"}, default "percentile"
            "percentile": quantiles of the replicates. "basic": these reflected at the estimate. "normal": the
            estimate less the bias ± a normal quantile times the standard error. "bca": percentiles at levels
            that correct for bias and skewness; the acceleration comes from refits without each level of the
            largest grouping factor. "shortest": the shortest interval with that share of the replicates.
        parm : str or list of str, optional
            Parameters by name or pattern (``"sd_*"``), ``"theta_"`` for all variance parameters, ``"beta_"``
            for all coefficients; by default all.

        Returns
        -------
        ResultTable
            Two columns named by their percentages.

        Raises
        ------
        ArgumentError
            For an unknown kind or parameter; for "bca" after `load`, unless the limits were computed before
            `save`.

        References
        ----------
        Davison & Hinkley (1997), Bootstrap Methods and their Application, chapter 5. Efron (1987), Better
        bootstrap confidence intervals, Journal of the American Statistical Association 82.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> m = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff())
        >>> m.bootstrap(200, rng=1).confint(kind="basic", parm="sigma").shape
        (1, 2)
        """
        level = probability("level", level)
        one_of("confint: kind", kind, KINDS)
        places = self._places(parm)
        limits = np.array([self._limits(j, level, kind) for j in places]).reshape(-1, 2)
        notes = [
            f"{_WORDS[kind]} limits; {self.about[0].lower()}{self.about[1:]}, {counted(self.n, 'replicate')}"
        ]
        if kind == "bca" and self._plan is not None:
            notes.append(f"Acceleration by deletion of the levels of {largest_factor(self._plan.fitted)}")
        if kind != "normal" and (self.n - self.n_failed + 1) * (1 - level) / 2 < 1:
            notes.append("Too few replicates for this level: limits are the smallest and the largest ones")
        table = result_table(
            dict(zip(percentages(level), limits.T, strict=True)),
            [self.names[j] for j in places],
            notes=[*notes, *self._notes()],
        )
        table.attrs.update(method="boot", level=level, kind=kind)
        return table

    def save(self, path: str | PathLike[str]) -> None:
        """
        Write the replicates to a Parquet file, which any tool for data reads.

        Parameters
        ----------
        path : path
            The new file: a row for each replicate with ``replicate``, ``status``, ``message``, ``singular``
            and the parameters. All else is metadata.

        Raises
        ------
        ArgumentError
            Without pyarrow.

        Examples
        --------
        >>> from mixedmodels import Bootstrap, lmer, load_dyestuff
        >>> boot = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).bootstrap(50, rng=1)
        >>> boot.save("dyestuff.parquet")
        >>> Bootstrap.load("dyestuff.parquet").n
        50
        """
        from .stored import write

        columns = (self.numbers, self.status, self.messages, self.singular)
        about = {name: getattr(self, name) for name in ("type", "about", "names", "kinds", "n_asked")}
        numbers = {"estimate": self.estimate, "acceleration": self._known.get("acceleration")}
        write(path, columns, self.values, about, numbers)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Bootstrap:
        """
        Read what `save` wrote.

        Parameters
        ----------
        path : path
            A file that `save` wrote.

        Returns
        -------
        Bootstrap
            Without the model, which BCa limits need unless they were computed before `save`.

        Raises
        ------
        ArgumentError
            Without pyarrow, and for a file of another kind.

        Examples
        --------
        >>> from mixedmodels import Bootstrap, lmer, load_dyestuff
        >>> boot = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).bootstrap(50, rng=1)
        >>> boot.save("dyestuff.parquet")
        >>> Bootstrap.load("dyestuff.parquet").confint().equals(boot.confint())
        True
        """
        from .stored import read

        return bootstrap_of(**read(path))

    def plot(
        self,
        ax: Any = None,
        *,
        parm: str | list[str] | None = None,
        level: float = 0.95,
        kind: IntervalKind = "percentile",
    ) -> Any:
        """
        The distribution of the replicates with estimate and confidence limits, a panel for each parameter.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw a single parameter; by default a new figure.
        parm, level, kind : as for `confint`, optional
            By default all parameters, 0.95 and "percentile".

        Returns
        -------
        matplotlib Axes
            An array of them for several parameters.

        Raises
        ------
        ArgumentError
            Without matplotlib; when `ax` is given for several parameters.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> boot = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).bootstrap(50, rng=1)
        >>> boot.plot(parm="sigma").get_title()
        'sigma'
        """
        from ..plot.distributions import distribution_plot

        level = probability("level", level)
        one_of("plot: kind", kind, KINDS)
        places = self._places(parm)
        return distribution_plot(
            [self.names[j] for j in places],
            [self._present(j) for j in places],
            self.estimate[places],
            np.array([self._limits(j, level, kind) for j in places]).reshape(-1, 2),
            ax,
        )

    def _present(self, j: int, finite: bool = False) -> NDArray[np.float64]:
        """The values of a parameter where it has any; `finite`: without those of unbounded estimates."""
        values = self.values[:, j]
        good = np.isfinite(values)
        if finite and self.n_unbounded:
            good &= np.array([status != UNBOUNDED for status in self.status])
        return values[good]

    def _limits(self, j: int, level: float, kind: str) -> tuple[float, float]:
        # Infinite estimates are beyond all others: as quantiles they count, not in means.
        values, estimate = self._present(j, finite=kind == "normal"), float(self.estimate[j])
        if not len(values) or not np.isfinite(estimate):
            return np.nan, np.nan
        if kind == "bca":
            return bca(values, estimate, level, float(self.acceleration[j]))
        return SIMPLE[kind](values, estimate, level)

    @property
    def acceleration(self) -> NDArray[np.float64]:
        """The acceleration constants of BCa limits, shape (q,); computed when they are first needed."""
        if "acceleration" not in self._known:
            if self._plan is None:
                raise ArgumentError(
                    "confint: kind='bca' needs the model, which a file does not hold; call "
                    "confint(kind='bca') before save(), and the file has what is needed"
                )
            found = read_only(accelerations(self._plan.fitted, self._plan.statistic))
            self._known.setdefault("acceleration", found)
        return self._known["acceleration"]

    def _places(self, parm: Any) -> list[int]:
        parts = zip(self.names, self.kinds, self.estimate.tolist(), strict=True)
        rows = [ParameterRow(name, kind, (j,), value, True) for j, (name, kind, value) in enumerate(parts)]
        return [row.place[0] for row in chosen_rows("parm", parm, rows)]

    def _notes(self) -> list[str]:
        notes = []
        if self.n < self.n_asked:
            notes.append(f"Interrupted: {self.n} of {self.n_asked} replicates")
        if self.n_failed:
            notes.append(f"{counted(self.n_failed, 'replicate')} without a fit left out; see messages")
        if self.n_unbounded:
            notes.append(
                f"{counted(self.n_unbounded, 'replicate')} with infinite coefficients (separation): in "
                "quantiles, but not in bias and standard errors"
            )
        unsettled = sum(status not in (FAILED, UNBOUNDED, "converged") for status in self.status)
        if unsettled:
            notes.append(f"{counted(unsettled, 'replicate')} did not converge")
        if self.n_singular:
            notes.append(f"{counted(self.n_singular, 'singular fit')}")
        return notes

    def _page(self, style: Style) -> Page:
        return self.summary()._page(style)


def bootstrap_of(
    *, plan: Plan | None = None, known: Mapping[str, Any] | None = None, **parts: Any
) -> Bootstrap:
    """A result from its parts, whose arrays are closed to writing."""
    for name, dtype in _ARRAYS.items():
        parts[name] = read_only(parts[name], dtype)
    return Bootstrap(**parts, _plan=plan, _known=dict(known or {}))
