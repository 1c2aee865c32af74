"""Numbers and tables in text."""

from __future__ import annotations

import math

import pytest

from mixedmodels.errors import ArgumentError
from mixedmodels.render.html import html_page
from mixedmodels.render.numbers import (
    check_digits,
    format_column,
    format_fixed,
    format_number,
    format_p_value,
    percent,
)
from mixedmodels.render.page import Page, Table
from mixedmodels.render.text import text_page
from mixedmodels.wording import display_width, one_line, shorten


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([251.40510, 10.46729], ["251.405", " 10.467"]),
        ([1.0, 2.0], ["1", "2"]),
        ([0.5, 100.0], ["  0.5", "100.0"]),
        ([0.0, 0.0], ["0", "0"]),
        ([0.0, 3.71568], ["0.0000", "3.7157"]),
        ([1e-12, 1.0], ["1e-12", "    1"]),
        ([1e12, -2.5], ["1e+12", " -2.5"]),
        ([math.nan, 1.25], [" NaN", "1.25"]),
        ([math.inf, -math.inf], [" Inf", "-Inf"]),
        ([], []),
        ([5e-324], ["4.9407e-324"]),
        ([1.7976931348623157e308], ["1.7977e+308"]),
    ],
)
def test_columns(values, wanted):
    assert format_column(values) == wanted


@pytest.mark.parametrize(
    ("share", "wanted"),
    [
        (0.025, "2.5 %"),
        (0.975, "97.5 %"),
        (0.5, "50 %"),
        (0.0000005, "0.00005 %"),
        (0.9999995, "99.99995 %"),
        (1 / 3, "33.33 %"),
        (2 / 3, "66.67 %"),
    ],
)
def test_percentages(share, wanted):
    assert percent(share) == wanted


def test_decimals_can_be_limited():
    assert format_column([0.00123456, 1.0], most_decimals=4) == ["0.0012", "1.0000"]


def test_numbers_that_round_up_keep_their_column():
    texts = format_column([9.99999999, 99.99999999])
    assert len({len(text) for text in texts}) == 1


def test_other_formats():
    assert format_number(1743.62827195849, 8) == "1743.6283"
    assert format_fixed([1.0, 1e12, math.nan], 2) == ["1.00", "1e+12", "NaN"]
    assert format_p_value(1e-20) == "<2e-16"
    assert format_p_value(0.04) == "0.04"
    assert format_p_value(math.nan) == "NaN"


@pytest.mark.parametrize("value", [-0.0, -0.0001, -0.0004, -4.9e-4])
def test_zero_has_no_sign(value):
    assert format_fixed([value], 3) == ["0.000"]
    assert format_column([value, 1.0], 3, most_decimals=2)[0].strip() in ("0.00", "0")
    assert format_column([-0.0]) == ["0"]
    assert format_column([-0.0, 1e12])[0].strip() == "0"


@pytest.mark.parametrize(
    ("p", "wanted"),
    [
        (0.0, "< .001"),
        (0.0009999, "< .001"),
        (0.001, ".001"),
        (0.04567, ".046"),
        (0.5, ".500"),
        (0.99951, "> .999"),
        (1.0, "> .999"),
        (math.nan, "NaN"),
    ],
)
def test_p_values_in_apa_style(p, wanted):
    assert format_p_value(p, "apa") == wanted


@pytest.mark.parametrize("digits", [0, 16, 2.0, True, "3", None])
def test_bad_numbers_of_digits(digits):
    with pytest.raises(ArgumentError, match="digits must be a whole number from 1 to 15"):
        check_digits(digits)


def test_widths():
    assert display_width("名前") == 4
    assert display_width("größe") == 5
    assert display_width("e\u0301") == 1
    assert shorten("abcdefgh", 5) == "abcd…"
    assert shorten("名前名前", 5) == "名前…"
    assert shorten("short", 5) == "short"


def test_control_characters_do_not_break_rows():
    assert one_line("a\nb\tc\x1b[31m") == "a\\nb\\tc\\x1b[31m"


def test_text_and_html():
    table = Table.from_columns([("name", ["名", "b<c"]), ("value", ["1", "10"])])
    assert text_page(Page.of(table)) == " name  value\n 名        1\n b<c      10"
    assert "b&lt;c" in html_page(Page.of(table))
    assert text_page(Page.of(Table.from_columns([("name", [])]))) == " name"


def test_integer_parts_are_written_out():
    """Also beside numbers that need an exponent."""
    assert format_column([100_000.119, 7.8e-7]) == [" 100000", "7.8e-07"]
    assert format_number(1_234_567.8) == "1234568"
    assert format_number(1.5e9) == "1.5e+09"
