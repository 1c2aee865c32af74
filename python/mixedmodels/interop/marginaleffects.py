"""
Fitted models for the package marginaleffects (Arel-Bundock, Greifer & Heiss 2024).

It knows a model by an object with coefficients, their covariance matrix, the data, and functions that make a
design matrix and predictions. Predictions are for random effects of zero; on the scale of the mean they are
predictions for a typical group, not averages over groups.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import one_of
from ..design.used_rows import UsedData, naming_left_out, used_data
from ..errors import ArgumentError
from ..fit.state import FittedModel, fitted_of
from ..formula.nodes import is_plain, variables
from ..frame import Factor, Frame
from ..inference.basis.choice import basis_of
from ..inference.basis.robust import robust_covariance
from ..prediction.fixed_part import determined_x

TYPES = ("response", "link")


def adapt(model: Any, type: str = "response") -> Any:
    """
    A model as marginaleffects takes it.

    Parameters
    ----------
    model : MixedModel
    type : {"response", "link"}
        The scale of predictions: means, or the linear predictor.

    Returns
    -------
    object
        For ``predictions``, ``comparisons``, ``slopes`` and ``hypotheses`` of marginaleffects. ``vcov`` may
        be True, False, a covariance matrix of the coefficients, or for a linear mixed model "CR0", "CR1" or
        "CR2" (see :func:`mixedmodels.vcov_cluster`). Tests are z tests.

    Raises
    ------
    ArgumentError
        For an unknown type of predictions.
    ImportError
        When marginaleffects is not installed.

    Examples
    --------
    >>> from marginaleffects import avg_slopes                    # doctest: +SKIP
    >>> from mixedmodels import lmer, load_sleepstudy             # doctest: +SKIP
    >>> from mixedmodels.interop.marginaleffects import adapt     # doctest: +SKIP
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())  # doctest: +SKIP
    >>> avg_slopes(adapt(m))                                      # doctest: +SKIP
    """
    one_of("type", type, TYPES)
    fitted = fitted_of(model)
    adapter, vault = _classes()
    return adapter(fitted, type, model, vault)


def design_matrix(fitted: FittedModel, newdata: Any) -> NDArray[np.float64]:
    """The kept columns of X for new rows and their offset as one more column, shape (n, rank + 1)."""
    recipe = fitted.design.recipe
    if fitted.arguments.offset is not None:
        raise ArgumentError(
            "marginaleffects needs the offset in the formula, as offset(...): it knows no offset= argument"
        )
    frame = Frame.from_any(newdata, what="newdata")
    with naming_left_out(fitted.design, fitted.arguments):
        x = determined_x(fitted, frame)[:, fitted.estimates.kept]
    offset = recipe.new_offset(frame)
    return np.column_stack([x, np.zeros(len(x)) if offset is None else offset])


def predicted(
    fitted: FittedModel, type: str, coefficients: NDArray[np.float64], matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Predictions for other coefficients, shape (n,)."""
    eta = matrix[:, :-1] @ coefficients + matrix[:, -1]
    return fitted.family.mean(eta) if type == "response" else eta


def covariance_for(fitted: FittedModel, vcov: Any) -> NDArray[np.float64] | None:
    """
    The covariance matrix that the argument ``vcov`` of marginaleffects asks for.

    Parameters
    ----------
    fitted : FittedModel
    vcov : bool, None, {"CR0", "CR1", "CR2"}, RobustCovariance or array-like
        True for the model's own matrix, False or None for none.

    Raises
    ------
    ArgumentError
        For the covariance matrix of another model, and what is not a covariance matrix.
    """
    if vcov is None or isinstance(vcov, bool):
        return np.array(fitted.covariance()) if vcov else None
    if isinstance(vcov, str):
        return robust_covariance(fitted, type=vcov).covariance
    return basis_of(fitted, vcov=vcov).covariance


@cache
def _classes() -> tuple[Any, Any]:
    """The adapter, made when marginaleffects is first needed."""
    from marginaleffects.classes import ModelAbstract, ModelVault  # type: ignore[import-not-found]

    base: Any = ModelAbstract

    class Adapter(base):
        def __init__(self, fitted: FittedModel, type: str, model: Any, vault: Any) -> None:
            self._fitted, self._type = fitted, type
            super().__init__(model, vault(**_facts(fitted)))

        def validation(self) -> None:
            # What it would check holds by construction, and the types are known.
            self.coef, self.formula = self.vault.coef, self.vault.formula
            self.response_name = self.find_response()
            self.vault.variables_type = _types(self.vault.modeldata)

        def get_vcov(self, vcov: Any = True) -> NDArray[np.float64] | None:
            return covariance_for(self._fitted, vcov)

        def get_exog(self, newdata: Any) -> NDArray[np.float64]:
            return design_matrix(self._fitted, newdata)

        def get_predict(self, params: Any, newdata: Any) -> Any:
            import polars as pl

            values = predicted(self._fitted, self._type, np.asarray(params), np.asarray(newdata))
            rows = pl.Series(range(len(values)), dtype=pl.Int32)
            return pl.DataFrame({"rowid": rows, "estimate": values})

    return Adapter, ModelVault


def _facts(fitted: FittedModel) -> dict[str, Any]:
    """The facts about a model that marginaleffects stores."""
    kept = fitted.estimates.kept
    predictors, response = _variables(fitted)
    used = used_data(fitted.design, fitted.arguments)
    right = " + ".join(map(_quoted, predictors)) or "1"
    return {
        "coef": np.array(fitted.estimates.beta[kept]),
        "coefnames": np.array([fitted.design.x_names[j] for j in kept]),
        "vcov": np.array(fitted.covariance()),
        "formula": f"{_quoted(response)} ~ {right}",
        "variable_names": [response, *predictors],
        "modeldata": _polars(used, fitted.design.formula.variables),
        "package": "mixedmodels",
    }


def _variables(fitted: FittedModel) -> tuple[list[str], str]:
    """The columns that the fixed part reads, and one that the response reads."""
    formula = fitted.design.formula
    response = variables(formula.response_node)[0]
    nodes = [*fitted.design.recipe.fixed.nodes, *formula.offset_nodes]
    names = dict.fromkeys(name for node in nodes for name in variables(node))
    return [name for name in names if name != response], response


def _quoted(name: str) -> str:
    return name if is_plain(name) else f"`{name}`"


def _polars(used: UsedData, names: Any) -> Any:
    """The rows used as marginaleffects takes them: factors as enumerations."""
    import polars as pl

    columns = {}
    for name in names:
        column = used.frame.column(name)
        if isinstance(column, Factor):
            labels = column.labels()
            values = [labels[code] for code in column.codes]
            columns[name] = pl.Series(values, dtype=pl.Enum(labels))
        elif column.kind == "bool":
            columns[name] = pl.Series(column.values == 1)
        else:
            columns[name] = pl.Series(column.stored if column.integers else column.values)
    return pl.DataFrame(columns)


def _types(data: Any) -> dict[str, str]:
    """Types of the columns in the words of marginaleffects, which decide how it compares values."""
    import polars as pl

    result = {}
    for name in data.columns:
        column = data[name]
        if column.dtype == pl.Enum:
            result[name] = "character"
        elif column.dtype == pl.Boolean:
            result[name] = "boolean"
        elif np.isin(column.to_numpy(), (0, 1)).all():
            result[name] = "binary"
        else:
            result[name] = "integer" if column.dtype.is_integer() else "numeric"
    return result
