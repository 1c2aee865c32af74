"""The rooms of the package are as docs/architecture.md draws them, and imports go one way."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable

import pytest
from package_imports import PACKAGE, ROOT, circles, edges, imports, modules, room

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
# The soft limit of a module.
LINES = 400
# Modules that users import by name, or run.
DOORS = {"", "__main__", "interop.marginaleffects"}
# Folders of tests that are about no single room.
OTHER_TESTS = {
    "architecture",
    "conformance",
    "degenerate",
    "docs",
    "engine",
    "golden",
    "invariances",
    "oracles",
    "packaging",
}

# Rooms that are tested through those that use them.
TESTED_ELSEWHERE = {"errors", "notices", "plot", "public", "wording"}


def table(name: str) -> list[list[str]]:
    """The rows of a table of the page."""
    text = PAGE.partition(f"<!-- {name}: begin -->\n")[2].partition(f"<!-- {name}: end -->")[0]
    return [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in text.splitlines()[2:]]


FLOORS = {name: int(floor) for floor, name, _ in table("floors")}


def lines(module: str) -> int:
    return len(modules()[module].read_text(encoding="utf-8").splitlines())


def between_rooms() -> Iterable[tuple[str, str]]:
    return [(first, second) for first, second in edges() if first and room(first) != room(second)]


def test_the_page_names_every_room():
    rooms = {room(name) for name in modules()} - DOORS
    assert set(FLOORS) == rooms


def test_a_module_imports_from_its_own_room_and_from_lower_floors():
    ground = {"_engine": 0}
    upward = {
        (first, second)
        for first, second in between_rooms()
        if first not in DOORS
        if FLOORS[room(first)] <= (FLOORS | ground | {"": 99})[room(second)]
    }
    assert not upward


def test_nobody_imports_the_package_itself():
    # Only what is run does, as users do.
    assert {first for first, second in edges() if second == ""} == {"__main__"}


def test_no_module_imports_itself_by_way_of_others():
    assert not circles(frozenset(edge for edge in edges() if edge[0]))


def test_no_folder_of_a_room_imports_itself_by_way_of_others():
    folders = {name.rpartition(".")[0] for name in modules() if name.count(".") > 1}
    places = ((first.rpartition(".")[0], second.rpartition(".")[0]) for first, second in edges())
    between = {(first, second) for first, second in places if first != second if {first, second} <= folders}
    assert ("inference.hypotheses", "inference.likelihood") in between
    assert not circles(frozenset(between))


def test_circles_are_found():
    graph = frozenset({("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "a")})
    assert circles(graph) == [["a", "b", "c"]]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from .numbers import format_fixed", "render.numbers"),
        ("from . import numbers", "render.numbers"),
        ("from ..fit.state import FittedModel", "fit.state"),
        ("from .. import _engine", "_engine"),
        ("from mixedmodels.fit.state import FittedModel", "fit.state"),
        ("from mixedmodels.fit import state", "fit.state"),
        ("from mixedmodels import lmer", ""),
        ("from mixedmodels import _engine", "_engine"),
        ("import mixedmodels", ""),
        ("import mixedmodels as mm", ""),
        ("import numpy, mixedmodels.fit.state", "fit.state"),
        ("def later():\n    import mixedmodels.fit.state as state", "fit.state"),
        ("import mixedmodels_of_others", None),
        ("from numpy import linalg", None),
    ],
)
def test_imports_are_seen_however_they_are_written(code, found):
    assert list(imports(code, ["render"])) == ([] if found is None else [found])


def test_every_module_is_imported_by_another():
    imported = {second for _, second in edges()}
    alone = {name for name, path in modules().items() if path.name != "__init__.py"} - imported
    assert alone <= DOORS


def test_modules_are_short():
    assert [name for name in modules() if lines(name) > LINES] == []


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_gives_each_name_once(module):
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    assigned = Counter(
        name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
    )
    assert [name for name, count in assigned.items() if count > 1] == []


def test_only_one_module_imports_formulaic():
    imports = re.compile(r"^\s*(from|import) formulaic\b", re.MULTILINE)
    used = [name for name, path in modules().items() if imports.search(path.read_text(encoding="utf-8"))]
    assert used == ["formula.formulaic_compat"]


def test_near_names_are_suggested_in_one_place():
    used = {
        name for name, path in modules().items() if "get_close_matches" in path.read_text(encoding="utf-8")
    }
    # Three messages still have their own wording.
    assert used - {"fit.control", "fit.fixed.resolve", "families.lookup"} == {"wording"}


def test_the_page_names_every_folder_of_the_engine():
    folders = {path.name for path in (ROOT / "rust" / "engine" / "src").iterdir() if path.is_dir()}
    assert {name for name, _ in table("engine")} == folders


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_paths_on_a_page_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    paths = {path for path in re.findall(r"`([\w./-]+/[\w./-]*)`", text) if not path.startswith(("/", "."))}
    assert paths
    known = (ROOT, PACKAGE)
    assert not [path for path in paths if not any((base / path).exists() for base in known)]


def test_tests_mirror_the_rooms():
    rooms = {room(name) for name in modules()} - DOORS
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name[0] not in "._"}
    assert folders - rooms == OTHER_TESTS
    assert rooms - folders == TESTED_ELSEWHERE


def test_contributors_are_told_which_rooms_have_no_tests_of_their_own():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    sentence = re.search(r"a folder for each room of the package except ([^:]*):", text)
    assert sentence
    assert set(re.findall(r"`(\w+)`", sentence[1])) == TESTED_ELSEWHERE
