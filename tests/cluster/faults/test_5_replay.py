"""Everything again from the beginning, and every message of a topic three times: no record changes."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from shared.contracts import TOPICS
from shared.contracts.topics import NEED
from shared.ports import Delivery, Outgoing, Query
from shared.run.dead_letters import DeadLetter
from tests.cluster.faults.ground import Ground
from tests.cluster.faults.recovery import seconds_to_zero_lag
from wushe.check.embedded import heard
from wushe.cluster import link_for
from wushe.system import RECORDS

pytestmark = [pytest.mark.cluster, pytest.mark.cluster_faults, pytest.mark.timeout(1800)]

QUIET = timedelta(seconds=150)
TIMES = 3

Documents = dict[tuple[str, str, str], tuple[int, str]]


async def test_whole_topics_read_again_from_the_start_change_no_record(ground: Ground) -> None:
    async with ground.crowd() as crowd:
        async with ground.living(crowd):
            await ground.has_posted(crowd, 20)
        await ground.holds_to(crowd)
        await crowd.leaves()
        await it_is_quiet(ground)
        before = await every_document(ground)
        await asyncio.to_thread(ground.cluster.stop)
        await _groups_begin_again(ground)
        await asyncio.to_thread(ground.cluster.start)
        await seconds_to_zero_lag(ground.evidence, time.monotonic())
        assert await every_document(ground) == before
        absorbed = int(sum([f["wushe_duplicates_absorbed"] for f in (await ground.figures()).values()]))
        assert absorbed > 0
        await ground.holds_to(crowd)
        ground.told.facts["5 replay"] = (
            f"{len(before)} records unchanged after all {len(TOPICS)} topics from offset 0; {absorbed} duplicates absorbed"
        )


async def test_a_topic_with_every_message_three_times_changes_no_record(ground: Ground) -> None:
    async with ground.crowd() as crowd:
        async with ground.living(crowd):
            await ground.has_posted(crowd, 10)
        await ground.holds_to(crowd)
        await crowd.leaves()
        await it_is_quiet(ground)
        before = await every_document(ground)
        counted = sum([f["wushe_duplicates_absorbed"] for f in (await ground.figures()).values()])
        said = [d async for d in ground.evidence.log() if d.position.topic == NEED.name]
        for _ in range(TIMES):
            await ground.evidence.bus.publish([_again(delivery) for delivery in said])
        await seconds_to_zero_lag(ground.evidence, time.monotonic())
        assert await every_document(ground) == before
        absorbed = sum([f["wushe_duplicates_absorbed"] for f in (await ground.figures()).values()]) - counted
        assert absorbed >= TIMES * len(crowd.promises.needs)
        await ground.holds_to(crowd)
        ground.told.facts["5 three times"] = (
            f"{len(said)} messages {TIMES} times more, {len(before)} records unchanged; "
            f"{int(absorbed)} duplicates absorbed"
        )


async def it_is_quiet(ground: Ground, seconds: float = 180.0) -> None:
    """Nothing is under way, and no deadline will pass by itself for a while: what changes now, changes by messages."""
    until = time.monotonic() + seconds
    while True:
        progress = await ground.evidence.progress()
        due = [at for store in ground.stores.values() if (at := await store.next_due()) is not None]
        if (
            progress.at_rest
            and min(due, default=datetime.max.replace(tzinfo=UTC)) > datetime.now(UTC) + QUIET
        ):
            return
        assert time.monotonic() < until, f"it never got quiet: next deadline {min(due)}, {progress.at_rest}"
        await asyncio.sleep(0.5)


async def every_document(ground: Ground) -> Documents:
    """Every record of every service with its version: all of a document but its watermarks."""
    return {
        (service, kind.kind, v.record.id): (v.version, v.record.model_dump_json())
        for service, kinds in RECORDS.items()
        for kind in kinds
        if kind is not DeadLetter
        for v in await ground.stores[service].find(kind, Query(limit=1_000_000))
    }


async def _groups_begin_again(ground: Ground) -> None:
    """The offsets of every group are those of a new one, though not one message is new."""
    prefix = link_for(ground.settings).prefix
    for service, topics in heard().items():
        places = [TopicPartition(prefix + topic.name, n) for topic in topics for n in range(topic.partitions)]
        if places:
            member = AIOKafkaConsumer(
                bootstrap_servers=ground.settings.kafka,
                group_id=f"{prefix}wushe.{service}.handle",
                enable_auto_commit=False,
            )
            await member.start()
            try:
                member.assign(places)
                await member.commit(dict.fromkeys(places, 0))
            finally:
                await member.stop()


def _again(delivery: Delivery) -> Outgoing:
    return Outgoing("again", delivery.key, 0, delivery.position.topic, delivery.key, delivery.value)
