"""Tables of the results in the layout of statsmodels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.iolib.summary2 import Summary

from .constraints import check_alpha

_TITLE = "Mixed Linear Model Regression Results"


def summary(
    results: Any,
    yname: str | None,
    xname_fe: list[str] | None,
    xname_re: list[str] | None,
    title: str | None,
    alpha: float,
) -> Any:
    """The tables; see `MixedLMResults.summary`."""
    check_alpha(alpha)
    names = list(results.model.data.param_names)
    k_fe = results.k_fe
    names[:k_fe] = _renamed("xname_fe", xname_fe, names[:k_fe])
    names[k_fe:] = _renamed("xname_re", xname_re, names[k_fe:])
    page = Summary()
    page.add_dict(_facts(results, results.model.endog_names if yname is None else yname))
    page.add_title(_TITLE if title is None else title)
    page.add_df(_estimates(results, names, alpha), align="r")
    return page


def _renamed(argument: str, given: list[str] | None, names: list[str]) -> list[str]:
    if given is None:
        return names
    if len(given) != len(names):
        raise ValueError(f"{argument} should be a list of length {len(names):d}, one for each of {names}")
    return list(given)


def _facts(results: Any, yname: str) -> dict[str, Any]:
    sizes = results.group_sizes
    # The left column, then the right one.
    return {
        "Model:": "MixedLM",
        "No. Observations:": str(results.nobs),
        "No. Groups:": str(len(sizes)),
        "Min. group size:": f"{sizes.min():.0f}",
        "Max. group size:": f"{sizes.max():.0f}",
        "Mean group size:": f"{sizes.mean():.1f}",
        "Dependent Variable:": yname,
        "Method:": results.method,
        "Scale:": results.scale,
        "Log-Likelihood:": results.llf,
        "Converged:": "Yes" if results.converged else "No",
    }


def _estimates(results: Any, names: list[str], alpha: float) -> pd.DataFrame:
    """Tests and intervals for the fixed effects; for variances neither, as they are not near normal."""
    k_fe, k_re = results.k_fe, results.k_re
    table = np.full((len(names), 6), np.nan)
    estimate, error = np.asarray(results.fe_params), np.asarray(results.bse_fe)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = estimate / error
    reach = norm.ppf(1.0 - alpha / 2.0) * error
    table[:k_fe] = np.column_stack(
        [estimate, error, z, 2.0 * norm.sf(np.abs(z)), estimate - reach, estimate + reach]
    )
    lower = np.tril_indices(k_re)
    table[k_fe:, 0] = np.concatenate([np.asarray(results.cov_re)[lower], results.vcomp])
    table[k_fe:, 1] = results.bse_re
    columns = ["Coef.", "Std.Err.", "z", "P>|z|", f"[{alpha / 2}", f"{1 - alpha / 2}]"]
    texts = [[f"{value:.3f}" if np.isfinite(value) else "" for value in row] for row in table]
    return pd.DataFrame(texts, index=names, columns=columns)
