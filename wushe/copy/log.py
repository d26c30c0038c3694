"""The log's part of a copy: every message onto Kafka, in the order of its partition, and where each group reads on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

from shared.contracts import TOPICS, Topic
from shared.kafka.bus import KafkaBus
from shared.kafka.progress import Progress
from shared.ports import Delivery, Faults, Outgoing, Position
from wushe.copy.layout import Chains
from wushe.copy.survey import Survey
from wushe.copy.telling import Advance, Tell
from wushe.system import SERVICES, group_of

TOGETHER = 500
TOGETHER_BYTES = 2_000_000
FETCH = 2000
SECONDS = 0.2


class Log:
    """Named points: `copy.published` (after a batch of messages), `copy.committed` (after a group's place)."""

    def __init__(self, bus: KafkaBus, progress: Progress, faults: Faults) -> None:
        self._bus = bus
        self._progress = progress
        self._faults = faults

    async def partitions(self) -> Mapping[str, int]:
        """How many partitions each topic has; makes topics that are missing. Raises Outage."""
        return await self._bus.partitions()

    async def chains(self, tell: Tell) -> Chains:
        """What lies there, message by message."""
        ends = await self._progress.ends()
        lengths = {topic: sum(end for at, end in ends.items() if at.topic == topic.name) for topic in TOPICS}
        found = Chains(await self.partitions())
        advance = tell("Kafka", sum(lengths.values()))
        filled = [topic for topic, length in lengths.items() if length]
        async for delivery in self._all_of(filled, sum(lengths.values())):
            found.add(delivery.position, delivery.key, delivery.value)
            advance(1)
        return found

    async def strangers(self, survey: Survey, there: Chains) -> list[str]:
        """What lies there that no copy of this source has put there, and groups that have read on since."""
        here = survey.layout.chains
        found = [f"{at.topic}/{at.partition}" for at in there.unlike(here)]
        ends = await self._progress.ends()
        found += [f"{at.topic}/{at.partition}" for at, end in ends.items() if end != there.length(at)]
        for group, read in (await self._progress.committed(list(survey.offsets))).items():
            wanted = survey.offsets[group]
            ahead = any(offset > wanted.get(at, 0) for at, offset in read.items())
            found += [group] if ahead else []
        return list(dict.fromkeys(found))

    async def attended(self) -> list[str]:
        """The groups that services read for just now."""
        return await self._progress.attended([group_of(service) for service in SERVICES])

    async def put(self, survey: Survey, there: Chains, tell: Tell) -> int:
        """Publish what is not there yet; how many messages. Raises Outage."""
        written = 0
        for topic in survey.contents.topics:
            advance = tell(topic.name, survey.contents.length(topic))
            for batch in _batches(_missing(survey, topic, there, advance)):
                await self._bus.publish(batch)
                self._faults.reach("copy.published")
                written += len(batch)
        return written

    async def commit(self, survey: Survey) -> None:
        """Have each group read on where it stopped."""
        for group in await self.misplaced(survey):
            await self._progress.commit(group, survey.offsets[group])
            self._faults.reach("copy.committed")

    async def misplaced(self, survey: Survey) -> list[str]:
        """The groups that would not read on where they stopped in the source."""
        there = await self._progress.committed(list(survey.offsets))
        return [group for group, at in survey.offsets.items() if not at.items() <= there[group].items()]

    async def _all_of(self, topics: Sequence[Topic], length: int) -> AsyncIterator[Delivery]:
        if not topics:
            return
        reading = await self._bus.read(topics, group=None)
        try:
            while length > 0:
                batch = await reading.fetch(FETCH, SECONDS)
                for delivery in batch:
                    yield delivery
                length -= len(batch)
                if not batch and await reading.lag() == 0:  # the broker has thrown some away
                    return
        finally:
            await reading.close()


def _missing(survey: Survey, topic: Topic, there: Chains, advance: Advance) -> Iterator[Outgoing]:
    passed: dict[Position, int] = {}
    for delivery in survey.contents.log(topic):
        at = survey.layout.position(topic.name, delivery.key)
        passed[at] = passed.get(at, 0) + 1
        if passed[at] > there.length(at):
            yield Outgoing(topic.kind, delivery.key, passed[at], topic.name, delivery.key, delivery.value)
        advance(1)


def _batches(messages: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    batch: list[Outgoing] = []
    size = 0
    for message in messages:
        batch.append(message)
        size += len(message.value)
        if len(batch) == TOGETHER or size > TOGETHER_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
