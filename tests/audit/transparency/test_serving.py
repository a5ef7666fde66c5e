"""Addresses of tiles, as C2SP tlog-tiles writes them: each number in one way only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.transparency.serving import NoSuchAddress, TileAddress, parse_level, parse_tile


def written(number: int) -> str:
    """Word for word: groups of three digits, all but the last after an x."""
    digits = str(number)
    digits = "0" * (-len(digits) % 3) + digits
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


@pytest.mark.parametrize(
    ("text", "number", "width"),
    [
        ("000", 0, 256),
        ("067", 67, 256),
        ("x001/x234/067", 1_234_067, 256),
        ("x001/x234/067.p/8", 1_234_067, 8),
        ("x010/000.p/255", 10_000, 255),
    ],
)
def test_addresses_of_the_specification_are_read(text: str, number: int, width: int):
    assert parse_tile(text) == TileAddress(number, width)


@given(st.integers(0, 10**18 - 1), st.integers(1, 255))
def test_every_number_that_a_log_can_have_is_read_as_it_is_written(number: int, width: int):
    assert parse_tile(written(number)) == TileAddress(number, 256)
    assert parse_tile(f"{written(number)}.p/{width}") == TileAddress(number, width)


@given(st.from_regex(r"\A(x?[0-9]{1,4}/){0,7}x?[0-9]{1,4}(\.p/[0-9]{0,4})?\Z"))
def test_whatever_is_read_was_written_in_the_one_way(text: str):
    try:
        address = parse_tile(text)
    except NoSuchAddress:
        return
    assert text == written(address.number) + ("" if address.is_full else f".p/{address.width}")


@pytest.mark.parametrize(
    "text", ["", "/", "000/", "000\n", "x001", "001/x002", "000.p/", "000.p/1/", "../000", "000.P/1"]
)
def test_anything_else_is_refused(text: str):
    with pytest.raises(NoSuchAddress, match="not the address of a tile"):
        parse_tile(text)


def test_levels_are_read():
    assert [parse_level(text) for text in ("0", "7", "63")] == [0, 7, 63]


@pytest.mark.parametrize("text", ["", "00", "07", "64", "100", "-1", "x", "1\n", "٣"])
def test_what_is_no_level_is_refused(text: str):
    with pytest.raises(NoSuchAddress, match="not a level"):
        parse_level(text)
