"""Thirteen trials of the BCG vaccine against tuberculosis (Colditz et al. 1994): log risk ratios."""

import numpy as np
import pandas as pd

_COUNTS = [
    (4, 119, 11, 128, 44),
    (6, 300, 29, 274, 55),
    (3, 228, 11, 209, 42),
    (62, 13536, 248, 12619, 52),
    (33, 5036, 47, 5761, 13),
    (180, 1361, 372, 1079, 44),
    (8, 2537, 10, 619, 19),
    (505, 87886, 499, 87892, 13),
    (29, 7470, 45, 7232, 27),
    (17, 1699, 65, 1600, 42),
    (186, 50448, 141, 27197, 18),
    (5, 2493, 3, 2338, 33),
    (27, 16886, 29, 17825, 33),
]


def bcg():
    """Log risk ratios ``yi``, their sampling variances ``vi``, and the latitude of each trial."""
    counts = np.array(_COUNTS, dtype=float)
    tpos, tneg, cpos, cneg, latitude = counts.T
    return pd.DataFrame(
        {
            "trial": [f"trial {i + 1}" for i in range(len(counts))],
            "yi": np.log(tpos / (tpos + tneg)) - np.log(cpos / (cpos + cneg)),
            "vi": 1 / tpos - 1 / (tpos + tneg) + 1 / cpos - 1 / (cpos + cneg),
            "latitude": latitude,
        }
    )
