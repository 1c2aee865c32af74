"""The examples in the docstrings run and show what they say."""

from __future__ import annotations

import doctest

import pytest

from mixedmodels.frame import factor, frame


@pytest.mark.parametrize("module", [frame, factor], ids=["frame", "factor"])
def test_examples(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
