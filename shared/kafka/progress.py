"""How far topics go and groups have come, told by the broker, without joining any group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.structs import TopicPartition

from shared.contracts.base import Topic
from shared.kafka.link import Link, answered, let_go, started
from shared.kafka.lookout import Lookout
from shared.kafka.topics import make_topics
from shared.ports import Position

# aiokafka 0.14 expects the answer of version 2 to a request of version 3, and then cannot decode it.
DescribeGroupsRequest_v3.RESPONSE_TYPE = DescribeGroupsResponse_v3


class Progress:
    def __init__(self, link: Link, topics: Sequence[Topic]) -> None:
        self._link = link
        self._topics = topics
        self._partitions: Mapping[str, int] | None = None
        self._lookout = Lookout(link)

    async def ends(self) -> dict[Position, int]:
        """The offset behind the last message of each partition. Raises Outage."""
        if self._partitions is None:
            self._partitions = await make_topics(self._link, self._topics)
        all_ = [
            TopicPartition(self._link.prefix + topic, n)
            for topic, count in self._partitions.items()
            for n in range(count)
        ]
        return {self._position(partition): end for partition, end in (await self._lookout.ends(all_)).items()}

    async def committed(self, groups: Sequence[str]) -> dict[str, dict[Position, int]]:
        """By group, where it will read on in each partition that it has committed. Raises Outage."""
        admin = AIOKafkaAdminClient(**self._link.options)
        try:
            await answered(admin.start(), self._link.patience.answer, "connect")
            return {group: await self._of(admin, group) for group in groups}
        finally:
            await let_go(admin, self._link.patience.leave)

    async def commit(self, group: str, offsets: Mapping[Position, int]) -> None:
        """Have a group that nobody is a member of read on from here. Raises Outage, also if somebody is."""
        places = {TopicPartition(self._link.prefix + at.topic, at.partition): n for at, n in offsets.items()}
        patience = self._link.patience
        consumer = AIOKafkaConsumer(
            group_id=self._link.prefix + group, enable_auto_commit=False, **self._link.options
        )
        await started(consumer, patience.join, patience.leave, "connect")
        try:
            consumer.assign(list(places))
            await answered(consumer.commit(places), patience.answer, "commit")
        finally:
            await let_go(consumer, patience.leave)

    async def attended(self, groups: Sequence[str]) -> list[str]:
        """Those of these groups that have members just now. Raises Outage."""
        names = {self._link.prefix + group: group for group in groups}
        admin = AIOKafkaAdminClient(**self._link.options)
        try:
            await answered(admin.start(), self._link.patience.answer, "connect")
            told: Sequence[Any] = await answered(
                admin.describe_consumer_groups(list(names)), self._link.patience.answer, "groups"
            )
        finally:
            await let_go(admin, self._link.patience.leave)
        described = [each for response in told for each in response.groups]
        return sorted(names[name] for _, name, _, _, _, members, *_ in described if members)

    async def close(self) -> None:
        await self._lookout.close()

    async def _of(self, admin: AIOKafkaAdminClient, group: str) -> dict[Position, int]:
        found: Mapping[TopicPartition, Any] = await answered(
            admin.list_consumer_group_offsets(self._link.prefix + group),
            self._link.patience.answer,
            "offsets",
        )
        return {self._position(partition): at.offset for partition, at in found.items() if at.offset >= 0}

    def _position(self, partition: TopicPartition) -> Position:
        return Position(partition.topic.removeprefix(self._link.prefix), partition.partition)
