"""The bootstrap of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from ..public import public
from ..resampling.result import Bootstrap
from ..resampling.run import bootstrap
from .arguments import Executor, Names, Rng, ShowProgress
from .holder import Holder


class Bootstraps(Holder):
    """The distribution of estimates by resampling."""

    __slots__ = ()

    @public
    def bootstrap(
        self,
        n: int = 1000,
        *,
        type: Literal["parametric", "semiparametric", "cases", "wild"] = "parametric",
        statistic: Callable[[Any], Any] | None = None,
        cases: Names | None = None,
        use_u: bool = False,
        multipliers: Literal["mammen", "rademacher"] | None = None,
        rng: Rng = None,
        executor: Executor = None,
        progress: ShowProgress = False,
    ) -> Bootstrap:
        """
        Resample the data n times and fit the model to each sample.

        Without `statistic` the refits run in the engine, in parallel, and start at the estimates. The result
        depends on `rng` alone: it has the same bits for any number of threads and any executor, and the first
        replicates are the same for any `n`.

        Parameters
        ----------
        n : int, default 1000
            Number of replicates; other functions that repeat call it ``nsim``.
        type : {"parametric", "semiparametric", "cases", "wild"}, default "parametric"
            "parametric": responses drawn from the model, random effects included. "semiparametric" (linear
            models): residuals and conditional modes drawn with replacement, after they are centred and
            rescaled to the estimated variances. "cases": levels of a factor drawn with replacement, with all
            their rows; copies of a level are different levels. "wild" (linear models): the residuals of each
            cluster times a random number, which allows for variances that differ between clusters; for the
            coefficients alone, as variance parameters do not vary in it as in new data.
        statistic : callable, optional
            A function of a fitted model that returns a number, a dict or Series of numbers, or a
            one-dimensional array. By default all parameters: standard deviations, correlations, the scale and
            the coefficients. For executors with other processes it must be defined at the top level of a
            module.
        cases : str or list of str, optional
            For "cases": grouping factors or columns of the data whose levels are drawn, from the outermost
            inwards, or ``"rows"``. For "wild": one factor, whose levels are the clusters. By default the
            grouping factor that contains all others.
        use_u : bool, default False
            Keep the random effects at their conditional modes; for "parametric" and "semiparametric".
        multipliers : {"mammen", "rademacher"}, optional
            For "wild": two-point distributions, that of Mammen (1993), the default, or ±1.
        rng : int, Generator or None, default None
            Seed or generator of random numbers.
        executor : Executor, optional
            Any executor with the interface of `concurrent.futures`: threads, processes, dask's. By default
            the work is done here.
        progress : bool or callable, default False
            True shows a bar; a callable is told how many of how many replicates are done.

        Returns
        -------
        Bootstrap
            With ``summary()``, ``confint()``, ``plot()``, ``to_frame()`` and ``save()``. After an interrupt
            it holds what is done.

        Raises
        ------
        ArgumentError
            For a type that does not suit the model, unknown factors, and when no replicate could be fitted.
        ExecutorError
            When a worker of the executor dies; it names the replicates.

        Warns
        -----
        MixedModelsWarning
            How many replicates could not be fitted; they stay in the result with their messages.
        InterruptedWarning
            When you interrupt: the result has fewer replicates.

        References
        ----------
        Davison & Hinkley (1997), Bootstrap Methods and their Application. Carpenter, Goldstein & Rasbash
        (2003), A novel bootstrap procedure for assessing the relationship between class size and achievement,
        Applied Statistics 52. Modugno & Giannerini (2015), The wild bootstrap for multilevel models,
        Communications in Statistics 44. Mammen (1993), Bootstrap and wild bootstrap for high dimensional
        linear models, Annals of Statistics 21.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> m = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff())
        >>> boot = m.bootstrap(500, rng=1)
        >>> boot.names
        ('sd_(Intercept)|Batch', 'sigma', '(Intercept)')
        >>> boot.confint().shape
        (3, 2)
        """
        own = self.__class__
        return bootstrap(
            self._fitted,
            n,
            type,
            statistic,
            model=own,
            cases=cases,
            use_u=use_u,
            multipliers=multipliers,
            rng=rng,
            executor=executor,
            progress=progress,
        )
