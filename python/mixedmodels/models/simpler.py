"""The way to simpler random effects."""

from __future__ import annotations

from ..assessment.random_effects_pca import RandomEffectsPCA, random_effects_pca
from ..assessment.simplify import Simplification, simplify
from ..public import public
from .holder import Holder


class SimplerRandomEffects(Holder):
    """How many dimensions random effects have, and which the data support."""

    __slots__ = ()

    @public
    def rePCA(self) -> RandomEffectsPCA:
        """
        Principal components of the random effects of each grouping factor.

        Components without variance are dimensions that the data do not support.

        Returns
        -------
        RandomEffectsPCA
            By group: ``pca["Subject"].sdev``, ``.rotation``, ``.proportion``, ``.dimension`` and
            ``.condition``, the condition number of the covariance factor. Standard deviations are relative to
            sigma for a linear model.

        References
        ----------
        Bates, Kliegl, Vasishth & Baayen (2015), Parsimonious mixed models, arXiv:1506.04967.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.rePCA()["Subject"].sdev.round(3)
        array([0.967, 0.231])
        """
        return random_effects_pca(self._fitted)

    @public
    def simplify(self, alpha: float = 0.2) -> Simplification:
        """
        The way from the random effects of the model to those that the data support, as a table.

        Each step leaves out what the data speak against least: the correlations of a term, one of its
        effects, or a whole term. The table ends with the first step that loses too much. The model is not
        changed.

        Parameters
        ----------
        alpha : float, default 0.2
            A step is taken when its likelihood-ratio test has a larger p-value.

        Returns
        -------
        Simplification
            A row for each step, with ``random effects``, ``npar``, ``objective``, ``AIC``, ``BIC``, ``LRT``,
            ``Df``, ``p.value``, ``singular``, ``dimension`` (of `rePCA`, by factor) and ``reason``.
            `recommended` is the formula of the last step taken.

        Raises
        ------
        ArgumentError
            For `alpha` outside (0, 1), and for a model whose covariance parameters are held fixed.

        References
        ----------
        Barr, Levy, Scheepers & Tily (2013), Random effects structure for confirmatory hypothesis testing:
        Keep it maximal, Journal of Memory and Language 68. Matuschek, Kliegl, Vasishth, Baayen & Bates
        (2017), Balancing type I error and power in linear mixed models, Journal of Memory and Language 94.
        Bates, Kliegl, Vasishth & Baayen (2015), Parsimonious mixed models, arXiv:1506.04967.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).simplify().recommended
        'Reaction ~ Days + (Days || Subject)'
        """
        return simplify(self._fitted, alpha)
