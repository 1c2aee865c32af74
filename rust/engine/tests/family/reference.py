"""Writes reference.csv: log-densities of the families and their derivatives, by mpmath with 450 digits.

The densities are those of the textbooks, with none of the rearrangements of the engine; derivatives are
differences at that precision. Run it with mpmath installed: python reference.py > reference.csv
"""

import sys

import mpmath as mp

mp.mp.dps = 450
STEP = mp.mpf(10) ** -25

PROBABILITY = {
    "logit": lambda x: 1 / (1 + mp.exp(-x)),
    "probit": lambda x: mp.erfc(-x / mp.sqrt(2)) / 2,
    "cloglog": lambda x: -mp.expm1(-mp.exp(x)),
    "cauchit": lambda x: mp.mpf(1) / 2 + mp.atan(x) / mp.pi,
    "log": mp.exp,
}
MEAN = {
    "log": mp.exp,
    "identity": lambda x: x,
    "sqrt": lambda x: x**2,
    "inverse": lambda x: 1 / x,
    "1/mu^2": lambda x: 1 / mp.sqrt(x),
}


def binomial(y, n, mu, _d):
    coefficient = mp.loggamma(n + 1) - mp.loggamma(y + 1) - mp.loggamma(n - y + 1)
    return coefficient + (y * mp.log(mu) if y else 0) + ((n - y) * mp.log(1 - mu) if n > y else 0)


def poisson(y, w, mu, _d):
    return w * ((y * mp.log(mu) if y else 0) - mu - mp.loggamma(y + 1))


def gaussian(y, w, mu, d):
    return -mp.log(2 * mp.pi * d / w) / 2 - w * (y - mu) ** 2 / (2 * d)


def gamma(y, w, mu, d):
    shape = w / d
    rate = shape / mu
    return shape * mp.log(rate) + (shape - 1) * mp.log(y) - rate * y - mp.loggamma(shape)


def inverse_gaussian(y, w, mu, d):
    return mp.log(w / (2 * mp.pi * d * y**3)) / 2 - w * (y - mu) ** 2 / (2 * d * mu**2 * y)


def lognormal(y, w, mu, d):
    return -mp.log(2 * mp.pi * d / w) / 2 - mp.log(y) - w * (mp.log(y) - mp.log(mu)) ** 2 / (2 * d)


def negative_binomial(y, size, mu):
    total = size + mu
    ratio = mp.loggamma(y + size) - mp.loggamma(size) - mp.loggamma(y + 1)
    return ratio + size * mp.log(size / total) + (y * mp.log(mu / total) if y else 0)


def nbinom2(y, w, mu, d):
    return w * negative_binomial(y, d, mu)


def nbinom1(y, w, mu, d):
    return w * negative_binomial(y, mu / d, mu)


def beta(y, w, mu, d):
    a, b = mu * d, (1 - mu) * d
    constant = mp.loggamma(d) - mp.loggamma(a) - mp.loggamma(b)
    return w * (constant + (a - 1) * mp.log(y) + (b - 1) * mp.log(1 - y))


# Expected information about the mean.
EXPECTED = {
    binomial: lambda n, mu, _d: n / (mu * (1 - mu)),
    poisson: lambda w, mu, _d: w / mu,
    gaussian: lambda w, _mu, d: w / d,
    gamma: lambda w, mu, d: w / (d * mu**2),
    inverse_gaussian: lambda w, mu, d: w / (d * mu**3),
    lognormal: lambda w, mu, d: w / (d * mu**2),
    nbinom2: lambda w, mu, d: w / (mu + mu**2 / d),
    nbinom1: lambda *_: mp.nan,
    beta: lambda w, mu, d: w * d**2 * (mp.psi(1, mu * d) + mp.psi(1, (1 - mu) * d)),
}

TWO_SIDED = [-1.3, 0.4, 2.9]
POSITIVE = [0.02, 0.7, 3.1, 45.0]
COUNTS = [(0, 1), (1, 2.5), (7, 1), (16, 1), (17, 0.3), (90, 1), (4000, 1)]
SIZES = [1e-3, 0.4, 3.0, 250.0, 1e9]
AMOUNTS = [(0.3, 1), (2.7, 2.5), (110.0, 0.2)]
SCALES = [1e-4, 0.3, 6.0]


def cases():
    """Density, link, (y, weight), dispersion, linear predictor."""
    trials = [(0, 1), (1, 1), (3, 7), (0, 12), (12, 12), (2.5, 4)]
    etas = {
        "logit": [-300, -30, *TWO_SIDED, 30, 300],
        "probit": [-1000, -31, -8.2, -3.6, -3.4, *TWO_SIDED, 3.4, 3.6, 8.2, 31],
        "cloglog": [-700, -40, -9, *TWO_SIDED, 1.9, 5],
        "cauchit": [-1e30, -1e4, *TWO_SIDED, 1e4, 1e30],
        "log": [-700, -9, -1.3, -0.4, -1e-5],
    }
    for link, values in etas.items():
        yield from product(binomial, link, trials, [None], values)
    yield from product(poisson, "log", COUNTS, [None], [-700, -9, *TWO_SIDED, 9, 300])
    yield from product(poisson, "identity", COUNTS, [None], [1e-20, *POSITIVE, 1e10])
    yield from product(poisson, "sqrt", COUNTS, [None], [-40, 1e-20, *TWO_SIDED, 1e10])
    for link in ("log", "inverse", "identity"):
        etas = TWO_SIDED if link == "log" else POSITIVE
        yield from product(gamma, link, AMOUNTS, SCALES, etas)
    for link in ("log", "inverse", "1/mu^2"):
        etas = TWO_SIDED if link == "log" else POSITIVE
        yield from product(inverse_gaussian, link, AMOUNTS, SCALES, etas)
    for link in ("log", "inverse", "sqrt", "identity"):
        etas = POSITIVE if link == "inverse" else TWO_SIDED
        yield from product(gaussian, link, [(-2.2, 0.4), *AMOUNTS], SCALES, etas)
    yield from product(lognormal, "log", AMOUNTS, SCALES, [-300, *TWO_SIDED, 300])
    yield from product(nbinom2, "log", COUNTS, SIZES, [-300, *TWO_SIDED, 9, 300])
    yield from product(nbinom2, "sqrt", COUNTS, SIZES, [-40, 1e-20, *TWO_SIDED, 1e3])
    yield from product(nbinom2, "identity", COUNTS, SIZES, [1e-20, *POSITIVE, 1e4])
    yield from product(nbinom1, "log", COUNTS, [1e-9, 0.02, 1.7, 400.0], [-300, *TWO_SIDED, 9, 30])
    proportions = [(0.3, 1), (1e-12, 2.5), (0.9999, 1)]
    yield from product(beta, "logit", proportions, [0.05, 2.0, 60.0, 1e5], [-300, -30, *TWO_SIDED, 30])


def product(density, link, responses, dispersions, etas):
    for response in responses:
        for d in dispersions:
            for eta in etas:
                yield density, link, response, d, eta


def slopes(f, x):
    """Value and first three derivatives by differences whose error is of the order of STEP^2."""
    h = STEP
    m2, m1, v, p1, p2 = (f(x + k * h) for k in (-2, -1, 0, 1, 2))
    return [v, (p1 - m1) / (2 * h), (p1 - 2 * v + m1) / h**2, (p2 - 2 * p1 + 2 * m1 - m2) / (2 * h**3)]


def row(density, link, response, d, eta):
    y, w = (mp.mpf(v) for v in response)
    inverse = PROBABILITY[link] if density in (binomial, beta) else MEAN[link]
    x = mp.mpf(eta)
    dispersion = mp.mpf(1 if d is None else d)
    # A step must stay inside the domain, and small against the linear predictor.
    stretch = min(abs(x), mp.mpf(1))

    def log_density(e, log_factor=0):
        return density(y, w, inverse(e), dispersion * mp.exp(log_factor))

    def jet(log_factor=0):
        v = slopes(lambda z: log_density(x + stretch * z, log_factor), mp.mpf(0))
        return [v[k] / stretch**k for k in range(4)]

    def expected(z, log_factor=0):
        e = x + stretch * z
        slope = (inverse(e + stretch * STEP) - inverse(e - stretch * STEP)) / (2 * stretch * STEP)
        return slope**2 * EXPECTED[density](w, inverse(e), dispersion * mp.exp(log_factor))

    value, d1, d2, d3 = jet()
    information = [expected(mp.mpf(0)), (expected(STEP) - expected(-STEP)) / (2 * STEP * stretch)]
    by_dispersion = []
    if d is not None:
        above, below = jet(STEP), jet(-STEP)
        l_d, d1_d, d2_d = ((above[k] - below[k]) / (2 * STEP) for k in range(3))
        expected_d = (expected(mp.mpf(0), STEP) - expected(mp.mpf(0), -STEP)) / (2 * STEP)
        by_dispersion = [l_d, d1_d, -d2_d, expected_d]
    numbers = [value, d1, -d2, -d3, *information, *by_dispersion]
    text = [mp.nstr(v, 17) for v in numbers] + [""] * (10 - len(numbers))
    return [
        density.__name__,
        link,
        repr(response[0]),
        repr(response[1]),
        "" if d is None else repr(d),
        repr(eta),
        *text,
    ]


if __name__ == "__main__":
    columns = "family link y weight d eta l score observed observed_slope expected expected_slope"
    by_d = "l_d score_d observed_d expected_d"
    print(*columns.split(), *by_d.split(), sep=",")
    for case in cases():
        print(*row(*case), sep=",")
        sys.stdout.flush()
