"""Gifts and the needs they are for: promised to whom the conditions name, left to whoever can use them, taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.journeys.stage import corrects, fuquan
from tests.journeys.test_going_ahead import gives_back
from tests.journeys.test_visits import says_yes, seen, serves
from tests.town import Town


async def goods(cast: Cast, need: dict[str, Any]) -> list[tuple[str, int]]:
    """The lots that the need has something of, and how much."""
    return [(one["lot_id"], one["quantity"]) for one in (await seen(cast, need))["goods"]]


@pytest.mark.parametrize("promised", [False, True])
async def test_what_is_promised_stays_but_nothing_more_is_given_for_what_the_file_no_longer_says(
    promised: bool,
) -> None:
    async with fuquan() as (t, cast):
        home = await cast.household(target_groups=["disabled"])
        rice = await cast.lot(5) if promised else None
        await t.settle()
        coat = cast.goods_line(1, category="clothing", unit="件", required=False)
        need = await cast.need(home, cast.goods_line(2), coat)
        await t.passes(minutes=20)
        await corrects(t, cast, f"/api/households/{home['id']}", target_groups=["elder_alone"])
        await cast.lot(5, category="clothing", unit="件", earmark={"target_groups": ["disabled"]})
        await t.passes(hours=6)
        assert await goods(cast, need) == ([(rice["id"], 2)] if rice else [])


@pytest.mark.parametrize(("meant_for", "given"), [(["elder_alone"], False), ([], True)])
async def test_what_is_only_kept_for_a_line_that_has_been_promised_some_is_booked_by_the_corrected_groups(
    meant_for: list[str], given: bool
) -> None:
    async with fuquan(wave_seconds=600, invitation_seconds=7200, hold_seconds=36000) as (t, cast):
        first = await cast.volunteer("first")
        home = await cast.household(target_groups=["elder_alone"])
        rice = await cast.lot(4)
        await t.settle()
        visit = cast.people_line(hours=30)
        need = await cast.need(home, visit, cast.goods_line(10, minimum=4))
        await t.settle()
        task = await says_yes(t, cast, first)
        await t.passes(minutes=11)
        await gives_back(t, cast, first, task)
        cast.appoint()
        gift = await cast.lot(6, earmark={"target_groups": meant_for})
        second = await cast.volunteer("second")
        await t.passes(minutes=45)
        cast.appoint()
        assert (await cast.got(cast.donor, f"/api/lots/{gift['id']}"))["available"] == 0
        await corrects(t, cast, f"/api/households/{home['id']}", target_groups=["disabled"])
        await t.passes(minutes=45)
        await says_yes(t, cast, second)
        assert await goods(cast, need) == [(rice["id"], 4), *([(gift["id"], 6)] if given else [])]


@pytest.mark.parametrize(
    ("by_mistake", "in_truth", "given"),
    [("disabled", "elder_alone", False), ("elder_alone", "disabled", True)],
)
async def test_an_earmarked_gift_goes_by_what_the_file_says_now(
    by_mistake: str, in_truth: str, given: bool
) -> None:
    async with fuquan() as (t, cast):
        home = await cast.household(target_groups=[by_mistake])
        await t.settle()
        need = await cast.need(home, cast.goods_line(2))
        await t.settle()
        await corrects(t, cast, f"/api/households/{home['id']}", target_groups=[in_truth])
        lot = await cast.lot(10, earmark={"target_groups": ["disabled"]})
        await t.passes(hours=2)
        assert await goods(cast, need) == ([(lot["id"], 2)] if given else [])


async def fetched(t: Town, cast: Cast, need: dict[str, Any], *steps: str) -> None:
    """What is confirmed for the need goes through these steps."""
    cast.appoint()
    query = f"need_id={need['id']}&status=confirmed"
    for hold in (await cast.got(cast.staff, f"/api/holds?{query}"))["items"]:
        for step in steps:
            body = {"relation": "resident", "signature": "罗"} if step == "receipt" else None
            done = await cast.does(cast.staff, f"/api/holds/{hold['id']}/{step}", body)
            assert done.status == 200, done.body
    await t.settle()


async def test_what_may_stay_empty_comes_no_more_once_the_time_is_over_and_the_resident_is_asked() -> None:
    async with fuquan() as (t, cast):
        visitor = await cast.volunteer("visitor")
        await t.settle()
        need = await cast.need(await cast.household(), cast.people_line(), cast.goods_line(2, required=False))
        await t.settle()
        visit = await says_yes(t, cast, visitor)
        await t.passes(hours=2)
        await serves(t, cast, visitor, visit)
        await t.passes(hours=2)
        assert (await seen(cast, need))["status"] == "awaiting_confirmation"
        lot = await cast.lot(9)
        await t.passes(hours=12)
        assert (await seen(cast, need))["status"] == "awaiting_confirmation"
        assert (await cast.got(cast.donor, f"/api/lots/{lot['id']}"))["available"] == 9
        rating = {"score": 5, "channel": "phone"}
        assert (await cast.does(cast.staff, f"/api/needs/{need['id']}/rate", rating)).status == 200
        assert (await seen(cast, need))["status"] == "completed"


async def test_the_rest_of_what_was_given_in_part_is_looked_for_until_its_date_and_no_longer() -> None:
    async with fuquan() as (t, cast):
        await cast.lot(6)
        await t.settle()
        by = (t.clock.now() + timedelta(days=2)).isoformat()
        need = await cast.need(await cast.household(), cast.goods_line(10, minimum=4, needed_by=by))
        await t.passes(minutes=20)
        await fetched(t, cast, need, "issue", "receipt")
        await t.passes(days=1)
        cast.appoint()
        more = await cast.lot(1)
        await t.passes(hours=2)
        assert (more["id"], 1) in await goods(cast, need)
        await fetched(t, cast, need, "issue", "receipt")
        await t.passes(days=1)
        assert (await seen(cast, need))["status"] == "awaiting_confirmation"
        late = await cast.lot(20)
        await t.passes(days=1)
        assert late["id"] not in dict(await goods(cast, need))
        assert (await seen(cast, need))["status"] == "awaiting_confirmation"


async def test_a_need_that_nobody_can_be_found_for_keeps_no_goods_for_ever_from_one_that_needs_only_them() -> (
    None
):
    async with fuquan() as (t, cast):
        lot = await cast.lot(10)
        await t.settle()
        visit = cast.people_line(hours=480, skills=["repair"])
        waits = await cast.need(await cast.household(), visit, cast.goods_line(10))
        await t.passes(hours=1)
        cast.appoint()
        by = (t.clock.now() + timedelta(days=3)).isoformat()
        need = await cast.need(await cast.household(), cast.goods_line(2, needed_by=by), urgency="urgent")
        await t.passes(hours=5)
        assert await goods(cast, need) == [(lot["id"], 2)]
        assert await goods(cast, waits) == []


@pytest.mark.parametrize("before", range(4))
async def test_of_two_needs_that_each_keep_what_the_other_lacks_one_gets_it(before: int) -> None:
    """Both are posted in the same moment, as when needs are loaded in bulk. How many files there are `before` only changes
    the ids, which times may hang on."""
    async with fuquan() as (t, cast):
        for _ in range(before):
            await cast.household()
        await cast.lot(1)
        await cast.lot(1, category="clothing", unit="件")
        await t.settle()
        cast.appoint()
        by = (t.clock.now() + timedelta(days=9)).isoformat()
        rice = cast.goods_line(1, needed_by=by)
        coat = cast.goods_line(1, category="clothing", unit="件", needed_by=by)
        visit = cast.people_line(hours=200)
        needs = [await cast.need(await cast.household(), visit, first) for first in (rice, coat)]
        await t.settle()
        for need, second in zip(needs, (coat, rice), strict=True):
            lines = [line for line in (await seen(cast, need))["lines"] if line["kind"] == "goods"]
            await corrects(t, cast, f"/api/needs/{need['id']}", lines=[*lines, second])
        await t.passes(hours=10)
        cast.appoint()
        assert sorted([(await seen(cast, need))["status"] for need in needs]) == ["matched", "matching"]


async def test_goods_that_are_not_needed_can_be_taken_out_of_the_need() -> None:
    async with fuquan() as (t, cast):
        visitor = await cast.volunteer("visitor")
        await cast.lot(10)
        await cast.lot(10)
        await t.settle()
        visit = cast.people_line(hours=30)
        need = await cast.need(await cast.household(), visit, cast.goods_line(2))
        await t.settle()
        await says_yes(t, cast, visitor)
        (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
        no = {"reason": "not_needed"}
        assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/release", no)).status == 200
        await t.passes(hours=1)
        assert await goods(cast, need) == []
        await corrects(t, cast, f"/api/needs/{need['id']}", lines=[visit | {"id": "p1"}])
        assert (await seen(cast, need))["status"] == "matched"


async def test_goods_that_the_resident_declined_are_not_booked_at_once_from_another_charity() -> None:
    async with fuquan() as (t, cast):
        await cast.lot(10, expires_on="2026-05-01")
        other = await cast.lot(10)
        await t.settle()
        need = await cast.need(await cast.household(), cast.goods_line(2))
        await t.settle()
        await fetched(t, cast, need, "issue")
        (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
        no = {"reason": "declined"}
        assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/return", no)).status == 200
        await t.passes(hours=1)
        cast.appoint()
        assert (await cast.got(cast.donor, f"/api/lots/{other['id']}"))["available"] == 10


async def statuses(cast: Cast, need: dict[str, Any]) -> list[str]:
    """Of all goods that were ever kept for the need."""
    cast.appoint()
    return [
        hold["status"] for hold in (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
    ]


async def test_what_is_not_needed_is_not_promised_again_because_the_household_has_moved() -> None:
    async with fuquan() as (t, cast):
        home = await cast.household()
        await cast.lot(10)
        await t.settle()
        visit = cast.people_line(hours=50, required=False)
        need = await cast.need(home, visit, cast.goods_line(2))
        await t.passes(minutes=20)
        elsewhere = {"area": "522702002", "address": "新村1号"}
        await corrects(t, cast, f"/api/households/{home['id']}", **elsewhere)
        cast.appoint()
        (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
        no = {"reason": "not_needed"}
        assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/release", no)).status == 200
        await t.passes(minutes=30)
        assert (await seen(cast, need))["area"] == "522702002"
        assert await statuses(cast, need) == ["released"]


async def test_what_was_handed_over_and_came_back_is_owed_also_if_the_file_is_corrected_then() -> None:
    async with fuquan() as (t, cast):
        visitor = await cast.volunteer("visitor")
        home = await cast.household()
        await cast.lot(10)
        await t.settle()
        need = await cast.need(home, cast.people_line(hours=2), cast.goods_line(2))
        await t.settle()
        visit = await says_yes(t, cast, visitor)
        await t.passes(minutes=5)
        await fetched(t, cast, need, "issue")
        await t.passes(minutes=115)
        await serves(t, cast, visitor, visit)
        await t.passes(hours=4)
        cast.appoint()
        (hold,) = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
        back = {"reason": "undelivered"}
        assert (await cast.does(cast.staff, f"/api/holds/{hold['id']}/return", back)).status == 200
        await t.settle()
        groups = ["elder_alone", "disabled"]
        await corrects(t, cast, f"/api/households/{home['id']}", target_groups=groups)
        await t.passes(hours=2)
        assert "confirmed" in await statuses(cast, need)
