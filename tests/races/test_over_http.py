"""Races over real HTTP, against a real process on a real file: the first wins, nothing is promised twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Person
from tests.live.http import Answer
from tests.races.arena import a_town, asked, becomes, ledger, line_of, many_volunteers, until

pytestmark = pytest.mark.timeout(300)
MANY = 500


async def test_of_500_concurrent_accepts_on_one_seat_exactly_one_wins(tmp_path: Path) -> None:
    async with a_town(tmp_path, first_wave=MANY) as (_, cast):
        people = await many_volunteers(cast, line_of(cast), MANY)
        home = await cast.household()
        need = await cast.need(home, cast.people_line(hours=5))

        async def all_asked() -> bool:
            cast.appoint()
            return len(await cast.invitations(people[-1])) + len(await cast.invitations(people[0])) == 2

        await until(all_asked, 60)

        ids = [await asked(cast, p, need) for p in people]
        answers: list[Answer] = await asyncio.gather(
            *(
                cast.does(p, f"/api/invitations/{id}/accept", key="yes")
                for p, id in zip(people, ids, strict=True)
            )
        )  # type: ignore[assignment]
        first = Counter(a.status for a in answers)
        assert set(first) <= {200, 202, 409}, first

        async def settled(person: Person, id: str) -> int:
            async def answered() -> int:
                status = (await cast.does(person, f"/api/invitations/{id}/accept", key="yes")).status
                return 0 if status == 202 else status

            found: int = await until(answered, 10)
            return found

        pairs = [(p, i) for p, i, a in zip(people, ids, answers, strict=True) if a.status == 202]
        last = Counter(await asyncio.gather(*(settled(p, i) for p, i in pairs)))
        total = first + last
        assert (total[200], total[409]) == (1, MANY - 1), (first, last)


async def test_200_concurrent_needs_for_one_lot_never_hold_more_than_there_is(tmp_path: Path) -> None:
    async with a_town(tmp_path) as (_, cast):
        lot = await cast.lot(50)
        home = await cast.household()
        watching = True
        seen: list[tuple[int, int, int]] = []

        async def watch() -> None:
            while watching:
                now = await cast.got(cast.donor, f"/api/lots/{lot['id']}")
                seen.append((now["held"], now["issued"], now["received"]))
                await asyncio.sleep(0.01)

        watcher = asyncio.ensure_future(watch())
        needs = await asyncio.gather(*(cast.need(home, cast.goods_line(1)) for _ in range(200)))
        assert len({n["id"] for n in needs}) == 200

        async def all_held() -> bool:
            now = await cast.got(cast.donor, f"/api/lots/{lot['id']}")
            return bool(now["held"] + now["issued"] == 50)

        await until(all_held)
        watching = False
        await watcher
        assert seen and all(held + issued <= received for held, issued, received in seen)

        async def written() -> list[dict[str, Any]]:
            entries = await ledger(cast, lot)
            return entries if entries and entries[-1]["held"] == 50 else []

        entries = await until(written)
        assert all(e["held"] + e["issued"] + e["written_off"] <= e["received"] for e in entries)


async def test_one_volunteer_who_accepts_two_overlapping_tasks_at_once_gets_one(tmp_path: Path) -> None:
    async with a_town(tmp_path) as (_, cast):
        li = await cast.volunteer("li")
        home = await cast.household()
        for n in range(6):
            starts = (5 + 4 * n, 5 + 4 * n + (n % 3) / 3)
            needs = [await cast.need(home, cast.people_line(hours=hours)) for hours in starts]
            invitations = [await asked(cast, li, need) for need in needs]
            answers = await asyncio.gather(
                *(cast.does(li, f"/api/invitations/{id}/accept") for id in invitations)
            )
            assert sorted(a.status for a in answers) == [200, 409], [a.body for a in answers]
        tasks = (await cast.got(li, f"/api/tasks?volunteer_id={li.id}"))["items"]
        assert len([task for task in tasks if task["status"] == "taken"]) == 6


async def test_the_same_request_sent_twice_at_once_has_one_effect_and_one_answer(tmp_path: Path) -> None:
    async with a_town(tmp_path) as (_, cast):
        li = await cast.volunteer("li")
        home = await cast.household()
        body = {"household_id": home["id"], "category": "comfort", "lines": [cast.people_line(hours=5)]}
        twice = await asyncio.gather(
            *(cast.call(cast.staff.token, "POST", "/api/needs", body, key="one") for _ in range(8))
        )
        assert {a.status for a in twice} == {201} and len(
            {json.dumps(a.body, sort_keys=True) for a in twice}
        ) == 1
        assert len((await cast.got(cast.staff, "/api/needs"))["items"]) == 1
        other = await cast.call(
            cast.staff.token, "POST", "/api/needs", {**body, "category": "rights"}, key="one"
        )
        assert (other.status, other.body["type"]) == (422, "urn:wushe:problem:idempotency-key-reused")
        (invitation,) = await until(lambda: cast.invitations(li))
        accepts = await asyncio.gather(
            *(cast.does(li, f"/api/invitations/{invitation['id']}/accept", key="yes") for _ in range(8))
        )
        assert {a.status for a in accepts} == {200}


async def test_cancelling_against_winning_leaves_no_seat_and_no_hold_behind(tmp_path: Path) -> None:
    async with a_town(tmp_path, first_wave=6) as (_, cast):
        people = [await cast.volunteer(str(n)) for n in range(6)]
        lot = await cast.lot(10)
        home = await cast.household()
        needs: list[str] = []
        for n in range(12):
            need = await cast.need(home, cast.people_line(hours=3 + 3 * n), cast.goods_line(1))
            person = people[n % len(people)]
            invitation = await asked(cast, person, need)
            cancel = cast.does(cast.staff, f"/api/needs/{need['id']}/cancel", {"reason": "solved"})
            accept = cast.does(person, f"/api/invitations/{invitation}/accept")
            first, second = (cancel, accept) if n % 2 else (accept, cancel)
            answers = await asyncio.gather(first, second)
            cancelled, accepted = answers if n % 2 else reversed(answers)
            assert cancelled.status == 200, "nothing was served yet, so cancelling always wins"
            assert accepted.status in (200, 202, 409), accepted.body
            await becomes(cast, need, "cancelled")
            needs.append(need["id"])

        async def all_given_back() -> bool:
            now = await cast.got(cast.donor, f"/api/lots/{lot['id']}")
            open_ = [
                task
                for p in people
                for task in (await cast.got(p, f"/api/tasks?volunteer_id={p.id}"))["items"]
                if task["status"] == "taken"
            ]
            seats = [(await cast.got(cast.staff, f"/api/needs/{id}"))["seats"] for id in needs]
            return not open_ and not any(seats) and (now["held"], now["available"]) == (0, 10)

        await until(all_given_back)


async def test_a_hold_that_expires_while_it_is_confirmed_is_one_or_the_other(tmp_path: Path) -> None:
    """People say yes from a little before until a little after the moment at which the hold of their need lapses."""
    async with a_town(tmp_path, hold_seconds=4, wave_seconds=600, first_wave=8) as (_, cast):
        lot = await cast.lot(1000)
        home = await cast.household()
        people = [await cast.volunteer(f"h{n}") for n in range(8)]

        async def raced(n: int, person: Person) -> dict[str, Any]:
            need = await cast.need(home, cast.people_line(hours=3 + 2 * n), cast.goods_line(1))
            invitation = await asked(cast, person, need)

            async def first_hold() -> list[dict[str, Any]]:
                items = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
                return [hold for hold in items if hold["status"] == "held"]

            (hold, *_) = await until(first_hold)
            lapses_at = datetime.fromisoformat(hold["expires_at"]).timestamp()

            async def nearly() -> bool:
                return cast.now().timestamp() >= lapses_at + (n - 5) * 0.06

            await until(nearly, every=0.005)
            answer = await cast.does(person, f"/api/invitations/{invitation}/accept")
            assert answer.status in (200, 202), answer.body
            await becomes(cast, need, "matched")
            return need

        needs = await asyncio.gather(*(raced(n, person) for n, person in enumerate(people)))

        async def one_each() -> bool:
            return bool((await cast.got(cast.donor, f"/api/lots/{lot['id']}"))["held"] == len(needs))

        await until(one_each)
        for need in needs:
            holds = (await cast.got(cast.staff, f"/api/holds?need_id={need['id']}"))["items"]
            assert [h["status"] for h in holds].count("confirmed") == 1, holds
            assert {h["status"] for h in holds} <= {"confirmed", "expired", "released"}, holds
        fates: dict[str, set[str]] = {}
        for entry in await ledger(cast, lot):
            fates.setdefault(entry["hold_id"], set()).add(entry["event"])
        assert not [id for id, events in fates.items() if {"hold.confirmed", "hold.expired"} <= events], fates
