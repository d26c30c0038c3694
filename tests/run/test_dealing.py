"""What a member of a group does not know yet when its share of the log is dealt anew: no deadline passes on that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import pytest
from aiokafka.errors import IllegalStateError
from aiokafka.structs import TopicPartition

from shared.contracts.needs import NeedCancelled
from shared.embedded.bus import SqliteBus
from shared.kafka.link import Link
from shared.kafka.reading import KafkaReading
from tests.run.toy import Toy, toy

NAME = NeedCancelled.topic.name
A, B = TopicPartition(NAME, 0), TopicPartition(NAME, 1)


class Broker:
    """As much of a consumer, and of whoever looks for the ends of the log, as a reading asks for."""

    def __init__(self) -> None:
        self.ends_at: dict[TopicPartition, int] = {}
        self.at: dict[TopicPartition, int] = {}
        self.mine: set[TopicPartition] = set()
        self.lost: set[TopicPartition] = set()

    def assignment(self) -> set[TopicPartition]:
        return set(self.mine)

    async def position(self, partition: TopicPartition) -> int:
        if partition in self.lost:
            raise IllegalStateError(partition)
        return self.at[partition]

    async def getmany(self, *_: TopicPartition, **__: int) -> dict[TopicPartition, list[Any]]:
        return {}

    async def ends(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {partition: self.ends_at[partition] for partition in partitions}

    async def alive(self) -> None: ...

    async def stop(self) -> None: ...


class Member:
    """One reading of such a broker."""

    def __init__(self) -> None:
        self.broker = Broker()
        self.reading = KafkaReading(Link("nowhere:1"), cast(Any, self.broker), {NAME: 2}, "g")
        self.reading._consumer = cast(Any, self.broker)

    async def is_dealt(self, **share: tuple[int, int]) -> None:
        """From now on it has these partitions: where it stands in each, and where each ends."""
        await self.reading.revoked(self.broker.mine)
        self.stands(**share)
        self.reading.assigned(self.broker.mine)

    def stands(self, **share: tuple[int, int]) -> None:
        places = {{"a": A, "b": B}[name]: place for name, place in share.items()}
        self.broker.mine = set(places)
        self.broker.at = {partition: at for partition, (at, _) in places.items()}
        self.broker.ends_at = {partition: end for partition, (_, end) in places.items()}


async def listening(t: Toy, member: Member) -> None:
    t.unit.loop._reading = member.reading
    await t.unit.loop.step(0.0)


async def test_who_takes_over_the_share_of_another_lets_no_deadline_pass_before_it_has_read_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with toy() as t:
        member = Member()
        await member.is_dealt(a=(5, 5))
        await listening(t, member)
        assert t.unit.loop.hears
        monkeypatch.setattr(SqliteBus, "rebalances", 1)  # as the bus of this reading counts
        await member.is_dealt(a=(5, 5), b=(0, 1000))
        await t.unit.loop.step(0.0)
        assert not t.unit.loop.hears
        member.stands(a=(5, 5), b=(1000, 1003))
        await t.unit.loop.step(0.0)
        assert t.unit.loop.hears


async def test_a_share_for_a_member_that_had_none_is_counted_as_dealt_anew() -> None:
    member = Member()
    await member.is_dealt()
    assert member.reading.rebalances == 0
    await member.is_dealt(a=(0, 10))
    assert member.reading.rebalances == 1


async def test_what_went_to_another_while_it_was_looked_at_is_not_waited_for() -> None:
    member = Member()
    await member.is_dealt(a=(10, 500), b=(10, 20))
    member.broker.lost = {B}
    assert not await member.reading.caught_up()
    member.broker.lost = set()
    await member.is_dealt(a=(500, 500), b=(20, 20))
    assert await member.reading.caught_up()


async def test_a_topic_that_was_made_anew_is_read_to_its_end_and_no_further() -> None:
    member = Member()
    await member.is_dealt(a=(10, 500))
    assert not await member.reading.caught_up()
    member.stands(a=(3, 3))
    assert await member.reading.caught_up()
