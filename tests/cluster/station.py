"""A station on one machine, with some life in it, as it lies in its data directory when it is to grow up."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from shared.contracts.needs import NeedCancelled, NeedPosted
from shared.ports import Outgoing
from shared.run.dead_letters import letters
from shared.security.passwords import Hasher
from tests.cast import Cast, volunteer_id
from tests.live.http import Line, cast_of, signer
from wushe.commands.run import load_sample
from wushe.contracts.examples import example
from wushe.embedded import embedded
from wushe.first import ensure_administrator
from wushe.sample.staff import ADMINISTRATOR, PASSWORD
from wushe.serving import moving
from wushe.system import System

NEEDS = "wushe.needs.need.v1"
TOMORROW = "a-need-from-tomorrow"
PATIENCE = 60.0


class Inside(Line):
    """A line to a system in this process."""

    def __init__(self, system: System, prefix: str) -> None:
        super().__init__("http://inside", prefix)
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=system.api), base_url="http://inside"
        )


@dataclass
class Station:
    """Where it lies, who lives there, and what waits there to be gone on with."""

    place: Path
    cast: Cast
    asked: dict[str, Any]
    """A need whose one seat was offered to somebody who has not answered yet."""
    last: dict[str, Any]
    """A need that was acknowledged, and whose first event never left the outbox; posted with the key "the-last"."""
    last_body: dict[str, Any]

    def cast_over(self, line: Line, place: Path) -> Cast:
        """The same people, speaking over another line, with tokens signed by the key of this place."""
        cast = cast_of(line, signer(place))
        cast.station, cast.main, cast.charity = self.cast.station, self.cast.main, self.cast.charity
        cast.appoint()
        return cast


async def found(look: Callable[[], Awaitable[Any]], what: str, seconds: float = PATIENCE) -> Any:
    """What is there in the end."""
    end = asyncio.get_running_loop().time() + seconds
    while not (there := await look()):
        assert asyncio.get_running_loop().time() < end, f"{what} never came"
        await asyncio.sleep(0.1)
    return there


@asynccontextmanager
async def at_work(place: Path) -> AsyncIterator[System]:
    """The station, running in this process."""
    async with embedded(place, hasher=Hasher.cheap()) as system, moving(system):
        yield system


async def a_station(folder: Path) -> Station:
    """The sample town and a story of its own, left as by kill -9: unpublished messages, and a journal to replay."""
    place = folder / "working"
    async with at_work(place) as system:
        await ensure_administrator(system, place, ADMINISTRATOR, "系统管理员", PASSWORD)
        await load_sample(system, place)
        line = Inside(system, "before")
        cast = await cast_of(line, signer(place)).arrive(first_wave=1, wave_seconds=20)
        await _register(cast)
        home = await found(lambda: _household(cast), "the news of the station")
        asked = await cast.need(home, cast.people_line(hours=1), cast.goods_line(2))
        await found(lambda: _asked(cast), "the invitation")
        await _set_letters_aside(system)
        await line.close()
    async with embedded(place, hasher=Hasher.cheap()) as system:
        while await system.step():
            pass
        line = Inside(system, "last")
        body = {"household_id": home["id"], "category": "comfort", "lines": [cast.people_line(hours=9)]}
        told = await line.call(cast.staff.token, "POST", "/api/needs", body, key="the-last")
        assert told.status == 201, told.body
        shutil.copytree(place, folder / "station")
        await line.close()
    return Station(folder / "station", cast, asked, told.body, body)


async def one_more_need(station: Station, place: Path) -> None:
    """A copy of the station goes on working for a while."""
    async with at_work(place) as system:
        line = Inside(system, "more")
        cast = station.cast_over(line, place)
        await cast.need(await cast.household(), cast.people_line(hours=30))
        await line.close()


async def _register(cast: Cast) -> None:
    await found(lambda: _tried(cast.volunteer("li")), "the first volunteer")
    await found(lambda: _tried(cast.volunteer("wang")), "the second volunteer")
    await found(lambda: _tried(cast.lot(10)), "the lot")


async def _tried(making: Awaitable[Any]) -> Any:
    """What was made, or None where the news of a place has not got about yet."""
    try:
        return await making
    except AssertionError:
        return None


async def _household(cast: Cast) -> Any:
    return await _tried(cast.household())


async def _asked(cast: Cast) -> Any:
    return [await cast.invitations(cast.person(volunteer_id(name))) for name in ("li", "wang")] != [[], []]


async def _set_letters_aside(system: System) -> None:
    """One message that is none, one of a version to come, and one that has to wait behind it."""
    posted, cancelled = json.loads(example(NeedPosted)), json.loads(example(NeedCancelled))
    posted |= {"subject": TOMORROW, "type": posted["type"].replace(".v1", ".v99")}
    said = [
        Outgoing("need", "noise", 1, NEEDS, "noise", b"this is no message"),
        Outgoing("need", TOMORROW, 1, NEEDS, TOMORROW, json.dumps(posted).encode()),
        Outgoing("need", TOMORROW, 2, NEEDS, TOMORROW, later(cancelled, 2)),
    ]
    adapters = system.units["matching"].adapters
    await adapters.bus.publish(said)

    async def three() -> bool:
        return len(await letters(adapters.store)) == 3

    await found(three, "the dead letters")


def later(message: dict[str, Any], sequence: int) -> bytes:
    """A later message of the record from tomorrow."""
    changed = {**message, "subject": TOMORROW, "partitionkey": TOMORROW, "sequence": sequence}
    return json.dumps({**changed, "id": f"{message['id'][:-4]}{sequence:04d}"}).encode()
