"""Whether a fit can be tested: no search, no finite optimum, or parameters that are held fixed."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...wording import listed


def have_optimum(*fits: FittedModel | None) -> bool:
    """Whether tests can rest on these fits (None for a model without random effects): none is at infinity."""
    return not any(fit is not None and fit.convergence.unbounded for fit in fits)


def no_optimum_note(where: str = "") -> str:
    """Why there are no tests; `where` as in "of x" or "with model 2"."""
    subject = f" {where}" if where else ""
    return (
        f"No tests{subject}: the likelihood has no finite optimum. Estimates and standard errors are from "
        "the point where the search stopped; do not interpret them"
    )


def notes_on_comparisons(fits: Sequence[FittedModel | None], labels: Sequence[str]) -> list[str]:
    """The note on models without a finite optimum, if there are any."""
    without = [label for fit, label in zip(fits, labels, strict=True) if not have_optimum(fit)]
    return [no_optimum_note(f"with {listed(without)}")] if without else []


def notes_on_reductions(
    full: FittedModel, reduced: Sequence[FittedModel | None], labels: Sequence[str]
) -> list[str]:
    """The note on terms left out one at a time, where a fit has no finite optimum."""
    if not have_optimum(full):
        return [no_optimum_note()]
    without = [label for fit, label in zip(reduced, labels, strict=True) if not have_optimum(fit)]
    return [no_optimum_note(f"of {listed(without)}")] if without else []


def refuse_evaluated(fitted: FittedModel, what: str) -> None:
    """ArgumentError when the model was not fitted; `what` is the method, which fits it again."""
    if fitted.arguments.optimizer is None:
        raise ArgumentError(
            f"{what}: the model was evaluated at start=, not fitted (optimizer=None), so it cannot be "
            "compared with fits; fit it with an optimizer"
        )


def refuse_held_coefficients(fitted: FittedModel, what: str, instead: str) -> None:
    """ArgumentError when coefficients are held; `what` is the method, `instead` what to do."""
    held = fitted.estimates.held
    if len(held):
        names = ", ".join(fitted.design.x_names[j] for j in held)
        raise ArgumentError(f"{what}: not available with fixed coefficients ({names}); {instead}")


def refuse_held_covariances(fitted: FittedModel, what: str, instead: str) -> None:
    """ArgumentError when covariance parameters of random effects are held."""
    if fitted.held.random:
        texts = ", ".join(fitted.held.texts)
        raise ArgumentError(f"{what}: not available with fixed covariance parameters ({texts}); {instead}")
