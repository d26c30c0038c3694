"""A bus that keeps its promises and nothing more: order per key, every message at least once, all else at random."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from random import Random

from shared.contracts import Topic
from shared.ports import Bus, Delivery, Outgoing, Position, Reading


class ShuffledBus:
    """Over a real bus: messages of different keys overtake one another, and each comes twice or more."""

    def __init__(self, inner: Bus, seed: int, repeats: int = 1) -> None:
        self._inner = inner
        self._random = Random(seed)
        self._repeats = repeats

    @property
    def rebalances(self) -> int:
        return self._inner.rebalances

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        await self._inner.publish(messages)

    async def read(self, topics: Sequence[Topic], *, group: str | None) -> Reading:
        reading = await self._inner.read(topics, group=group)
        return reading if group is None else self.shuffling(reading)

    def shuffling(self, reading: Reading) -> Reading:
        return ShuffledReading(reading, self._random, self._repeats)

    async def ping(self) -> None:
        await self._inner.ping()

    async def close(self) -> None:
        await self._inner.close()


class ShuffledReading:
    """One reader of it. What was delivered comes again later, out of turn, as after a lost offset."""

    def __init__(self, inner: Reading, random: Random, repeats: int) -> None:
        self._inner = inner
        self._random = random
        self._repeats = repeats
        self._queues: dict[str, deque[Delivery]] = {}
        self._again: list[Delivery] = []
        self._committed: dict[Position, int] = {}
        self.repeated = 0

    async def fetch(self, limit: int, seconds: float) -> list[Delivery]:
        for delivery in await self._inner.fetch(limit, 0.0):
            self._queues.setdefault(f"{delivery.position.topic}/{delivery.key}", deque()).append(delivery)
        found: list[Delivery] = []
        waiting = sorted(k for k, q in self._queues.items() if q and self.ready(k, q[0]))
        while len(found) < 3 and waiting:
            key = self._random.choice(waiting)
            delivery = self._queues[key].popleft()
            found.append(delivery)
            if not self._queues[key] or not self.ready(key, self._queues[key][0]):
                waiting.remove(key)
            self._again += [delivery] * self._repeats
        if self._again and (not found or self._random.random() < 0.5):
            self.repeated += 1
            found.append(self._again.pop(self._random.randrange(len(self._again))))
        return found

    def ready(self, key: str, first: Delivery) -> bool:
        """Whether the first of the messages that wait under this key has arrived."""
        return True

    async def commit(self, offsets: Mapping[Position, int]) -> None:
        """What came out of turn takes no offset back, so that it is known when all has been read."""
        furthest = {at: max(offset, self._committed.get(at, 0)) for at, offset in offsets.items()}
        self._committed.update(furthest)
        await self._inner.commit(furthest)

    async def rewind(self, offsets: Mapping[Position, int]) -> None:
        raise AssertionError("no outage is played here")

    async def lag(self) -> int:
        return await self._inner.lag()

    async def caught_up(self, *, afresh: bool = False) -> bool:
        return await self._inner.caught_up(afresh=afresh)

    async def close(self) -> None:
        await self._inner.close()
