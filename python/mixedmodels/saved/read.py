"""From a file to a fitted model, without its data or with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import check_path
from ..design.without_data import design_without_data, frame_without_data
from ..errors import ArgumentError, DataError, MixedModelError, ModelFileError
from ..fit.fitted_generalized import FittedGeneralized
from ..fit.fitted_linear import FittedLinear
from ..fit.pickled import linear_predictor
from ..fit.record import read_only
from ..fit.state import FittedModel
from ..fit.without_data import GeneralizedWithoutData, GivenValues, LinearWithoutData, Stored, effects_from
from ..formula import check_functions
from ..frame import Frame
from ..notices import silent
from .container import DAMAGE, unpacked
from .facts import by_function
from .parts import check_condensed, check_types

Functions = Mapping[str, Callable[..., Any]] | None
# Of the criterion at the estimates, when the model gets its data again.
_AGREEMENT = 1e-6


def loaded(path: Any, data: Any = None, functions: Functions = None) -> FittedModel:
    """Read a model file, see :func:`mixedmodels.load`."""
    if hasattr(path, "read"):
        content, what = path.read(), "the file"
        if not isinstance(content, bytes):
            raise ArgumentError(
                "load: path is a file that was opened for text; open it for bytes, open(path, 'rb')"
            )
    else:
        check_path("load", "path", path)
        content, what = Path(path).read_bytes(), str(path)
    return opened(content, data, functions, what)


def opened(
    content: bytes, data: Any = None, functions: Functions = None, what: str = "the model"
) -> FittedModel:
    """The model in the bytes of a file."""
    parts = unpacked(content, what)
    try:
        known = _own_functions(parts["functions"], functions)
        _complete(parts)
        if data is not None:
            return _with_data(parts, data, known)
        return _without_data(parts, content, known)
    except ModelFileError as error:
        raise ModelFileError(f"{what} cannot be loaded: {error}") from None
    except MixedModelError:
        raise
    except DAMAGE as error:
        raise ModelFileError(f"{what} cannot be loaded: it is damaged ({type(error).__name__})") from None


def _own_functions(names: tuple[str, ...], functions: Functions) -> dict[str, Any]:
    """The functions of the caller that the formula calls."""
    given = check_functions(functions)
    missing = [name for name in names if name not in given]
    if missing:
        raise ArgumentError(
            f"load: the formula calls functions of your own, which a file cannot hold: give functions= with "
            f"{', '.join(map(repr, missing))}"
        )
    return {name: given[name] for name in names}


def _complete(parts: dict[str, Any]) -> None:
    """Compute b where the file has u only; refuse estimates that do not belong to the design."""
    check_types(parts)
    estimates, design = parts["estimates"], design_without_data(parts["design"])
    shapes = [(len(term.group.levels), len(term.names)) for term in design.terms]
    good = shapes == [u.shape for u in estimates.u]
    # Before anything is made whose size is that of theta.
    good = good and estimates.theta.shape == (sum(term.structure.n_parameters for term in design.terms),)
    if good and estimates.b is None:
        b = tuple([read_only(part) for part in effects_from(design, estimates)])
        parts["estimates"] = estimates = dataclasses.replace(estimates, b=b)
    rank, p = len(estimates.kept), len(design.x_names)
    good = good and estimates.beta.shape == (p,) and rank <= p
    good &= bool((estimates.kept >= 0).all() and (estimates.kept < p).all())
    good &= len(design.terms) == len(estimates.b) == len(parts["term_roots"])
    if not good or shapes != [b.shape for b in estimates.b]:
        raise ModelFileError("it is damaged: its estimates do not belong to its design")
    check_condensed(parts["condensed"], design)


def _without_data(parts: Mapping[str, Any], content: bytes, functions: dict[str, Any]) -> FittedModel:
    described = parts["design"]
    recipe = dataclasses.replace(described["parts"]["recipe"], functions=functions)
    design = design_without_data({**described, "parts": {**described["parts"], "recipe": recipe}})
    frame = frame_without_data(parts["columns"])
    arguments = dataclasses.replace(parts["arguments"], data=frame, functions=functions or None)
    common: dict[str, Any] = {
        "design": design,
        "arguments": arguments,
        "estimates": parts["estimates"],
        "term_roots": parts["term_roots"],
        "stored": Stored(content, parts["condensed"]),
        "opened": _Reopened(functions),
    }
    fitted: FittedModel
    if parts["kind"] == "linear":
        fitted = LinearWithoutData(reml=parts["restricted"], **common)
    else:
        fitted = GeneralizedWithoutData(**common)
    fitted._results.update(by_function(parts["facts"]))
    return fitted.concluded(parts["convergence"])


class _Reopened:
    """Opens the bytes of a file with the functions of the caller; it can be pickled."""

    def __init__(self, functions: dict[str, Any]) -> None:
        self.functions = functions

    def __call__(self, content: bytes) -> FittedModel:
        return opened(content, None, self.functions)


def _with_data(parts: Mapping[str, Any], data: Any, functions: dict[str, Any]) -> FittedModel:
    arguments = parts["arguments"]
    for name in ("weights", "offset", "subset", "contrasts", "fixed"):
        if isinstance(getattr(arguments, name), GivenValues):
            raise ArgumentError(
                f"load: the model was fitted with {name}= as values, which the file does not hold, so data= "
                "cannot complete it; fit the model again"
            )
    frame = Frame.from_any(data)
    arguments = dataclasses.replace(arguments, data=frame, functions=functions or None)
    estimates = parts["estimates"]
    if parts["design"]["parts"]["new_response"]:
        raise ArgumentError(
            "load: the response of the model was given to refit(), so data= cannot complete it; fit it again"
        )
    kind: Any = FittedLinear if parts["kind"] == "linear" else FittedGeneralized
    given = {"reml": parts["restricted"]} if parts["kind"] == "linear" else {}
    # The design comes from the arguments, which a state has.
    bare = kind(
        design=None, arguments=arguments, estimates=estimates, term_roots=parts["term_roots"], **given
    )
    with silent():
        design = bare._build_design()
    _check_same(design, parts["design"])
    rows = {bare._rows_of_estimates(): read_only(linear_predictor(design, estimates))}
    fitted = kind(
        design=design,
        arguments=dataclasses.replace(arguments, data=frame.kept()),
        estimates=dataclasses.replace(estimates, **rows),
        term_roots=parts["term_roots"],
        **given,
    )
    fitted = fitted.concluded(parts["convergence"])
    _check_criterion(fitted)
    return fitted


def _check_same(design: Any, described: Mapping[str, Any]) -> None:
    """Refuse data with other rows, columns or levels."""
    n, wanted = design.n_rows, described["counts"]["n_rows"]
    if n != wanted:
        raise DataError(
            f"load: data gives {n} rows, but the model was fitted to {wanted}: these are other data"
        )
    if design.x_names != described["parts"]["x_names"]:
        raise DataError(
            "load: data gives other columns of the model matrix than in the fit: these are other data"
        )
    for term, own in zip(design.terms, described["terms"], strict=True):
        if term.group.levels != own["levels"] or term.names != own["names"]:
            raise DataError(
                f"load: data gives other levels or columns of {own['text']} than in the fit: these are other "
                "data"
            )


def _check_criterion(fitted: Any) -> None:
    """Refuse data whose criterion or coefficients at the estimates are others."""
    own = fitted.estimates
    wanted = own.objective
    try:
        found = fitted.at(own.theta, own.beta, fitted.dispersion).estimates
        other = float(found.objective)
    except MixedModelError:
        return
    if np.isfinite(other) and abs(other - wanted) > _AGREEMENT * (1.0 + abs(wanted)):
        raise DataError(
            f"load: the criterion of these data at the estimates is {other:.7g}, and it was {wanted:.7g} in "
            "the fit: these are other data"
        )
    # The criterion of a linear model does not change with what the fixed part can make up for.
    free = own.free
    errors = np.sqrt(np.diag(fitted.conditional_covariance())[np.isin(own.kept, free)])
    if (np.abs(found.beta[free] - own.beta[free]) > _AGREEMENT * (errors + np.abs(own.beta[free]))).any():
        raise DataError("load: these data give other coefficients at the estimates: these are other data")
