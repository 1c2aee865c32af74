"""The pictures of the documentation: small, each below the code that draws it, none left over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PICTURE = re.compile(r"!\[([^\]]*)\]\((images/[^)]+)\)")
BELOW_CODE = re.compile(r"^```\n\n!\[[^\]]+\]\((images/[^)]+)\)$", re.MULTILINE)
PAGES = [page for page in sorted(DOCS.glob("*.md")) if PICTURE.search(page.read_text(encoding="utf-8"))]
# Bytes of a picture.
MOST = 120_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_picture_is_below_the_code_that_draws_it(page):
    text = page.read_text(encoding="utf-8")
    assert [name for _, name in PICTURE.findall(text)] == BELOW_CODE.findall(text)
    assert all(alternative for alternative, _ in PICTURE.findall(text))


def test_every_picture_is_on_a_page_and_small():
    used = [name for page in PAGES for _, name in PICTURE.findall(page.read_text(encoding="utf-8"))]
    assert len(used) == len(set(used))
    assert sorted(used) == sorted(str(path.relative_to(DOCS)) for path in (DOCS / "images").glob("*.png"))
    assert all((DOCS / name).stat().st_size < MOST for name in used)
