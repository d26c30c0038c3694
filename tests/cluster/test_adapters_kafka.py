"""The Kafka adapter when its broker dies, freezes or is not there, and when members come and go: nothing
acknowledged is lost, order per key holds, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NotCoordinatorForGroupError, UnknownError

from shared.errors import Outage
from shared.kafka import KafkaBus, Link, Patience, TooLarge
from shared.kafka.publisher import partition_of
from shared.ports import Bus, Delivery, Outgoing, Position, Reading
from tests.conformance.toys import BASKETS, outgoing, take
from tests.servers.fixtures import Server, kafka_server

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

KEYS = [f"k{n}" for n in range(20)]
QUICK = Patience(
    answer=3.0, publish=5.0, leave=1.0, look=0.5, stuck=3.0, drain=1.0, session=6.0, heartbeat=0.3
)
BASKET = BASKETS._replace(partitions=6)


@pytest.fixture
def server() -> Server:
    return kafka_server()


@asynccontextmanager
async def bus_at(
    address: str, prefix: str | None = None, patience: Patience = QUICK
) -> AsyncIterator[KafkaBus]:
    """A bus as one process has it."""
    bus = KafkaBus(Link(address, prefix or f"t{secrets.token_hex(4)}.", patience=patience), [BASKET])
    try:
        yield bus
    finally:
        await bus.close()


class Speakers:
    """Say 1, 2, 3 … under every key as a relay does: again from the first that is not acknowledged."""

    def __init__(self, bus: Bus) -> None:
        self.acknowledged = dict.fromkeys(KEYS, 0)
        self.outages = 0
        self._bus = bus
        self._going = True

    async def run(self, meanwhile: Awaitable[None]) -> None:
        speaking = asyncio.create_task(self._speak())
        try:
            await meanwhile
        finally:
            self._going = False
            await speaking

    async def _speak(self) -> None:
        while self._going:
            batch = [outgoing(key, said + n) for key, said in self.acknowledged.items() for n in (1, 2, 3)]
            try:
                await self._bus.publish(batch)
                self.acknowledged = {key: said + 3 for key, said in self.acknowledged.items()}
            except Outage:
                self.outages += 1
            await asyncio.sleep(0.02)


class Listener:
    """Applies what it hears as a service does, by watermark, and notices whatever was skipped."""

    def __init__(self) -> None:
        self.heard = dict.fromkeys(KEYS, 0)
        self.duplicates = 0
        self.skipped: list[str] = []
        self.outages = 0

    def hear(self, delivery: Delivery) -> None:
        number = int(delivery.value.rpartition(b"-")[2])
        before = self.heard[delivery.key]
        if number <= before:
            self.duplicates += 1
        elif number == before + 1:
            self.heard[delivery.key] = number
        else:
            self.skipped.append(f"{delivery.key}: {before} to {number}")

    async def listen(self, reading: Reading) -> None:
        """One round of a loop."""
        try:
            batch = await reading.fetch(100, 0.2)
            for delivery in batch:
                self.hear(delivery)
            if batch:
                await asyncio.sleep(0.01)
                await reading.commit(ends(batch))
        except Outage:
            self.outages += 1
            await asyncio.sleep(0.2)

    async def listen_on(self, reading: Reading) -> None:
        while True:
            await self.listen(reading)

    async def catch_up(self, reading: Reading, speakers: Speakers) -> None:
        async with asyncio.timeout(90):
            while any(self.heard[key] < said for key, said in speakers.acknowledged.items()):
                await self.listen(reading)
        assert not self.skipped
        assert min(speakers.acknowledged.values()) > 0


def ends(batch: list[Delivery]) -> dict[Position, int]:
    return {delivery.position: delivery.offset + 1 for delivery in batch}


@asynccontextmanager
async def going(work: Any) -> AsyncIterator[None]:
    """This goes on in the background meanwhile."""
    task = asyncio.create_task(work)
    try:
        yield
        assert not task.done() or task.exception() is None
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_broker_that_is_killed_three_times_loses_and_reorders_nothing(server: Server) -> None:
    async def kill_three_times() -> None:
        for _ in range(3):
            await asyncio.sleep(1.5)
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(1.0)
            await asyncio.to_thread(server.start)
        await asyncio.sleep(2.0)

    async with bus_at(server.address) as bus:
        speakers, listener = Speakers(bus), Listener()
        reading = await bus.read([BASKET], group="g")
        async with going(listener.listen_on(reading)):
            await speakers.run(kill_three_times())
        await listener.catch_up(reading, speakers)
        print(
            f"{speakers.acknowledged['k0']} per key, {speakers.outages} outages, {listener.duplicates} twice"
        )


async def test_a_broker_frozen_for_15_seconds_is_an_outage_and_loses_nothing(server: Server) -> None:
    async with bus_at(server.address) as bus:
        speakers, listener = Speakers(bus), Listener()
        reading = await bus.read([BASKET], group="g")

        async def freeze() -> None:
            await asyncio.sleep(1.0)
            server.freeze()
            try:
                frozen = asyncio.get_running_loop().time()
                with pytest.raises(Outage):
                    await bus.ping()
                assert asyncio.get_running_loop().time() - frozen < QUICK.answer + QUICK.leave + 2
                await asyncio.sleep(15 - (asyncio.get_running_loop().time() - frozen))
            finally:
                server.thaw()
            await asyncio.sleep(3.0)

        async with going(listener.listen_on(reading)):
            await speakers.run(freeze())
        assert speakers.outages
        assert listener.outages
        await listener.catch_up(reading, speakers)
        await bus.ping()


async def test_without_a_broker_everything_is_an_outage_in_bounded_time(server: Server) -> None:
    async with bus_at("127.0.0.1:9") as bus, asyncio.timeout(20):
        for call in (bus.ping(), bus.publish([outgoing("a", 1)]), bus.read([BASKET], group="g")):
            with pytest.raises(Outage):
                await call
    async with bus_at(server.address) as bus, asyncio.timeout(60):
        await bus.publish([outgoing("a", 1)])
        member, private = await bus.read([BASKET], group="g"), await bus.read([BASKET], group=None)
        await take(member, 1)
        await take(private, 1)
        await asyncio.to_thread(server.kill)
        try:
            for fails in (bus.ping(), bus.publish([outgoing("a", 2)]), member.lag()):
                with pytest.raises(Outage):
                    await fails
            for reading in (member, private):
                with pytest.raises(Outage):
                    while True:
                        await reading.fetch(10, 0.2)
            await member.close()
        finally:
            await asyncio.to_thread(server.start)


async def test_a_commit_after_a_rebalance_is_no_error_and_what_was_not_committed_comes_again(
    server: Server,
) -> None:
    prefix = f"t{secrets.token_hex(4)}."
    async with bus_at(server.address, prefix) as bus, bus_at(server.address, prefix) as other:
        await bus.publish([outgoing(key, 1) for key in KEYS])
        slow = await bus.read([BASKET], group="g")
        batch = await take(slow, len(KEYS))
        joining = asyncio.create_task(other.read([BASKET], group="g"))
        await asyncio.sleep(QUICK.drain + 1.5)
        await slow.commit(ends(batch))
        quick = await joining
        again = [await slow.fetch(100, 1.0), await quick.fetch(100, 1.0)]
        assert bus.rebalances >= 1
        committed = {
            position for position in ends(batch) if position not in ends([d for part in again for d in part])
        }
        assert len(committed) < len(ends(batch))
        await slow.commit(ends(again[0]))
        await quick.commit(ends(again[1]))
        assert (await slow.lag(), await quick.lag()) == (0, 0)


async def test_order_per_key_holds_while_a_member_comes_and_goes(server: Server) -> None:
    prefix = f"t{secrets.token_hex(4)}."
    listener = Listener()
    async with bus_at(server.address, prefix) as bus, bus_at(server.address, prefix) as other:
        speakers = Speakers(bus)
        staying = await bus.read([BASKET], group="g")

        async def come_and_go() -> None:
            for _ in range(3):
                guest = await other.read([BASKET], group="g")
                async with going(listener.listen_on(guest)):
                    await asyncio.sleep(2.0)
                await guest.close()
                await asyncio.sleep(1.0)

        async with going(listener.listen_on(staying)):
            await speakers.run(come_and_go())
        await listener.catch_up(staying, speakers)
        assert bus.rebalances >= 3
        print(
            f"{bus.rebalances} rebalances, {listener.duplicates} twice, {speakers.acknowledged['k0']} per key"
        )


async def test_a_new_group_hears_everything_again_from_the_start(server: Server) -> None:
    async with bus_at(server.address) as bus:
        said = [outgoing(key, n) for n in range(1, 51) for key in KEYS]
        await bus.publish(said)
        for group in ("one", "two", None):
            listener = Listener()
            reading = await bus.read([BASKET], group=group)
            for delivery in await take(reading, len(said)):
                listener.hear(delivery)
            assert (listener.skipped, listener.duplicates) == ([], 0)
            assert set(listener.heard.values()) == {50}


async def test_what_is_too_large_holds_up_only_its_own_record(server: Server) -> None:
    async with bus_at(server.address) as bus:
        huge = outgoing("a", 2, value=b"x" * 1_100_000)
        largest = outgoing("c", 1, value=b"x" * 999_000)
        with pytest.raises(TooLarge) as told:
            await bus.publish([outgoing("a", 1), huge, outgoing("a", 3), outgoing("b", 1), largest])
        assert told.value.messages == [huge]
        heard = await take(await bus.read([BASKET], group="g"), 3)
        assert sorted(delivery.key for delivery in heard) == ["a", "b", "c"]
        await bus.publish([outgoing("b", 2)])
        assert bus.rebuilt == 0


async def test_a_producer_that_got_out_of_order_is_replaced(server: Server) -> None:
    async with bus_at(server.address) as bus:
        await bus.publish([outgoing("a", 1)])
        spoil_the_producer(bus)
        with pytest.raises(Outage):
            await bus.publish([outgoing("a", 2)])
        await bus.publish([outgoing("a", 2)])
        assert bus.rebuilt == 1
        heard = await take(await bus.read([BASKET], group="g"), 2)
        assert [delivery.value for delivery in heard] == [b"a-1", b"a-2"]


@pytest.mark.parametrize("group", ["g", None])
async def test_a_reader_that_is_stuck_is_built_anew(server: Server, group: str | None) -> None:
    async with bus_at(server.address) as bus:
        reading = await bus.read([BASKET], group=group)
        await bus.publish([outgoing("a", 1)])
        await reading.commit(ends(await take(reading, 1)))
        stop_fetching(bus)
        await bus.publish([outgoing("a", 2)])
        assert [delivery.value for delivery in await take(reading, 1)] == [b"a-2"]
        assert bus.rebuilt == 1


@pytest.mark.parametrize("part", ["_do_rejoin_group", "ensure_coordinator_known"])
@pytest.mark.parametrize("error", [UnknownError, AssertionError])
async def test_a_member_whose_client_failed_to_join_again_is_built_anew(
    server: Server, part: str, error: type[Exception]
) -> None:
    async with bus_at(server.address) as bus:
        reading = await bus.read([BASKET], group="g")
        await bus.publish([outgoing("a", 1)])
        await reading.commit(ends(await take(reading, 1)))
        fail_to_join_again(bus, part, error)
        await bus.publish([outgoing("a", 2)])
        assert await heard(reading, 1) == [b"a-2"]


@pytest.mark.parametrize("call", ["getmany", "commit"])
async def test_a_member_whose_client_broke_is_built_anew_at_once(server: Server, call: str) -> None:
    async with bus_at(server.address, patience=replace(QUICK, stuck=60.0)) as bus:
        reading = await bus.read([BASKET], group="g")
        await bus.publish([outgoing("a", 1)])
        await reading.commit(ends(await take(reading, 1)))
        await bus.publish([outgoing("a", 2)])
        if call == "commit":
            second = await take(reading, 1)
        break_the_client(bus, call)
        with pytest.raises(Outage, match="the client broke"):
            await (reading.commit(ends(second)) if call == "commit" else reading.fetch(10, 0.2))
        assert await heard(reading, 1) == [b"a-2"]
        assert bus.rebuilt == 1


async def test_a_member_that_cannot_commit_is_built_anew(server: Server) -> None:
    """Though there is something to fetch, again and again the same."""
    async with bus_at(server.address, patience=replace(QUICK, stuck=0.5)) as bus:
        reading = await bus.read([BASKET], group="g")
        await bus.publish([outgoing("a", 1)])
        batch = await take(reading, 1)
        break_the_client(bus, "commit", NotCoordinatorForGroupError())
        async with asyncio.timeout(30):
            while True:
                with pytest.raises(Outage):
                    await reading.commit(ends(batch))
                if bus.rebuilt:
                    break
                await reading.rewind({batch[0].position: batch[0].offset})
                batch = await take(reading, 1)
        again = await take(reading, 1)
        assert again == batch
        await reading.commit(ends(again))
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert "commit" not in names, "one that was given up does not go on with a client that has ended"


async def test_topics_that_were_lost_are_made_again(server: Server) -> None:
    prefix = f"t{secrets.token_hex(4)}."
    async with bus_at(server.address, prefix) as bus:
        member = await bus.read([BASKET], group="g")
        private = await bus.read([BASKET], group=None)
        await bus.publish([outgoing("a", n) for n in (1, 2, 3)])
        await member.commit(ends(await take(member, 3)))
        await take(private, 3)
        await lose(server, prefix + BASKET.name)
        await publish_in_the_end(bus, outgoing("a", 4))
        assert await heard(member, 1) == [b"a-4"]
        assert await heard(private, 1) == [b"a-4"]


async def test_what_came_before_an_error_of_the_client_is_given(server: Server) -> None:
    async with bus_at(server.address, patience=replace(QUICK, stuck=60.0)) as bus:
        reading = await bus.read([BASKET], group="g")
        await bus.publish([outgoing("k1", 1)])
        (first,) = await take(reading, 1)
        other = next(key for key in KEYS if partition_of(key, 6) != first.position.partition)
        await bus.publish([outgoing(other, 1)])
        fail_behind_the_first_answer(bus)
        assert await heard(reading, 1) == [f"{other}-1".encode()]


async def lose(server: Server, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.address)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        async with asyncio.timeout(30):
            while True:
                if topic not in await admin.list_topics():
                    return
                await asyncio.sleep(0.1)
    finally:
        await admin.close()


async def publish_in_the_end(bus: KafkaBus, message: Outgoing) -> None:
    async with asyncio.timeout(60):
        while True:
            with suppress(Outage):
                return await bus.publish([message])
            await asyncio.sleep(0.2)


async def heard(reading: Reading, count: int) -> list[bytes]:
    """What comes next, however often there is an outage meanwhile."""
    found: list[bytes] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            with suppress(Outage):
                found += [delivery.value for delivery in await reading.fetch(10, 0.2)]
    return found


def fail_to_join_again(bus: Any, part: str, error: type[Exception]) -> None:
    """As after an answer of the broker that aiokafka does not expect."""
    coordinator = bus._readings[0]._consumer._coordinator

    async def fail(*_: Any) -> None:
        raise error

    setattr(coordinator, part, fail)
    coordinator.request_rejoin()


def break_the_client(bus: Any, call: str, error: Exception | None = None) -> None:
    """As when uvloop tells aiokafka of a connection that has just gone."""
    broken = error or RuntimeError("unable to perform operation on <TCPTransport closed=True>")

    async def fail(*_: Any, **__: Any) -> None:
        raise broken

    setattr(bus._readings[0]._consumer, call, fail)


def fail_behind_the_first_answer(bus: Any) -> None:
    """As when an error is told that came while there were messages to be handed out."""
    consumer = bus._readings[0]._consumer
    getmany = consumer.getmany

    async def ask(*partitions: Any, **options: Any) -> Any:
        found = await getmany(*partitions, **({"timeout_ms": 5000} if partitions else {}), **options)
        if found and partitions:
            consumer._coordinator._pending_exception = UnknownError()
        return found

    consumer.getmany = ask


def spoil_the_producer(bus: Any) -> None:
    """As after the known aiokafka bug: the client's count of messages is not the broker's."""
    numbers = bus._publisher._producer._txn_manager._sequence_numbers
    for partition in numbers:
        numbers[partition] += 7


def stop_fetching(bus: Any) -> None:
    """As after the known aiokafka bug: the client looks alive, and fetches no more."""
    bus._readings[0]._consumer._fetcher._fetch_task.cancel()


async def test_messages_carry_what_the_cloud_events_binding_asks_for(server: Server) -> None:
    from aiokafka import AIOKafkaConsumer

    prefix = f"t{secrets.token_hex(4)}."
    async with bus_at(server.address, prefix) as bus:
        await bus.publish([Outgoing("basket", "a", 1, BASKET.name, "a", b"{}")])
        plain = AIOKafkaConsumer(
            prefix + BASKET.name,
            bootstrap_servers=server.address,
            group_id=None,
            auto_offset_reset="earliest",
        )
        await plain.start()
        try:
            message = await asyncio.wait_for(plain.getone(), 10)
        finally:
            await plain.stop()
        assert (message.key, message.value) == (b"a", b"{}")
        assert dict(message.headers)["content-type"].startswith(b"application/cloudevents+json")
