"""
Models of every kind that files hold, and what must be the same in a model that was loaded.

Run as a script it writes a file for each model into `files`, with its predictions beside it, unless there is
one: files that were written once are never written again, and later versions must load them.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

import mixedmodels as mm

FILES = Path(__file__).parent / "files"


@cache
def sleep() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    data = mm.load_sleepstudy()
    data["w"] = rng.uniform(0.5, 2.0, len(data)).round(3)
    data["f"] = pd.Categorical(rng.choice(list("abc"), len(data)))
    data["positive"] = data["Reaction"] / 100
    data["count"] = rng.poisson(np.exp(1 + 0.1 * data["Days"]))
    data["share"] = (1 / (1 + np.exp(-rng.normal(size=len(data))))).round(4)
    return data


def gaps() -> pd.DataFrame:
    data = sleep().copy()
    data.loc[data.index[3:9], "Days"] = np.nan
    return data


def linear(formula: str, **options: Any) -> Callable[[], Any]:
    return lambda: mm.lmer(formula, sleep(), **options)


def family(formula: str, name: str, **options: Any) -> Callable[[], Any]:
    return lambda: mm.glmer(formula, sleep(), name, **options)


COUNTS = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


def herd(formula: str = COUNTS, **options: Any) -> Callable[[], Any]:
    return lambda: mm.glmer(formula, mm.load_cbpp(), "binomial", **options)


MODELS: dict[str, Callable[[], Any]] = {
    "plain": linear("Reaction ~ Days + (Days | Subject)"),
    "ml": linear("Reaction ~ Days + (Days | Subject)", REML=False),
    "weights": linear("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", weights="w"),
    "offset": linear("Reaction ~ Days + offset(w) + (1 | Subject)"),
    "splines": linear("Reaction ~ ns(Days, 3) * f + poly(w, 2) + bs(w, df = 4) + (1 | Subject)"),
    "transforms": linear("log(Reaction) ~ scale(Days) + center(w) + I(w^2) + (Days | Subject)"),
    "sum": linear("Reaction ~ Days * f + (1 | Subject)", contrasts={"f": "sum"}),
    "contrasts": linear("Reaction ~ Days * C(f, helmert) + (0 + f | Subject)"),
    "calls": linear("Reaction ~ ifelse(Days > 4, 'late', 'early') + relevel(f, 'b') + (1 | Subject)"),
    "cs": linear("Reaction ~ Days + cs(0 + f | Subject)"),
    "ar1": linear("Reaction ~ Days + ar1(0 + factor(Days) | Subject)"),
    "rank": linear("Reaction ~ Days + I(2 * Days) + f + (1 | Subject)"),
    "fixed": linear("Reaction ~ Days + f + (1 | Subject)", fixed={"Days": 10.0, "sigma": 30.0}),
    "missing": lambda: mm.lmer("Reaction ~ Days + (Days | Subject)", gaps(), na_action="exclude"),
    "subset": linear("Reaction ~ Days + (Days | Subject)", subset="Days > 1"),
    "crossed": lambda: mm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", mm.load_penicillin()),
    "nested": lambda: mm.lmer("strength ~ 1 + (1 | batch/cask)", mm.load_pastes()),
    "singular": lambda: mm.lmer("Yield ~ 1 + (1 | Batch)", mm.load_dyestuff2()),
    "polars": lambda: mm.lmer("Reaction ~ Days * f + (Days | Subject)", pl.from_pandas(sleep())),
    "binomial": herd(),
    "trials": herd("incidence / size ~ period + (1 | herd)", weights="size", link="probit"),
    "cloglog": herd(link="cloglog"),
    "quadrature": herd(nAGQ=9),
    "fast": herd(nAGQ=0),
    "poisson": family("count ~ Days + f + (1 | Subject)", "poisson"),
    "nbinom2": family("count ~ Days + f + (1 | Subject)", "nbinom2"),
    "nbinom1": family("count ~ Days + f + (1 | Subject)", "nbinom1"),
    "gamma": family("positive ~ Days + (1 | Subject)", "gamma", link="log"),
    "inverse_gaussian": family("positive ~ Days + (1 | Subject)", "inverse_gaussian", link="log"),
    "lognormal": family("positive ~ Days + (1 | Subject)", "lognormal"),
    "beta": family("share ~ Days + (1 | Subject)", "beta"),
    "gaussian": family("positive ~ Days + (Days | Subject)", "gaussian", link="log"),
}


@cache
def model(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MODELS[name]()


def new_rows(m: Any) -> pd.DataFrame:
    """Complete rows of the data of the fit."""
    data = m.data if isinstance(m.data, pd.DataFrame) else m.data.to_pandas()
    return data.dropna().iloc[[0, 5, 17]].reset_index(drop=True)


def numbers(m: Any, rows: pd.DataFrame) -> dict[str, Any]:
    """Predictions, estimates and tests."""
    limits = m.predict(rows, interval="confidence")
    # Old files must print as they did, but tables may get other columns.
    return {
        "fit": m.predict(rows).tolist(),
        "se": m.predict(rows, se_fit=True)["se_fit"].tolist(),
        "lower": limits["lower"].tolist(),
        "upper": limits["upper"].tolist(),
        "population": m.predict(rows, re_form="NA", type="response").tolist(),
        "beta": m.fixef().tolist(),
        "p": m.coef_test().iloc[:, -1].tolist(),
        "sd": [part.sd.tolist() for part in m.VarCorr()],
        "objective": float(m.objective),
    }


if __name__ == "__main__":
    FILES.mkdir(exist_ok=True)
    for name in MODELS:
        target = FILES / f"{name}_1.model"
        if not target.exists():
            m = model(name)
            m.save(target)
            rows = new_rows(m)
            expected = {"rows": rows.to_dict("list"), **numbers(m, rows)}
            target.with_suffix(".json").write_text(json.dumps(expected, default=str) + "\n")
