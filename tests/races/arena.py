"""Where races are run: a real server on a real file, people who use it at once, and `wushe check` at the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.cast import ALWAYS, LAT, LON, TOWNSHIP, Cast, Person, volunteer_id
from tests.live.http import Line, cast_of, signer
from tests.live.server import Server


@asynccontextmanager
async def a_town(directory: Path, **policy: Any) -> AsyncIterator[tuple[Server, Cast]]:
    server = Server(directory / "data")
    server.start()
    line = Line(server.url)
    try:
        cast = await cast_of(line, signer(server.directory)).arrive(**policy)
        await cast.becomes_known()
        yield server, cast
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
    rows = [
        {"key": f"r{n}", "account_id": volunteer_id(f"{n}"), "name": f"志愿者{n}", **profile}
        for n in range(count)
    ]
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
    return [cast.person(volunteer_id(f"{n}")) for n in range(count)]


async def until(condition: Any, seconds: float = 30.0, every: float = 0.05) -> Any:
    """Wait until this awaitable condition gives something true."""
    end = asyncio.get_running_loop().time() + seconds
    while not (found := await condition()):
        assert asyncio.get_running_loop().time() < end, "it never came to pass"
        await asyncio.sleep(every)
    return found


def line_of(cast: Cast) -> Line:
    line: Line = cast.call.__self__  # type: ignore[attr-defined]
    return line


async def asked(cast: Cast, person: Person, need: dict[str, Any]) -> str:
    """The invitation of this person for this need, once it is there."""

    async def there() -> list[str]:
        return [i["id"] for i in await cast.invitations(person) if i["need_id"] == need["id"]]

    (found,) = await until(there)
    id: str = found
    return id


async def won(cast: Cast, person: Person, need: dict[str, Any]) -> str:
    """The task of this person for this need, who is asked and says yes."""
    answer = await cast.does(person, f"/api/invitations/{await asked(cast, person, need)}/accept")
    assert answer.status == 200, answer.body
    task: str = answer.body["id"]
    return task


async def becomes(cast: Cast, need: dict[str, Any], *statuses: str) -> dict[str, Any]:
    """The need, once it has one of these statuses."""

    async def now() -> dict[str, Any] | None:
        found = await cast.got(cast.staff, f"/api/needs/{need['id']}")
        return found if found["status"] in statuses else None

    found: dict[str, Any] = await until(now)
    return found


async def ledger(cast: Cast, lot: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything that ever happened to the lot, in order: the balances at every moment."""
    entries: list[dict[str, Any]] = []
    path = f"/api/lots/{lot['id']}/ledger?limit=200"
    page = await cast.got(cast.donor, path)
    entries += page["items"]
    while page["next_cursor"]:
        page = await cast.got(cast.donor, f"{path}&cursor={page['next_cursor']}")
        entries += page["items"]
    return sorted(entries, key=lambda e: int(e["sequence"]))
