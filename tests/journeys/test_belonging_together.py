"""A lift and the escort who belongs to it: neither is sent without the other, whatever else the need has, had, or becomes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import Cast
from tests.journeys.stage import corrects, fuquan
from tests.journeys.test_going_ahead import gives_back, level
from tests.journeys.test_visits import says_yes, seen
from tests.town import Town


async def edits(t: Town, cast: Cast, need: dict[str, Any], *lines: dict[str, Any]) -> None:
    await corrects(t, cast, f"/api/needs/{need['id']}", lines=list(lines))


def lift_and_escort(cast: Cast, hours: float) -> tuple[dict[str, Any], dict[str, Any]]:
    lift = cast.people_line(hours=hours, skills=["transport"])
    return lift, cast.people_line(hours=hours, skills=["medical_escort"])


async def a_repair_that_was_given_back(t: Town, cast: Cast) -> dict[str, Any]:
    """A need that had gone ahead, and has nobody now."""
    first = await cast.volunteer("first", skills=["repair"])
    await t.settle()
    need = await cast.need(await cast.household(), cast.people_line(hours=30, skills=["repair"]))
    await t.settle()
    await gives_back(t, cast, first, await says_yes(t, cast, first))
    return need


async def test_a_visit_short_before_does_not_take_the_driver_along_without_the_escort() -> None:
    async with fuquan() as (t, cast):
        barber = await cast.volunteer("barber", skills=["haircut"])
        driver = await cast.volunteer("driver", skills=["transport"])
        await t.settle()
        haircut = cast.people_line(hours=20, skills=["haircut"], required=False)
        need = await cast.need(await cast.household(), *lift_and_escort(cast, 20.25), haircut)
        await t.settle()
        for person in (barber, driver):
            await says_yes(t, cast, person)
        await t.passes(hours=19, minutes=31)
        assert await level(cast, barber, need["id"]) == "full"
        await t.passes(minutes=20)
        assert await level(cast, driver, need["id"]) == "masked"


async def test_what_a_need_is_edited_into_has_not_gone_ahead_because_the_need_did_before() -> None:
    async with fuquan() as (t, cast):
        driver = await cast.volunteer("driver", skills=["transport"])
        need = await a_repair_that_was_given_back(t, cast)
        await edits(t, cast, need, *lift_and_escort(cast, 60))
        await says_yes(t, cast, driver)
        await t.passes(hours=59, minutes=40)
        assert await level(cast, driver, need["id"]) == "masked"


async def test_what_a_need_is_edited_into_lapses_at_its_own_first_visit() -> None:
    async with fuquan() as (t, cast):
        need = await a_repair_that_was_given_back(t, cast)
        later = cast.people_line(hours=200, skills=["tutoring"])
        await edits(t, cast, need, *lift_and_escort(cast, 60), later)
        await t.passes(hours=62)
        assert (await seen(cast, need))["status"] == "lapsed"


async def test_who_did_not_come_before_the_edit_does_not_count_at_the_new_date() -> None:
    async with fuquan() as (t, cast):
        first = await cast.volunteer("first", skills=["repair"])
        second = await cast.volunteer("second", skills=["transport"])
        await t.settle()
        repair = cast.people_line(hours=30, skills=["repair"])
        need = await cast.need(
            await cast.household(), repair, cast.people_line(hours=60, skills=["transport"])
        )
        await t.settle()
        missed, drive = await says_yes(t, cast, first), await says_yes(t, cast, second)
        await t.passes(hours=31)
        cast.appoint()
        assert (await cast.does(cast.staff, f"/api/tasks/{missed}/no-show")).status == 200
        await gives_back(t, cast, second, drive)
        again = cast.people_line(hours=50, skills=["repair"]) | {"id": "p1"}
        await edits(t, cast, need, again, cast.people_line(hours=50, skills=["transport"]) | {"id": "p2"})
        driver = await cast.volunteer("driver", skills=["transport"])
        while not any(i["status"] == "pending" for i in await cast.invitations(cast.person(driver.id))):
            await t.passes(minutes=10)
        await says_yes(t, cast, driver)
        assert (await seen(cast, need))["status"] == "matching"
        await t.passes(hours=51)
        assert (await seen(cast, need))["status"] == "lapsed"


async def test_a_need_that_turns_out_to_be_for_a_child_goes_ahead_only_when_both_are_there_who_may() -> None:
    async with fuquan() as (t, cast):
        driver = await cast.volunteer("driver", skills=["transport"])
        escort = await cast.volunteer("escort", skills=["medical_escort"])
        papers = [{"certificate": "child_director"}]
        director = await cast.volunteer("director", skills=["tutoring", "transport"], certificates=papers)
        await cast.does(cast.staff, f"/api/volunteers/{director.id}/deactivate")
        await t.settle()
        home = await cast.household()
        need = await cast.need(home, *lift_and_escort(cast, 60))
        await t.settle()
        for person in (driver, escort):
            await says_yes(t, cast, person)
        assert (await seen(cast, need))["status"] == "matched"
        await cast.does(cast.staff, f"/api/volunteers/{director.id}/activate")
        await is_a_child(t, cast, home)
        await says_yes(t, cast, director)
        await t.passes(hours=59, minutes=45)
        assert await level(cast, director, need["id"]) == "masked"


async def is_a_child(t: Town, cast: Cast, home: dict[str, Any]) -> None:
    path = f"/api/households/{home['id']}"
    (resident,) = (await cast.got(cast.staff, path))["residents"]
    await corrects(t, cast, f"{path}/residents/{resident['id']}", version_of=path, birth_date="2016-06-01")


async def test_nobody_sets_out_for_a_visit_that_has_begun_with_too_few() -> None:
    async with fuquan() as (t, cast):
        first = await cast.volunteer("first", skills=["repair"])
        lifters = [await cast.volunteer(name, skills=["transport"]) for name in ("x", "y")]
        await t.settle()
        two = cast.people_line(seats=2, hours=60, skills=["transport"])
        need = await cast.need(await cast.household(), cast.people_line(hours=30, skills=["repair"]), two)
        await t.settle()
        await says_yes(t, cast, first)
        tasks = [await says_yes(t, cast, lifter) for lifter in lifters]
        stepping_in = await cast.volunteer("z", skills=["transport"])
        for lifter, task in zip(lifters, tasks, strict=True):
            await gives_back(t, cast, lifter, task)
        await t.passes(minutes=1)
        await says_yes(t, cast, stepping_in)
        for minutes in (59 * 60 + 40, 25):  # shortly before, and shortly after it began
            await t.passes(minutes=minutes)
            assert await level(cast, stepping_in, need["id"]) == "masked"


@pytest.mark.parametrize(("wave_seconds", "ahead", "yes_at"), [(3600, 40, 12), (900, 10, 1)])
async def test_a_visit_that_is_added_late_still_tells_its_helper_in_time(
    wave_seconds: int, ahead: int, yes_at: int
) -> None:
    async with fuquan(wave_seconds=wave_seconds) as (t, cast):
        barber = await cast.volunteer("barber", skills=["haircut"])
        await t.settle()
        repair = cast.people_line(hours=60, skills=["repair"])
        need = await cast.need(await cast.household(), repair)
        await t.passes(minutes=1)
        sooner = cast.people_line(hours=ahead / 60, skills=["haircut"], required=False)
        await edits(t, cast, need, repair | {"id": "p1"}, sooner)
        await says_yes(t, cast, barber)
        await t.passes(minutes=yes_at)
        assert await level(cast, barber, need["id"]) == "full"
