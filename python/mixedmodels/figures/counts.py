"""Frequencies of counts in the data and under a model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import one_of, whole_number
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..formula.nodes import Binary, Call, write
from ..plot.counts import STYLES, rootogram

# More counts than these are thin lines, and rows times counts fill the memory.
_MOST_COUNTS = 400
_BLOCK = 2_000_000


def plot_rootogram(fitted: FittedModel, style: Any = "hanging", most: Any = None, ax: Any = None) -> Any:
    """A rootogram, see `MixedModel.plot_rootogram`."""
    one_of("style", style, STYLES)
    y = _counts(fitted)
    largest = int(y.max(initial=0))
    top = min(largest, _MOST_COUNTS) if most is None else whole_number("most", most, 1)
    observed = np.bincount(np.minimum(y, top + 1), minlength=top + 2)[: top + 1].astype(float)
    expected = expected_frequencies(fitted, top)
    beyond = int((y > top).sum())
    remark = f"{beyond:,} counts above {top:,} are not drawn" if beyond else ""
    return rootogram(np.arange(top + 1.0), observed, expected, style, _axis(fitted), remark, ax)


def _axis(fitted: FittedModel) -> str:
    """What is counted: of a proportion or of two columns the successes, and not what the formula says."""
    form, node = fitted.design.form, fitted.design.formula.response_node
    if not form.binomial:
        return fitted.design.response_name
    if form.labels:
        return f"{fitted.design.response_name} (1: {form.labels[-1]})"
    counted = node.arguments[0] if isinstance(node, Call) else node.left if isinstance(node, Binary) else None
    if form.kind == "counts" and counted is not None:
        return f"number of successes ({write(counted)})"
    several = bool((fitted.prior_weights > 1.0).any())
    return f"number of successes ({fitted.design.response_name})" if several else fitted.design.response_name


def expected_frequencies(fitted: FittedModel, top: int) -> NDArray[np.float64]:
    """The sums over the rows of the probabilities of 0, 1, ... `top`, given the random effects."""
    family, trials = fitted.family, fitted.prior_weights
    mu, dispersion = fitted.mean, fitted.dispersion
    unit = trials if family.support == "proportions" else np.ones(len(mu))
    total = np.zeros(top + 1)
    counts = np.arange(top + 1.0)
    step = max(1, _BLOCK // (top + 1))
    for start in range(0, len(mu), step):
        part = slice(start, start + step)
        m, w, u = mu[part, None], trials[part, None], unit[part, None]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            shares = family.cumulative(counts / u, m, w, dispersion)
        total += np.diff(shares, axis=1, prepend=0.0).sum(axis=0)
    return np.maximum(total, 0.0)


def _counts(fitted: FittedModel) -> NDArray[np.int64]:
    family = fitted.family
    if family.support not in ("counts", "proportions"):
        raise ArgumentError(
            f"plot_rootogram is for counts, not for family {family.name}; plot_diagnostics() is for all "
            "families"
        )
    return np.round(fitted.design.y).astype(np.int64)
