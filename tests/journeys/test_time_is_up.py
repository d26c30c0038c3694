"""The time of a need is up: what lapses then, and what does not since it was promised, or since another body was asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import Cast, Person
from tests.journeys.stage import corrects, fuquan
from tests.journeys.test_belonging_together import lift_and_escort
from tests.journeys.test_going_ahead import gives_back
from tests.journeys.test_visits import says_yes, seen
from tests.town import Town


@pytest.mark.parametrize("noted", ["withdraw", "no-show"])
async def test_goods_promised_for_later_stay_though_the_visit_before_was_missed(noted: str) -> None:
    async with fuquan() as (t, cast):
        first = await cast.volunteer("first", skills=["repair"])
        lot = await cast.lot(5)
        await t.settle()
        rice = cast.goods_line(2, needed_by=(t.clock.now() + timedelta(hours=100)).isoformat())
        visit = cast.people_line(hours=30, skills=["repair"])
        need = await cast.need(await cast.household(), visit, rice)
        await t.settle()
        task = await says_yes(t, cast, first)
        assert (await seen(cast, need))["status"] == "matched"
        await t.passes(hours=29 if noted == "withdraw" else 31)
        cast.appoint()
        who = cast.person(first.id) if noted == "withdraw" else cast.staff
        assert (await cast.does(who, f"/api/tasks/{task}/{noted}")).status == 200
        await t.passes(hours=3)
        cast.appoint()
        status = "partly_matched" if noted == "no-show" else "matching"
        assert (await seen(cast, need))["status"] == status
        assert (await cast.got(cast.donor, f"/api/lots/{lot['id']}"))["held"] == 2


@pytest.mark.parametrize("edited", [False, True])
async def test_a_need_that_went_ahead_has_done_so_though_a_word_of_it_is_edited(edited: bool) -> None:
    async with fuquan() as (t, cast):
        first = await cast.volunteer("first", skills=["repair"])
        second = await cast.volunteer("second", skills=["haircut"])
        await t.settle()
        visits = [
            cast.people_line(hours=hours, skills=[skill])
            for hours, skill in ((30, "repair"), (80, "haircut"))
        ]
        need = await cast.need(await cast.household(), *visits)
        await t.settle()
        tasks = [await says_yes(t, cast, person) for person in (first, second)]
        await t.passes(hours=2)
        for person, task in zip((first, second), tasks, strict=True):
            await gives_back(t, cast, person, task)
        if edited:
            same = [visit | {"id": f"p{n}"} for n, visit in enumerate(visits, 1)]
            await corrects(t, cast, f"/api/needs/{need['id']}", note="先打电话", lines=same)
        cast.appoint()
        later = await cast.volunteer("later", skills=["haircut"])
        await t.passes(minutes=70)
        await says_yes(t, cast, later)
        await t.passes(hours=28)
        assert (await seen(cast, need))["status"] == "matching"


NOT_ASKED = "is not asked for"


async def behaves(t: Town, cast: Cast, barber: Person, how: str) -> None:
    """What comes of the haircut in 20 hours; it is an hour past then."""
    cut = "" if how == NOT_ASKED else await says_yes(t, cast, barber)
    await t.passes(hours=19, minutes=45)
    if how == "gives back":
        await gives_back(t, cast, barber, cut)
    await t.passes(hours=1)
    cast.appoint()
    if how == "does not come":
        assert (await cast.does(cast.staff, f"/api/tasks/{cut}/no-show")).status == 200


async def lapses(t: Town, cast: Cast, how: str, *required: dict[str, Any], after: int) -> None:
    """A need with these visits, and with one good by itself unless nobody is asked for it, is over after so many hours, and
    the driver who had a seat is told so."""
    barber = await cast.volunteer("barber", skills=["haircut"])
    driver = await cast.volunteer("driver", skills=["transport"])
    await t.settle()
    by_itself = cast.people_line(hours=20, skills=["haircut"], required=False)
    lines = [*required, *([] if how == NOT_ASKED else [by_itself])]
    need = await cast.need(await cast.household(), *lines)
    await t.settle()
    drive = await says_yes(t, cast, driver)
    await behaves(t, cast, barber, how)
    await t.passes(hours=after)
    assert (await seen(cast, need))["status"] == "lapsed"
    assert (await cast.got(cast.person(driver.id), f"/api/tasks/{drive}"))["status"] == "cancelled"


@pytest.mark.parametrize("how", [NOT_ASKED, "does not come", "gives back"])
async def test_a_visit_good_by_itself_does_not_keep_a_need_beyond_its_first_required_one(how: str) -> None:
    async with fuquan() as (t, cast):
        repair = cast.people_line(hours=30, skills=["repair"])
        drive = cast.people_line(hours=100, skills=["transport"])
        await lapses(t, cast, how, repair, drive, after=11)


@pytest.mark.parametrize("how", [NOT_ASKED, "does not come", "gives back"])
async def test_where_nobody_is_served_in_part_a_visit_good_by_itself_keeps_no_helper_waiting(
    how: str,
) -> None:
    async with fuquan(allow_partial=False) as (t, cast):
        drive = cast.people_line(seats=2, minimum=1, hours=60, skills=["transport"])
        await lapses(t, cast, how, drive, after=40)


@pytest.mark.parametrize("driver_found", [False, True])
async def test_another_body_that_was_asked_may_answer_as_long_as_it_was_given(driver_found: bool) -> None:
    async with fuquan() as (t, cast):
        driver = await cast.volunteer("driver", skills=["transport"])
        await t.settle()
        need = await cast.need(await cast.household(), *lift_and_escort(cast, 30))
        await t.settle()
        if driver_found:
            await says_yes(t, cast, driver)
        asked = {"body": "县残联", "answer_by": (t.clock.now() + timedelta(days=5)).isoformat()}
        assert (await cast.does(cast.staff, f"/api/needs/{need['id']}/refer", asked)).status == 200
        await t.passes(hours=32)
        assert (await seen(cast, need))["waiting"] == "referral"
        assert (await cast.does(cast.staff, f"/api/needs/{need['id']}/referral/accept")).status == 200
        assert (await seen(cast, need))["status"] == "referred"
