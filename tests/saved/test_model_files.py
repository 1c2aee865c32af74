"""Models that were saved without their data and loaded again."""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import os
import pickle
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from degenerate.operations import OPERATIONS
from mixedmodels import families
from mixedmodels.saved.condense import condensed
from mixedmodels.saved.vocabulary import KINDS
from saved.saved_models import FILES, MODELS, model, new_rows, numbers, sleep

# Repeated sums of rows differ in rounding, and second derivatives come from differences.
RELATIVE = 1e-6


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "saved.model"


def reloaded(m: Any, path: Path, **options: Any) -> Any:
    m.save(path)
    return mm.load(path, **options)


def close(one: Any, other: Any) -> None:
    np.testing.assert_allclose(np.asarray(one, float), np.asarray(other, float), RELATIVE, 1e-8)


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
@pytest.mark.parametrize("name", MODELS)
def test_loaded_model_predicts_prints_and_tests(name: str, path: Path) -> None:
    m = model(name)
    same, rows = reloaded(m, path), new_rows(m)
    for key, value in numbers(m, rows).items():
        if key == "sd":
            assert value == numbers(same, rows)[key]
        else:
            close(numbers(same, rows)[key], value)
    close(
        same.predict(rows, interval="prediction", type="response"),
        m.predict(rows, interval="prediction", type="response"),
    )
    strange = rows.assign(**{group: "another" for group in m.ngrps if ":" not in group})
    close(
        same.predict(strange, allow_new_levels=True, se_fit=True),
        m.predict(strange, allow_new_levels=True, se_fit=True),
    )
    for text in (str, repr, lambda x: str(x.summary()), lambda x: str(x.tidy("all", conf_int=True))):
        assert text(same) == text(m)
    for table in ("glance", "VarCorr", "coef", "anova", "checkConv"):
        assert str(getattr(same, table)()) == str(getattr(m, table)())
    if name != "fixed":
        assert str(same.anova(type=2)) == str(m.anova(type=2))
    close(same.vcov(), m.vcov())
    close(same.simulate(2, newdata=rows, rng=1), m.simulate(2, newdata=rows, rng=1))
    assert str(same.ranef(condVar=True).to_frame()) == str(m.ranef(condVar=True).to_frame())
    terms = [label for label, _ in m._fitted.design.x_terms]
    if {"f", "period"} & set(terms):
        factor = "f" if "f" in terms else "period"
        for weights in ("equal", "proportional"):
            assert str(same.emmeans(factor, weights=weights)) == str(m.emmeans(factor, weights=weights))


@pytest.mark.parametrize("file", sorted(FILES.glob("*.model")), ids=lambda file: file.stem)
@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
def test_files_written_once_load_for_ever(file: Path) -> None:
    expected = json.loads(file.with_suffix(".json").read_text())
    found = numbers(mm.load(file), pd.DataFrame(expected.pop("rows")))
    assert set(expected) <= set(found)
    for key, value in expected.items():
        if key == "sd":
            close(np.concatenate(found[key]), np.concatenate(value))
        else:
            close(found[key], value)
    assert str(mm.load(file).summary())


def test_there_are_files_of_every_kind() -> None:
    assert {file.stem.rsplit("_", 1)[0] for file in FILES.glob("*.model")} >= set(MODELS)


def test_kenward_roger_is_kept_for_reml_and_on_request(path: Path) -> None:
    m, by_ml = model("plain"), model("ml")
    assert str(reloaded(m, path).summary(ddf="kenward-roger")) == str(m.summary(ddf="kenward-roger"))
    by_ml.save(path, kenward_roger=True)
    with pytest.raises(mm.NoDataError):
        # The test refits by REML to know whether there is an optimum.
        mm.load(path).summary(ddf="kenward-roger")
    m.save(path, kenward_roger=False)
    with pytest.raises(mm.NoDataError):
        mm.load(path).summary(ddf="kenward-roger")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["plain", "binomial"])
def test_whatever_needs_the_data_says_so(name: str, path: Path) -> None:
    """No function does anything else with a loaded model than work, or raise an error of the package."""
    m = model(name)
    same = reloaded(m, path)
    refused = []
    for operation, call in OPERATIONS.items():
        try:
            call(same)
        except mm.NoDataError:
            refused.append(operation)
        except mm.MixedModelError:
            pass
        except AttributeError:
            with pytest.raises(AttributeError):
                call(m)
    assert {"residuals", "refit", "influence", "profile", "fitted", "hatvalues"} <= {
        text.split()[0] for text in refused
    }
    assert not {"summary", "tidy", "fixef", "ranef", "vcov", "VarCorr", "anova"} & set(refused)


@pytest.mark.parametrize("name", ["plain", "weights", "splines", "subset", "missing", "binomial", "nbinom2"])
def test_with_its_data_a_model_is_whole(name: str, path: Path) -> None:
    m = model(name)
    whole = reloaded(m, path, data=m.data)
    close(whole.residuals(), m.residuals())
    close(whole.hatvalues(), m.hatvalues())


@pytest.mark.parametrize("fixed", [{"sd__Days": 5.0}, {"sigma": 25.0}, {"cor__(Intercept).Days": 0.2}])
def test_with_its_data_a_model_with_parameters_that_are_held_is_whole(
    fixed: dict[str, float], path: Path
) -> None:
    m = mm.lmer("Reaction ~ Days + (Days | Subject)", sleep(), fixed=fixed)
    assert str(reloaded(m, path, data=sleep()).summary()) == str(m.summary())
    with pytest.raises(mm.DataError, match="these are other data"):
        mm.load(path, data=sleep().assign(Reaction=sleep()["Reaction"].to_numpy()[::-1]))


def test_other_data_are_refused(path: Path) -> None:
    m, data = model("plain"), sleep().copy()
    m.save(path)
    with pytest.raises(mm.DataError, match="170 rows"):
        mm.load(path, data.iloc[:170])
    with pytest.raises(mm.DataError, match="criterion"):
        mm.load(path, data.assign(Reaction=data["Reaction"].to_numpy()[::-1]))
    with pytest.raises(mm.DataError, match="other coefficients"):
        # The criterion is the same.
        mm.load(path, data.assign(Reaction=data["Reaction"] + data["Days"]))
    with pytest.raises(mm.MissingColumnError, match="has no column 'Days'"):
        mm.load(path, data.drop(columns="Days"))
    with pytest.raises(mm.DataError, match="other levels"):
        mm.load(path, data.assign(Subject=data["Subject"].astype(str) + "a"))


def test_arguments_with_values_for_each_row_are_not_kept(path: Path) -> None:
    data = sleep()
    m = mm.lmer("Reaction ~ Days + (1 | Subject)", data, weights=data["w"].to_numpy())
    same = reloaded(m, path)
    assert str(same.summary()) == str(m.summary())
    with pytest.raises(mm.ArgumentError, match="weights= as values"):
        mm.load(path, data)
    rows = new_rows(m)
    close(same.predict(rows, interval="prediction"), m.predict(rows, interval="prediction"))


def test_functions_of_the_caller_are_given_again(path: Path) -> None:
    functions = {"half": lambda x: x / 2}
    m = mm.lmer("Reaction ~ half(Days) + (1 | Subject)", sleep(), functions=functions)
    m.save(path)
    with pytest.raises(mm.ArgumentError, match="'half'"):
        mm.load(path)
    same = mm.load(path, functions=functions)
    close(same.predict(new_rows(m)), m.predict(new_rows(m)))


def test_a_family_of_ones_own_is_refused(path: Path) -> None:
    own = families.user(
        log_density=lambda y, eta, w: w * (y * eta - np.exp(eta)),
        score=lambda y, eta, w: w * (y - np.exp(eta)),
        information=lambda y, eta, w: w * np.exp(eta),
        third=lambda y, eta, w: w * np.exp(eta),
        link="log",
    )
    m = mm.glmer("count ~ Days + (1 | Subject)", sleep(), own, fixed={"sd_(Intercept)|Subject": 0.3})
    with pytest.raises(mm.ArgumentError, match="family of your own"):
        m.save(path)
    assert not path.exists()


def test_a_file_holds_no_rows_and_is_saved_again_as_it_is(path: Path) -> None:
    m = model("plain")
    same = reloaded(m, path)
    first = path.read_bytes()
    same.save(path)
    assert path.read_bytes() == first
    m.save(path)
    assert path.read_bytes() == first
    again = pickle.loads(pickle.dumps(same))
    assert str(again.summary()) == str(m.summary())
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["model.json", "numbers.bin"]
    assert len(first) < 10_000


def test_large_fits_have_small_files(path: Path) -> None:
    rng = np.random.default_rng(1)
    n, q = 200_000, 20_000
    group, x = rng.integers(q, size=n), rng.normal(size=n)
    y = 1 + x * (1 + rng.normal(size=q)[group]) + rng.normal(size=q)[group] + rng.normal(size=n)
    cell = rng.integers(50, size=n)
    y += rng.normal(size=50)[cell]
    data = pd.DataFrame({"y": y, "x": x, "g": group, "h": cell})
    m = mm.lmer("y ~ x + (x | g) + (1 | h)", data)
    same = reloaded(m, path)
    assert path.stat().st_size < 4_000_000
    rows = data.iloc[:5]
    close(same.predict(rows), m.predict(rows))
    close(same.predict(rows, re_form="NA", se_fit=True), m.predict(rows, re_form="NA", se_fit=True))
    with pytest.raises(mm.NoDataError, match="too large"):
        same.predict(rows, se_fit=True)


def test_condensed_rows_have_the_cross_products_of_the_fit() -> None:
    fitted = model("weights")._fitted
    found = condensed(fitted, 10**6)
    assert found is not None
    design, weights = fitted.design, fitted.prior_weights
    values, codes = found.values, found.codes[found.cells]
    assert len(values) < fitted.n_obs
    x = values[:, found.x]
    np.testing.assert_allclose(x.T @ x, design.x.T @ (weights[:, None] * design.x), 1e-12)
    np.testing.assert_allclose(x.T @ values[:, -1], design.x.T @ (weights * design.y), 1e-12)
    for t, term in enumerate(design.terms):
        for level in range(3):
            mine, theirs = codes[:, t] == level, term.group.codes == level
            z = values[mine][:, found.z[t]]
            np.testing.assert_allclose(
                z.T @ z, term.z[theirs].T @ (weights[theirs, None] * term.z[theirs]), 1e-12
            )


# Damaged files


def changed(content: bytes, change: Any) -> bytes:
    """The file with another JSON head."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        head = json.loads(old.read("model.json"))
        new.writestr("model.json", json.dumps(head if (found := change(head)) is None else found))
        new.writestr("numbers.bin", old.read("numbers.bin"))
    return target.getvalue()


def test_truncated_and_damaged_files_are_refused(path: Path) -> None:
    m = model("plain")
    m.save(path)
    content = path.read_bytes()
    for stop in [*range(0, len(content), 97), len(content) - 1]:
        path.write_bytes(content[:stop])
        with pytest.raises(mm.ModelFileError):
            mm.load(path)
    rng = np.random.default_rng(1)
    for place in rng.integers(len(content), size=150).tolist():
        damaged = bytearray(content)
        damaged[place] ^= 0x55
        path.write_bytes(bytes(damaged))
        with contextlib.suppress(mm.ModelFileError):
            # Some bytes of the archive change nothing.
            assert str(mm.load(path).summary()) == str(m.summary())


@pytest.mark.parametrize(
    "change",
    [
        lambda head: head.update(format=2),
        lambda head: head.update(kind="something else"),
        lambda head: head.update(model={"is": "os.system", "command": "true"}),
        lambda head: head.update(model={"map": [["kind", "linear"]]}),
        lambda head: head.update(arrays=[{"type": "|O", "shape": [1]}]),
        lambda head: head["arrays"][0].update(shape=[10**12]),
        lambda head: head["arrays"][0].update(shape=[-1]),
        lambda head: head.update(texts=None),
        lambda head: head.update(model={"array": 10**6}),
        lambda head: [],
    ],
)
def test_no_head_makes_anything_but_an_error(change: Any, path: Path) -> None:
    model("plain").save(path)
    path.write_bytes(changed(path.read_bytes(), change))
    with pytest.raises(mm.ModelFileError):
        mm.load(path)


def nodes(value: Any) -> list[Any]:
    """A coded value and all in it that have parts."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    own = [value] if isinstance(value, (dict, list)) else []
    return [*own, *(part for one in inner for part in nodes(one))]


def first(head: dict[str, Any], kind: str) -> dict[str, Any]:
    """The first value of a kind in a file."""
    return next(node for node in nodes(head["model"]) if isinstance(node, dict) and node.get("is") == kind)


def entry(head: dict[str, Any], *names: str) -> list[Any]:
    """A key and its value in maps within maps."""
    found: list[Any] = ["", head["model"]]
    for name in names:
        found = next(pair for pair in found[1]["map"] if pair[0] == name)
    return found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda head: first(head, "linear_estimates").update(sigma="large"), "'sigma' of 'linear_estimates'"),
        (lambda head: first(head, "linear_estimates").update(later=1), "a later one wrote it"),
        (lambda head: first(head, "formula").update(variables={"tuple": [1]}), "'variables' of 'formula'"),
        (lambda head: first(head, "matrix_plan").update(codings={"is": "given_values"}), "'codings'"),
        (lambda head: first(head, "terms").update(factors={"tuple": [3]}), "'factors' of 'terms'"),
        (lambda head: entry(head, "restricted").__setitem__(1, 3), "'restricted' of the model"),
        (lambda head: entry(head, "arguments").__setitem__(1, {"is": "control"}), "'arguments'"),
        (lambda head: entry(head, "convergence").__setitem__(0, "end"), "'end'"),
        (lambda head: entry(head, "design", "parts", "x_names").__setitem__(1, {"tuple": [1]}), "'x_names'"),
        (lambda head: entry(head, "design", "parts", "x_names").__setitem__(0, "form"), "no 'x_names'"),
        (lambda head: entry(head, "design", "counts", "n_rows").__setitem__(1, "many"), "'n_rows'"),
        (lambda head: entry(head, "facts", "gradient").__setitem__(1, "steep"), "a fact about"),
        (lambda head: first(head, "condensed").update(x=first(head, "condensed")["codes"]), "condensed rows"),
        (lambda head: head["arrays"][-1].update(shape=[0, 10**9]), "impossible shape"),
    ],
)
def test_parts_of_other_types_are_refused(change: Any, said: str, path: Path) -> None:
    model("plain").save(path)
    path.write_bytes(changed(path.read_bytes(), lambda head: (change(head), None)[1]))
    with pytest.raises(mm.ModelFileError, match=said):
        mm.load(path)


def test_many_names_do_not_take_memory(path: Path) -> None:
    """A covariance matrix of a million names would have 8 TB."""
    model("plain").save(path)

    def claim(head: dict[str, Any]) -> None:
        head["texts"].append(["x"] * 1_000_000)
        (term,) = entry(head, "design", "terms")[1]["list"]
        next(pair for pair in term["map"] if pair[0] == "names")[1] = {"texts": len(head["texts"]) - 1}

    path.write_bytes(changed(path.read_bytes(), claim))
    with pytest.raises(mm.ModelFileError):
        mm.load(path)


@pytest.mark.filterwarnings("ignore::mixedmodels.MixedModelsWarning")
@pytest.mark.parametrize("name", ["plain", "splines", "ar1", "nbinom2"])
def test_parts_with_a_default_may_be_missing(name: str, path: Path) -> None:
    """Files of versions that did not have them yet."""
    model(name).save(path)
    content, kinds = path.read_bytes(), {}
    with zipfile.ZipFile(path) as archive:
        for node in nodes(json.loads(archive.read("model.json"))["model"]):
            if isinstance(node, dict) and "is" in node and node["is"] != "family":
                kinds[node["is"]] = KINDS[node["is"]]
    optional = [
        (kind, part.name)
        for kind, made in kinds.items()
        for part in inspect.signature(made).parameters.values()
        if part.default is not part.empty
    ]
    assert len(optional) > 10
    for kind, part in optional:
        path.write_bytes(changed(content, lambda head, k=kind, p=part: (first(head, k).pop(p), None)[1]))
        mm.load(path)
    for part in ("form", "new_response"):
        path.write_bytes(
            changed(
                content,
                lambda head, p=part: entry(head, "design", "parts")[1]["map"].remove(
                    entry(head, "design", "parts", p)
                ),
            )
        )
        assert str(mm.load(path).summary())


def test_files_may_be_open(path: Path) -> None:
    m, file = model("plain"), io.BytesIO()
    m.save(file)
    file.seek(0)
    assert str(mm.load(file).summary()) == str(m.summary())
    file.seek(0)
    close(mm.load(file, data=m.data).residuals(), m.residuals())
    with path.open("wb") as target:
        m.save(target)
    assert path.read_bytes() == file.getvalue()
    with path.open("rb") as source:
        assert str(mm.load(source)) == str(m)
    with pytest.raises(mm.ArgumentError, match=r"opened for text; open it for bytes, open\(path, 'wb'\)"):
        m.save(io.StringIO())
    with pytest.raises(mm.ArgumentError, match=r"opened for text; open it for bytes, open\(path, 'rb'\)"):
        mm.load(io.StringIO("{}"))
    for empty in (io.BytesIO(), io.BytesIO(b"text")):
        with pytest.raises(mm.ModelFileError, match="the file cannot be loaded"):
            mm.load(empty)


def test_links_stay_and_other_threads_may_save_too(tmp_path: Path) -> None:
    m, target, link = model("plain"), tmp_path / "target", tmp_path / "link"
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("no links here")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: m.save(link), range(24)))
    assert link.is_symlink()
    assert str(mm.load(target)) == str(m)
    assert sorted(tmp_path.iterdir()) == [link, target]
    m.save(tmp_path / ("x" * 240))
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    m, pipe = model("plain"), tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(pipe.read_bytes)
        m.save(pipe)
        content = read.result(timeout=10)
    assert pipe.is_fifo()
    assert str(mm.load(io.BytesIO(content))) == str(m)


def test_folders_are_no_files(tmp_path: Path) -> None:
    for name in (tmp_path, str(tmp_path)):
        with pytest.raises(mm.ArgumentError, match=r"save: .* is a folder"):
            model("plain").save(name)
        with pytest.raises(mm.ArgumentError, match=r"load: .* is a folder"):
            mm.load(name)
    with pytest.raises(mm.ArgumentError, match="path"):
        model("plain").save("")
    with pytest.raises(FileNotFoundError, match="save: there is no folder"):
        model("plain").save(tmp_path / "none" / "m.model")
    assert not list(tmp_path.iterdir())


def test_random_changes_of_the_head_are_errors_of_the_package(path: Path) -> None:
    model("plain").save(path)
    content = path.read_bytes()
    rng = np.random.default_rng(2)

    for _ in range(150):

        def change(head: dict[str, Any]) -> None:
            places = [node for node in nodes(head["model"]) if node]
            own = places[rng.integers(len(places))]
            key = list(own)[rng.integers(len(own))] if isinstance(own, dict) else int(rng.integers(len(own)))
            own[key] = [None, "text", -1, {"tuple": []}, 1e300][rng.integers(5)]

        path.write_bytes(changed(content, change))
        with contextlib.suppress(mm.MixedModelError):
            mm.load(path)


def test_a_bomb_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("model.json", b" " * 400_000_000)
        archive.writestr("numbers.bin", b"")
    with pytest.raises(mm.ModelFileError, match="far more than its size"):
        mm.load(path)


def test_lists_that_are_compressed_much_are_refused(path: Path) -> None:
    """They take many times the size of the text in memory."""
    path.write_bytes(b"")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", "[" + "[]," * 30_000_000 + "[]]", zipfile.ZIP_DEFLATED)
        archive.writestr("numbers.bin", np.random.default_rng(1).bytes(1_000_000))
    with pytest.raises(mm.ModelFileError, match="far more than its size"):
        mm.load(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_compression_are_refused(method: int, path: Path) -> None:
    model("plain").save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(mm.ModelFileError, match="compressed in another way"):
        mm.load(path)


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(mm.ArgumentError, match="path"):
        model("plain").save(3)
    with pytest.raises(mm.ArgumentError, match="path"):
        mm.load(3)
    with pytest.raises(FileNotFoundError):
        mm.load(tmp_path / "none")
    (tmp_path / "text").write_text("no model")
    with pytest.raises(mm.ModelFileError, match="no model file"):
        mm.load(tmp_path / "text")
