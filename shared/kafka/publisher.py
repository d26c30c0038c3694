"""Publishing: acknowledged by all replicas, idempotent, in order per partition and therefore per key.

The messages of a partition go in batches one after another; none is sent before the one before it is acknowledged,
so a message never gets ahead of an earlier one of its key. After any failure the producer is thrown away: one that
met an out-of-order error is of no more use, and one that timed out would deliver late what is published again anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.errors import Outage, WusheError
from shared.kafka.link import Link, answered, cut_off, let_go, log, started
from shared.kafka.topics import LARGEST_MESSAGE
from shared.ports import Outgoing

BATCH_BYTES = 256_000
HEADERS = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
"""As the CloudEvents binding for Kafka asks of structured messages."""

Chains = dict[tuple[str, int], list[Outgoing]]

_by_key = DefaultPartitioner()


def partition_of(key: str, partitions: int) -> int:
    """Where the messages of this key go: as every Kafka client has it."""
    return int(_by_key(key.encode(), range(partitions), ()))


class TooLarge(WusheError):
    """Messages that no topic takes, however often they are tried: whoever wrote them is at fault.

    All others of the call have been published, except later ones of the same records, which keep their order.
    """

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        first = messages[0]
        super().__init__(f"{len(messages)} messages too large, such as {first.kind} {first.sequence}")
        self.messages = messages


class Publisher:
    def __init__(self, link: Link) -> None:
        self.rebuilt = 0
        self._link = link
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

    async def publish(self, messages: Sequence[Outgoing], partitions: Mapping[str, int]) -> None:
        """`partitions` by topic. Raises Outage, or TooLarge when all others are published."""
        chains, large = self._chains(messages, partitions)
        producer = await self._connected()
        sending = [self._send(producer, *place, chain) for place, chain in chains.items()]
        try:
            async with asyncio.timeout(self._link.patience.publish):
                done = await asyncio.gather(*sending, return_exceptions=True)
        except TimeoutError as e:
            await self._drop(producer)
            raise Outage("Kafka: messages were not acknowledged in time") from e
        failed = [outcome for outcome in done if isinstance(outcome, BaseException)]
        if failed:
            await self._drop(producer)
            raise next((each for each in failed if not isinstance(each, Outage)), failed[0])
        if large:
            log.error("messages too large to publish", count=len(large), kind=large[0].kind)
            raise TooLarge(large)

    async def close(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await let_go(producer, self._link.patience.leave)

    def _chains(
        self, messages: Sequence[Outgoing], partitions: Mapping[str, int]
    ) -> tuple[Chains, list[Outgoing]]:
        """The messages by topic and partition, in order, and those too large, behind which none of their key goes."""
        chains: Chains = {}
        large: list[Outgoing] = []
        held_back: set[tuple[str, str]] = set()
        for message in messages:
            key = message.key.encode()
            if len(key) + len(message.value) > LARGEST_MESSAGE:
                large.append(message)
                held_back.add((message.topic, message.key))
            if (message.topic, message.key) not in held_back:
                partition = partition_of(message.key, partitions[message.topic])
                chains.setdefault((message.topic, partition), []).append(message)
        return chains, large

    async def _send(
        self, producer: AIOKafkaProducer, topic: str, partition: int, chain: Sequence[Outgoing]
    ) -> None:
        for batch in _batches(producer, chain):
            future = await answered(
                producer.send_batch(batch, self._link.prefix + topic, partition=partition),
                self._link.patience.publish,
                "publish",
            )
            await answered(future, self._link.patience.publish, "acknowledge")

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES, **self._link.options
                )
                await started(producer, self._link.patience.answer, self._link.patience.leave, "connect")
                self._producer = producer
            return self._producer

    async def _drop(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
            self.rebuilt += 1
            await cut_off(producer, self._link.patience.leave)


def _batches(producer: AIOKafkaProducer, chain: Sequence[Outgoing]) -> Iterator[BatchBuilder]:
    batch = producer.create_batch()
    for message in chain:
        said = {"key": message.key.encode(), "value": message.value, "timestamp": None, "headers": HEADERS}
        if batch.append(**said) is None:
            yield batch
            batch = producer.create_batch()
            batch.append(**said)
    yield batch
