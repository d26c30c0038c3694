"""Which of several lines that want the same people or goods is planned first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.matching.domain.rivals import rivals_for_goods, rivals_for_people, scarcest_first
from shared.contracts.parts import Window
from tests.services.matching_desk import TOMORROW, a_line, some_goods
from tests.world import START


@pytest.mark.parametrize(
    ("seats", "able", "first"),
    [
        ((1, 1), (3, 1), "optional"),
        ((1, 1), (1, 1), "required"),
        ((2, 2), (3, 2), "required"),
        ((2, 2), (4, 2), "optional"),
        ((3, 1), (2, 5), "required"),
    ],
)
def test_what_may_stay_empty_comes_first_only_if_enough_is_left_whatever_it_takes(
    seats: tuple[int, int], able: tuple[int, int], first: str
) -> None:
    lines = [a_line("optional", seats[1], required=False), a_line("required", seats[0])]
    short, there = (dict(zip(("required", "optional"), both, strict=True)) for both in (seats, able))
    assert scarcest_first(lines, short, there)[0].id == first


def test_equals_are_planned_in_the_order_of_the_need() -> None:
    lines = [a_line(id) for id in ("c", "a", "b")]
    alike = dict.fromkeys(("a", "b", "c"), 1)
    assert [line.id for line in scarcest_first(lines, alike, alike)] == ["c", "a", "b"]


def test_lines_at_other_times_and_goods_of_another_kind_are_no_rivals() -> None:
    after = Window(start_at=TOMORROW.end_at, end_at=TOMORROW.end_at + timedelta(hours=1))
    visits = [a_line("a"), a_line("b", window=after), a_line("c")]
    assert [line.id for line in rivals_for_people(visits, START)] == ["a", "c"]
    assert rivals_for_people(visits, TOMORROW.start_at) == [], "nobody is asked for a time that has begun"
    goods = [some_goods("a"), some_goods("b", unit="箱"), some_goods("c", attributes={"diet": "halal"})]
    assert [line.id for line in rivals_for_goods(goods)] == ["a", "c"]
    assert rivals_for_people(visits[:2], START) == []
    assert rivals_for_goods(goods[:2]) == []
