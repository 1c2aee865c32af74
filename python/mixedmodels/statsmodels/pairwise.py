"""Comparisons of the levels of a factor in pairs."""

from __future__ import annotations

from typing import Any

from statsmodels.stats.contrast import t_test_pairwise


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
    return t_test_pairwise(
        _AllParameters(results), term_name, method=method, alpha=alpha, factor_labels=factor_labels
    )
