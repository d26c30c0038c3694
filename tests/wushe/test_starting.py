"""A station with a long history starts more slowly, but it starts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from services.matching.domain.match import Match
from shared.contracts import Topic, topics
from shared.ports import Bus, Clock, Delivery, NoFaults, Query, Reading
from tests.cast import Cast
from tests.simulation.test_replay import a_story_without_races
from tests.town import Town, town
from wushe.embedded import adapters
from wushe.system import System


class SlowBus:
    """Over a real bus: whoever reads everything from the start is given one message at a time."""

    def __init__(self, inner: Bus) -> None:
        self._inner = inner
        self.rebalances = 0
        self.publish, self.ping, self.close = inner.publish, inner.ping, inner.close

    async def read(self, topics: Sequence[Topic], *, group: str | None) -> Reading:
        reading = await self._inner.read(topics, group=group)
        return reading if group else OneByOne(reading)


class OneByOne:
    def __init__(self, inner: Reading) -> None:
        self._inner = inner
        self.commit, self.rewind = inner.commit, inner.rewind
        self.lag, self.caught_up, self.close = inner.lag, inner.caught_up, inner.close

    async def fetch(self, limit: int, seconds: float) -> list[Delivery]:
        return await self._inner.fetch(1, seconds)


class Starting(System):
    """Takes one step each time it is asked whether it is ready."""

    async def missing(self) -> list[str]:
        await self.step()
        return await super().missing()


def started_again(t: Town, slower: Callable[[Bus], Bus] = SlowBus, kind: type[System] = Starting) -> System:
    given = adapters(t.engine, t.clock, t.ids, NoFaults())
    slow = {name: replace(a, bus=slower(a.bus)) for name, a in given.items()}
    return kind(slow, t.system.security, clock=t.clock, ids=t.ids)


async def test_to_read_for_long_is_no_reason_to_give_up_while_it_goes_on() -> None:
    async with town() as t:
        await a_story_without_races(t)
        system = started_again(t)
        await system.ready(seconds=0.0)
        assert system.places.caught_up
        await system.close()


async def test_it_gives_up_once_nothing_goes_on() -> None:
    async with town() as t:
        system = started_again(t)
        system.also_missing.append("the key")
        with pytest.raises(TimeoutError, match="the key"):
            await system.ready(seconds=0.0)
        await system.close()


class FarPlaces(SlowBus):
    """Over a real bus: news of the stations takes minutes, while everything else is near."""

    def __init__(self, inner: Bus, clock: Clock) -> None:
        super().__init__(inner)
        self._clock = clock

    async def read(self, topics_: Sequence[Topic], *, group: str | None) -> Reading:
        reading = await self._inner.read(topics_, group=group)
        return FromAfar(reading, self._clock) if group is None and topics.SITE in topics_ else reading


class FromAfar(OneByOne):
    def __init__(self, inner: Reading, clock: Clock) -> None:
        super().__init__(inner)
        self._clock = clock

    async def fetch(self, limit: int, seconds: float) -> list[Delivery]:
        await self._clock.sleep(300)
        return await self._inner.fetch(limit, seconds)


async def test_no_deadline_is_let_pass_before_the_stations_are_known() -> None:
    """The station was closed over night. A search that is to be raised a tier by now goes to the tier above, and is
    not taken for one that has none."""
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        await t.settle()
        start_at = t.clock.now() + timedelta(days=9)
        window = {"start_at": start_at.isoformat(), "end_at": (start_at + timedelta(hours=2)).isoformat()}
        line = {"kind": "people", "seats": 1, "skills": ["home_visit"], "window": window}
        order = {"household_id": (await cast.household())["id"], "category": "comfort", "lines": [line]}
        await cast.made(cast.staff, "/api/needs", order)
        await t.settle()
        t.clock.advance_to(t.clock.now() + timedelta(hours=9))
        system = started_again(t, lambda bus: FarPlaces(bus, t.clock), System)
        life = asyncio.create_task(system.run())
        async with asyncio.timeout(60):
            while not ((match := await _only_match(t)).hops or match.exhausted):
                t.clock.advance(1)
                await asyncio.sleep(0.01)
        life.cancel()
        await asyncio.wait([life])
        await system.close()
        assert (match.hops, match.tier_site_id, match.exhausted) == (1, cast.main, False)


async def _only_match(t: Town) -> Match:
    (found,) = await t.stores["matching"].find(Match, Query())
    return found.record


async def test_who_comes_before_the_accounts_and_sites_are_known_is_told_to_come_again() -> None:
    """Else somebody whose account was closed would be let in, and a station that is there called unknown."""
    async with town() as t:
        cast = await Cast(t.call, t.token, t.clock.now).arrive()
        system = started_again(t)
        transport = httpx2.ASGITransport(app=system.api)
        async with httpx2.AsyncClient(transport=transport, base_url="http://inside") as http:
            signed_in = {"Authorization": f"Bearer {cast.staff.token}"}
            early = await http.get("/api/needs", headers=signed_in)
            assert (early.status_code, int(early.headers["retry-after"]) >= 1) == (503, True)
            await system.ready(seconds=0.0)
            assert (await http.get("/api/needs", headers=signed_in)).status_code == 200
        await system.close()
