"""The result of a bootstrap: replicates, summary, intervals."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
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
from ..render.page import Page
from ..render.printed import Printed
from ..render.result_table import ResultTable
from ..render.style import Style
from ..repeat.progress import Listener
from ..wording import counted
from .intervals import KINDS, IntervalKind
from .jackknife import accelerations, independent_units
from .limits import UNSUITED, WORDS, Distribution, all_limits, limits_table
from .notes import notes_on_replicates
from .replicates import Plan
from .summary import summary_table

_ARRAYS = {
    "values": np.float64,
    "estimate": np.float64,
    "numbers": np.int64,
    "singular": np.bool_,
    "free": np.bool_,
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
    free : ndarray of bool, shape (q,)
        Whether each is estimated: not held fixed and not dropped.
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
    free: NDArray[np.bool_]
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
        """Replicates without a finite optimum, as when predictors separate the outcomes."""
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
        suited = all(self._suited(j) for j in range(len(self.names)))
        notes = [*([] if suited else [UNSUITED]), *self._notes()]
        heading = f"{self.about}, {counted(self.n, 'replicate')}"
        return summary_table(self.names, self.estimate, columns, heading, notes)

    def confint(
        self,
        level: float = 0.95,
        kind: IntervalKind = "percentile",
        parm: str | list[str] | None = None,
        *,
        executor: Executor | None = None,
        progress: bool | Listener = False,
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
            that correct for bias and skewness; the acceleration comes from refits without each unit that
            "cases" or "wild" draw, else each level of the grouping factor that contains all others, or of the
            largest. "shortest": the shortest interval with that share of the replicates.
        parm : str or list of str, optional
            Parameters by name or pattern (``"sd_*"``), ``"theta_"`` for all variance parameters, ``"beta_"``
            for all coefficients; by default all.
        executor : Executor, optional
            For "bca": where the refits without each level run, as for `bootstrap`; by default here.
        progress : bool or callable, default False
            For "bca": as for `bootstrap`, of these refits. Those of most linear models take no time.

        Returns
        -------
        ResultTable
            Two columns named by their percentages; ``notes`` say why limits are NaN, and which are the
            outermost replicates.

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
        about = f"{self.about[0].lower()}{self.about[1:]}, {counted(self.n, 'replicate')}"
        notes = [f"{WORDS[kind]} limits; {about}"]
        if kind == "bca" and self._plan is not None:
            notes.append(f"Acceleration by deletion of the levels of {independent_units(self._plan)[0]}")
        distributions = self._distributions(self._places(parm), kind, executor, progress)
        return limits_table(distributions, level, kind, notes, self._notes())

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
        >>> from tempfile import TemporaryDirectory
        >>> from mixedmodels import Bootstrap, lmer, load_dyestuff
        >>> boot = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).bootstrap(50, rng=1)
        >>> with TemporaryDirectory() as folder:
        ...     boot.save(f"{folder}/dyestuff.parquet")
        ...     Bootstrap.load(f"{folder}/dyestuff.parquet").n
        50
        """
        from .stored import write

        columns = (self.numbers, self.status, self.messages, self.singular)
        about = {name: getattr(self, name) for name in ("type", "about", "names", "kinds", "n_asked")}
        about["free"] = self.free.tolist()
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
        >>> from tempfile import TemporaryDirectory
        >>> from mixedmodels import Bootstrap, lmer, load_dyestuff
        >>> boot = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff()).bootstrap(50, rng=1)
        >>> with TemporaryDirectory() as folder:
        ...     boot.save(f"{folder}/dyestuff.parquet")
        ...     Bootstrap.load(f"{folder}/dyestuff.parquet").confint().equals(boot.confint())
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
            all_limits(self._distributions(places, kind), level, kind),
            ax,
        )

    def _present(self, j: int, finite: bool = False) -> NDArray[np.float64]:
        """The values of a parameter where it has any; `finite`: without those of unbounded estimates."""
        values = self.values[:, j]
        good = np.isfinite(values)
        if finite and self.n_unbounded:
            good &= np.array([status != UNBOUNDED for status in self.status])
        return values[good]

    def _suited(self, j: int) -> bool:
        """The wild bootstrap changes the variances within clusters by far too much, or not at all."""
        return self.type != "wild" or self.kinds[j] in ("coefficient", "statistic")

    def _distributions(self, places: list[int], kind: str, *run: Any) -> list[Distribution]:
        accelerations = self._accelerated(*run) if kind == "bca" else np.full(len(self.names), np.nan)
        # Infinite estimates are beyond all others: as quantiles they count, not in means.
        return [
            Distribution(
                self.names[j],
                float(self.estimate[j]),
                self._present(j, finite=kind == "normal"),
                bool(self.free[j]),
                self._suited(j),
                float(accelerations[j]),
            )
            for j in places
        ]

    @property
    def acceleration(self) -> NDArray[np.float64]:
        """The acceleration constants of BCa limits, shape (q,); computed when they are first needed."""
        return self._accelerated()

    def _accelerated(self, *run: Any) -> NDArray[np.float64]:
        if "acceleration" not in self._known:
            if self._plan is None:
                raise ArgumentError(
                    "confint: kind='bca' needs the model, which a file does not hold, nor the pickle of a "
                    "result whose statistic cannot be pickled; call confint(kind='bca') before you save"
                )
            found = accelerations(self._plan, *run)
            self._known.setdefault("acceleration", read_only(found))
        return self._known["acceleration"]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_plan": None if self._plan is None else self._plan.sendable()}

    def _places(self, parm: Any) -> list[int]:
        parts = zip(self.names, self.kinds, self.estimate.tolist(), strict=True)
        rows = [ParameterRow(name, kind, (j,), value, True) for j, (name, kind, value) in enumerate(parts)]
        return [row.place[0] for row in chosen_rows("parm", parm, rows)]

    def _notes(self) -> list[str]:
        return notes_on_replicates(self.n_asked, self.status, self.n_singular)

    def _page(self, style: Style) -> Page:
        return self.summary()._page(style)


def bootstrap_of(
    *, plan: Plan | None = None, known: Mapping[str, Any] | None = None, **parts: Any
) -> Bootstrap:
    """A result from its parts, whose arrays are closed to writing."""
    for name, dtype in _ARRAYS.items():
        parts[name] = read_only(parts[name], dtype)
    return Bootstrap(**parts, _plan=plan, _known=dict(known or {}))
