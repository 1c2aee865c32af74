"""The keywords of public functions and methods: misspelt ones explained, old names translated."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from .errors import ArgumentError, TooManyArgumentsError, UnknownArgumentError
from .not_here import NotHere, refuse_not_here
from .notices import warn_deprecated

P = ParamSpec("P")
R = TypeVar("R")


def public(function: Callable[P, R]) -> Callable[P, R]:
    """
    A function that explains keywords it does not have.

    Raises
    ------
    UnknownArgumentError
        The message suggests the nearest name.
    """
    return public_except({})(function)


def public_except(not_here: Mapping[str, NotHere]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """
    Like `public`, for a function that other packages have with more arguments.

    Parameters
    ----------
    not_here : mapping
        Arguments that are not available yet: they raise a `NotAvailableError`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        known, most = _keywords(function), _by_position(function)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for name in kwargs:
                if name not in known:
                    refuse_not_here(not_here, name, f"{name}=")
                    raise UnknownArgumentError(function.__name__, name, known)
            if most is not None and len(args) > most:
                # The first one is the object that the method belongs to.
                raise TooManyArgumentsError(function.__name__, most - 1, len(args) - 1, known)
            return function(*args, **kwargs)

        # Python's own messages name the function, not the class where it happens to be defined.
        function.__qualname__ = function.__name__
        return checked

    return decorate


def renamed(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function that also takes keywords by their old names, with a `DeprecationWarning`."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def translated(*args: P.args, **kwargs: P.kwargs) -> R:
            given: dict[str, Any] = kwargs
            for old, new in names.items():
                if old not in given:
                    continue
                if new in given:
                    name = function.__name__
                    raise ArgumentError(f"{name}: {old} is the old name of {new}; give only {new}")
                warn_deprecated(f"{function.__name__}: the argument {old} is now called {new}")
                given[new] = given.pop(old)
            return function(*args, **kwargs)

        return translated

    return decorate


def _by_position(function: Callable[..., Any]) -> int | None:
    """How many arguments a method takes by position, `self` included; None for any number, and no method."""
    parameters = list(inspect.signature(function).parameters.values())
    kinds = [own.kind for own in parameters]
    if not parameters or parameters[0].name != "self" or inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    by_name = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(kind in by_name for kind in kinds)


def _keywords(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names that arguments can be given by, `self` left out."""
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.values()
    return tuple(own.name for own in parameters if own.kind in by_name and own.name != "self")
