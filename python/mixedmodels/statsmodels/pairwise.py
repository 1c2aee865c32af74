"""Comparisons of the levels of a factor in pairs."""

from __future__ import annotations

from typing import Any

from statsmodels.formula._manager import FormulaManager
from statsmodels.stats.contrast import t_test_pairwise

from .constraints import check_alpha


class _AllParameters:
    """
    Results whose `t_test` takes a column for each entry of `params`.

    statsmodels' comparisons make such contrasts. The `t_test` of a mixed model refuses them, as it is for the
    fixed effects alone.
    """

    def __init__(self, results: Any) -> None:
        self._results = results

    def __getattr__(self, name: str) -> Any:
        return getattr(self._results, name)

    def t_test(self, r_matrix: Any) -> Any:
        return self._results.t_test(r_matrix[:, : self._results.k_fe])


def pairwise_tests(results: Any, term_name: str, method: Any, alpha: float, factor_labels: Any) -> Any:
    """The comparisons of a factor; see `MixedLMResults.t_test_pairwise`."""
    check_alpha(alpha)
    known = _factors(getattr(results.model.data, "model_spec", None))
    if term_name not in known:
        there = f"one of {', '.join(map(repr, known))}" if known else "but the formula has none"
        raise ValueError(f"term_name must be the main effect of a factor, {there}; got {term_name!r}")
    return t_test_pairwise(
        _AllParameters(results), term_name, method=method, alpha=alpha, factor_labels=factor_labels
    )


def _factors(spec: Any) -> list[str]:
    """The main effects of factors in a formula, by their names there."""
    if spec is None:
        return []
    manager, found = FormulaManager(), []
    for name, term in zip(manager.get_term_names(spec), spec.terms, strict=True):
        if len(term.factors) != 1:
            continue
        try:
            categories = manager.get_factor_categories(term.factors[0], spec)
        # Numbers have no categories, in either formula engine.
        except (KeyError, TypeError, AttributeError):
            continue
        if categories is not None:
            found.append(str(name))
    return found
