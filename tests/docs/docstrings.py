"""
The public functions, classes and methods, and what their docstrings lack.

``python tests/docs/docstrings.py`` prints the list.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mixedmodels as mm

# What functions and methods return.
RESULTS = (
    "AllFit",
    "AnovaTable",
    "BlockDescription",
    "Bootstrap",
    "ConditionalAIC",
    "Convergence",
    "ConvergenceCheck",
    "Emmeans",
    "FitLog",
    "FitMany",
    "IntraclassCorrelation",
    "LogLik",
    "MeansTable",
    "ModelTable",
    "Panels",
    "RSquared",
    "RandomEffects",
    "ResultTable",
    "RobustCovariance",
    "Summary",
    "VarianceComponents",
)
# Their methods are what users call, so each shows an example.
SHOWN = ("MixedModel", "LinearMixedModel", "GeneralizedLinearMixedModel", "Emmeans")
# Classes that users make by calling them.
MADE = ("Control",)
# Attributes of numpy, pandas and the standard library that a subclass redefines.
INHERITED = ("copy",)

SECTION = re.compile(r"^(\w[\w ]*)\n(-{3,})$", re.MULTILINE)
# How an entry says what is used where the argument is left out.
STATED = re.compile(r"\b(default|optional)\b")
# An argument that is None or missing by default has no value to state.
NO_DEFAULT = (None, inspect.Parameter.empty)
NO_VALUE = (None, "None", "NoReturn")


@dataclass(frozen=True)
class Documented:
    """A public name, the object behind it, and what its docstring must have."""

    name: str
    value: Any
    is_method: bool = False
    needs_example: bool = True

    def parameters(self) -> list[inspect.Parameter]:
        found = list(inspect.signature(self.value).parameters.values())
        return found[1:] if self.is_method else found

    def faults(self) -> list[str]:
        """What the docstring lacks; empty where it is complete."""
        text = inspect.getdoc(self.value) or ""
        if not text:
            return ["has no docstring"]
        sections = sections_of(text)
        faults = []
        if len(sections["Summary"].splitlines()) != 1:
            faults.append("the summary is not one line")
        if not sections["Summary"].rstrip().endswith((".", ":")):
            faults.append("the summary is no sentence")
        if isinstance(self.value, property):
            return faults
        if isinstance(self.value, type) and not self.needs_example:
            return faults + self._faults_of_attributes(sections.get("Attributes", ""))
        faults += self._faults_of_parameters(sections.get("Parameters", ""))
        if not isinstance(self.value, type):
            returned = inspect.signature(self.value).return_annotation
            if returned is inspect.Signature.empty:
                faults.append("the type of the result is not annotated")
            if ("Returns" in sections) == (returned in NO_VALUE):
                faults.append("no Returns" if returned not in NO_VALUE else "Returns, but returns nothing")
        faults += [f"unknown exception {name}" for name in unknown_errors(sections.get("Raises", ""))]
        if self.needs_example and ">>> " not in sections.get("Examples", ""):
            faults.append("no Examples")
        return faults

    def _faults_of_attributes(self, section: str) -> list[str]:
        fields = dataclasses.fields(self.value) if dataclasses.is_dataclass(self.value) else ()
        names = [field.name for field in fields if not field.name.startswith("_")]
        return [f"attribute {name} is not described" for name in names if name not in entries(section)]

    def _faults_of_parameters(self, section: str) -> list[str]:
        described, about = entries(section), descriptions(section)
        wanted = [_starred(parameter) for parameter in self.parameters()]
        faults = [f"parameter {name} is not described" for name in wanted if name not in described]
        faults += [f"describes {name}, which is no parameter" for name in described if name not in wanted]
        faults += [f"parameter {name} has no type" for name, type in described.items() if not type]
        faults += [f"parameter {name} has no description" for name, text in about.items() if not text]
        faults += [
            f"the default of {name} is not stated"
            for name in (own.name for own in self.parameters() if own.default not in NO_DEFAULT)
            if name in described and not STATED.search(f"{described[name]} {about[name]}")
        ]
        faults += [
            f"the default of {own.name} is {own.default!r}"
            for own in self.parameters()
            if own.name in described and not _is_default(described[own.name], own.default)
        ]
        if not faults and list(described) != wanted:
            faults.append("the parameters are described in another order")
        return faults


def sections_of(text: str) -> dict[str, str]:
    """The sections of a docstring by heading; what comes before the first is "Summary" and "Text"."""
    parts = SECTION.split(text)
    summary, _, rest = parts[0].partition("\n\n")
    return {"Summary": summary.strip(), "Text": rest} | dict(zip(parts[1::3], parts[3::3], strict=True))


def entries(section: str) -> dict[str, str]:
    """The names described in a section, with their types."""
    found = {}
    for line in section.strip("\n").splitlines():
        if line and not line[0].isspace():
            names, _, type = line.partition(" : ")
            found |= {name.strip(): type.strip() for name in names.split(",")}
    return found


def descriptions(section: str) -> dict[str, str]:
    """The names described in a section, with the lines below them; names of one entry share them."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.strip("\n").splitlines():
        if line and not line[0].isspace():
            names = [name.strip() for name in line.partition(" : ")[0].split(",")]
            found |= dict.fromkeys(names, "")
        else:
            found |= {name: f"{found[name]} {line.strip()}".strip() for name in names}
    return found


def _is_default(type: str, default: object) -> bool:
    """Whether a default that is stated with the type is the default."""
    stated = type.partition(", default ")[2]
    try:
        return not stated or ast.literal_eval(stated) == default
    except (SyntaxError, ValueError):
        return stated == str(default)


def unknown_errors(section: str) -> list[str]:
    """The names in a section Raises that are no exceptions of Python or of the package."""
    names = (
        name for line in section.splitlines() if line and not line[0].isspace() for name in line.split(",")
    )
    return [name for name in map(str.strip, names) if not _is_exception(name)]


def _is_exception(name: str) -> bool:
    value = getattr(mm, name, None) if name in mm.__all__ else getattr(builtins, name, None)
    return isinstance(value, type) and issubclass(value, BaseException)


def _starred(parameter: inspect.Parameter) -> str:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return stars.get(parameter.kind, "") + parameter.name


def documented() -> Iterator[Documented]:
    """Every public function and class, and the public methods and properties of the classes, each once."""
    seen: set[int] = set()
    for item in _all():
        if id(item.value) not in seen:
            seen.add(id(item.value))
            yield item


def _all() -> Iterator[Documented]:
    for name in sorted(mm.__all__):
        value = getattr(mm, name)
        if callable(value) and not isinstance(value, type):
            yield Documented(name, value)
    for name, value in sorted(classes().items(), key=lambda item: len(item[1].mro())):
        yield Documented(name, value, needs_example=name in MADE)
        yield from _members(name, value)


def classes() -> dict[str, type]:
    """The public classes by name, exceptions left out."""
    exported = {name: getattr(mm, name) for name in mm.__all__}
    found = {name: value for name, value in exported.items() if isinstance(value, type)}
    return {name: value for name, value in found.items() if not issubclass(value, BaseException)}


def _members(owner: str, value: type) -> Iterator[Documented]:
    """The public methods and properties that the package defines for a class."""
    for name in dir(value):
        raw = inspect.getattr_static(value, name)
        if name.startswith("_") or name in INHERITED:
            continue
        function = raw.__func__ if isinstance(raw, classmethod | staticmethod) else raw
        if isinstance(function, property):
            if _is_ours(function.fget):
                yield Documented(f"{owner}.{name}", function)
        elif inspect.isfunction(function) and _is_ours(function):
            method = not isinstance(raw, staticmethod)
            yield Documented(f"{owner}.{name}", function, method, owner in SHOWN)


def _is_ours(function: Any) -> bool:
    return getattr(function, "__module__", "").startswith("mixedmodels")


if __name__ == "__main__":
    for item in documented():
        for fault in item.faults():
            print(f"{item.name}: {fault}")
