"""
Draw the pictures of the documentation again: ``python docs/draw_pictures.py [page ...]``.

A picture that follows a block of code on a page is the last figure that the block draws.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from PIL import Image

DOCS = Path(__file__).parent
# A block of code, and the picture below it if there is one.
BLOCK = re.compile(
    r"^```pycon\n(.*?)^```$(?:\n+!\[[^\]]*\]\((images/[\w-]+\.png)\))?", re.MULTILINE | re.DOTALL
)
DOTS_PER_INCH = 84
COLOURS = 96


def draw(page: Path) -> list[Path]:
    """Draw the pictures of a page; returns their files."""
    names: dict[str, object] = {}
    drawn = []
    for block, picture in BLOCK.findall(page.read_text(encoding="utf-8")):
        for example in doctest.DocTestParser().get_examples(block):
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(example.source, page.name, "single"), names)
        if picture:
            save(page.parent / picture)
            drawn.append(page.parent / picture)
        pyplot.close("all")
    return drawn


def save(path: Path) -> None:
    """The current figure with few colours, which takes a third of the space."""
    whole = io.BytesIO()
    pyplot.gcf().savefig(whole, dpi=DOTS_PER_INCH)
    with Image.open(whole) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:] or sorted(DOCS.glob("*.md"))):
        if "](images/" in page.read_text(encoding="utf-8"):
            for path in draw(page):
                print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB")
