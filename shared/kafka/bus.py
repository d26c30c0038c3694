"""An append-only log of messages by topic, on Apache Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from shared.contracts import TOPICS
from shared.contracts.base import Topic
from shared.errors import Outage
from shared.kafka.link import Link
from shared.kafka.lookout import Lookout
from shared.kafka.publisher import Publisher
from shared.kafka.reading import KafkaReading
from shared.kafka.summary import summarise_the_driver
from shared.kafka.topics import make_topics
from shared.ports import Outgoing, Reading


class KafkaBus:
    """Connects when first used, and again whenever it has to. Publishes to, and reads, declared topics only."""

    def __init__(self, link: Link, topics: Sequence[Topic] = TOPICS) -> None:
        summarise_the_driver()
        self._link = link
        self._topics = topics
        self._partitions: Mapping[str, int] | None = None
        self._making = asyncio.Lock()
        self._lookout = Lookout(link)
        self._publisher = Publisher(link)
        self._readings: list[KafkaReading] = []

    @property
    def rebalances(self) -> int:
        """How often partitions were dealt anew among the members of the groups that are read here."""
        return sum(reading.rebalances for reading in self._readings)

    @property
    def rebuilt(self) -> int:
        """How often a client was thrown away and made anew, because it was stuck or of no more use."""
        return self._publisher.rebuilt + sum(reading.rebuilt for reading in self._readings)

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Raises Outage, or TooLarge when everything else has been published."""
        if not messages:
            return
        try:
            await self._publisher.publish(messages, await self.partitions())
        except Outage:
            self._partitions = None  # a broker may come back without its topics
            raise

    async def read(self, topics: Sequence[Topic], *, group: str | None) -> Reading:
        made = await self.partitions()
        partitions = {topic.name: made[topic.name] for topic in topics}
        reading = KafkaReading(self._link, self._lookout, partitions, group)
        await reading.open()
        self._readings.append(reading)
        return reading

    async def ping(self) -> None:
        await self._lookout.alive()

    async def close(self) -> None:
        await asyncio.gather(*(reading.close() for reading in self._readings))
        await self._publisher.close()
        await self._lookout.close()

    async def partitions(self) -> Mapping[str, int]:
        """The number of partitions of each topic; makes those that are missing, once, and again after an outage."""
        async with self._making:
            if self._partitions is None:
                self._partitions = await make_topics(self._link, self._topics)
            return self._partitions
