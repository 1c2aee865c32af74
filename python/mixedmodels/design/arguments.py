"""The arguments of a fit that decide on its design, as one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..checks import one_of

NaAction = Literal["omit", "exclude", "fail"]


@dataclass(frozen=True, eq=False, kw_only=True)
class DesignArguments:
    """
    The arguments of a fit that decide on its design.

    Attributes
    ----------
    formula : str
        lme4-style, see :func:`mixedmodels.formula.parse_formula`.
    data : data frame
        Anything :class:`mixedmodels.frame.Frame` takes, n rows. In a fitted model the Frame of the columns
        that the fit read, see :meth:`~mixedmodels.frame.Frame.kept`.
    weights : str or array-like of shape (n,), optional
        Prior weights, finite and not negative; numbers of trials for the binomial family. Rows of weight
        zero are left out like missing ones.
    offset : str or array-like of shape (n,), optional
        Added to the offsets of the formula. A text is a column or an expression of columns.
    contrasts : mapping of str to contrasts, or str, optional
        For each factor what :func:`mixedmodels.design.make_contrast` takes. Ordered factors have "poly" by
        default, others "treatment". One name, such as ``"sum"``, is for all factors. A mapping in the mapping
        is for one part of the formula: "fixed", "random", a grouping factor or a random-effects term.
    na_action : {"omit", "exclude", "fail"}
        What to do with rows that have missing values; also in R's spelling, ``"na.omit"``.
    subset : str or array-like of bool of shape (n,), optional
        Rows to use: a mask, or a condition such as ``"age > 30 & sex == 'F'"``.
    functions : mapping of str to callable, optional
        Your own functions for the formula; trusted code.
    of_arrays : bool
        Whether the columns were given as arrays: nothing says which of them belong to one variable.
    """

    formula: str
    data: Any
    weights: Any = None
    offset: Any = None
    contrasts: Any = None
    na_action: str = "omit"
    subset: Any = None
    functions: Mapping[str, Callable[..., Any]] | None = None
    of_arrays: bool = False


def check_action(action: Any) -> NaAction:
    """The ``na_action`` argument, also in R's spelling."""
    name = action.removeprefix("na.") if isinstance(action, str) else action
    return one_of("na_action", name, ("omit", "exclude", "fail"))
