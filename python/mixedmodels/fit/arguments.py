"""The arguments of `lmer` and `glmer`: checked, and kept in a fitted model."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

import numpy as np

from ..checks import one_of
from ..design import DesignArguments
from ..errors import ArgumentError
from ..families import Family, NegativeBinomial, as_family
from .control import DEFAULT_OPTIMIZER, Control, Searcher
from .fixed import check_fixed, held_dispersion

Information = Literal["observed", "expected"]
_MOST_POINTS = 100


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelArguments(DesignArguments):
    """
    The arguments that all kinds of models have, kept so that `update` can change some of them.

    In a fitted model `data` is the Frame of the columns that the fit read.
    """

    start: Any = None
    fixed: Any = None
    optimizer: Searcher = DEFAULT_OPTIMIZER
    control: Control = field(default_factory=Control)

    maker: ClassVar[str] = ""
    # Public names that differ from those of the attributes, and those that no attribute has.
    renamed: ClassVar[Mapping[str, str]] = {}
    further: ClassVar[frozenset[str]] = frozenset()

    @property
    def repeated_optimizer(self) -> str:
        """The optimizer of the engine for fits that are repeated many times."""
        return self.optimizer if isinstance(self.optimizer, str) else DEFAULT_OPTIMIZER

    def __getstate__(self) -> dict[str, Any]:
        # A function of the user belongs to its session, and most cannot be pickled.
        return {**vars(self), "optimizer": None if self.optimizer is None else self.repeated_optimizer}

    def checked_changes(self, function: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """
        Changes of the arguments, from public names to attributes.

        Raises
        ------
        ArgumentError
            For arguments that this kind of model does not have, naming `function`.
        """
        known = {part.name for part in fields(self)} | self.further
        given = {self.renamed.get(name, name): (name, value) for name, value in changes.items()}
        for attribute, (name, _) in given.items():
            if attribute not in known:
                other = "glmer" if self.maker == "lmer" else "lmer"
                raise ArgumentError(
                    f"{function}: {name} is an argument of {other}(), and this model was fitted by "
                    f"{self.maker}()"
                )
        return {attribute: value for attribute, (_, value) in given.items()}


@dataclass(frozen=True, eq=False, kw_only=True)
class FitArguments(ModelArguments):
    """The arguments of a linear mixed model."""

    reml: bool

    maker: ClassVar[str] = "lmer"
    renamed: ClassVar[Mapping[str, str]] = {"REML": "reml"}


@dataclass(frozen=True, eq=False, kw_only=True)
class GeneralizedArguments(ModelArguments):
    """The arguments of a generalized linear mixed model."""

    family: Family
    n_agq: int = 1
    information: Information = "observed"

    maker: ClassVar[str] = "glmer"
    renamed: ClassVar[Mapping[str, str]] = {"nAGQ": "n_agq"}
    further: ClassVar[frozenset[str]] = frozenset({"link", "nb_theta"})

    def checked_changes(self, function: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        given = super().checked_changes(function, changes)
        link = given.pop("link", None)
        if "family" in given:
            given["family"] = as_family(given["family"], link)
        elif link is not None:
            given["family"] = self.family.with_link(link)
        if "nb_theta" in given:
            size, family = given.pop("nb_theta"), given.get("family", self.family)
            # None sets a size that was held free.
            free = size is None and isinstance(family, NegativeBinomial)
            given["family"] = NegativeBinomial(family.link) if free else with_size(family, size)
        if "n_agq" in given:
            given["n_agq"] = check_n_agq(given["n_agq"])
        family, new = given.get("family", self.family), check_fixed(given.get("fixed", self.fixed))
        if "fixed" in given and "family" not in given and held_dispersion(self.fixed, family) is not None:
            # What was held by the old argument is free.
            family = family.holding(None)
        if "fixed" in given or "family" in given:
            given["family"] = family = with_fixed_dispersion(family, new)
        check_information(given.get("information", self.information), family)
        return given


def check_formula_first(name: str, formula: Any, data: Any) -> None:
    """Refuse a formula and data in the wrong order."""
    if isinstance(data, str) and not isinstance(formula, str):
        raise ArgumentError(
            f"{name}: the formula comes first, then the data: {name}({data!r}, data); the first argument is "
            f"a {type(formula).__name__}"
        )


def check_reml(value: Any) -> bool:
    """The ``REML`` argument: a truth value and nothing that merely looks like one."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise ArgumentError(f"REML must be True (REML) or False (maximum likelihood), not {value!r}")


def check_n_agq(value: Any) -> int:
    """The ``nAGQ`` argument."""
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Integral)
        or not 0 <= int(value) <= _MOST_POINTS
    ):
        raise ArgumentError(
            f"nAGQ must be a whole number from 0 to {_MOST_POINTS}, not {value!r}: 1 for the Laplace "
            "approximation, more for adaptive Gauss-Hermite quadrature, 0 for a faster and rougher fit"
        )
    return int(value)


def check_information(value: Any, family: Family) -> Information:
    """The ``information`` argument."""
    one_of("information", value, ("observed", "expected"))
    if value == "expected" and not family.has_expected_information:
        raise ArgumentError(
            f"the expected information of family {family.name} has no formula; take information='observed'"
        )
    return value


def with_fixed_dispersion(family: Family, fixed: Mapping[Any, Any] | None) -> Family:
    """The family with its parameter held as the ``fixed`` argument says; as it is when that names none."""
    value = held_dispersion(fixed, family)
    if value is None:
        return family
    if family.dispersion is not None and family.dispersion != value:
        raise ArgumentError(
            f"fixed: the {family.parameter} is held at {value:g} here and at {family.dispersion:g} by the "
            "family"
        )
    return family.holding(value)


def with_size(family: Family, nb_theta: Any) -> Family:
    """The family with its size held at the ``nb_theta`` argument; as it is for None."""
    if nb_theta is None:
        return family
    if not isinstance(family, NegativeBinomial):
        raise ArgumentError(f"nb_theta is the size of the negative binomial family; {family!r} has none")
    return NegativeBinomial(family.link, size=nb_theta)
