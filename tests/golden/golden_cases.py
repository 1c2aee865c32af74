"""What the golden tests share: reading the cases, and R's spelling of names against ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def read_cases(file: str) -> list[dict[str, Any]]:
    """The cases of a file of this folder."""
    content = json.loads(Path(__file__).with_name(file).read_text(encoding="utf-8"))
    return content if isinstance(content, list) else content["cases"]


def case_named(cases: Iterable[dict[str, Any]], name: str) -> dict[str, Any]:
    """The case with this id."""
    return next(case for case in cases if case["id"] == name)


def parameters(cases: Iterable[dict[str, Any]]) -> list[Any]:
    """The cases as pytest parameters, called by their id."""
    return [pytest.param(case, id=case["id"]) for case in cases]


def not_above(objective: float, reference: float) -> bool:
    """Whether an optimiser that found ``objective`` missed the optimum by no more than rounding."""
    return objective <= reference + 1e-7 * max(1.0, abs(reference))


def canonical(name: str) -> str:
    """
    One spelling for the coefficient names of R and of this package.

    ``period[T.2]`` and ``period2``, ``I(x ** 2)`` and ``I(x^2)``, ``b:a`` and ``a:b`` become equal.
    """
    return ":".join(sorted(map(_one_factor, _split(name))))


def matching_names(reference: Sequence[str], names: Sequence[str]) -> list[str]:
    """
    Our names for the reference's coefficients, in the reference's order.

    Sum and Helmert contrasts are numbered in R and named after levels here: names that do not
    match are taken by position, and the values decide whether that was right.
    """
    ours = {canonical(name): name for name in names}
    if all(canonical(name) in ours for name in reference):
        return [ours[canonical(name)] for name in reference]
    assert len(reference) == len(names), f"coefficients {list(names)} do not match {list(reference)}"
    return list(names)


def matching_group(reference: str, groups: Iterable[str]) -> str:
    """Our name for a grouping factor: ``batch:cask`` where lme4 says ``cask:batch``."""
    wanted = sorted(reference.split(":"))
    found = [group for group in groups if sorted(group.split(":")) == wanted]
    assert len(found) == 1, f"no grouping factor {reference}"
    return found[0]


def matching_level(level: str, reference: str, group: str) -> str:
    """A level of the reference's grouping factor as spelled in ours (``b:A`` is ``A:b``)."""
    parts = reference.split(":")
    if len(parts) == 1:
        return level
    labels = level.split(":")
    return ":".join(labels[parts.index(part)] for part in group.split(":"))


def close_matrix(got: Any, wanted: Any, relative: float, scale: Any) -> None:
    """Compare covariance matrices: every entry within ``relative`` of the product of two scales."""
    scale = np.asarray(scale, dtype=float)
    error = np.abs(np.asarray(got, dtype=float) - np.asarray(wanted, dtype=float))
    assert np.all(error <= relative * np.outer(scale, scale) + 1e-300), error.max()


def _split(name: str) -> list[str]:
    """Split an interaction at the colons outside brackets."""
    parts, depth = [""], 0
    for character in name:
        depth += (character in "([") - (character in ")]")
        if character == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _one_factor(part: str) -> str:
    part = part.replace(" ", "").replace("**", "^")
    coded = re.fullmatch(r"(.*)\[(?:[A-Z]\.)?([^\[\]]*)\]", part)
    if coded:
        part = coded[1] + coded[2]
    return "(Intercept)" if part == "Intercept" else part
