"""Races over real HTTP, against a real process on a real file: the first wins, nothing is promised twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cast import ALWAYS, LAT, LON, TOWNSHIP, Cast, Person
from tests.live.http import Answer, Line, cast_of, signer
from tests.live.server import Server

pytestmark = pytest.mark.timeout(300)
MANY = 500


@asynccontextmanager
async def a_town(directory: Path, **policy: Any) -> AsyncIterator[tuple[Server, Cast]]:
    server = Server(directory / "data")
    server.start()
    line = Line(server.url)
    try:
        yield server, await cast_of(line, signer(server.directory)).arrive(**policy)
        await line.close()
        report = server.check()
        assert report.returncode == 0, report.stdout + report.stderr
    finally:
        server.kill()


async def many_volunteers(cast: Cast, line: Line, count: int) -> list[Person]:
    """Registered in bulk, free at all hours."""
    profile = {
        "site_id": cast.station, "area": TOWNSHIP, "home": {"lat": LAT, "lon": LON}, "skills": ["home_visit"], "hours": ALWAYS,
        "quiet_from": 0, "quiet_to": 0, "weekly_cap_minutes": 10_000, "weekly_contacts": 100,
    }  # fmt: skip
    rows = [{"key": f"r{n}", "account_id": f"v-{n}", "name": f"志愿者{n}", **profile} for n in range(count)]
    body = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    answer = await line.http.post(
        "/api/volunteers/bulk",
        content=body,
        headers={
            "Authorization": f"Bearer {cast.supervisor.token}",
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": "bulk",
        },
    )
    assert answer.status_code in (200, 201), answer.text
    assert answer.json()["created"] == count, answer.text
    return [cast.person(f"v-{n}") for n in range(count)]


async def until(condition: Any, seconds: float = 30.0) -> Any:
    """Wait until this awaitable condition gives something true."""
    end = asyncio.get_running_loop().time() + seconds
    while not (found := await condition()):
        assert asyncio.get_running_loop().time() < end, "it never came to pass"
        await asyncio.sleep(0.05)
    return found


def line_of(cast: Cast) -> Line:
    line: Line = cast.call.__self__  # type: ignore[attr-defined]
    return line


async def test_of_500_concurrent_accepts_on_one_seat_exactly_one_wins(tmp_path: Path) -> None:
    async with a_town(tmp_path, first_wave=MANY) as (_, cast):
        people = await many_volunteers(cast, line_of(cast), MANY)
        home = await cast.household()
        await cast.need(home, cast.people_line(hours=5))

        async def all_asked() -> bool:
            cast.appoint()
            return len(await cast.invitations(people[-1])) + len(await cast.invitations(people[0])) == 2

        await until(all_asked, 60)

        async def asked(person: Person) -> str:
            (invitation,) = await until(lambda: cast.invitations(person))
            id: str = invitation["id"]
            return id

        ids = [await asked(p) for p in people]
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
        await asyncio.sleep(0)
        watching = False
        await watcher
        assert seen and all(held + issued <= received for held, issued, received in seen)


async def test_one_volunteer_who_accepts_two_overlapping_tasks_at_once_gets_one(tmp_path: Path) -> None:
    async with a_town(tmp_path) as (_, cast):
        li = await cast.volunteer("li")
        home = await cast.household()
        for _ in range(2):
            await cast.need(home, cast.people_line(hours=5))

        async def both() -> list[dict[str, Any]] | None:
            found = await cast.invitations(li)
            return found if len(found) == 2 else None

        invitations = await until(both)
        answers = await asyncio.gather(
            *(cast.does(li, f"/api/invitations/{i['id']}/accept") for i in invitations)
        )
        assert sorted(a.status for a in answers) == [200, 409], [a.body for a in answers]


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


async def test_cancelling_against_winning_leaves_no_seat_behind(tmp_path: Path) -> None:
    async with a_town(tmp_path, first_wave=6) as (_, cast):
        people = [await cast.volunteer(str(n)) for n in range(6)]
        home = await cast.household()
        for n in range(12):
            need = await cast.need(home, cast.people_line(hours=3 + 3 * n), cast.goods_line(1))
            person = people[n % len(people)]

            async def asked(person: Person = person, need: dict[str, Any] = need) -> Any:
                return [i for i in await cast.invitations(person) if i["need_id"] == need["id"]]

            (invitation,) = await until(asked)
            cancel = cast.does(cast.staff, f"/api/needs/{need['id']}/cancel", {"reason": "solved"})
            accept = cast.does(person, f"/api/invitations/{invitation['id']}/accept")
            first, second = (cancel, accept) if n % 2 else (accept, cancel)
            answers = await asyncio.gather(first, second)
            assert all(a.status in (200, 202, 409) for a in answers), [a.body for a in answers]


async def test_withdrawing_against_checking_in_has_one_outcome(tmp_path: Path) -> None:
    async with a_town(tmp_path) as (_, cast):
        home = await cast.household()
        for n in range(8):
            person = await cast.volunteer(f"w{n}")
            need = await cast.need(home, cast.people_line(hours=1))

            async def asked(person: Person = person, need: dict[str, Any] = need) -> Any:
                return [i for i in await cast.invitations(person) if i["need_id"] == need["id"]]

            (invitation,) = await until(asked)
            won = await cast.does(person, f"/api/invitations/{invitation['id']}/accept")
            assert won.status == 200, won.body
            acts = [
                cast.does(person, f"/api/tasks/{won.body['id']}/withdraw"),
                cast.does(person, f"/api/tasks/{won.body['id']}/check-in"),
            ]
            answers = await asyncio.gather(*(acts if n % 2 else reversed(acts)))
            assert sorted(a.status for a in answers) == [200, 409], [a.body for a in answers]
            await cast.does(cast.staff, f"/api/needs/{need['id']}/cancel", {"reason": "solved"})


async def test_a_hold_that_expires_while_it_is_confirmed_is_one_or_the_other(tmp_path: Path) -> None:
    async with a_town(tmp_path, hold_seconds=2, wave_seconds=600) as (_, cast):
        await cast.lot(1000)
        home = await cast.household()
        people = [await cast.volunteer(f"h{n}") for n in range(6)]
        needs = [
            await cast.need(home, cast.people_line(hours=3 + 2 * n), cast.goods_line(1)) for n in range(6)
        ]
        await asyncio.sleep(1.85)

        async def accept(person: Person, need: dict[str, Any]) -> int:
            mine = [i for i in await cast.invitations(person) if i["need_id"] == need["id"]]
            return (await cast.does(person, f"/api/invitations/{mine[0]['id']}/accept")).status

        won = await asyncio.gather(*(accept(p, n) for p, n in zip(people, needs, strict=True)))
        assert set(won) <= {200, 202}, won

        async def all_made() -> bool:
            found = [await cast.got(cast.staff, f"/api/needs/{n['id']}") for n in needs]
            return all(n["status"] == "matched" for n in found)

        await until(all_made, 30)
