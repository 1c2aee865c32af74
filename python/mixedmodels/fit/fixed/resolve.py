"""From names of parameters, as `tidy` has them, to their places in a model."""

from __future__ import annotations

import math
import numbers
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from ...checks import shown
from ...design import Predictors, theta as theta_layout
from ...errors import ArgumentError
from ...families import Family
from ...wording import listed, unique_names
from .held import NOTHING_HELD, Held

# Names that a message lists.
_SHOWN = 30
# Another name of sigma.
_SCALE_OF_TIDY = "sd__Observation"
_ENTRY = re.compile(r"theta\[(\d+)\]")


class UnknownParameterError(ArgumentError):
    """
    A name of no parameter.

    Attributes
    ----------
    key : object
    known : list of str
        The names that there are.
    """

    key: Any = None
    known: Sequence[str] = ()


class _Holdable(NamedTuple):
    """A parameter: its kind and place, its name, what may qualify it, its range, its names in tables."""

    kind: str
    place: tuple[int, ...]
    name: str
    groups: tuple[str, ...]
    lower: float
    upper: float
    printed: tuple[str, ...] = ()

    @property
    def qualified(self) -> tuple[str, str]:
        return self.groups[0], self.name


def resolve(
    fixed: Mapping[Any, Any] | None, design: Predictors, family: Family | None = None, argument: str = "fixed"
) -> Held:
    """
    The parameters that an argument such as `fixed` names.

    Parameters
    ----------
    fixed : mapping, optional
        See :func:`mixedmodels.lmer`.
    design : Predictors
    family : Family, optional
        Of a generalized model.
    argument : str
        The name of the argument in messages.

    Raises
    ------
    ArgumentError
        For names that are unknown or ambiguous, values out of their range, and parameters named twice.
    """
    if not fixed:
        return NOTHING_HELD
    known = [*_scale(family), *_natural(design), *_coefficients(design)]
    counts = Counter(part.name for part in known)
    chosen: dict[tuple[str, tuple[int, ...]], tuple[str, float]] = {}
    for key, value in fixed.items():
        for part, text, number in _assigned(key, value, known, design, family, argument):
            place = part.kind, part.place
            if place in chosen:
                raise ArgumentError(f"{argument}: {key!r} names {chosen[place][0]} again")
            name = part.name if counts[part.name] <= 1 else ".".join(part.qualified)
            if isinstance(key, str) and key in part.printed:
                # As the user wrote it.
                name = key
            number = _in_range(text, number, part, argument)
            if part.kind == "sigma":
                name = "sigma"
            elif part.kind == "dispersion" and family is not None:
                name, number = family.scale_name, family.sigma(family.dispersion or math.nan)
            chosen[place] = name, number
    return _collected(chosen, design, family, argument)


def held_dispersion(fixed: Mapping[Any, Any] | None, family: Family, argument: str = "fixed") -> float | None:
    """The family's parameter as `fixed` holds it, as ``model.dispersion`` has it; None if it is free."""
    scale = list(_scale(family))
    for key, value in (fixed or {}).items():
        for part in scale:
            if _matches(key, part):
                number = _in_range(part.name, _number(part.name, value, argument), part, argument)
                return number**2 if family.has_scale and part.name != "dispersion" else number
    return None


def without_dispersion(fixed: Mapping[Any, Any] | None, family: Family) -> dict[Any, Any]:
    """The argument without the family's parameter."""
    scale = list(_scale(family))
    return {key: v for key, v in (fixed or {}).items() if not any(_matches(key, part) for part in scale)}


def sigma_is_held(fixed: Mapping[Any, Any] | None) -> bool:
    """Whether `fixed` names the residual standard deviation of a linear model, before there is a design."""
    scale = list(_scale(None))
    return any(_matches(key, part) for key in fixed or {} for part in scale)


def _scale(family: Family | None) -> Iterator[_Holdable]:
    if family is None:
        for name in ("sigma", _SCALE_OF_TIDY):
            yield _Holdable("sigma", (), name, ("Residual",), np.nextafter(0.0, 1.0), math.inf)
    elif family.parameter:
        names = ["sigma", _SCALE_OF_TIDY] if family.has_scale else [family.parameter]
        for name in dict.fromkeys([*names, "dispersion"]):
            yield _Holdable("dispersion", (), name, ("Residual",), np.nextafter(0.0, 1.0), math.inf)


def _natural(design: Predictors) -> Iterator[_Holdable]:
    keys = unique_names([term.group.label for term in design.terms])
    for t, (term, key) in enumerate(zip(design.terms, keys, strict=True)):
        structure = term.structure
        groups = tuple(dict.fromkeys([key, term.group.label]))
        for i, ((kind, effects), part) in enumerate(
            zip(structure.effects(term.names), structure.parameters, strict=True)
        ):
            name = f"{kind}__{'.'.join(effects)}"
            # As confint() and profile() print it.
            printed = tuple([f"{kind}_{'.'.join(reversed(effects))}|{group}" for group in groups])
            yield _Holdable("natural", (t, i), name, groups, part.lower, part.upper, printed)


def _coefficients(design: Predictors) -> Iterator[_Holdable]:
    for j, name in enumerate(design.x_names):
        yield _Holdable("coefficient", (j,), name, ("fixed",), -math.inf, math.inf)


def _assigned(
    key: Any,
    value: Any,
    known: Sequence[_Holdable],
    design: Predictors,
    family: Family | None,
    argument: str,
) -> Iterator[tuple[_Holdable, str, float]]:
    """The parameters, names and values of one entry of the mapping."""
    if key == "theta":
        yield from _theta(value, design, argument)
        return
    entry = _ENTRY.fullmatch(key) if isinstance(key, str) else None
    if entry:
        yield _entry_of_theta(int(entry[1]), design, argument), key, _number(key, value, argument)
        return
    part = _find(key, known, design, family, argument)
    text = ".".join(key) if isinstance(key, tuple) else key
    yield part, text, _number(text, value, argument)


def _theta(value: Any, design: Predictors, argument: str) -> Iterator[tuple[_Holdable, str, float]]:
    names = theta_layout.theta_names(design)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, (list, tuple)) or len(value) != len(names):
        raise ArgumentError(
            f"{argument}: theta must be a list of {len(names)} values, None for those that are estimated "
            f"({listed(names, most=12)}), not {value!r}"
        )
    for i, own in enumerate(value):
        if own is not None:
            text = f"theta[{i}]"
            yield _entry_of_theta(i, design, argument), text, _number(text, own, argument)


def _entry_of_theta(i: int, design: Predictors, argument: str) -> _Holdable:
    names = theta_layout.theta_names(design)
    if i >= len(names):
        raise ArgumentError(
            f"{argument}: theta has {len(names)} entries, from theta[0] on: {listed(names, most=12)}"
        )
    lower, upper = theta_layout.bounds(design)
    return _Holdable("theta", (i,), f"theta[{i}]", ("theta",), float(lower[i]), float(upper[i]))


def _find(
    key: Any, known: Sequence[_Holdable], design: Predictors, family: Family | None, argument: str
) -> _Holdable:
    found = [part for part in known if _matches(key, part)]
    if len(found) == 1:
        return found[0]
    if found:
        qualified = listed([repr(part.qualified) for part in found], most=_SHOWN)
        raise ArgumentError(f"{argument}: {key!r} names {len(found)} parameters; say which: {qualified}")
    what = f"{key!r}" if isinstance(key, (str, tuple)) else f"of type {type(key).__name__}"
    names = list(dict.fromkeys(part.name for part in known if part.name != _SCALE_OF_TIDY))
    text = key if isinstance(key, str) else str(key[-1]) if isinstance(key, tuple) and key else ""
    close = get_close_matches(text, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    if family is not None and not family.parameter and text in ("sigma", "dispersion"):
        hint = f": family {family.name} has no dispersion parameter"
    can = listed(
        [*names, *(f"theta[{i}]" for i in range(len(theta_layout.theta_names(design))))], most=_SHOWN
    )
    end = " " if hint.endswith("?") else ". "
    verb = "held" if argument == "fixed" else "set"
    error = UnknownParameterError(f"{argument}: no parameter {what}{hint}{end}These can be {verb}: {can}")
    error.key, error.known = key, names
    raise error


def _matches(key: Any, part: _Holdable) -> bool:
    if isinstance(key, tuple):
        return len(key) == 2 and key[0] in part.groups and key[1] == part.name
    return isinstance(key, str) and (
        key == part.name or key in part.printed or key in [f"{group}.{part.name}" for group in part.groups]
    )


def _number(text: str, value: Any, argument: str) -> float:
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not math.isfinite(value):
        raise ArgumentError(f"{argument}: {text} must be a finite number, not {shown(value)}")
    return float(value)


def _in_range(text: str, value: float, part: _Holdable, argument: str) -> float:
    if part.lower <= value <= part.upper:
        return value
    if part.upper < math.inf:
        wanted = f"between {part.lower:.4g} and {part.upper:.4g}"
    else:
        wanted = "positive" if part.lower > 0 else "zero or positive"
    raise ArgumentError(f"{argument}: {text} must be {wanted}, not {value:g}")


def _collected(
    chosen: Mapping[tuple[str, tuple[int, ...]], tuple[str, float]],
    design: Predictors,
    family: Family | None,
    argument: str,
) -> Held:
    values: dict[str, list[tuple[tuple[int, ...], float]]] = {}
    for (kind, place), (_, value) in chosen.items():
        values.setdefault(kind, []).append((place, value))
    theta = tuple(sorted((place[0], value) for place, value in values.get("theta", [])))
    natural = tuple(sorted((place[0], place[1], value) for place, value in values.get("natural", [])))
    _check_apart(theta, natural, design, argument)
    sigma = next((value for _, value in values.get("sigma", [])), None)
    return Held(
        theta=theta,
        natural=natural,
        sigma=sigma,
        dispersion=family.dispersion if family is not None and "dispersion" in values else None,
        coefficients=tuple(sorted((place[0], value) for place, value in values.get("coefficient", []))),
        texts=tuple([f"{text} = {value:g}" for text, value in chosen.values()]),
        surplus=_without_meaning(natural, design),
    )


def _check_apart(
    theta: Iterable[tuple[int, float]],
    natural: Iterable[tuple[int, int, float]],
    design: Predictors,
    argument: str,
) -> None:
    """Theta and what users see of a term are two descriptions of the same parameters."""
    named = {t for t, _, _ in natural}
    for t, (term, part) in enumerate(theta_layout.slices(design)):
        if t in named and any(part.start <= i < part.stop for i, _ in theta):
            raise ArgumentError(
                f"{argument}: give either entries of theta or standard deviations and correlations of "
                f"{term.text}, not both"
            )


def _without_meaning(natural: tuple[tuple[int, int, float], ...], design: Predictors) -> int:
    """Correlations with effects whose standard deviation is held at zero."""
    count = 0
    held = {(t, i) for t, i, _ in natural}
    for t, term in enumerate(design.terms):
        parts = term.structure.parameters
        zero = Held(natural=natural).zeros(t, design)
        if zero:
            for i, part in enumerate(parts):
                gone = zero.intersection(part.columns) if part.columns else len(zero) >= term.structure.k - 1
                count += part.kind == "cor" and (t, i) not in held and bool(gone)
    return count


def names_of_parameters(design: Predictors, family: Family | None = None) -> list[str]:
    """
    All parameters, each by the shortest name that is its own: coefficients, standard deviations, scale.

    Standard deviations and correlations that several terms have by the same name are preceded by the group.
    """
    scale = ["sigma"] if family is None else [family.scale_name] if family.estimates_dispersion else []
    known = [*_coefficients(design), *_natural(design)]
    counts = Counter([*(part.name for part in known), *scale])
    return [*(part.name if counts[part.name] == 1 else ".".join(part.qualified) for part in known), *scale]
