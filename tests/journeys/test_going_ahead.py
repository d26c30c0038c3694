"""Which parts of a need go ahead, and who is told where to go: never somebody whose other half is missing."""

from __future__ import annotations

import pytest

from tests.cast import Cast, Person
from tests.journeys.stage import fuquan
from tests.journeys.test_visits import says_yes, seen
from tests.town import Town


async def level(cast: Cast, person: Person, need_id: str) -> str:
    return str((await cast.got(cast.person(person.id), f"/api/needs/{need_id}/contact"))["level"])


async def gives_back(t: Town, cast: Cast, person: Person, task: str) -> None:
    assert (await cast.does(cast.person(person.id), f"/api/tasks/{task}/withdraw")).status == 200
    await t.settle()


@pytest.mark.parametrize("allow_partial", [True, False])
async def test_a_visit_that_is_good_by_itself_sends_nobody_to_what_is_still_not_whole(
    allow_partial: bool,
) -> None:
    async with fuquan(allow_partial=allow_partial) as (t, cast):
        barber = await cast.volunteer("barber", skills=["haircut"])
        driver = await cast.volunteer("driver", skills=["transport"])
        lot = await cast.lot(5)
        await t.settle()
        lift = cast.people_line(hours=60, skills=["transport"])
        escort = cast.people_line(hours=60, skills=["medical_escort"])
        haircut = cast.people_line(hours=20, skills=["haircut"], required=False)
        need = await cast.need(await cast.household(), lift, escort, haircut, cast.goods_line(2))
        await t.settle()
        cut, drive = await says_yes(t, cast, barber), await says_yes(t, cast, driver)
        await t.passes(hours=19, minutes=45)
        assert await level(cast, barber, need["id"]) == "full"
        assert await level(cast, driver, need["id"]) == "masked"
        assert (await seen(cast, need))["goods"] == []
        await t.passes(hours=2)
        cast.appoint()
        assert (await cast.does(cast.staff, f"/api/tasks/{cut}/no-show")).status == 200
        await t.passes(hours=39)
        assert (await seen(cast, need))["status"] == "lapsed"
        assert (await cast.got(cast.person(driver.id), f"/api/tasks/{drive}"))["status"] == "cancelled"
        assert (await cast.got(cast.donor, f"/api/lots/{lot['id']}"))["available"] == 5


async def test_whoever_steps_in_learns_where_to_go_though_a_later_visit_is_short() -> None:
    async with fuquan() as (t, cast):
        skills = ("repair", "haircut", "tutoring")
        first, second, third = [await cast.volunteer(skill, skills=[skill]) for skill in skills]
        spare = await cast.volunteer("spare", skills=["repair"])
        await cast.does(cast.staff, f"/api/volunteers/{spare.id}/deactivate")
        await t.settle()
        visits = [cast.people_line(hours=30 + 30 * n, skills=[skill]) for n, skill in enumerate(skills)]
        need = await cast.need(await cast.household(), *visits)
        await t.settle()
        tasks = [await says_yes(t, cast, person) for person in (first, second, third)]
        await gives_back(t, cast, second, tasks[1])
        assert (await cast.does(cast.staff, f"/api/volunteers/{spare.id}/activate")).status == 200
        await gives_back(t, cast, first, tasks[0])
        await t.passes(minutes=1)
        await says_yes(t, cast, spare)
        await t.passes(hours=29, minutes=40)
        assert await level(cast, spare, need["id"]) == "full"


async def test_a_line_that_is_moved_by_an_edit_wakes_the_search_when_people_set_out() -> None:
    async with fuquan() as (t, cast):
        barber = await cast.volunteer("barber", skills=["haircut"])
        await t.settle()
        needed = cast.people_line(hours=60, skills=["repair"])
        need = await cast.need(await cast.household(), needed)
        await t.passes(hours=3)
        cast.appoint()
        found = await t.call(cast.staff.token, "GET", f"/api/needs/{need['id']}")
        sooner = cast.people_line(hours=16.4, skills=["haircut"], required=False)
        body = {"lines": [needed | {"id": "p1"}, sooner]}
        match = {"If-Match": found.headers["etag"]}
        edited = await t.call(cast.staff.token, "PATCH", f"/api/needs/{need['id']}", body, headers=match)
        assert edited.status == 200, edited.body
        await t.settle()
        await says_yes(t, cast, barber)
        await t.passes(hours=16)
        assert await level(cast, barber, need["id"]) == "full"


async def test_a_need_that_went_ahead_is_searched_for_until_its_last_visit() -> None:
    async with fuquan() as (t, cast):
        first = await cast.volunteer("first", skills=["repair"])
        second = await cast.volunteer("second", skills=["haircut"])
        await t.settle()
        repair = cast.people_line(hours=30, skills=["repair"])
        haircut = cast.people_line(hours=60, skills=["haircut"])
        need = await cast.need(await cast.household(), repair, haircut)
        await t.settle()
        missed, given_up = await says_yes(t, cast, first), await says_yes(t, cast, second)
        await t.passes(hours=31)
        cast.appoint()
        assert (await cast.does(cast.staff, f"/api/tasks/{missed}/no-show")).status == 200
        spare = await cast.volunteer("spare", skills=["haircut"])
        await t.passes(hours=9)
        await gives_back(t, cast, second, given_up)
        await t.passes(minutes=1)
        await says_yes(t, cast, spare)
        assert (await seen(cast, need))["status"] != "lapsed"
        await t.passes(hours=19, minutes=30)
        assert await level(cast, spare, need["id"]) == "full"


async def test_goods_with_a_date_are_looked_for_after_a_visit_that_may_stay_empty() -> None:
    async with fuquan() as (t, cast):
        visit = cast.people_line(hours=24, required=False)
        goods = cast.goods_line(2, required=False, needed_by=(t.clock.now().replace(day=12)).isoformat())
        need = await cast.need(await cast.household(), visit, goods)
        await t.passes(hours=25)
        assert (await seen(cast, need))["status"] == "matching"
        await cast.lot(5)
        await t.passes(hours=6)
        assert (await seen(cast, need))["status"] == "partly_matched"
