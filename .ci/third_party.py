"""
Write docs/third-party-licences.md: what is linked into the extension module, and under which terms.

Run it (``python .ci/third_party.py``, with the crates fetched and CMake on the path) after Cargo.lock
changed. The texts are those that the crates carry; a crate that is offered under MIT or another licence is
used under MIT.
"""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "third-party-licences.md"
OURS = {"mixedmodels", "mixedmodels-python"}
TARGETS = (
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
)
# Parts of NLopt's source that are not compiled: LGPL, C++, or unused.
NLOPT_LEFT_OUT = {"luksan", "ags", "stogo", "subplex", "cquad"}
HEAD = """\
# Licences of what is linked

`mixedmodels` is under the MIT licence. Its extension module contains the Rust crates below and, through the
crate `nlopt`, the C library NLopt. NLopt is built without the methods by Luksan, its only LGPL part
(`.cargo/nlopt.cmake` switches them off; tests of the engine and of the installed package look for them);
what remains is under MIT and BSD terms. faer's singular value decomposition is ported from Eigen and stays
under the Mozilla Public License 2.0: its source is in the crate faer, which the Rust package registry has.

This page is written by `.ci/third_party.py`.

## Crates
"""


def cargo(*arguments: str) -> str:
    """The output of a cargo command."""
    command = ["cargo", *arguments, "--locked"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def linked() -> set[tuple[str, str]]:
    """Names and versions of the crates that reach the extension module on any platform we build for."""
    found = set()
    for target in TARGETS:
        tree = cargo(
            "tree", "-p", "mixedmodels-python", "-e", "normal,no-proc-macro", "--prefix", "none",
            "--format", "{p}", "--features", "extension-module", "--target", target,
        )  # fmt: skip
        for line in tree.splitlines():
            name, version = line.split()[:2]
            if name not in OURS:
                found.add((name, version.removeprefix("v")))
    return found


def texts(package: dict) -> Iterator[tuple[str, str]]:
    """Titles and texts of the licence files of a crate; under MIT where there is a choice."""
    folder = Path(package["manifest_path"]).parent
    files = sorted(
        path for path in folder.iterdir() if re.match(r"(?i)(licen[cs]e|copying|copyright)", path.name)
    )
    mit = [path for path in files if re.search(r"(?i)mit", path.name)]
    for path in mit or files:
        yield package["name"], path.read_text(encoding="utf-8")
    if package["name"] == "nlopt":
        yield from nlopt_texts(next(folder.glob("nlopt-*/")))


def nlopt_texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Titles and texts of the parts of the C library that are compiled."""
    copying = (folder / "COPYING").read_text(encoding="utf-8")
    yield "NLopt (C library)", copying[copying.index("Copyright (c)") :]
    for path in sorted(folder.glob("src/algs/*/COPY*")):
        if path.parent.name not in NLOPT_LEFT_OUT:
            yield f"NLopt, {path.parent.name}", path.read_text(encoding="utf-8")
    twister = (folder / "src/util/mt19937ar.c").read_text(encoding="utf-8")
    yield "NLopt, mt19937ar", twister[twister.index("Copyright (C)") : twister.index("*/")]


def tidy(text: str) -> str:
    """The text without comment signs, trailing blanks and common indentation."""
    lines = [re.sub(r"^ ?\*/?|^/\*", "", line).rstrip() for line in text.expandtabs().splitlines()]
    return textwrap.dedent("\n".join(lines)).strip("\n")


def key(text: str) -> str:
    """What makes two texts the same licence of the same holder: the words."""
    return " ".join(text.lower().split())


def page() -> str:
    """The page."""
    wanted = linked()
    metadata = json.loads(cargo("metadata", "--format-version", "1"))
    packages = [p for p in metadata["packages"] if (p["name"], p["version"]) in wanted]
    packages.sort(key=lambda p: (p["name"], p["version"]))
    parts = [HEAD]
    parts.append("| crate | licence | authors |\n|---|---|---|")
    titles, bodies = defaultdict(list), {}
    for package in packages:
        authors = (
            ", ".join(re.sub(r"\s*<.*?>", "", author) for author in package["authors"]) or "see its source"
        )
        licence = (
            package["license"].replace("/", " OR ") if " " not in package["license"] else package["license"]
        )
        parts.append(f"| {package['name']} {package['version']} | {licence} | {authors} |")
        for title, text in texts(package):
            body = tidy(text)
            bodies.setdefault(key(body), body)
            if title not in titles[key(body)]:
                titles[key(body)].append(title)
    parts.append("\n## Texts")
    for words, names in titles.items():
        parts.append(f"\n### {', '.join(names)}\n\n```text\n{bodies[words]}\n```")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
