"""One small runner for each Python package; the one for R is ``lme4.R``."""

from __future__ import annotations

from importlib import import_module

from .base import Runner

PYTHON_RUNNERS = ("ours", "glmm", "mixedlm", "statsmodels", "lme_python")


def make_runner(name: str) -> Runner:
    """The runner of that name; ImportError when its package is not installed."""
    return import_module(f".{name}_runner", __name__).make()


__all__ = ["PYTHON_RUNNERS", "Runner", "make_runner"]
