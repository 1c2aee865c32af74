"""Who imports whom in the package, read from the source: at import, lazily, or for types only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "mixedmodels"
Edge = tuple[str, str]


@cache
def modules() -> dict[str, Path]:
    """Every module by its name below the package; "" is the package itself."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


@cache
def edges() -> frozenset[Edge]:
    """Pairs of modules of which the first imports the second, wherever in its code."""
    return frozenset(
        (name, target)
        for name, path in modules().items()
        for target in _imported(name, path)
        if target != name
    )


def room(module: str) -> str:
    """The room of a module: the part of its name before the first dot."""
    return module.partition(".")[0]


def _imported(name: str, path: Path) -> Iterator[str]:
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for source in (path, path.with_suffix(".pyi")):
        if source.exists():
            yield from imports(source.read_text(encoding="utf-8"), package)


def imports(code: str, package: list[str]) -> Iterator[str]:
    """The modules of the package that code in one of its folders imports, by relative or absolute names."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.level:
            start = package[: len(package) - (node.level - 1)]
            origin = ".".join(part for part in (*start, node.module or "") if part)
            yield from (_module(f"{origin}.{alias.name}".strip("."), origin) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and _is_ours(node.module or ""):
            origin = _below(node.module or "")
            yield from (_module(f"{origin}.{alias.name}".strip("."), origin) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (_below(alias.name) for alias in node.names if _is_ours(alias.name))


def _module(whole: str, origin: str) -> str:
    """The imported name if it is a module, else the module that holds it."""
    return whole if whole in modules() or whole == "_engine" else origin


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == PACKAGE.name


def _below(module: str) -> str:
    return module.removeprefix(PACKAGE.name).lstrip(".")


def circles(graph: frozenset[Edge]) -> list[list[str]]:
    """The largest groups in which every module imports every other, through others or not."""
    after: dict[str, set[str]] = {}
    for first, second in graph:
        after.setdefault(first, set()).add(second)
        after.setdefault(second, set())
    reached = {name: _reached(name, after) for name in after}
    groups = {frozenset({name} | {o for o in reached[name] if name in reached[o]}) for name in after}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def _reached(name: str, after: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for other in after[waiting.pop()] - seen:
            seen.add(other)
            waiting.append(other)
    return seen
