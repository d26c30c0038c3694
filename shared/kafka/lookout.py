"""A client that reads nothing, for questions: is the broker there, where do the logs end.

It has a connection of its own, since a reader's is busy waiting for messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from shared.errors import Outage
from shared.kafka.link import Link, answered, let_go, started


class Lookout:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._client: AIOKafkaConsumer | None = None
        self._connecting = asyncio.Lock()

    async def alive(self) -> None:
        """Raises Outage if the broker does not answer."""
        client = await self._connected()
        try:
            await answered(client.topics(), self._link.patience.answer, "metadata")
        except Outage:
            await self._drop(client)
            raise

    async def ends(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset behind the last message of each. Raises Outage."""
        client = await self._connected()
        try:
            found: dict[TopicPartition, int] = await answered(
                client.end_offsets(list(partitions)), self._link.patience.answer, "end offsets"
            )
        except Outage:
            await self._drop(client)
            raise
        return found

    async def close(self) -> None:
        if self._client is not None:
            await self._drop(self._client)

    async def _connected(self) -> AIOKafkaConsumer:
        async with self._connecting:
            if self._client is None:
                client = AIOKafkaConsumer(group_id=None, enable_auto_commit=False, **self._link.options)
                await started(client, self._link.patience.answer, self._link.patience.leave, "connect")
                self._client = client
            return self._client

    async def _drop(self, client: AIOKafkaConsumer) -> None:
        if self._client is client:
            self._client = None
        await let_go(client, self._link.patience.leave)
