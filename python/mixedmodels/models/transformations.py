"""Transformations of the response that the likelihood chooses."""

from __future__ import annotations

from ..inference.profiles.response_profile import ResponseTransformation, profile_response
from ..inference.profiles.transformations import BoxCox, YeoJohnson
from ..public import public
from .holder import Holder


class Transformations(Holder):
    """The parameter of a transformation of the response, by profile likelihood."""

    __slots__ = ()

    @public
    def box_cox(self, level: float = 0.95, *, REML: bool = False) -> ResponseTransformation:
        """
        The power of a positive response under which the model fits best.

        The response becomes (y^λ - 1) / λ, and log y for λ = 0. The likelihood of the response at each λ
        (with the Jacobian of the transformation) is maximized over all other parameters; the model with its
        weights is otherwise as it was fitted.

        Parameters
        ----------
        level : float, default 0.95
            Level of the likelihood-ratio interval.
        REML : bool, default False
            Profile the restricted likelihood of the scaled response (Gurka et al. 2006) instead of the
            likelihood, whichever the fit was by.

        Returns
        -------
        ResponseTransformation
            With ``estimate``, ``lower``, ``upper``, the profile, ``plot()``, and ``transform(y)`` for
            `refit`. Printed, it has likelihood-ratio tests of λ = -1, 0, 1/2 and 1.

        Raises
        ------
        DataError
            When the response is not positive, or the likelihood grows without a maximum.
        ArgumentError
            For a generalized model, an offset and fixed parameters.

        References
        ----------
        Box, G. E. P., & Cox, D. R. (1964). An analysis of transformations. Journal of the Royal Statistical
        Society B, 26, 211-252.

        Gurka, M. J., Edwards, L. J., Muller, K. E., & Kupper, L. L. (2006). Extending the Box-Cox
        transformation to the linear mixed model. Journal of the Royal Statistical Society A, 169, 273-288.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ 1 + Days + (1 + Days | Subject)", load_sleepstudy(), REML=False)
        >>> found = m.box_cox()
        >>> round(found.estimate, 2), round(found.lower, 2), round(found.upper, 2)
        (-0.73, -1.43, -0.03)
        """
        return profile_response(self._fitted, BoxCox(), level, REML)

    @public
    def yeo_johnson(self, level: float = 0.95, *, REML: bool = False) -> ResponseTransformation:
        """
        The power transformation of a response of any sign under which the model fits best.

        Values from zero on are transformed as by `box_cox` after adding one, and negative values likewise
        with 2 - λ, so that λ = 1 leaves the response as it is.

        Parameters
        ----------
        level : float, default 0.95
            Level of the likelihood-ratio interval.
        REML : bool, default False
            Profile the restricted likelihood of the scaled response, see `box_cox`.

        Returns
        -------
        ResponseTransformation
            As by `box_cox`.

        Raises
        ------
        DataError
            When the likelihood grows without a maximum.
        ArgumentError
            For a generalized model, an offset and fixed parameters.

        References
        ----------
        Yeo, I.-K., & Johnson, R. A. (2000). A new family of power transformations to improve normality or
        symmetry. Biometrika, 87, 954-959.

        Examples
        --------
        >>> from mixedmodels import lmer, load_orthodont
        >>> m = lmer("distance ~ age + (1 | Subject)", load_orthodont())
        >>> found = m.yeo_johnson()
        >>> found.lower < found.estimate < found.upper
        True
        """
        return profile_response(self._fitted, YeoJohnson(), level, REML)
