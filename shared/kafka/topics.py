"""Topics as declared in the contracts, made on the broker: partitions and retention, and never by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.contracts.base import Topic
from shared.errors import Outage
from shared.kafka.link import Link, answered, let_go, log

EXISTS = 36
DAY_MS = 86_400_000
LARGEST_MESSAGE = 1_000_000
"""Bytes of key and value. The broker is told to take a little more, for what surrounds them."""
ROOM = 48_588


async def make_topics(link: Link, declared: Sequence[Topic]) -> Mapping[str, int]:
    """Make the topics that are not there; the number of partitions of each, by name without prefix."""
    admin = AIOKafkaAdminClient(**link.options)
    try:
        await answered(admin.start(), link.patience.answer, "connect")
        return await _make(admin, link, declared)
    finally:
        await let_go(admin, link.patience.leave)


async def _make(admin: AIOKafkaAdminClient, link: Link, declared: Sequence[Topic]) -> Mapping[str, int]:
    names = [link.prefix + topic.name for topic in declared]
    there = await _partitions(admin, link)
    missing = [_new(link, topic) for topic in declared if link.prefix + topic.name not in there]
    if missing:
        response = await answered(admin.create_topics(missing), link.patience.join, "create topics")
        for name, code, *_ in response.topic_errors:
            if code not in (0, EXISTS):
                raise Outage(f"Kafka would not create {name}: error {code}")
    there = await _all_shown(admin, link, names)
    for topic, name in zip(declared, names, strict=True):
        if there[name] != topic.partitions:
            log.error("a topic has other partitions than declared", topic=name, has=there[name])
    return {topic.name: there[name] for topic, name in zip(declared, names, strict=True)}


async def _all_shown(admin: AIOKafkaAdminClient, link: Link, names: Sequence[str]) -> dict[str, int]:
    """The partitions of topics, once the broker shows them all: it does a moment after they were created."""
    until = asyncio.get_running_loop().time() + link.patience.answer
    while True:
        there = await _partitions(admin, link)
        absent = [name for name in names if name not in there]
        if not absent:
            return there
        if asyncio.get_running_loop().time() > until:
            raise Outage(f"Kafka does not show {absent[0]}")
        await asyncio.sleep(0.05)


def _new(link: Link, topic: Topic) -> NewTopic:
    kept = -1 if topic.days is None else topic.days * DAY_MS
    configs = {
        "retention.ms": str(kept),
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
        "max.message.bytes": str(LARGEST_MESSAGE + ROOM),
    }
    return NewTopic(link.prefix + topic.name, topic.partitions, link.replication, topic_configs=configs)


async def _partitions(admin: AIOKafkaAdminClient, link: Link) -> dict[str, int]:
    """The number of partitions by topic: all topics are listed, since to ask for one by name may create it."""
    listed: list[dict[str, Any]] = await answered(
        admin.describe_topics(), link.patience.answer, "list topics"
    )
    return {each["topic"]: len(each["partitions"]) for each in listed}
