"""A reader of topics: a member of a group, or a private one that is given every partition from its start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import ConsumerRecord, TopicPartition

from shared.errors import Outage
from shared.kafka.link import Link, Spent, answered, let_go, log, started
from shared.kafka.lookout import Lookout
from shared.ports import Delivery, Position

LONGEST_IDLE = 600.0
COPY_SECONDS = 0.03
"""A private reader gathers for so long when it has read everything: each look costs the broker as much as a batch."""


class KafkaReading:
    """Builds its client anew when it is stuck; a member then goes on from the last commit, a private reader from
    where it was."""

    def __init__(
        self, link: Link, lookout: Lookout, partitions: Mapping[str, int], group: str | None
    ) -> None:
        self.rebalances = 0
        self.rebuilt = 0
        self._link = link
        self._lookout = lookout
        self._group = group
        self._topics = [link.prefix + topic for topic in partitions]
        self._all = [
            TopicPartition(link.prefix + t, n) for t, count in partitions.items() for n in range(count)
        ]
        self._consumer: AIOKafkaConsumer | None = None
        self._next: dict[TopicPartition, int] = {}
        self._served_last: set[TopicPartition] = set()
        self._aim: dict[TopicPartition, int] | None = None
        self._dealt = asyncio.Event()
        self._dealt.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._looked_at = self._progress_at = self._rests_until = 0.0
        self._commits_fail_since: float | None = None
        self._empty_patience = link.patience.stuck
        self._closed = False
        self._committing: set[asyncio.Task[None]] = set()
        self._had_none = False

    async def open(self) -> None:
        """Join the group and get a share of the partitions, or begin to read all of them. Raises Outage."""
        consumer = self._new_consumer()
        if self._group is not None:
            consumer.subscribe(self._topics, listener=_Dealing(self))
        await started(consumer, self._link.patience.join, self._link.patience.leave, "join")
        if self._group is None:
            consumer.assign(self._all)
            for partition in self._all:
                consumer.seek(partition, self._next.get(partition, 0))
        self._consumer = consumer
        self._looked_at = self._progress_at = asyncio.get_running_loop().time()

    async def fetch(self, limit: int, seconds: float) -> list[Delivery]:
        self._idle.set()
        if self._closed:
            return []
        if self._consumer is None:
            await self.open()
        assert self._consumer is not None
        if not await self._share_is_dealt(seconds):
            await self._build_anew_if_stuck("its share was never dealt")
            return []
        resting = self._rests_until - asyncio.get_running_loop().time()
        if resting > 0:
            await asyncio.sleep(min(seconds, resting))
        try:
            found = await self._records(self._consumer, limit, seconds)
        except Spent:
            await self._build_anew("its client broke")
            raise
        except Outage:
            await self._build_anew_if_stuck("its client fails again and again")
            raise
        if not found:
            await self._look(self._consumer)
            return []
        self._idle.clear()
        now = self._looked_at = self._progress_at = asyncio.get_running_loop().time()
        if self._group is None and len(found) < limit:
            self._rests_until = now + COPY_SECONDS
        return [self._delivery(record) for record in found]

    async def commit(self, offsets: Mapping[Position, int]) -> None:
        consumer = self._consumer
        if self._group is not None and consumer is not None and not self._closed:
            mine = consumer.assignment()
            done = {p: offset for at, offset in offsets.items() if (p := self._partition(at)) in mine}
            try:
                if done:
                    committing = asyncio.create_task(self._commit(consumer, done), name="commit")
                    self._committing.add(committing)
                    committing.add_done_callback(self._committing.discard)
                    await answered(asyncio.shield(committing), self._link.patience.answer, "commit")
            except Outage as outage:
                self._idle.set()
                await self._build_anew_if_commits_keep_failing(outage)
                raise
        self._commits_fail_since = None
        self._idle.set()

    async def rewind(self, offsets: Mapping[Position, int]) -> None:
        for at, offset in offsets.items():
            partition = self._partition(at)
            if self._consumer is not None and partition in self._consumer.assignment():
                self._consumer.seek(partition, offset)
                self._next[partition] = offset
        self._idle.set()

    async def lag(self) -> int:
        if self._closed:
            return 0
        if self._consumer is None:
            raise Outage("Kafka: not connected")
        return sum((await self._ahead(self._consumer)).values())

    async def caught_up(self, *, afresh: bool = False) -> bool:
        if self._consumer is None or not self._dealt.is_set():
            return False
        ahead = await self._ahead(self._consumer)
        at = {partition: await self._position(self._consumer, partition) for partition in ahead}
        if self._aim is None or afresh:
            self._aim = {partition: at[partition] + n for partition, n in ahead.items()}
        # Nothing ahead is enough: a topic may have been made anew, or a partition been another's when the aim was taken.
        reached = all(not n or at[partition] >= self._aim.get(partition, 0) for partition, n in ahead.items())
        if reached:
            self._aim = None
        return reached

    async def close(self) -> None:
        self._closed = True
        self._idle.set()
        await self._drop()

    async def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """Partitions are about to be dealt anew: take in nothing, and let the batch under way be committed."""
        self._dealt.clear()
        self._progress_at = asyncio.get_running_loop().time()
        if set(partitions):
            self.rebalances += 1
            try:
                async with asyncio.timeout(self._link.patience.drain):
                    await self._idle.wait()
            except TimeoutError:
                log.warning("a rebalance did not wait for the batch under way", group=self._group)

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        self._next.clear()
        self._aim = None
        self._progress_at = asyncio.get_running_loop().time()
        has_some = bool(set(partitions))
        if has_some:
            self._empty_patience = self._link.patience.stuck
            if self._had_none:  # nothing was taken away, so that nothing was counted
                self.rebalances += 1
        self._had_none = not has_some
        self._dealt.set()

    def _new_consumer(self) -> AIOKafkaConsumer:
        patience = self._link.patience
        return AIOKafkaConsumer(
            group_id=None if self._group is None else self._link.prefix + self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(patience.session * 1000),
            heartbeat_interval_ms=int(patience.heartbeat * 1000),
            rebalance_timeout_ms=int(patience.rebalance * 1000),
            **self._link.options,
        )

    async def _share_is_dealt(self, seconds: float) -> bool:
        if not self._dealt.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._dealt.wait()
            except TimeoutError:
                return False
        return True

    async def _records(self, consumer: AIOKafkaConsumer, limit: int, seconds: float) -> list[ConsumerRecord]:
        """Those of partitions that were not served last time come first, so that a busy one starves none."""
        patience = seconds + self._link.patience.answer
        found: dict[TopicPartition, list[ConsumerRecord]] = {}
        others = consumer.assignment() - self._served_last
        if self._served_last and others:
            found = await answered(consumer.getmany(*others, max_records=limit), patience, "fetch")
        left = limit - sum(map(len, found.values()))
        if left:
            wait_ms = 0 if found else int(seconds * 1000)
            try:
                more = await answered(
                    consumer.getmany(timeout_ms=wait_ms, max_records=left), patience, "fetch"
                )
            except Outage:
                if not found:  # otherwise what was handed out already would never come again
                    raise
                more = {}
            for partition, records in more.items():
                found[partition] = [*found.get(partition, ()), *records]
        self._served_last = set(found)
        self._next.update({partition: records[-1].offset + 1 for partition, records in found.items()})
        return [record for records in found.values() for record in records]

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        """Nothing came: now and then make sure that this is because there is nothing. Raises Outage."""
        now, patience = asyncio.get_running_loop().time(), self._link.patience
        if now - self._looked_at < patience.look:
            return
        self._looked_at = now
        if not consumer.assignment():
            await self._lookout.alive()
            if (
                now - self._progress_at > self._empty_patience
            ):  # perhaps there are more members than partitions
                self._empty_patience = min(LONGEST_IDLE, self._empty_patience * 2)
                await self._build_anew("it was given no partitions")
        elif not any((await self._ahead(consumer)).values()):
            self._progress_at = now
        else:
            await self._build_anew_if_stuck("it gets nothing, though there is something")

    async def _build_anew_if_stuck(self, why: str) -> None:
        if asyncio.get_running_loop().time() - self._progress_at > self._link.patience.stuck:
            await self._build_anew(why)

    async def _build_anew_if_commits_keep_failing(self, outage: Outage) -> None:
        """There may be plenty to fetch meanwhile, again and again the same."""
        now = asyncio.get_running_loop().time()
        since = self._commits_fail_since = self._commits_fail_since or now
        if isinstance(outage, Spent) or now - since > self._link.patience.stuck:
            await self._build_anew("it cannot commit")

    async def _build_anew(self, why: str) -> None:
        log.error("a stuck reader is built anew", group=self._group, why=why)
        self.rebuilt += 1
        self._commits_fail_since = None
        await self._drop()
        if not self._closed:
            await self.open()

    async def _drop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await let_go(consumer, self._link.patience.leave)
            for committing in self._committing:  # of a client that has ended, it would try again for ever
                committing.cancel()
        if self._group is not None:
            self._next.clear()
        self._served_last.clear()
        self._dealt.set()

    async def _ahead(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """How many messages lie ahead, by partition. Raises Outage."""
        mine = consumer.assignment()
        ends = await self._lookout.ends(mine) if mine else {}
        return {
            partition: max(0, end - await self._position(consumer, partition))
            for partition, end in ends.items()
        }

    async def _position(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> int:
        known = self._next.get(partition)
        if known is None:
            known = await answered(
                _asked_position(consumer, partition), self._link.patience.answer, "position"
            )
        return known

    async def _commit(self, consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        try:
            await consumer.commit(dict(offsets))
        except (CommitFailedError, IllegalStateError):
            log.info("a commit came after a rebalance", group=self._group)

    def _partition(self, at: Position) -> TopicPartition:
        return TopicPartition(self._link.prefix + at.topic, at.partition)

    def _delivery(self, record: ConsumerRecord) -> Delivery:
        position = Position(record.topic.removeprefix(self._link.prefix), record.partition)
        key = "" if record.key is None else record.key.decode(errors="replace")
        return Delivery(position, record.offset, key, record.value or b"")


async def _asked_position(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int:
    try:
        position: int = await consumer.position(partition)
    except IllegalStateError:  # taken away meanwhile: nothing lies ahead of us there
        return 2**62
    return position


class _Dealing(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells the reading when its partitions are dealt anew."""

    def __init__(self, reading: KafkaReading) -> None:
        self._reading = reading

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._reading.revoked(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._reading.assigned(assigned)
