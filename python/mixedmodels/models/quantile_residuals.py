"""Quantile residuals of a model."""

from __future__ import annotations

from ..diagnostics.simulated.result import QuantileResiduals
from ..diagnostics.simulated.run import quantile_residuals
from ..public import public
from .arguments import Executor, Rng, ShowProgress
from .holder import Holder


class SimulatedResiduals(Holder):
    """Residuals by simulation, which have the same distribution in every family."""

    __slots__ = ()

    @public
    def quantile_residuals(
        self,
        nsim: int = 250,
        *,
        conditional: bool = False,
        refit: bool = False,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> QuantileResiduals:
        """
        Quantile residuals by simulation: where each response lies among responses drawn from the model.

        If the model is right they are uniform between 0 and 1, in every family. Ties, as of counts, are
        broken at random. The tests of the result compare the data with the simulated responses, so that they
        allow for discrete responses and for rows that share random effects.

        Parameters
        ----------
        nsim : int, default 250
            Number of simulated responses, at least 60: among fewer no test could reject at 5 %.
        conditional : bool, default False
            Draw random effects and coefficients once from their distribution given the data, and keep them in
            all simulated responses, instead of drawing new random effects for each. This is the more powerful
            test of zeros, and of dispersion with crossed factors, but says little of the random effects.
            Conditional modes would not do: they are shrunken, and even a right model would be rejected.
        refit : bool, default False
            Refit the model to each simulated response and compare that with others drawn from its own fit, as
            the data are. This gives p-values that are uniform under the model; without refits they are too
            large, as the estimates follow the data.
        rng : int, Generator or None, default None
            Seed or generator of random numbers.
        executor : Executor, optional
            Any executor with the interface of `concurrent.futures`. By default the work is done here.
        progress : bool or callable, default False
            True shows a bar; a callable is told how many of how many simulations are done.

        Returns
        -------
        QuantileResiduals
            With ``residuals``, ``tests()``, a method for each test, ``to_frame()`` and ``plot()``.

        Raises
        ------
        ArgumentError
            For fewer than 60 simulations, for `conditional` together with `refit`, and for a family that
            cannot draw responses.

        Warns
        -----
        InterruptedWarning
            When you interrupt: the result has fewer simulations.

        References
        ----------
        Dunn & Smyth (1996), Randomized quantile residuals, Journal of Computational and Graphical Statistics
        5. Gelman, Goegebeur, Tuerlinckx & Van Mechelen (2000), Diagnostic checks for discrete data regression
        models using posterior predictive simulations, Applied Statistics 49. Besag & Clifford (1989),
        Generalized Monte Carlo significance tests, Biometrika 76 (exchangeable replicates). Waagepetersen
        (2006), A simulation-based goodness-of-fit test for random effects in generalized linear mixed models,
        Scandinavian Journal of Statistics 33; Gosselin (2011), A new calibrated Bayesian internal
        goodness-of-fit method, PLoS ONE 6 (random effects drawn given the data).

        Examples
        --------
        >>> from mixedmodels import glmer, load_epil
        >>> m = glmer("y ~ lbase * trt + (1 | subject)", load_epil(), "poisson")
        >>> m.quantile_residuals(rng=1).residuals.shape
        (236,)
        """
        return quantile_residuals(
            self._fitted,
            nsim,
            conditional=conditional,
            refit=refit,
            rng=rng,
            executor=executor,
            progress=progress,
        )
