"""What a process keeps is bounded by weight, the least recently used going first."""

from __future__ import annotations

from governance.kept import Kept


def test_the_least_recently_used_goes_first() -> None:
    kept: Kept[str] = Kept(2)
    kept.put("a", "A")
    kept.put("b", "B")
    kept.get("a")
    kept.put("c", "C")
    assert [kept.get(key) for key in "abc"] == ["A", None, "C"]


def test_heavy_values_leave_less_room() -> None:
    kept: Kept[str] = Kept(10)
    kept.put("a", "A", 4)
    kept.put("b", "B", 4)
    kept.put("c", "C", 4)
    assert [kept.get(key) for key in "abc"] == [None, "B", "C"]


def test_a_value_that_is_put_again_weighs_once() -> None:
    kept: Kept[str] = Kept(10)
    for _ in range(5):
        kept.put("a", "A", 5)
    kept.put("b", "B", 5)
    assert [kept.get(key) for key in "ab"] == ["A", "B"]


def test_what_is_heavier_than_all_room_is_not_kept() -> None:
    kept: Kept[str] = Kept(10)
    assert kept.get_or_make("a", lambda: "A", 11) == "A"
    assert kept.get("a") is None


def test_a_value_is_made_once() -> None:
    made: list[int] = []

    def make() -> tuple[int, ...]:
        made.append(1)
        return ()

    kept: Kept[tuple[int, ...]] = Kept(10)
    for _ in range(3):
        assert kept.get_or_make("a", make) == ()
    assert made == [1]
