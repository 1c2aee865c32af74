"""What linear and generalized models have in common."""

from __future__ import annotations

from typing import Any

import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

from ..design.used_rows import whole_frame
from ..families import Family
from ..frame.kept import held
from ..report.describe import describe, model_matrix
from .bootstraps import Bootstraps
from .changes import Changes
from .checks import Checks
from .comparisons import Comparisons
from .deletions import Deletions
from .effects import Effects
from .estimates import Estimates
from .influences import Influences
from .likelihood import Likelihood
from .linear_hypotheses import LinearHypotheses
from .means import MarginalMeans
from .optima import Optima
from .permutation import PermutationTests
from .planning import Planning
from .plots import Plots
from .plots_of_estimates import EstimatePlots
from .plots_of_predictions import PredictionPlots
from .predicted_parts import PartsOfPredictions
from .predictions import Predictions
from .profiles import Profiles
from .quantile_residuals import SimulatedResiduals
from .reports import Reports
from .saving import Saving
from .shares import EffectSizes
from .shrinkages import ShrunkenEffects
from .simpler import SimplerRandomEffects
from .simulations import Simulations
from .statsmodels_names import StatsmodelsNames
from .term_tests import TermTests
from .transformations import Transformations
from .validation import Validation


class MixedModel(
    Estimates,
    ShrunkenEffects,
    Likelihood,
    Optima,
    TermTests,
    Profiles,
    Transformations,
    LinearHypotheses,
    Comparisons,
    PermutationTests,
    MarginalMeans,
    Effects,
    EffectSizes,
    Predictions,
    SimulatedResiduals,
    Checks,
    SimplerRandomEffects,
    Influences,
    Deletions,
    Validation,
    PartsOfPredictions,
    Bootstraps,
    Simulations,
    Plots,
    EstimatePlots,
    PredictionPlots,
    Planning,
    Reports,
    Saving,
    Changes,
    StatsmodelsNames,
):
    """
    A fitted model: its estimates, tests, predictions and reports.

    It is immutable, and arrays and tables that it returns are copies or read-only. It can be pickled, copied
    and shared between threads. (Never unpickle untrusted files.) Every method is also a function of the
    package: ``model.tidy()`` and ``tidy(model)`` are the same. For ``model.plot()`` this is
    ``plot_diagnostics(model)``.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return describe(self._fitted)

    def _repr_html_(self) -> str:
        return str(self.summary().to_html())

    @property
    def formula(self) -> str:
        """The formula, in canonical spelling."""
        return self._fitted.design.formula.text

    @property
    def family(self) -> Family:
        """The family with its link and, if it was held, its dispersion; gaussian for a linear model."""
        return self._fitted.family

    @property
    def link(self) -> str:
        """Name of the link function."""
        return self._fitted.family.link

    @property
    def sigma(self) -> float:
        """
        Scale of the response given the random effects.

        The residual standard deviation of a linear model and of the gaussian family, the coefficient of
        variation (gamma), the root of the dispersion (inverse_gaussian), the residual standard deviation of
        log y (lognormal), the size (nbinom2), the dispersion
        (nbinom1), the precision (beta); 1 for families without a dispersion parameter. It is the sigma of
        glmmTMB.
        """
        return self._fitted.sigma

    @property
    def dispersion(self) -> float:
        """Dispersion parameter of the family, sigma² for a linear model; 1 for families without one."""
        return self._fitted.dispersion

    @property
    def model_matrix(self) -> pd.DataFrame:
        """Fixed-effects model matrix, shape (n, p), with names and row labels; a copy."""
        return model_matrix(self._fitted)

    @property
    def data(self) -> Any:
        """
        The data of the fit: the data frame given, as long as the model has it in memory.

        After unpickling, and for data read from a file, a query or a stream, a pandas data frame of the
        columns used; a copy.
        """
        frame = self._fitted.arguments.data
        return whole_frame(frame) if frame.original is None else held(frame.original)
