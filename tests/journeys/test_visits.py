"""Several visits in one need, as a package comes to: what fails takes nothing away that can still be done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.cast import Cast, Person
from tests.journeys.stage import corrects, fuquan
from tests.town import Town

FRAIL = {"disability": {"self_care": "none", "body": "chronic"}, "persons": 1}


async def seen(cast: Cast, need: dict[str, Any]) -> dict[str, Any]:
    cast.appoint()
    return await cast.got(cast.staff, f"/api/needs/{need['id']}")


async def says_yes(t: Town, cast: Cast, person: Person) -> str:
    """The id of the one task this person was asked to do, and now has."""
    me = cast.person(person.id)
    (asked,) = [i for i in await cast.invitations(me) if i["status"] == "pending"]
    assert (await cast.does(me, f"/api/invitations/{asked['id']}/accept")).status == 200
    await t.settle()
    return str(asked["id"])


async def serves(t: Town, cast: Cast, person: Person, task: str) -> None:
    """It is time: this person comes, sees where to go, and does it."""
    me = cast.person(person.id)
    found = await cast.got(me, f"/api/tasks/{task}")
    contact = await cast.got(me, f"/api/needs/{found['need_id']}/contact")
    assert (contact["level"], contact["phone"]) == ("full", "19911112222")
    for step in ("check-in", "check-out"):
        assert (await cast.does(me, f"/api/tasks/{task}/{step}", {})).status == 200
        await t.settle()


async def two_visits(cast: Cast, goods: int = 0, **facts: Any) -> dict[str, Any]:
    """A repair in 30 hours and a haircut in 60, and so many bags of rice."""
    repair = cast.people_line(hours=30, skills=["repair"], **facts)
    haircut = cast.people_line(hours=60, skills=["haircut"], **facts)
    rice = [cast.goods_line(goods)] if goods else []
    return await cast.need(await cast.household(), repair, haircut, *rice)


async def test_a_package_goes_ahead_with_what_is_there_though_nobody_is_found_for_one_of_its_visits() -> None:
    async with fuquan() as (t, cast):
        visitor = await cast.volunteer("visitor")
        cook = await cast.volunteer("cook", skills=["meal_delivery"])
        home = await cast.household()
        await t.settle()
        asked = FRAIL | {"first_day": (t.clock.now() + timedelta(days=1)).date().isoformat()}
        package = (await t.call(cast.staff.token, "POST", "/api/packages/elderly/expand", asked)).body
        need = await cast.need(home, *package["lines"], category=package["category"])
        await t.settle()
        visit, meal = await says_yes(t, cast, visitor), await says_yes(t, cast, cook)
        for person, task in ((visitor, visit), (cook, meal)):
            starts = (await cast.got(cast.person(person.id), f"/api/tasks/{task}"))["window"]["start_at"]
            await t.passes(seconds=(datetime.fromisoformat(starts) - t.clock.now()).total_seconds())
            await serves(t, cast, person, task)
        assert (await seen(cast, need))["status"] == "in_service"
        await t.passes(days=5)
        over = await seen(cast, need)
        assert over["status"] == "awaiting_confirmation"
        assert [s["task_status"] for s in over["seats"]] == ["done", "done"]


async def test_whoever_is_to_come_later_comes_though_somebody_before_them_did_not() -> None:
    async with fuquan() as (t, cast):
        first = await cast.volunteer("first", skills=["repair"])
        second = await cast.volunteer("second", skills=["haircut"])
        await t.settle()
        need = await two_visits(cast)
        await t.settle()
        missed, kept = await says_yes(t, cast, first), await says_yes(t, cast, second)
        await t.passes(hours=32)
        cast.appoint()
        assert (await cast.does(cast.staff, f"/api/tasks/{missed}/no-show")).status == 200
        await t.passes(hours=1)
        assert (await seen(cast, need))["status"] == "partly_matched"
        assert (await cast.got(cast.person(second.id), f"/api/tasks/{kept}"))["status"] == "taken"
        await t.passes(hours=28, minutes=5)
        await serves(t, cast, second, kept)
        await t.passes(hours=2)
        assert (await seen(cast, need))["status"] == "awaiting_confirmation"


async def test_whoever_is_to_come_later_comes_though_somebody_before_them_gave_the_seat_back() -> None:
    async with fuquan() as (t, cast):
        first = await cast.volunteer("first", skills=["repair"])
        second = await cast.volunteer("second", skills=["haircut"])
        lot = await cast.lot(5)
        await t.settle()
        need = await two_visits(cast, goods=2)
        await t.settle()
        given_up, kept = await says_yes(t, cast, first), await says_yes(t, cast, second)
        await t.passes(hours=20)
        assert (await cast.does(cast.person(first.id), f"/api/tasks/{given_up}/withdraw")).status == 200
        await t.passes(hours=12)
        assert (await seen(cast, need))["status"] == "matching"
        assert (await cast.got(cast.donor, f"/api/lots/{lot['id']}"))["held"] == 2
        await t.passes(hours=28, minutes=5)
        await serves(t, cast, second, kept)


async def test_a_visit_that_may_stay_empty_is_good_by_itself_whatever_is_still_looked_for() -> None:
    async with fuquan() as (t, cast):
        early = await cast.volunteer("early", skills=["haircut"])
        await t.settle()
        optional = cast.people_line(hours=30, skills=["haircut"], required=False)
        needed = cast.people_line(hours=60, skills=["repair"])
        need = await cast.need(await cast.household(), optional, needed)
        await t.settle()
        task = await says_yes(t, cast, early)
        await t.passes(hours=29)
        me = cast.person(early.id)
        assert (await cast.got(me, f"/api/needs/{need['id']}/contact"))["level"] == "masked"
        await t.passes(minutes=45)
        await serves(t, cast, early, task)
        await t.passes(hours=40)
        assert (await seen(cast, need))["status"] == "awaiting_confirmation"


async def test_a_need_lapses_when_the_only_one_who_was_to_come_did_not() -> None:
    async with fuquan() as (t, cast):
        first = await cast.volunteer("first", skills=["repair"])
        await t.settle()
        need = await cast.need(await cast.household(), cast.people_line(hours=30, skills=["repair"]))
        await t.settle()
        missed = await says_yes(t, cast, first)
        await t.passes(hours=32)
        cast.appoint()
        assert (await cast.does(cast.staff, f"/api/tasks/{missed}/no-show")).status == 200
        await t.settle()
        assert (await seen(cast, need))["status"] == "lapsed"


async def test_visits_that_may_each_stay_empty_are_searched_for_until_the_last_of_them() -> None:
    async with fuquan() as (t, cast):
        need = await two_visits(cast, required=False)
        await t.passes(hours=31)
        assert (await seen(cast, need))["status"] == "matching", "the second may still be found"
        barber = await cast.volunteer("barber", skills=["haircut"])
        await t.passes(hours=1)
        task = await says_yes(t, cast, barber)
        await t.passes(hours=28, minutes=5)
        await serves(t, cast, barber, task)
        await t.passes(hours=2)
        assert (await seen(cast, need))["status"] == "awaiting_confirmation"


async def test_visits_that_may_each_stay_empty_lapse_when_none_was_ever_found() -> None:
    async with fuquan() as (t, cast):
        need = await two_visits(cast, required=False)
        await t.passes(hours=62)
        assert (await seen(cast, need))["status"] == "lapsed"


async def test_a_check_out_that_was_forgotten_gives_no_hours_beyond_the_visit_when_the_need_is_cancelled() -> (
    None
):
    async with fuquan() as (t, cast):
        visitor = await cast.volunteer("visitor")
        await t.settle()
        need = await cast.need(await cast.household(), cast.people_line(hours=2, length=1.0))
        await t.settle()
        visit = await says_yes(t, cast, visitor)
        await t.passes(hours=2)
        assert (await cast.does(cast.person(visitor.id), f"/api/tasks/{visit}/check-in")).status == 200
        await t.passes(days=3)
        cast.appoint()
        solved = {"reason": "solved"}
        assert (await cast.does(cast.staff, f"/api/needs/{need['id']}/cancel", solved)).status == 200
        await t.settle()
        hours = await cast.got(cast.staff, f"/api/volunteers/{visitor.id}/hours")
        assert [record["minutes"] for record in hours["items"]] == [60]


async def test_everybody_sees_how_urgent_a_need_is_when_that_was_edited_after_they_were_asked() -> None:
    async with fuquan() as (t, cast):
        papers = [{"certificate": "child_director"}]
        first, second = [await cast.volunteer(name, certificates=papers) for name in ("first", "second")]
        home = await cast.household(
            residents=[{"name": "小龙", "birth_date": "2016-06-01", "relation": "head"}]
        )
        await t.settle()
        need = await cast.need(home, cast.people_line(2, hours=5))
        await t.settle()
        task = await says_yes(t, cast, first)
        for urgency, asked in (
            ("urgent", [("pending", "urgent")]),
            ("crisis", [("withdrawn", "urgent"), ("pending", "crisis")]),
        ):
            await corrects(t, cast, f"/api/needs/{need['id']}", urgency=urgency)
            assert (await cast.got(cast.person(first.id), f"/api/tasks/{task}"))["urgency"] == urgency
            found = await cast.invitations(cast.person(second.id))
            assert sorted((i["status"], i["urgency"]) for i in found) == sorted(asked)


async def test_a_visit_that_came_about_sooner_counts_as_long_as_planned_if_nobody_entered_its_end() -> None:
    async with fuquan() as (t, cast):
        li = await cast.volunteer("li")
        home = await cast.household()
        await t.settle()
        need = await cast.need(home, cast.people_line(hours=50))
        await t.settle()
        task = await says_yes(t, cast, li)
        assert (await cast.does(cast.staff, f"/api/tasks/{task}/check-in")).status == 200
        await t.passes(hours=26)
        cast.appoint()
        solved = {"reason": "solved"}
        assert (await cast.does(cast.staff, f"/api/needs/{need['id']}/cancel", solved)).status == 200
        await t.settle()
        assert (await cast.got(cast.staff, f"/api/tasks/{task}"))["minutes"] == 60
