"""A mistake that is undone leaves nothing behind that only the mistake allowed."""

from __future__ import annotations

from tests.cast import Cast, Person
from tests.journeys.stage import fuquan
from tests.journeys.test_belonging_together import is_a_child
from tests.journeys.test_going_ahead import level
from tests.journeys.test_visits import says_yes, seen
from tests.town import Town
from wushe.check.embedded import evidence_of
from wushe.check.recount import recount


async def does(t: Town, cast: Cast, person: Person, task: str, *steps: str) -> None:
    for step in steps:
        assert (await cast.does(cast.person(person.id), f"/api/tasks/{task}/{step}")).status == 200, step
        await t.settle()


async def test_who_checked_in_by_mistake_before_it_was_known_to_be_for_a_child_is_not_sent_to_the_child() -> (
    None
):
    async with fuquan() as (t, cast):
        li = await cast.volunteer("li")
        home = await cast.household()
        await t.settle()
        need = await cast.need(home, cast.people_line(hours=2))
        await t.settle()
        task = await says_yes(t, cast, li)
        await does(t, cast, li, task, "check-in")
        papers = [{"certificate": "child_director"}]
        director = await cast.volunteer("director", certificates=papers)
        await is_a_child(t, cast, home)
        await does(t, cast, li, task, "undo-check-in")
        assert await level(cast, li, need["id"]) == "area"
        assert (await cast.got(cast.person(li.id), f"/api/tasks/{task}"))["status"] == "cancelled"

        task = await says_yes(t, cast, director)
        await does(t, cast, director, task, "check-in", "undo-check-in", "check-in", "undo-check-in")
        now = await seen(cast, need)
        assert (now["status"], [seat["volunteer_id"] for seat in now["seats"]]) == ("matched", [director.id])
        assert await level(cast, director, need["id"]) == "full"
        assert (await recount(evidence_of(t.engine, t.clock, live=False), t.clock)).clean


async def test_as_long_as_somebody_else_has_begun_whoever_has_a_seat_keeps_it() -> None:
    async with fuquan() as (t, cast):
        pair = [await cast.volunteer(name) for name in ("li", "wang")]
        home = await cast.household()
        await t.settle()
        need = await cast.need(home, cast.people_line(seats=2, hours=2))
        await t.settle()
        tasks = [await says_yes(t, cast, person) for person in pair]
        for person, task in zip(pair, tasks, strict=True):
            await does(t, cast, person, task, "check-in")
        await is_a_child(t, cast, home)
        await does(t, cast, pair[0], tasks[0], "undo-check-in")
        assert {seat["volunteer_id"] for seat in (await seen(cast, need))["seats"]} == {p.id for p in pair}
        await does(t, cast, pair[1], tasks[1], "undo-check-in")
        assert (await seen(cast, need))["seats"] == []


async def test_who_was_asked_as_one_of_the_named_since_keeps_the_seat_when_the_mistake_is_undone() -> None:
    async with fuquan() as (t, cast):
        li = await cast.volunteer("li")
        home = await cast.household()
        await t.settle()
        need = await cast.need(home, cast.people_line(seats=2, hours=2))
        await t.settle()
        task = await says_yes(t, cast, li)
        await t.passes(minutes=110)
        await does(t, cast, li, task, "check-in")
        cast.appoint()
        director = await cast.volunteer("director", certificates=[{"certificate": "child_director"}])
        await is_a_child(t, cast, home)
        cast.appoint()
        hers = await says_yes(t, cast, director)
        await t.passes(minutes=11)
        cast.appoint()
        undone = await cast.does(cast.staff, f"/api/tasks/{task}/undo-check-in")
        assert undone.status == 200, undone.body
        await t.settle()
        assert (await cast.got(cast.person(li.id), f"/api/tasks/{task}"))["status"] == "cancelled"
        await does(t, cast, director, hers, "check-in")
        assert (await seen(cast, need))["status"] == "in_service"
