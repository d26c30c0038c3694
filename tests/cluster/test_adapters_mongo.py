"""The MongoDB adapter when its server dies, freezes or answers nobody: nothing acknowledged is lost, nothing is
done twice, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from shared.contracts.base import Topic
from shared.embedded.clock import SystemClock
from shared.embedded.ids import SystemIds
from shared.errors import Outage
from shared.mongo import Connection, Driver, MongoStore, TooLarge
from shared.mongo.trouble import ANSWER_SECONDS
from shared.ports import Query, Where
from shared.records import Change, Record, index
from tests.cluster.wire import Cut, wire_to
from tests.conformance.toys import BASKETS, BasketFilled
from tests.servers.fixtures import Server, mongo_server

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

CLOCK = SystemClock()
IDS = SystemIds(CLOCK)


class Diary(Record):
    """Remembers everything that was ever done to it, so that what is lost or doubled shows."""

    kind = "diary"
    topic: ClassVar[Topic | None] = BASKETS
    indexes = (index("shelf"),)

    shelf: str = "s"
    done: tuple[str, ...] = ()


def write(id: str, note: str) -> Callable[[Diary | None], Change[Diary]]:
    def decide(diary: Diary | None) -> Change[Diary]:
        diary = diary or Diary(id=id)
        return Change(diary.but(done=(*diary.done, note)), BasketFilled(count=len(diary.done) + 1, note=note))

    return decide


@pytest.fixture
def server() -> Server:
    return mongo_server()


@pytest.fixture(params=list(Driver))
def driver(request: pytest.FixtureRequest) -> Driver:
    return Driver(request.param)


@asynccontextmanager
async def store_at(address: str, driver: Driver, prefix: str | None = None) -> AsyncIterator[MongoStore]:
    """A store as one process has it."""
    connection = Connection(address, driver, prefix=prefix or f"t{secrets.token_hex(4)}")
    store = MongoStore(connection, "diaries", [Diary], CLOCK, IDS)
    try:
        yield store
    finally:
        await store.close()
        await connection.close()


async def wrote(store: MongoStore, ids: str) -> list[str]:
    """Everything that stands in these diaries, and that it stands there in order, said once."""
    found: list[str] = []
    for id in ids:
        diary = await store.get(Diary, id)
        assert diary is not None
        assert len(diary.record.done) == diary.version
        found += diary.record.done
    said = [message.sequence for message in await store.pending(10_000) if message.id == ids[0]]
    first = await store.get(Diary, ids[0])
    assert first is not None
    assert said == list(range(1, first.version + 1))
    return found


class Writers:
    """Sixteen who write as fast as they can into four diaries, and note what was acknowledged."""

    IDS = "abcd"

    def __init__(self, store: MongoStore) -> None:
        self.acknowledged: list[str] = []
        self.outages = 0
        self._store = store
        self._going = True

    async def run(self, meanwhile: Awaitable[None]) -> None:
        writing = [asyncio.create_task(self._write(n)) for n in range(16)]
        await meanwhile
        self._going = False
        await asyncio.gather(*writing)

    async def _write(self, writer: int) -> None:
        number = 0
        while self._going:
            number += 1
            note, id = f"{writer}-{number}", self.IDS[writer % 4]
            try:
                await self._store.change(Diary, id, write(id, note))
                self.acknowledged.append(note)
            except Outage:
                self.outages += 1
                await asyncio.sleep(0.1)


async def check(store: MongoStore, writers: Writers) -> None:
    found = Counter(await wrote(store, writers.IDS))
    lost = [note for note in writers.acknowledged if not found[note]]
    assert not lost, f"lost: {lost[:5]}"
    twice = [note for note, times in found.items() if times > 1]
    assert not twice, f"done twice: {twice[:5]}"
    assert len(writers.acknowledged) > 50


@pytest.mark.parametrize("part", ["kill", "kill_inner"])
async def test_no_acknowledged_change_is_lost_or_doubled_when_the_server_is_killed(
    server: Server, driver: Driver, part: str
) -> None:
    async def kill_three_times() -> None:
        for _ in range(3):
            await asyncio.sleep(0.8)
            await asyncio.to_thread(getattr(server, part))
            await asyncio.sleep(0.3)
            await asyncio.to_thread(server.start)
        await asyncio.sleep(1.0)

    async with store_at(server.address, driver) as store:
        writers = Writers(store)
        await writers.run(kill_three_times())
        await check(store, writers)
        print(f"{driver}, {part}: {len(writers.acknowledged)} acknowledged, {writers.outages} outages")


async def test_a_frozen_server_is_an_outage_in_bounded_time_and_loses_nothing(
    server: Server, driver: Driver
) -> None:
    async def freeze() -> None:
        await asyncio.sleep(0.5)
        server.freeze()
        try:
            started = asyncio.get_running_loop().time()
            with pytest.raises(Outage):
                await store.get(Diary, "a")
            assert asyncio.get_running_loop().time() - started < ANSWER_SECONDS + 4
        finally:
            server.thaw()
        await asyncio.sleep(1.0)

    async with store_at(server.address, driver) as store:
        await store.change(Diary, "a", write("a", "first"))
        writers = Writers(store)
        await writers.run(freeze())
        await check(store, writers)


async def test_without_a_server_everything_is_an_outage_and_nothing_hangs(driver: Driver) -> None:
    async with asyncio.timeout(20), store_at("mongodb://127.0.0.1:9/", driver) as store:
        calls = (
            store.change(Diary, "a", write("a", "x")), store.get(Diary, "a"), store.pending(10),
            store.find(Diary, Query((Where("shelf", "equal", "s"),))), store.ping(), store.outbox_age(),
        )  # fmt: skip
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [outcome for outcome in outcomes if not isinstance(outcome, Outage)] == []


@pytest.mark.parametrize("cut", ["after", "before"])
@pytest.mark.parametrize("request_", [b"insert\x00", b"update\x00"])
async def test_a_write_whose_answer_was_lost_is_recognised_and_not_done_again(
    server: Server, driver: Driver, request_: bytes, cut: Cut
) -> None:
    at = urlsplit(server.address)
    async with (
        wire_to(at.hostname or "", at.port or 0) as wire,
        store_at(f"mongodb://127.0.0.1:{wire.port}/?directConnection=true", driver) as store,
    ):
        if request_.startswith(b"update"):
            await store.change(Diary, "a", write("a", "before"))
        before = (await store.get(Diary, "a")) is not None
        wire.arm(request_, cut)
        outcome = await store.change(Diary, "a", write("a", "x"))
        await asyncio.sleep(wire.LATE_SECONDS)
        assert wire.cuts == 1
        assert (outcome.applied, outcome.version) == (True, 1 + before)
        assert (await wrote(store, "a")).count("x") == 1


@pytest.mark.parametrize("cut", ["after", "before"])
async def test_writes_that_shared_a_lost_answer_are_each_recognised(
    server: Server, driver: Driver, cut: Cut
) -> None:
    at = urlsplit(server.address)
    async with (
        wire_to(at.hostname or "", at.port or 0) as wire,
        store_at(f"mongodb://127.0.0.1:{wire.port}/?directConnection=true", driver) as store,
    ):
        await asyncio.gather(*(store.change(Diary, id, write(id, "before")) for id in "abc"))
        wire.arm(b"update\x00", cut)
        outcomes = await asyncio.gather(*(store.change(Diary, id, write(id, f"x{id}")) for id in "abcde"))
        await asyncio.sleep(wire.LATE_SECONDS)
        assert wire.cuts == 1
        assert [(outcome.applied, outcome.version) for outcome in outcomes] == [(True, 2)] * 3 + [
            (True, 1)
        ] * 2
        assert Counter(await wrote(store, "abcde")) == Counter(["before"] * 3 + [f"x{id}" for id in "abcde"])


async def test_a_record_too_large_to_be_written_fails_alone(server: Server, driver: Driver) -> None:
    async with store_at(server.address, driver) as store:
        full = Diary(id="b", done=("x" * 17_000_000,))
        huge = store.change(Diary, "b", lambda _: Change(full))
        others = [store.change(Diary, id, write(id, "x")) for id in "acd"]
        outcomes = await asyncio.gather(huge, *others, return_exceptions=True)
        assert isinstance(outcomes[0], TooLarge)
        assert await wrote(store, "acd") == ["x"] * 3
        assert await store.get(Diary, "b") is None


async def test_two_processes_share_a_record_and_neither_overwrites_the_other(
    server: Server, driver: Driver
) -> None:
    prefix = f"t{secrets.token_hex(4)}"
    async with (
        store_at(server.address, driver, prefix) as one,
        store_at(server.address, driver, prefix) as two,
    ):
        notes = [f"{n}" for n in range(60)]
        await asyncio.gather(
            *((one, two)[n % 2].change(Diary, "a", write("a", note)) for n, note in enumerate(notes))
        )
        assert sorted(await wrote(one, "a")) == sorted(notes)


async def test_what_one_process_was_told_is_not_refused_on_an_old_view_by_another(
    server: Server, driver: Driver
) -> None:
    prefix = f"t{secrets.token_hex(4)}"
    async with (
        store_at(server.address, driver, prefix) as one,
        store_at(server.address, driver, prefix) as two,
    ):
        await one.change(Diary, "a", write("a", "1"))
        await two.change(Diary, "a", write("a", "2"))
        seen: list[tuple[str, ...]] = []

        def look(diary: Diary | None) -> Change[Diary]:
            assert diary is not None
            seen.append(diary.done)
            return Change(diary)

        await one.change(Diary, "a", look)
        assert seen[-1] == ("1", "2")


async def test_what_a_dead_process_left_unpublished_is_found_by_another(
    server: Server, driver: Driver
) -> None:
    prefix = f"t{secrets.token_hex(4)}"
    async with store_at(server.address, driver, prefix) as living:
        assert await living.pending(10) == []
        async with store_at(server.address, driver, prefix) as dying:
            await dying.change(Diary, "a", write("a", "1"))
        async with asyncio.timeout(10):
            while not (found := await living.pending(10)):
                await living.wait(Diary, "none", lambda _: False, 0.2)
        assert [message.sequence for message in found] == [1]


async def test_whoever_only_looks_on_sees_the_outbox_as_it_is(server: Server, driver: Driver) -> None:
    prefix = f"t{secrets.token_hex(4)}"
    async with (
        store_at(server.address, driver, prefix) as speaking,
        store_at(server.address, driver, prefix) as looking_on,
    ):
        await speaking.change(Diary, "a", write("a", "1"))
        assert (await looking_on.outbox_age() or 0) >= 0
        assert await looking_on.outbox_depth() == 1
        await speaking.trim(await speaking.pending(10))
        async with asyncio.timeout(10):
            while await looking_on.outbox_depth():
                await looking_on.wait(Diary, "none", lambda _: False, 0.2)
        assert await looking_on.outbox_age() is None


async def test_a_request_whose_caller_went_away_is_finished(server: Server, driver: Driver) -> None:
    async with store_at(server.address, driver) as store:
        await store.change(Diary, "a", write("a", "first"))
        calling = asyncio.create_task(store.change(Diary, "a", write("a", "second")))
        await asyncio.sleep(0.0005)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        await store.change(Diary, "a", write("a", "third"))
        found = await wrote(store, "a")
        assert found in (["first", "second", "third"], ["first", "third"])
