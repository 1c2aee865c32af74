"""From a fitted model to a file."""

from __future__ import annotations

import dataclasses
import os
import secrets
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import check_folder, check_path, optional_flag
from ..design.rows import columns_of
from ..design.without_data import facts_of as facts_of_design
from ..errors import ArgumentError, MixedModelError
from ..families.user import UserFamily
from ..fit.control import Control, as_control
from ..fit.state import FittedModel
from ..fit.without_data import GivenValues, WithoutData, effects_from
from .codec import Encoder
from .condense import condensed
from .container import packed
from .facts import LEVELS, facts_of
from .read import opened

# Numbers of effects, of their variances by level and of the condensed rows: about 4 MB.
_MOST_NUMBERS = 500_000
# Of b as Λu, relative.
_ROUNDING = 1e-12


def saved(fitted: FittedModel, path: Any, kenward_roger: bool | None = None) -> None:
    """
    Write a model file, see `MixedModel.save`.

    A file with a name appears complete or not at all.
    """
    is_open = hasattr(path, "write")
    if not is_open:
        check_path("save", "path", path)
        check_folder("save", Path(path))
    content = content_of(fitted, optional_flag("kenward_roger", kenward_roger))
    # A file that could not be loaded is not written.
    opened(content, None, fitted.design.recipe.functions)
    if is_open:
        try:
            path.write(content)
        except TypeError:
            raise ArgumentError(
                "save: path is a file that was opened for text; open it for bytes, open(path, 'wb')"
            ) from None
        return
    # A link goes on pointing to its file.
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        # Devices and pipes are written to, never replaced.
        target.write_bytes(content)
        return
    beside = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        beside.write_bytes(content)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def content_of(fitted: FittedModel, kenward_roger: bool | None = None) -> bytes:
    """The bytes of the file of a model."""
    if isinstance(fitted, WithoutData):
        return fitted.stored.content
    if isinstance(fitted.family, UserFamily):
        raise ArgumentError(
            "save: a family of your own consists of functions, which a model file cannot hold; pickle the "
            "model instead"
        )
    facts = facts_of(fitted, kenward_roger)
    spare = _MOST_NUMBERS - sum(u.size for u in fitted.estimates.u)
    rows = condensed(fitted, spare)
    spare -= 0 if rows is None else rows.values.size
    if rows is None or not fitted.exact_likelihood:
        facts |= _level_variances(fitted, spare)
    design = facts_of_design(fitted.design)
    recipe = design["parts"]["recipe"]
    functions = tuple(recipe.functions)
    design["parts"]["recipe"] = dataclasses.replace(recipe, functions={})
    kind = "linear" if fitted.exact_likelihood else "generalized"
    return packed(
        {
            "kind": kind,
            "design": design,
            "functions": functions,
            "columns": _columns(fitted),
            "arguments": _arguments(fitted),
            "restricted": fitted.restricted,
            "estimates": _estimates(fitted),
            "term_roots": fitted.term_roots,
            "convergence": fitted.convergence,
            "facts": facts,
            "condensed": rows,
        }
    )


def _columns(fitted: FittedModel) -> tuple[str, ...]:
    """The columns that the formula and the arguments read."""
    given = fitted.arguments
    texts = [text for text in (given.weights, given.offset, given.subset) if isinstance(text, str)]
    more = [name for text in texts for name in columns_of(text, given.data, given.functions or {})]
    return tuple(dict.fromkeys((*fitted.design.formula.variables, *more)))


def _estimates(fitted: FittedModel) -> Any:
    """The estimates without what has a value for each row, and without b where it is Λu."""
    own = fitted.estimates
    found = effects_from(fitted.design, own)
    same = [np.allclose(b, other, _ROUNDING, 0.0) for b, other in zip(own.b, found, strict=True)]
    return dataclasses.replace(own, b=None if all(same) else own.b, **{fitted._rows_of_estimates(): None})


def _level_variances(fitted: FittedModel, most: int) -> dict[str, Any]:
    count = sum(len(term.group.levels) * len(term.names) ** 2 for term in fitted.design.terms)
    if count > most:
        return {}
    try:
        return {name: fitted.derived(compute) for name, compute in LEVELS.items()}
    except MixedModelError:
        return {}


def _arguments(fitted: FittedModel) -> Any:
    """The arguments without data; values of rows are only remembered to have been given."""
    given: Any = fitted.arguments
    changed = {name: _text(getattr(given, name)) for name in ("weights", "offset", "subset")}
    control = dataclasses.replace(as_control(given.control), progress=None, verbose=False)
    return dataclasses.replace(
        given,
        **changed,
        data=None,
        functions=None,
        start=None,
        contrasts=_encodable(given.contrasts),
        fixed=_encodable(given.fixed),
        optimizer=given.optimizer if isinstance(given.optimizer, (str, type(None))) else "trust_region",
        control=control if type(control) is Control else Control(),
    )


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else GivenValues()


def _encodable(value: Any) -> Any:
    """The value, or the remark that one was given, for kinds of values that files do not hold."""
    try:
        Encoder().value(value)
    except (ArgumentError, np.exceptions.DTypePromotionError):
        return GivenValues()
    return value
