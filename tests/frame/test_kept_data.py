"""A model keeps the columns that it used: whatever becomes of its source, nothing is read twice."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import mixedmodels as mm
from degenerate.operations import OPERATIONS
from frame.sleep_data import FORMULA, SLEEP
from mixedmodels import emmeans, glmer, lmer
from mixedmodels.errors import DataError, MissingColumnError
from mixedmodels.frame import kept


def parquet(folder: Path) -> tuple[Any, Callable[[], None]]:
    path = folder / "source.parquet"
    table = pl.from_pandas(SLEEP)
    table.write_parquet(path)
    return pl.scan_parquet(path), lambda: path.unlink()


def changed_parquet(folder: Path) -> tuple[Any, Callable[[], None]]:
    path = folder / "changed.parquet"
    table = pl.from_pandas(SLEEP)
    table.write_parquet(path)
    other = table.with_columns(pl.col("Reaction") * 1000, pl.col("Days") + 100).reverse()
    return pl.scan_parquet(path), lambda: other.write_parquet(path)


def dataset(folder: Path) -> tuple[Any, Callable[[], None]]:
    from pyarrow import dataset as files

    for i, part in enumerate((SLEEP.iloc[:70], SLEEP.iloc[70:])):
        pl.from_pandas(part).write_parquet(folder / f"part{i}.parquet")
    return files.dataset(folder), lambda: (folder / "part0.parquet").unlink()


class Stream:
    """What can be read once."""

    def __init__(self, table: pa.Table) -> None:
        self.table: pa.Table | None = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        table, self.table = self.table, None
        assert table is not None, "read twice"
        return table.__arrow_c_stream__(requested_schema)


def stream(folder: Path) -> tuple[Any, Callable[[], None]]:
    return Stream(pl.from_pandas(SLEEP).to_arrow()), lambda: None


def reader(folder: Path) -> tuple[Any, Callable[[], None]]:
    table = pl.from_pandas(SLEEP).to_arrow()
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=50)), lambda: None


def frame(folder: Path) -> tuple[Any, Callable[[], None]]:
    data = SLEEP.copy()

    def spoil() -> None:
        data.loc[:, "Reaction"] = 0.0
        data["Days"] = data["Days"].to_numpy()[::-1]
        del data["f"]

    return data, spoil


def arrays(folder: Path) -> tuple[Any, Callable[[], None]]:
    data = {name: SLEEP[name].to_numpy().copy() for name in SLEEP}

    def spoil() -> None:
        data["Days"][:] = 0
        data["f"][:] = "new"
        del data["Subject"]

    return data, spoil


SOURCES = {f.__name__: f for f in (parquet, changed_parquet, dataset, stream, reader, frame, arrays)}


def everything(model: Any) -> dict[str, Any]:
    """What is computed after a fit, as numbers."""
    smaller = model.update(". ~ . - f")
    return {
        "means": emmeans(model, "~ f").to_frame()["emmean"],
        "trends": mm.emtrends(model, "~ f", "Days").to_frame().iloc[:, 1],
        "joint tests": mm.joint_tests(model)["F.ratio"],
        "augment": mm.augment(model).select_dtypes("number"),
        "update": smaller.objective,
        "update of weights": model.update(weights="w").objective,
        "compared": mm.anova(model, smaller)["logLik"],
        "refit": model.refit(model._fitted.design.y + 1).objective,
        "predict": model.predict(),
        "partial": model.predict(re_form="~0"),
        "new": model.predict(SLEEP.head(3)),
        "terms": mm.anova(model).iloc[:, 0],
        "data": model.data["Reaction"] if isinstance(model.data, pd.DataFrame) else [0],
    }


@pytest.mark.parametrize("kind", ["linear", "generalized"])
@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_read_twice(source: str, kind: str, tmp_path: Path) -> None:
    def fit(data: Any) -> Any:
        options = {"weights": "w", "subset": "Days < 9"}
        if kind == "linear":
            return lmer(FORMULA, data, **options)
        return glmer("round(Reaction / 2) ~ f + (1 | Subject)", data, "poisson", **options)

    wanted = fit(SLEEP)
    data, spoil = SOURCES[source](tmp_path)
    model = fit(data)
    spoil()
    if kind == "linear":
        found, right = everything(model), everything(wanted)
        for name, value in right.items():
            if name != "data":
                np.testing.assert_allclose(found[name], value, rtol=1e-8, err_msg=name)
    else:
        for function in (
            lambda m: emmeans(m, "~ f").to_frame()["emmean"],
            lambda m: m.update(". ~ 1 + .").objective,
        ):
            np.testing.assert_allclose(function(model), function(wanted), rtol=1e-8)
        assert model.predict(re_form="~(1 | Subject)") == pytest.approx(wanted.predict())


# Data sets for the sweep: a model of the plain data frame, and one of the same data read once.
SWEPT = {
    "linear": lambda data: lmer(
        "Reaction ~ x + f + (x | g)", data, weights="w", offset="o", subset="x < 9", na_action="exclude"
    ),
    "generalized": lambda data: glmer("late ~ x + f + (1 | g)", data, "binomial", subset="x < 9"),
}
# What says where the data came from (a model of a stream has the columns that it used), or takes the time.
# `extend` copies whole rows.
NOT_COMPARED = frozenset({"data", "getME", "allFit", "extend"})


def swept_data() -> pd.DataFrame:
    data = SLEEP.rename(columns={"Subject": "g", "Days": "x"}).drop(columns="extra")
    # Only pandas data have labels of their rows, which tables print.
    data = data.reset_index(drop=True)
    data.loc[data.index[:3], "x"] = np.nan
    return data.assign(o=np.arange(180) % 7, late=(data["Reaction"] > 290).astype(int))


def outcome(operation: Callable[[Any], Any], model: Any) -> Any:
    """What an operation gives, or its error, as far as it can be compared."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = operation(model)
        except Exception as error:
            return type(error), str(error)
    if isinstance(result, pd.DataFrame) and result.index.dtype.kind == "i":
        # Only pandas data have labels of their rows.
        result = result.reset_index(drop=True)
    return str(result.tolist() if isinstance(result, np.ndarray) else result)


@pytest.mark.parametrize("kind", SWEPT)
@pytest.mark.parametrize("source", ["stream", "reader", "query"])
def test_every_function_works_after_a_source_that_is_read_once(source: str, kind: str) -> None:
    data = swept_data()
    table = pl.from_pandas(data).to_arrow()
    once: dict[str, Callable[[], Any]] = {
        "stream": lambda: Stream(table),
        "reader": lambda: pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=50)),
        "query": lambda: Query(pl.from_pandas(data)).frame,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, wanted = SWEPT[kind](once[source]()), SWEPT[kind](data)
    for name, operation in OPERATIONS.items():
        if name not in NOT_COMPARED:
            assert outcome(operation, model) == outcome(operation, wanted), name


class Query:
    """A polars query that can run once."""

    def __init__(self, table: pl.DataFrame) -> None:
        self.left: pl.DataFrame | None = table
        self.frame = table.lazy().map_batches(self.run, schema=table.schema, projection_pushdown=False)

    def run(self, frame: pl.DataFrame) -> pl.DataFrame:
        assert self.left is not None, "run twice"
        self.left = None
        return frame


TAKES_DATA: dict[str, Callable[[Any, Any], Any]] = {
    "predict": lambda m, data: m.predict(data),
    "predict population": lambda m, data: m.predict(data, re_form="~0"),
    "predict one term": lambda m, data: m.predict(data, re_form="~(1 | Subject)"),
    "predict new levels": lambda m, data: m.predict(data, allow_new_levels=True),
    "update": lambda m, data: m.update(data=data).objective,
    "update the formula": lambda m, data: m.update(". ~ . + extra", data=data).objective,
    "update names": lambda m, data: m.update(data=data, weights="w", subset="extra > 0").objective,
    "augment": lambda m, data: mm.augment(m, data)["extra"],
    "describe_blocks": lambda m, data: str(mm.describe_blocks(FORMULA, data)),
    "fit_many": lambda m, data: mm.fit_many("~ f + (1 | Subject)", data, ["Reaction", "extra"]).objective,
    "responses": lambda m, data: mm.fit_many("~ f + (1 | Subject)", SLEEP, data).objective,
    "allFit": lambda m, data: [fit.objective for fit in m.allFit(data).fits.values()],
}


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")
@pytest.mark.parametrize("kind", ["linear", "generalized"])
@pytest.mark.parametrize("function", TAKES_DATA)
def test_data_of_every_function_are_read_once(function: str, kind: str) -> None:
    if kind == "linear":
        model: Any = lmer(FORMULA, SLEEP)
    else:
        model = glmer("round(Reaction / 2) ~ f + (1 | Subject)", SLEEP, "poisson")
    data = SLEEP[["Reaction", "w"]] if function == "responses" else SLEEP
    once = Stream(pl.from_pandas(data).to_arrow())
    found, wanted = TAKES_DATA[function](model, once), TAKES_DATA[function](model, data)
    if isinstance(wanted, str):
        assert found == wanted
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-8)


@pytest.mark.parametrize(
    "use",
    [
        lambda m, data: m.predict(data),
        lambda m, data: m.predict(data, allow_new_levels=True),
        lambda m, data: m.update(data=data),
        lambda m, data: mm.augment(m, data),
        lambda m, data: lmer(FORMULA, data),
        lambda m, data: mm.fit_many("~ f + (1 | Subject)", data, ["Reaction"]),
    ],
)
def test_a_stream_that_has_been_read_is_no_data(use: Callable[[Any, Any], Any], tmp_path: Path) -> None:
    data, _ = reader(tmp_path)
    model = lmer(FORMULA, data)
    with pytest.raises(DataError, match=r"RecordBatchReader that gives no rows.*only once.*pyarrow\.table"):
        use(model, data)


def test_the_index_stays(tmp_path: Path) -> None:
    data = SLEEP.set_axis([f"row{i}" for i in range(180)])
    model = lmer(FORMULA, data, subset="Days > 2")
    for fit in (model, pickle.loads(pickle.dumps(model))):
        assert mm.augment(fit).index[0] == "row3"
        assert fit.model_matrix.index[0] == "row3"
        # Still matched by the index.
        assert fit.refit(data["Reaction"].iloc[::-1]).objective == pytest.approx(model.objective, abs=1e-8)


def test_a_new_column_comes_from_data_in_memory() -> None:
    for data in (SLEEP, pl.from_pandas(SLEEP), pl.from_pandas(SLEEP).to_arrow(), dict(SLEEP)):
        model = lmer("Reaction ~ Days + (1 | Subject)", data)
        wanted = lmer("Reaction ~ Days + extra + (1 | Subject)", SLEEP).objective
        assert model.update(". ~ . + extra").objective == pytest.approx(wanted, abs=1e-9)
        again = model.update(". ~ . + extra").update(". ~ . - extra").update(". ~ . + extra", weights="w")
        assert again.objective == pytest.approx(
            lmer("Reaction ~ Days + extra + (1 | Subject)", SLEEP, weights="w").objective, abs=1e-9
        )


@pytest.mark.parametrize("options", [{"formula": ". ~ . + extra"}, {"weights": "w"}, {"subset": "extra > 0"}])
def test_a_new_column_that_is_not_at_hand(options: dict[str, str], tmp_path: Path) -> None:
    lazy, _ = parquet(tmp_path)
    for model in (
        lmer("Reaction ~ Days + (1 | Subject)", lazy),
        pickle.loads(pickle.dumps(lmer("Reaction ~ Days + (1 | Subject)", SLEEP))),
    ):
        with pytest.raises(MissingColumnError, match=r"keeps only the columns that it used.*pass data="):
            model.update(**options)
        assert np.isfinite(model.update(**options, data=SLEEP).objective)
        with pytest.raises(MissingColumnError) as caught:
            model.update(". ~ . + nowhere", data=SLEEP)
        assert "keeps" not in str(caught.value)


def test_a_column_of_clusters_that_is_not_at_hand(tmp_path: Path) -> None:
    lazy, _ = parquet(tmp_path)
    here = lmer("Reaction ~ Days + (1 | Subject)", SLEEP)
    labels = SLEEP["Subject"].astype(str).to_numpy()
    for model in (lmer("Reaction ~ Days + (1 | Subject)", lazy), pickle.loads(pickle.dumps(here))):
        with pytest.raises(MissingColumnError, match=r"no longer available.*pass the labels of the rows"):
            model.vcov_cluster(cluster="extra")
        assert np.isfinite(model.vcov_cluster(cluster=labels).covariance).all()
    with pytest.raises(MissingColumnError, match="for a column added since, pass the labels of the rows"):
        here.vcov_cluster(cluster="nowhere")


def holders() -> dict[str, Any]:
    arrays_ = {name: SLEEP[name].to_numpy().copy() for name in SLEEP}
    return {
        "arrays": arrays_,
        "lists": {name: values.tolist() for name, values in arrays_.items()},
        "series": {name: pd.Series(values.copy()) for name, values in arrays_.items()},
        "categoricals": {**arrays_, "f": pd.Categorical(arrays_["f"]), "Days": pd.array(arrays_["Days"])},
        "pandas": SLEEP.copy(),
    }


@pytest.mark.parametrize("kind", holders())
def test_what_is_changed_in_place_does_not_reach_a_model(kind: str) -> None:
    """Neither columns that the model used nor others."""
    data = holders()[kind]
    model = lmer("Reaction ~ Days + (1 | Subject)", data)
    wanted = lmer("Reaction ~ Days + extra + f + (1 | Subject)", SLEEP)
    for name, new in (("Days", 1), ("extra", 0.5), ("Reaction", 7.0), ("f", "early")):
        if kind == "lists":
            data[name][:90] = [new] * 90
        elif kind == "pandas":
            data.loc[data.index[:90], name] = new
        elif kind == "series":
            data[name].iloc[:90] = new
        else:
            data[name][:90] = new
    for _ in range(2):
        assert model.update(". ~ . + extra + f").objective == pytest.approx(wanted.objective, abs=1e-9)
        held = model.data
        for name in ("Days", "extra", "Reaction", "f"):
            np.testing.assert_array_equal(np.asarray(held[name]), SLEEP[name].to_numpy())
            # What is handed out is a copy as well.
            if kind == "lists":
                held[name].clear()
            elif kind == "pandas":
                held[name] = 0
            else:
                held[name][:] = held[name][0]


def test_a_polars_frame_that_is_handed_out_is_a_copy() -> None:
    model = lmer("Reaction ~ Days + (1 | Subject)", pl.from_pandas(SLEEP))
    model.data.insert_column(0, pl.Series("new", [0.0] * 180))
    assert model.data.columns == list(SLEEP.columns)


def test_without_copy_on_write_the_columns_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_COPY_ON_WRITE", False)
    data = SLEEP.copy()
    model = lmer("Reaction ~ Days + (1 | Subject)", data)
    original = model._fitted.arguments.data.original
    assert not np.shares_memory(original["extra"].to_numpy(), data["extra"].to_numpy())
    # Once: models that are made of it share the copy.
    assert model.update(". ~ . + extra")._fitted.arguments.data.original is original


def test_a_new_column_of_memory_that_changed() -> None:
    """Arrow tables may share memory with arrays."""
    days = SLEEP["Days"].to_numpy().astype(float)
    data = pa.table({**{name: SLEEP[name].to_numpy() for name in SLEEP}, "Days": days})
    model = lmer("Reaction ~ Days + (1 | Subject)", data)
    days[3] += 1
    with pytest.raises(DataError, match=r"changed since the fit.*'extra'.*give data="):
        model.update(". ~ . + extra")
    # What is kept is as it was.
    assert model.update(REML=True).objective == pytest.approx(model.objective, abs=1e-9)


@pytest.mark.parametrize("new", [{"formula": ". ~ . + later"}, {"weights": "later"}])
def test_a_column_that_the_data_got_after_the_fit(new: dict[str, str]) -> None:
    data = SLEEP.copy()
    model = lmer("Reaction ~ Days + (1 | Subject)", data)
    data["later"] = 1.0 + np.arange(180) % 7
    with pytest.raises(MissingColumnError, match=r"'later'[\s\S]*as of its fit.*pass data="):
        model.update(**new)
    assert np.isfinite(model.update(**new, data=data).objective)


@pytest.mark.parametrize("kind", ["linear", "generalized"])
@pytest.mark.parametrize("source", ["stream", "reader", "parquet", "dataset"])
def test_new_data_of_an_update_are_read_once(kind: str, source: str, tmp_path: Path) -> None:
    if kind == "linear":
        model = lmer(FORMULA, SLEEP)
    else:
        model = glmer("round(Reaction / 2) ~ f + (1 | Subject)", SLEEP, "poisson")
    data, spoil = SOURCES[source](tmp_path)
    other = model.update(data=data)
    spoil()
    assert other.objective == pytest.approx(model.objective, abs=1e-6)
    assert other.update(". ~ 1 + .").objective == pytest.approx(model.objective, abs=1e-6)


def test_a_query_runs_once() -> None:
    runs: list[int] = []

    def counted(frame: pl.DataFrame) -> pl.DataFrame:
        runs.append(len(frame.columns))
        return frame

    table = pl.from_pandas(SLEEP.assign(log=np.log(SLEEP["Reaction"])))
    query = table.lazy().map_batches(counted, schema=table.schema, projection_pushdown=False)
    model = lmer("Reaction ~ Days + offset(extra) + (1 | Subject)", query, weights="w")
    assert len(runs) == 1
    model.update(data=query)
    assert len(runs) == 2
    np.testing.assert_allclose(model.predict(query), model.predict(SLEEP))
    assert len(runs) == 3
    model.predict(query, re_form="~0")
    assert len(runs) == 4
    mm.fit_many("~ Days + (1 | Subject)", query, ["Reaction", "log"], weights="w")
    assert len(runs) == 5


def test_the_data_of_a_model(tmp_path: Path) -> None:
    pd.testing.assert_frame_equal(lmer(FORMULA, SLEEP).data, SLEEP)
    lazy, _ = parquet(tmp_path)
    for model in (lmer(FORMULA, lazy), pickle.loads(pickle.dumps(lmer(FORMULA, SLEEP)))):
        assert set(model.data.columns) == {"Reaction", "Days", "f", "Subject"}
        np.testing.assert_array_equal(model.data["Reaction"], SLEEP["Reaction"])
