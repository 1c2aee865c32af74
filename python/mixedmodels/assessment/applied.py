"""Checks that say why they do not apply instead of raising."""

from __future__ import annotations

from collections.abc import Callable

from ..diagnostics.check import Check, not_applicable
from ..errors import MixedModelError, NoDataError
from ..fit.state import FittedModel
from ..notices import silent


def applied(name: str, check: Callable[[FittedModel], Check], fitted: FittedModel) -> Check:
    """
    The check, without warnings; where it raises an error of this package, the reason.

    Without data nothing is known about whether a check applies: that error is raised.
    """
    try:
        with silent():
            return check(fitted)
    except NoDataError:
        raise
    except MixedModelError as error:
        return not_applicable(name, str(error))
