"""A station with a long history starts more slowly, but it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.contracts import Topic
from shared.ports import Bus, Delivery, NoFaults, Reading
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
        self.lag, self.close = inner.lag, inner.close

    async def fetch(self, limit: int, seconds: float) -> list[Delivery]:
        return await self._inner.fetch(1, seconds)


class Starting(System):
    """Takes one step each time it is asked whether it is ready."""

    async def missing(self) -> list[str]:
        await self.step()
        return await super().missing()


def started_again(t: Town) -> Starting:
    given = adapters(t.engine, t.clock, t.ids, NoFaults())
    slow = {name: replace(a, bus=SlowBus(a.bus)) for name, a in given.items()}
    return Starting(slow, t.system.security, clock=t.clock, ids=t.ids)


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
