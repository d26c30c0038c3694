"""A need that is edited while the search goes on: nobody who has a seat, and nothing that is held, is edited away."""

from __future__ import annotations

from typing import Any

from shared.contracts.needs import NeedChanged
from tests.services import needs_desk as k
from tests.services.needs_desk import Desk, desk, goods, people


async def edited(d: Desk, need_id: str, *lines: dict[str, Any]) -> str:
    """What staff hear who edit its lines: the new state of the need, or why not."""
    version = (await d.ask("staff", f"GET /needs/{need_id}")).headers["etag"]
    answer = await d.ask("staff", f"PATCH /needs/{need_id}", {"lines": list(lines)}, if_match=version)
    told = answer.json()
    return str(told["status"]) if answer.status_code == 200 else str(told["type"]).rpartition(":")[2]


async def test_there_are_never_fewer_seats_than_have_been_taken() -> None:
    async with desk() as d:
        need_id = await d.posts(people(3))
        await d.hears((need_id, k.won()), (need_id, k.won("wang")))
        assert await edited(d, need_id, people(1, id="p1")) == "line-taken"
        assert await edited(d, need_id, people(2, id="p1")) != "line-taken"


async def test_there_are_never_fewer_goods_than_are_held() -> None:
    async with desk() as d:
        need_id = await d.posts(people(), goods(5, minimum=1))
        await d.hears((need_id, k.partly(holds=(k.held(quantity=3),))))
        assert await edited(d, need_id, people(id="p1"), goods(2, id="g1")) == "line-taken"
        assert await edited(d, need_id, people(id="p1"), goods(3, id="g1")) != "line-taken"


async def test_other_goods_are_searched_for_when_the_order_is_edited() -> None:
    async with desk() as d:
        need_id = await d.posts(people(), goods(5))
        await edited(d, need_id, people(id="p1"), goods(7, id="g1"), goods(2, minimum=1))
        (changed,) = d.w.said(NeedChanged)
        assert [(line.id, line.quantity) for line in changed.spec.goods] == [("g1", 7), ("g2", 2)]


async def test_the_field_of_an_order_is_kept_as_it_was_given() -> None:
    async with desk() as d:
        need_id = await d.posts(field="elderly")
        assert (await d.made("staff", f"GET /needs/{need_id}"))["field"] == "elderly"


async def test_that_nobody_had_begun_after_all_is_said_once_and_only_of_what_became_one_for_a_child() -> None:
    async with desk() as d:
        home = await d.household()
        need_id = await d.posts(people(2), household_id=home)
        await d.hears((need_id, k.won()), (need_id, k.made(k.taken())))
        await d.hears(k.checked_in(need_id), k.check_in_undone(need_id))
        assert d.w.said(NeedChanged) == [] and (await d.need(need_id)).went_ahead
        await d.hears(k.checked_in(need_id))
        version = (await d.ask("staff", f"GET /households/{home}")).headers["etag"]
        child = f"PATCH /households/{home}/residents/{home}~1"
        await d.ask("staff", child, {"birth_date": "2016-06-01"}, if_match=version)
        assert (await d.need(need_id)).went_ahead
        await d.hears(k.check_in_undone(need_id))
        assert not (await d.need(need_id)).went_ahead
        await d.hears(k.checked_in(need_id), k.check_in_undone(need_id))
        assert [changed.begun for changed in d.w.said(NeedChanged)] == [True, False]
