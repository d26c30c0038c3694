"""Races about one task: to give it up, to do it, to finish it, all in the same moment. One outcome stands."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Cast, Person
from tests.races.arena import a_town, asked, becomes, until, won

pytestmark = pytest.mark.timeout(300)
TAKEN = {200, 409}


async def tasks_of(cast: Cast, person: Person) -> dict[str, str]:
    """The status of each of this person's tasks, by id."""
    items = (await cast.got(person, f"/api/tasks?volunteer_id={person.id}"))["items"]
    return {task["id"]: task["status"] for task in items}


async def hours_of(cast: Cast, person: Person, need: dict[str, Any]) -> int:
    """How many times this need stands on the person's record."""
    items = (await cast.got(cast.staff, f"/api/volunteers/{person.id}/hours"))["items"]
    return sum(entry["need_id"] == need["id"] for entry in items)


async def test_withdrawing_against_checking_in_and_out_has_one_outcome(tmp_path: Path) -> None:
    """From a task that was only taken: either it is given up, or it is begun (and then perhaps done)."""
    async with a_town(tmp_path) as (_, cast):
        home = await cast.household()
        outcomes: Counter[str] = Counter()
        for n in range(12):
            person = await cast.volunteer(f"w{n}")
            need = await cast.need(home, cast.people_line(hours=1))
            task = await won(cast, person, need)
            orders = ("withdraw", "check-in", "check-out"), ("check-in", "check-out", "withdraw")
            order = (*orders, ("check-in", "withdraw", "check-out"))[n % 3]
            acts = (cast.does(person, f"/api/tasks/{task}/{act}") for act in order)
            came = dict(zip(order, await asyncio.gather(*acts), strict=True))
            assert {a.status for a in came.values()} <= TAKEN, [a.body for a in came.values()]
            begun, gone = came["check-in"].status == 200, came["withdraw"].status == 200
            assert begun is not gone
            assert begun or came["check-out"].status == 409, "nobody finishes what they gave up"
            stands = "withdrawn" if gone else "done" if came["check-out"].status == 200 else "checked_in"
            assert (await tasks_of(cast, person))[task] == stands
            outcomes[stands] += 1
            wanted = {
                "withdrawn": ("matching",),
                "done": ("awaiting_confirmation",),
                "checked_in": ("in_service",),
            }
            await becomes(cast, need, *wanted[stands])
            if stands != "done":
                await cast.does(cast.staff, f"/api/needs/{need['id']}/cancel", {"reason": "solved"})
            await cast.made_inactive(person)
        assert outcomes.total() == 12


async def test_withdrawing_against_completion_never_takes_back_what_was_done(tmp_path: Path) -> None:
    """The person withdraws while both they and the station check them out: done once, and never given up."""
    async with a_town(tmp_path) as (_, cast):
        home = await cast.household()
        for n in range(8):
            person = await cast.volunteer(f"c{n}")
            need = await cast.need(home, cast.people_line(hours=1))
            task = await won(cast, person, need)
            assert (await cast.does(person, f"/api/tasks/{task}/check-in")).status == 200
            path = f"/api/tasks/{task}"
            acts = [
                cast.does(person, f"{path}/withdraw"),
                cast.does(person, f"{path}/check-out"),
                cast.does(cast.staff, f"{path}/check-out"),
                cast.does(cast.staff, f"{path}/no-show"),
            ]
            turned = acts[n % 4 :] + acts[: n % 4]
            answers = await asyncio.gather(*turned)
            back = answers[-(n % 4) :] + answers[: -(n % 4)] if n % 4 else answers
            withdrawn, mine, theirs, absent = (a.status for a in back)
            assert (withdrawn, absent) == (409, 409)
            assert sorted((mine, theirs)) == [200, 409]
            assert (await tasks_of(cast, person))[task] == "done"
            await becomes(cast, need, "awaiting_confirmation")

            async def recorded(person: Person = person, need: dict[str, Any] = need) -> bool:
                return await hours_of(cast, person, need) > 0

            await until(recorded)
            assert await hours_of(cast, person, need) == 1
            await cast.made_inactive(person)


async def test_withdrawing_while_the_last_seat_is_won_leaves_one_seat_open_and_one_held(
    tmp_path: Path,
) -> None:
    """The match would be complete with the second yes, in the moment in which the first person gives up."""
    async with a_town(tmp_path) as (_, cast):
        home = await cast.household()
        for n in range(8):
            first, last = [await cast.volunteer(f"{name}{n}") for name in ("a", "b")]
            need = await cast.need(home, cast.people_line(seats=2, minimum=2, hours=3))
            task = await won(cast, first, need)
            invitation = await asked(cast, last, need)
            acts = [
                cast.does(first, f"/api/tasks/{task}/withdraw"),
                cast.does(last, f"/api/invitations/{invitation}/accept"),
            ]
            answers = await asyncio.gather(*(acts if n % 2 else reversed(acts)))
            assert {a.status for a in answers} <= {200, 202}, [a.body for a in answers]

            async def one_seat(need: dict[str, Any] = need, last: Person = last) -> bool:
                now = await cast.got(cast.staff, f"/api/needs/{need['id']}")
                holders = [seat["volunteer_id"] for seat in now["seats"]]
                return bool(holders == [last.id] and now["status"] in ("matching", "partly_matched"))

            await until(one_seat)
            assert (await tasks_of(cast, first))[task] == "withdrawn"
            assert list((await tasks_of(cast, last)).values()) == ["taken"]
            await cast.does(cast.staff, f"/api/needs/{need['id']}/cancel", {"reason": "solved"})
            for person in (first, last):
                await cast.made_inactive(person)
