"""Profile likelihood of parameters, one or two at a time."""

from __future__ import annotations

from ..inference.profiles.profile import Profile, profile_of
from ..inference.profiles.surface import Profile2D, surface_of
from ..public import public
from .arguments import Names, ShowProgress
from .holder import Holder


class Profiles(Holder):
    """Curves of the likelihood along parameters."""

    __slots__ = ()

    @public
    def profile(
        self,
        which: Names | None = None,
        *,
        level_max: float = 0.99,
        REML: bool = False,
        progress: ShowProgress = False,
    ) -> Profile:
        """
        Profile likelihood: each parameter is held at a series of values, and all others are estimated again.

        Every kind of parameter has a profile: standard deviations, correlations and other parameters of
        covariance structures, sigma or the family's own parameter, and coefficients. The model stays as it
        is.

        Parameters
        ----------
        which : str or sequence of str, optional
            Names of parameters, as the rows of `confint` have them, or patterns such as ``"sd_*"``;
            ``"theta_"`` stands for all variance parameters and ``"beta_"`` for all coefficients. By default
            all that are estimated.
        level_max : float, default 0.99
            The profiles go to the limits of this confidence level.
        REML : bool, default False
            For a model fitted by REML: profile the REML criterion, which is one of the variance parameters
            alone. By default the likelihood is profiled, from its own maximum, as R does.
        progress : bool or callable, default False
            True shows a bar; a function is called with the numbers of parameters done and in all.

        Returns
        -------
        Profile
            With ``to_frame()``, ``confint()``, ``zeta_at()``, ``plot()`` and ``better``, a better fit if one
            was found on the way. A profile ends at the bound of its parameter, or where ζ levels off; its
            table says so.

        Raises
        ------
        ArgumentError
            For unknown parameters, and if none of them can be profiled.

        Warns
        -----
        MixedModelsWarning
            When a profile comes below the optimum of the fit.

        References
        ----------
        D. M. Bates, M. Mächler, B. M. Bolker & S. C. Walker (2015), Fitting linear mixed-effects models using
        lme4, Journal of Statistical Software 67(1), section 5.1.

        D. M. Bates & D. G. Watts (1988), Nonlinear regression analysis and its applications, chapter 6.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), REML=False)
        >>> p = m.profile("theta_")
        >>> p.confint(level=0.95).round(3)
                                       2.5 %  97.5 %
        sd_(Intercept)|Subject        14.381  37.716
        sd_Days|Subject                3.801   8.753
        cor_Days.(Intercept)|Subject  -0.481   0.685
        sigma                         22.898  28.858
        >>> p.zeta_at("sd_Days|Subject", [4.1, 9.03]).round(4)
        array([-1.6053,  2.0938])
        """
        return profile_of(self._fitted, which, level_max, REML, progress, type(self))

    @public
    def profile_2d(
        self,
        a: str,
        b: str,
        *,
        level_max: float = 0.99,
        n: int = 21,
        progress: ShowProgress = False,
    ) -> Profile2D:
        """
        Profile likelihood of two parameters at a time, over a grid of their values.

        Parameters
        ----------
        a, b : str
            Names of two parameters, as the rows of `confint` have them.
        level_max : float, default 0.99
            The grid holds the joint confidence region of this level.
        n : int, default 21
            Values of each of the parameters.
        progress : bool or callable, default False
            True shows a bar; a function is called with the numbers of points done and in all.

        Returns
        -------
        Profile2D
            With the arrays ``x``, ``y`` and ``objective``, with ``to_frame()`` and ``plot()``: contours of
            the joint confidence regions.

        Raises
        ------
        ArgumentError
            For unknown parameters, for one parameter twice, and for parameters that are not estimated or
            have no profile.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff
        >>> m = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff(), REML=False)
        >>> m.profile_2d("sd_(Intercept)|Batch", "sigma", n=11).objective.shape
        (11, 11)
        """
        return surface_of(self._fitted, a, b, level_max, n, progress)
