"""Writing a model to a file."""

from __future__ import annotations

import os
from typing import Any

from ..public import public
from ..saved.write import saved
from .holder import Holder


class Saving(Holder):
    """Files of models."""

    __slots__ = ()

    @public
    def save(self, path: str | os.PathLike[str] | Any, *, kenward_roger: bool | None = None) -> None:
        """
        Write the model to a file without its data.

        The file has the formula, the levels and constants that new data need, the estimates, what tests need,
        and a condensed form of the factor for standard errors. `load` reads it: predictions, summaries,
        tests, means and simulations in new data are as before.

        Parameters
        ----------
        path : path, or file object
            A path, whose file is replaced if it exists, or a file that is open for writing bytes.
        kenward_roger : bool, optional
            Whether the file has what ``ddf="kenward-roger"`` needs, which takes long for large data. By
            default for fits by REML to at most 20,000 rows, and where it is known already.

        Raises
        ------
        ArgumentError
            When `path` is neither; for a family of your own, whose functions a file cannot hold.

        Examples
        --------
        >>> import tempfile, os
        >>> from mixedmodels import lmer, load, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     m.save(os.path.join(folder, "sleep.model"))
        ...     same = load(os.path.join(folder, "sleep.model"))
        >>> same.coef_test()["Pr(>|t|)"].equals(m.coef_test()["Pr(>|t|)"])
        True
        """
        saved(self._fitted, path, kenward_roger)
