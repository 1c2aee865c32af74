"""The immutable object around the state of a fit, on which the methods of models are built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from .. import not_here
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..wording import nearest

Own = TypeVar("Own", bound="Holder")


class Holder:
    """Holds a fit, which nothing can change: safe to share between threads, to copy and to pickle."""

    __slots__ = ("__weakref__", "_fitted")
    _fitted: FittedModel

    def __init__(self, fitted: FittedModel, *further: Any, **named: Any) -> None:
        given: Any = fitted
        if further or named or not isinstance(given, FittedModel):
            name = type(self).__name__
            raise ArgumentError(
                f"{name} holds a fit: lmer() and glmer() make one; {name}.from_formula() and from_arrays() "
                "make a model without fitting it"
            )
        object.__setattr__(self, "_fitted", fitted)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"a fitted model is immutable: cannot set {name!r}; update() and refit() make new ones"
        )

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a fitted model is immutable: cannot delete {name!r}")

    if not TYPE_CHECKING:
        # A type checker would take every attribute for one of these.
        def __getattr__(self, name: str) -> NoReturn:
            hint = "" if name.startswith("_") else not_here.hint(name) or _nearest(type(self), name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._fitted,)

    def __copy__(self: Own) -> Own:
        return self

    def __deepcopy__(self: Own, memo: dict[int, Any]) -> Own:
        # Nothing in it can change, so the copy may be the model itself.
        return self


def _nearest(model: type[Holder], name: str) -> str:
    public = [own for own in dir(model) if not own.startswith("_")]
    return nearest(name, public, alike=0.65)
