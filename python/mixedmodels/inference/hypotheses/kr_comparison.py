"""F test of a smaller fixed part by Kenward and Roger's method."""

from __future__ import annotations

from ...errors import ArgumentError
from ...fit.fitted_linear import FittedLinear
from ...fit.state import FittedModel
from ..basis.choice import basis_of
from ..basis.headings import by_method
from ..basis.held_parameters import refuse_held_coefficients
from ..basis.kinds import notes_on_tests
from ..likelihood.likelihood_ratio import check_same_data
from ..likelihood.model_differences import described
from ..likelihood.reduced_fits import restriction
from .anova_table import AnovaTable, anova_table


def kenward_roger_comparison(full: FittedModel, reduced: FittedModel) -> AnovaTable:
    """Compare models that differ in their fixed parts, see :func:`mixedmodels.kr_compare`."""
    if not isinstance(full, FittedLinear) or not isinstance(reduced, FittedLinear):
        raise ArgumentError("kr_compare: Kenward and Roger's method is for linear mixed models")
    check_same_data([full, reduced], ["the full model", "the reduced model"])
    for model in (full, reduced):
        refuse_held_coefficients(model, "kr_compare", "compare the models by anova(m1, m2)")
    basis = basis_of(full, "kenward-roger")
    test = basis.joint(restriction(full, reduced))
    columns = {
        "F value": [test.statistic],
        "NumDF": [test.df1],
        "DenDF": [test.df2],
        "F scaling": [test.scaling],
        "Pr(>F)": [test.p_value],
    }
    heading = [by_method("F test", basis), *described([full, reduced], ["full", "reduced"])]
    return anova_table(columns, ["reduced"], heading, notes_on_tests(basis, [test]))
