"""The distance of the random effects from what each group alone says."""

from __future__ import annotations

from ..public import public
from ..report import shrinkage as _shrinkage
from .holder import Holder


class ShrunkenEffects(Holder):
    """Unshrunken estimates beside conditional modes."""

    __slots__ = ()

    @public
    def shrinkage(self) -> _shrinkage.Shrinkage:
        """
        How far the model pulls the random effects of each level towards zero.

        The unshrunken estimates of a level are those of weighted least squares from its own rows, with the
        coefficients and all other random effects as estimated; of a generalized model in the last weighted
        least-squares step. The distance between them and the conditional modes is √(d'Σ⁻¹d), d the
        difference of the two and Σ the estimated covariance matrix of the term: the length of d in spherical
        random effects of variance 1, whatever the units.

        Returns
        -------
        Shrinkage
            Mapping from grouping factor to a data frame with column ``norm``: the distance of each level.
            ``unshrunken`` and ``modes`` are data frames of levels by effects; ``to_frame()`` has both and
            their difference. NaN for levels whose rows do not determine all effects of the term; the distance
            is infinite where Σ has no variance in the direction of d.

        References
        ----------
        Bates, Mächler, Bolker & Walker (2015), Fitting linear mixed-effects models using lme4, Journal of
        Statistical Software 67, section 3.1.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> s = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).shrinkage()
        >>> s["Subject"]["norm"].nlargest(2).round(2).to_dict()
        {'370': 0.8, '330': 0.76}
        """
        return _shrinkage.shrinkage(self._fitted)
