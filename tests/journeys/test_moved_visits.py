"""A visit is moved after its goods were promised: they are kept for the time when it is now."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import Cast
from tests.journeys.stage import corrects, fuquan
from tests.journeys.test_going_ahead import gives_back
from tests.journeys.test_goods import goods
from tests.journeys.test_visits import says_yes, seen
from tests.town import Town


async def a_visit_with_rice(
    t: Town, cast: Cast, hours: float, **facts: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A need that had a visitor, who cannot come after all; and the lot that still keeps the rice for it."""
    visitor = await cast.volunteer("visitor")
    rice = await cast.lot(4, **facts)
    await t.settle()
    need = await cast.need(await cast.household(), cast.people_line(hours=hours), cast.goods_line(4))
    await t.settle()
    await gives_back(t, cast, visitor, await says_yes(t, cast, visitor))
    assert await goods(cast, need) == [(rice["id"], 4)]
    return need, rice


async def is_moved(t: Town, cast: Cast, need: dict[str, Any], hours: float) -> None:
    """The visit begins `hours` from now, and somebody comes then."""
    (rice,) = [line for line in (await seen(cast, need))["lines"] if line["kind"] == "goods"]
    visit = cast.people_line(hours=hours) | {"id": "p1"}
    other = await cast.volunteer("other")
    await corrects(t, cast, f"/api/needs/{need['id']}", lines=[visit, rice])
    await says_yes(t, cast, other)
    assert (await seen(cast, need))["status"] == "matched"


@pytest.mark.parametrize(("hours", "instead"), [(30, 144), (144, 40)])
async def test_goods_are_to_be_fetched_by_the_time_when_a_moved_visit_begins(
    hours: float, instead: float
) -> None:
    async with fuquan(pick_up_seconds=86400) as (t, cast):
        need, _ = await a_visit_with_rice(t, cast, hours)
        await is_moved(t, cast, need, instead)
        found = await seen(cast, need)
        begins = found["lines"][0]["window"]["start_at"]
        assert found["next_action_at"] == begins
        await t.passes(hours=hours + 1 if hours < instead else instead - 1)
        cast.appoint()
        (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
        assert (hold["status"], hold["pick_up_by"], hold["overdue"]) == ("confirmed", begins, False)


async def test_goods_that_are_spoilt_by_the_time_of_a_moved_visit_are_changed_for_others() -> None:
    async with fuquan() as (t, cast):
        need, soon = await a_visit_with_rice(t, cast, 30, expires_on="2026-03-05")
        late = await cast.lot(4)
        await is_moved(t, cast, need, 144)
        assert await goods(cast, need) == [(late["id"], 4)]
        assert (await cast.got(cast.donor, f"/api/lots/{soon['id']}"))["available"] == 4
