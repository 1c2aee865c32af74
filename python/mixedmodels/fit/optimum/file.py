"""The file of an optimum: what is written, and how it is read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...checks import check_folder, check_path
from ...errors import ArgumentError
from ..arguments import ModelArguments
from ..fixed import Held
from ..record import Convergence, FitLog
from ..state import FittedModel
from .fingerprint import fingerprint
from .numbers import number, vector, written
from .optimum import optimum_of

FORMAT = "mixedmodels optimum"
VERSION = 1

_TEXTS = ("status", "message", "problem")
_COUNTS = ("n_evaluations", "n_gradients")
_FLAGS = ("converged", "checked", "unbounded")


def save(fitted: FittedModel, file: Any) -> None:
    """
    Write the optimum of a fit, see `MixedModel.save_optimum`.

    Raises
    ------
    ArgumentError
        When `file` is neither a name nor open for writing.
    """
    if not hasattr(file, "write"):
        check_path("save_optimum", "file", file)
        check_folder("save_optimum", Path(file))
    text = written(content_of(fitted))
    if isinstance(file, (str, os.PathLike)):
        Path(file).write_text(text, encoding="utf-8")
        return
    try:
        file.write(text)
    except TypeError:
        file.write(text.encode())


def content_of(fitted: FittedModel) -> dict[str, Any]:
    """The content of the file."""
    from ..._engine import __version__

    own, estimates = optimum_of(fitted), fitted.estimates
    found = own.convergence
    return {
        "format": FORMAT,
        "version": VERSION,
        "written_by": f"mixedmodels {__version__}",
        "model": description(fitted.design.formula.text, fitted.arguments, fitted.held),
        "data": fingerprint(fitted.design),
        "objective": own.objective,
        "parameters": {"names": own.names, "start": own.start, "final": own.final},
        "theta": estimates.theta,
        "beta": estimates.beta,
        "dispersion": fitted.dispersion,
        "search": {
            "optimizer": found.optimizer,
            **{name: getattr(found, name) for name in (*_TEXTS, *_FLAGS, *_COUNTS)},
            "gradient": found.gradient,
            "predicted_fall": found.predicted_fall,
            "messages": found.messages,
            "log": {
                "objective": found.log.objective,
                "gradient_norm": found.log.gradient_norm,
                "parameters": np.atleast_2d(found.log.theta),
                "second_start": found.log.second_start,
            },
        },
    }


def description(formula: str, arguments: ModelArguments, held: Held) -> dict[str, Any]:
    """What decides on the objective besides the data."""
    return {
        "formula": formula,
        **arguments.criterion_facts(),
        "fixed": {
            "theta": held.theta,
            "natural": held.natural,
            "sigma": held.sigma,
            "dispersion": held.dispersion,
            "coefficients": held.coefficients,
        },
    }


def read(file: Any) -> dict[str, Any]:
    """
    The content of a file of an optimum.

    Raises
    ------
    ArgumentError
        When it is another kind of file, damaged, or of a later version.
    """
    if hasattr(file, "read"):
        text, name = file.read(), "the file"
    else:
        check_path("restore_optimum", "file", file)
        text, name = Path(file).read_bytes(), str(file)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"restore_optimum: {name} is no JSON: {error}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ArgumentError(f"restore_optimum: {name} was not written by save_optimum()")
    version = content.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise ArgumentError(
            f"restore_optimum: {name} is of version {version!r}, written by {content.get('written_by')}; "
            f"this version of the package reads versions up to {VERSION}"
        )
    return content


def convergence_from(search: Mapping[str, Any]) -> Convergence:
    """The record of the search."""
    log = search["log"]
    rows = [vector(row) for row in log["parameters"]]
    objective = vector(log["objective"])
    theta = np.array(rows).reshape(len(objective), -1) if len(objective) else np.zeros((0, 0))
    theta.flags.writeable = False
    second = log["second_start"]
    norms = vector(log["gradient_norm"])
    if not len(rows) == len(norms) == len(objective) or (second is not None and type(second) is not int):
        raise ValueError("the parts of the log do not belong together")
    kinds = dict.fromkeys(_TEXTS, str) | dict.fromkeys(_FLAGS, bool) | dict.fromkeys(_COUNTS, int)
    named = {name: _of(kind, search[name]) for name, kind in kinds.items()}
    return Convergence(
        optimizer=None if search["optimizer"] is None else _of(str, search["optimizer"]),
        gradient=vector(search["gradient"]),
        predicted_fall=number(search["predicted_fall"]),
        messages=tuple([_of(str, text) for text in search["messages"]]),
        log=FitLog(theta, objective, norms, second),
        **named,
    )


def _of(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
