"""
How often 95 % intervals contain what they are for, in simulated data sets.

Coefficients and standard deviations: Wald intervals with Satterthwaite's degrees of freedom (normal quantiles
for the binomial model), profile likelihood, percentile and BCa intervals of the parametric bootstrap. New
responses: prediction intervals for the groups in the data and for new groups, at the estimated variances and
with their errors by the delta method. Prints the tables of `docs/coverage.md`:

    python benches/coverage.py [settings] [--simulations 1000] [--replicates 499] [--store coverage.csv]

Every interval is a line of the store; what is there is not computed again.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mixedmodels import MixedModel, glmer, lmer

LEVEL = 0.95
SEED = 20_261_127
Row = tuple[str, str, float, float]
_UNCERTAINTIES: dict[str, dict[str, Any]] = {
    "estimated variances": {},
    "delta method": {"parameter_uncertainty": "delta"},
}


@dataclass(frozen=True)
class Setting:
    """
    A model and its truth.

    Attributes
    ----------
    truth : dict
        The true value of each row of `confint`.
    draw : callable
        A data set, and new rows of known and of new groups with their responses.
    fit : callable
    """

    truth: dict[str, float]
    draw: Callable[[np.random.Generator], tuple[pd.DataFrame, dict[str, pd.DataFrame]]]
    fit: Callable[[pd.DataFrame], MixedModel]


def one_factor(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Twelve groups of five, a predictor within groups and one between them."""
    groups, each = 12, 5
    effect = rng.normal(size=2 * groups)

    def rows(group: np.ndarray) -> pd.DataFrame:
        x, z = rng.normal(size=len(group)), (group % 2).astype(float)
        y = 10.0 + 0.5 * x + 1.0 * z + effect[group] + rng.normal(size=len(group))
        return pd.DataFrame({"y": y, "x": x, "z": z, "g": [f"g{i:02d}" for i in group]})

    known, new = np.arange(groups), np.arange(groups, 2 * groups)
    return rows(np.repeat(known, each)), {"known groups": rows(known), "new groups": rows(new)}


def crossed(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Twenty subjects by ten items, a condition within both."""
    subjects, items = 20, 10
    subject, item = 0.8 * rng.normal(size=2 * subjects), 0.6 * rng.normal(size=2 * items)

    def rows(s: np.ndarray, i: np.ndarray) -> pd.DataFrame:
        c = ((s + i) % 2).astype(float)
        y = 5.0 + 0.4 * c + subject[s] + item[i] + rng.normal(size=len(s))
        return pd.DataFrame({"y": y, "c": c, "s": [f"s{k:02d}" for k in s], "i": [f"i{k:02d}" for k in i]})

    s, i = np.divmod(np.arange(subjects * items), items)
    known = rows(np.arange(subjects), rng.integers(0, items, subjects))
    new = rows(np.arange(subjects, subjects + items), np.arange(items, 2 * items))
    return rows(s, i), {"known groups": known, "new groups": new}


def binomial(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Twenty groups with six rows of ten trials, a predictor within groups."""
    groups, each, trials = 20, 6, 10
    effect = 0.7 * rng.normal(size=2 * groups)

    def rows(group: np.ndarray) -> pd.DataFrame:
        x = rng.normal(size=len(group))
        p = 1.0 / (1.0 + np.exp(0.5 - 0.6 * x - effect[group]))
        y = rng.binomial(trials, p) / trials
        return pd.DataFrame({"y": y, "x": x, "n": trials, "g": [f"g{i:02d}" for i in group]})

    known, new = np.arange(groups), np.arange(groups, 2 * groups)
    return rows(np.repeat(known, each)), {"known groups": rows(known), "new groups": rows(new)}


SETTINGS = {
    "one factor": Setting(
        {"(Intercept)": 10.0, "x": 0.5, "z": 1.0, "sd_(Intercept)|g": 1.0, "sigma": 1.0},
        one_factor,
        lambda data: lmer("y ~ x + z + (1 | g)", data),
    ),
    "crossed": Setting(
        {"(Intercept)": 5.0, "c": 0.4, "sd_(Intercept)|s": 0.8, "sd_(Intercept)|i": 0.6, "sigma": 1.0},
        crossed,
        lambda data: lmer("y ~ c + (1 | s) + (1 | i)", data),
    ),
    "binomial": Setting(
        {"(Intercept)": -0.5, "x": 0.6, "sd_(Intercept)|g": 0.7},
        binomial,
        lambda data: glmer("y ~ x + (1 | g)", data, "binomial", weights="n"),
    ),
}


def intervals(setting: Setting, rng: np.random.Generator, replicates: int) -> Iterator[Row]:
    """Quantity, method, share of hits and width of each interval for one data set; NaN without limits."""
    data, new = setting.draw(rng)
    model = setting.fit(data)
    linear = model.family.name == "gaussian"
    boot = model.bootstrap(replicates, rng=rng)
    tables = {
        "Satterthwaite" if linear else "Wald": model.confint(),
        "profile": model.confint(method="profile"),
        "percentile": boot.confint(LEVEL, "percentile"),
        "BCa": boot.confint(LEVEL, "bca"),
    }
    for method, table in tables.items():
        for quantity, value in setting.truth.items():
            if quantity in table.index:
                lower, upper = np.asarray(table.loc[quantity], dtype=float)[:2]
                yield quantity, method, _inside(value, lower, upper), upper - lower
    for kind, rows in new.items():
        options: dict[str, Any] = {} if linear else {"weights": "n", "type": "response"}
        for method, more in _UNCERTAINTIES.items():
            limits = model.predict(
                rows, allow_new_levels=True, interval="prediction", level=LEVEL, **options, **more
            )
            hits = (limits["lower"] <= rows["y"] + 1e-9) & (rows["y"] <= limits["upper"] + 1e-9)
            share = float(hits.mean()) if limits["upper"].notna().all() else np.nan
            yield kind, method, share, float((limits["upper"] - limits["lower"]).mean())


def _inside(value: float, lower: float, upper: float) -> float:
    if np.isnan(lower) or np.isnan(upper):
        return np.nan
    return float(lower <= value <= upper)


def run(name: str, simulations: int, replicates: int, store: Path) -> None:
    """Simulate what the store does not have."""
    setting, done = SETTINGS[name], _done(store, name)
    key = sorted(SETTINGS).index(name)
    for i in range(simulations):
        if i in done:
            continue
        rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(key, i)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = list(intervals(setting, rng, replicates))
        with store.open("a", newline="") as file:
            csv.writer(file).writerows([(name, i, *row) for row in found])


def _done(store: Path, name: str) -> set[int]:
    if not store.exists():
        store.write_text("setting,simulation,quantity,method,covered,width\n")
    table: Any = pd.read_csv(store)
    return set(table.loc[table["setting"] == name, "simulation"])


def report(name: str, store: Path) -> str:
    """Coverage in percent (and mean width) as a Markdown table."""
    everything: Any = pd.read_csv(store)
    table = everything[everything["setting"] == name]
    n = table["simulation"].nunique()
    parts = [f"{name}, {n} data sets"]
    predicted = table["quantity"].isin(["known groups", "new groups"])
    for part in (table[~predicted], table[predicted]):
        groups = part.groupby(["quantity", "method"], sort=False)
        cells = pd.DataFrame(
            {
                "covered": 100.0 * groups["covered"].mean(),
                "error": 100.0 * groups["covered"].std() / np.sqrt(groups["covered"].count()),
                "width": groups["width"].mean(),
                "missing": groups["covered"].apply(lambda c: int(c.isna().sum())),
            }
        )
        methods = list(dict.fromkeys(part["method"]))
        parts.append("| | " + " | ".join(methods) + " |\n|---|" + "--:|" * len(methods))
        for quantity in dict.fromkeys(part["quantity"]):
            row = [_cell(cells, quantity, method) for method in methods]
            parts[-1] += f"\n| `{quantity.replace('|', chr(92) + '|')}` | " + " | ".join(row) + " |"
    return "\n\n".join(parts)


def _cell(cells: pd.DataFrame, quantity: str, method: str) -> str:
    if (quantity, method) not in cells.index or np.isnan(cells.loc[(quantity, method), "covered"]):
        return ""
    found = cells.loc[(quantity, method)]
    missing = f", {found['missing']:.0f} missing" if found["missing"] else ""
    return f"{found['covered']:.1f} ± {found['error']:.1f} ({found['width']:.2f}{missing})"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("settings", nargs="*", choices=[*SETTINGS, []], default=[])
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=499)
    parser.add_argument("--store", type=Path, default=Path("coverage.csv"))
    given = parser.parse_args()
    for name in given.settings or SETTINGS:
        run(name, given.simulations, given.replicates, given.store)
        print(report(name, given.store), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
