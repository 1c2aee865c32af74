"""
NIST StRD one-way analyses of variance SmLs01 to SmLs09, as random-effects models.

The data follow a rule (Simon and Lesage 1989, in the NIST Statistical Reference Datasets): nine treatments
with offsets 0, -0.1, +0.1, ..., replicates with the same offsets, on a constant of up to 10^12. For balanced
data REML is the analysis of variance; the reference is exact rational arithmetic on the stored doubles.
"""

from decimal import Decimal
from fractions import Fraction

import pytest

from mixedmodels import lmer

N_TREATMENTS = 9


def offset(i: int) -> Decimal:
    return Decimal(0) if i == 0 else Decimal("-0.1") if i % 2 else Decimal("0.1")


def one_way(base: str, replicates: int) -> dict[str, list]:
    cells = [(t, r) for t in range(N_TREATMENTS) for r in range(replicates)]
    return {
        "y": [float(Decimal(base) + offset(t) + offset(r)) for t, r in cells],
        "treatment": [f"T{t}" for t, _ in cells],
    }


def exact(y: list[float], replicates: int) -> tuple[Fraction, Fraction, Fraction]:
    """Mean, variance between and variance within treatments."""
    values = [Fraction(v) for v in y]
    groups = [values[t * replicates : (t + 1) * replicates] for t in range(N_TREATMENTS)]
    means = [sum(g, Fraction(0)) / replicates for g in groups]
    grand = sum(values, Fraction(0)) / len(values)
    between = replicates * sum(((m - grand) ** 2 for m in means), Fraction(0)) / (N_TREATMENTS - 1)
    squares = ((v - m) ** 2 for g, m in zip(groups, means, strict=True) for v in g)
    within = sum(squares, Fraction(0)) / (len(values) - N_TREATMENTS)
    return grand, (between - within) / replicates, within


@pytest.mark.parametrize("replicates", [21, 201, 2001])
@pytest.mark.parametrize("base", ["1.4", "1000000.4", "1000000000000.4"])
def test_variances_are_right_to_ten_digits(base, replicates):
    data = one_way(base, replicates)
    grand, between, within = exact(data["y"], replicates)
    model = lmer("y ~ 1 + (1 | treatment)", data)
    component = model.VarCorr()["treatment"]
    assert component.sd[0] ** 2 == pytest.approx(float(between), rel=1e-10)
    assert model.sigma**2 == pytest.approx(float(within), rel=1e-10)
    assert model.fixef()["(Intercept)"] == pytest.approx(float(grand), rel=1e-15)
    standard_error = ((between + within / replicates) / N_TREATMENTS) ** 0.5
    assert model.se["(Intercept)"] == pytest.approx(standard_error, rel=1e-10)
