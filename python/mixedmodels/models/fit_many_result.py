"""The result of `fit_many`."""

# pyright: basic
# pandas and scipy leave types open.
from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design import Predictors
from ..design.theta import slices
from ..render.numbers import format_fixed
from ..render.page import Page, Table
from ..render.printed import Printed
from ..render.result_table import ResultTable
from ..render.style import Style
from ..wording import counted

_SHOWN = 10


class ManyCoefficients(ResultTable):
    """The coefficients of many fits, with the columns of `tidy`; the earlier ``std_error`` is understood."""

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str) and key == "std_error":
            warnings.warn("the column std_error is now std.error", DeprecationWarning, stacklevel=2)
            key = "std.error"
        return super().__getitem__(key)


@dataclass(frozen=True, eq=False, repr=False)
class FitMany(Printed):
    """
    The fits of m responses to one design; all arrays are read-only.

    A response that could not be fitted has NaN in every array, the status ``"failed"`` and a message.

    Attributes
    ----------
    predictors : Predictors
        The design, in the rows with complete predictors.
    responses : tuple of str
    reml : bool
    theta : ndarray, shape (m, n_theta)
    beta, std_errors : ndarray, shape (m, p)
        Coefficients and their standard errors; NaN for dropped columns.
    sigma : ndarray, shape (m,)
    objective : ndarray, shape (m,)
        -2 log-likelihood (ML) or REML criterion.
    n_obs : ndarray of int, shape (m,)
        Rows used for each response.
    n_evaluations : ndarray of int, shape (m,)
    status : tuple of str
        ``"converged"``, ``"max_evaluations"``, ``"max_time"``, ``"no_progress"``, ``"unbounded"`` (the
        likelihood has no finite optimum) or ``"failed"``.
    messages : tuple of str
        An explanation of each status.
    singular : ndarray of bool, shape (m,)
    """

    predictors: Predictors
    responses: tuple[str, ...]
    reml: bool
    theta: NDArray[np.float64]
    beta: NDArray[np.float64]
    std_errors: NDArray[np.float64]
    sigma: NDArray[np.float64]
    objective: NDArray[np.float64]
    n_obs: NDArray[np.int64]
    n_evaluations: NDArray[np.int64]
    status: tuple[str, ...]
    messages: tuple[str, ...]
    singular: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.responses)

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Whether each end point counts as the optimum, shape (m,)."""
        return np.array([status == "converged" for status in self.status])

    @property
    def loglik(self) -> NDArray[np.float64]:
        """Log-likelihood, restricted for REML fits, shape (m,)."""
        return -0.5 * self.objective

    def to_frame(self) -> ResultTable:
        """
        The coefficients, a row for each response and term of the fixed effects.

        Returns
        -------
        ResultTable
            Columns ``response``, ``term``, ``estimate``, ``std.error`` and ``statistic``, the
            estimate over its standard error.
        """
        m, p = self.beta.shape
        with np.errstate(invalid="ignore", divide="ignore"):
            statistic = self.beta / self.std_errors
        return ManyCoefficients(
            {
                "response": np.repeat(np.array(self.responses, dtype=object), p),
                "term": np.tile(np.array(self.predictors.x_names, dtype=object), m),
                "estimate": self.beta.ravel(),
                "std.error": self.std_errors.ravel(),
                "statistic": statistic.ravel(),
            }
        )

    def summary_frame(self) -> pd.DataFrame:
        """
        The fits, a row for each response.

        Returns
        -------
        DataFrame
            Index: the response. Columns: ``objective, loglik, sigma``; the standard deviations
            (``sd_Days|Subject``) and correlations (``cor_Days.(Intercept)|Subject``) of the random effects;
            ``singular, converged, status, message, n_obs, n_evaluations``.
        """
        columns = {"objective": self.objective, "loglik": self.loglik, "sigma": self.sigma}
        columns |= self._components()
        columns |= {
            "singular": self.singular,
            "converged": self.converged,
            "status": np.array(self.status, dtype=object),
            "message": np.array(self.messages, dtype=object),
            "n_obs": self.n_obs,
            "n_evaluations": self.n_evaluations,
        }
        return pd.DataFrame(columns, index=pd.Index(self.responses, name="response", dtype=object))

    def _components(self) -> dict[str, NDArray[np.float64]]:
        found: dict[str, NDArray[np.float64]] = {}
        for term, part in slices(self.predictors):
            values = term.structure.natural(self.theta[:, part])
            for (kind, effects), value in zip(term.structure.effects(term.names), values.T, strict=True):
                name = f"{kind}_{'.'.join(reversed(effects))}|{term.group.label}"
                found[name] = self.sigma * value if kind == "sd" else value
        return found

    def _page(self, style: Style) -> Page:
        m = len(self)
        failed = sum(status == "failed" for status in self.status)
        criterion = "REML" if self.reml else "maximum likelihood"
        heading = [
            f"{counted(m, 'linear mixed model')} fitted by {criterion}: {self.predictors.formula}",
            f" {np.count_nonzero(self.converged)} converged, {np.count_nonzero(self.singular)} singular, "
            f"{failed} failed; {self.n_obs.max()} observations",
        ]
        kept = slice(0, _SHOWN if style.most_rows is not None else m)
        digits = style.digits or 4
        columns = [
            ("response", list(self.responses[kept])),
            ("objective", format_fixed(self.objective[kept], 3)),
        ]
        columns += [
            (name, [f"{value:.{digits}g}" for value in self.beta[kept, j]])
            for j, name in enumerate(self.predictors.x_names)
        ]
        columns += [("sigma", [f"{value:.{digits}g}" for value in self.sigma[kept]])]
        more = m - len(self.responses[kept])
        notes = [f" ... and {more} more; to_frame() and summary_frame() have all"] if more else []
        return Page.of(Table.from_columns(columns), heading, notes)
